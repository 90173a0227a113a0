"""The network's own names of what events are about.

Events hold identifiers, and nothing that could be somebody's name. The refs are looked up whenever events are shown, so
they are those of now, and nothing is left of what was erased.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.tables import (
    Achievement,
    AchievementVersion,
    Award,
    Event,
    Expectation,
    Meeting,
    Member,
    Objective,
    Record,
)


@dataclass(frozen=True)
class Refs:
    """What the network itself calls the member, achievement, session, record, objective and expectation of an event."""

    member: str | None
    achievement: str | None
    session: str | None
    record: Record | None
    objective: str | None = None
    expectation: str | None = None


def refs_of(session: OrmSession, shown: Sequence[Event]) -> list[Refs]:
    """Return the refs of each event, in order; what no longer exists is left out."""

    def found(name: str, query: Any, column: Any) -> dict[str, Any]:
        ids = {UUID(event.about[name]) for event in shown if name in event.about}
        return {str(row[0]): row[1] for row in session.execute(query.where(column.in_(ids)))} if ids else {}

    through_version = select(AchievementVersion.id, Achievement.ref).join(
        Achievement, Achievement.id == AchievementVersion.achievement_id
    )
    through_award = select(Award.id, Achievement.ref).join(Achievement, Achievement.id == Award.achievement_id)
    members = found("member", select(Member.id, Member.ref), Member.id)
    sessions = found("session", select(Meeting.id, Meeting.ref), Meeting.id)
    records = found("record", select(Record.id, Record), Record.id)
    objectives = found("objective", select(Objective.id, Objective.ref), Objective.id)
    expectations = found("expectation", select(Expectation.id, Expectation.ref), Expectation.id)
    achievements = {
        "achievement": found("achievement", select(Achievement.id, Achievement.ref), Achievement.id),
        "achievement_version": found("achievement_version", through_version, AchievementVersion.id),
        "award": found("award", through_award, Award.id),
    }
    return [
        Refs(
            member=members.get(event.about.get("member", "")),
            achievement=_first(rows.get(event.about.get(name, "")) for name, rows in achievements.items()),
            session=sessions.get(event.about.get("session", "")),
            record=records.get(event.about.get("record", "")),
            objective=objectives.get(event.about.get("objective", "")),
            expectation=expectations.get(event.about.get("expectation", "")),
        )
        for event in shown
    ]


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value is not None), None)
