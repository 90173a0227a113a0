"""Rows of `intake`: imports and their answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row
from service.tables.identifiers import new_id


class Import(Row):
    """One bulk body, processed in chunks.

    Each chunk's own commit moves `next_line` and adds to `counts`: how many lines have which status. It is settled once
    everything that it can have caused is decided.
    """

    __tablename__ = "imports"
    __table_args__ = (Index(None, "settled_at", "finished_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    kind: Mapped[str] = mapped_column(String(32))
    body_sha256: Mapped[str] = mapped_column(String(64))
    next_line: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    settled_at: Mapped[datetime | None]


class ImportAnswer(Row):
    """The answer lines of one chunk, stored for the retry of a bulk body.

    They expire with their idempotency row.
    """

    __tablename__ = "import_answers"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    first_line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lines: Mapped[str] = mapped_column(Text)
