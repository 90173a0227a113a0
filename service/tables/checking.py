"""Rows of `checking`: questions to recipients."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class Confirmation(Row):
    """The question to the recipient of a badge whether it is theirs.

    Nothing says who asked. The two secrets are those of the asker's page and of the link in the mail; custody locks the
    second one and it is stored here too, because the mail is written later. `mail_at` is when the mail may be sent;
    after `expires_at` nobody can answer. The state of the question follows from the answer, the credential and the
    time.

    `identity_id` is the address that is asked: if it is deleted, so is the question.
    """

    __tablename__ = "confirmations"
    __table_args__ = (
        one_of("answer", "yes", "no"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
        Index(None, "credential_id", "mail_at"),
        Index(None, "identity_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id"))
    identity_id: Mapped[UUID] = mapped_column(ForeignKey("identities.id", ondelete="CASCADE"))
    page_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    mail_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    mail_secret: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(String(8))
    asked_at: Mapped[datetime]
    mail_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(String(8))
    answered_at: Mapped[datetime | None]
