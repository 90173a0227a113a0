"""Rows of `criteria`: who must be judged again, and what achievements listen to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row


class UnsettledMember(Row):
    """A member with new evidence, whose awards have not yet been decided again.

    It is written with the evidence and deleted with the decision, so that a killed process loses no award. `topics` are
    what changed, one on each line (`service.criteria.topics`); empty if it may be anything.
    """

    __tablename__ = "unsettled_members"
    __table_args__ = (Index(None, "network_id"),)

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    since: Mapped[datetime]
    topics: Mapped[str | None] = mapped_column(Text)


class Listener(Row):
    """A topic after which the rule of an achievement must be asked again.

    The rule is that of one of its published versions. The topic `*` is always heard.
    """

    __tablename__ = "listeners"

    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(300), primary_key=True)
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"), primary_key=True)
