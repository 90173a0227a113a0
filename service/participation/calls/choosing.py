"""Choose k people: the most coverage, then diversity, then readiness.

It knows no rows: people are positions in the order in which they applied. Sets of one size are compared by three whole
numbers, one after the other:

1. coverage: for each target (an objective, or a topic without one) the highest level that somebody in the set has;
2. spread: over discipline, role and organization the sum of squares of how many are alike, which is least where Blau's
   index is highest;
3. readiness: the sum of all answers.

Of sets that are equal in all three the one with the earliest applications is chosen: the first in which they differ.

Small sets are searched whole, by branch and bound. Where that takes too long, people are taken one after the other by what
each adds (greedy), and then exchanged while that makes the set better; a bound says how far the best set can be from it.
Both do the same steps each time: the limits count steps, not seconds.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heapreplace, nlargest
from typing import Final, Literal

SEARCHED_UP_TO: Final = 200
"""How many people there may be for the whole search to be tried."""
MOST_STEPS: Final = 300_000
"""How many people the whole search looks at before it is given up."""
MOST_EXCHANGES: Final = 400_000
"""How many exchanges are tried at most."""

Value = tuple[int, int, int]
"""Coverage, spread as it is compared (more is better), readiness."""
Method = Literal["everybody", "exact", "exchange"]


@dataclass(frozen=True)
class Candidate:
    """Somebody who can be chosen: their level by target, the three groups to which they belong, and their readiness."""

    levels: Mapping[int, int]
    groups: tuple[str, str, str]
    readiness: int = 0


@dataclass(frozen=True)
class Chosen:
    """The set that was found: positions in rising order, its value, and the most that any set can cover."""

    positions: tuple[int, ...]
    value: Value
    method: Method
    coverage_at_most: int


@dataclass
class Group:
    """A set that grows and shrinks, with what its value is made of."""

    people: Sequence[Candidate]
    targets: int
    chosen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.having: list[Counter[int]] = [Counter() for _ in range(self.targets)]
        self.cover = [0] * self.targets
        self.alike: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())
        self.covered = self.squares = self.ready = 0

    @property
    def value(self) -> Value:
        """What the set is compared by."""
        return self.covered, -self.squares, self.ready

    def gain(self, person: Candidate) -> int:
        """Return how much coverage a person would add."""
        return sum(level - self.cover[t] for t, level in person.levels.items() if level > self.cover[t])

    def with_one(self, person: Candidate) -> Value:
        """Return the value with one more person."""
        more = sum(2 * alike[group] + 1 for alike, group in zip(self.alike, person.groups, strict=True))
        return self.covered + self.gain(person), -(self.squares + more), self.ready + person.readiness

    def add(self, position: int) -> None:
        """Take somebody in."""
        person = self.people[position]
        self.covered, spread, self.ready = self.with_one(person)
        self.squares = -spread
        for t, level in person.levels.items():
            self.having[t][level] += 1
            self.cover[t] = max(self.cover[t], level)
        for alike, group in zip(self.alike, person.groups, strict=True):
            alike[group] += 1
        self.chosen.add(position)

    def remove(self, position: int) -> None:
        """Leave somebody out again."""
        person = self.people[position]
        for t, level in person.levels.items():
            self.having[t][level] -= 1
            if level == self.cover[t] and not self.having[t][level]:
                self.cover[t] = max((each for each, count in self.having[t].items() if count), default=0)
                self.covered -= level - self.cover[t]
        for alike, group in zip(self.alike, person.groups, strict=True):
            alike[group] -= 1
            self.squares -= 2 * alike[group] + 1
        self.ready -= person.readiness
        self.chosen.discard(position)


def grown(people: Sequence[Candidate], targets: int, positions: Collection[int]) -> Group:
    """Return a set with these people."""
    found = Group(people, targets)
    for position in positions:
        found.add(position)
    return found


def value_of(people: Sequence[Candidate], targets: int, positions: Collection[int]) -> Value:
    """Return the value of a set."""
    return grown(people, targets, positions).value


def highest_of(people: Sequence[Candidate], targets: int) -> list[int]:
    """Return the highest level of some people in each target."""
    highest = [0] * targets
    for person in people:
        for t, level in person.levels.items():
            highest[t] = max(highest[t], level)
    return highest


def choose(people: Sequence[Candidate], targets: int, k: int, included: Collection[int] = ()) -> Chosen:
    """Return the best set of k people that was found; of fewer people all.

    Args:
        people: in the order in which they applied.
        included: positions of those who are in the set in any case, at most k.
    """
    if len(people) <= k:
        everybody = tuple(range(len(people)))
        value = value_of(people, targets, everybody)
        return Chosen(everybody, value, "everybody", value[0])
    best = _exchanged(people, targets, k, frozenset(included))
    if len(people) <= SEARCHED_UP_TO:
        found = _Search(people, targets, k, frozenset(included), best).run()
        if found is not None:
            value = value_of(people, targets, found)
            return Chosen(found, value, "exact", value[0])
    return Chosen(best, value_of(people, targets, best), "exchange", _bound(people, targets, k, best))


def blau(groups: Sequence[str]) -> float:
    """Return Blau's index (Simpson's, 1 minus the sum of squared shares): 0 if all are alike, or nobody is there."""
    if not groups:
        return 0.0
    return 1 - sum(count**2 for count in Counter(groups).values()) / len(groups) ** 2


def _bound(people: Sequence[Candidate], targets: int, k: int, found: Collection[int]) -> int:
    """Return the most that k people can cover: coverage gains less, the more there is already."""
    reached = grown(people, targets, found)
    gains = nlargest(k, (reached.gain(person) for person in people))
    return min(sum(highest_of(people, targets)), reached.covered + sum(gains))


def _exchanged(people: Sequence[Candidate], targets: int, k: int, included: frozenset[int]) -> tuple[int, ...]:
    """Take people by what each adds, then exchange them while the set gets better, or as good and earlier."""
    found = grown(people, targets, included)
    while len(found.chosen) < k:
        free = (position for position in range(len(people)) if position not in found.chosen)
        found.add(max(free, key=lambda position: (*found.with_one(people[position]), -position)))
    tried, better = 0, True
    while better and tried < MOST_EXCHANGES:
        better = False
        for out in sorted(found.chosen - included, reverse=True):
            before = (*found.value, -out)
            found.remove(out)
            left = [position for position in range(len(people)) if position not in found.chosen]
            tried += len(left)
            best = max(left, key=lambda position: (*found.with_one(people[position]), -position))
            found.add(best)
            better = better or (*found.value, -best) > before
            if tried >= MOST_EXCHANGES:
                break
    return tuple(sorted(found.chosen))


class _Search:
    """The whole search: people are taken or left in the order in which they applied.

    A branch is left if nothing in it can be better than the best set so far, or as good and earlier.
    """

    def __init__(
        self, people: Sequence[Candidate], targets: int, k: int, included: frozenset[int], best: tuple[int, ...]
    ) -> None:
        self._people, self._k, self._included, self._targets = people, k, included, targets
        self._best, self._value = best, value_of(people, targets, best)
        self._steps = 0
        count = len(people)
        self._highest = [[0] * targets for _ in range(count + 1)]
        self._must = [0] * (count + 1)
        self._ready: list[list[int]] = [[0]] * (count + 1)
        self._there: list[tuple[Counter[str], ...]] = [(Counter(), Counter(), Counter())] * (count + 1)
        for place in range(count - 1, -1, -1):
            person = people[place]
            row = self._highest[place + 1].copy()
            for t, level in person.levels.items():
                row[t] = max(row[t], level)
            self._highest[place] = row
            self._must[place] = self._must[place + 1] + (place in included)
            after = self._there[place + 1]
            self._there[place] = tuple(
                there + Counter([group]) for there, group in zip(after, person.groups, strict=True)
            )
            sums = [0]
            for each in sorted((other.readiness for other in people[place:]), reverse=True)[:k]:
                sums.append(sums[-1] + each)
            self._ready[place] = sums

    def run(self) -> tuple[int, ...] | None:
        """Return the best set; None if the search was given up."""
        return self._best if self._go(0, Group(self._people, self._targets), []) else None

    def _go(self, place: int, found: Group, taken: list[int]) -> bool:
        while True:
            left = self._k - len(taken)
            if left == 0:
                if self._must[place] == 0 and (found.value, [-each for each in taken]) > (
                    self._value,
                    [-each for each in self._best],
                ):
                    self._best, self._value = tuple(taken), found.value
                return True
            if len(self._people) - place < left or self._must[place] > left:
                return True
            self._steps += len(self._people) - place
            if self._steps > MOST_STEPS:
                return False
            if self._hopeless(place, found, taken, left):
                return True
            found.add(place)
            taken.append(place)
            finished = self._go(place + 1, found, taken)
            taken.pop()
            found.remove(place)
            if not finished:
                return False
            if place in self._included:
                return True
            place += 1

    def _hopeless(self, place: int, found: Group, taken: Sequence[int], left: int) -> bool:
        covered = sum(map(max, found.cover, self._highest[place]))
        later = [*taken, place] > list(self._best[: len(taken) + 1])
        if self._is_less((covered, 0, 0), found, place, left, later=later):
            return True
        gains = nlargest(left, (found.gain(person) for person in self._people[place:]))
        return self._is_less((min(covered, found.covered + sum(gains)), 0, 0), found, place, left, later=later)

    def _is_less(self, bound: Value, found: Group, place: int, left: int, *, later: bool) -> bool:
        if bound[0] != self._value[0]:
            return bound[0] < self._value[0]
        spread = -(found.squares + sum(map(_least, found.alike, self._there[place], [left] * 3)))
        if spread != self._value[1]:
            return spread < self._value[1]
        ready = found.ready + self._ready[place][left]
        return ready < self._value[2] or (ready == self._value[2] and later)


def _least(alike: Counter[str], there: Counter[str], left: int) -> int:
    """Return how much the sum of squares grows at least with this many of the people who are left."""
    heap = [(2 * alike[group] + 1, count, group) for group, count in there.items() if count > 0]
    heapify(heap)
    grown = 0
    for _ in range(left):
        more, count, group = heap[0]
        grown += more
        heapreplace(heap, (more + 2 if count > 1 else 1 << 40, count - 1, group))
    return grown
