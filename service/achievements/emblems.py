"""The picture of an achievement whose network gave none.

It has the names of both in a laurel wreath. Letters are outlines, so that they do not depend on the fonts of the machine. Two badges are told apart when they are
small by their colours, the way the disc is divided, and the initials.
"""

import hashlib
import math
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from service.texts.lettering import JOINERS, Box, clusters, legible, outlines

SIZE = 512
CENTRE = SIZE / 2

# Two dark colours and two light ones: each dark one has a contrast above 3:1 with each light one.
PALETTES = (
    ("#1f6b4a", "#0d3b2a", "#d8f3dc", "#7cc9a0"),
    ("#2b4a8b", "#142452", "#dbe7ff", "#86a8e8"),
    ("#6a2f73", "#36123d", "#f3dcf7", "#c58bd0"),
    ("#14696b", "#083a3d", "#d3f5f0", "#6fc7bf"),
    ("#8a2b42", "#4a1020", "#ffdfe4", "#e38b9d"),
    ("#4a43a8", "#231f5c", "#e4e2ff", "#a29cf0"),
    ("#3f5468", "#1d2a38", "#e3edf6", "#9db6cc"),
    ("#9a4a1f", "#56230b", "#ffe6d3", "#eeab7d"),
    ("#146a96", "#07364f", "#d5f0ff", "#74bfe6"),
    ("#5d6b26", "#2d3610", "#f0f6d0", "#bccb75"),
)
GOLD = ("#fdeeb5", "#e9c063", "#c8923a")
WHITE = "#ffffff"
# How the disc is divided, as shields are: what is drawn in the second colour.
DIVISIONS = (
    "",
    "M256 0h256v512h-256Z",
    "M0 512L512 0V512Z",
    "M0 0L512 512V0Z",
    "M0 256L256 0L512 256L256 512Z",
    "M0 0h171v512h-171ZM341 0h171v512h-171Z",
    "M256 256L362 0H150ZM256 256L512 150V362ZM256 256L150 512H362ZM256 256L0 362V150Z",
)
# Length of the back and front petals, and how much of their sector each fills.
ROSETTES = ((104, 0.62, 116, 0.74), (112, 0.70, 112, 0.52), (116, 0.46, 100, 0.80))
PETALS = (5, 6, 7, 8)
LEAVES = 11
WREATH_RADIUS = 205
LITTLE_WORD = 3

RIBBON = (
    '<g transform="rotate(-9 256 384) translate(256 384) scale(.87) translate(-256 -384)">'
    '<path d="M24 348l-46 12l22 38l-22 38l60-12ZM488 348l46 12l-22 38l22 38l-60-12Z" fill="#7f1218"/>'
    '<rect x="14" y="338" width="484" height="92" rx="6" fill="#c8202b" stroke="#fff" stroke-width="5"/>'
    '<path d="M109 360h52M135 360v48M187 360h46M187 384h38M187 408h46M187 360v48'
    "M305 368c-4-8-14-10-24-8-16 2-18 20-2 23l12 2c18 4 14 24-4 24-12 0-22-4-25-11"
    'M333 360h52M359 360v48" fill="none" stroke="#fff" stroke-width="13" stroke-linecap="round" '
    'stroke-linejoin="round"/></g>'
)


@dataclass(frozen=True)
class Emblem:
    """What such a picture shows.

    Args:
        seed: chooses the colours; it stays the same from version to version.
        name: of the badge.
        network: its name.
        test: whether a ribbon says TEST.
    """

    seed: bytes
    name: str
    network: str
    test: bool


@lru_cache(maxsize=64)
def drawn(emblem: Emblem) -> str:
    """Return the picture as SVG."""
    digest = hashlib.sha256(emblem.seed).digest()
    centre, rim, light, shade = PALETTES[digest[0] % len(PALETTES)]
    pale = digest[3] % 2 == 1
    ground, second, ink = (light, shade, rim) if pale else (centre, rim, WHITE)
    division = DIVISIONS[digest[4] % len(DIVISIONS)]
    stems, leaves = zip(_branch(1), _branch(-1), strict=True)
    leaf = centre if pale else "url(#gold)"
    return sheet(
        '<defs><linearGradient id="gold" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0" stop-color="{GOLD[0]}"/><stop offset=".55" stop-color="{GOLD[1]}"/>'
        f'<stop offset="1" stop-color="{GOLD[2]}"/></linearGradient>'
        '<clipPath id="disc"><circle cx="256" cy="256" r="234"/></clipPath></defs>'
        '<circle cx="256" cy="256" r="250" fill="url(#gold)"/>'
        f'<circle cx="256" cy="256" r="240" fill="{rim}"/><circle cx="256" cy="256" r="234" fill="{ground}"/>'
        f'<path d="{division}" fill="{second}" fill-opacity="{0.5 if pale else 0.75}" clip-path="url(#disc)"/>'
        f'<path d="{"".join(leaves)}" fill="{leaf}" stroke="{ground}" stroke-width="2"/>'
        f'<path d="{"".join(stems)}" fill="none" stroke="{leaf}" stroke-width="4" stroke-linecap="round"/>'
        f'<path d="M256 446l13 13l-13 13l-13-13Z" fill="{leaf}" stroke="{ground}" stroke-width="2"/>'
        + (_words(emblem, ink) or _flower(digest, light, shade, rim))
        + (RIBBON if emblem.test else "")
    )


def monogram(name: str) -> str:
    """Return what stands for a name in a small picture, at most three letters.

    They are the initials of the first two words, little words apart, and the last word if it is a number; of one word, its
    first two letters; of a name without words, its first sign. Letters as wide as Chinese ones stand alone.
    """
    written = legible(name)
    found = "".join(map(_of_words, written)).split()
    words = [clusters(word) for word in found if any(map(str.isalnum, word))]
    if not words:
        return "".join(clusters(written)[:1])
    if unicodedata.east_asian_width(words[0][0][0]) == "W":
        return words[0][0]
    last = "".join(words[-1])
    number = "".join(words.pop()) if last.isdecimal() and len(last) <= 2 else ""
    if len(words) < 2:
        word = words[0] if words else []
        plain = "".join(word).isupper() or not word
        return "".join((word if plain else [word[0].upper(), *word[1:]])[: 1 if number else 2]) + number
    telling = [word for word in words if len(word) > LITTLE_WORD or not "".join(word).islower()]
    first = telling if len(telling) > 1 else words
    return "".join(word[0].upper() for word in first[: 3 - max(1, len(number))]) + number


def _of_words(letter: str) -> str:
    """Return a letter or mark, and a space for everything else."""
    return letter if letter.isalnum() or letter in JOINERS or unicodedata.category(letter)[0] == "M" else " "


def sheet(drawing: str) -> str:
    """Return a square SVG with a drawing on it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">'
        f"{drawing}</svg>"
    )


def _words(emblem: Emblem, ink: str) -> str:
    """Return initials, name and network; where a ribbon covers what is below, they stand closer."""
    if emblem.test:
        boxes = Box(146, 62, 220, 126, 150, 60), Box(92, 190, 328, 84, 42, 20), Box(92, 278, 328, 40, 24, 15, 400)
    else:
        boxes = Box(136, 66, 240, 150, 170, 60), Box(90, 218, 332, 114, 46, 20), Box(122, 340, 268, 62, 26, 15, 400)
    texts = monogram(emblem.name), emblem.name, emblem.network
    return "".join(outlines(text, box, ink) for text, box in zip(texts, boxes, strict=True))


def _flower(digest: bytes, light: str, shade: str, rim: str) -> str:
    """Return a rosette, for names without a letter that can be drawn."""
    petals, rosette = PETALS[digest[1] % len(PETALS)], ROSETTES[digest[2] % len(ROSETTES)]
    return (
        _rosette(petals, rosette, light, shade, rim)
        + f'<circle cx="256" cy="256" r="19" fill="url(#gold)" stroke="{rim}" stroke-width="4"/>'
    )


def _branch(side: int) -> tuple[str, str]:
    """Return stem and leaves of one half of the wreath, from the bottom up.

    Args:
        side: 1 (right) or -1 (left).
    """

    def at(degrees: float) -> tuple[float, float, float]:
        """Return a point of the stem and the direction in which it grows there."""
        angle = math.radians(degrees)
        growth = math.degrees(math.atan2(-math.cos(angle), side * math.sin(angle)))
        return CENTRE + side * WREATH_RADIUS * math.cos(angle), CENTRE + WREATH_RADIUS * math.sin(angle), growth

    leaves = []
    for place in range(LEAVES):
        along = place / (LEAVES - 1)
        x, y, growth = at(80 - 136 * along)
        scale, spread = 0.66 - 0.16 * along, 38 - 6 * along
        leaves += [
            _leaf(x, y, growth + side * spread, 72 * scale, 31 * scale),
            _leaf(x, y, growth - side * spread, 62 * scale, 31 * scale),
        ]
    x, y, growth = at(-60)
    leaves.append(_leaf(x, y, growth, 32, 13))
    (from_x, from_y, _), (to_x, to_y, _) = at(97), at(-60)
    sweep = 0 if side > 0 else 1
    radius = WREATH_RADIUS
    stem = f"M{_n(from_x)} {_n(from_y)}A{radius} {radius} 0 0 {sweep} {_n(to_x)} {_n(to_y)}"
    return stem, "".join(leaves)


def _rosette(petals: int, shape: tuple[float, float, float, float], light: str, shade: str, rim: str) -> str:
    back_length, back_fill, front_length, front_fill = shape
    sector = 2 * 112 * math.sin(math.pi / petals)

    def ring(turn: float, length: float, width: float) -> str:
        step = 360 / petals
        return "".join(_leaf(CENTRE, CENTRE, -90 + step * (place + turn), length, width) for place in range(petals))

    return (
        f'<g stroke="{rim}" stroke-width="3" stroke-linejoin="round">'
        f'<path d="{ring(0.5, back_length, sector * back_fill)}" fill="{shade}"/>'
        f'<path d="{ring(0, front_length, sector * front_fill)}" fill="{light}"/></g>'
        f'<path d="{ring(0, front_length * 0.62, sector * front_fill * 0.42)}" fill="{shade}" fill-opacity=".55"/>'
    )


def _leaf(x: float, y: float, degrees: float, length: float, width: float) -> str:
    """Return a pointed leaf that grows from (x, y) in the given direction."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def point(along: float, across: float) -> str:
        u, v = along * length, across * width
        return f"{_n(x + u * cos - v * sin)} {_n(y + u * sin + v * cos)}"

    return (
        f"M{point(0, 0)}C{point(0.22, -0.62)} {point(0.72, -0.6)} {point(1, 0)}"
        f"C{point(0.72, 0.6)} {point(0.22, 0.62)} {point(0, 0)}Z"
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
