"""The SQL of the rule `count` where others who take up a resource count for the member who shared it.

1. Who shared a resource is the member whose contribution `shared` names it and happened first; what others took up before
   that counts nothing.
2. Nobody counts for themself, under whatever ref.
3. A person counts once for a resource; the newest of what they did is the record that counts.
4. Cited are those records, and those with which the member shared: without these nothing would count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, distinct, func, literal, or_, select, union

from service.criteria.kinds.query import CompiledRule, Rows, figures, first_of, matching, person_of, within

if TYPE_CHECKING:
    from service.criteria.filters import ContributionFilter
    from service.criteria.kinds.query import AskedRule


def compiled(where: ContributionFilter, window: Any, unit: str, asked: AskedRule) -> CompiledRule:
    """Return the rule as SQL.

    Args:
        where: which contributions of others count.
        unit: what is counted: item (each person once for each resource), peer or resource.
    """
    rows = _taken_up(where, window, asked).subquery()
    once = first_of(rows, [rows.c.member_id, rows.c.peer, rows.c.resource], [rows.c.at.desc(), rows.c.record_id.desc()])
    number = func.count() if unit == "item" else func.count(distinct(once.c[unit]))
    numbers = figures(once.c.member_id, number, literal(0), func.min(once.c.at)).group_by(once.c.member_id)
    counted = (
        once
        if unit == "item"
        else first_of(once, [once.c.member_id, once.c[unit]], [once.c.at.desc(), once.c.record_id.desc()])
    )
    cited = union(
        select(counted.c.member_id, counted.c.record_id, counted.c.at),
        select(counted.c.member_id, counted.c.share_id.label("record_id"), counted.c.shared_at.label("at")),
    ).subquery()
    return CompiledRule(numbers, select(cited.c.member_id, cited.c.record_id, cited.c.at))


def _taken_up(where: ContributionFilter, window: Any, asked: AskedRule) -> Rows:
    """Return what others took up of what the members shared first.

    Columns: (member_id, peer, resource, record_id, at, share_id, shared_at); the member is who shared it.
    """
    done = asked.rows.contribution
    share, before = asked.rows.another_contribution(), asked.rows.another_contribution()
    own, other = asked.rows.another_member(), asked.rows.another_member()
    of_it = and_(share.network_id == done.network_id, share.resource == done.resource, share.type == "shared")
    sooner = or_(
        before.occurred_at < share.occurred_at,
        and_(before.occurred_at == share.occurred_at, before.record_id < share.record_id),
    )
    same = and_(before.network_id == share.network_id, before.resource == share.resource, before.type == "shared")
    query = (
        select(
            share.member_id.label("member_id"),
            person_of(other).label("peer"),
            done.resource.label("resource"),
            done.record_id.label("record_id"),
            done.occurred_at.label("at"),
            share.record_id.label("share_id"),
            share.occurred_at.label("shared_at"),
        )
        .join(share, of_it)
        .join(own, own.id == share.member_id)
        .join(other, other.id == done.member_id)
        .where(
            asked.own(share, share.member_id),
            share.occurred_at <= done.occurred_at,
            ~select(before.record_id).where(same, sooner).exists(),
            person_of(own) != person_of(other),
        )
    )
    return matching(within(query, window, done.occurred_at, share.member_id, asked), where, asked)
