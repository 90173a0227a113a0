"""What somebody types in the form of an application, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from service.errors import InvalidError
from service.participation.calls.answers import MAX_LEVEL, MAX_READINESS, CallApplicationIn
from service.participation.calls.applications import Application
from service.tables import Call
from service.texts.display_names import one_line
from service.texts.languages import N_

MOST_CHARACTERS: Final = 10_000
MAX_NAME: Final = 100
MAX_LINE: Final = 200
LINES: Final = ("role", "discipline", "organization")

NO_STATEMENT: Final = N_("Write why you would like to take part.")
TOO_LONG: Final = N_("Write at most 10,000 characters.")
NO_NAME: Final = N_("Enter your name.")
NAME_TOO_LONG: Final = N_("A name can have up to 100 characters here.")
NO_ANSWER: Final = N_("Choose an answer to each statement.")
NO_QUESTION: Final = N_("Write what you want to know.")
NOT_OFFERED: Final = N_("Choose from what the form offers.")


@dataclass
class Typed:
    """The fields of the form as they are shown, and the sentences of what is wrong, by field."""

    statement: str = ""
    name: str = ""
    lines: dict[str, str] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)


def empty(call: Call, name: str, organization: str) -> Typed:
    """Return the form of somebody who has not applied yet."""
    return Typed(name=name, lines={"organization": organization}, answers=[0] * len(call.asked["readiness"]))


def stored(call: Call, found: Application) -> Typed:
    """Return the form with what somebody has said."""
    text = found.text
    if text is None:
        return empty(call, "", "")
    lines = {name: getattr(text, name) or "" for name in LINES}
    return Typed(text.statement, text.name or "", lines, dict(text.expertise), list(text.readiness))


def read(call: Call, sent: Mapping[str, str], *, named: bool) -> Typed:
    """Return what somebody sent, with what is wrong with it.

    Args:
        named: whether they must give a name.
    """
    typed = Typed(statement=sent.get("statement", ""), name=one_line(sent.get("name", ""), 2 * MAX_NAME, gap=" "))
    typed.lines = {name: one_line(sent.get(name, ""), MAX_LINE, gap=" ") for name in LINES}
    for place, topic in enumerate(call.asked["topics"]):
        level = _number(sent.get(f"topic-{place}", ""), MAX_LEVEL)
        if level:
            typed.levels[topic["name"]] = level
    typed.answers = [
        _number(sent.get(f"ready-{place}", ""), MAX_READINESS) for place in range(len(call.asked["readiness"]))
    ]
    if not typed.statement:
        typed.faults["statement"] = NO_STATEMENT
    elif len(typed.statement) > MOST_CHARACTERS:
        typed.faults["statement"] = TOO_LONG
    if named and not typed.name:
        typed.faults["name"] = NO_NAME
    elif named and len(typed.name) > MAX_NAME:
        typed.faults["name"] = NAME_TOO_LONG
    if 0 in typed.answers:
        typed.faults["readiness"] = NO_ANSWER
    return typed


def body(typed: Typed) -> CallApplicationIn:
    """Return what a form says that has no faults.

    Raises:
        InvalidError: it is none of ours (code "application-not-offered").
    """
    said = {name: value or None for name, value in typed.lines.items()}
    expertise = [{"topic": topic, "level": level} for topic, level in typed.levels.items()]
    try:
        return CallApplicationIn.model_validate(
            said | {"statement": typed.statement, "expertise": expertise, "readiness": typed.answers}
        )
    except ValidationError as error:
        raise InvalidError("application-not-offered", NOT_OFFERED) from error


def question_fault(question: str) -> str | None:
    """Return what is wrong with a question as it was typed; None: nothing."""
    if not question:
        return NO_QUESTION
    return TOO_LONG if len(question) > MOST_CHARACTERS else None


def _number(value: str, most: int) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) == 1 and int(value) <= most else 0
