"""Windows of time in rules: between two moments, the last months, since enrolment."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from service.criteria.parts import Part
from service.durations import Duration, DurationText

_DAY = "[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_MOMENT = f"{_DAY}(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?"


def _moment(value: Any) -> date:
    if not isinstance(value, str) or not re.fullmatch(_MOMENT, value):
        raise PydanticCustomError("date-invalid", "Expected a date (2026-09-01) or an instant (2026-09-01T08:00:00Z)")
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if "T" in value else date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("date-unknown", "Expected a date that exists") from error


Moment = Annotated[
    date,
    PlainValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": f"^{_MOMENT}$", "examples": ["2026-09-01"]}),
]
"""An instant, or a date, which begins at midnight in the network's time zone."""


class Bounds(NamedTuple):
    """The instants `[start, end)` of a window; None for an open bound."""

    start: datetime | None
    end: datetime | None


class Between(Part):
    """From a date or instant until before another: `[from, to)`.

    One of them may be left out.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    from_: Moment | None = Field(None, alias="from", description="the first moment that counts")
    to: Moment | None = Field(None, description="the first moment that no longer counts")

    @field_validator("to")
    @classmethod
    def _after_from(cls, to: date, info: ValidationInfo) -> date:
        start = info.data.get("from_")
        if start is not None and isinstance(start, datetime) == isinstance(to, datetime) and to <= start:
            raise PydanticCustomError("window-empty", "Expected `to` after `from`: the window is [from, to)")
        return to

    def bounds(self, now: datetime | None, zone: tzinfo) -> Bounds:
        """Return the bounds as instants; dates begin in the network's time zone."""
        _ = now
        return Bounds(_instant(self.from_, zone), _instant(self.to, zone))

    def __str__(self) -> str:
        """Write the window as it ends a sentence."""
        words = (("from", self.from_), ("before", self.to))
        return "".join(f" {word} {_written(moment)}" for word, moment in words if moment is not None)


class Last(Part):
    """A duration up to now.

    It is counted back from the moment of evaluation on the network's calendar.
    """

    last: DurationText = Field(description="an ISO 8601 duration, such as P1Y")

    def bounds(self, now: datetime, zone: tzinfo) -> Bounds:
        """Return when it begins; it has no end, because no evidence is in the future."""
        return Bounds(Duration.parse(self.last).before(now, zone), None)

    def __str__(self) -> str:
        """Write the window as it ends a sentence."""
        return f" in the last {Duration.parse(self.last)}"


class SinceEnrolment(Part):
    """From the member's enrolment in the achievement on."""

    since: Literal["enrolment"]

    def bounds(self, now: datetime, zone: tzinfo) -> Bounds:
        """Return open bounds, because the window begins at another time for each member."""
        _ = now, zone
        return Bounds(None, None)

    def __str__(self) -> str:
        """Write the window as it ends a sentence."""
        return " since enrolment"


def _window_shape(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    if "last" in value:
        return "<last>"
    if "since" in value:
        return "<since>"
    return "<between>" if "from" in value or "to" in value else None


Window = Annotated[
    Annotated[Between, Tag("<between>")] | Annotated[Last, Tag("<last>")] | Annotated[SinceEnrolment, Tag("<since>")],
    Discriminator(
        _window_shape,
        custom_error_type="window-invalid",
        custom_error_message='Expected {"from", "to"}, {"last": "P1Y"} or {"since": "enrolment"}',
    ),
]


def _instant(moment: date | None, zone: tzinfo) -> datetime | None:
    if moment is None or isinstance(moment, datetime):
        return moment
    return datetime(moment.year, moment.month, moment.day, tzinfo=zone).astimezone(UTC)


def _written(moment: date) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC") if isinstance(moment, datetime) else moment.isoformat()


def most_days(window: Any, zone: tzinfo) -> int | None:
    """Return the most calendar days that a window can have; None if it has no limit."""
    if isinstance(window, Last):
        return Duration.parse(window.last).most_days
    if isinstance(window, Between):
        start, end = window.bounds(None, zone)
        if start is not None and end is not None:
            last = (end - timedelta(microseconds=1)).astimezone(zone).date()
            return max((last - start.astimezone(zone).date()).days + 1, 0)
    return None
