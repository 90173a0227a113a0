"""The picture that social networks and messengers show of a link.

It has 1200 by 630 pixels. It says what stays true in the caches of others for ever: a name, and where a badge can be checked, never that it is valid.
"""

import base64
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from credentials import Fetched
from service.achievements import pictures
from service.public import documents
from service.runtime.runtime import Runtime
from service.signing import issuers
from service.storage.database import ReadSession
from service.tables import Achievement, Network
from service.texts.languages import N_, Language
from service.texts.lettering import Box, outlines

WIDTH, HEIGHT = 1200, 630
BAND = 104
MAX_PIXELS = 2**24
PICTURE = Box(x=64, y=63, width=400, height=400, largest=1, smallest=1)
NAME = Box(x=520, y=150, width=616, height=270, largest=84, smallest=34, centred=False)
ABOVE = Box(x=520, y=84, width=616, height=52, largest=34, smallest=20, weight=400, centred=False)
LINE = Box(x=150, y=HEIGHT - BAND + 20, width=986, height=64, largest=36, smallest=20, weight=600, centred=False)
GROUND, INK, QUIET, GREEN, WHITE = "#f7f7f4", "#1d231f", "#565f58", "#1e6b49", "#ffffff"
MARK: Final = (Path(__file__).parents[1] / "web" / "static" / "laurel.svg").read_text(encoding="utf-8")
"""The laurel of the pages, 24 units wide."""
BADGE_LINE = N_("An Open Badge. Check it at %(host)s")
NETWORK_LINE = N_("Badges that anyone can check at %(host)s")


@dataclass(frozen=True)
class Preview:
    """What such a picture shows.

    Args:
        name: in large letters.
        above: over it; "" for nothing.
        line: at the bottom.
        picture: a PNG; without one, a laurel.
    """

    name: str
    above: str
    line: str
    picture: bytes | None


def of_achievement(session: ReadSession, runtime: Runtime, version_id: str, language: Language) -> Fetched | None:
    """Return the picture of a link to an achievement, and to each badge of it; None if it is not published."""
    version = documents.published_version(session, version_id)
    if version is None:
        return None
    network = session.get_one(Network, session.get_one(Achievement, version.achievement_id).network_id)
    picture = pictures.picture(session, network, version, "png")
    issuer = issuers.marked(network, network.name)
    return _png(Preview(version.name, issuer, _line(BADGE_LINE, runtime, language), picture))


def of_network(session: ReadSession, runtime: Runtime, slug: str, language: Language) -> Fetched | None:
    """Return the picture of a link to a network; None if there is no such network."""
    network = documents.network_named(session, slug)
    if network is None:
        return None
    own = documents.network_image(session, runtime, slug)
    name = issuers.marked(network, network.name)
    return _png(Preview(name, "", _line(NETWORK_LINE, runtime, language), shown_as(own)))


def of_home(runtime: Runtime, language: Language) -> Fetched:
    """Return the picture of a link to the home page, and to a badge that does not hold."""
    return _png(Preview("Laurel", "", _line(NETWORK_LINE, runtime, language), None))


@lru_cache(maxsize=16)
def drawn(preview: Preview) -> bytes:
    """Return a PNG."""
    if preview.picture is None:
        shown = _mark(114, 113, 300, GREEN)
    else:
        data = base64.b64encode(preview.picture).decode()
        at = f'x="{PICTURE.x:g}" y="{PICTURE.y:g}" width="{PICTURE.width:g}" height="{PICTURE.height:g}"'
        shown = f'<image {at} href="data:image/png;base64,{data}"/>'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{GROUND}"/>'
        f'<rect y="{HEIGHT - BAND}" width="{WIDTH}" height="{BAND}" fill="{GREEN}"/>'
        + shown
        + _mark(72, HEIGHT - BAND + 24, 56, WHITE)
        + outlines(preview.above, ABOVE, QUIET)
        + outlines(preview.name, NAME, INK)
        + outlines(preview.line, LINE, WHITE)
        + "</svg>"
    )
    return pictures.png(svg, WIDTH, HEIGHT)


def _mark(x: int, y: int, size: int, colour: str) -> str:
    return MARK.replace("<svg ", f'<svg x="{x}" y="{y}" width="{size}" height="{size}" ').replace(GREEN, colour)


def _line(text: str, runtime: Runtime, language: Language) -> str:
    return language.gettext(text, host=urlsplit(runtime.settings.base_url).netloc)


def _png(preview: Preview) -> Fetched:
    return Fetched(drawn(preview), "image/png")


def shown_as(own: Fetched | None) -> bytes | None:
    """Return a network's own picture as PNG; None if there is none that can be drawn, or it is too large."""
    if own is None:
        return None
    try:
        if own.media_type != "image/png":
            return pictures.png(own.body.decode())
        width, height = struct.unpack_from(">II", own.body, 16)
    except (ValueError, struct.error):
        return None
    return own.body if width * height <= MAX_PIXELS else None
