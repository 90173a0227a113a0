"""The shapes of goals, check-ins and answers, as members send them."""

import re
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from service.bodies import Body, Line, Ref

MAX_TEXT: Final = 2_000
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

Note = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
"""What a member writes about a goal: plain text."""
SharedWith = Literal["nobody", "buddy", "network"]
ClosedAs = Literal["met", "partly", "dropped"]
BuddyState = Literal["asked", "accepted", "declined"]


def _day(value: Any) -> Any:
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None or not 1900 <= day.year <= 2200:
            raise PydanticCustomError("date-invalid", "Expected a date from 1900 to 2200, such as 2026-03-01")
        return day
    return value


def _part_of_one(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PydanticCustomError("progress-invalid", "Expected a number from 0 to 1, such as 0.4")
    return float(value)


CalendarDay = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-03-01"]})
]
"""A day of the network's calendar."""
Progress = Annotated[
    float,
    BeforeValidator(_part_of_one),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1, "examples": [0.4]}),
]


class _Written(Body):
    measure: Note | None = Field(
        None, description="how you see that it is met", examples=["Three colleagues say what they changed."]
    )
    why: Note | None = Field(None, description="what it is for", examples=["My class reads more than it writes."])
    objective: Ref | None = Field(
        None, description="code of the network's objective that it serves", examples=["FEEDBACK-1"]
    )
    buddy: Ref | None = Field(
        None, description="ref of the member who is asked to be your buddy; only with buddy", examples=["m12"]
    )


class GoalIn(_Written):
    """What a member wants to reach."""

    title: Line = Field(examples=["Give feedback on four drafts"])
    begun_on: CalendarDay | None = Field(None, description="the first day; left out: today")
    due_on: CalendarDay = Field(description="the last day")
    shared_with: SharedWith = Field(
        "nobody",
        description=(
            "who else learns that there is this goal, and reads it with its check-ins: nobody; a buddy, once they accept;"
            " or the network, which is its program and every member who signs in. It is never public"
        ),
    )


class GoalChange(_Written):
    """What may change about a goal; what is left out stays, and null removes it."""

    title: Line = Field(default_factory=str, examples=["Give feedback on four drafts"])
    begun_on: CalendarDay = Field(default_factory=lambda: date.min, description="the first day")
    due_on: CalendarDay = Field(default_factory=lambda: date.min, description="the last day")
    shared_with: SharedWith = Field(
        default_factory=lambda: "nobody", description="who else learns that there is this goal"
    )


class CheckInIn(Body):
    """How far a member is with a goal."""

    progress: Progress = Field(description="how much of it is done, as a part of one")
    on: CalendarDay | None = Field(None, description="on which day; left out: today")
    comment: Note | None = Field(None, examples=["Two drafts are back."])
    obstacle: Note | None = Field(None, description="what is in the way", examples=["No common hour."])


class GoalClosingIn(Body):
    """How a goal ended."""

    closed_as: ClosedAs = Field(description="whether it was met, in part, or is dropped")
    outcome: Note | None = Field(None, description="what came of it", examples=["Four drafts, three of them twice."])
    evidence: bool | None = Field(
        None,
        description=(
            "of a goal that was met: whether it counts as evidence. The network then learns that you met a goal and when,"
            " and nothing of what it says. Left out: it counts unless the goal is shared with nobody"
        ),
    )


class BuddyAnswerIn(Body):
    """Whether a member is somebody's buddy."""

    accepts: bool


class GoalAnswerIn(Body):
    """What a peer says of a goal that was closed as met."""

    met: bool = Field(description="true: it was met, which counts from now on as your word too; false: it was not")
    comment: Note | None = Field(None, description="for the one whose goal it is", examples=["I have seen all four."])
