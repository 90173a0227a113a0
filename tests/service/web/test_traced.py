"""Every answer names its request, and the log tells of it without telling of people."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.acting import Actor
from tests.worlds.posting import alone
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start

pytestmark = pytest.mark.any_database("ids of requests stand in no row")

MADE = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/static/laurel.css", 200),
        ("GET", "/health", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/networks", 401),
        ("DELETE", "/v1/networks", 405),
        ("OPTIONS", "/v1/networks", 204),
        ("HEAD", "/", 200),
    ],
)
def test_every_answer_has_an_id(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert MADE.fullmatch(answer.headers["request-id"])


def test_a_problem_repeats_it(client: TestClient) -> None:
    answer = client.get("/v1/networks")
    assert answer.json()["request_id"] == answer.headers["request-id"]


def test_so_do_problems_that_no_route_made(client: TestClient) -> None:
    for headers, status in (
        ({"Content-Encoding": "br"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x; charset=utf-7"}, 415),
        ({"Content-Length": str(2**40)}, 413),
    ):
        answer = client.post("/v1/verifications", content=b"x", headers=headers)
        assert answer.status_code == status
        assert answer.json()["request_id"] == answer.headers["request-id"]


def test_an_error_page_has_it_in_its_header(client: TestClient) -> None:
    answer = client.get("/nowhere", headers={"Accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert MADE.fullmatch(answer.headers["request-id"])


@pytest.mark.parametrize("given", ["a", "01J-abc_9.~", "x" * 64])
def test_a_callers_own_id_is_taken_up(client: TestClient, given: str) -> None:
    answer = client.get("/v1/networks", headers={"Request-Id": given})
    assert answer.headers["request-id"] == answer.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a,b", "<script>", "é", "a\tb"])
def test_an_id_that_is_not_safe_is_not(client: TestClient, given: str) -> None:
    answer = client.get("/v1/networks", headers={b"Request-Id": given.encode()})
    assert MADE.fullmatch(answer.headers["request-id"])


@pytest.fixture
def logging(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[tuple[Runtime, TestClient]]:
    """A service whose request log is switched on."""
    given = settings_in(tmp_path, database_url=database_url, request_log=True)
    with start(given, clock) as runtime, TestClient(app_of(runtime), base_url=BASE_URL) as client:
        yield runtime, client


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def test_the_log_has_one_line_for_each_request(
    logging: tuple[Runtime, TestClient], capsys: pytest.CaptureFixture[str]
) -> None:
    river: Actor = alone(*logging)
    capsys.readouterr()
    answer = river.put("/v1/networks/river-writers/members/m11-secret?token=abc", {})
    (line,) = lines(capsys)
    assert isinstance(line.pop("ms"), int)
    token = line.pop("token")
    assert token is not None
    assert line == {
        "time": "2026-03-02T12:00:00Z",
        "method": "PUT",
        "route": "/v1/networks/{slug}/members/{ref}",
        "status": 422,
        "bytes": len(answer.content),
        "request_id": answer.headers["request-id"],
    }


def test_the_log_tells_of_no_person_and_no_secret(
    logging: tuple[Runtime, TestClient], capsys: pytest.CaptureFixture[str]
) -> None:
    _, client = logging
    capsys.readouterr()
    client.get("/credentials/m11-secret?key=m11-secret", headers={"Authorization": "Bearer m11-secret"})
    client.head("/m11-secret")
    told = lines(capsys)
    assert [(line["method"], line["status"], line["token"]) for line in told] == [
        ("GET", 404, None),
        ("HEAD", 404, None),
    ]
    assert "m11" not in json.dumps(told)


def test_without_the_setting_nothing_is_logged(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    client.get("/")
    assert capsys.readouterr().out == ""
