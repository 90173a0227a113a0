"""What each code of a problem means, and how to mend it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

from pydantic_core import core_schema

from credentials.findings import CODES

_FILE: Final = Path(__file__).parent / "documents" / "codes.toml"
SHAPES: Final = "Shapes that pydantic checks"
_FINDINGS: Final = "What a check finds in a credential"
_OF_SHAPES: Final = (
    "The value has another type or form than the description of the API gives for this place.",
    "Send what the sentence says that it expected; /openapi.json has the shape of every body.",
)
_IN_PARTICULAR: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("A member, a parameter or the whole body is missing.", "Add what the sentence names."),
    "extra-forbidden": (
        "A body has a member that is not known there.",
        "Use one of the members that the sentence lists; it may be misspelt. Nothing unknown is passed over.",
    ),
    "literal-error": ("A text is not one of the words that are known there.", "Use one that the sentence lists."),
}
"""Types of pydantic's that need other words than all the rest."""


@dataclass(frozen=True)
class Code:
    """One code.

    Args:
        answered: with which HTTP statuses it comes, or where else it stands.
    """

    code: str
    answered: str
    means: str
    mend: str


@cache
def groups() -> Mapping[str, tuple[Code, ...]]:
    """Return every code, by what it is about."""
    read: dict[str, dict[str, Any]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    found = {title: tuple(Code(code, *said) for code, said in codes.items()) for title, codes in read.items()}
    shapes = sorted(each.replace("_", "-") for each in get_args(core_schema.ErrorType))
    found[SHAPES] = tuple(Code(each, "422", *_IN_PARTICULAR.get(each, _OF_SHAPES)) for each in shapes)
    mend = "Mend the document if it is yours; if it is somebody's badge, only its issuer can."
    where = "in a report; 400, 422 or 502 where the request cannot go on"
    named = {each.code for codes in found.values() for each in codes}
    found[_FINDINGS] = tuple(Code(code, where, means, mend) for code, means in CODES.items() if code not in named)
    return found


@cache
def every() -> Mapping[str, Code]:
    """Return every code by its name."""
    return {each.code: each for codes in groups().values() for each in codes}
