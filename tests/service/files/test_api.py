"""Files: known by their content, typed by their bytes, given back to be saved."""

import base64
import hashlib
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from service.runtime.runtime import Runtime
from service.tables import Blob
from tests.worlds.acting import HILL, Actor, actor, all_pages, refused
from tests.worlds.posting import alone

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><rect onclick="hostile()"/><script>hostile()</script></svg>'


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


def packed(*names: str, first: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if first:
            archive.writestr("mimetype", first)
        for name in names:
            archive.writestr(name, "content")
    return file.getvalue()


def test_a_file_is_kept_by_its_content(runtime: Runtime, river: Actor) -> None:
    answer = river.post("/v1/blobs", content=PNG, headers={"Content-Type": "image/png"})
    assert answer.status_code == 201
    assert answer.json() == {
        "sha256": hashlib.sha256(PNG).hexdigest(),
        "media_type": "image/png",
        "size_bytes": len(PNG),
        "created_at": "2026-03-02T12:00:00Z",
    }
    again = river.post("/v1/blobs", content=PNG)
    assert (again.status_code, again.json()) == (200, answer.json())
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Blob)) == 1


def test_one_file_sent_twice_at_the_same_moment_is_kept_once(river: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: river.post("/v1/blobs", content=PNG), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]


def test_a_form_brings_a_file_too(river: Actor) -> None:
    answer = river.post("/v1/blobs", files={"file": ("picture.svg", PNG, "image/svg+xml")})
    assert (answer.status_code, answer.json()["media_type"]) == (201, "image/png")
    assert refused(river.post("/v1/blobs", files={"other": ("p.png", PNG)})) == (422, "file-missing", "/file")
    assert refused(river.post("/v1/blobs", files=[("file", PNG), ("file", PNG)]))[0] == 400
    unknown = river.post("/v1/blobs", files={"file": PNG}, data={"fil/e": "picture"})
    assert refused(unknown) == (422, "extra-forbidden", "/fil~1e")
    assert unknown.json()["detail"].startswith("There is no member `fil/e` (did you mean `file`?)")


@pytest.mark.any_database("bytes are judged in the code")
@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF87a...", "image/gif"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        (b"\0\0\0\x18ftypmp42\0\0", "video/mp4"),
        (b"\0\0\0\x18ftypisom\0\0", "video/mp4"),
        (b"\x1aE\xdf\xa3\x01", "video/webm"),
        (b"ID3\x04\0", "audio/mpeg"),
        (packed("a.txt"), "application/zip"),
        (packed("word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (packed("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (packed(first="application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text"),
        (SVG, "image/svg+xml"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <p> -->\n<!DOCTYPE svg>" + SVG, "image/svg+xml"),
        (b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        ("Sprachübung\n\tzwei".encode(), "text/plain"),
        (b"<html><body><script>hostile()</script><svg></svg></body></html>", "text/plain"),
    ],
)
def test_what_a_file_is_is_seen_in_its_bytes(river: Actor, content: bytes, media_type: str) -> None:
    answer = river.post("/v1/blobs", content=content, headers={"Content-Type": "text/html"})
    assert (answer.status_code, answer.json()["media_type"]) == (201, media_type)


@pytest.mark.any_database("bytes are judged in the code")
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "blob-empty"),
        (b"\x7fELF\x02\x01\x01\0", "blob-type-unknown"),
        (b"MZ\x90\0", "blob-type-unknown"),
        (b"text with \0", "blob-type-unknown"),
        ("Übung".encode("latin-1"), "blob-type-unknown"),
        (b"\x89PNG\r\n\x1a\nno header", "blob-type-unknown"),
        (b"PK\x03\x04 cut short", "blob-type-unknown"),
        (b"<svg>", "svg-invalid"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "svg-invalid"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 99 + b"</g>" * 99 + b"</svg>", "svg-too-complex"),
    ],
)
def test_other_files_are_refused(river: Actor, content: bytes, code: str) -> None:
    assert refused(river.post("/v1/blobs", content=content)) == (422, code, None)
    assert river.get("/v1/blobs").json() == {"items": []}


def test_svg_is_kept_without_what_could_run(river: Actor) -> None:
    kept = river.post("/v1/blobs", content=SVG).json()
    assert kept["sha256"] != hashlib.sha256(SVG).hexdigest()
    content = river.get(f"/v1/blobs/{kept['sha256']}").content
    assert b"hostile" not in content
    assert hashlib.sha256(content).hexdigest() == kept["sha256"]
    assert river.post("/v1/blobs", content=content).json()["sha256"] == kept["sha256"]


def test_a_file_is_given_back_to_be_saved_and_not_shown(river: Actor) -> None:
    sha256 = river.post("/v1/blobs", content=SVG).json()["sha256"]
    answer = river.get(f"/v1/blobs/{sha256.upper()}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-disposition"] == f'attachment; filename="{sha256[:16]}.svg"'
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "private" in answer.headers["cache-control"]


def test_a_file_beyond_the_limit_is_refused(runtime: Runtime, river: Actor) -> None:
    limit = runtime.settings.max_blob_bytes
    assert river.post("/v1/blobs", content=b"a" * limit).status_code == 201
    for size in (limit + 1, limit + 1_000_000):
        assert refused(river.post("/v1/blobs", content=b"a" * size))[:2] == (413, "body-too-large")
    assert refused(river.post("/v1/blobs", files={"file": b"a" * (limit + 1)}))[:2] == (413, "body-too-large")

    in_pieces = (b"a" * 65_536 for _ in range(limit // 65_536 + 2))  # without a declared length
    assert refused(river.post("/v1/blobs", content=in_pieces))[:2] == (413, "body-too-large")


def test_files_are_listed_in_pages_and_filtered(river: Actor) -> None:
    sent = sorted(river.post("/v1/blobs", content=f"file {n}".encode()).json()["sha256"] for n in range(5))
    river.post("/v1/blobs", content=PNG)
    assert [row["sha256"] for row in all_pages(river, "/v1/blobs", media_type="text/plain")] == sent
    assert len(all_pages(river, "/v1/blobs")) == 6


def test_a_file_belongs_to_one_network(runtime: Runtime, client: TestClient, river: Actor) -> None:
    admin = actor(runtime, client)
    admin.post("/v1/networks", HILL)
    hill = actor(runtime, client, slug="hill-readers")
    sha256 = river.post("/v1/blobs", content=PNG).json()["sha256"]
    assert refused(hill.get(f"/v1/blobs/{sha256}")) == (404, "blob-unknown", None)
    assert hill.get("/v1/blobs").json() == {"items": []}
    assert hill.post("/v1/blobs", content=PNG).status_code == 201
    assert refused(river.get("/v1/blobs/nothing")) == (404, "blob-unknown", None)
    assert refused(admin.post("/v1/blobs", content=PNG)) == (403, "admin-token", None)
    assert refused(client.get(f"/v1/blobs/{sha256}")) == (401, "token-missing", None)


@pytest.mark.parametrize(("scope", "status"), [("evidence:write", 201), ("achievements:write", 201), ("read", 403)])
def test_evidence_and_achievements_bring_files(
    runtime: Runtime, client: TestClient, river: Actor, scope: str, status: int
) -> None:
    who = actor(runtime, client, slug=river.get("/v1/networks").json()["items"][0]["slug"], scopes=[scope])
    assert who.post("/v1/blobs", content=PNG).status_code == status
    assert (who.get("/v1/blobs").status_code == 200) == (scope == "read")
