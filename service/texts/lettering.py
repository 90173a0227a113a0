"""Write a text as outlines.

So a picture with it looks the same on every machine. The fonts are those that the compiler brings, for Latin, Greek and
Cyrillic, and those in `fonts`: for the other scripts that most people write, and for emoji, in one colour. A letter that
they do not have is left out.
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
FONTS: Final = Path(__file__).parent / "fonts"
FAMILIES: Final = (
    "Libertinus Serif",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Gurmukhi",
    "Noto Sans Gujarati",
    "Noto Sans Oriya",
    "Noto Sans Tamil",
    "Noto Sans Telugu",
    "Noto Sans Kannada",
    "Noto Sans Malayalam",
    "Noto Sans Sinhala",
    "Noto Sans Thai",
    "Noto Sans Lao",
    "Noto Sans Khmer",
    "Noto Sans Myanmar",
    "Noto Sans Georgian",
    "Noto Sans Armenian",
    "Noto Sans Ethiopic",
    "Noto Sans CanAborig",
    "Noto Sans Cherokee",
    "Noto Sans NKo",
    "Noto Sans Ol Chiki",
    "Noto Sans Thaana",
    "Noto Sans Tifinagh",
    "Noto Sans CJK SC",
    "Noto Emoji",
    "DejaVu Sans Mono",
)
"""What is tried for a letter, in this order; a font's own order of search would depend on the text before it."""
MAX_LETTERS: Final = 200
"""How much of a text is looked at: no box holds more."""
LEFTWARDS: Final = frozenset({"R", "AL"})
JAPANESE: Final = re.compile("[\u3041-\u30ff\u31f0-\u31ff]")
"""Kana: beside them, Chinese characters have the shapes that Japanese readers know."""
_VIRAMA: Final = 9
_SKIN: Final = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_LEADING: Final = frozenset("เแโใไເແໂໃໄ")
JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
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
    shown = {**asdict(box), "text": written, "leftwards": is_leftwards(written), "lang": language_of(written)}
    drawn = _compiled("lettering.typ", {"shown": json.dumps(shown)}, "svg")
    root = fromstring(drawn)
    shapes = {f"#{symbol.get('id')}": symbol[0].get("d", "") for symbol in root.iter(f"{_SVG}symbol")}
    paths = "".join(_paths(root, shapes, ""))
    return f'<g transform="translate({box.x:g} {box.y:g})" fill="{colour}">{paths}</g>'


def legible(text: str) -> str:
    """Return the beginning of a text with only those letters that can be drawn, on one line."""
    plain = unicodedata.normalize("NFC", text[:MAX_LETTERS])
    seen = "".join(letter for letter in plain if letter in JOINERS or not _is_unseen(letter))
    kept = seen if has(seen) else "".join(letter if has(letter) else " " for letter in seen)
    loose = re.sub(rf"(?:(?<=\s)|^)[{JOINERS}]+|[{JOINERS}]+(?=\s|$)", "", kept)
    return " ".join(loose.split()) if any(map(_says_something, loose)) else ""


def clusters(text: str) -> list[str]:
    """Return the letters of a text, each with the marks that are written with it.

    A letter that is joined to the one before it is not parted from it: an emoji of several, consonants of an Indic
    script; nor is a vowel that Thai and Lao write before its consonant.
    """
    found: list[str] = []
    for letter in text:
        before = found[-1][-1] if found else ""
        marks = unicodedata.category(letter)[0] == "M" or letter in JOINERS or letter in _SKIN
        joined = before and (before in JOINERS or before in _LEADING or unicodedata.combining(before) == _VIRAMA)
        if found and (marks or joined) and not letter.isspace() and not before.isspace():
            found[-1] += letter
        else:
            found.append(letter)
    return found


def is_leftwards(text: str) -> bool:
    """Return whether a text is read from the right, as its first letter tells.

    Spec: Unicode Bidirectional Algorithm, rules P2 and P3.
    """
    first = next((kind for kind in map(unicodedata.bidirectional, text) if kind in {"L", *LEFTWARDS}), "L")
    return first in LEFTWARDS


def language_of(text: str) -> str:
    """Return the language whose letter shapes a text needs: ja where it has kana, otherwise en."""
    return "ja" if JAPANESE.search(text) else "en"


def _says_something(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter) == "So"


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
def has(text: str) -> bool:
    """Return whether the fonts have a letter, or all of a text."""
    if text.isascii():
        return True
    try:
        _compiled("letter.typ", {"shown": json.dumps({"letter": text}), "title": "Letter"}, "pdf")
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
        sys_inputs={**inputs, "families": json.dumps(FAMILIES)},
        pdf_standards="a-3a" if form == "pdf" else [],
    )
    assert isinstance(made, bytes)
    return made


@cache
def fonts() -> typst.Fonts:
    """Return the fonts that the compiler brings, and those beside this module."""
    return typst.Fonts(include_system_fonts=False, font_paths=[FONTS])
