"""Where members stand with what is expected, by the queries of progress.

An expectation is its rule with the period as window, asked for one member and for everybody alike. What is expected by
now is the part of the number that corresponds to the time that has passed, rounded down; of a rate of attendance it is
that rate of the sessions that have begun.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access.callers import Caller
from service.achievements.definitions import NOBODY
from service.criteria import tree
from service.criteria.kinds.attendance import Attendance
from service.criteria.kinds.query import AskedRule, Rows, had_role
from service.criteria.queries import numbers, parameters
from service.criteria.windows import Between, Bounds
from service.participation.expectations import bodies, expectations, periods
from service.participation.expectations.bodies import Expected
from service.participation.expectations.expectations import ShownExpectation
from service.participation.expectations.periods import Period
from service.progress.everybody import LOOKED_AT
from service.progress.progress import MEMBERS_AT_ONCE
from service.storage.database import ReadSession
from service.storage.paging import Window, page
from service.tables import Expectation, Member, Network

State = Literal["met", "on-course", "behind", "nothing-to-count", "not-yet-begun"]
STATES: Final = get_args(State)


@dataclass(frozen=True)
class Judged:
    """An expectation in one period, ready to be asked: the rule with the period as window."""

    shown: ShownExpectation
    period: Period
    rule: Expected
    bounds: Bounds

    def is_over(self, now: datetime) -> bool:
        """Return whether the period is over."""
        return self.bounds.end is not None and self.bounds.end <= now

    @property
    def role(self) -> str | None:
        """Of whom it is expected; None: of every member."""
        role: str | None = self.period.version.content.get("role")
        return role


@dataclass(frozen=True)
class Stands:
    """Where a member stands in one period.

    `observed`, `required` and `expected` (by now) are numbers of the rule; they are None where there is nothing to judge.
    """

    member: Member
    judged: Judged
    state: State
    observed: float | None = None
    required: float | None = None
    expected: float | None = None
    over: bool = False

    @property
    def text(self) -> str | None:
        """How far the member has come, in a sentence."""
        if self.observed is None or self.required is None:
            return None
        return self.judged.rule.model_copy(update={"window": None}).sentence(self.observed, self.required)


def judged(network: Network, shown: ShownExpectation, day: date) -> Judged | None:
    """Return an expectation in the period that a day is in; None if it judges none that has this day."""
    period = periods.at(shown.versions, day, shown.expectation.ended_on)
    if period is None:
        return None
    said = {"from": f"{period.start}"} | ({"to": f"{period.end}"} if period.end is not None else {})
    window = Between.model_validate(said)
    rule = bodies.expected(period.version.content["rule"]).model_copy(update={"window": window})
    return Judged(shown, period, rule, window.bounds(None, ZoneInfo(network.time_zone)))


def of_everybody(
    session: ReadSession,
    network: Network,
    each: Judged,
    now: datetime,
    window: Window,
    *,
    state: State | None = None,
    only: Collection[UUID] | None = None,
) -> tuple[list[Stands], str | None]:
    """Return where members stand, in the order in which they were added, and the next cursor.

    A page costs one statement for each 500 members who are judged for it; with a state it looks at 5,000 at most, and can
    be short.

    Args:
        state: only those who are in it.
        only: nobody but these members.
    """
    query = members_of(network, each, now)
    if only is not None:
        query = query.where(Member.id.in_(only))
    if state is None:
        rows, following = page(session, query, window, Member.id)
        return list(stand(session, network, [each], rows, now)), following
    found: list[Stands] = []
    [last] = window.last(UUID) or [UUID(int=0)]
    for _ in range(LOOKED_AT // MEMBERS_AT_ONCE):
        batch = session.scalars(query.where(Member.id > last).order_by(Member.id).limit(MEMBERS_AT_ONCE)).all()
        fit = [one for one in stand(session, network, [each], batch, now) if one.state == state]
        taken = fit[: window.limit - len(found)]
        found += taken
        if len(taken) < len(fit):
            return found, window.cursor(taken[-1].member.id if taken else last)
        if len(batch) < MEMBERS_AT_ONCE:
            return found, None
        last = batch[-1].id
    return found, window.cursor(last)


def of_member(
    session: ReadSession, network: Network, member: Member, now: datetime, window: Window, day: date | None = None
) -> tuple[list[Stands], str | None]:
    """Return where a member stands with what is expected of them, by one statement, and the next cursor.

    Args:
        window: which of the network's expectations are looked at.
        day: in the period that this day is in; None: in the one that runs now. Then what begins later is told too.
    """
    query = select(Expectation).where(Expectation.network_id == network.id)
    rows, following = page(session, query, window, Expectation.id)
    asked: list[Judged] = []
    later: list[Stands] = []
    for shown in expectations.with_versions(session, rows):
        each = judged(network, shown, day or expectations.today_in(network, now))
        if each is not None:
            mine = members_of(network, each, now).where(Member.id == member.id)
            asked += [each] if session.scalar(mine) is not None else []
        elif day is None and shown.expectation.ended_on is None:
            upcoming = periods.following(shown.versions, expectations.today_in(network, now))
            begins = judged(network, shown, upcoming.start) if upcoming is not None else None
            if begins is not None and session.scalar(members_of(network, begins, now).where(Member.id == member.id)):
                later.append(Stands(member, begins, "not-yet-begun"))
    return [*stand(session, network, asked, [member], now), *later], following


def members_of(network: Network, each: Judged, now: datetime) -> Select[Member]:
    """Return the query of the members of whom it is expected, without those who were erased.

    Of a role it is expected of those who have it now, or had it when the period ended.
    """
    query = select(Member).where(
        Member.network_id == network.id, Member.erased_at.is_(None), Member.merged_into.is_(None)
    )
    if each.role is None:
        return query
    at = min(now, each.bounds.end - timedelta(microseconds=1)) if each.bounds.end is not None else now
    return query.where(had_role(each.role, Member.id, at, AskedRule(0, of_members=True)))


def own_members(session: OrmSession, caller: Caller) -> Collection[UUID] | None:
    """Return the members whose standing a caller may read: those who are the same person; None: everybody."""
    if caller.member_id is None:
        return None
    own = select(Member.person_id).where(Member.id == caller.member_id).scalar_subquery()
    same = Member.network_id == caller.network_id, or_(Member.id == caller.member_id, Member.person_id == own)
    return session.scalars(select(Member.id).where(*same)).all()


def stand(
    session: OrmSession, network: Network, asked: Sequence[Judged], members: Sequence[Member], now: datetime
) -> Iterator[Stands]:
    """Yield where members stand with expectations, member by member: one statement for all of them."""
    if not asked or not members:
        return
    rules = [each.rule for each in asked]
    values = parameters(rules, network, NOBODY, now, [member.id for member in members])
    found: dict[tuple[UUID, int], tuple[float, float]] = {
        (member_id, place): (observed, beside)
        for place, member_id, observed, beside, _ in session.execute(_query(_written(rules)), values)
    }
    for member in members:
        for place, each in enumerate(asked):
            observed, beside = found.get((member.id, place), (0.0, 0.0))
            yield _stands(member, each, observed, beside, now)


def _stands(member: Member, each: Judged, observed: float, beside: float, now: datetime) -> Stands:
    reached, over = each.rule.reached(observed, beside), each.is_over(now)
    start, end = each.bounds
    if (start is not None and start > now) or (end is not None and member.enrolled_at >= end and not observed):
        return Stands(member, each, "not-yet-begun", over=over)
    if isinstance(each.rule, Attendance) and each.rule.min_rate is not None:
        if not beside:
            return Stands(member, each, "nothing-to-count", over=over)
        least = _by_now(each.rule.min_sessions or 0, member, each, now)
        of_rate = each.rule.model_copy(update={"min_sessions": None}).reached(observed, beside).required
        expected = max(of_rate, least if least is not None else 0)
        # A rate can still fall, so that it is met only when the period is over.
        good: State = "met" if over and reached.met else "behind" if over or observed < expected else "on-course"
        return Stands(member, each, good, reached.observed, reached.required, expected, over)
    by_now = _by_now(int(reached.required), member, each, now)
    if reached.met:
        state: State = "met"
    else:
        state = "behind" if over or (by_now is not None and observed < by_now) else "on-course"
    return Stands(member, each, state, reached.observed, reached.required, by_now, over)


def _by_now(required: int, member: Member, each: Judged, now: datetime) -> int | None:
    """Return how much is expected by now: the part of the time that has passed, rounded down.

    For who joined in the period the time begins when they joined. None: the period has no end.
    """
    start, end = each.bounds
    if end is None or start is None:
        return None
    if end <= now:
        return required
    begun = max(start, member.enrolled_at)
    return 0 if now <= begun else required * (now - begun) // (end - begun)


def _written(rules: Sequence[Expected]) -> str:
    """Return rules as text; their bounds are parameters, so that all periods have the same statement."""
    window = {"from": "2000-01-01", "to": "2000-01-02"}
    return json.dumps(
        [
            rule.model_dump(mode="json", exclude_none=True, exclude={"window"})
            | {
                "window": window
                if rule.window is not None and getattr(rule.window, "to", None)
                else {"from": "2000-01-01"}
            }
            for rule in rules
        ]
    )


@lru_cache(maxsize=1000)
def _query(written: str) -> Rows:
    leaves = [rule for each in json.loads(written) for rule in tree.rules(tree.parse(each))]
    return numbers(leaves, of_members=True)
