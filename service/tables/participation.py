"""Rows of `participation`: expectations, goals, needs, calls for participants, and who asks to join."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id

# expectations


class Expectation(Row):
    """What a network expects of its members in each period, under its own `ref`; its content is in its versions.

    `version` is the newest. Once it has ended, only periods that were over by then are judged.
    """

    __tablename__ = "expectations"
    __table_args__ = (UniqueConstraint("network_id", "ref"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    version: Mapped[int]
    created_at: Mapped[datetime]
    ended_on: Mapped[date | None]


class ExpectationVersion(Row):
    """One version of an expectation, which never changes: it judges the periods that begin on `from_date` or later.

    It judges them until a later version begins.
    """

    __tablename__ = "expectation_versions"
    __table_args__ = (UniqueConstraint("expectation_id", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    expectation_id: Mapped[UUID] = mapped_column(ForeignKey("expectations.id"))
    version: Mapped[int]
    from_date: Mapped[date]
    content: Mapped[dict[str, Any]]
    at: Mapped[datetime]


# goals

# needs

# calls

# joining


class JoinRequest(Row):
    """Somebody asks a network whether they may join.

    What they say (`name`, `address`, `message`) is there only while nobody has decided; `reason` is what the network says
    to them. `member_id` is the member that they became.
    """

    __tablename__ = "join_requests"
    __table_args__ = (
        one_of("state", "asked", "accepted", "declined", "withdrawn"),
        Index(
            "uq_join_requests_open",
            "network_id",
            "account_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
        Index(None, "account_id", "asked_at"),
        Index(None, "member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    state: Mapped[str] = mapped_column(String(16), default="asked")
    name: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(Text, default="")
    message: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    reason: Mapped[str | None] = mapped_column(Text)
