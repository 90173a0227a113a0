"""Compile rules to SQL: the numbers, who meets them, the records that count."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import reduce
from operator import add
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    union_all,
)

from service.criteria.kinds.query import AskedRule, Rows
from service.criteria.kinds.rule import Rule
from service.criteria.tree import Criterion, Group, rules
from service.storage.past import Sources
from service.tables import Network


def numbers(leaves: Sequence[Rule], of_members: bool, replayed: bool = False) -> Rows:
    """Return the numbers of rules as one query, ordered by member.

    Columns: (place, member_id, observed, beside, first_at).

    Args:
        replayed: the numbers as they were known at the parameters `now` and `position`.
    """
    sources = Sources(replayed=replayed)
    selects = (
        _placed(place, leaf.compiled(AskedRule(place, of_members, sources)).numbers)
        for place, leaf in enumerate(leaves)
    )
    rows = union_all(*selects).subquery()
    return select(rows).order_by(rows.c.member_id)


def who_meets(tree: Criterion) -> Select[UUID]:
    """Return the query of the members of a whole network who meet a definition.

    Rules and groups are one statement. It decides as `Rule.reached` and the groups do, member by member, but does not
    return the numbers.
    """
    leaves = rules(tree)
    selects = (
        _placed(place, leaf.compiled(AskedRule(place, of_members=False)).numbers) for place, leaf in enumerate(leaves)
    )
    found = union_all(*selects).subquery()
    of_rules = iter(
        func.max(case((and_(found.c.place == place, leaf.is_met(found.c.observed, found.c.beside)), 1), else_=0))
        for place, leaf in enumerate(leaves)
    )
    return select(found.c.member_id).group_by(found.c.member_id).having(_is_met_by(tree, of_rules))


def _is_met_by(criterion: Criterion, of_rules: Iterator[ColumnElement[int]]) -> ColumnElement[bool]:
    """Return the condition that a criterion is met.

    Args:
        of_rules: 1 for each rule that is met and 0 for others, from left to right.
    """
    if isinstance(criterion, Group):
        met = [case((_is_met_by(child, of_rules), 1), else_=0) for child in criterion.children]
        return reduce(add, met) >= criterion.needed
    return next(of_rules) == 1


def records(leaves: Sequence[Rule], limited: bool, replayed: bool = False) -> Rows | None:
    """Return the records that count as one query, newest first.

    Columns: (place, member_id, record_id, nth, total). None if no rule counts records.

    Args:
        limited: at most as many for each rule as the parameter `limit`; else all on which a met rule can rest.
        replayed: the records as they were known at the parameters `now` and `position`.
    """
    sources = Sources(replayed=replayed)
    selects = []
    for place, leaf in enumerate(leaves):
        counted = leaf.compiled(AskedRule(place, of_members=True, rows=sources)).counted
        if counted is not None:
            most = bindparam("limit", type_=Integer()) if limited else leaf.rests_on
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
    """Return the values of the parameters; days begin in the network's time zone."""
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
