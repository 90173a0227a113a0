"""The shape of an expectation, and what is refused in one as it stands."""

from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from service.bodies import Body, Line, Prose, RoleName
from service.criteria import tree
from service.criteria.kinds.attendance import Attendance
from service.criteria.kinds.count import Count
from service.criteria.kinds.sum import Sum
from service.criteria.tree import UnparsedCriterion
from service.errors import InvalidError
from service.networks.objectives import Codes

Expected = Count | Sum | Attendance
"""The rules that can be expected: contributions, hours, attendance."""
RULE = "/rule"


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    with suppress(ValueError):
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    raise PydanticCustomError("date-invalid", "Expected a date that exists, such as 2026-09-01")


Day = Annotated[
    date,
    BeforeValidator(_day),
    PlainSerializer(date.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-09-01"]}),
]
"""A day of the network's calendar."""


class TermIn(Body):
    """A term, `[from, until)`, on the network's calendar."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    name: Line | None = Field(None, examples=["Autumn 2026"])
    from_: Day = Field(alias="from")
    until: Day = Field(description="the first day that no longer belongs to it")


class PeriodIn(Body):
    """For which time something is expected, again and again."""

    every: Literal["month", "quarter", "year", "term", "whole"] = Field(
        description="month, quarter and year: those of the calendar, in the network's time zone; term: those of `terms`; "
        "whole: once, from `from` until `until`, or without an end"
    )
    terms: list[TermIn] | None = Field(None, min_length=1, max_length=50, description="in order; only with term")

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.every == "term") != (self.terms is not None):
            raise PydanticCustomError("terms-unfit", "Expected terms with every: term, and only there")
        before: date | None = None
        for term in self.terms or []:
            if term.until <= term.from_ or (before is not None and term.from_ < before):
                raise PydanticCustomError(
                    "terms-unordered", "Expected terms that end after they begin, each after the one before"
                )
            before = term.until
        return self


class ExpectationFields(Body):
    """What a network expects of its members."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    name: Line = Field(examples=["Come to most meetings"])
    text: Prose | None = Field(None, description="for people; Markdown")
    rule: UnparsedCriterion = Field(
        description="a rule count (contributions), sum (minutes) or attendance (a part or a number of the sessions) of "
        "criteria/1, without a window: the period says when evidence counts",
        examples=[{"rule": "attendance", "series": "writing-group", "min_rate": 0.75}],
    )
    period: PeriodIn
    role: RoleName | None = Field(None, description="expected of those who have this role; left out: of every member")
    objectives: Codes | None = Field(None, description="the objectives that it serves, by their codes")
    from_: Day | None = Field(
        None,
        alias="from",
        description="this version judges the periods that begin then or later. Left out: the period that runs now, or for "
        "a change the next one; what is given with a change must not be over",
    )
    until: Day | None = Field(None, description="periods that begin then or later are not judged")

    @field_validator("until")
    @classmethod
    def _after_from(cls, until: date | None, info: Any) -> date | None:
        start = info.data.get("from_")
        if until is not None and start is not None and until <= start:
            raise PydanticCustomError("until-before-from", "Expected `until` after `from`")
        return until

    def content(self) -> dict[str, Any]:
        """Return what is stored of a version.

        Raises:
            InvalidError: the rule is malformed, is another one (code "expectation-rule") or has a window
                ("expectation-window").
        """
        expected(self.rule)
        return self.model_dump(mode="json", exclude_none=True, exclude={"from_"})


class ExpectationChange(ExpectationFields):
    """What may change about an expectation.

    What is left out stays as it is, null removes it, and a list is replaced whole.
    """

    name: Line = Field(default_factory=str)
    rule: dict[str, Any] = Field(default_factory=dict, description="what changes in the rule, member by member")
    period: PeriodIn = Field(default_factory=lambda: PeriodIn(every="month"))


def expected(rule: Any) -> Expected:
    """Return the rule of an expectation.

    Raises:
        InvalidError: as `ExpectationFields.content`.
    """
    parsed = tree.parse(rule, RULE)
    if not isinstance(parsed, Count | Sum | Attendance):
        message = "Expected a rule count, sum or attendance; make an expectation for each."
        raise InvalidError("expectation-rule", message, RULE)
    if parsed.window is not None:
        message = "Expected no window: the period says when evidence counts."
        raise InvalidError("expectation-window", message, f"{RULE}/window")
    return parsed
