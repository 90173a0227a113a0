"""Which period a day is in: months, quarters, years, terms, or the whole time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from typing import Any, Final

from service.tables import ExpectationVersion

MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Period:
    """Days, `[start, end)`, and the version that judges them; `end` is None for a period that has no end."""

    start: date
    end: date | None
    version: ExpectationVersion
    name: str | None = None


def at(versions: Sequence[ExpectationVersion], day: date, ended_on: date | None = None) -> Period | None:
    """Return the judged period that a day is in.

    Each version judges the periods that begin on its `from_date` or later, and before that of a later one; a whole time
    ends where the next one begins.

    Args:
        versions: all versions, oldest first.
        ended_on: when the expectation was ended: what was not over by then is not judged.
    """
    for period in _around(versions, day):
        if period.start <= day and (period.end is None or day < period.end):
            return period if ended_on is None or (period.end is not None and period.end <= ended_on) else None
    return None


def following(versions: Sequence[ExpectationVersion], day: date, ended_on: date | None = None) -> Period | None:
    """Return the first judged period that begins after a day."""
    if ended_on is not None:
        return None
    return min((each for each in _around(versions, day) if each.start > day), key=lambda each: each.start, default=None)


def running(period: dict[str, Any], day: date) -> date:
    """Return the first day of the period of this shape that a day is in; the day itself where that has no such day."""
    if period["every"] in MONTHS:
        return _begin(day, MONTHS[period["every"]])
    terms = (term for term in period.get("terms", ()) if term["from"] <= day.isoformat() < term["until"])
    return next((date.fromisoformat(term["from"]) for term in terms), day)


def _around(versions: Sequence[ExpectationVersion], day: date) -> Iterator[Period]:
    """Yield the judged periods that a day can be in, and those that follow soonest."""
    for index, version in enumerate(versions):
        last = min((after.from_date for after in versions[index + 1 :]), default=None)
        until = version.content.get("until")
        ends = min(filter(None, (last, date.fromisoformat(until) if until else None)), default=None)
        for start, end, name in _of(version, day, ends):
            if start >= version.from_date and (ends is None or start < ends):
                yield Period(start, end, version, name)


def _of(version: ExpectationVersion, day: date, ends: date | None) -> Iterator[tuple[date, date | None, str | None]]:
    said = version.content["period"]
    if said["every"] == "whole":
        yield version.from_date, ends, None
    elif said["every"] == "term":
        for term in said["terms"]:
            yield date.fromisoformat(term["from"]), date.fromisoformat(term["until"]), term.get("name")
    else:
        length = MONTHS[said["every"]]
        for around in {day, version.from_date}:
            start = _begin(around, length)
            for _ in range(2):
                if start.year == MAXYEAR:
                    break
                end = _begin(start + timedelta(days=31 * length), length)
                yield start, end, None
                start = end


def _begin(day: date, months: int) -> date:
    """Return the first day of the month, quarter or year."""
    return date(day.year, (day.month - 1) // months * months + 1, 1)
