"""Rows of `participation`: expectations, goals, needs and calls for participants."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import ActedBy, Row, one_of
from service.tables.identifiers import new_id

# expectations

# goals

# needs


class NeedsCycle(ActedBy, Row):
    """A time in which a network asks its members what they want to learn and what they can offer.

    `said` is what the network sent: title, topics with their labels, and whether people add topics of their own. `told_at`
    is when the outbox said that it opened.
    """

    __tablename__ = "needs_cycles"
    __table_args__ = (UniqueConstraint("network_id", "ref"), Index(None, "told_at", "opens_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    said: Mapped[dict[str, Any]]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    made_at: Mapped[datetime]
    told_at: Mapped[datetime | None]


class NeedsAnswer(ActedBy, Row):
    """What a member answered in a cycle: one for each person, in words of people, and deleted with the member.

    `via` is how it came last: by a token of the member, a token of the network, the member's page, or a link.
    """

    __tablename__ = "needs_answers"
    __table_args__ = (
        one_of("via", "member", "network", "page", "link"),
        UniqueConstraint("cycle_id", "member_id"),
        Index(None, "member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    cycle_id: Mapped[UUID] = mapped_column(ForeignKey("needs_cycles.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    via: Mapped[str] = mapped_column(String(16))
    said: Mapped[dict[str, Any]]
    share_offer: Mapped[bool] = mapped_column(Boolean)
    answered_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class NeedsLink(ActedBy, Row):
    """A link by which a member answers in a cycle without an account; its secret is stored nowhere.

    It works as long as the cycle is open and the token that made it was not revoked.
    """

    __tablename__ = "needs_links"
    __table_args__ = (UniqueConstraint("cycle_id", "member_id"), Index(None, "member_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    cycle_id: Mapped[UUID] = mapped_column(ForeignKey("needs_cycles.id", ondelete="CASCADE"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]


# calls
