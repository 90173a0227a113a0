"""A decision is made once, under the lock, and handed on: no rule is asked a second time for it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.awards import settling
from service.issuing import decision
from service.progress import progress
from service.runtime.runtime import Runtime
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.runtimes import Clock

APPROVED = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("d1", roles=["director", "approver"])
    stage.member()
    return stage


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the achievements of which the numbers are read, as they are."""
    found: list[str] = []
    survey = progress.survey

    def noting(session: Any, network: Any, version: Any, *rest: Any, **more: Any) -> Any:
        found.append(version.name)
        return survey(session, network, version, *rest, **more)

    monkeypatch.setattr(progress, "survey", noting)
    return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The nodes of which the public form is worked out."""
    found: list[Any] = []
    criteria = decision._criteria

    def noting(node: Any, shown: Any) -> Any:
        found.append(node)
        return criteria(node, shown)

    monkeypatch.setattr(decision, "_criteria", noting)
    return found


def shared(stage: Stage) -> None:
    for n in (1, 2):
        stage.share(n)


def waiting(stage: Stage) -> str:
    (item,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    return str(item["id"])


def approve(stage: Stage, review: str) -> Any:
    by = stage.token_with("awards:approve", member="d1")
    return stage.send("POST", f"./approvals/{review}/approval", {}, token=by)


def test_an_approval_asks_the_rule_once(stage: Stage, asked: list[str], told: list[Any]) -> None:
    stage.achievement(rule=APPROVED)
    shared(stage)
    review = waiting(stage)
    asked.clear()
    told.clear()
    assert approve(stage, review)["state"] == "approved"
    assert asked == ["Sharer"]
    assert len(told) == 3  # the group and its two rules


def test_of_other_achievements_an_approval_asks_each_once(stage: Stage, asked: list[str]) -> None:
    stage.achievement(rule=APPROVED)
    for n in range(3):
        stage.achievement(f"other-{n}", rule=SHARE_TWICE | {"gte": 9}, name=f"Other {n}")
    shared(stage)
    review = waiting(stage)
    asked.clear()
    approve(stage, review)
    assert sorted(asked) == ["Other 0", "Other 1", "Other 2", "Sharer"]


def test_what_is_refused_is_explained_by_what_was_asked(stage: Stage, asked: list[str]) -> None:
    stage.achievement(valid_for="P1Y")
    stage.achievement("approved", rule=APPROVED, name="Approved")
    stage.share(1)
    asked.clear()
    answer = stage.award()
    assert (answer.status_code, answer.json()["progress"]["observed"]) == (409, 1)
    assert len(answer.json()["progress"]["record_ids"]) == 1
    assert asked == ["Sharer"]
    asked.clear()
    answer = stage.call("POST", "./approvals", json={"achievement": "approved", "member": "m11"})
    assert answer.json()["progress"]["children"][0]["observed"] == 1
    assert asked == ["Approved"]


def test_what_cooled_off_is_asked_once_more_when_it_is_signed(stage: Stage, asked: list[str], clock: Clock) -> None:
    stage.achievement(cooling_off="P3D")
    shared(stage)
    clock.advance(days=3)
    asked.clear()
    assert settling.sign_due(stage.runtime) == 1
    assert asked == ["Sharer"]
