"""Rows of `sharing`: claim links and codes, with which people take what they earned into their account."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class Claim(Row):
    """A way to claim what a member has earned: a mailed link, or a code on paper; a member has one that is open.

    `account`: no secret was needed, because the account had proved the address. Custody locks the secret of a link,
    because mails are written later; that of a code is nowhere. `address_sha256` is that of the address to which the link
    was sent, salted with the id. `sends` counts the mails that somebody asked for. `sign_in_id` is the sign-in that began
    with the claim; `address_added` says that the account got the address by it. The secret of the way back is mailed to
    the address when the claim is used.
    """

    __tablename__ = "claims"
    __table_args__ = (
        one_of("means", "mail", "paper", "account"),
        one_of("state", "open", "used", "replaced", "released"),
        Index(
            "uq_claims_open",
            "member_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(None, "member_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    means: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="open")
    secret_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    locked: Mapped[str | None] = mapped_column(Text)
    address_sha256: Mapped[str | None] = mapped_column(String(64))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    sends: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
    sign_in_id: Mapped[UUID | None] = mapped_column(ForeignKey("sign_ins.id", ondelete="SET NULL"))
    address_added: Mapped[bool] = mapped_column(Boolean, default=False)
    back_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    back_locked: Mapped[str | None] = mapped_column(Text)
