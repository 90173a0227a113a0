"""What the form of an application takes, and whether it fits the call."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field

from service.bodies import Body, Line, Prose
from service.errors import InvalidError
from service.participation.calls.calls import plain
from service.tables import Call
from service.texts.languages import N_

MAX_LEVEL: Final = 3
MAX_READINESS: Final = 5
LEVELS: Final = {1: N_("I know the basics"), 2: N_("I have worked with it"), 3: N_("I can teach it to others")}
"""What the levels of expertise mean."""


class CallExpertiseIn(Body):
    """How much somebody knows about a topic of a call."""

    topic: Line = Field(description="its name in the call", examples=["Feedback on drafts"])
    level: int = Field(ge=1, le=MAX_LEVEL, description="1: knows the basics, 2: has worked with it, 3: can teach it")


class CallApplicationIn(Body):
    """What somebody says who applies; these fields and no others."""

    statement: Prose = Field(examples=["I have led a writing group for three years."])
    expertise: list[CallExpertiseIn] = Field(default_factory=list, max_length=30)
    role: Line | None = Field(None, examples=["teacher"])
    organization: Line | None = Field(None, examples=["West School"])
    discipline: Line | None = Field(None, examples=["languages"])
    readiness: list[Annotated[int, Field(ge=1, le=MAX_READINESS)]] = Field(
        default_factory=list, max_length=10, description="an answer to each statement of the call, in its order"
    )


def fitting(call: Call, body: CallApplicationIn) -> dict[str, Any]:
    """Return what somebody says as it is stored.

    Raises:
        InvalidError: a topic is not in the call ("application-topic-unknown") or there twice ("application-topic-twice"),
            a role, discipline or organization is none of those to choose from ("application-not-offered"), or there is not
            one answer to each statement ("application-readiness-count").
    """
    topics = {plain(each["name"]): each["name"] for each in call.asked["topics"]}
    expertise: dict[str, int] = {}
    for place, each in enumerate(body.expertise):
        topic = topics.get(plain(each.topic))
        pointer = f"/expertise/{place}/topic"
        if topic is None:
            message = f"Expected a topic of the call: {', '.join(topics.values()) or 'it has none'}."
            raise InvalidError("application-topic-unknown", message, pointer)
        if topic in expertise:
            raise InvalidError("application-topic-twice", "Expected each topic once; this one is there twice.", pointer)
        expertise[topic] = each.level
    said: dict[str, Any] = {"statement": body.statement, "expertise": expertise, "readiness": list(body.readiness)}
    for name, offered in (("role", "roles"), ("discipline", "disciplines"), ("organization", "organizations")):
        said[name] = _chosen(getattr(body, name), call.asked[offered], name)
    wanted = len(call.asked["readiness"])
    if len(body.readiness) != wanted:
        message = f"Expected an answer to each statement of the call: {wanted}, got {len(body.readiness)}."
        raise InvalidError("application-readiness-count", message, "/readiness")
    return said


def _chosen(value: str | None, offered: Sequence[str], name: str) -> str | None:
    if value is None or not offered:
        return value
    found = next((each for each in offered if plain(each) == plain(value)), None)
    if found is None:
        message = f"Expected a {name} that the call offers: {', '.join(offered)}."
        raise InvalidError("application-not-offered", message, f"/{name}")
    return found
