"""Documents to keep on paper or in a file: PDF/A-3 with a file attached, and tagged, so that it can be read aloud.

The templates lie in `documents`. What they show comes to them as data, never as markup, and the only letters are those
that the compiler brings along, so that the same data makes the same bytes everywhere.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import typst

FOLDER: Final = Path(__file__).parent / "documents"
STANDARDS: Final[list[Any]] = ["a-3a", "ua-1"]
UNSHOWN: Final = "\u25af"
"""Stands for a character for which there are no letters."""


def pdf(template: str, shown: Mapping[str, Any], *, title: str, attached: str, at: datetime) -> bytes:
    """Return a document.

    Args:
        template: its file in `documents`; finds `shown` as JSON in `sys.inputs.shown`, and there also
            `unshown`, which is true where `UNSHOWN` stands for characters of scripts without letters here.
        title: of the document, as a reader of files lists it; no letters are needed for it.
        attached: the text of the file that is attached.
        at: when it was made, as the document says.
    """
    try:
        return _compiled(FOLDER / template, {**shown, "unshown": False}, title, attached, at)
    except typst.TypstError:  # a text that cannot be shown is refused by the standard, rather than left blank
        left = _each_text(shown, lambda text: "".join(letter if _has(letter) else UNSHOWN for letter in text))
        return _compiled(FOLDER / template, {**left, "unshown": True}, title, attached, at)


def _compiled(source: Path, shown: Mapping[str, Any], title: str, attached: str, at: datetime) -> bytes:
    return typst.compile(
        source,
        root=FOLDER,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"shown": json.dumps(shown), "title": title, "attached": attached},
        pdf_standards=STANDARDS,
        timestamp=at,
    )


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)


@lru_cache(maxsize=4096)
def _has(letter: str) -> bool:
    if letter.isascii():
        return True
    try:
        _compiled(FOLDER / "letter.typ", {"letter": letter}, "Letter", "", datetime(2000, 1, 1, tzinfo=UTC))
    except typst.TypstError:
        return False
    return True


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _each_text(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_each_text(inner, change) for inner in value]
    return value
