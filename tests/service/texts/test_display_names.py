"""One rule for what strangers call themselves and each other: nothing unseen, on one line, nothing legitimate lost."""

import re
import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.texts.display_names import MAX_NAME, one_line

JOINERS = "\u200c\u200d"
BREAKS = "\u00ad\u200b\u2060\ufeff"
INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@pytest.fixture(scope="module")
def signs() -> dict[str, set[str]]:
    """Return every sign of Unicode, parted into those that a reader sees and those that nobody sees."""
    every = {chr(number) for number in range(sys.maxunicode + 1)}
    controls = {sign for sign in every if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn"}}
    unprinted = {sign for sign in every if not sign.isprintable() or INVISIBLE.match(sign)}
    unseen = (controls | unprinted) - set(JOINERS)
    return {"seen": every - unseen - set(JOINERS) - {" "}, "unseen": unseen}


@pytest.mark.parametrize(
    ("gap", "are_meant", "shown"),
    [
        ("", str.isspace, "a b"),
        ("", lambda sign: not sign.isspace(), "ab"),
        (" ", lambda sign: sign not in BREAKS, "a b"),
        (" ", lambda sign: sign in BREAKS, "ab"),
    ],
    ids=["spaces", "unseen", "unseen-between-words", "breaks"],
)
def test_nothing_unseen_stays_by_any_measure_and_no_words_grow_together(
    signs: dict[str, set[str]], gap: str, are_meant: Callable[[str], bool], shown: str
) -> None:
    text = "|".join(f"a{sign}b" for sign in sorted(signs["unseen"]) if are_meant(sign))
    assert set(one_line(text, len(text), gap).split("|")) == {shown}


def test_everything_that_is_seen_stays(signs: dict[str, set[str]]) -> None:
    text = "".join(sorted(signs["seen"]))
    assert one_line(text, len(text)) == text


@pytest.mark.parametrize(
    "name",
    [
        "می\u200cکند",
        "👩\u200d🏫",
        "❤️",
        "🏴",
        "🇪🇺",
        "Zoë Ångström",
        "e\u0301",
        "שָׁלוֹם",
        "مدرسة",
        "क्\u200dष",
        "學校",
        "O'Neil & Søns <3",
    ],
)
def test_names_of_all_scripts_stay_as_they_are(name: str) -> None:
    assert one_line(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", "\n", JOINERS, f" {JOINERS}\n{JOINERS}", BREAKS, "\u202e", None, 7, ["a"], {}]
)
def test_what_shows_nothing_is_no_name(name: object) -> None:
    assert one_line(name) == one_line(name, gap=" ") == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x" * MAX_NAME, "x" * MAX_NAME),
        ("x" * (MAX_NAME + 1), "x" * (MAX_NAME - 1) + "…"),
        ("x" * (MAX_NAME - 2) + " yz", "x" * (MAX_NAME - 2) + "…"),
        ("\u202e" * 4 * MAX_NAME + "x", ""),
    ],
)
def test_of_a_long_name_the_beginning_is_shown(name: str, shown: str) -> None:
    assert one_line(name) == shown


@given(st.text(st.characters(), max_size=60), st.integers(5, 40), st.sampled_from(["", " "]))
def test_any_text_becomes_one_short_line_that_does_not_change_again(text: str, limit: int, gap: str) -> None:
    line = one_line(text, limit, gap)
    assert len(line) <= limit
    assert "".join(sign for sign in line if sign not in JOINERS).isprintable()
    assert line == " ".join(line.split())
    assert one_line(line, limit, gap) == line
