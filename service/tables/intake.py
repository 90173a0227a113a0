"""Rows of `intake`: imports and their answers; codes and claims of attendance."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import ActedBy, Row, one_of
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


class AttendanceCode(ActedBy, Row):
    """A code by which people say that they were in a session, from `opens_at` until `closes_at`.

    At most `most` people can use it. With `approval` somebody of the network decides on each claim. A session has one that
    is open; the code itself is stored nowhere. If the token that made it is revoked, it works no longer.
    """

    __tablename__ = "attendance_codes"
    __table_args__ = (
        one_of("state", "open", "replaced", "closed"),
        Index(
            "uq_attendance_codes_open",
            "session_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(None, "session_id"),
        Index(None, "closes_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16), default="open")
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    most: Mapped[int]
    approval: Mapped[bool] = mapped_column(Boolean)
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class AttendanceClaim(Row):
    """Somebody says that they were in a session.

    `member_id` is the member whose address they proved, or as whom the network knows them; while there is none, `name`
    says who they are. Both the name and the `reason` of a refusal are words of people. `record_id` is the evidence that
    came of it, or that was there before.
    """

    __tablename__ = "attendance_claims"
    __table_args__ = (
        one_of("state", "waiting", "accepted", "refused"),
        UniqueConstraint("session_id", "account_id"),
        Index(None, "account_id"),
        Index(None, "code_id"),
        Index(None, "member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    code_id: Mapped[UUID] = mapped_column(ForeignKey("attendance_codes.id", ondelete="CASCADE"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    name: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    claimed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    reason: Mapped[str | None] = mapped_column(Text)
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("records.id"))
