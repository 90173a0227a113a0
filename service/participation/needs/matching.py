"""Who could help whom: pure, without rows.

A need is a topic that somebody wants to learn. A peer who offers it can serve it, as long as the peer helps no more people
than they said. `assign` serves the needs so that the sum of their importance is the largest that is possible: needs are taken
by falling importance, and one is served if it can be without leaving out one that is served already, if need be by giving
others another peer. That this greedy way is the best holds because the sets of needs that can be served together are a
transversal matroid; `tests/service/participation/needs/test_matching.py` compares it with every assignment of small sets.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from service.participation.needs.shapes import LEVELS, Level, Slot


@dataclass(frozen=True)
class Someone:
    """What a person wants to learn and can offer, by the keys of topics.

    Attributes:
        learn: each topic with its importance.
        shares: peers may see the offer.
        protected: a child or a student.
    """

    id: UUID
    ref: str
    name: str | None = None
    learn: Mapping[str, int] = field(default_factory=dict)
    offer: Mapping[str, Level] = field(default_factory=dict)
    readiness: int | None = None
    times: tuple[Slot, ...] = ()
    can_help: int = 2
    shares: bool = False
    protected: bool = False


@dataclass(frozen=True)
class Need:
    """A topic that somebody wants to learn."""

    who: Someone
    topic: str

    @property
    def importance(self) -> int:
        """How important it is to them, 1 to 3."""
        return self.who.learn[self.topic]

    @property
    def key(self) -> tuple[UUID, str]:
        """By what it is found."""
        return self.who.id, self.topic


@dataclass(frozen=True)
class Peer:
    """Somebody who could serve a need, and what speaks for them; `common` is when both have time."""

    who: Someone
    level: Level
    common: tuple[Slot, ...]
    full: bool = False


Assigned = Mapping[tuple[UUID, str], Someone]
"""Who is proposed for a need, by its key."""
Allowed = Callable[[Someone], bool]


def needs_of(people: Sequence[Someone]) -> list[Need]:
    """Return all needs, the most important first.

    Among equals each person's first comes before anybody's second, so that nobody takes all by wanting much.
    """
    ranked: list[tuple[int, int, str, str, Need]] = []
    for who in people:
        so_far: dict[int, int] = defaultdict(int)
        for topic, importance in sorted(who.learn.items(), key=lambda each: (-each[1], each[0])):
            ranked.append((-importance, so_far[importance], who.ref, topic, Need(who, topic)))
            so_far[importance] += 1
    return [each[-1] for each in sorted(ranked, key=lambda each: each[:-1])]


def offering(people: Sequence[Someone], allowed: Allowed) -> dict[str, list[Someone]]:
    """Return who offers each topic, of those who may be proposed."""
    found: dict[str, list[Someone]] = defaultdict(list)
    for who in people:
        if allowed(who):
            for topic in who.offer:
                found[topic].append(who)
    return found


def ranked(need: Need, offers: Mapping[str, Sequence[Someone]], load: Mapping[UUID, int] | None = None) -> list[Peer]:
    """Return who could serve a need, the best first, never the person themself.

    Who is asked for by as many people as they can help comes after all others. Then count: the level, how ready they are, how
    often both have time, and at last the ref, so that the order is always the same.

    Args:
        load: how many needs each peer is already proposed for.
    """
    found = []
    for who in offers.get(need.topic, ()):
        if who.id != need.who.id:
            common = tuple(slot for slot in need.who.times if slot in who.times)
            full = (load or {}).get(who.id, 0) >= who.can_help
            found.append(Peer(who, who.offer[need.topic], common, full))
    return sorted(found, key=_order)


def assign(people: Sequence[Someone], allowed: Allowed = lambda _: True) -> Assigned:
    """Propose a peer for as many and as important needs as can be served, each peer for no more than they help.

    Args:
        allowed: who may be proposed.
    """
    offers = offering(people, allowed)
    peers: dict[tuple[UUID, str], list[Someone]] = {}
    given: dict[tuple[UUID, str], Someone] = {}
    served: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    without_room: set[UUID] = set()
    for need in needs_of(people):
        peers[need.key] = [each.who for each in ranked(need, offers)]
        _serve(need.key, peers, given, served, without_room)
    return given


def load_of(assigned: Assigned) -> dict[UUID, int]:
    """Return for how many needs each peer is proposed."""
    load: dict[UUID, int] = defaultdict(int)
    for who in assigned.values():
        load[who.id] += 1
    return dict(load)


def _serve(
    need: tuple[UUID, str],
    peers: Mapping[tuple[UUID, str], Sequence[Someone]],
    given: dict[tuple[UUID, str], Someone],
    served: dict[UUID, list[tuple[UUID, str]]],
    without_room: set[UUID],
) -> None:
    """Serve a need, if one of the peers who can be reached by giving others another peer has room.

    From peers who were once reached without finding room, room is never reached later either.
    """
    waiting, came_from = deque([need]), {need: need}
    via: dict[tuple[UUID, str], Any] = {}
    reached: set[UUID] = set()
    while waiting:
        current = waiting.popleft()
        for who in peers[current]:
            if who.id in reached or who.id in without_room:
                continue
            reached.add(who.id)
            if len(served[who.id]) < who.can_help:
                _give(need, current, who, came_from, via, given, served)
                return
            for other in served[who.id]:
                if other not in came_from:
                    came_from[other], via[other] = current, who
                    waiting.append(other)
    without_room |= reached


def _give(
    need: tuple[UUID, str],
    last: tuple[UUID, str],
    who: Someone,
    came_from: Mapping[tuple[UUID, str], tuple[UUID, str]],
    via: Mapping[tuple[UUID, str], Someone],
    given: dict[tuple[UUID, str], Someone],
    served: dict[UUID, list[tuple[UUID, str]]],
) -> None:
    """Give a peer with room to the last need of a way, and to each need before it the peer of the one after."""
    while True:
        before = given.get(last)
        if before is not None:
            served[before.id].remove(last)
        given[last] = who
        served[who.id].append(last)
        if last == need:
            return
        last, who = came_from[last], via[last]


def _order(peer: Peer) -> tuple[bool, int, int, int, str]:
    return peer.full, -LEVELS.index(peer.level), -(peer.who.readiness or 0), -len(peer.common), peer.who.ref
