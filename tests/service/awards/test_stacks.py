"""Awards that were built on others: what they pin, and what becomes of them when one of those falls."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.awards import settling
from service.checking import verification
from service.runtime.runtime import Runtime
from service.tables import AwardChild, Review
from tests.worlds.acting import told
from tests.worlds.awarding import SHARE_TWICE, Stage, once


@once
def laid(stage: Stage) -> None:
    stage.member("a1", roles=["approver"])
    stage.member()


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def stacked(stage: Stage, **parent: Any) -> tuple[Any, Any]:
    """Let m11 earn an achievement and the one that is built on it, and return both awards."""
    stage.achievement()
    stage.achievement("keeper", {"rule": "holds", "achievements": ["sharer"]}, **parent)
    for n in (1, 2):
        stage.share(n)
    child, keeper = stage.awards()
    return child, keeper


def revoke(stage: Stage, award: Any) -> None:
    stage.send("POST", f"/v1/credentials/{award['credential']['id']}/revocation", {"reason": "It was a copy."})


def shown(stage: Stage, award: Any) -> Any:
    return stage.send("GET", f"./awards/{award['id']}")


def queue(stage: Stage) -> list[Any]:
    items: list[Any] = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    return items


def decide(stage: Stage, review: Any, what: str, **body: str) -> Any:
    by = stage.token_with("awards:approve", member="a1")
    return stage.send("POST", f"./approvals/{review['id']}/{what}", body, token=by)


def verdict(stage: Stage, award: Any) -> str:
    received = stage.client.get(award["credential"]["url"] + ".json").content
    return verification.verify_received(stage.runtime, received).verdict


def test_a_revoked_child_puts_the_parent_under_review_and_does_not_take_it_back(stage: Stage) -> None:
    child, parent = stacked(stage)
    revoke(stage, child)
    now = shown(stage, parent)
    assert (now["state"], now["under_review_since"]) == ("awarded", "2026-03-02T12:00:00Z")
    (review,) = queue(stage)
    assert (review["kind"], review["cause"], review["award"]) == ("standing", "child-revoked", parent["id"])
    assert review["criteria"]["met"] is False
    assert told(stage.runtime, stage.slug)[-3:] == ["credential.revoked", "review.opened", "approval.waiting"]
    assert verdict(stage, parent) == "verified"


def test_who_looks_into_it_may_let_it_stand(stage: Stage) -> None:
    child, parent = stacked(stage)
    revoke(stage, child)
    assert decide(stage, queue(stage)[0], "approval", note="The rest is enough.")["state"] == "approved"
    now = shown(stage, parent)
    assert (now["state"], "under_review_since" in now) == ("awarded", False)
    assert told(stage.runtime, stage.slug)[-2:] == ["award.kept", "review.approved"]
    assert queue(stage) == []


def test_who_looks_into_it_may_take_it_back(stage: Stage) -> None:
    child, parent = stacked(stage)
    revoke(stage, child)
    assert decide(stage, queue(stage)[0], "refusal", reason="Nothing is left.")["state"] == "declined"
    assert shown(stage, parent)["state"] == "revoked"
    assert verdict(stage, parent) == "rejected"
    stage.share(3)
    assert [award["state"] for award in stage.awards(achievement="keeper")] == ["revoked"]


def test_what_falls_goes_up_the_stack_one_decision_at_a_time(stage: Stage) -> None:
    child, parent = stacked(stage)
    stage.achievement("master", {"rule": "holds", "achievements": ["keeper"]})
    stage.share(3)
    (master,) = stage.awards(achievement="master")
    revoke(stage, child)
    assert [review["award"] for review in queue(stage)] == [parent["id"]]
    decide(stage, queue(stage)[0], "refusal", reason="Nothing is left.")
    assert [review["award"] for review in queue(stage)] == [master["id"]]
    assert shown(stage, master)["state"] == "awarded"


def test_a_child_that_lost_its_evidence_puts_the_parent_under_review(stage: Stage) -> None:
    _, parent = stacked(stage)
    record = stage.send("GET", "./records")["items"][0]
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted by mistake."})
    assert [review["award"] for review in queue(stage)] == [parent["id"]]
    assert shown(stage, parent)["state"] == "awarded"


def test_the_version_of_the_child_is_pinned(stage: Stage) -> None:
    child, parent = stacked(stage)
    body = {"name": "Sharer", "description": "Shares.", "achievement_type": "Badge", "award": "automatic"}
    rule = SHARE_TWICE | {"gte": 9}
    stage.send("PUT", "./achievements/sharer", body | {"criteria": {"narrative": "More.", "rule": rule}})
    stage.send("POST", "./achievements/sharer/publication")
    with stage.runtime.database.read() as session:
        (pinned,) = session.scalars(select(AwardChild))
    assert (str(pinned.award_id), str(pinned.child_id)) == (parent["id"], child["id"])
    assert shown(stage, child)["version"] == 1
    (held,) = stage.client.get(shown(stage, parent)["receipt"]).json()["holds"]
    assert held["achievement"] == stage.credential(child)["credentialSubject"]["achievement"]["id"]


def test_a_child_that_expired_leaves_the_parent_alone(stage: Stage, clock: Any) -> None:
    stage.achievement(valid_for="P1M")
    stage.achievement("keeper", {"rule": "holds", "achievements": ["sharer"]})
    for n in (1, 2):
        stage.share(n)
    clock.advance(days=40)
    settling.expire_due(stage.runtime)
    assert queue(stage) == []


def test_a_parent_that_is_pending_is_questioned_in_silence_and_not_signed(stage: Stage, clock: Any) -> None:
    child, parent = stacked(stage, cooling_off="P3D")
    revoke(stage, child)
    assert told(stage.runtime, stage.slug)[-1] == "credential.revoked"
    clock.advance(days=3)
    assert settling.sign_due(stage.runtime) == 0
    decide(stage, queue(stage)[0], "refusal", reason="Nothing is left.")
    now = shown(stage, parent)
    assert (now["state"], now["ended_for"]) == ("revoked", "Nothing is left.")
    assert "review.declined" not in told(stage.runtime, stage.slug)


def test_of_two_children_revoked_at_the_same_moment_one_review_comes(stage: Stage) -> None:
    stage.achievement()
    stage.achievement("other")
    stage.achievement("keeper", {"rule": "holds", "achievements": ["sharer", "other"]})
    for n in (1, 2):
        stage.share(n)
    children = [award for award in stage.awards() if award["achievement"] != "keeper"]
    together = threading.Barrier(2)

    def work(award: Any) -> None:
        together.wait()
        revoke(stage, award)

    threads = [threading.Thread(target=work, args=(award,)) for award in children]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queue(stage)) == 1
    with stage.runtime.database.read() as session:
        assert len(session.scalars(select(Review)).all()) == 1
