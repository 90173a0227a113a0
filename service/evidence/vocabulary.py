"""The types of contributions that evidence may name."""

import re
from typing import Annotated, Any, Final

from pydantic import (
    BeforeValidator,
    Field,
)
from pydantic_core import PydanticCustomError

from service.bodies import LongLine

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
TAKEN_UP: Final = "taken-up"
"""The topic on which who shared a resource may have more: others took it up."""
ACCEPTED = "accepted"
"""The type of a contribution that accepts a version of the guidelines."""
GUIDELINES = "guidelines"
"""What an acceptance is about: its resource, and its tag, is `guidelines/` and the number of the version."""
_TYPE = f"({'|'.join(CONTRIBUTION_TYPES)}|x-[a-z0-9][a-z0-9_-]{{0,60}})"


_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}\+?")
_ADDRESS = re.compile(r"https?://[^\s<>\"{}|\\^`]+", re.IGNORECASE)


def _license(value: Any) -> Any:
    if isinstance(value, str) and not (_SPDX.fullmatch(value) or _ADDRESS.fullmatch(value)):
        raise PydanticCustomError(
            "license-invalid", "Expected an SPDX identifier such as CC-BY-4.0, or the address of the licence"
        )
    return value


License = Annotated[LongLine, BeforeValidator(_license)]
"""Under which licence something is shared: an identifier of the SPDX list, or the address of its text."""


def is_spdx(value: str) -> bool:
    """Return whether a licence is an identifier, and not an address."""
    return bool(_SPDX.fullmatch(value))


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
