"""Every operation that wants a token asks for it before it reads a byte of the body."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import update

from service.runtime.runtime import Runtime
from service.tables import Token
from tests.worlds.posting import alone
from tests.worlds.runtimes import Clock, app_of, settings_in, start
from tests.worlds.talking import Talk, talk

pytestmark = pytest.mark.any_database("who is let in is decided before any row but the token's")

WRITES = ("post", "put", "patch", "delete")
SOMEWHERE = {"slug": "river-writers"}
JSON, LINES = "application/json", "application/x-ndjson"


def operations(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Yield method, path and content type of each operation whose description says that it wants a token."""
    for path, methods in app.openapi()["paths"].items():
        filled = re.sub(r"{(\w+)}", lambda found: SOMEWHERE.get(found[1], "x"), path)
        for method in WRITES:
            operation = methods.get(method)
            if operation is not None and {"token": []} in operation["security"]:
                for content_type in operation.get("requestBody", {}).get("content", {JSON: {}}):
                    yield method.upper(), filled, content_type


def with_nothing_sent(app: FastAPI, method: str, path: str, content_type: str, token: str | None) -> Talk:
    """Ask, and say that a body will come, which never does."""
    headers = {"Content-Type": content_type, "Content-Length": "1000"}
    request = Talk(method, path, headers | ({"Authorization": f"Bearer {token}"} if token is not None else {}))
    talk(lambda: request.until_answered(app))
    return request


def test_without_a_token_no_operation_reads_a_body(runtime: Runtime, client: TestClient) -> None:
    app: Any = client.app
    asked = list(operations(app))
    assert len(asked) > 40
    assert {LINES, JSON, "multipart/form-data"} <= {content_type for _, _, content_type in asked}
    for method, path, content_type in asked:
        app.state = app_of(runtime).state  # so that no fair limit answers
        answer = with_nothing_sent(app, method, path, content_type, None)
        assert (answer.status, answer.answered["www-authenticate"]) == (401, "Bearer"), (method, path, content_type)


@pytest.mark.parametrize("fault", ["unknown", "revoked", "expired"])
def test_with_a_token_that_is_not_good_no_operation_reads_a_body(
    runtime: Runtime, client: TestClient, fault: str
) -> None:
    token, now = alone(runtime, client).token, runtime.now()
    if fault == "unknown":
        token = "laurel_unknown"
    else:
        with runtime.database.write() as session:
            session.execute(
                update(Token).values({"revoked": {"revoked_at": now}, "expired": {"expires_at": now}}[fault])
            )
    app: Any = client.app
    for method, path, content_type in operations(app):
        app.state = app_of(runtime).state
        answer = with_nothing_sent(app, method, path, content_type, token)
        assert answer.status == 401, (method, path, content_type)
        assert f'"token-{fault}"'.encode() in answer.body


def test_without_its_scope_no_operation_reads_a_body(runtime: Runtime, client: TestClient) -> None:
    token = alone(runtime, client).token
    with runtime.database.write() as session:
        session.execute(update(Token).values(scopes=[]))
    app: Any = client.app
    for method, path, content_type in operations(app):
        answer = with_nothing_sent(app, method, path, content_type, token)
        assert answer.status == 403, (method, path, content_type)
        assert b'"scope-missing"' in answer.body


def test_the_vc_api_asks_for_its_token_before_the_body_too(tmp_path: Any, database_url: str) -> None:
    given = settings_in(tmp_path, database_url=database_url, vc_api=True, vc_api_token="a-secret-of-the-operator")
    with start(given, Clock()) as runtime:
        app = app_of(runtime)
        paths = [(method, path, kind) for method, path, kind in operations(app) if path.startswith("/vc/")]
        assert len(paths) > 3
        for method, path, content_type in paths:
            for token in (None, "another"):
                assert with_nothing_sent(app, method, path, content_type, token).status == 401


def test_with_a_good_token_the_body_is_read(runtime: Runtime, client: TestClient) -> None:
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {alone(runtime, client).token}", "Content-Length": "40"}
    pieces = [b'{"starts_at": ', b'"2026-03-01T17:00:00Z"}   ']
    request = Talk("PUT", "/v1/networks/river-writers/sessions/s1", headers, pieces)
    talk(lambda: request.on(client.app))  # type: ignore[arg-type]
    assert (request.status, request.asked) == (201, 2)
    assert "connection" not in request.answered


def test_an_answer_to_an_unread_body_closes_the_connection_when_the_body_has_passed(client: TestClient) -> None:
    request = Talk("POST", "/v1/networks", {"Content-Type": JSON, "Content-Length": "9"}, [b"abc", b"def", b"ghi"])
    talk(lambda: request.on(client.app))  # type: ignore[arg-type]
    assert (request.status, request.answered["connection"]) == (401, "close")
    assert request.asked == 3
