"""Lists of awards, credentials and approvals: found by what people ask for, newest first, with what they name."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from service.runtime.runtime import Runtime
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import Clock

AWARDS, CREDENTIALS = "./awards", "./credentials"


@once
def laid(stage: Stage) -> None:
    stage.achievement("a", rule=None, award="reviewed", name="First")
    stage.achievement("b", rule=None, award="reviewed", name="Second")
    for ref, achievement, at in (
        ("m11", "a", "2021-06-29T22:00:00Z"),  # midnight of 30 June in Berlin
        ("m12", "a", "2021-05-01T12:00:00Z"),
        ("m12", "b", "2021-06-29T21:59:59Z"),
    ):
        stage.member(ref, name=ref.upper(), email=f"{ref}@example.org")
        stage.recorded(achievement, ref, awarded_at=at)


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def listed(stage: Stage, path: str, **query: Any) -> list[str]:
    return [row["member"] + row["achievement"] for row in stage.send("GET", path, params=query)["items"]]


def code(stage: Stage, path: str, **query: Any) -> tuple[int, str, str | None]:
    answer = stage.call("GET", path, params=query)
    return answer.status_code, answer.json()["code"], answer.json().get("pointer")


def test_awards_are_found_by_when_they_were_earned_and_ordered(stage: Stage) -> None:
    assert listed(stage, AWARDS) == listed(stage, AWARDS, sort="decided_at") == ["m11a", "m12a", "m12b"]
    assert listed(stage, AWARDS, sort="-decided_at") == ["m12b", "m12a", "m11a"]
    assert listed(stage, AWARDS, sort="awarded_at") == ["m12a", "m12b", "m11a"]
    assert listed(stage, AWARDS, sort="-awarded_at") == ["m11a", "m12b", "m12a"]
    assert listed(stage, AWARDS, awarded_from="2021-06-30") == ["m11a"]
    assert listed(stage, AWARDS, awarded_until="2021-06-30", member="m12", achievement="b") == ["m12b"]
    assert listed(stage, AWARDS, basis="recorded", state="awarded") == ["m11a", "m12a", "m12b"]
    assert listed(stage, AWARDS, basis="rule") == []


def test_credentials_are_found_by_state_and_date_and_ordered(stage: Stage, clock: Clock) -> None:
    clock.advance(days=1)
    late = stage.recorded("b", "m11")
    assert sorted(listed(stage, CREDENTIALS, state="valid")) == ["m11a", "m11b", "m12a", "m12b"]
    assert listed(stage, CREDENTIALS, sort="-issued_at")[0] == "m11b"
    assert listed(stage, CREDENTIALS, sort="issued_at")[-1] == "m11b"
    assert listed(stage, CREDENTIALS, issued_from="2026-03-03") == ["m11b"]
    assert len(listed(stage, CREDENTIALS, issued_until="2026-03-03")) == 3
    path = f"/v1/credentials/{late['credential']['id']}"
    stage.send("POST", f"{path}/suspension", {"reason": "Being looked into."})
    assert listed(stage, CREDENTIALS, state="suspended") == ["m11b"]
    stage.send("POST", f"{path}/revocation", {"reason": "Wrong."})
    assert listed(stage, CREDENTIALS, state="revoked") == ["m11b"]
    assert listed(stage, CREDENTIALS, state="suspended") == listed(stage, CREDENTIALS, state="expired") == []


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize("path", [AWARDS, CREDENTIALS, "./approvals", "./cases"])
def test_a_filter_that_names_nothing_is_refused(stage: Stage, path: str) -> None:
    assert code(stage, path, member="nobody") == (422, "member-unknown", "member")
    assert code(stage, path, achievement="nothing") == (422, "achievement-unknown", "achievement")


def test_the_names_of_another_network_are_none_here(stage: Stage) -> None:
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    assert code(other, AWARDS, member="m11") == (422, "member-unknown", "member")


@pytest.mark.parametrize("path", [AWARDS, CREDENTIALS])
def test_a_row_brings_its_member_and_achievement_if_they_are_asked_for(stage: Stage, path: str) -> None:
    query = {"member": "m12", "achievement": "b", "expand": "member,achievement"}
    [row] = stage.send("GET", path, params=query)["items"]
    assert row["expanded"]["member"].items() >= {"ref": "m12", "name": "M12", "email": "m12@example.org"}.items()
    assert row["expanded"]["achievement"].items() >= {"ref": "b", "version": 1, "name": "Second"}.items()
    [row] = stage.send("GET", path, params=query | {"expand": "achievement"})["items"]
    assert row["expanded"].keys() == {"achievement"}
    [row] = stage.send("GET", path, params=query, token=stage.token_with("read:basic"))["items"]
    assert "email" not in row["expanded"]["member"]
    assert code(stage, path, expand="person")[:2] == (422, "string-pattern-mismatch")


def test_a_page_costs_no_more_statements_with_more_rows(runtime: Runtime, stage: Stage) -> None:
    asked: list[str] = []

    @event.listens_for(runtime.database.engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not threading.current_thread().name.startswith("laurel-"):
            asked.append(statement)

    def cost(path: str) -> int:
        stage.send("GET", path, params={"expand": "member,achievement"})
        asked.clear()
        stage.send("GET", path, params={"expand": "member,achievement"})
        return len(asked)

    few = {path: cost(path) for path in (AWARDS, CREDENTIALS)}
    for number in range(3):
        stage.member(f"more-{number}", name="More", email=f"more-{number}@example.org")
        stage.achievement(f"more-{number}", rule=None, award="reviewed")
        stage.recorded(f"more-{number}", f"more-{number}")
    assert {path: cost(path) for path in few} == few


def test_approvals_come_newest_first_if_it_is_asked_for(stage: Stage) -> None:
    rule = {"all": [{"rule": "count", "gte": 1}, {"rule": "approval", "by_role": "director"}]}
    stage.achievement("asked", rule=rule)
    for ref in ("m11", "m12"):
        stage.share(1, ref)
    assert listed(stage, "./approvals") == ["m11asked", "m12asked"]
    assert listed(stage, "./approvals", sort="-opened_at") == ["m12asked", "m11asked"]
