"""Compile the documents of checks as PDF.

The templates are in `documents`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from service.texts import lettering, printing

FOLDER: Final = Path(__file__).parent / "documents"
UNSHOWN: Final = "\u25af"
"""Replaces a character that no font has."""


def pdf(template: str, shown: Mapping[str, Any], *, title: str, attached: str, at: datetime) -> bytes:
    """Return a document as PDF/A-3 and PDF/UA.

    Args:
        template: its file in `documents`; it finds `shown` as JSON in `sys.inputs.shown`, with `unshown` added: whether
            `UNSHOWN` replaces characters that no font has.
        title: of the document, as PDF readers show it; it needs no font.
        attached: the text of the attached file.
        at: the time that the document gives for its making.
    """
    source = FOLDER / template
    try:
        return printing.compiled(source, {**shown, "unshown": False}, title=title, attached=attached, at=at)
    except printing.UnshownError:  # the standard refuses a text that cannot be shown, instead of leaving it blank
        left = _each_text(shown, lambda text: "".join(letter if lettering.has(letter) else UNSHOWN for letter in text))
        return printing.compiled(source, {**left, "unshown": True}, title=title, attached=attached, at=at)


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _each_text(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_each_text(inner, change) for inner in value]
    return value
