"""The rules as SQL: one query for each kind, which serves one member and a whole network alike.

Evidence that is held, quarantined or void has no derived rows and so never counts, nor does what was
judged about it. Two members who are one person count as one, and nobody counts for themself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Float, Select, Subquery, and_, case, cast, distinct, func, literal, or_, select
from sqlalchemy.orm import aliased

from service.conditions import ContributionFilter, SinceEnrolment
from service.rules import Attendance, Count, Holds, Rubric, Rule, Score, Sum
from service.tables import (
    Achievement,
    AchievementVersion,
    Award,
    Contribution,
    ContributionTag,
    Credential,
    Enrolment,
    Evaluation,
    Member,
    Network,
    Rating,
    Session,
)

Rows = Select[*tuple[Any, ...]]
"""A query, whatever its columns."""


@dataclass(frozen=True)
class Asked:
    """About whom, for which achievement and as of when a rule is asked; no members: the whole network."""

    network: Network
    achievement_id: UUID
    member_ids: Sequence[UUID] | None
    now: datetime

    def own(self, table: Any, member: Any) -> ColumnElement[bool]:
        """Return the condition that rows of `table` are about the members."""
        mine = table.network_id == self.network.id
        return mine if self.member_ids is None else and_(mine, member.in_(self.member_ids))


@dataclass(frozen=True)
class Compiled:
    """A rule as SQL.

    `numbers` has the columns (member_id, observed, beside, first_at), a row for each member who has evidence
    that counts; `first_at` is when the first of it occurred. `counted` has (member_id, record_id, at), a row for
    each record that counts; None for a rule that counts awards.
    """

    numbers: Rows
    counted: Rows | None


def compile_rule(rule: Rule, asked: Asked) -> Compiled:
    """Return the queries of a rule. All values are bound parameters."""
    return _COMPILERS[type(rule)](rule, asked)


def _numbers(member: Any, observed: Any, beside: Any, first: Any) -> Rows:
    return select(
        member.label("member_id"),
        cast(observed, Float).label("observed"),
        cast(beside, Float).label("beside"),
        first.label("first_at"),
    )


def _person(member: Any) -> ColumnElement[UUID]:
    """Return who the member is: the person, or the member alone where nobody has said who that is."""
    return func.coalesce(member.person_id, member.id)


def _bounded(window: Any, at: Any, asked: Asked) -> list[ColumnElement[bool]]:
    if window is None:
        return []
    start, end = window.bounds(asked.now, ZoneInfo(asked.network.time_zone))
    return ([at >= start] if start is not None else []) + ([at < end] if end is not None else [])


def _within(query: Rows, window: Any, at: Any, member: Any, asked: Asked) -> Rows:
    """Return the query with only what lies in the window; who is not enrolled yet has no beginning."""
    if not isinstance(window, SinceEnrolment):
        return query.where(*_bounded(window, at, asked))
    joined = query.outerjoin(
        Enrolment, and_(Enrolment.member_id == member, Enrolment.achievement_id == asked.achievement_id)
    )
    return joined.where(or_(Enrolment.at.is_(None), at >= Enrolment.at))


def _matching(query: Rows, where: ContributionFilter) -> Rows:
    """Return the query with only the contributions that fit the filter."""
    if where.types is not None:
        query = query.where(Contribution.type.in_(where.types))
    if where.min_tier:
        query = query.where(Contribution.tier >= where.min_tier)
    if where.tags_any is not None:
        tagged = select(ContributionTag.tag).where(
            ContributionTag.record_id == Contribution.record_id, ContributionTag.tag.in_(where.tags_any)
        )
        query = query.where(tagged.exists())
    if where.series is not None or where.sessions is not None:
        query = query.join(Session, Session.id == Contribution.session_id)
        if where.series is not None:
            query = query.where(Session.series == where.series)
        if where.sessions is not None:
            query = query.where(Session.ref.in_(where.sessions))
    return query


def _first_of(rows: Subquery, by: Sequence[Any], order: Sequence[Any]) -> Subquery:
    """Return for each value of `by` the row that comes first in the order."""
    place = func.row_number().over(partition_by=by, order_by=order).label("place")
    ranked = select(*rows.c, place).subquery()
    return select(*(column for column in ranked.c if column.key != "place")).where(ranked.c.place == 1).subquery()


def _contributions(rule: Count | Sum, asked: Asked, key: Any) -> Rows:
    """Return the contributions that a rule looks at: (member_id, key, amount, record_id, at)."""
    query = select(
        Contribution.member_id.label("member_id"),
        key.label("key"),
        Contribution.minutes.label("amount"),
        Contribution.record_id.label("record_id"),
        Contribution.occurred_at.label("at"),
    ).where(asked.own(Contribution, Contribution.member_id), key.is_not(None))
    query = _within(query, rule.window, Contribution.occurred_at, Contribution.member_id, asked)
    return _matching(query, rule.where)


_KEYS: dict[str, Any] = {
    "item": Contribution.record_id,
    "session": Contribution.session_id,
    "day": Contribution.local_date,
    "week": Contribution.local_week,
    "resource": Contribution.resource,
}


def _count(rule: Count, asked: Asked) -> Compiled:
    if rule.distinct == "peer":
        peer, own = aliased(Member), aliased(Member)
        query = _contributions(rule, asked, _person(peer))
        query = query.join(peer, peer.id == Contribution.peer_id).join(own, own.id == Contribution.member_id)
        rows = query.where(_person(peer) != _person(own)).subquery()
    else:
        rows = _contributions(rule, asked, _KEYS[rule.distinct]).subquery()
    number = func.count() if rule.distinct == "item" else func.count(distinct(rows.c.key))
    numbers = _numbers(rows.c.member_id, number, literal(0), func.min(rows.c.at)).group_by(rows.c.member_id)
    if rule.distinct != "item":
        rows = _first_of(rows, [rows.c.member_id, rows.c.key], [rows.c.at.desc(), rows.c.record_id.desc()])
    return Compiled(numbers, select(rows.c.member_id, rows.c.record_id, rows.c.at))


def _sum(rule: Sum, asked: Asked) -> Compiled:
    unit, cap = rule.cap or ("item", None)
    rows = _contributions(rule, asked, _KEYS[unit]).where(Contribution.minutes > 0).subquery()
    amount: Any = func.sum(rows.c.amount)
    # One bucket for each unit that is capped; without a cap one for all.
    buckets = (
        select(
            rows.c.member_id,
            (amount if cap is None else case((amount > cap, cap), else_=amount)).label("amount"),
            func.min(rows.c.at).label("at"),
        )
        .group_by(rows.c.member_id, *([rows.c.key] if cap is not None else []))
        .subquery()
    )
    numbers = _numbers(buckets.c.member_id, func.sum(buckets.c.amount), literal(0), func.min(buckets.c.at))
    return Compiled(numbers.group_by(buckets.c.member_id), select(rows.c.member_id, rows.c.record_id, rows.c.at))


def _attendance(rule: Attendance, asked: Asked) -> Compiled:
    """Count the sessions with an attended contribution (of enough minutes in all), beside those that have begun.

    With a rate only sessions that have begun count, on both sides of it.
    """
    series = [Session.network_id == asked.network.id, Session.series == rule.series]
    begun = [Session.starts_at <= asked.now] if rule.min_rate is not None else []
    attended: Rows = (
        select(Contribution.member_id, Contribution.session_id, Session.starts_at.label("at"))
        .join(Session, Session.id == Contribution.session_id)
        .where(asked.own(Contribution, Contribution.member_id), Contribution.type == "attended", *series, *begun)
        .group_by(Contribution.member_id, Contribution.session_id, Session.starts_at)
    )
    attended = _within(attended, rule.window, Session.starts_at, Contribution.member_id, asked)
    if rule.min_minutes is not None:
        attended = attended.having(func.sum(Contribution.minutes) >= rule.min_minutes)
    met = attended.subquery()
    records: Rows = (
        select(Contribution.member_id, Contribution.record_id, Contribution.occurred_at.label("at"))
        .join(met, and_(met.c.member_id == Contribution.member_id, met.c.session_id == Contribution.session_id))
        .where(asked.own(Contribution, Contribution.member_id), Contribution.type == "attended")
    )
    number, first = func.count(met.c.session_id), func.min(met.c.at)
    if rule.min_rate is None:
        return Compiled(_numbers(met.c.member_id, number, literal(0), first).group_by(met.c.member_id), records)
    held = select(func.count(Session.id)).where(*series, *begun)
    since = isinstance(rule.window, SinceEnrolment)
    if since:
        held = held.where(or_(Enrolment.at.is_(None), Session.starts_at >= Enrolment.at)).correlate(Enrolment)
    else:
        held = held.where(*_bounded(rule.window, Session.starts_at, asked))
    numbers = _numbers(Member.id, number, held.scalar_subquery(), first).outerjoin(met, met.c.member_id == Member.id)
    if since:
        enrolled = and_(Enrolment.member_id == Member.id, Enrolment.achievement_id == asked.achievement_id)
        numbers = numbers.outerjoin(Enrolment, enrolled).group_by(Enrolment.at)
    return Compiled(numbers.where(asked.own(Member, Member.id)).group_by(Member.id), records)


def _evaluations(rule: Rubric | Score, asked: Asked, kind: str, instrument: str, *columns: Any) -> Rows:
    """Return evaluations of members by others, about work that stands: (member_id, record_id, at, *columns)."""
    own, judge, work = aliased(Member), aliased(Member), aliased(Contribution)
    query = (
        select(Evaluation.member_id, Evaluation.record_id, Evaluation.occurred_at.label("at"), *columns)
        .join(own, own.id == Evaluation.member_id)
        .outerjoin(judge, judge.id == Evaluation.evaluator_id)
        .outerjoin(work, and_(Evaluation.about_kind == "contribution", work.record_id == Evaluation.about_id))
        .where(
            asked.own(Evaluation, Evaluation.member_id), Evaluation.kind == kind, Evaluation.instrument == instrument
        )
        .where(or_(judge.id.is_(None), _person(judge) != _person(own)))
        .where(or_(Evaluation.about_kind != "contribution", work.record_id.is_not(None)))
        .add_columns(_person(judge).label("judge"))
    )
    if rule.where.min_tier:
        # What two or more found is tier 4; each of their records is stored as 3.
        query = query.where(Evaluation.tier >= min(rule.where.min_tier, 3))
    return _within(query, rule.window, Evaluation.occurred_at, Evaluation.member_id, asked)


def _rubric(rule: Rubric, asked: Asked) -> Compiled:
    """Take the piece of work on which most criteria were found good enough by enough people.

    Beside the number of those criteria stands, for the progress, that of findings by single people.
    """
    given = _evaluations(rule, asked, "rubric", rule.rubric, Evaluation.about_id, Rating.criterion)
    given = given.join(Rating, Rating.record_id == Evaluation.record_id).where(
        Rating.criterion.in_(rule.criteria), Rating.level >= rule.min_level, Evaluation.evaluator_id.is_not(None)
    )
    if rule.part is not None:
        given = given.where(Evaluation.part == rule.part)
    rows = given.subquery()
    people = func.count(distinct(rows.c.judge))
    found = (
        select(
            rows.c.member_id,
            rows.c.about_id,
            case((people >= rule.people, 1), else_=0).label("met"),
            case((people > rule.people, rule.people), else_=people).label("findings"),
            func.min(rows.c.at).label("first_at"),
            func.max(rows.c.at).label("last_at"),
        )
        .group_by(rows.c.member_id, rows.c.about_id, rows.c.criterion)
        .subquery()
    )
    attempts = (
        select(
            found.c.member_id,
            found.c.about_id,
            func.sum(found.c.met).label("met"),
            func.sum(found.c.findings).label("findings"),
            func.min(found.c.first_at).label("first_at"),
            func.max(found.c.last_at).label("last_at"),
        )
        .group_by(found.c.member_id, found.c.about_id)
        .subquery()
    )
    most, findings = func.max(attempts.c.met), func.max(attempts.c.findings)
    numbers = _numbers(attempts.c.member_id, most, findings, func.min(attempts.c.first_at))
    order = [attempts.c[name].desc() for name in ("met", "findings", "last_at", "about_id")]
    best = _first_of(attempts, [attempts.c.member_id], order)
    on_best = and_(best.c.member_id == rows.c.member_id, best.c.about_id == rows.c.about_id)
    records: Rows = select(rows.c.member_id, rows.c.record_id, rows.c.at).join(best, on_best).distinct()
    return Compiled(numbers.group_by(attempts.c.member_id), records)


def _score(rule: Score, asked: Asked) -> Compiled:
    given = _evaluations(rule, asked, "score", rule.assessment, Evaluation.scaled)
    rows = given.where(Evaluation.scaled.is_not(None)).subquery()
    first = select(*rows.c, func.min(rows.c.at).over(partition_by=rows.c.member_id).label("first_at")).subquery()
    late, early = [first.c.at.desc(), first.c.record_id.desc()], [first.c.at, first.c.record_id]
    orders: dict[str, list[Any]] = {"best": [first.c.scaled.desc(), *late], "last": late, "first": early}
    chosen = _first_of(first, [first.c.member_id], orders[rule.stat])
    numbers = _numbers(chosen.c.member_id, chosen.c.scaled, literal(0), chosen.c.first_at)
    return Compiled(numbers, select(chosen.c.member_id, chosen.c.record_id, chosen.c.at))


def _holds(rule: Holds, asked: Asked) -> Compiled:
    states = ["awarded"] if rule.valid_on_award else ["awarded", "suspended", "expired"]
    query: Rows = (
        select(Award.member_id, Award.achievement_id, Award.awarded_at)
        .join(Achievement, Achievement.id == Award.achievement_id)
        .where(asked.own(Award, Award.member_id), Award.state.in_(states), Achievement.ref.in_(rule.achievements))
    )
    if rule.min_version is not None:
        query = query.join(AchievementVersion, AchievementVersion.id == Award.achievement_version_id)
        query = query.where(AchievementVersion.version >= rule.min_version)
    if rule.valid_on_award:
        over = or_(
            Credential.revoked_at.is_not(None),
            Credential.suspended_at.is_not(None),
            Credential.valid_until <= asked.now,
        )
        lapsed = select(Credential.id).where(Credential.award_id == Award.id, Credential.superseded_by.is_(None), over)
        query = query.where(~lapsed.exists())
    rows = _within(query, rule.window, Award.awarded_at, Award.member_id, asked).subquery()
    number = func.count(distinct(rows.c.achievement_id))
    numbers = _numbers(rows.c.member_id, number, literal(0), func.min(rows.c.awarded_at))
    return Compiled(numbers.group_by(rows.c.member_id), None)


_COMPILERS: dict[type[Rule], Callable[[Any, Asked], Compiled]] = {
    Count: _count,
    Sum: _sum,
    Attendance: _attendance,
    Rubric: _rubric,
    Score: _score,
    Holds: _holds,
}
