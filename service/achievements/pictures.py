"""The picture of an achievement as SVG and PNG: the network's own, or a laurel.

Every picture exists in both forms, because credentials are baked into both. The same achievement gives the
same bytes, so a picture can be cached by its address. Pictures of a sandbox network have a ribbon that says
TEST, drawn as paths, so that it does not depend on the fonts of the machine.
"""

import base64
import hashlib
import math
from functools import lru_cache
from typing import Literal

import resvg_py
from sqlalchemy.orm import Session as OrmSession

from credentials import bake
from credentials.errors import ImageError
from service.errors import InvalidError
from service.files import blobs
from service.tables import AchievementVersion, Network

Form = Literal["png", "svg"]
MEDIA_TYPES: dict[Form, str] = {"png": "image/png", "svg": "image/svg+xml"}
SIZE = 512
CENTRE = SIZE / 2

# Disc (centre, rim) and rosette (light, shade): each pair has a contrast above 3:1 for people with low vision.
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
# Length of the back and front petals, and how much of their sector each fills.
ROSETTES = ((104, 0.62, 116, 0.74), (112, 0.70, 112, 0.52), (116, 0.46, 100, 0.80))
PETALS = (5, 6, 7, 8)
LEAVES = 9
WREATH_RADIUS = 182

RIBBON = (
    '<g transform="rotate(-9 256 384) translate(256 384) scale(.87) translate(-256 -384)">'
    '<path d="M24 348l-46 12l22 38l-22 38l60-12ZM488 348l46 12l-22 38l22 38l-60-12Z" fill="#7f1218"/>'
    '<rect x="14" y="338" width="484" height="92" rx="6" fill="#c8202b" stroke="#fff" stroke-width="5"/>'
    '<path d="M109 360h52M135 360v48M187 360h46M187 384h38M187 408h46M187 360v48'
    "M305 368c-4-8-14-10-24-8-16 2-18 20-2 23l12 2c18 4 14 24-4 24-12 0-22-4-25-11"
    'M333 360h52M359 360v48" fill="none" stroke="#fff" stroke-width="13" stroke-linecap="round" '
    'stroke-linejoin="round"/></g>'
)


def picture(session: OrmSession, network: Network, version: AchievementVersion, form: Form) -> bytes:
    """Return the picture of an achievement, without a credential in it.

    A PNG that we draw is 512 pixels square; a network's own PNG stays as it was uploaded, its SVG as it was stored.
    """
    test = network.sandbox
    if version.image_sha256 is None:
        seed = version.achievement_id.bytes
        return _drawn_png(seed, test) if form == "png" else _drawn(seed, test).encode()
    own = blobs.get(session, network, version.image_sha256)
    if own.media_type == MEDIA_TYPES[form] and not test:
        return own.content
    if form == "png":
        return _framed_png(own.content, own.media_type, test)
    return _framed(own.content, own.media_type, test).encode()


def check(session: OrmSession, network: Network, sha256: str) -> None:
    """Refuse a picture that cannot be drawn, or into which no credential can be baked.

    Raises:
        InvalidError: it is such a picture (code "picture-unreadable").
    """
    own = blobs.get(session, network, sha256)
    try:
        bake(own.content, "{}")
        _framed_png(own.content, own.media_type, False)
    except (ImageError, ValueError) as error:
        raise InvalidError("picture-unreadable", "Expected a whole PNG or SVG that can be drawn.", "/image") from error


@lru_cache(maxsize=256)
def _drawn_png(seed: bytes, test: bool) -> bytes:
    return _png(_drawn(seed, test))


@lru_cache(maxsize=16)
def _framed_png(content: bytes, media_type: str, test: bool) -> bytes:
    if media_type == "image/svg+xml":
        # Draw it by itself first: an SVG inside an SVG loses the pictures in it.
        content, media_type = _png(content.decode()), "image/png"
    return _png(_framed(content, media_type, test))


def _png(svg: str, size: int = SIZE) -> bytes:
    """Return the drawing as PNG, at most so many pixels wide and high.

    Raises:
        ValueError: it cannot be drawn.
    """
    try:
        return resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size)
    except (Exception, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the renderer panics on impossible sizes, and a panic is not an Exception
        raise ValueError("the renderer gave up") from error


def shrunk(png: bytes, size: int) -> bytes:
    """Return a PNG as a square one of so many pixels.

    Raises:
        ValueError: it cannot be drawn.
    """
    return _png(_framed(png, "image/png", False), size)


def _framed(content: bytes, media_type: str, test: bool) -> str:
    """Return a square SVG with the network's own picture in it, whole and undistorted."""
    data = base64.b64encode(content).decode()
    image = f'<image width="{SIZE}" height="{SIZE}" href="data:{media_type};base64,{data}"/>'
    return _sheet(image + (RIBBON if test else ""))


def _sheet(drawing: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">'
        f"{drawing}</svg>"
    )


@lru_cache(maxsize=256)
def _drawn(seed: bytes, test: bool) -> str:
    """Return the default picture: a rosette in a laurel wreath.

    Colours and petals follow from the seed.
    """
    digest = hashlib.sha256(seed).digest()
    centre, rim, light, shade = PALETTES[digest[0] % len(PALETTES)]
    petals, rosette = PETALS[digest[1] % len(PETALS)], ROSETTES[digest[2] % len(ROSETTES)]
    stems, leaves = zip(_branch(1), _branch(-1), strict=True)
    return _sheet(
        '<defs><radialGradient id="disc" cx="50%" cy="38%" r="68%">'
        f'<stop offset="0" stop-color="{centre}"/><stop offset="1" stop-color="{rim}"/></radialGradient>'
        '<linearGradient id="gold" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0" stop-color="{GOLD[0]}"/><stop offset=".55" stop-color="{GOLD[1]}"/>'
        f'<stop offset="1" stop-color="{GOLD[2]}"/></linearGradient></defs>'
        '<circle cx="256" cy="256" r="248" fill="url(#gold)"/>'
        f'<circle cx="256" cy="256" r="238" fill="{rim}"/><circle cx="256" cy="256" r="232" fill="url(#disc)"/>'
        f'<path d="{"".join(leaves)}" fill="url(#gold)" stroke="{rim}" stroke-width="2.5"/>'
        f'<path d="{"".join(stems)}" fill="none" stroke="{GOLD[1]}" stroke-width="5" stroke-linecap="round"/>'
        f'<path d="M256 424l15 15l-15 15l-15-15Z" fill="url(#gold)" stroke="{rim}" stroke-width="2.5"/>'
        + _rosette(petals, rosette, light, shade, rim)
        + f'<circle cx="256" cy="256" r="19" fill="url(#gold)" stroke="{rim}" stroke-width="4"/>'
        + (RIBBON if test else "")
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
        x, y, growth = at(79 - 130 * along)
        scale, spread = 1 - 0.3 * along, 40 - 6 * along
        leaves += [
            _leaf(x, y, growth + side * spread, 72 * scale, 31 * scale),
            _leaf(x, y, growth - side * spread, 62 * scale, 31 * scale),
        ]
    x, y, growth = at(-58)
    leaves.append(_leaf(x, y, growth, 48, 20))
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
