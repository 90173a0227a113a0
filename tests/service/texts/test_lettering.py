"""Texts as outlines: in their box, shortened where they must be, and never a box in place of a letter."""

import re
from io import BytesIO

import pytest
import resvg_py
from PIL import Image

from service.texts.lettering import Box, legible, outlines

BOX = Box(x=20, y=30, width=200, height=60, largest=40, smallest=14)
LONG = "A name that goes on and on without an end that anybody could see from here, and then some more of it " * 3


def ink(text: str, box: Box = BOX) -> tuple[int, int, int, int] | None:
    """Return the edges of what is drawn, on a canvas larger than the box."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">{outlines(text, box, "#000")}</svg>'
    with Image.open(BytesIO(resvg_py.svg_to_bytes(svg_string=svg))) as drawn:
        return drawn.getchannel("A").getbbox()


@pytest.mark.parametrize(
    "text", ["Sharer", LONG, "x" * 200, "Peer reviewer of the autumn circle", "שלום לכולם", "नमस्ते"]
)
def test_a_text_stays_within_its_box(text: str) -> None:
    edges = ink(text)
    assert edges is not None
    left, top, right, bottom = edges
    assert left >= BOX.x - 2
    assert right <= BOX.x + BOX.width + 2
    assert top >= BOX.y - 2
    assert bottom <= BOX.y + BOX.height + 2


def test_a_short_text_is_larger_than_a_long_one() -> None:
    short, long = ink("Sharer"), ink("Sharer of many things in this circle")
    assert short is not None
    assert long is not None
    assert outlines("Sharer", BOX, "#000") != outlines("Sharer of many", BOX, "#000")
    assert (short[3] - short[1]) > 20


def _shapes(text: str, box: Box) -> list[str]:
    return re.findall(r' d="([^"]+)"', outlines(text, box, "#000"))


def test_a_text_that_is_too_long_ends_in_an_ellipsis() -> None:
    small = Box(x=0, y=0, width=200, height=60, largest=14, smallest=14)
    ellipsis = _shapes("a…", small)[-1]
    assert _shapes(LONG, small)[-1] == ellipsis
    assert _shapes("x" * 200, small)[-1] == ellipsis
    assert ellipsis not in _shapes("Sharer", small)


def test_a_text_that_was_not_looked_at_to_its_end_says_so_in_a_large_box_too() -> None:
    large = Box(x=0, y=0, width=900, height=600, largest=14, smallest=14)
    ellipsis = _shapes("a…", large)[-1]
    assert _shapes("name " * 60, large)[-1] == ellipsis
    assert ellipsis not in _shapes("name " * 20, large)


def test_what_is_read_from_the_right_begins_there() -> None:
    box = Box(x=20, y=30, width=200, height=60, largest=20, smallest=14, centred=False)
    arabic, latin = ink("مرحبا", box), ink("Salaam", box)
    assert arabic is not None
    assert latin is not None
    assert arabic[2] > 210
    assert latin[0] < 30


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("River \N{CROWN} Circle", "River \N{CROWN} Circle"),
        ("日本 Circle", "日本 Circle"),
        ("\N{CROWN}!", "\N{CROWN}!"),
        ("River \N{CUNEIFORM SIGN A} Circle", "River Circle"),
        ("\N{CUNEIFORM SIGN A}", ""),
        ("\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}", "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"),
        ("...", ""),
        ("a\nb\tc", "a b c"),
        ("a\0b\x1b\N{RIGHT-TO-LEFT OVERRIDE}c", "abc"),
        ("e\N{COMBINING ACUTE ACCENT}t\N{LATIN SMALL LETTER E WITH ACUTE}", "été"),
        ("می\N{ZERO WIDTH NON-JOINER}خواهم", "می\N{ZERO WIDTH NON-JOINER}خواهم"),
    ],
)
def test_only_letters_that_the_fonts_have_are_drawn(text: str, left: str) -> None:
    assert legible(text) == left


def test_of_a_text_without_letters_nothing_is_drawn() -> None:
    assert outlines("...", BOX, "#000") == outlines("\N{CUNEIFORM SIGN A}", BOX, "#000") == ""


def test_what_looks_like_markup_is_drawn_as_it_is_written() -> None:
    drawn = outlines('#set page() <script>"*x*" & $y$', BOX, "#000")
    assert len(_shapes('#set page() <script>"*x*" & $y$', BOX)) > 20
    assert "script" not in drawn
