"""Explain a proposed set in codes: reasons, what it lacks, who would be next.

Codes and places of targets are stored, never words of people; `wording` makes sentences of them when somebody reads.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.participation.calls import choosing
from service.participation.calls.choosing import Candidate, Value, value_of

GROUPS: Final = ("discipline", "role", "organization")
"""What the groups of a candidate are, in their order."""
NEXT: Final = 3
"""How many people are named who would be next."""
DOMINATES_FROM: Final = 3
"""In a set of fewer people, that more than half are alike says nothing."""


@dataclass(frozen=True)
class Part:
    """One reason, or one thing that lacks: its code, the places of its targets, and a number or the name of a group."""

    code: str
    targets: tuple[int, ...] = ()
    group: str | None = None
    number: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        said: dict[str, Any] = {"code": self.code, "targets": list(self.targets)}
        return said | {
            name: value for name, value in (("group", self.group), ("number", self.number)) if value is not None
        }


def reasons(people: Sequence[Candidate], targets: int, chosen: Collection[int]) -> dict[int, list[Part]]:
    """Return why each of a set is in it, by position."""
    outside = [position for position in range(len(people)) if position not in chosen]
    return {position: _why(people, targets, chosen, outside, position) for position in chosen}


def _why(
    people: Sequence[Candidate], targets: int, chosen: Collection[int], outside: Sequence[int], position: int
) -> list[Part]:
    person, others = people[position], [people[each] for each in chosen if each != position]
    highest = choosing.highest_of(others, targets)
    only = tuple(sorted(t for t in person.levels if highest[t] == 0))
    better = tuple(sorted(t for t, level in person.levels.items() if 0 < highest[t] < level))
    found = [Part(code, places) for code, places in (("only-one", only), ("knows-best", better)) if places]
    for place, group in enumerate(GROUPS):
        others_have = {each.groups[place] for each in others}
        if person.groups[place] and others and person.groups[place] not in others_have:
            found.append(Part("adds-group", group=group, number=len(others_have - {""}) + 1))
    if not found:
        found.append(_instead(people, targets, chosen, outside, position) if outside else Part("everybody"))
    return found


def _instead(
    people: Sequence[Candidate], targets: int, chosen: Collection[int], outside: Sequence[int], position: int
) -> Part:
    """Return why nobody from outside is in somebody's place, who covers nothing that no other of the set covers."""
    rest = [each for each in chosen if each != position]
    here = value_of(people, targets, chosen)
    there = max(_each_added(people, targets, rest, outside))[0]
    return Part("more-diverse" if here[1] > there[1] else "more-ready" if here[2] > there[2] else "earlier")


def _each_added(
    people: Sequence[Candidate], targets: int, rest: Collection[int], outside: Sequence[int]
) -> list[tuple[Value, int]]:
    """Return the value of a set with each of some people, and the negative of their position, to compare them."""
    grown = choosing.grown(people, targets, rest)
    return [(grown.with_one(people[each]), -each) for each in outside]


def following(
    people: Sequence[Candidate], targets: int, chosen: Collection[int], left_out: Collection[int] = ()
) -> list[tuple[int, Part]]:
    """Return who would be next if there were another place, the first one first, each with what they would add."""
    outside = [each for each in range(len(people)) if each not in chosen and each not in left_out]
    ranked = sorted(_each_added(people, targets, chosen, outside), reverse=True)[:NEXT]
    highest = choosing.highest_of([people[each] for each in chosen], targets)
    found = []
    for _, negative in ranked:
        person = people[-negative]
        more = tuple(sorted(t for t, level in person.levels.items() if level > highest[t]))
        fresh = next(
            (
                group
                for place, group in enumerate(GROUPS)
                if person.groups[place] and person.groups[place] not in {people[each].groups[place] for each in chosen}
            ),
            None,
        )
        part = (
            Part("would-cover", more)
            if more
            else Part("would-add-group", group=fresh)
            if fresh
            else Part("as-suitable")
        )
        found.append((-negative, part))
    return found


def lacks(
    people: Sequence[Candidate],
    targets: int,
    chosen: Collection[int],
    *,
    places: int,
    offered: Mapping[str, Collection[str]],
) -> list[Part]:
    """Return what a set lacks.

    Args:
        places: how many people it should have.
        offered: what a call asks for of each group, as groups are compared.
    """
    found = []
    if len(chosen) < places:
        found.append(Part("fewer-than-places", number=places - len(chosen)))
    inside = choosing.highest_of([people[each] for each in chosen], targets)
    anywhere = choosing.highest_of(people, targets)
    empty = [t for t in range(targets) if inside[t] == 0]
    kinds = (
        ("nobody-brings", tuple(t for t in empty if anywhere[t] == 0)),
        ("left-uncovered", tuple(t for t in empty if anywhere[t] > 0)),
        ("basics-only", tuple(t for t in range(targets) if inside[t] == 1)),
    )
    found += [Part(code, where) for code, where in kinds if where]
    for place, group in enumerate(GROUPS):
        alike = Counter(people[each].groups[place] for each in chosen)
        named = {each: count for each, count in alike.items() if each}
        if len(chosen) >= DOMINATES_FROM and named and max(named.values()) * 2 > len(chosen):
            code = "all-alike" if max(named.values()) == len(chosen) else "one-dominates"
            found.append(Part(code, group=group, number=max(named.values())))
        missing = len(set(offered.get(group, ())) - set(named))
        if missing:
            found.append(Part("group-missing", group=group, number=missing))
    return found
