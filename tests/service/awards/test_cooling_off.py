"""Awards that wait before they are signed: nobody outside sees them, and they are decided anew when their time comes."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.awards import settling
from service.errors import CustodyError
from service.runtime.runtime import Runtime
from service.tables import Award, Credential, Member, Message, Receipt, StatusList
from tests.worlds.acting import told
from tests.worlds.awarding import SHARE_TWICE, Stage, once


@once
def laid(stage: Stage) -> None:
    stage.member("m11", email="m11@river.example.org")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


@once
def pending(stage: Stage, **more: Any) -> Any:
    stage.achievement(**{"cooling_off": "P3D"} | more)
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards()
    return award


def undo(stage: Stage, award: Any, **more: Any) -> Any:
    return stage.call("POST", f"./awards/{award['id']}/undoing", json={"reason": "Wrong member."}, **more)


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def outside(stage: Stage) -> list[Any]:
    """Return everything that somebody outside could see of an award."""
    with stage.runtime.database.read() as session:
        rows = [row for table in (Credential, Message, Receipt) for row in session.scalars(select(table))]
    kinds = ("award.", "credential.", "review.")
    return rows + [kind for kind in told(stage.runtime, stage.slug) if kind.startswith(kinds)]


def test_until_its_time_comes_nothing_is_signed_or_told(stage: Stage, clock: Any) -> None:
    award = pending(stage)
    assert (award["state"], award["due_at"], "credential" in award) == ("pending", "2026-03-05T12:00:00Z", False)
    assert outside(stage) == []
    with stage.runtime.database.read() as session:
        assert session.scalars(select(StatusList)).all() == []
    clock.advance(days=2, hours=23)
    assert settling.sign_due(stage.runtime) == 0
    assert outside(stage) == []
    assert stage.send("GET", "./credentials")["items"] == []


def test_signing_is_the_announcement(stage: Stage, clock: Any) -> None:
    award = pending(stage)
    clock.advance(days=3)
    assert settling.sign_due(stage.runtime) == 1
    assert settling.sign_due(stage.runtime) == 0
    (shown,) = stage.awards()
    assert (shown["id"], shown["state"], "due_at" in shown) == (award["id"], "awarded", False)
    credential = stage.credential(shown)
    assert (credential["awardedDate"], credential["validFrom"]) == ("2026-03-02T12:00:00Z", "2026-03-05T12:00:00Z")
    assert told(stage.runtime, stage.slug)[-2:] == ["award.made", "credential.issued"]
    with stage.runtime.database.read() as session:
        assert len(session.scalars(select(Message)).all()) == 1


def test_undoing_leaves_only_the_row(stage: Stage, clock: Any) -> None:
    award = pending(stage)
    answer = undo(stage, award)
    assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    assert answer.json()["ended_for"] == "Wrong member."
    assert undo(stage, award).json() == answer.json()
    stage.share(3)
    clock.advance(days=9)
    assert settling.sign_due(stage.runtime) == 0
    assert [row["state"] for row in stage.awards()] == ["revoked"]
    assert outside(stage) == []


def test_what_was_announced_is_not_undone(stage: Stage, clock: Any) -> None:
    award = pending(stage)
    clock.advance(days=3)
    settling.sign_due(stage.runtime)
    assert problem(undo(stage, award)) == (409, "award-not-pending")
    assert problem(undo(stage, award, token=stage.token_with("read"))) == (403, "scope-missing")
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    assert problem(undo(other, award)) == (404, "award-unknown")


def test_what_loses_its_evidence_meanwhile_ends_unseen_and_can_be_earned_again(stage: Stage, clock: Any) -> None:
    pending(stage)
    record = stage.send("GET", "./records")["items"][0]
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted by mistake."})
    assert [row["state"] for row in stage.awards()] == ["revoked"]
    assert outside(stage) == []
    stage.share(3)
    assert [row["state"] for row in stage.awards()] == ["revoked", "pending"]
    clock.advance(days=3)
    assert settling.sign_due(stage.runtime) == 1


def test_it_is_decided_anew_before_it_is_signed(stage: Stage, clock: Any) -> None:
    pending(stage, rule=SHARE_TWICE | {"window": {"last": "P3D"}})
    clock.advance(days=3)
    assert settling.sign_due(stage.runtime) == 0
    assert [row["state"] for row in stage.awards()] == ["revoked"]
    assert outside(stage) == []


def test_evidence_that_came_meanwhile_stands_in_the_credential(stage: Stage, clock: Any) -> None:
    award = pending(stage)
    record = stage.send("GET", "./records")["items"][0]
    stage.share(3, occurred_at="2026-03-02T10:00:00Z")
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted by mistake."})
    clock.advance(days=3)
    assert settling.sign_due(stage.runtime) == 1
    (shown,) = stage.awards()
    assert shown["id"] == award["id"]
    said = stage.client.get(shown["receipt"]).json()
    assert record["id"] not in {item["id"] for item in said["evidence"]}
    assert said["as_of"] == "2026-03-05T12:00:00Z"
    assert len(stage.credential(shown)["evidence"]) == 3


def test_a_pending_award_counts_for_nothing_else(stage: Stage, clock: Any) -> None:
    stage.achievement("keeper", {"rule": "count", "gte": 1}, award="reviewed")
    pending(stage)
    rule = {"rule": "holds", "achievements": ["sharer"]}
    stage.achievement("parent", rule)
    stage.share(3)
    assert [row["achievement"] for row in stage.awards()] == ["sharer"]
    clock.advance(days=3)
    settling.sign_due(stage.runtime)
    assert [row["achievement"] for row in stage.awards()] == ["sharer", "parent"]


def test_while_custody_is_down_it_goes_on_waiting(stage: Stage, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pending(stage)
    clock.advance(days=3)

    def down(_uri: str) -> Any:
        raise CustodyError("custody-unavailable", "A signing key cannot be opened; nothing has changed.")

    with monkeypatch.context() as broken:
        broken.setattr(stage.runtime.custody, "signer", down)
        assert settling.sign_due(stage.runtime) == 0
    assert [row["state"] for row in stage.awards()] == ["pending"]
    assert settling.sign_due(stage.runtime) == 1


def test_what_people_approved_waits_too_and_nothing_is_told_of_it(stage: Stage, clock: Any) -> None:
    stage.member("d1", roles=["director"])
    stage.achievement(rule={"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}, cooling_off="P3D")
    for n in (1, 2):
        stage.share(n)
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    answer = stage.send("POST", f"./approvals/{waiting['id']}/approval", {}, token=by)
    (award,) = stage.awards()
    assert (answer["state"], award["state"]) == ("approved", "pending")
    assert outside(stage) == ["review.opened"]
    clock.advance(days=3)
    assert settling.sign_due(stage.runtime) == 1
    (shown,) = stage.awards()
    assert [(each["member"], each["role"]) for each in shown["decided_by"]] == [("d1", "director")]


def test_an_award_to_staff_is_signed_when_a_second_person_approved_and_its_time_has_come(
    stage: Stage, clock: Any
) -> None:
    stage.achievement(award="reviewed", cooling_off="P3D")
    for ref in ("f1", "a1"):
        stage.member(ref, roles=["approver"])
    award = stage.award(member="f1", basis="override", reason="Known.").json()
    clock.advance(days=4)
    assert settling.sign_due(stage.runtime) == 0
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="a1")
    stage.send("POST", f"./approvals/{waiting['id']}/approval", {}, token=by)
    assert stage.send("GET", f"./awards/{award['id']}")["state"] == "awarded"


def test_what_was_awarded_elsewhere_does_not_wait(stage: Stage) -> None:
    stage.achievement(award="reviewed", cooling_off="P3D")
    assert stage.recorded()["state"] == "awarded"
    stage.member("m12")
    assert stage.award(member="m12", basis="override", reason="Known.").json()["state"] == "pending"


def test_a_batch_leaves_pending_what_waits(stage: Stage, clock: Any) -> None:
    for ref in ("m11", "m12"):
        stage.member(ref)
        for n in (1, 2):
            stage.share(n, ref)
    stage.achievement(cooling_off="P3D")
    with stage.runtime.database.read() as session:
        network_id = session.scalars(select(Member.network_id)).first()
        assert network_id is not None
    settling.settle_pending(stage.runtime, network_id)
    assert [row["state"] for row in stage.awards()] == ["pending", "pending"]
    clock.advance(days=3)
    assert settling.sign_due(stage.runtime) == 2
    with stage.runtime.database.read() as session:
        assert set(session.scalars(select(Award.state))) == {"awarded"}
