"""Evidence that comes in while the service cannot sign is kept, the answer says so, and the awards follow."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from service.operations import upkeep
from service.operations.upkeep import LEFT_ALONE
from service.runtime.custody import Custody
from service.runtime.runtime import Runtime
from service.tables import Award, Credential, Record
from tests.worlds.acting import Actor
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import BASE_URL, Clock, app_of

PATH = "/v1/networks/river/contributions"
MEMBERS = [f"m{n}" for n in range(11, 15)]


@once
def laid(stage: Stage) -> None:
    stage.achievement()
    for ref in MEMBERS:
        stage.member(ref)
        stage.share(1, member=ref)


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    """Members who lack one resource for their award, in an app without its upkeep, which tests run themselves."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    laid(stage)
    return stage


def of_wrong_passphrase(runtime: Runtime) -> Runtime:
    """Return the service as it is restarted with a mistyped passphrase."""
    given = runtime.settings.model_copy(update={"keys_passphrase": SecretStr("another")})
    return replace(runtime, custody=Custody(given))


def of_missing_folder(runtime: Runtime) -> Runtime:
    """Return the service as it is restarted without its key folder."""
    given = runtime.settings.model_copy(update={"keys_folder": runtime.settings.keys_folder / "not mounted"})
    return replace(runtime, custody=Custody(given))


Broken = Callable[[Runtime], Runtime]
broken_keys = pytest.mark.parametrize("broken", [of_wrong_passphrase, of_missing_folder])


def at(stage: Stage, broken: Broken) -> Actor:
    """Return who posts to the broken service."""
    return Actor(TestClient(app_of(broken(stage.runtime)), base_url=BASE_URL), stage.token)


def share(member: str, n: int = 2) -> dict[str, Any]:
    body = {"ref": f"{member}-share-{n}", "member": member, "type": "shared", "resource": f"resource-{n}"}
    return body | {"occurred_at": "2026-03-01T10:00:00Z"}


def counts(stage: Stage) -> tuple[int, ...]:
    with stage.runtime.database.read() as session:
        return tuple(session.query(table).count() for table in (Record, Award, Credential))


@broken_keys
def test_a_post_is_kept_and_its_award_follows_once_when_the_keys_are_back(
    stage: Stage, clock: Clock, broken: Broken
) -> None:
    poster, key = at(stage, broken), {"Idempotency-Key": "k"}
    before = counts(stage)
    answer = poster.post(PATH, share("m11"), headers=key)
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["awards"], answer.json()["awards_wait"]) == ("accepted", [], True)
    assert poster.post(PATH, share("m11"), headers=key).text == answer.text
    assert poster.post(PATH, share("m11")).status_code == 200
    clock.at += LEFT_ALONE
    assert upkeep.settle_left_over(broken(stage.runtime)) == 0
    assert counts(stage) == (before[0] + 1, 0, 0)
    assert upkeep.settle_left_over(stage.runtime) == 1
    assert upkeep.settle_left_over(stage.runtime) == 0
    assert stage.client.post(PATH, json=share("m11"), headers=key | bearer(stage)).text == answer.text
    assert counts(stage) == (before[0] + 1, 1, 1)
    assert [award["member"] for award in stage.awards()] == ["m11"]
    stage.credential(stage.awards()[0])


def bearer(stage: Stage) -> dict[str, str]:
    return {"Authorization": f"Bearer {stage.token}"}


@broken_keys
def test_lines_are_kept_and_their_awards_follow_once_when_the_keys_are_back(
    stage: Stage, clock: Clock, broken: Broken
) -> None:
    poster = at(stage, broken)
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "k"} | bearer(stage)
    bodies = [share("m12"), share("m13"), share("nobody yet"), share("m14") | {"occurred_at": "never"}, share("m12")]
    content = "".join(json.dumps(body) + "\n" for body in bodies)
    before = counts(stage)
    answer = poster.client.post(PATH, content=content, headers=headers)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [(line["status"], line.get("awards_wait")) for line in lines] == [
        ("accepted", True),
        ("accepted", True),
        ("held", None),
        ("rejected", None),
        ("duplicate", None),
    ]
    assert poster.client.post(PATH, content=content, headers=headers).text == answer.text
    clock.at += LEFT_ALONE
    assert upkeep.settle_left_over(stage.runtime) == 2
    assert upkeep.settle_left_over(stage.runtime) == 0
    assert stage.client.post(PATH, content=content, headers=headers).text == answer.text
    assert counts(stage) == (before[0] + 3, 2, 2)
    assert {award["member"] for award in stage.awards()} == {"m12", "m13"}


def test_a_post_that_completes_nothing_does_not_say_that_awards_wait(stage: Stage) -> None:
    stage.member("m20")
    answer = at(stage, of_wrong_passphrase).post(PATH, share("m20"))
    assert "awards_wait" not in answer.json()


def test_where_keys_can_be_used_no_answer_says_that_awards_wait(stage: Stage) -> None:
    answer = stage.share(2)
    assert (len(answer["awards"]), "awards_wait" in answer) == (1, False)
    content = "".join(json.dumps(share(ref)) + "\n" for ref in MEMBERS[1:])
    headers = {"Content-Type": "application/x-ndjson"} | bearer(stage)
    assert "awards_wait" not in stage.client.post(PATH, content=content, headers=headers).text
    assert len(stage.awards()) == len(MEMBERS)
