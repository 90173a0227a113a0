"""The rules as SQL: one query for each kind, which serves one member and a whole network alike.

Evidence that is held, quarantined or void has no derived rows, nor has what was judged about it, and so it
never counts. Two members who are one person count as one, and nobody counts for themself.

Over 400 lines because the kinds are read side by side, and share their filters and windows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Float,
    Integer,
    Select,
    Subquery,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    distinct,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from service.conditions import Between, ContributionFilter, Last, SinceEnrolment
from service.rules import Approved, Attendance, Count, Holds, Rubric, Rule, Score, Sum
from service.tables import (
    Achievement,
    AchievementVersion,
    Approval,
    Award,
    Contribution,
    ContributionTag,
    Credential,
    Enrolment,
    Evaluation,
    Instant,
    Member,
    Network,
    Rating,
    Session,
)

Rows = Select[*tuple[Any, ...]]
"""A query, whatever its columns."""

_NETWORK = bindparam("network_id", type_=Uuid())
_ACHIEVEMENT = bindparam("achievement_id", type_=Uuid())
_MEMBERS = bindparam("member_ids", type_=Uuid(), expanding=True)
_NOW = bindparam("now", type_=Instant())


@dataclass(frozen=True)
class Asked:
    """How a rule is asked: about some members or the whole network; `place` sets its parameters apart."""

    place: int
    of_members: bool

    @property
    def start(self) -> BindParameter[datetime]:
        """Where the rule's window begins."""
        return bindparam(f"start_{self.place}", type_=Instant())

    @property
    def end(self) -> BindParameter[datetime]:
        """Where the rule's window ends."""
        return bindparam(f"end_{self.place}", type_=Instant())

    def own(self, table: Any, member: Any) -> ColumnElement[bool]:
        """Return the condition that rows of `table` are about the members."""
        mine = table.network_id == _NETWORK
        return and_(mine, member.in_(_MEMBERS)) if self.of_members else mine


@dataclass(frozen=True)
class Compiled:
    """A rule as SQL.

    `numbers` has the columns (member_id, observed, beside, first_at), a row for each member who has evidence
    that counts; `first_at` is when the first of it occurred. `counted` has (member_id, record_id, at), a row for
    each record that counts; None for a rule that counts awards or approvals.
    """

    numbers: Rows
    counted: Rows | None


def compile_rule(rule: Rule, asked: Asked) -> Compiled:
    """Return the queries of a rule. All values are bound parameters; those that `parameters` gives stay open."""
    return _COMPILERS[type(rule)](rule, asked)


def numbers(leaves: Sequence[Rule], of_members: bool) -> Rows:
    """Return the numbers of rules as one query: (place, member_id, observed, beside, first_at), member by member."""
    selects = (
        _placed(place, compile_rule(leaf, Asked(place, of_members)).numbers) for place, leaf in enumerate(leaves)
    )
    rows = union_all(*selects).subquery()
    return select(rows).order_by(rows.c.member_id)


def records(leaves: Sequence[Rule], limited: bool) -> Rows | None:
    """Return the records that count as one query: (place, member_id, record_id, nth, total), newest first.

    Args:
        limited: of each rule no more than the parameter `limit`; else all on which it can rest that it is met.
    """
    selects = []
    for place, leaf in enumerate(leaves):
        counted = compile_rule(leaf, Asked(place, of_members=True)).counted
        if counted is not None:
            most = bindparam("limit", type_=Integer()) if limited else leaf.gte if isinstance(leaf, Count) else None
            selects.append(_placed(place, _newest(counted, most)))
    if not selects:
        return None
    rows = union_all(*selects).subquery()
    return select(rows).order_by(rows.c.member_id, rows.c.place, rows.c.nth)


def parameters(
    leaves: Sequence[Rule],
    network: Network,
    achievement_id: UUID,
    now: datetime,
    member_ids: Sequence[UUID] | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return the values of the open parameters; dates begin in the network's time zone."""
    values = {"network_id": network.id, "achievement_id": achievement_id, "now": now, "limit": limit}
    if member_ids is not None:
        values["member_ids"] = member_ids
    for place, leaf in enumerate(leaves):
        if leaf.window is not None:
            bounds = leaf.window.bounds(now, ZoneInfo(network.time_zone))
            values |= {f"start_{place}": bounds.start, f"end_{place}": bounds.end}
    return values


def _placed(place: int, query: Rows) -> Rows:
    rows = query.subquery()
    return select(literal(place, Integer).label("place"), *rows.c)


def _newest(counted: Rows, most: Any) -> Rows:
    rows = counted.subquery()
    order = [rows.c.at.desc(), rows.c.record_id.desc()]
    nth = func.row_number().over(partition_by=rows.c.member_id, order_by=order).label("nth")
    total = func.count().over(partition_by=rows.c.member_id).label("total")
    ranked = select(rows.c.member_id, rows.c.record_id, nth, total).subquery()
    return select(ranked) if most is None else select(ranked).where(ranked.c.nth <= most)


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
    starts = isinstance(window, Last) or (isinstance(window, Between) and window.from_ is not None)
    ends = isinstance(window, Between) and window.to is not None
    return ([at >= asked.start] if starts else []) + ([at < asked.end] if ends else [])


def _within(query: Rows, window: Any, at: Any, member: Any, asked: Asked) -> Rows:
    """Return the query with only what lies in the window; who is not enrolled yet has no beginning."""
    if not isinstance(window, SinceEnrolment):
        return query.where(*_bounded(window, at, asked))
    joined = query.outerjoin(Enrolment, and_(Enrolment.member_id == member, Enrolment.achievement_id == _ACHIEVEMENT))
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
    series = [Session.network_id == _NETWORK, Session.series == rule.series]
    begun = [Session.starts_at <= _NOW] if rule.min_rate is not None else []
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
        enrolled = and_(Enrolment.member_id == Member.id, Enrolment.achievement_id == _ACHIEVEMENT)
        numbers = numbers.outerjoin(Enrolment, enrolled).group_by(Enrolment.at)
    return Compiled(numbers.where(asked.own(Member, Member.id)).group_by(Member.id), records)


def _evaluations(rule: Rubric | Score, asked: Asked, kind: str, instrument: str, *columns: Any) -> Rows:
    """Return evaluations of members by others: (member_id, record_id, at, judge, *columns)."""
    own, judge = aliased(Member), aliased(Member)
    query = (
        select(
            Evaluation.member_id,
            Evaluation.record_id,
            Evaluation.occurred_at.label("at"),
            _person(judge).label("judge"),
            *columns,
        )
        .join(own, own.id == Evaluation.member_id)
        .outerjoin(judge, judge.id == Evaluation.evaluator_id)
        .where(
            asked.own(Evaluation, Evaluation.member_id), Evaluation.kind == kind, Evaluation.instrument == instrument
        )
        .where(or_(judge.id.is_(None), _person(judge) != _person(own)))
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
            Credential.valid_until <= _NOW,
        )
        lapsed = select(Credential.id).where(Credential.award_id == Award.id, Credential.superseded_by.is_(None), over)
        query = query.where(~lapsed.exists())
    rows = _within(query, rule.window, Award.awarded_at, Award.member_id, asked).subquery()
    number = func.count(distinct(rows.c.achievement_id))
    numbers = _numbers(rows.c.member_id, number, literal(0), func.min(rows.c.awarded_at))
    return Compiled(numbers.group_by(rows.c.member_id), None)


def _approved(rule: Approved, asked: Asked) -> Compiled:
    """Count the people whose approvals count now, those of this achievement only."""
    counts = [
        Approval.outcome == "approved",
        Approval.at <= _NOW,
        or_(Approval.ended_at.is_(None), Approval.ended_at > _NOW),
    ]
    query: Rows = select(Approval.member_id, Approval.approver_who, Approval.at).where(
        asked.own(Approval, Approval.member_id),
        Approval.achievement_id == _ACHIEVEMENT,
        Approval.role == rule.by_role,
        *counts,
    )
    if rule.not_conflicted:
        back = aliased(Approval)
        in_turn = select(back.id).where(
            back.network_id == _NETWORK,
            back.outcome == "approved",
            back.at <= _NOW,
            or_(back.ended_at.is_(None), back.ended_at > _NOW),
            back.approver_who == Approval.recipient_who,
            back.recipient_who == Approval.approver_who,
        )
        query = query.where(~in_turn.exists())
    rows = _within(query, rule.window, Approval.at, Approval.member_id, asked).subquery()
    number = func.count(distinct(rows.c.approver_who))
    numbers = _numbers(rows.c.member_id, number, literal(0), func.min(rows.c.at))
    return Compiled(numbers.group_by(rows.c.member_id), None)


_COMPILERS: dict[type[Rule], Callable[[Any, Asked], Compiled]] = {
    Count: _count,
    Sum: _sum,
    Attendance: _attendance,
    Rubric: _rubric,
    Score: _score,
    Holds: _holds,
    Approved: _approved,
}
