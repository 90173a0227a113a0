"""Write a text as outlines.

So a picture with it looks the same on every machine. The fonts are those that the compiler brings: for Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari and others, not for
Chinese, Japanese or emoji. A letter that they do not have is left out.
"""

import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal
from xml.etree.ElementTree import Element

import typst
from defusedxml.ElementTree import fromstring

FOLDER: Final = Path(__file__).parent / "documents"
MAX_LETTERS: Final = 200
"""How much of a text is looked at: no box holds more."""
LEFTWARDS: Final = frozenset({"R", "AL"})
_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"


@dataclass(frozen=True)
class Box:
    """Where a text goes, and how large its letters may be.

    Args:
        x: of the left edge.
        y: of the upper edge.
        width: of the box.
        height: of the box; all lines fit into it.
        largest: size of the letters of a short text.
        smallest: size below which a text is shortened instead.
        weight: of the letters, as in CSS.
        centred: whether the lines stand in the middle; otherwise at the side where reading begins.
    """

    x: float
    y: float
    width: float
    height: float
    largest: float
    smallest: float
    weight: int = 700
    centred: bool = True


def outlines(text: str, box: Box, colour: str) -> str:
    """Return the text as paths of SVG, as large as the box allows; "" if there is no letter that can be drawn.

    Args:
        colour: as in CSS; of ours, it is not escaped.
    """
    written = legible(text)
    if not written:
        return ""
    if len(text) > MAX_LETTERS:
        written += "…"
    first = next((letter for letter in map(unicodedata.bidirectional, written) if letter in {"L", *LEFTWARDS}), "L")
    shown = {**asdict(box), "text": written, "leftwards": first in LEFTWARDS}
    drawn = _compiled("lettering.typ", {"shown": json.dumps(shown)}, "svg")
    root = fromstring(drawn)
    shapes = {f"#{symbol.get('id')}": symbol[0].get("d", "") for symbol in root.iter(f"{_SVG}symbol")}
    paths = "".join(_paths(root, shapes, ""))
    return f'<g transform="translate({box.x:g} {box.y:g})" fill="{colour}">{paths}</g>'


def legible(text: str) -> str:
    """Return the beginning of a text with only those letters that can be drawn, on one line."""
    plain = unicodedata.normalize("NFC", text[:MAX_LETTERS])
    kept = [letter if has(letter) else " " for letter in plain if letter in _JOINERS or not _is_unseen(letter)]
    loose = re.sub(rf"(?:(?<=\s)|^)[{_JOINERS}]+|[{_JOINERS}]+(?=\s|$)", "", "".join(kept))
    return " ".join(loose.split()) if any(map(str.isalnum, loose)) else ""


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "C" and not letter.isspace()


def _paths(element: Element, shapes: dict[str, str], moved: str) -> list[str]:
    moved = f"{moved} {element.get('transform', '')}".strip()
    found = []
    for child in element:
        if child.tag == f"{_SVG}use":
            place = f"{moved} translate({child.get('x', '0')} {child.get('y', '0')})".strip()
            found.append(f'<path transform="{place}" d="{shapes[child.get(f"{_XLINK}href", "")].strip()}"/>')
        elif child.tag == f"{_SVG}g":
            found += _paths(child, shapes, moved)
    return found


@lru_cache(maxsize=4096)
def has(letter: str) -> bool:
    """Return whether the fonts have a letter."""
    if letter.isascii():
        return True
    try:
        _compiled("letter.typ", {"shown": json.dumps({"letter": letter}), "title": "Letter"}, "pdf")
    except typst.TypstError:  # PDF/A wants every letter to be shown
        return False
    return True


def _compiled(source: str, inputs: dict[str, str], form: Literal["pdf", "svg"]) -> bytes:
    made = typst.compile(
        FOLDER / source,
        root=FOLDER,
        font_paths=fonts(),
        ignore_system_fonts=True,
        format=form,
        sys_inputs=inputs,
        pdf_standards="a-3a" if form == "pdf" else [],
    )
    assert isinstance(made, bytes)
    return made


@cache
def fonts() -> typst.Fonts:
    """Return the fonts that the compiler brings."""
    return typst.Fonts(include_system_fonts=False)
