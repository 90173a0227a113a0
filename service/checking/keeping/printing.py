"""Compile PDF/A-3 documents, tagged for reading aloud, with a file attached.

The templates are in `documents`. They get what they show as data, never as markup, and the only fonts are those that
the compiler brings, so that the same data makes the same bytes everywhere.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst

from service.texts import lettering

FOLDER: Final = Path(__file__).parent / "documents"
STANDARDS: Final[list[Any]] = ["a-3a", "ua-1"]
UNSHOWN: Final = "\u25af"
"""Replaces a character that no font has."""


def pdf(template: str, shown: Mapping[str, Any], *, title: str, attached: str, at: datetime) -> bytes:
    """Return a document as PDF.

    Args:
        template: its file in `documents`; it finds `shown` as JSON in `sys.inputs.shown`, with `unshown` added: whether
            `UNSHOWN` replaces characters that no font has.
        title: of the document, as PDF readers show it; it needs no font.
        attached: the text of the attached file.
        at: the time that the document gives for its making.
    """
    try:
        return _compiled(FOLDER / template, {**shown, "unshown": False}, title, attached, at)
    except typst.TypstError:  # the standard refuses a text that cannot be shown, instead of leaving it blank
        left = _each_text(shown, lambda text: "".join(letter if lettering.has(letter) else UNSHOWN for letter in text))
        return _compiled(FOLDER / template, {**left, "unshown": True}, title, attached, at)


def _compiled(source: Path, shown: Mapping[str, Any], title: str, attached: str, at: datetime) -> bytes:
    return typst.compile(
        source,
        root=FOLDER,
        font_paths=lettering.fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"shown": json.dumps(shown), "title": title, "attached": attached},
        pdf_standards=STANDARDS,
        timestamp=at,
    )


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _each_text(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_each_text(inner, change) for inner in value]
    return value
