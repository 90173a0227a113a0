"""The types of contributions that evidence may name."""

import re
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
)
from pydantic_core import PydanticCustomError

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
    "accepted",
    "adopted",
)
"""What a member can do in a network; types that a network adds begin with `x-`."""
ACCEPTED = "accepted"
"""The type of a contribution that accepts a version of the guidelines."""
GUIDELINES = "guidelines"
"""What an acceptance is about: its resource, and its tag, is `guidelines/` and the number of the version."""
_TYPE = f"({'|'.join(CONTRIBUTION_TYPES)}|x-[a-z0-9][a-z0-9_-]{{0,60}})"


def _contribution_type(value: Any) -> Any:
    if isinstance(value, str) and (not re.fullmatch(_TYPE, value)):
        context = {"listed": ", ".join(CONTRIBUTION_TYPES), "words": list(CONTRIBUTION_TYPES)}
        raise PydanticCustomError(
            "contribution-type-unknown", "Expected one of {listed}, or a name that begins with x-", context
        )
    return value


ContributionType = Annotated[
    str, BeforeValidator(_contribution_type), Field(json_schema_extra={"pattern": f"^{_TYPE}$"}, examples=["reviewed"])
]
