"""Evaluate definitions: the numbers that each member has reached, rule by rule.

The queries of all rules of a definition go to the database as one statement. The answer comes back
member by member, and the groups of the definition join the numbers.
"""

import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache, partial
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session as OrmSession

from service.achievements import definitions, enrolments
from service.criteria import queries
from service.criteria.kinds.count import Count
from service.criteria.kinds.query import Rows
from service.criteria.kinds.rule import Also, Rule
from service.criteria.queries import numbers, parameters, records
from service.criteria.tree import Criterion, Group, rules
from service.errors import InvalidError
from service.storage import past
from service.storage.database import is_postgresql
from service.storage.paging import Window, page
from service.tables import Achievement, AchievementVersion, Member, Network, RecordBody

SHOWN_RECORDS = 100
MEMBERS_AT_ONCE = 500
MAX_PARAMETERS = 20_000
NOTHING = (0.0, 0.0, None)


@dataclass(frozen=True, slots=True)
class Node:
    """A member's progress in a rule or a group.

    `progress` is 0..1, and 1 only if it is met. `first_at` is when the first evidence that counts occurred. `records`
    is how many records count for a rule, and `counted` are the newest of them (with `distinct`, the newest of each), if
    they were asked for; a rule that counts awards has none. `also` is the second number of a rule that has two.
    """

    criterion: Criterion
    met: bool
    observed: float
    required: float
    progress: float
    first_at: datetime | None
    children: tuple["Node", ...] = ()
    counted: tuple[UUID, ...] = ()
    records: int = 0
    also: Also | None = None

    @property
    def text(self) -> str:
        """How far the member has come, in a sentence."""
        if isinstance(self.criterion, Group):
            return self.criterion.sentence(int(self.observed))
        assert isinstance(self.criterion, Rule)
        said = self.criterion.sentence(self.observed, self.required)
        return said if self.also is None else f"{said}, {self.also.joined} {self.also.text}"

    @property
    def record_ids(self) -> tuple[UUID, ...]:
        """The records that meet the node, each once; none if it is not met.

        For a rule that counts these are the newest, as many as are needed (`rests_on`); for other rules all that count.
        """
        if not self.met:
            return ()
        if self.children:
            return tuple(dict.fromkeys(record_id for child in self.children for record_id in child.record_ids))
        return self.counted[: self.criterion.rests_on] if isinstance(self.criterion, Count) else self.counted

    @property
    def shown_ids(self) -> tuple[UUID, ...]:
        """The records that are shown with the node and those below it, each once."""
        below = (record_id for child in self.children for record_id in child.shown_ids)
        return tuple(dict.fromkeys((*self.counted, *below)))

    def to_json(self) -> dict[str, Any]:
        """Return the node as it is shown, with those below it."""
        return {
            "rule": self.criterion.kind,
            "met": self.met,
            "observed": _plain(self.observed),
            "required": _plain(self.required),
            "progress": self.progress,
            "text": self.text,
            "stability": self.criterion.stability,
            **({"also": {**self.also._asdict(), "met": self.also.met}} if self.also is not None else {}),
            **(
                {"children": [child.to_json() for child in self.children]}
                if self.children
                else {"records": self.records, "record_ids": [str(record_id) for record_id in self.counted]}
            ),
        }


class Replay(NamedTuple):
    """The time and the position in the evidence for which progress is replayed."""

    as_of: datetime
    position: int


@dataclass(frozen=True)
class Standing:
    """A member's progress towards one achievement, by the version that binds them.

    `node` is None if the definition has no rule. `erased` are, in a replay, the shown records whose bodies have been
    erased since.
    """

    achievement: Achievement
    version: AchievementVersion
    enrolled: bool
    node: Node | None
    erased: tuple[UUID, ...] = ()


def evaluate(
    session: OrmSession,
    network: Network,
    version: AchievementVersion,
    member_ids: Collection[UUID] | None,
    now: datetime,
    *,
    as_of: datetime | None = None,
    position: int | None = None,
) -> dict[UUID, Node]:
    """Return the progress of members in a version that has a rule.

    If the criteria are met, it has the records on which that rests. With `as_of` or `position` it is replayed on what
    was known then, whatever has been posted, voided or changed since. A replay gives the same result every time, and
    with the time and position of a decision it gives what was decided on.

    Args:
        member_ids: the members; each is in the answer. None: all members of the network who have evidence that
            counts, and only the numbers.
        now: the moment from which windows are counted back.
        as_of: replay as of this time, which replaces `now`; left out: `now`.
        position: replay on the evidence up to this position; left out: up to the last record received by `as_of`.
    """
    replay = replay_at(session, network, now, as_of, position)
    nodes = dict(survey(session, network, version, member_ids, now, replay))
    if member_ids is None:
        return nodes
    met = {member_id: node for member_id, node in nodes.items() if node.met}
    return nodes | _with_records(session, network, version, met, now, None, replay)


def replay_at(
    session: OrmSession, network: Network, now: datetime, as_of: datetime | None, position: int | None
) -> Replay | None:
    """Return the time and position to replay; None if neither is given."""
    if as_of is None and position is None:
        return None
    moment = as_of or now
    return Replay(moment, past.position_at(session, network, moment) if position is None else position)


def erased(session: OrmSession, record_ids: Collection[UUID]) -> list[UUID]:
    """Return the records among these whose body was erased.

    Results that rest on them can no longer be checked in full.
    """
    kept = set(session.scalars(select(RecordBody.record_id).where(RecordBody.record_id.in_(record_ids))))
    return [record_id for record_id in record_ids if record_id not in kept]


def survey(
    session: OrmSession,
    network: Network,
    version: AchievementVersion,
    member_ids: Collection[UUID] | None,
    now: datetime,
    replay: Replay | None = None,
) -> Iterator[tuple[UUID, Node]]:
    """Yield the numbers member by member, without records.

    A whole network is read in bounded memory.
    """
    plan = _plan_of(version)
    query = plan.numbers(of_members=member_ids is not None, replayed=replay is not None)
    moment, position = replay or (now, None)
    for chunk in _chunks(member_ids, len(plan.leaves)):
        asked = parameters(plan.leaves, network, version.achievement_id, moment, chunk, position=position)
        left = set(chunk or ())
        for member_id, rows in _by_member(session, query, asked):
            found = {place: (observed, beside, first_at) for place, _, observed, beside, first_at in rows}
            node = _node(plan.tree, iter([found.get(place, NOTHING) for place in range(len(plan.leaves))]))
            left.discard(member_id)
            if chunk is not None or node.first_at is not None:
                yield member_id, node
        for member_id in left:
            yield member_id, _node(plan.tree, iter([NOTHING] * len(plan.leaves)))


def who_meets(session: OrmSession, network: Network, version: AchievementVersion, now: datetime) -> Iterator[UUID]:
    """Yield the members of a whole network who meet a version.

    One statement decides, without reading the numbers.
    """
    plan = _plan_of(version)
    asked = parameters(plan.leaves, network, version.achievement_id, now)
    if is_postgresql(session):
        # Sort this much evidence in memory; and compiling is not worth it for a statement that runs for seconds.
        session.execute(text("SET LOCAL work_mem = '64MB'"))
        session.execute(text("SET LOCAL jit = off"))
    yield from session.scalars(plan.who_meets(), asked, execution_options={"yield_per": 1000})


def explain(
    session: OrmSession,
    network: Network,
    version: AchievementVersion,
    member_id: UUID,
    now: datetime,
    replay: Replay | None = None,
    node: Node | None = None,
) -> Node:
    """Return one member's progress with the newest records that count for each rule.

    The records are there whether the rule is met or not.

    Args:
        node: the numbers, if they are known already.
    """
    known = {member_id: node} if node is not None else None
    nodes = known or dict(survey(session, network, version, [member_id], now, replay))
    return _with_records(session, network, version, nodes, now, SHOWN_RECORDS, replay)[member_id]


def of_member(
    session: OrmSession,
    network: Network,
    member: Member,
    now: datetime,
    *,
    achievement: Achievement | None,
    window: Window,
    as_of: datetime | None = None,
    position: int | None = None,
) -> tuple[list[Standing], str | None]:
    """Return a member's progress towards published achievements, or towards one.

    Each is judged by the version that binds the member. With `as_of` or `position` these are the achievements that
    were published then and the versions that bound the member then, replayed as `evaluate` does.

    Raises:
        InvalidError: a time in the future (code "time-in-future").
    """
    if as_of is not None and as_of > now:
        raise InvalidError("time-in-future", "Expected a time that is not in the future.", "as_of")
    replay = replay_at(session, network, now, as_of, position)
    of_achievement = AchievementVersion.achievement_id == Achievement.id
    known = AchievementVersion.published_at <= replay.as_of if replay else AchievementVersion.published_at.is_not(None)
    published = select(AchievementVersion.id).where(of_achievement, known)
    query = select(Achievement).where(Achievement.network_id == network.id, published.exists())
    if achievement is not None:
        query = query.where(Achievement.id == achievement.id)
    found, cursor = page(session, query, window, Achievement.id)
    bound = enrolments.bindings(session, [member.id], replay.as_of if replay else None)
    standings = []
    for each in found:
        chosen = bound.get((member.id, each.id))
        newest = published.where(Achievement.id == each.id).order_by(AchievementVersion.version.desc()).limit(1)
        version = session.get_one(AchievementVersion, chosen or session.scalars(newest).one())
        has_rule = "rule" in version.definition["criteria"]
        node = explain(session, network, version, member.id, now, replay) if has_rule else None
        gone = erased(session, node.shown_ids) if node is not None and replay is not None else []
        standings.append(Standing(each, version, chosen is not None, node, tuple(gone)))
    return standings, cursor


def _with_records(
    session: OrmSession,
    network: Network,
    version: AchievementVersion,
    nodes: dict[UUID, Node],
    now: datetime,
    limit: int | None,
    replay: Replay | None,
) -> dict[UUID, Node]:
    """Return the nodes with their records.

    For each rule these are at most `limit`; without a limit all on which a met node can rest.
    """
    plan = _plan_of(version)
    query = plan.records(limited=limit is not None, replayed=replay is not None)
    if query is None:
        return nodes
    told = dict(nodes)
    moment, position = replay or (now, None)
    for chunk in _chunks(nodes, len(plan.leaves)):
        asked = parameters(plan.leaves, network, version.achievement_id, moment, chunk, limit, position)
        for member_id, rows in _by_member(session, query, asked):
            found: defaultdict[int, list[UUID]] = defaultdict(list)
            totals: dict[int, int] = {}
            for place, _, record_id, _, totals[place] in rows:
                found[place].append(record_id)
            of_rules = iter([(tuple(found[place]), totals.get(place, 0)) for place in range(len(plan.leaves))])
            told[member_id] = _told(told[member_id], of_rules)
    return told


class _Plan:
    """A definition with its statements.

    They are built once, because that takes longer than to execute them.
    """

    def __init__(self, definition: dict[str, Any]) -> None:
        tree = definitions.rule_of(definition)
        assert tree is not None, "an achievement without a rule is never asked what was reached"
        self.tree = tree
        self.leaves = rules(tree)
        self.numbers = cache(partial(numbers, self.leaves))
        self.records = cache(partial(records, self.leaves))
        self.who_meets = cache(partial(queries.who_meets, tree))


def _plan_of(version: AchievementVersion) -> _Plan:
    said = version.definition
    return _plan(json.dumps({name: said[name] for name in ("criteria", "result_descriptions") if name in said}))


@lru_cache(maxsize=1000)
def _plan(definition: str) -> _Plan:
    return _Plan(json.loads(definition))


def _chunks(member_ids: Collection[UUID] | None, leaves: int) -> Iterator[Sequence[UUID] | None]:
    """Yield the members in chunks whose parameters fit into one statement.

    None, the whole network, is one chunk.
    """
    if member_ids is None:
        yield None
        return
    ordered, size = sorted(set(member_ids)), max(1, min(MEMBERS_AT_ONCE, MAX_PARAMETERS // (leaves * 2)))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def _by_member(session: OrmSession, query: Rows, asked: dict[str, Any]) -> Iterator[tuple[UUID, Iterator[Any]]]:
    # Stream a whole network. For some members a cursor on the server would only cost more round trips.
    options = {} if "member_ids" in asked else {"yield_per": 1000}
    found = session.execute(query, asked, execution_options=options)
    yield from groupby(found, key=lambda row: row.member_id)


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def _node(criterion: Criterion, found: Iterator[tuple[float, float, datetime | None]]) -> Node:
    """Return the node of a criterion.

    Args:
        found: the numbers of the rules, from left to right.
    """
    if isinstance(criterion, Rule):
        observed, beside, first_at = next(found)
        at = criterion.reached(observed, beside)
        shown = _shown(at.met, at.progress)
        return Node(criterion, at.met, at.observed, at.required, shown, first_at, also=at.also)
    assert isinstance(criterion, Group)
    children = tuple(_node(child, found) for child in criterion.children)
    needed = criterion.needed
    nearest = sorted((child.progress for child in children), reverse=True)[:needed]
    first = min((child.first_at for child in children if child.first_at is not None), default=None)
    met = sum(child.met for child in children)
    shown = _shown(met >= needed, sum(nearest) / needed)
    return Node(criterion, met >= needed, met, needed, shown, first, children)


def _shown(met: bool, progress: float) -> float:
    # Rounding must not show a node as met that is not.
    return 1.0 if met else min(progress, math.nextafter(1, 0))


def _told(node: Node, found: Iterator[tuple[tuple[UUID, ...], int]]) -> Node:
    if node.children:
        return replace(node, children=tuple(_told(child, found) for child in node.children))
    record_ids, total = next(found)
    return replace(node, counted=record_ids, records=total)
