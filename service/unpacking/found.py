"""What unpacking returns: something to check, or why there is nothing."""

from dataclasses import dataclass
from typing import Final

from service.texts.display_names import one_line

MAX_FILE_BYTES: Final = 32 * 1024 * 1024
"""Of one file, and of one text."""
MAX_ENTRY_BYTES: Final = 16 * 1024 * 1024
"""Of one file in a ZIP."""
MAX_OPENED: Final = 500
"""Badges that are looked at in one request."""


@dataclass(frozen=True)
class Problem:
    """Why there is nothing to check, or what else a visitor should know.

    Args:
        code: stable kebab-case name, part of the interface.
        message: plain English, marked for the catalogues; it is translated where it is shown.
    """

    code: str
    message: str


@dataclass(frozen=True)
class Opened:
    """One thing that a visitor gave: exactly one of `url`, `received` and `problem` is set.

    Args:
        name: how the visitor recognises it: a file's name or its path in a ZIP, an address, the beginning of a text.
        url: an address to be checked.
        received: JSON, compact JWS, PNG or SVG to be checked.
        problem: why nothing in it can be checked.
        remarks: what to say beside the result.
        line: of the text, from 1; 0 where lines are not told (`Allowance.each_line`).
        file: name of the text file that the line is in; "" for a pasted text.
    """

    name: str
    url: str | None = None
    received: bytes | None = None
    problem: Problem | None = None
    remarks: tuple[Problem, ...] = ()
    line: int = 0
    file: str = ""


def shown_name(name: str) -> str:
    """Return a stranger's name for display: on one line, at most 200 characters, with its end."""
    text = one_line(name[:1000], 1000, gap=" ")
    return text if len(text) <= 200 else f"{text[:120]} ... {text[-70:]}"
