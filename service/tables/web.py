"""Rows of `web`: remembered answers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row


class Idempotency(Row):
    """The answer to a write that had an `Idempotency-Key`, for 24 hours.

    Refusals are not remembered. `answer` never holds a secret; if it would hold personal content, it is empty and the
    (repeatable) operation is carried out again.
    """

    __tablename__ = "idempotency"
    __table_args__ = (Index(None, "expires_at"),)

    token_id: Mapped[UUID] = mapped_column(ForeignKey("tokens.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(Text)
    import_id: Mapped[UUID | None] = mapped_column(ForeignKey("imports.id"))
    expires_at: Mapped[datetime]
