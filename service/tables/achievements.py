"""Rows of `achievements`: achievements, their versions, and enrolments."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class Achievement(Row):
    """What members can earn; its content is in its versions.

    While it is retired, nobody new earns it.
    """

    __tablename__ = "achievements"
    __table_args__ = (UniqueConstraint("network_id", "ref"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    retirement_reason: Mapped[str | None] = mapped_column(Text)


class AchievementVersion(Row):
    """One version of an achievement; frozen once `published_at` is set.

    Publishing sets `pinned_objectives`: the version of each objective that the definition names, by the objective's ref.
    """

    __tablename__ = "achievement_versions"
    __table_args__ = (UniqueConstraint("achievement_id", "version"), one_of("award", "automatic", "reviewed"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"))
    version: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    award: Mapped[str] = mapped_column(String(16))
    definition: Mapped[dict[str, Any]]
    definition_sha256: Mapped[str | None] = mapped_column(String(64))
    image_sha256: Mapped[str | None] = mapped_column(String(64))
    pinned_objectives: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    published_at: Mapped[datetime | None]


class Enrolment(Row):
    """The version of an achievement by which a member is judged."""

    __tablename__ = "enrolments"

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"), primary_key=True)
    achievement_version_id: Mapped[UUID] = mapped_column(ForeignKey("achievement_versions.id"))
    at: Mapped[datetime]
    known_from: Mapped[datetime | None]
