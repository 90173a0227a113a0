"""The picture of an achievement as SVG and PNG: a network's own, or one of ours.

Every picture exists in both forms, because credentials are baked into both. The same version of an achievement gives
the same bytes, until its network has another name. Pictures of a sandbox network have a ribbon that says TEST.
"""

import base64
from functools import lru_cache
from typing import Literal

import resvg_py
from sqlalchemy.orm import Session as OrmSession

from credentials import bake
from credentials.errors import ImageError
from service.achievements import emblems
from service.achievements.emblems import RIBBON, SIZE, sheet
from service.errors import InvalidError
from service.files import blobs
from service.tables import AchievementVersion, Network

Form = Literal["png", "svg"]
MEDIA_TYPES: dict[Form, str] = {"png": "image/png", "svg": "image/svg+xml"}


def picture(session: OrmSession, network: Network, version: AchievementVersion, form: Form) -> bytes:
    """Return the picture of an achievement, without a credential in it.

    A PNG that we draw is 512 pixels square; a network's own PNG stays as it was uploaded, its SVG as it was stored.
    """
    test = network.sandbox
    if version.image_sha256 is None:
        emblem = emblems.Emblem(version.achievement_id.bytes, version.name, network.name, test)
        return _drawn_png(emblem) if form == "png" else emblems.drawn(emblem).encode()
    own = blobs.get(session, network, version.image_sha256)
    if own.media_type == MEDIA_TYPES[form] and not test:
        return own.content
    if form == "png":
        return _framed_png(own.content, own.media_type, test)
    return _framed(own.content, own.media_type, test).encode()


def inert(session: OrmSession, network: Network, version: AchievementVersion, size: int) -> str:
    """Return the picture of an achievement as SVG that loads nothing in any reader.

    Args:
        size: a network's own picture becomes a PNG of so many pixels in it.
    """
    if version.image_sha256 is None:
        return picture(session, network, version, "svg").decode()
    return _framed(shrunk(picture(session, network, version, "png"), size), "image/png", False)


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
def _drawn_png(emblem: emblems.Emblem) -> bytes:
    return png(emblems.drawn(emblem))


@lru_cache(maxsize=16)
def _framed_png(content: bytes, media_type: str, test: bool) -> bytes:
    if media_type == "image/svg+xml":
        # Draw it by itself first: an SVG inside an SVG loses the pictures in it.
        content, media_type = png(content.decode()), "image/png"
    return png(_framed(content, media_type, test))


def png(svg: str, width: int = SIZE, height: int = SIZE) -> bytes:
    """Return the drawing as PNG, at most so many pixels wide and high.

    Raises:
        ValueError: it cannot be drawn.
    """
    try:
        return resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height)
    except (Exception, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the renderer panics on impossible sizes, and a panic is not an Exception
        raise ValueError("the renderer gave up") from error


@lru_cache(maxsize=16)
def shrunk(content: bytes, size: int) -> bytes:
    """Return a PNG as a square one of so many pixels.

    Raises:
        ValueError: it cannot be drawn.
    """
    return png(_framed(content, "image/png", False), size, size)


def _framed(content: bytes, media_type: str, test: bool) -> str:
    """Return a square SVG with the network's own picture in it, whole and undistorted."""
    data = base64.b64encode(content).decode()
    image = f'<image width="{SIZE}" height="{SIZE}" href="data:{media_type};base64,{data}"/>'
    return sheet(image + (RIBBON if test else ""))
