"""Static files: how long a browser may keep them, and how they come."""

import hashlib
import re

import pytest
from fastapi.testclient import TestClient

from service.web.static_files import FOR_EVER, ONE_DAY
from service.web.templating import SERVICE, STATIC_VERSION

pytestmark = pytest.mark.any_database("files are not in the database")

FONTS = SERVICE / "web" / "static" / "fonts"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (f"/static/laurel.css?{STATIC_VERSION}", FOR_EVER),
        (f"/static/verify.js?{STATIC_VERSION}", FOR_EVER),
        ("/static/fonts/public-sans-5.3.0-latin.woff2", FOR_EVER),
        ("/static/laurel.css", ONE_DAY),
        ("/static/laurel.css?000000000000", ONE_DAY),
        ("/static/swagger/swagger-ui.css", ONE_DAY),
    ],
)
def test_a_file_is_kept_for_ever_if_its_address_bears_a_version(client: TestClient, path: str, kept: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == kept
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, kept)


@pytest.mark.parametrize("path", ["/static/laurel.css", "/static/verify.js", "/static/swagger/swagger-ui.css"])
def test_texts_come_compressed(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_a_font_comes_as_one(client: TestClient) -> None:
    answer = client.get("/static/fonts/source-serif-4-5.3.1-latin.woff2")
    assert answer.headers["content-type"] == "font/woff2"
    assert answer.content.startswith(b"wOF2")


def test_every_font_is_the_file_that_its_sources_name_and_is_used() -> None:
    rows = re.findall(r"^\| (\S+\.woff2) \|.*\| ([0-9a-f]{64}) \|", (FONTS / "SOURCES.md").read_text(), re.MULTILINE)
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FONTS.glob("*.woff2")}
    assert dict(rows) == files
    used = re.findall(r"url\(fonts/([\w.-]+)\)", (FONTS.parent / "tokens.css").read_text())
    assert sorted(used) == sorted(files)


def test_the_fonts_are_light() -> None:
    assert sum(path.stat().st_size for path in FONTS.glob("*.woff2")) < 150_000
