"""The rules as SQL: one query for each kind, which serves one member and a whole network alike.

Evidence that is held, quarantined or void has no derived rows, nor has what was judged about it, and so it
never counts. Two members who are one person count as one, and nobody counts for themself.

Over 400 lines because the kinds are read side by side, and share their filters and windows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import add
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Float,
    FromClause,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    distinct,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from service.criteria.filters import Between, ContributionFilter, Last, SinceEnrolment
from service.criteria.kinds.rule import (
    Approved,
    Attendance,
    Count,
    Endorsed,
    Gain,
    Holds,
    Rubric,
    Rule,
    Score,
    Sum,
    Tenure,
)
from service.criteria.tree import Criterion, Group, rules
from service.storage import past
from service.storage.past import Sources
from service.tables import Achievement, AchievementVersion, Approval, Network, Session
from service.tables.columns import Instant

Rows = Select[*tuple[Any, ...]]
"""A query, whatever its columns."""

HELD = ("awarded", "suspended", "expired")
"""States of an award that was earned and not taken back."""
_NETWORK = bindparam("network_id", type_=Uuid())
_ACHIEVEMENT = bindparam("achievement_id", type_=Uuid())
_MEMBERS = bindparam("member_ids", type_=Uuid(), expanding=True)
_NOW = past.NOW
_TODAY = bindparam("today", type_=Integer())


class DayNumber(FunctionElement[int]):
    """A date as a number of days: 1 for 1 January of the year 1, as `date.toordinal` has it."""

    type = Integer()
    inherit_cache = True


@compiles(DayNumber, "postgresql")
def _day_number_postgresql(element: DayNumber, compiler: SQLCompiler, **options: Any) -> str:
    return f"(({compiler.process(element.clauses, **options)}) - DATE '0001-01-01' + 1)"


@compiles(DayNumber, "sqlite")
def _day_number_sqlite(element: DayNumber, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(julianday({compiler.process(element.clauses, **options)}) - 1721424.5 AS INTEGER)"


@dataclass(frozen=True)
class Asked:
    """How a rule is asked: about some members or the whole network; `place` sets its parameters apart."""

    place: int
    of_members: bool
    rows: Sources = field(default_factory=lambda: Sources(replayed=False))

    @property
    def start(self) -> BindParameter[datetime]:
        """Where the rule's window begins."""
        return bindparam(f"start_{self.place}", type_=Instant())

    @property
    def end(self) -> BindParameter[datetime]:
        """Where the rule's window ends."""
        return bindparam(f"end_{self.place}", type_=Instant())

    @property
    def start_day(self) -> BindParameter[int]:
        """The day on which the rule's window begins, as a number."""
        return bindparam(f"start_day_{self.place}", type_=Integer())

    @property
    def end_day(self) -> BindParameter[int]:
        """The day on which the rule's window ends, as a number."""
        return bindparam(f"end_day_{self.place}", type_=Integer())

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


def numbers(leaves: Sequence[Rule], of_members: bool, replayed: bool = False) -> Rows:
    """Return the numbers of rules as one query: (place, member_id, observed, beside, first_at), member by member.

    Args:
        replayed: as they were known at the parameters `now` and `position`.
    """
    sources = Sources(replayed=replayed)
    selects = (
        _placed(place, compile_rule(leaf, Asked(place, of_members, sources)).numbers)
        for place, leaf in enumerate(leaves)
    )
    rows = union_all(*selects).subquery()
    return select(rows).order_by(rows.c.member_id)


def who_meets(tree: Criterion) -> Select[UUID]:
    """Return the query of the members of a whole network who meet a definition: rules and groups as one statement.

    It says what `Rule.reached` and the groups say, member by member, without the numbers.
    """
    leaves = rules(tree)
    selects = (
        _placed(place, compile_rule(leaf, Asked(place, of_members=False)).numbers) for place, leaf in enumerate(leaves)
    )
    found = union_all(*selects).subquery()
    of_rules = iter(
        func.max(case((and_(found.c.place == place, _is_met(leaf, found.c.observed, found.c.beside)), 1), else_=0))
        for place, leaf in enumerate(leaves)
    )
    return select(found.c.member_id).group_by(found.c.member_id).having(_is_met_by(tree, of_rules))


def _is_met_by(criterion: Criterion, of_rules: Iterator[ColumnElement[int]]) -> ColumnElement[bool]:
    """Return the condition that a criterion is met; `of_rules` are 1 or 0, from left to right."""
    if isinstance(criterion, Group):
        met = [case((_is_met_by(child, of_rules), 1), else_=0) for child in criterion.children]
        return reduce(add, met) >= criterion.needed
    return next(of_rules) == 1


def _is_met(rule: Rule, observed: Any, beside: Any) -> ColumnElement[bool]:
    """Return the condition that numbers meet a rule."""
    if isinstance(rule, Attendance) and rule.min_rate is not None:
        # As a quotient of the same two numbers that the rule itself divides.
        rate = or_(beside == 0, observed / func.nullif(beside, 0) >= rule.min_rate)
        return and_(observed >= max(rule.min_sessions or 0, 1), rate)
    required, _ = rule.measure(0, 0)
    if isinstance(rule, Gain):
        met: ColumnElement[bool] = observed > required - rule.ROUNDED
    else:
        met = observed >= required
    also = rule.also(0)
    if also is None:
        return met
    return (or_ if also.joined == "or" else and_)(met, beside >= also.required)


def records(leaves: Sequence[Rule], limited: bool, replayed: bool = False) -> Rows | None:
    """Return the records that count as one query: (place, member_id, record_id, nth, total), newest first.

    Args:
        limited: of each rule no more than the parameter `limit`; else all on which it can rest that it is met.
    """
    sources = Sources(replayed=replayed)
    selects = []
    for place, leaf in enumerate(leaves):
        counted = compile_rule(leaf, Asked(place, of_members=True, rows=sources)).counted
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
    position: int | None = None,
) -> dict[str, Any]:
    """Return the values of the open parameters; dates begin in the network's time zone."""
    zone = ZoneInfo(network.time_zone)
    values = {"network_id": network.id, "achievement_id": achievement_id, "now": now, "limit": limit}
    if position is not None:
        values["position"] = position
    values["today"] = now.astimezone(zone).toordinal()
    if member_ids is not None:
        values["member_ids"] = member_ids
    for place, leaf in enumerate(leaves):
        if leaf.window is not None:
            bounds = leaf.window.bounds(now, zone)
            values |= {f"start_{place}": bounds.start, f"end_{place}": bounds.end}
            for name, bound in zip(("start", "end"), bounds, strict=True):
                values[f"{name}_day_{place}"] = bound.astimezone(zone).toordinal() if bound is not None else None
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
    joined = query.outerjoin(
        asked.rows.enrolment,
        and_(asked.rows.enrolment.member_id == member, asked.rows.enrolment.achievement_id == _ACHIEVEMENT),
    )
    return joined.where(or_(asked.rows.enrolment.at.is_(None), at >= asked.rows.enrolment.at))


def _matching(query: Rows, where: ContributionFilter, asked: Asked) -> Rows:
    """Return the query with only the contributions that fit the filter."""
    if where.types is not None:
        query = query.where(asked.rows.contribution.type.in_(where.types))
    if where.min_tier:
        query = query.where(asked.rows.contribution.tier >= where.min_tier)
    if where.tags_any is not None:
        tagged = select(asked.rows.tag.tag).where(
            asked.rows.tag.record_id == asked.rows.contribution.record_id,
            asked.rows.tag.tag.in_(where.tags_any),
        )
        query = query.where(tagged.exists())
    if where.role is not None:
        query = query.where(
            _had_role(where.role, asked.rows.contribution.member_id, asked.rows.contribution.occurred_at, asked)
        )
    if where.series is not None or where.sessions is not None:
        query = query.join(Session, Session.id == asked.rows.contribution.session_id)
        if where.series is not None:
            query = query.where(Session.series == where.series)
        if where.sessions is not None:
            query = query.where(Session.ref.in_(where.sessions))
    return query


def _had_role(role: str, member: Any, at: Any, asked: Asked) -> ColumnElement[bool]:
    """Return the condition that a member had a role at a moment."""
    ended = or_(asked.rows.role.until_at.is_(None), asked.rows.role.until_at > at)
    return (
        select(asked.rows.role.id)
        .where(
            asked.rows.role.member_id == member,
            asked.rows.role.role == role,
            asked.rows.role.from_at <= at,
            ended,
        )
        .exists()
    )


def _first_of(rows: FromClause, by: Sequence[Any], order: Sequence[Any]) -> CTE:
    """Return for each value of `by` the row that comes first in the order."""
    place = func.row_number().over(partition_by=by, order_by=order).label("place")
    ranked = select(*rows.c, place).subquery()
    # Not nested as a subquery: the parser of SQLite goes no deeper than a hundred steps.
    return select(*(column for column in ranked.c if column.key != "place")).where(ranked.c.place == 1).cte()


def _contributions(rule: Count | Sum, asked: Asked, key: Any) -> Rows:
    """Return the contributions that a rule looks at: (member_id, key, amount, record_id, at)."""
    query = select(
        asked.rows.contribution.member_id.label("member_id"),
        key.label("key"),
        asked.rows.contribution.minutes.label("amount"),
        asked.rows.contribution.record_id.label("record_id"),
        asked.rows.contribution.occurred_at.label("at"),
    ).where(asked.own(asked.rows.contribution, asked.rows.contribution.member_id), key.is_not(None))
    query = _within(query, rule.window, asked.rows.contribution.occurred_at, asked.rows.contribution.member_id, asked)
    return _matching(query, rule.where, asked)


_KEYS = {
    "item": "record_id",
    "session": "session_id",
    "day": "local_date",
    "week": "local_week",
    "resource": "resource",
}
"""The columns of contributions that hold what can be counted or capped."""


def _key(name: str, asked: Asked) -> Any:
    return getattr(asked.rows.contribution, _KEYS[name])


def _count(rule: Count, asked: Asked) -> Compiled:
    if rule.distinct == "peer":
        peer, own = asked.rows.another_member(), asked.rows.another_member()
        query = _contributions(rule, asked, _person(peer))
        query = query.join(peer, peer.id == asked.rows.contribution.peer_id).join(
            own, own.id == asked.rows.contribution.member_id
        )
        rows = query.where(_person(peer) != _person(own)).subquery()
    else:
        rows = _contributions(rule, asked, _key(rule.distinct, asked)).subquery()
    number = func.count() if rule.distinct == "item" else func.count(distinct(rows.c.key))
    numbers = _numbers(rows.c.member_id, number, literal(0), func.min(rows.c.at)).group_by(rows.c.member_id)
    counted: FromClause = rows
    if rule.distinct != "item":
        counted = _first_of(rows, [rows.c.member_id, rows.c.key], [rows.c.at.desc(), rows.c.record_id.desc()])
    return Compiled(numbers, select(counted.c.member_id, counted.c.record_id, counted.c.at))


def _sum(rule: Sum, asked: Asked) -> Compiled:
    unit, cap = rule.cap or ("item", None)
    rows = _contributions(rule, asked, _key(unit, asked)).where(asked.rows.contribution.minutes > 0).subquery()
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
        select(asked.rows.contribution.member_id, asked.rows.contribution.session_id, Session.starts_at.label("at"))
        .join(Session, Session.id == asked.rows.contribution.session_id)
        .where(
            asked.own(asked.rows.contribution, asked.rows.contribution.member_id),
            asked.rows.contribution.type == "attended",
            *series,
            *begun,
        )
        .group_by(asked.rows.contribution.member_id, asked.rows.contribution.session_id, Session.starts_at)
    )
    attended = _within(attended, rule.window, Session.starts_at, asked.rows.contribution.member_id, asked)
    if rule.min_minutes is not None:
        attended = attended.having(func.sum(asked.rows.contribution.minutes) >= rule.min_minutes)
    met = attended.subquery()
    records: Rows = (
        select(
            asked.rows.contribution.member_id,
            asked.rows.contribution.record_id,
            asked.rows.contribution.occurred_at.label("at"),
        )
        .join(
            met,
            and_(
                met.c.member_id == asked.rows.contribution.member_id,
                met.c.session_id == asked.rows.contribution.session_id,
            ),
        )
        .where(
            asked.own(asked.rows.contribution, asked.rows.contribution.member_id),
            asked.rows.contribution.type == "attended",
        )
    )
    number, first = func.count(met.c.session_id), func.min(met.c.at)
    if rule.min_rate is None:
        return Compiled(_numbers(met.c.member_id, number, literal(0), first).group_by(met.c.member_id), records)
    held = select(func.count(Session.id)).where(*series, *begun)
    since = isinstance(rule.window, SinceEnrolment)
    if since:
        held = held.where(
            or_(asked.rows.enrolment.at.is_(None), Session.starts_at >= asked.rows.enrolment.at)
        ).correlate(asked.rows.enrolment)
    else:
        held = held.where(*_bounded(rule.window, Session.starts_at, asked))
    numbers = _numbers(asked.rows.member.id, number, held.scalar_subquery(), first).outerjoin(
        met, met.c.member_id == asked.rows.member.id
    )
    if since:
        enrolled = and_(
            asked.rows.enrolment.member_id == asked.rows.member.id,
            asked.rows.enrolment.achievement_id == _ACHIEVEMENT,
        )
        numbers = numbers.outerjoin(asked.rows.enrolment, enrolled).group_by(asked.rows.enrolment.at)
    return Compiled(
        numbers.where(asked.own(asked.rows.member, asked.rows.member.id)).group_by(asked.rows.member.id),
        records,
    )


def _evaluations(
    rule: Rubric | Score | Gain | Endorsed, asked: Asked, kinds: Sequence[str], instrument: str, *columns: Any
) -> Rows:
    """Return evaluations of members by others: (member_id, record_id, at, judge, *columns)."""
    own, judge = asked.rows.another_member(), asked.rows.another_member()
    query = (
        select(
            asked.rows.evaluation.member_id,
            asked.rows.evaluation.record_id,
            asked.rows.evaluation.occurred_at.label("at"),
            _person(judge).label("judge"),
            *columns,
        )
        .join(own, own.id == asked.rows.evaluation.member_id)
        .outerjoin(judge, judge.id == asked.rows.evaluation.evaluator_id)
        .where(
            asked.own(asked.rows.evaluation, asked.rows.evaluation.member_id),
            asked.rows.evaluation.kind == kinds[0] if len(kinds) == 1 else asked.rows.evaluation.kind.in_(kinds),
            asked.rows.evaluation.instrument == instrument,
        )
        .where(or_(judge.id.is_(None), _person(judge) != _person(own)))
    )
    if rule.where.min_tier:
        # What two or more found is tier 4; each of their records is stored as 3.
        query = query.where(asked.rows.evaluation.tier >= min(rule.where.min_tier, 3))
    return _within(query, rule.window, asked.rows.evaluation.occurred_at, asked.rows.evaluation.member_id, asked)


def _rubric(rule: Rubric, asked: Asked) -> Compiled:
    """Take the piece of work on which most criteria were found good enough by enough people.

    Beside the number of those criteria stands, for the progress, that of findings by single people.
    """
    given = _evaluations(
        rule, asked, ["rubric"], rule.rubric, asked.rows.evaluation.about_id, asked.rows.rating.criterion
    )
    given = given.join(asked.rows.rating, asked.rows.rating.record_id == asked.rows.evaluation.record_id).where(
        asked.rows.rating.criterion.in_(rule.criteria),
        asked.rows.rating.level >= rule.min_level,
        asked.rows.evaluation.evaluator_id.is_not(None),
    )
    if rule.part is not None:
        given = given.where(asked.rows.evaluation.part == rule.part)
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
    given = _evaluations(rule, asked, ["score"], rule.assessment, asked.rows.evaluation.scaled)
    rows = given.where(asked.rows.evaluation.scaled.is_not(None)).subquery()
    first = select(*rows.c, func.min(rows.c.at).over(partition_by=rows.c.member_id).label("first_at")).subquery()
    late, early = [first.c.at.desc(), first.c.record_id.desc()], [first.c.at, first.c.record_id]
    orders: dict[str, list[Any]] = {"best": [first.c.scaled.desc(), *late], "last": late, "first": early}
    chosen = _first_of(first, [first.c.member_id], orders[rule.stat])
    numbers = _numbers(chosen.c.member_id, chosen.c.scaled, literal(0), chosen.c.first_at)
    return Compiled(numbers, select(chosen.c.member_id, chosen.c.record_id, chosen.c.at))


def _gain(rule: Gain, asked: Asked) -> Compiled:
    """Hold the scores after against the first score before, and take the best; beside it the best score after.

    1. A gain is not defined for who had everything before, nor is the change of who has nothing before and after.
    2. Who has no gain yet stands with nothing gained.
    """
    columns = (
        asked.rows.evaluation.occasion,
        asked.rows.evaluation.form,
        asked.rows.evaluation.scaled,
        DayNumber(asked.rows.evaluation.local_date).label("day"),
    )
    given = _evaluations(rule, asked, ["score", "survey"], rule.instrument, *columns)
    rows = given.where(
        asked.rows.evaluation.scaled.is_not(None), asked.rows.evaluation.occasion.in_(("pre", "post"))
    ).cte()
    all_before = select(rows).where(rows.c.occasion == "pre").cte()
    before = _first_of(all_before, [all_before.c.member_id], [all_before.c.at, all_before.c.record_id])
    after = select(rows).where(rows.c.occasion == "post").cte()
    pre, post = before.c.scaled, after.c.scaled
    left = case((pre < 1, 1 - pre), else_=None)
    gains: dict[str, Any] = {
        "raw": post - pre,
        "normalized": (post - pre) / left,  # (1)
        "change": case(
            (post > pre, (post - pre) / left), (post < pre, (post - pre) / pre), (pre.in_((0, 1)), None), else_=0
        ),
    }
    pairs: Rows = select(
        after.c.member_id,
        cast(gains[rule.metric], Float).label("gain"),
        after.c.at,
        after.c.record_id,
        before.c.record_id.label("before_id"),
        before.c.at.label("before_at"),
    ).join(before, before.c.member_id == after.c.member_id)
    pairs = pairs.where(after.c.at > before.c.at)
    if rule.min_days is not None:
        pairs = pairs.where(after.c.day - before.c.day >= rule.min_days)
    if rule.same_form is not None:
        forms = after.c.form == before.c.form if rule.same_form else after.c.form != before.c.form
        pairs = pairs.where(forms)
    paired = pairs.cte()
    defined = select(paired).where(paired.c.gain.is_not(None)).cte()
    best = _first_of(
        defined, [defined.c.member_id], [defined.c.gain.desc(), defined.c.at.desc(), defined.c.record_id.desc()]
    )
    top = _first_of(after, [after.c.member_id], [post.desc(), after.c.at.desc(), after.c.record_id.desc()])
    first = select(rows.c.member_id, func.min(rows.c.at).label("at")).group_by(rows.c.member_id).cte()
    numbers = (
        _numbers(first.c.member_id, func.coalesce(best.c.gain, 0), func.coalesce(top.c.scaled, 0), first.c.at)  # (2)
        .outerjoin(best, best.c.member_id == first.c.member_id)
        .outerjoin(top, top.c.member_id == first.c.member_id)
    )
    found = [
        select(best.c.member_id, best.c.record_id, best.c.at),
        select(best.c.member_id, best.c.before_id.label("record_id"), best.c.before_at.label("at")),
    ]
    if rule.or_post_gte is not None:
        found.append(select(top.c.member_id, top.c.record_id, top.c.at))
    records = union(*found).cte()
    return Compiled(numbers, select(records))


def _endorsed(rule: Endorsed, asked: Asked) -> Compiled:
    """Count the people who endorsed a skill; beside them the organizations that they are from.

    Of those whom the member has endorsed too only some count: the ones who endorsed last.
    """
    judge = asked.rows.another_member()
    given = _evaluations(rule, asked, ["endorsement"], rule.skill, judge.organization)
    given = given.join(judge, judge.id == asked.rows.evaluation.evaluator_id)
    if rule.from_role is not None:
        given = given.where(
            _had_role(rule.from_role, asked.rows.evaluation.evaluator_id, asked.rows.evaluation.occurred_at, asked)
        )
    if rule.from_achievement is not None:
        held = (
            select(asked.rows.award.id)
            .join(Achievement, Achievement.id == asked.rows.award.achievement_id)
            .where(
                asked.rows.award.member_id == asked.rows.evaluation.evaluator_id,
                asked.rows.award.awarded_at <= asked.rows.evaluation.occurred_at,
            )
            .where(
                asked.rows.award.state.in_(HELD),
                Achievement.ref == rule.from_achievement,
                asked.rows.award.network_id == _NETWORK,
            )
        )
        given = given.where(held.exists())
    rows = given.cte()
    newest = _first_of(rows, [rows.c.member_id, rows.c.judge], [rows.c.at.desc(), rows.c.record_id.desc()])
    if rule.max_reciprocal is not None:
        own, given_back = asked.rows.another_member(), _endorsed_by_themselves(asked)
        back = and_(given_back.c.giver == _person(own), given_back.c.receiver == newest.c.judge)
        people = (
            select(*newest.c, case((given_back.c.giver.is_(None), 0), else_=1).label("returned"))
            .join(own, own.id == newest.c.member_id)
            .outerjoin(given_back, back)
            .cte()
        )
        order = [people.c.at.desc(), people.c.record_id.desc()]
        place = func.row_number().over(partition_by=[people.c.member_id, people.c.returned], order_by=order)
        ranked = select(*people.c, place.label("place")).cte()
        counts = or_(ranked.c.returned == 0, ranked.c.place <= rule.max_reciprocal)
        counted = select(ranked.c.member_id, ranked.c.judge, ranked.c.record_id, ranked.c.at).where(counts).cte()
    else:
        counted = newest
    on_counted = and_(rows.c.member_id == counted.c.member_id, rows.c.judge == counted.c.judge)
    people_of = func.count(distinct(rows.c.judge))
    numbers = _numbers(rows.c.member_id, people_of, func.count(distinct(rows.c.organization)), func.min(rows.c.at))
    numbers = numbers.select_from(rows).join(counted, on_counted).group_by(rows.c.member_id)
    return Compiled(numbers, select(counted.c.member_id, counted.c.record_id, counted.c.at))


def _endorsed_by_themselves(asked: Asked) -> CTE:
    """Return whom the members, as whoever they are, have endorsed for anything: (giver, receiver), both persons."""
    mine, theirs = asked.rows.another_member(), asked.rows.another_member()
    given = asked.rows.another_evaluation()
    query = (
        select(_person(mine).label("giver"), _person(theirs).label("receiver"))
        .join_from(given, mine, mine.id == given.evaluator_id)
        .join(theirs, theirs.id == given.member_id)
        .where(given.network_id == _NETWORK, given.kind == literal_column("'endorsement'"))
    )
    if asked.of_members:
        # The members, and who is one person with them: two ways, each through its index.
        own, same = asked.rows.another_member(), asked.rows.another_member()
        persons = select(own.person_id).where(own.id.in_(_MEMBERS), own.person_id.is_not(None))
        others = select(same.id).where(same.person_id.in_(persons), same.network_id == _NETWORK)
        query = query.where(or_(given.evaluator_id.in_(_MEMBERS), given.evaluator_id.in_(others)))
    return query.distinct().cte()


def _tenure(rule: Tenure, asked: Asked) -> Compiled:
    """Add up the days on which the member had the role, each once; beside them the sessions led in it.

    1. A period reaches to today at most, and only the part of it that is in the window counts.
    2. Of a period that overlaps those before it, only the days after their last count.
    3. Who has no day yet, but the role, stands with none.
    """
    held: Rows = (
        select(
            asked.rows.role.member_id,
            asked.rows.role.from_at,
            DayNumber(asked.rows.role.from_date).label("start"),
        )
        .add_columns(func.coalesce(DayNumber(asked.rows.role.until_date), _TODAY).label("end"))
        .join(asked.rows.member, asked.rows.member.id == asked.rows.role.member_id)
        .where(
            asked.own(asked.rows.member, asked.rows.role.member_id),
            asked.rows.role.role == rule.role,
            asked.rows.role.from_at <= _NOW,
        )
    )
    periods = held.cte()
    starts = isinstance(rule.window, Last) or (isinstance(rule.window, Between) and rule.window.from_ is not None)
    ends = isinstance(rule.window, Between) and rule.window.to is not None
    start = _later(periods.c.start, asked.start_day) if starts else periods.c.start  # (1)
    end = _earlier(periods.c.end, _TODAY)
    end = _earlier(end, asked.end_day) if ends else end
    spans = select(periods.c.member_id, periods.c.from_at, start.label("start"), end.label("end")).cte()
    before = func.max(spans.c.end).over(
        partition_by=spans.c.member_id, order_by=[spans.c.start, spans.c.end, spans.c.from_at], rows=(None, -1)
    )
    ordered = select(*spans.c, before.label("before")).cte()
    first = case((ordered.c.before > ordered.c.start, ordered.c.before), else_=ordered.c.start)  # (2)
    days = func.sum(case((ordered.c.end > first, ordered.c.end - first), else_=0))
    sums = (
        select(ordered.c.member_id, days.label("days"), func.min(ordered.c.from_at).label("first_at"))  # (3)
        .group_by(ordered.c.member_id)
        .cte()
    )
    if rule.min_sessions_led is None:
        return Compiled(_numbers(sums.c.member_id, sums.c.days, literal(0), sums.c.first_at), None)
    led: Rows = select(
        asked.rows.contribution.member_id,
        asked.rows.contribution.session_id,
        asked.rows.contribution.record_id,
        asked.rows.contribution.occurred_at.label("at"),
    ).where(
        asked.own(asked.rows.contribution, asked.rows.contribution.member_id),
        asked.rows.contribution.type == "facilitated",
        asked.rows.contribution.session_id.is_not(None),
        _had_role(rule.role, asked.rows.contribution.member_id, asked.rows.contribution.occurred_at, asked),
        *_bounded(rule.window, asked.rows.contribution.occurred_at, asked),
    )
    meetings = led.cte()
    counts = (
        select(meetings.c.member_id, func.count(distinct(meetings.c.session_id)).label("sessions"))
        .group_by(meetings.c.member_id)
        .cte()
    )
    sessions = func.coalesce(counts.c.sessions, 0)
    observed = sums.c.days if rule.min_days is not None else sessions
    numbers = _numbers(sums.c.member_id, observed, sessions, sums.c.first_at)
    numbers = numbers.outerjoin(counts, counts.c.member_id == sums.c.member_id)
    newest = _first_of(
        meetings, [meetings.c.member_id, meetings.c.session_id], [meetings.c.at.desc(), meetings.c.record_id.desc()]
    )
    return Compiled(numbers, select(newest.c.member_id, newest.c.record_id, newest.c.at))


def _later(one: Any, other: Any) -> ColumnElement[Any]:
    return case((one < other, other), else_=one)


def _earlier(one: Any, other: Any) -> ColumnElement[Any]:
    return case((one > other, other), else_=one)


def _holds(rule: Holds, asked: Asked) -> Compiled:
    states = ["awarded"] if rule.valid_on_award else HELD
    query: Rows = (
        select(asked.rows.award.member_id, asked.rows.award.achievement_id, asked.rows.award.awarded_at)
        .join(Achievement, Achievement.id == asked.rows.award.achievement_id)
        .where(
            asked.own(asked.rows.award, asked.rows.award.member_id),
            asked.rows.award.state.in_(states),
            Achievement.ref.in_(rule.achievements),
        )
    )
    if rule.min_version is not None:
        query = query.join(AchievementVersion, AchievementVersion.id == asked.rows.award.achievement_version_id)
        query = query.where(AchievementVersion.version >= rule.min_version)
    if rule.valid_on_award:
        query = query.where(~asked.rows.lapsed().exists())
    rows = _within(query, rule.window, asked.rows.award.awarded_at, asked.rows.award.member_id, asked).subquery()
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
    Gain: _gain,
    Endorsed: _endorsed,
    Holds: _holds,
    Tenure: _tenure,
    Approved: _approved,
}
