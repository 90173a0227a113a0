"""Who could help whom: pure, without rows.

A need is a topic that somebody wants to learn. A peer who offers it can serve it, as long as the peer helps no more people
than they said. `assign` serves the needs so that the sum of their importance is the largest that is possible: needs are taken
by falling importance, and one is served if it can be without leaving out one that is served already, if need be by giving
others another peer. That this greedy way is the best holds because the sets of needs that can be served together are a
transversal matroid; `tests/service/participation/needs/test_matching.py` compares it with every assignment of small sets.

Giving others another peer costs more than the square of the number of people. Beyond `MOST_SEARCHED` nobody is given another
peer: then at least half as much importance is served as could be.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from uuid import UUID

from service.participation.needs.shapes import LEVELS, Level, Slot

MOST_SEARCHED: Final = 1_000


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True, eq=False)
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

    Who is proposed to as many people as they can help comes after all others. Then count: the level, how ready they are, how
    often both have time, and at last the ref, so that the order is always the same.

    Args:
        load: how many needs each peer is already proposed for.
    """
    found = [
        peer_for(need, who, full=(load or {}).get(who.id, 0) >= who.can_help)
        for who in offers.get(need.topic, ())
        if who.id != need.who.id
    ]
    return sorted(
        found, key=lambda peer: (peer.full, *_standing(peer.who, need.topic), -len(peer.common), peer.who.ref)
    )


def peer_for(need: Need, who: Someone, *, full: bool = False) -> Peer:
    """Return somebody who offers a topic as the peer for a need."""
    common = tuple(slot for slot in need.who.times if slot in who.times)
    return Peer(who, who.offer[need.topic], common, full)


def assign(
    people: Sequence[Someone], allowed: Allowed = lambda _: True, *, most_searched: int = MOST_SEARCHED
) -> Assigned:
    """Propose a peer for as many and as important needs as can be served, each peer for no more than they help.

    Args:
        allowed: who may be proposed.
        most_searched: for more people than that a need is served only by a peer who has room already.
    """
    seats = _Seats(offering(people, allowed))
    serve = seats.serve if len(people) <= most_searched else seats.serve_directly
    for need in needs_of(people):
        serve(need)
    return {need.key: who for need, who in seats.given.items()}


def load_of(assigned: Assigned) -> dict[UUID, int]:
    """Return for how many needs each peer is proposed."""
    load: dict[UUID, int] = defaultdict(int)
    for who in assigned.values():
        load[who.id] += 1
    return dict(load)


class _Seats:
    """Who is given to which need so far.

    Attributes:
        given: each need that is served, with the peer.
        served: the needs that a peer serves.
        without_room: peers who were once reached without finding room: from them room is never reached later either.
    """

    def __init__(self, offers: Mapping[str, Sequence[Someone]]) -> None:
        self.given: dict[Need, Someone] = {}
        self.served: dict[Someone, list[Need]] = defaultdict(list)
        self.without_room: set[Someone] = set()
        self._groups = {topic: _groups(peers, topic) for topic, peers in offers.items()}
        self._lines = {topic: deque(who for group in groups for who in group) for topic, groups in self._groups.items()}

    def serve(self, need: Need) -> None:
        """Serve a need, if a peer has room who can be reached by giving others another peer.

        All needs of one topic reach the same peers, but for the person themself: a topic is looked through once, and then
        once more for the person who was left out.
        """
        waiting = deque([need])
        came_from: dict[Need, tuple[Need, Someone] | None] = {need: None}
        left_out: dict[str, Someone | None] = {}
        reached: set[Someone] = set()
        while waiting:
            current = waiting.popleft()
            for who in self._reachable(current, left_out):
                if who is current.who or who in reached:
                    continue
                reached.add(who)
                if not self._is_full(who):
                    self._give(current, who, came_from)
                    return
                for other in self.served[who]:
                    if other not in came_from:
                        came_from[other] = current, who
                        waiting.append(other)
        self.without_room |= reached

    def serve_directly(self, need: Need) -> None:
        """Serve a need, if a peer has room: the best one, whenever they have time."""
        line = self._lines.get(need.topic, deque())
        while line and self._is_full(line[0]):
            line.popleft()
        who = next((each for each in line if each is not need.who and not self._is_full(each)), None)
        if who is not None:
            self.given[need] = who
            self.served[who].append(need)

    def _is_full(self, who: Someone) -> bool:
        return len(self.served[who]) >= who.can_help

    def _reachable(self, need: Need, left_out: dict[str, Someone | None]) -> Iterable[Someone]:
        """Return the peers who offer a topic, the best first; of one that was looked through only who was left out."""
        if need.topic not in left_out:
            left_out[need.topic] = need.who
            return self._open(need)
        before = left_out[need.topic]
        if before is None or before is need.who or before in self.without_room:
            return ()
        left_out[need.topic] = None
        return (before,) if any(before in group for group in self._groups.get(need.topic, ())) else ()

    def _open(self, need: Need) -> Iterator[Someone]:
        for group in self._groups.get(need.topic, ()):
            yield from _by_time(need.who, [who for who in group if who not in self.without_room])

    def _give(self, last: Need, who: Someone, came_from: Mapping[Need, tuple[Need, Someone] | None]) -> None:
        """Give a peer with room to the last need of a way, and to each need before it the peer of the one after."""
        while True:
            if last in self.given:
                self.served[self.given[last]].remove(last)
            self.given[last] = who
            self.served[who].append(last)
            before = came_from[last]
            if before is None:
                return
            last, who = before


def _groups(peers: Sequence[Someone], topic: str) -> list[list[Someone]]:
    """Return peers in groups of equal level and readiness, the best first."""
    ordered = sorted(peers, key=lambda who: (*_standing(who, topic), who.ref))
    return [list(group) for _, group in groupby(ordered, key=lambda who: _standing(who, topic))]


def _by_time(learner: Someone, group: list[Someone]) -> Iterable[Someone]:
    """Return the peers of a group, those first who most often have time when the learner has."""
    if len(group) == 1 or not learner.times:
        return group
    times = set(learner.times)
    return sorted(group, key=lambda who: -len(times.intersection(who.times)))


def _standing(who: Someone, topic: str) -> tuple[int, int]:
    return -LEVELS.index(who.offer[topic]), -(who.readiness or 0)
