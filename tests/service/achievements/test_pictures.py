"""What picture an achievement has, in both forms."""

import base64
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import resvg_py
from defusedxml.ElementTree import fromstring
from fastapi.testclient import TestClient

from service.access.act import Act
from service.achievements import pictures
from service.achievements.emblems import RIBBON
from service.errors import InvalidError
from service.files import blobs
from service.networks import networks
from service.networks.networks import NetworkIn
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.tables import Achievement, AchievementVersion
from tests.worlds.awarding import Stage

pytestmark = pytest.mark.any_database("pictures are drawn; no query is made for them")

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><rect width="200" height="100" fill="#00f"/></svg>'
BLUE = (0, 0, 255, 255)
RED = (200, 32, 43, 255)
ON_THE_RIBBON = (80, 420)


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place < len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        yield kind, content[place + 8 : place + 8 + length]
        place += 12 + length


def pixels(content: bytes) -> tuple[int, int, Callable[[int, int], tuple[int, ...]]]:
    """Return width, height and a function from (x, y) to the colour there, of a PNG with 8-bit RGBA."""
    parts = list(chunks(content))
    width, height, *form = struct.unpack(">IIBBBBB", parts[0][1])
    assert form == [8, 6, 0, 0, 0]
    data = zlib.decompress(b"".join(data for kind, data in parts if kind == b"IDAT"))
    stride = width * 4
    rows = [bytearray(stride)]
    for y in range(height):
        start = y * (stride + 1)
        row, above = bytearray(data[start + 1 : start + 1 + stride]), rows[-1]
        for x in range(stride):
            left, corner = (row[x - 4], above[x - 4]) if x >= 4 else (0, 0)
            row[x] = (row[x] + unfiltered(data[start], left, above[x], corner)) & 0xFF
        rows.append(row)
    return width, height, lambda x, y: tuple(rows[y + 1][x * 4 : x * 4 + 4])


def unfiltered(kind: int, left: int, up: int, corner: int) -> int:
    """Return what a PNG filter took away. Spec: PNG (third edition), section 9.2."""
    guess = left + up - corner
    nearest = min((left, up, corner), key=lambda value: abs(guess - value))
    return (0, left, up, (left + up) // 2, nearest)[kind]


def own_png(width: int = 64, height: int = 32) -> bytes:
    data = zlib.compress((b"\0" + bytes(BLUE) * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


class Studio:
    """A network whose achievements have pictures."""

    def __init__(self, runtime: Runtime, session: WriteSession, *, sandbox: bool = False) -> None:
        body = {"slug": "river", "name": "River", "kind": "informal", "url": "https://river.example.org"}
        described = NetworkIn.model_validate(body | {"time_zone": "UTC", "sandbox": sandbox})
        self.runtime, self.session = runtime, session
        self.network = networks.create_network(session, runtime, described, runtime.now())

    def achievement(self, picture: bytes | None = None) -> AchievementVersion:
        now = self.runtime.now()
        sha256 = None
        if picture is not None:
            row, _ = blobs.store(Act(self.session, self.network, None, now), self.runtime, picture)
            sha256 = row.sha256
        achievement = Achievement(network_id=self.network.id, ref=str(uuid4()), created_at=now)
        self.session.add(achievement)
        self.session.flush()
        version = AchievementVersion(
            achievement_id=achievement.id,
            version=1,
            name="Sharer",
            award="reviewed",
            definition={},
            image_sha256=sha256,
        )
        self.session.add(version)
        self.session.flush()
        return version

    def picture(self, version: AchievementVersion, form: pictures.Form) -> bytes:
        return pictures.picture(self.session, self.network, version, form)


def studio(runtime: Runtime, session: WriteSession, **more: Any) -> Studio:
    return Studio(runtime, session, **more)


def test_every_achievement_has_a_picture_of_its_own_that_stays_the_same(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        river = studio(runtime, session)
        drawn = [river.achievement() for _ in range(12)]
        svgs = {river.picture(version, "svg") for version in drawn}
        assert len(svgs) > 6  # ten palettes, dark or pale, seven divisions
        assert river.picture(drawn[0], "svg") == river.picture(drawn[0], "svg")
        assert river.picture(drawn[0], "png") == river.picture(drawn[0], "png")


def test_the_drawn_picture_is_square_and_round_on_any_ground(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        river = studio(runtime, session)
        version = river.achievement()
        width, height, at = pixels(river.picture(version, "png"))
        assert (width, height) == (512, 512)
        assert at(0, 0)[3] == at(511, 511)[3] == 0
        assert at(256, 90)[3] == 255
        root = fromstring(river.picture(version, "svg"))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("viewBox") == "0 0 512 512"
        assert not [element for element in root.iter() if element.tag.endswith("}text")]


@pytest.mark.parametrize("own", [None, own_png(), SVG], ids=["drawn", "png", "svg"])
def test_every_picture_of_a_sandbox_says_test(runtime: Runtime, own: bytes | None) -> None:
    with runtime.database.write() as session:
        river = studio(runtime, session, sandbox=True)
        version = river.achievement(own)
        as_png, as_svg = river.picture(version, "png"), river.picture(version, "svg")
        assert pixels(as_png)[2](*ON_THE_RIBBON) == RED
        assert pixels(resvg_py.svg_to_bytes(svg_string=as_svg.decode()))[2](*ON_THE_RIBBON) == RED


def test_pictures_of_other_networks_do_not_say_test(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        river = studio(runtime, session)
        for own in (None, own_png(), SVG):
            version = river.achievement(own)
            assert RIBBON.encode() not in river.picture(version, "svg")


def test_a_networks_png_stays_as_it_is_and_gets_a_frame_as_svg(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        river = studio(runtime, session)
        own = own_png()
        version = river.achievement(own)
        assert river.picture(version, "png") == own
        root = fromstring(river.picture(version, "svg"))
        (image,) = root
        assert base64.b64decode((image.get("href") or "").partition(",")[2]) == own


def test_a_networks_svg_is_drawn_whole_and_undistorted_as_png(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        river = studio(runtime, session)
        version = river.achievement(SVG)
        assert river.picture(version, "svg") == blobs.get(session, river.network, version.image_sha256 or "").content
        width, height, at = pixels(river.picture(version, "png"))
        assert (width, height) == (512, 512)
        assert at(256, 256) == at(5, 133) == BLUE
        assert at(256, 100)[3] == at(256, 400)[3] == 0


def test_a_picture_inside_a_networks_svg_is_not_lost(runtime: Runtime) -> None:
    inner = base64.b64encode(own_png(100, 100)).decode()
    outer = f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><image width="100" height="100" href="data:image/png;base64,{inner}"/></svg>'
    with runtime.database.write() as session:
        river = studio(runtime, session)
        assert pixels(river.picture(river.achievement(outer.encode()), "png"))[2](256, 256) == BLUE


def cut_short(content: bytes) -> bytes:
    return content[:60]


def with_a_broken_checksum(content: bytes) -> bytes:
    place = content.index(b"IDAT") + 5
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


@pytest.mark.parametrize(
    "content",
    [
        cut_short(own_png()),
        with_a_broken_checksum(own_png()),
        b'<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"/>',
    ],
)
def test_a_picture_that_cannot_be_drawn_is_refused(runtime: Runtime, content: bytes) -> None:
    with runtime.database.write() as session:
        river = studio(runtime, session)
        row, _ = blobs.store(Act(session, river.network, None, runtime.now()), runtime, content)
        with pytest.raises(InvalidError) as caught:
            pictures.check(session, river.network, row.sha256)
        assert caught.value.code == "picture-unreadable"
        assert caught.value.pointer == "/image"


def test_what_the_renderer_gives_up_on_is_an_error_like_any_other() -> None:
    endless = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1e9"><rect width="1" height="1e9"/></svg>'
    with pytest.raises(ValueError, match="gave up"):
        pictures.png(pictures._framed(endless.encode(), "image/svg+xml", False))


def test_an_achievement_is_not_defined_with_a_picture_that_cannot_be_drawn(
    client: TestClient, runtime: Runtime
) -> None:
    stage = Stage.set_up(client, runtime)
    headers = {"Content-Type": "image/png"}
    posted = stage.call("POST", "/v1/blobs", content=cut_short(own_png()), headers=headers)
    assert posted.status_code == 201, posted.text
    body: dict[str, Any] = {"ref": "sharer", "name": "Sharer", "description": "Shares.", "achievement_type": "Badge"}
    body |= {"award": "reviewed", "criteria": {"narrative": "Share."}, "image": posted.json()["sha256"]}
    answer = stage.call("POST", "./achievements", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "picture-unreadable")
