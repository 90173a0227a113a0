"""The form of a survey: from its fields to an answer, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from service.bodies import validated
from service.errors import InvalidError
from service.participation.needs import answers, cycles
from service.participation.needs.shapes import CAN_HELP, MAX_OWN, SLOTS, NeedsAnswerFields
from service.tables import NeedsAnswer, NeedsCycle

_SHAPE: Final = TypeAdapter(NeedsAnswerFields)
_BLANK_ROWS: Final = 2
"""How many empty rows for topics in one's own words stand below those that are filled."""
_LEAST_ROWS: Final = 3


@dataclass(frozen=True)
class ShownTopic:
    """A topic of the form, in the language of its reader."""

    code: str
    label: str


@dataclass(frozen=True)
class Form:
    """What the form shows: topics, rows for topics in one's own words, and the fields as they were filled in."""

    topics: list[ShownTopic]
    rows: range
    fields: Mapping[str, str]


def form_of(cycle: NeedsCycle, fields: Mapping[str, str], language: str) -> Form:
    """Return the form of a cycle with what was filled in."""
    topics = [
        ShownTopic(each.code, cycles.in_language(each.label, each.labels, language)) for each in cycles.topics_of(cycle)
    ]
    filled = [n for n in range(1, MAX_OWN + 1) if fields.get(f"own-{n}")]
    rows = min(MAX_OWN, max(_LEAST_ROWS, max(filled, default=0) + _BLANK_ROWS)) if cycle.said.get("free_topics") else 0
    return Form(topics, range(1, rows + 1), fields)


def fields_of(row: NeedsAnswer | None) -> dict[str, str]:
    """Return the fields as they are filled in with an answer."""
    if row is None:
        return {"can_help": str(CAN_HELP)}
    said = answers.fields_of(row)
    fields = {f"time-{slot}": "yes" for slot in said.times}
    own: dict[str, int] = {}
    for part in ("learn", "offer"):
        for each in getattr(said, part):
            value = str(each.importance) if part == "learn" else each.level
            if each.topic is not None:
                fields[f"{part}-{each.topic}"] = value
            else:
                number = own.setdefault(each.own, len(own) + 1)
                fields |= {f"own-{number}": each.own, f"own-{part}-{number}": value}
    fields |= {"can_help": str(said.can_help), "note": said.note or ""}
    if said.readiness is not None:
        fields["readiness"] = str(said.readiness)
    return fields | ({"share_offer": "yes"} if said.share_offer else {})


def body_of(cycle: NeedsCycle, fields: Mapping[str, str]) -> NeedsAnswerFields:
    """Return the answer that a form says.

    Raises:
        InvalidError: a topic in somebody's own words has no words (code "needs-own-topic-empty"), or is neither wanted nor
            offered ("needs-own-topic-unsaid"); or with the code of what is not as it should be.
    """
    said: dict[str, Any] = {"learn": [], "offer": [], "times": [slot for slot in SLOTS if fields.get(f"time-{slot}")]}
    order = [topic.code for topic in cycles.topics_of(cycle)]
    others = [name.split("-", 1)[1] for name in fields if name.startswith(("learn-", "offer-"))]
    for code in dict.fromkeys([*order, *others]):
        _add(said, {"topic": code}, fields.get(f"learn-{code}", ""), fields.get(f"offer-{code}", ""))
    for number in range(1, MAX_OWN + 1):
        words = fields.get(f"own-{number}", "")
        learn, offer = fields.get(f"own-learn-{number}", ""), fields.get(f"own-offer-{number}", "")
        if not words and (learn or offer):
            raise InvalidError("needs-own-topic-empty", "Expected the words of a topic.", f"/own-{number}")
        if words and not learn and not offer:
            message = "Expected a topic that is wanted or offered; this one is neither."
            raise InvalidError("needs-own-topic-unsaid", message, f"/own-{number}")
        _add(said, {"own": words}, learn, offer)
    for name in ("readiness", "can_help"):
        if fields.get(name):
            said[name] = _number(fields[name])
    note = fields.get("note", "").replace("\r\n", "\n")
    said |= {"note": note} if note else {}
    return validated(_SHAPE, said | {"share_offer": fields.get("share_offer") == "yes"})


def _add(said: dict[str, Any], chosen: dict[str, str], learn: str, offer: str) -> None:
    if learn:
        said["learn"].append(chosen | {"importance": _number(learn)})
    if offer:
        said["offer"].append(chosen | {"level": offer})


def _number(text: str) -> int | str:
    """Return the number that a field holds; what is none is refused with the rest of the form."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else text
