"""ISO 8601 durations: `P1Y`, `P6M`, `P2W`, `PT90M`.

Calendar parts follow the calendar of a time zone.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

PATTERN = (
    "^P(?=.*[1-9])(?:([0-9]{1,3})Y)?(?:([0-9]{1,3})M)?(?:([0-9]{1,3})W)?(?:([0-9]{1,5})D)?"
    "(?:T(?=[0-9])(?:([0-9]{1,5})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,5})S)?)?$"
)
_FORM = re.compile(PATTERN.removesuffix("$"))
_NAMES = ("year", "month", "week", "day", "hour", "minute", "second")


@dataclass(frozen=True)
class Duration:
    """A positive span of time.

    Spec: ISO 8601-1:2019, section 5.5.2 (whole numbers, bounded so that dates stay dates).
    """

    parts: tuple[int, int, int, int, int, int, int]
    """Years, months, weeks, days, hours, minutes, seconds."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the duration that `text` writes.

        Raises:
            ValueError: not of the form `PnYnMnWnDTnHnMnS`, zero, or over 999 years, months or weeks.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError("expected an ISO 8601 duration above zero, such as P1Y, P6M or P2W")
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return cls((years, months, weeks, days, hours, minutes, seconds))

    def after(self, instant: datetime, zone: tzinfo) -> datetime:
        """Return the instant this long after `instant`.

        P1Y after 29 February is 28 February.
        """
        return self._shift(instant, zone, 1)

    def before(self, instant: datetime, zone: tzinfo) -> datetime:
        """Return the instant this long before `instant`.

        P1M before 31 March is the last day of February.
        """
        return self._shift(instant, zone, -1)

    def _shift(self, instant: datetime, zone: tzinfo, sign: int) -> datetime:
        """Return the shifted instant, in UTC.

        1. Years and months move the local date; if the month lacks the day, it becomes the month's last day.
        2. Weeks and days move the local date; the time on the clock stays the same.
        3. Hours, minutes and seconds are elapsed time.
        """
        years, months, weeks, days, hours, minutes, seconds = self.parts
        local = instant.astimezone(zone)
        count = local.year * 12 + local.month - 1 + sign * (years * 12 + months)  # (1)
        year, month = count // 12, count % 12 + 1
        local = local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1]))
        # When the clock is set back, an hour occurs twice; adding forgets which of the two it is.
        local = (local + sign * timedelta(weeks=weeks, days=days)).replace(fold=local.fold)  # (2)
        return local.astimezone(UTC) + sign * timedelta(hours=hours, minutes=minutes, seconds=seconds)  # (3)

    @property
    def most_days(self) -> int:
        """The most calendar days on which something since this long ago can fall."""
        years, months, weeks, days, hours, minutes, seconds = self.parts
        clock = hours * 3600 + minutes * 60 + seconds
        # Three more: the span begins within a day, a day can have 23 hours, evidence can be minutes ahead of us.
        return years * 366 + months * 31 + weeks * 7 + days + -(-clock // 86_400) + 3

    def __str__(self) -> str:
        """Write the duration as people say it: "6 months", "1 year and 2 weeks"."""
        named = [f"{n} {name}{'s' if n > 1 else ''}" for n, name in zip(self.parts, _NAMES, strict=True) if n]
        return " and ".join(part for part in (", ".join(named[:-1]), named[-1]) if part)


def _check(value: Any) -> Any:
    if isinstance(value, str):
        try:
            Duration.parse(value)
        except ValueError as error:
            raise PydanticCustomError(
                "duration-invalid", "Expected an ISO 8601 duration above zero, such as P1Y"
            ) from error
    return value


DurationText = Annotated[
    str,
    BeforeValidator(_check),
    Field(json_schema_extra={"pattern": PATTERN}, examples=["P1Y"]),
]
"""A duration in a body; `Duration.parse` never fails on one."""
