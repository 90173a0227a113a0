"""Rows of `participation`: expectations, goals, needs and calls for participants."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id

# expectations

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
