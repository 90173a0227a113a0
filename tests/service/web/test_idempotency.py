"""A write with an `Idempotency-Key` happens once, and is answered the same however often it is sent."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, func, select

from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.tables import Idempotency
from tests.worlds.acting import Actor, actor, refused, told
from tests.worlds.posting import alone
from tests.worlds.runtimes import Clock, app_of

SESSION = "/v1/networks/river-writers/sessions/s1"
EVENING = {"starts_at": "2026-03-01T17:00:00Z"}
KEY = {"Idempotency-Key": "one"}


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


def kept(runtime: Runtime) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(Idempotency)) or 0


def test_the_same_key_and_body_get_the_same_answer_again(river: Actor) -> None:
    first = river.put(SESSION, EVENING, headers=KEY)
    river.put(SESSION, EVENING | {"title": "Changed since"})
    again = river.put(SESSION, EVENING, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["content-type"]) == (first.content, first.headers["content-type"])
    assert river.get(SESSION).json()["title"] == "Changed since"
    assert river.put(SESSION, EVENING).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", SESSION, EVENING | {"title": "Another"}),
        ("PUT", SESSION + "2", EVENING),
        ("POST", "/v1/networks/river-writers/sessions", EVENING | {"ref": "s1"}),
    ],
)
def test_a_key_that_came_with_another_request_is_refused(river: Actor, method: str, path: str, body: Any) -> None:
    river.put(SESSION, EVENING, headers=KEY)
    assert refused(river.ask(method, path, body, headers=KEY)) == (409, "idempotency-key-reused", None)
    assert len(river.get("/v1/networks/river-writers/sessions").json()["items"]) == 1


def test_a_key_belongs_to_its_token(runtime: Runtime, client: TestClient, river: Actor) -> None:
    other = actor(runtime, client, slug="river-writers")
    assert river.put(SESSION, EVENING, headers=KEY).status_code == 201
    assert other.put(SESSION, EVENING | {"title": "Mine"}, headers=KEY).status_code == 200


def test_refusals_are_not_remembered(runtime: Runtime, river: Actor) -> None:
    wrong = EVENING | {"ends_at": "2026-03-01T16:00:00Z"}
    for _ in range(2):
        assert refused(river.put(SESSION, wrong, headers=KEY))[1] == "session-ends-before-start"
    assert kept(runtime) == 0
    assert river.put(SESSION, EVENING, headers=KEY).status_code == 201


def test_a_write_that_failed_here_is_carried_out_when_it_comes_again(runtime: Runtime, river: Actor) -> None:
    def fail(_session: Any) -> None:
        raise OSError

    with TestClient(app_of(runtime), raise_server_exceptions=False) as client:
        event.listen(WriteSession, "before_commit", fail)
        try:
            failed = Actor(client, river.token).put(SESSION, EVENING, headers=KEY)
        finally:
            event.remove(WriteSession, "before_commit", fail)
        assert refused(failed) == (500, "internal-error", None)
        assert kept(runtime) == 0
        assert Actor(client, river.token).put(SESSION, EVENING, headers=KEY).status_code == 201


def test_of_requests_at_the_same_moment_one_works_and_all_get_its_answer(runtime: Runtime, river: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: river.put(SESSION, EVENING, headers=KEY), range(4)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert told(runtime).count("session.posted") == 1
    assert kept(runtime) == 1


def test_a_key_is_kept_for_24_hours(runtime: Runtime, river: Actor, clock: Clock) -> None:
    river.put(SESSION, EVENING, headers=KEY)
    river.put(SESSION, EVENING, headers={"Idempotency-Key": "two"})
    clock.advance(hours=23, minutes=59)
    assert river.put(SESSION, EVENING, headers=KEY).status_code == 201
    clock.advance(minutes=1)
    assert river.put(SESSION, EVENING | {"title": "New"}, headers=KEY).status_code == 200
    assert kept(runtime) == 1


def test_an_answer_with_personal_content_is_made_again_and_not_kept(runtime: Runtime, river: Actor) -> None:
    members = "/v1/networks/river-writers/members"
    body = {"ref": "m11", "name": "Member 11", "email": "m11@example.org"}
    first = river.post(members, body, headers=KEY)
    assert river.post(members, body, headers=KEY).json() == first.json()
    assert refused(river.post(members, body | {"name": "A"}, headers=KEY))[1] == "idempotency-key-reused"
    with runtime.database.read() as session:
        assert session.scalars(select(Idempotency.answer)).all() == [None]
    assert told(runtime).count("member.posted") == 1


@pytest.mark.parametrize(("key", "code"), [("", "string-too-short"), ("k" * 201, "string-too-long")])
def test_a_key_has_a_bounded_length(river: Actor, key: str, code: str) -> None:
    answer = river.put(SESSION, EVENING, headers={"Idempotency-Key": key})
    assert refused(answer) == (422, code, "Idempotency-Key")
