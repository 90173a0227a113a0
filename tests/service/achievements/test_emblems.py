"""The drawn picture of a badge: its names, its initials, and how far two of them differ."""

import random
import re
from io import BytesIO
from itertools import combinations

import pytest
from defusedxml.ElementTree import fromstring
from PIL import Image, ImageChops, ImageStat

from service.achievements.emblems import Emblem, drawn, monogram
from service.achievements.pictures import png

SCRIPTS = ("az", "AZ", "àž", "αω", "бя", "את", "بي", "कह", "กฮ", "あん", "一二", "가힣", "😀😎", "!/", "09")


def names(count: int) -> list[str]:
    """Return names in many scripts and lengths, the same each time."""
    chance = random.Random(12)
    made = []
    for _ in range(count):
        mixed = chance.sample(SCRIPTS, chance.choice((1, 1, 2, 4)))
        letters = [chr(chance.randint(*map(ord, pair))) for pair in chance.choices(mixed, k=200)]
        spaced = "".join(letter + (" " if chance.random() < 0.15 else "") for letter in letters)
        made.append(spaced[: chance.choice((1, 5, 20, 60, 200))])
    return made


def test_whatever_the_names_are_the_picture_is_a_whole_svg_and_png() -> None:
    for place, name in enumerate(names(200)):
        svg = drawn(Emblem(bytes([place]), name, name[::-1], place % 3 == 0))
        assert fromstring(svg).get("viewBox") == "0 0 512 512", name
        with Image.open(BytesIO(png(svg, 64, 64))) as picture:
            picture.load()
            assert picture.size == (64, 64), name
            assert picture.getpixel((32, 3))[3] == 255, name  # type: ignore[index]


def small(emblem: Emblem) -> Image.Image:
    with Image.open(BytesIO(png(drawn(emblem), 64, 64))) as picture:
        return picture.convert("RGB")


def test_the_badges_of_a_network_are_told_apart_at_64_pixels() -> None:
    titles = ("Sharer", "Peer reviewer", "Facilitator level 1", "Facilitator level 2", "Mentor", "Host", "Note taker")
    pictures = [small(Emblem(bytes([9, place]), title, "River", False)) for place, title in enumerate(titles)]
    for one, other in combinations(pictures, 2):
        difference = ImageStat.Stat(ImageChops.difference(one, other)).mean
        assert sum(difference) > 15  # of 765; two of the same colours and division differ by their initials


def test_two_badges_of_the_same_colours_are_told_apart_by_their_initials() -> None:
    one, other = small(Emblem(b"1", "Level 1", "River", False)), small(Emblem(b"1", "Level 2", "River", False))
    changed = ImageChops.difference(one, other).convert("L").point(lambda value: 255 * (value > 60))
    assert changed.getbbox() is not None
    assert sum(changed.crop((16, 8, 48, 28)).histogram()[255:]) > 30  # pixels of the initials


def test_the_colours_stay_from_version_to_version() -> None:
    grounds = [
        re.findall('fill="(#[0-9a-f]{6})"', drawn(Emblem(b"1", name, "River", False)))[:2] for name in ("A", "B")
    ]
    assert grounds[0] == grounds[1]


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Sharer", "Sh"),
        ("Peer reviewer", "PR"),
        ("Host of the circle", "HC"),
        ("Facilitator level 2", "FL2"),
        ("Level 12", "L12"),
        ("Facilitator level 12", "F12"),
        ("AI", "AI"),
        ("a", "A"),
        ("of the", "OT"),
        ("2026", "20"),
        ("7", "7"),
        ("\N{CROWN}", "\N{CROWN}"),
        ("\N{CUNEIFORM SIGN A}", ""),
        ("नमस्ते", "नम"),
        ("शिक्षक मित्र", "शिमि"),
        ("เพื่อน", "เพื่อ"),
        ("\N{PARTY POPPER} Helper \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}", "He"),
        ("日本語", "日"),
        ("한글 이름", "한"),
        ("", ""),
        ("привет мир", "ПМ"),
        ("שלום לכולם", "של"),
    ],
)
def test_the_initials_of_a_name(name: str, initials: str) -> None:
    assert monogram(name) == initials
