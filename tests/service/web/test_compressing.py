"""Answers in gzip: for those who take them, where it is worth it, and never with a secret."""

import gzip
import json
import zlib
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.runtime.runtime import Runtime
from service.web.compressing import Compressing, takes_gzip
from tests.worlds.acting import actor
from tests.worlds.posting import alone
from tests.worlds.talking import Talk, talk

pytestmark = pytest.mark.any_database("answers are compressed after all rows were read")

LONG = json.dumps({"text": "Laurel " * 1000})
GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}


def answering(response: Response) -> TestClient:
    """Speak with an application that always gives one answer."""
    app = Starlette(routes=[Route("/", lambda _request: response, methods=["GET", "PUT"])])
    return TestClient(Compressing(app))


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/problem+json",
        "application/vc+ld+json",
        "application/x-ndjson",
        "text/html; charset=utf-8",
        "text/csv",
        "image/svg+xml",
    ],
)
def test_long_texts_are_compressed(media_type: str) -> None:
    answer = answering(Response(LONG, media_type=media_type)).get("/", headers=GZIP)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) < len(LONG) / 10
    assert answer.text == LONG


@pytest.mark.parametrize("media_type", ["image/png", "application/pdf", "application/zip", "text/event-stream", "x/y"])
def test_nothing_else_is(media_type: str) -> None:
    answer = answering(Response(LONG, media_type=media_type)).get("/", headers=GZIP)
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == str(len(LONG))


def test_short_answers_are_not() -> None:
    assert "content-encoding" not in answering(JSONResponse({"a": 1})).get("/", headers=GZIP).headers


def test_who_does_not_take_gzip_gets_the_answer_as_it_is_and_a_cache_is_told() -> None:
    answer = answering(Response(LONG, media_type="application/json")).get("/", headers=PLAIN)
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("br", False),
        ("", False),
    ],
)
def test_weights_are_read(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes


def test_what_must_not_be_stored_is_for_one_reader_and_is_not_compressed() -> None:
    private = Response(LONG, media_type="application/json", headers={"Cache-Control": "no-store"})
    assert "content-encoding" not in answering(private).get("/", headers=GZIP).headers


def test_a_new_token_and_the_secret_of_a_webhook_are_not_compressed(runtime: Runtime, client: TestClient) -> None:
    river = alone(runtime, client)
    root = "/v1/networks/river-writers"
    wanted = {"name": "Reader", "scopes": ["read"], "expires_at": "2026-04-01T00:00:00Z"}
    token = actor(runtime, client).post(f"{root}/tokens", wanted, headers=GZIP)
    hook = river.post(f"{root}/webhooks", {"url": "https://93.184.216.34/hooks"}, headers=GZIP)
    for answer in (token, hook):
        assert answer.status_code == 201, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers


def test_each_line_arrives_when_it_is_sent() -> None:
    sent: list[bytes] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/x-ndjson")]}
        )
        for number in range(3):
            await send({"type": "http.response.body", "body": b'{"line": %d}\n' % number, "more_body": True})
            sent.append(request.body)
        await send({"type": "http.response.body"})

    request = Talk("GET", "/", GZIP)
    talk(lambda: Compressing(app)(request._scope(), request._receive, request._send))
    for number, body in enumerate(sent):
        assert zlib.decompressobj(31).decompress(body).count(b"\n") == number + 1
    assert gzip.decompress(request.body).count(b"\n") == 3


def tagged(request: Request) -> Response:
    headers = {"ETag": '"abc"'}
    if request.headers.get("if-none-match") == '"abc"':
        return Response(status_code=304, headers=headers)
    if request.method == "PUT":
        return JSONResponse({"if_match": request.headers.get("if-match")}, headers={"ETag": '"def"'})
    return Response(LONG, media_type="application/json", headers=headers)


@pytest.fixture
def tags() -> TestClient:
    return TestClient(Compressing(Starlette(routes=[Route("/", tagged, methods=["GET", "PUT"])])))


def test_a_compressed_answer_is_another_representation(tags: TestClient) -> None:
    assert tags.get("/", headers=PLAIN).headers["etag"] == '"abc"'
    assert tags.get("/", headers=GZIP).headers["etag"] == '"abc-gzip"'


def test_either_is_recognised_when_it_comes_back(tags: TestClient) -> None:
    for tag in ('"abc"', '"abc-gzip"'):
        answer = tags.get("/", headers=GZIP | {"If-None-Match": tag})
        assert (answer.status_code, answer.headers["etag"]) == (304, tag)


def test_what_has_not_changed_tells_a_cache_what_it_depends_on(tags: TestClient) -> None:
    for headers in (GZIP, PLAIN):
        answer = tags.get("/", headers=headers | {"If-None-Match": '"abc"'})
        assert (answer.status_code, answer.headers["vary"]) == (304, "Accept-Encoding")


def test_a_change_may_name_either(tags: TestClient) -> None:
    for tag in ('"abc"', '"abc-gzip"'):
        answer = tags.put("/", headers=GZIP | {"If-Match": tag})
        assert (answer.json(), answer.headers["etag"]) == ({"if_match": '"abc"'}, '"def"')


def test_a_public_document_is_asked_for_again_only_if_it_changed(client: TestClient) -> None:
    first = client.get("/static/laurel.css", headers=GZIP)
    assert first.headers["content-encoding"] == "gzip"
    again = client.get("/static/laurel.css", headers=GZIP | {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (304, first.headers["etag"])
