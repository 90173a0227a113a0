"""Bodies in gzip: read as what they were, and bounded by what they become."""

import gzip
import json
import zlib

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from starlette.types import Receive, Scope, Send

from service.runtime.runtime import Runtime
from service.web.arriving import Arriving
from service.web.error_pages import page_of
from service.web.unzipping import Unzipping
from tests.worlds.acting import Actor, refused
from tests.worlds.posting import alone
from tests.worlds.talking import Talk, talk

pytestmark = pytest.mark.any_database("a body is unpacked before any row is read")

SESSION = "/v1/networks/river-writers/sessions/s1"
EVENING = {"starts_at": "2026-03-01T17:00:00Z", "title": "Evening"}
MEMBERS = "/v1/networks/river-writers/members"


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


def send(
    who: Actor, body: bytes, encoding: str = "gzip", path: str = SESSION, kind: str = "application/json"
) -> Response:
    headers = {"Content-Type": kind, "Content-Encoding": encoding}
    return who.ask("PUT" if path == SESSION else "POST", path, content=body, headers=headers)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_a_body_in_gzip_is_the_body(river: Actor, encoding: str) -> None:
    assert send(river, gzip.compress(json.dumps(EVENING).encode()), encoding).status_code == 201
    assert river.get(SESSION).json()["title"] == "Evening"


def test_a_file_of_several_members_is_one_body(river: Actor) -> None:
    text = json.dumps(EVENING).encode()
    assert send(river, gzip.compress(text[:10]) + gzip.compress(text[10:])).status_code == 201


def test_identity_is_no_encoding(river: Actor) -> None:
    assert send(river, json.dumps(EVENING).encode(), "identity").status_code == 201


def test_lines_come_in_gzip_too(river: Actor) -> None:
    lines = "".join(json.dumps({"ref": f"m{n}", "name": f"Member {n}"}) + "\n" for n in range(2000)).encode()
    answer = send(river, gzip.compress(lines), path=MEMBERS, kind="application/x-ndjson")
    assert answer.status_code == 200
    assert answer.text.count('"accepted"') == 2000


@pytest.mark.parametrize(
    "damaged",
    [
        b"no gzip at all",
        gzip.compress(b'{"a": 1}')[:-4],
        gzip.compress(b'{"a": 1}') + b"rest",
        gzip.compress(b'{"a": 1}')[:12] + b"\xff" * 8,
        zlib.compress(b'{"a": 1}'),
    ],
    ids=["no gzip", "breaks off", "more after it", "damaged", "deflate"],
)
def test_what_is_not_gzip_or_breaks_off_is_refused(river: Actor, damaged: bytes) -> None:
    assert refused(send(river, damaged))[:2] == (400, "gzip-broken")
    assert refused(send(river, damaged, path=MEMBERS, kind="application/x-ndjson"))[:2] == (400, "gzip-broken")


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "aws-chunked"])
def test_another_encoding_is_refused_with_the_one_that_is_taken(river: Actor, encoding: str) -> None:
    answer = send(river, b"x", encoding)
    assert refused(answer)[:2] == (415, "encoding-unsupported")
    assert answer.headers["accept-encoding"] == "gzip"


def test_a_body_counts_as_what_it_becomes(runtime: Runtime, river: Actor) -> None:
    limit = runtime.settings.max_body_bytes
    noise = "".join(f"{number:x}" for number in range(limit))[: limit + 1000]
    packed = gzip.compress(json.dumps(EVENING | {"title": noise}).encode())
    assert len(packed) < limit
    assert refused(send(river, packed))[:2] == (413, "body-too-large")


@pytest.mark.parametrize("path", [SESSION, MEMBERS])
def test_a_body_that_becomes_far_more_than_text_does_is_refused_early(river: Actor, path: str) -> None:
    bomb = gzip.compress(b"[" + b" " * 50_000_000)
    kind = "application/json" if path == SESSION else "application/x-ndjson"
    assert refused(send(river, bomb, path=path, kind=kind))[:2] in {
        (413, "body-expands-too-much"),
        (413, "body-too-large"),
    }


def test_the_room_of_a_body_is_that_of_what_it_becomes() -> None:
    """Ten strangers whose bodies are small on their way would otherwise take 160 MB at once."""
    held: list[int] = []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive()).get("more_body"):
            held.append(rooms.large._left)

    arriving = Arriving(Unzipping(app, page_of))
    rooms = arriving._rooms
    before = rooms.large._left
    body = gzip.compress(b"".join(b"%x," % (n * n) for n in range(40_000)))
    headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip", "Content-Length": str(len(body))}
    asked = Talk("POST", "/", headers, [body])
    talk(lambda: arriving(asked._scope(), asked._receive, asked._send))
    assert before - min(held) > 3 * len(body)
    assert rooms.large._left == before
