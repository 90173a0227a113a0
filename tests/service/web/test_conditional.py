"""What two people may edit has an entity tag, and a write with `If-Match` holds only for what its sender has seen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.acting import Actor, actor, refused
from tests.worlds.posting import alone

NETWORK = "/v1/networks/river-writers"
MEMBER, SESSION, ACHIEVEMENT = (f"{NETWORK}/{kind}" for kind in ("members/m1", "sessions/s1", "achievements/a1"))
DEFINED = {
    "name": "Writer",
    "description": "Writes.",
    "achievement_type": "Badge",
    "criteria": {"narrative": "Write."},
    "award": "reviewed",
}
CHANGED = (412, "precondition-failed", None)


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


def a_webhook(river: Actor, _admin: Actor) -> tuple[Actor, str]:
    made = river.post(f"{NETWORK}/webhooks", {"url": "http://localhost:9"})
    assert made.status_code == 201, made.text
    return river, f"{NETWORK}/webhooks/{made.json()['id']}"


def put(path: str, body: Any) -> Callable[[Actor, Actor], tuple[Actor, str]]:
    def made(river: Actor, _admin: Actor) -> tuple[Actor, str]:
        assert river.put(path, body).status_code == 201
        return river, path

    return made


EDITED = {
    "a member": (put(MEMBER, {"name": "Ana"}), {"name": "Ana R."}),
    "a session": (put(SESSION, {"starts_at": "2026-03-01T17:00:00Z"}), {"title": "Drafts"}),
    "an achievement": (put(ACHIEVEMENT, DEFINED), {"name": "Author"}),
    "a webhook": (a_webhook, {"description": "ours"}),
    "a network": (lambda _river, admin: (admin, NETWORK), {"description": "We write."}),
}


@pytest.mark.parametrize("kind", EDITED)
def test_a_change_of_what_somebody_else_has_changed_is_refused(
    runtime: Runtime, client: TestClient, river: Actor, kind: str
) -> None:
    make, change = EDITED[kind]
    who, path = make(river, actor(runtime, client))
    seen = who.get(path)
    tag = seen.headers["etag"]
    assert tag.startswith('"')
    if kind != "a webhook":  # what it was sent last changes by itself
        unchanged = who.ask("GET", path, headers={"If-None-Match": f'"else", {tag}'})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    changed = who.patch(path, change, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] == who.get(path).headers["etag"] != tag
    late = who.patch(path, {name: f"{value} later" for name, value in change.items()}, headers={"If-Match": tag})
    assert refused(late) == CHANGED
    assert changed.headers["etag"] in late.json()["detail"]
    assert who.get(path).json().items() >= change.items()
    assert who.patch(path, change, headers={"If-Match": "*"}).status_code == 200
    assert refused(who.patch(path, change, headers={"If-Match": f"W/{changed.headers['etag']}"})) == CHANGED


@pytest.mark.parametrize(
    ("path", "body"),
    [(MEMBER, {"name": "Ana"}), (SESSION, {"starts_at": "2026-03-01T17:00:00Z"}), (ACHIEVEMENT, DEFINED)],
)
def test_what_must_be_new_is_added_once_and_changed_by_nobody(river: Actor, path: str, body: Any) -> None:
    assert refused(river.put(path, body, headers={"If-Match": "*"})) == CHANGED
    first = river.put(path, body, headers={"If-None-Match": "*"})
    assert (first.status_code, first.headers["etag"]) == (201, river.get(path).headers["etag"])
    assert refused(river.put(path, body, headers={"If-None-Match": "*"})) == CHANGED


@pytest.mark.parametrize("path", [SESSION, ACHIEVEMENT])
def test_what_somebody_has_changed_is_not_deleted_unseen(river: Actor, path: str) -> None:
    body = DEFINED if path == ACHIEVEMENT else {"starts_at": "2026-03-01T17:00:00Z"}
    tag = river.put(path, body).headers["etag"]
    changed = river.put(path, body | ({"name": "B."} if path == ACHIEVEMENT else {"title": "B."}))
    assert refused(river.delete(path, headers={"If-Match": tag})) == CHANGED
    assert river.delete(path, headers={"If-Match": changed.headers["etag"]}).status_code == 204


def test_of_two_at_the_same_moment_one_changes_what_both_have_seen(river: Actor) -> None:
    for path, body in ((MEMBER, {}), (SESSION, {"starts_at": "2026-03-01T17:00:00Z"}), (ACHIEVEMENT, DEFINED)):
        headers = {"If-Match": river.put(path, body).headers["etag"]}
        name = "title" if path == SESSION else "name"
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda n: river.patch(path, {name: f"N{n}"}, headers=headers), range(4)))  # noqa: B023
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412], path


def test_a_request_that_is_sent_again_under_its_key_is_not_refused_for_what_it_did(river: Actor) -> None:
    tag = river.put(MEMBER, {"name": "Ana"}).headers["etag"]
    headers = {"If-Match": tag, "Idempotency-Key": "one"}
    first, again = (river.patch(MEMBER, {"name": "Ana R."}, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (200, 200, again.json())
