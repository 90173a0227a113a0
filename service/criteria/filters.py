"""What the rules of `criteria/1` share: names and numbers, filters on evidence, and windows of time."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
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

from service.bodies import Body, Line, RoleName
from service.durations import Duration, DurationText

CONTRIBUTION_TYPES = (
    "attended",
    "facilitated",
    "presented",
    "shared",
    "authored",
    "commented",
    "reviewed",
    "mentored",
    "submitted",
    "answered",
    "completed",
    "goal_met",
    "organized",
)
"""What a member can do in a network; the network's own names begin with `x-`."""
_TYPE = f"({'|'.join(CONTRIBUTION_TYPES)}|x-[a-z0-9][a-z0-9_-]{{0,60}})"
_LINE = r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f\u2028\u2029]*[^\s\u0000-\u001f\u007f-\u009f])?$"
_DAY = "[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_MOMENT = f"{_DAY}(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?"


def _contribution_type(value: Any) -> Any:
    if isinstance(value, str) and (not re.fullmatch(_TYPE, value)):
        listed = ", ".join(CONTRIBUTION_TYPES)
        raise PydanticCustomError(
            "contribution-type-unknown", "Expected one of {listed}, or a name that begins with x-", {"listed": listed}
        )
    return value


def _moment(value: Any) -> date:
    if not isinstance(value, str) or not re.fullmatch(_MOMENT, value):
        raise PydanticCustomError("date-invalid", "Expected a date (2026-09-01) or an instant (2026-09-01T08:00:00Z)")
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if "T" in value else date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("date-unknown", "Expected a date that exists") from error


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated", "Expected each entry once")
    return values


ContributionType = Annotated[
    str, BeforeValidator(_contribution_type), Field(json_schema_extra={"pattern": f"^{_TYPE}$"}, examples=["reviewed"])
]
Name = Annotated[Line, Field(json_schema_extra={"pattern": _LINE})]
Names = Annotated[
    list[Name], Field(min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}), AfterValidator(_distinct)
]
Amount = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_whole)]
"""A whole number of one or more; also written 3.0, as to JSON that is the same number."""
Most = Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(_whole)]
"""A whole number that may be zero: no more than this."""
Tier = Annotated[int, Field(ge=0, le=3), BeforeValidator(_whole)]
TierOrMore = Annotated[int, Field(ge=0, le=4), BeforeValidator(_whole)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Moment = Annotated[
    date,
    PlainValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": f"^{_MOMENT}$", "examples": ["2026-09-01"]}),
]
"""A date, which begins at midnight in the network's time zone, or an instant."""


class Part(Body):
    """A part of a definition: unknown members are refused, and so is null (a member is given or it is not)."""

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("null", "Expected a value, or the member left out")
        return value


class ContributionFilter(Part):
    """Which contributions count: all members of the filter must fit."""

    types: (
        Annotated[
            list[ContributionType],
            Field(min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}),
            AfterValidator(_distinct),
        ]
        | None
    ) = Field(None, description="contributions of any of these types")
    tags_any: Names | None = Field(None, description="contributions with any of these tags")
    min_tier: Tier | None = Field(
        None, description="of this tier or better: 0 self-claimed, 1 a peer, 2 a facilitator, 3 the network"
    )
    role: RoleName | None = Field(None, description="contributions made while the member had this role")
    series: Name | None = Field(None, description="contributions in sessions of this series")
    sessions: Names | None = Field(None, description="contributions in any of these sessions, by ref")
    statuses: list[Literal["accepted"]] | None = Field(
        None, min_length=1, max_length=1, description="accepted, the only evidence that ever counts; may be left out"
    )

    @property
    def topics(self) -> set[str]:
        """What must be heard of for more contributions to fit, as `service.listening` names it."""
        done = {f"did:{name}" for name in self.types or ("*",)}
        return done | ({f"role:{self.role}"} if self.role is not None else set())

    def __str__(self) -> str:
        """Write the filter as it follows the word "contributions"."""
        return "".join(
            [
                f" of type {_either(self.types)}" if self.types else "",
                f" with tag {_either(self.tags_any)}" if self.tags_any else "",
                f" as {self.role}" if self.role else "",
                f" in series {self.series}" if self.series else "",
                f" in session {_either(self.sessions)}" if self.sessions else "",
                _tier(self.min_tier),
            ]
        )


class EvaluationFilter(Part):
    """Which evaluations count."""

    min_tier: Tier | None = Field(None, description="of this tier or better, as for contributions")
    statuses: list[Literal["accepted"]] | None = Field(
        None, min_length=1, max_length=1, description="accepted, the only evidence that ever counts; may be left out"
    )

    def __str__(self) -> str:
        """Write the filter as it follows what is evaluated."""
        return _tier(self.min_tier)


class RubricFilter(EvaluationFilter):
    """Which rubric evaluations count."""

    min_tier: TierOrMore | None = Field(
        None, description="of this tier or better; 4: what two or more people found, each of them at tier 3"
    )


class Bounds(NamedTuple):
    """The instants `[start, end)` of a window; None where it is open."""

    start: datetime | None
    end: datetime | None


class Between(Part):
    """From a date or instant until before another: `[from, to)`; one of them may be left out."""

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
        """Return the instants that the dates mean in the network's time zone."""
        _ = now
        return Bounds(_instant(self.from_, zone), _instant(self.to, zone))

    def __str__(self) -> str:
        """Write the window as it ends a sentence."""
        words = (("from", self.from_), ("before", self.to))
        return "".join(f" {word} {_written(moment)}" for word, moment in words if moment is not None)


class Last(Part):
    """The latest stretch of time, counted back from the moment of evaluation on the network's calendar."""

    last: DurationText = Field(description="an ISO 8601 duration, such as P1Y")

    def bounds(self, now: datetime, zone: tzinfo) -> Bounds:
        """Return where the stretch begins; it has no end, as no evidence lies ahead of us."""
        return Bounds(Duration.parse(self.last).before(now, zone), None)

    def __str__(self) -> str:
        """Write the window as it ends a sentence."""
        return f" in the last {Duration.parse(self.last)}"


class SinceEnrolment(Part):
    """From the member's enrolment in the achievement on."""

    since: Literal["enrolment"]

    def bounds(self, now: datetime, zone: tzinfo) -> Bounds:
        """Return open bounds: where it begins is another instant for each member."""
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
    """Return a bound on the calendar days in the window, or None where there is none."""
    if isinstance(window, Last):
        return Duration.parse(window.last).most_days
    if isinstance(window, Between):
        start, end = window.bounds(None, zone)
        if start is not None and end is not None:
            last = (end - timedelta(microseconds=1)).astimezone(zone).date()
            return max((last - start.astimezone(zone).date()).days + 1, 0)
    return None


def _either(names: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _tier(min_tier: int | None) -> str:
    return f" of tier {min_tier} or better" if min_tier else ""
