"""Alignments: to which skill, or place in a framework, something is aligned.

Spec: Open Badges 3.0, section B.1.3 (Alignment).
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from service.bodies import Body, Line, Prose, WebUrl

TARGET_TYPES = (
    "ceasn:Competency",
    "ceterms:Credential",
    "CFItem",
    "CFRubric",
    "CFRubricCriterion",
    "CFRubricCriterionLevel",
    "CTDL",
)
_OWN_NAME = "ext:[A-Za-z0-9._-]{1,60}"


def listed(value: Any, names: Sequence[str]) -> Any:
    """Refuse a text that is none of the names of Open Badges, and no name of one's own."""
    if isinstance(value, str) and value not in names and not re.fullmatch(_OWN_NAME, value):
        context = {"listed": ", ".join(names), "words": list(names)}
        raise PydanticCustomError("type-unknown", "Expected one of {listed}, or ext: and a name", context)
    return value


def pattern(names: Sequence[str]) -> Any:
    """Describe a text as one of some names of Open Badges, or a name of one's own."""
    return Field(json_schema_extra={"pattern": f"^({'|'.join(names)}|{_OWN_NAME})$"}, examples=[names[0]])


TargetType = Annotated[str, BeforeValidator(lambda value: listed(value, TARGET_TYPES)), pattern(TARGET_TYPES)]


class AlignmentIn(Body):
    """A skill, or a place in a standard or framework, to which an achievement is aligned."""

    target_name: Line = Field(examples=["Provides feedback that moves learners forward"])
    target_url: WebUrl = Field(
        description=(
            "the address that identifies it; http too, as ESCO has it (http://data.europa.eu/esco/skill/...). "
            "It is never fetched"
        ),
        examples=["https://standards.example.org/teaching/feedback"],
    )
    target_code: Line | None = Field(None, description="its code in the framework, such as 2.B.1.a of O*NET")
    target_description: Prose | None = None
    target_framework: Line | None = Field(None, description="the name of the framework, such as ESCO or O*NET")
    target_type: TargetType | None = Field(
        None, description="a type of Open Badges 3.0, or your own that begins with ext:, such as ext:O-NET"
    )
