"""The SQL that the kinds of rules share.

One query serves one member and a whole network alike. Evidence that is held, quarantined or void has no derived rows,
and evaluations of it have none either, so that it never counts. Two members who are one person count as one, and nobody
counts for themself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

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
    func,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from service.criteria.filters import ContributionFilter, EvaluationFilter
from service.criteria.windows import Between, Last, SinceEnrolment
from service.storage import past
from service.storage.past import Sources
from service.tables import Meeting, Objective, SessionObjective
from service.tables.columns import Instant

Rows = Select[*tuple[Any, ...]]
"""A query with any columns."""

HELD = ("awarded", "suspended", "expired")
"""States of an award that was earned and not revoked."""
NETWORK = bindparam("network_id", type_=Uuid())
ACHIEVEMENT = bindparam("achievement_id", type_=Uuid())
MEMBERS = bindparam("member_ids", type_=Uuid(), expanding=True)
NOW = past.NOW
TODAY = bindparam("today", type_=Integer())


class DayNumber(FunctionElement[int]):
    """A date as a number of days, as in `date.toordinal`: 1 is 1 January of year 1."""

    type = Integer()
    inherit_cache = True


@compiles(DayNumber, "postgresql")
def _day_number_postgresql(element: DayNumber, compiler: SQLCompiler, **options: Any) -> str:
    return f"(({compiler.process(element.clauses, **options)}) - DATE '0001-01-01' + 1)"


@compiles(DayNumber, "sqlite")
def _day_number_sqlite(element: DayNumber, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(julianday({compiler.process(element.clauses, **options)}) - 1721424.5 AS INTEGER)"


@dataclass(frozen=True)
class AskedRule:
    """How a rule is asked: about some members, or about the whole network.

    `place` distinguishes the parameters of this rule from those of others.
    """

    place: int
    of_members: bool
    rows: Sources = field(default_factory=lambda: Sources(replayed=False))

    @property
    def start(self) -> BindParameter[datetime]:
        """When the rule's window begins."""
        return bindparam(f"start_{self.place}", type_=Instant())

    @property
    def end(self) -> BindParameter[datetime]:
        """When the rule's window ends."""
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
        mine = table.network_id == NETWORK
        return and_(mine, member.in_(MEMBERS)) if self.of_members else mine


@dataclass(frozen=True)
class CompiledRule:
    """A rule as SQL.

    `numbers` has the columns (member_id, observed, beside, first_at), a row for each member who has evidence
    that counts; `first_at` is when the first of it occurred. `counted` has (member_id, record_id, at), a row for
    each record that counts; None for a rule that counts awards or approvals.
    """

    numbers: Rows
    counted: Rows | None


def figures(member: Any, observed: Any, beside: Any, first: Any) -> Rows:
    """Return the numbers of a rule: (member_id, observed, beside, first_at)."""
    return select(
        member.label("member_id"),
        cast(observed, Float).label("observed"),
        cast(beside, Float).label("beside"),
        first.label("first_at"),
    )


def person_of(member: Any) -> ColumnElement[UUID]:
    """Return who a member is: the person, or the member if no person is known."""
    return func.coalesce(member.person_id, member.id)


def bounded(window: Any, at: Any, asked: AskedRule) -> list[ColumnElement[bool]]:
    """Return the conditions that `at` is in a window with fixed bounds.

    An open bound adds no condition.
    """
    starts = isinstance(window, Last) or (isinstance(window, Between) and window.from_ is not None)
    ends = isinstance(window, Between) and window.to is not None
    return ([at >= asked.start] if starts else []) + ([at < asked.end] if ends else [])


def within(query: Rows, window: Any, at: Any, member: Any, asked: AskedRule) -> Rows:
    """Return the query with only the rows in the window.

    A window since enrolment has no beginning for a member who is not enrolled yet.
    """
    if not isinstance(window, SinceEnrolment):
        return query.where(*bounded(window, at, asked))
    joined = query.outerjoin(
        asked.rows.enrolment,
        and_(asked.rows.enrolment.member_id == member, asked.rows.enrolment.achievement_id == ACHIEVEMENT),
    )
    return joined.where(or_(asked.rows.enrolment.at.is_(None), at >= asked.rows.enrolment.at))


def matching(query: Rows, where: ContributionFilter, asked: AskedRule) -> Rows:
    """Return the query with only the contributions that match the filter."""
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
            had_role(where.role, asked.rows.contribution.member_id, asked.rows.contribution.occurred_at, asked)
        )
    if where.series is not None or where.sessions is not None:
        query = query.join(Meeting, Meeting.id == asked.rows.contribution.session_id)
        if where.series is not None:
            query = query.where(Meeting.series == where.series)
        if where.sessions is not None:
            query = query.where(Meeting.ref.in_(where.sessions))
    if where.objective is not None:
        named = (
            select(SessionObjective.session_id)
            .join(Objective, Objective.id == SessionObjective.objective_id)
            .where(Objective.network_id == NETWORK, Objective.ref == where.objective)
        )
        query = query.where(asked.rows.contribution.session_id.in_(named))
    return query


def had_role(role: str, member: Any, at: Any, asked: AskedRule) -> ColumnElement[bool]:
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


def first_of(rows: FromClause, by: Sequence[Any], order: Sequence[Any]) -> CTE:
    """Return for each value of `by` the row that comes first in the order."""
    place = func.row_number().over(partition_by=by, order_by=order).label("place")
    ranked = select(*rows.c, place).subquery()
    # Not nested as a subquery: the parser of SQLite allows a depth of a hundred only.
    return select(*(column for column in ranked.c if column.key != "place")).where(ranked.c.place == 1).cte()


def later(one: Any, other: Any) -> ColumnElement[Any]:
    """Return the later of two days, as SQL."""
    return case((one < other, other), else_=one)


def earlier(one: Any, other: Any) -> ColumnElement[Any]:
    """Return the earlier of two days, as SQL."""
    return case((one > other, other), else_=one)


def contributions_of(where: ContributionFilter, window: Any, asked: AskedRule, key: Any) -> Rows:
    """Return the contributions that match a rule.

    Columns: (member_id, key, amount, record_id, at).
    """
    query = select(
        asked.rows.contribution.member_id.label("member_id"),
        key.label("key"),
        asked.rows.contribution.minutes.label("amount"),
        asked.rows.contribution.record_id.label("record_id"),
        asked.rows.contribution.occurred_at.label("at"),
    ).where(asked.own(asked.rows.contribution, asked.rows.contribution.member_id), key.is_not(None))
    query = within(query, window, asked.rows.contribution.occurred_at, asked.rows.contribution.member_id, asked)
    return matching(query, where, asked)


_KEYS = {
    "item": "record_id",
    "session": "session_id",
    "day": "local_date",
    "week": "local_week",
    "resource": "resource",
}
"""The columns of contributions that can be counted or capped."""


def key_of(name: str, asked: AskedRule) -> Any:
    """Return the column of contributions that is counted or capped."""
    return getattr(asked.rows.contribution, _KEYS[name])


def evaluations_of(
    where: EvaluationFilter,
    window: Any,
    asked: AskedRule,
    kinds: Sequence[str],
    instrument: str,
    *columns: Any,
    self_report: bool = False,
) -> Rows:
    """Return evaluations of members by others.

    Columns: (member_id, record_id, at, judge, *columns).

    Args:
        self_report: also what members answered in surveys about themselves.
    """
    own, judge = asked.rows.another_member(), asked.rows.another_member()
    query = (
        select(
            asked.rows.evaluation.member_id,
            asked.rows.evaluation.record_id,
            asked.rows.evaluation.occurred_at.label("at"),
            person_of(judge).label("judge"),
            *columns,
        )
        .join(own, own.id == asked.rows.evaluation.member_id)
        .outerjoin(judge, judge.id == asked.rows.evaluation.evaluator_id)
        .where(
            asked.own(asked.rows.evaluation, asked.rows.evaluation.member_id),
            asked.rows.evaluation.instrument == instrument,
        )
    )
    of_kind = asked.rows.evaluation.kind == kinds[0] if len(kinds) == 1 else asked.rows.evaluation.kind.in_(kinds)
    by_others = and_(of_kind, or_(judge.id.is_(None), person_of(judge) != person_of(own)))
    query = query.where(or_(by_others, _own_answer(asked)) if self_report else by_others)
    if where.min_tier:
        # Tier 4 means that two or more people agree; each of their records is stored as tier 3.
        query = query.where(asked.rows.evaluation.tier >= min(where.min_tier, 3))
    return within(query, window, asked.rows.evaluation.occurred_at, asked.rows.evaluation.member_id, asked)


def _own_answer(asked: AskedRule) -> ColumnElement[bool]:
    """Return the condition that members answered a survey about themselves; in no other way do they judge themselves."""
    row = asked.rows.evaluation
    return and_(row.kind == "survey", row.about_kind == "member", row.evaluator_id == row.member_id)
