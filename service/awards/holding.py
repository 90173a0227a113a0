"""New awards that wait while a hold on them lasts.

A hold is about a person: an award under another ref of the same person waits, too. What is held is pending without a
time at which it is due, and follows by itself when the last hold on it ends. An award that was announced stands.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.awards import reviews
from service.durations import Duration
from service.issuing.decision import Decision
from service.storage import locks
from service.tables import AchievementVersion, Award, Case, CaseHold, Network, Review


def held(session: OrmSession, network: Network, decisions: Sequence[Decision]) -> list[Decision]:
    """Return the decisions; those that a hold is on are marked as held."""
    holds = _Holds(session, network.id, {each.member_id for each in decisions})
    return [
        replace(each, held=True) if holds.on(each.member_id, each.version.achievement_id) else each
        for each in decisions
    ]


def is_held(session: OrmSession, row: Award) -> bool:
    """Return whether a hold is on an award now."""
    return _Holds(session, row.network_id, {row.member_id}).on(row.member_id, row.achievement_id)


def look_again(act: Act, member_ids: Collection[UUID] | None = None) -> None:
    """Let pending awards wait on which a hold is now, and those follow, each at its time, on which none is left.

    Args:
        member_ids: whose, once they are locked; None: everybody's in the network, because who is who has changed.
    """
    act.session.flush()
    mine = (Award.network_id == act.network.id, Award.state == "pending")
    whose = () if member_ids is None else (Award.member_id.in_(member_ids),)
    rows = locks.rows(act.session, Award, *mine, *whose)
    holds = _Holds(act.session, act.network.id, {row.member_id for row in rows})
    for row in rows:
        if holds.on(row.member_id, row.achievement_id):
            row.due_at = None
        elif row.due_at is None:
            row.due_at = _due_at(act, row)
    act.session.flush()


def any_hold(session: OrmSession, network: Network) -> bool:
    """Return whether there is a hold on anybody in a network."""
    query = select(CaseHold.id).join(Case, Case.id == CaseHold.case_id)
    query = query.where(Case.network_id == network.id, CaseHold.until_at.is_(None))
    return session.scalar(query.limit(1)) is not None


def _due_at(act: Act, row: Award) -> datetime | None:
    """Return when an award is due that is not held any more; None: when a second person has approved it."""
    version = act.session.get_one(AchievementVersion, row.achievement_version_id)
    cooling_off = version.definition.get("cooling_off") if row.basis != "recorded" else None
    if cooling_off is not None:
        return max(act.now, Duration.parse(cooling_off).after(row.decided_at, ZoneInfo(act.network.time_zone)))
    waiting = select(Review.id).where(Review.award_id == row.id, Review.state == "waiting")
    return None if act.session.scalar(waiting.limit(1)) is not None else act.now


class _Holds:
    """The holds in a network, as far as they are on the persons behind some members."""

    def __init__(self, session: OrmSession, network_id: UUID, member_ids: Collection[UUID]) -> None:
        self._on: set[tuple[UUID, UUID | None]] = set()
        self._who: dict[UUID | None, UUID] = {}
        query = select(CaseHold.member_id, CaseHold.achievement_id).join(Case, Case.id == CaseHold.case_id)
        rows = session.execute(query.where(Case.network_id == network_id, CaseHold.until_at.is_(None))).all()
        if rows:
            self._who = reviews.who_is(session, {*member_ids, *(member_id for member_id, _ in rows)})
            self._on = {(self._who[member_id], achievement_id) for member_id, achievement_id in rows}

    def on(self, member_id: UUID, achievement_id: UUID) -> bool:
        """Return whether a hold is on an achievement of a member."""
        who = self._who.get(member_id)
        return who is not None and not self._on.isdisjoint({(who, achievement_id), (who, None)})
