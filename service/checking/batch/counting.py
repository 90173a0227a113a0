"""Count the hours and credits of each person, and say whether they suffice.

1. A badge counts if it is genuine and in force today, issued to the person as far as that can be compared, by an
   approved issuer, within the dates. Others do not count, or are open: a person must ask.
2. A badge that was given twice counts once. So does a piece of evidence that two badges of one person cite.
3. A person is accepted once what counts for sure suffices. Else, where what is open could make up for what is missing,
   somebody must ask; where it could not, the person is short.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from service.checking.batch.approved import Approved
from service.checking.batch.facts import Facts

Decision = Literal["accepted", "short", "to-ask"]
Standing = Literal["counted", "open", "not-counted"]

DECISIONS: Final[tuple[Decision, ...]] = ("accepted", "short", "to-ask")
STANDINGS: Final[tuple[Standing, ...]] = ("counted", "open", "not-counted")

_OF_HEADLINES: Final[dict[str, tuple[Standing, str]]] = {
    "not-theirs": ("open", "different-address"),
    "genuine-recipient-open": ("open", "recipient-not-said"),
    "genuine-newer-copy": ("open", "badge-replaced"),
    "replaced": ("open", "badge-replaced"),
    "test": ("not-counted", "practice-badge"),
    "not-a-badge": ("not-counted", "no-badge"),
    "older-description": ("not-counted", "no-badge"),
    "issuer-description": ("not-counted", "no-badge"),
    "achievement-description": ("not-counted", "no-badge"),
    "decision-record": ("not-counted", "no-badge"),
    "unreadable": ("open", "not-checked"),
    "revoked": ("not-counted", "badge-taken-back"),
    "older-revoked": ("not-counted", "badge-taken-back"),
    "suspended": ("open", "badge-suspended"),
    "expired": ("open", "badge-expired"),
    "not-yet-valid": ("open", "badge-not-yet-valid"),
    "older-hosted": ("open", "older-standard"),
    "older-signed": ("open", "older-standard"),
    "older-differs": ("open", "older-standard"),
}
"""What becomes of a badge by its headline; others that are not genuine are open."""
_GENUINE: Final = frozenset({"genuine", "genuine-unlisted"})
_OF_MATCHES: Final[dict[str, tuple[Standing, str]]] = {
    "name-only": ("open", "issuer-by-name-only"),
    "shared-domain": ("open", "issuer-shares-domain"),
    "no": ("not-counted", "issuer-not-approved"),
}
REASONS: Final = (
    *dict.fromkeys(reason for _, reason in (*_OF_HEADLINES.values(), *_OF_MATCHES.values())),
    "badge-not-in-order",
    "badge-undecided",
    "issuer-not-known",
    "outside-dates",
    "partly-outside-dates",
    "date-not-said",
    "same-badge-again",
    "evidence-counted-before",
    "evidence-shared",
    "amount-not-said",
)
"""Why a badge, or a part of it, does not count for sure."""
MISSING: Final = ("hours-missing", "credits-missing")
REASONS_OF_PERSONS: Final = (*MISSING, "nothing-counted")
BLOCKING: Final = "badge-not-in-order"
"""Somebody looks at a person who showed a badge that was changed or forged, whatever else they showed."""


@dataclass(frozen=True)
class Wanted:
    """What somebody counts.

    Args:
        approved: whose badges count; None: those whose issuer is known here.
        since, until: first and last day that count; None without a bound.
        hours, credits: how many a person needs; None: any.
    """

    approved: Approved | None = None
    since: date | None = None
    until: date | None = None
    hours: float | None = None
    credits: float | None = None

    def within(self, day: date) -> bool:
        """Return whether a day counts."""
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)


@dataclass(frozen=True)
class Entry:
    """What of one badge counts.

    Args:
        minutes, credits: that count for sure.
        most_minutes, most_credits: that could count at most, once somebody has asked; infinite where nobody knows.
    """

    facts: Facts
    standing: Standing
    reasons: tuple[str, ...] = ()
    minutes: int = 0
    credits: float = 0
    most_minutes: float = 0
    most_credits: float = 0

    @property
    def hours(self) -> float:
        """Its hours that count for sure, to two places, never rounded up."""
        return _in_hours(self.minutes)


@dataclass(frozen=True)
class Person:
    """A person with what counts, and whether it suffices.

    Args:
        name: as it was given: from the table, or the name of what was given.
        reasons: stable codes of `REASONS_OF_PERSONS` and `REASONS`, most telling first; () if accepted.
    """

    name: str
    decision: Decision
    reasons: tuple[str, ...]
    entries: tuple[Entry, ...]
    minutes: int = 0
    credits: float = 0

    @property
    def hours(self) -> float:
        """Its hours that count, to two places, never rounded up."""
        return _in_hours(self.minutes)

    def to_json(self) -> dict[str, Any]:
        """Return `{person, decision, reasons, hours, credits, badges}`, each badge with what of it counts."""
        return {
            "person": self.name,
            "decision": self.decision,
            "reasons": list(self.reasons),
            "hours": self.hours,
            "credits": self.credits,
            "badges": [
                {
                    "index": entry.facts.index,
                    "standing": entry.standing,
                    "reasons": list(entry.reasons),
                    "hours": entry.hours,
                    "credits": entry.credits,
                    "provider": entry.facts.provider,
                    "credit_authorities": list(entry.facts.authorities),
                }
                for entry in self.entries
            ],
        }


@dataclass
class _Seen:
    """What was counted of a person before: badges, and pieces of evidence for hours and for credits."""

    badges: set[str] = field(default_factory=set)
    timed: set[str] = field(default_factory=set)
    credited: set[str] = field(default_factory=set)


def _in_hours(minutes: float) -> float:
    return math.floor(minutes / 60 * 100) / 100


def count(facts: Sequence[Facts], wanted: Wanted) -> list[Person]:
    """Return each person with what counts, in the order of their first badges."""
    grouped: dict[str, list[Facts]] = {}
    for each in facts:
        grouped.setdefault(each.person, []).append(each)
    return [_person(each, wanted) for each in grouped.values()]


def totals(people: Sequence[Person]) -> dict[str, int]:
    """Return how many people there are of each decision."""
    return {each: sum(person.decision == each for person in people) for each in DECISIONS}


def _person(facts: Sequence[Facts], wanted: Wanted) -> Person:
    seen = _Seen()
    entries = tuple(_entry(each, wanted, seen) for each in facts)
    minutes, credit = sum(each.minutes for each in entries), sum(each.credits for each in entries)
    most = minutes + sum(each.most_minutes for each in entries), credit + sum(each.most_credits for each in entries)
    missing = _missing(minutes, credit, wanted)
    still = _missing(*most, wanted)
    counted = any(each.standing == "counted" for each in entries)
    unclear = any(each.standing == "open" for each in entries)
    anything = wanted.hours is None and wanted.credits is None
    why = tuple(dict.fromkeys(reason for each in entries for reason in each.reasons))
    decision: Decision = "accepted"
    if BLOCKING in why or (anything and (unclear or not counted)):
        decision = "to-ask"
    elif missing:
        decision = "short" if still or not unclear else "to-ask"
    lacking = missing or (() if counted else ("nothing-counted",))
    reasons = () if decision == "accepted" else (*lacking, *why)
    return Person(facts[0].name, decision, reasons, entries, minutes, round(credit, 4))


def _missing(minutes: float, credit: float, wanted: Wanted) -> tuple[str, ...]:
    short = []
    if wanted.hours is not None and minutes < wanted.hours * 60:
        short.append("hours-missing")
    if wanted.credits is not None and round(credit, 4) < wanted.credits:
        short.append("credits-missing")
    return tuple(short)


def _entry(facts: Facts, wanted: Wanted, seen: _Seen) -> Entry:
    """Return what of a badge counts beside those before it (1, 2)."""
    standing, reason = _standing(facts, wanted)
    if standing == "not-counted":
        return Entry(facts, standing, (reason,))
    if standing == "open":
        return Entry(facts, standing, (reason,), 0, 0, *_at_most(facts))
    if facts.badge in seen.badges:
        return Entry(facts, "not-counted", ("same-badge-again",))
    seen.badges.add(facts.badge)
    if not facts.minutes and not facts.credits:
        return Entry(facts, "not-counted", ("amount-not-said",))
    minutes, credit = _minutes(facts, wanted, seen), _credits(facts, wanted, seen)
    reasons = tuple(dict.fromkeys((*minutes.reasons, *credit.reasons)))
    counts = (minutes.open and wanted.hours is not None) or (credit.open and wanted.credits is not None)
    if not minutes.sure and not credit.sure:
        counts = bool(minutes.open or credit.open)
    standing = "open" if counts else "counted" if minutes.sure or credit.sure else "not-counted"
    return Entry(facts, standing, reasons, int(minutes.sure), credit.sure, minutes.open, credit.open)


def _standing(facts: Facts, wanted: Wanted) -> tuple[Standing, str]:
    """Return whether a badge counts at all, by what the check says of it and its issuer (1)."""
    if not facts.headline:
        return "open", "not-checked"
    if facts.headline in _OF_HEADLINES:
        return _OF_HEADLINES[facts.headline]
    if facts.headline not in _GENUINE or facts.issuer is None:
        return "open", "badge-not-in-order" if facts.tone == "bad" else "badge-undecided"
    if wanted.approved is not None:
        return _OF_MATCHES.get(wanted.approved.match(facts.issuer), ("counted", ""))
    return ("counted", "") if facts.headline == "genuine" else ("open", "issuer-not-known")


def _at_most(facts: Facts) -> tuple[float, float]:
    """Return minutes and credits that an open badge could add: what it says, if it could be read."""
    return (facts.minutes, facts.credits) if facts.readable else (math.inf, math.inf)


@dataclass(frozen=True)
class _Amount:
    """Minutes or credits of a badge: those that count for sure, and those that are open."""

    sure: float = 0
    open: float = 0
    reasons: tuple[str, ...] = ()


def _minutes(facts: Facts, wanted: Wanted, seen: _Seen) -> _Amount:
    """Return the minutes within the dates; of a badge that itemises them, piece by piece."""
    if not facts.minutes or not facts.is_itemised:
        return _as_a_whole(facts, facts.minutes, wanted, seen.timed)
    timed = [piece for piece in facts.pieces if piece.minutes]
    inside = [piece for piece in timed if piece.on is not None and wanted.within(piece.on)]
    fresh = [piece for piece in inside if piece.key not in seen.timed]
    reasons: tuple[str, ...] = ()
    if len(inside) < len(timed):
        reasons = ("partly-outside-dates",) if inside else ("outside-dates",)
    if len(fresh) < len(inside):
        reasons += ("evidence-shared",) if fresh else ("evidence-counted-before",)
    seen.timed.update(piece.key for piece in inside)
    return _Amount(sum(piece.minutes for piece in fresh), 0, reasons)


def _credits(facts: Facts, wanted: Wanted, seen: _Seen) -> _Amount:
    return _as_a_whole(facts, facts.credits, wanted, seen.credited)


def _as_a_whole(facts: Facts, amount: float, wanted: Wanted, seen: set[str]) -> _Amount:
    """Return an amount that no piece of evidence states its part of."""
    if not amount:
        return _Amount()
    within, reasons = _in_dates(facts, wanted)
    if within == "no":
        return _Amount(0, 0, reasons)
    keys = {piece.key for piece in facts.pieces}
    before = keys & seen
    if before and before == keys:
        return _Amount(0, 0, ("evidence-counted-before",))
    if before or within == "partly":
        return _Amount(0, amount, (*reasons, *(("evidence-shared",) if before else ())))
    seen.update(keys)
    return _Amount(amount, 0, reasons)


def _in_dates(facts: Facts, wanted: Wanted) -> tuple[Literal["yes", "no", "partly"], tuple[str, ...]]:
    """Return whether a badge is within the dates as a whole: its activity, else the day when it was awarded."""
    if wanted.since is None and wanted.until is None:
        return "yes", ()
    days = list(_days(facts))
    if not days:
        return "partly", ("date-not-said",)
    inside = [wanted.within(day) for day in days]
    if all(inside):
        return "yes", ()
    around = wanted.since is not None and wanted.until is not None and days[0] < wanted.since <= wanted.until < days[-1]
    return ("partly", ("partly-outside-dates",)) if any(inside) or around else ("no", ("outside-dates",))


def _days(facts: Facts) -> Iterator[date]:
    found = [moment.date() for moment in (facts.began, facts.ended) if moment is not None]
    if not found and facts.awarded is not None:
        found = [facts.awarded.date()]
    yield from sorted(found)
