"""Rows of `console`: erasures of everything that people wanted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row


class WantedErasure(Row):
    """Somebody wants everything about them erased, in all networks; the row is deleted once that is done.

    `account_id` is no foreign key: an account that becomes part of another one takes nothing of this with it, and what
    the other one has is not erased. `language` is that of the last mail.
    """

    __tablename__ = "wanted_erasures"
    __table_args__ = (Index(None, "due_at"),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
