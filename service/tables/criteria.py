"""Rows of `criteria`: who must be judged anew, and which achievements listen to what."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row


class UnsettledMember(Row):
    """A member whose evidence changed and whose awards have not been decided on it yet.

    Written with the evidence, deleted with the decision: a killed process loses no award. `topics` are what changed,
    one a line (`service.criteria.topics`); empty where it may be anything.
    """

    __tablename__ = "unsettled_members"
    __table_args__ = (Index(None, "network_id"),)

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    since: Mapped[datetime]
    topics: Mapped[str | None] = mapped_column(Text)


class Listener(Row):
    """An achievement whose rule, in one of its published versions, must be asked again when a topic is heard of.

    The topic `*` is always heard.
    """

    __tablename__ = "listeners"

    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(300), primary_key=True)
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"), primary_key=True)
