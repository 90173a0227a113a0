"""The sections that guidelines have, and the shape in which they are written."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from service.bodies import Body, Prose
from service.texts.languages import N_

TITLES: Final = {
    "roles": N_("Roles"),
    "participation": N_("Participation"),
    "communication": N_("Communication"),
    "confidentiality": N_("Confidentiality"),
    "feedback": N_("Feedback"),
    "inclusion": N_("Inclusion"),
    "conflict": N_("Disagreements"),
}
"""What each section is called on pages, in the order in which they are read."""
MISSING: Final = {
    "roles": "guidelines-roles-missing",
    "participation": "guidelines-participation-missing",
    "communication": "guidelines-communication-missing",
    "confidentiality": "guidelines-confidentiality-missing",
    "feedback": "guidelines-feedback-missing",
    "inclusion": "guidelines-inclusion-missing",
    "conflict": "guidelines-conflict-missing",
}
"""The code that says which section is missing."""


def _said(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise PydanticCustomError("section-blank", "Expected a text; leave the section out if it says nothing")
    return value


Section = Annotated[Prose, BeforeValidator(_said)]


class GuidelineSections(Body):
    """What guidelines say, in Markdown.

    A formal network publishes all of them, an informal one those that it has.
    """

    roles: Section | None = Field(None, description="who leads, who decides, what members do")
    participation: Section | None = Field(None, description="how often people meet, and what is expected of each")
    communication: Section | None = Field(None, description="where and how people talk to one another")
    confidentiality: Section | None = Field(None, description="what stays among those who were there")
    feedback: Section | None = Field(None, description="how members give and take feedback")
    inclusion: Section | None = Field(None, description="how everybody is heard")
    conflict: Section | None = Field(None, description="what happens if members disagree")


class ConflictDays(Body):
    """How many days each step of a disagreement between members may take."""

    answer: int = Field(7, ge=1, le=90, description="until the other side has answered")
    mediation: int = Field(30, ge=1, le=365, description="from the beginning of the mediation to its outcome")


def missing(sections: dict[str, Any]) -> list[str]:
    """Return the keys of the sections that are not there, in their order."""
    return [key for key in TITLES if not sections.get(key)]
