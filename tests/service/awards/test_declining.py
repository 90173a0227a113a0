"""A recipient who does not want a badge declines it; the network has not taken it back."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.checking import check
from service.errors import ConflictError, CustodyError
from service.issuing import status_lists
from service.notifications import mail
from service.runtime.runtime import Runtime
from service.tables import Award, Event, Message
from tests.worlds.acting import refused, told
from tests.worlds.awarding import SHARE_TWICE, Stage, once
from tests.worlds.presenting import decline, present, row_of, see
from tests.worlds.runtimes import Clock, desk_of


@once
def laid(stage: Stage) -> str:
    stage.achievement()
    stage.achievement("stack", rule={"rule": "holds", "achievements": ["sharer"]})
    stage.member("ana", email="ana@river.example.org")
    stage.share(1, "ana")
    stage.share(2, "ana")
    [award] = stage.awards(member="ana", achievement="sharer")
    credential_id: str = award["credential"]["id"]
    return credential_id


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def badge(stage: Stage) -> str:
    return laid(stage)


def sharers(stage: Stage) -> list[str]:
    return [each["state"] for each in stage.awards(member="ana", achievement="sharer")]


def test_a_declined_badge_is_revoked_hidden_and_rejected(stage: Stage, badge: str) -> None:
    given = row_of(stage.runtime, badge).signed
    decline(stage.runtime, badge)
    row = row_of(stage.runtime, badge)
    assert (row.revoked_at, row.revocation_reason, row.revoked_by) == (
        row.declined_at,
        "declined by its recipient",
        None,
    )
    for ending in ("", ".json", ".jwt", ".png", ".svg"):
        assert stage.client.get(f"/credentials/{badge}{ending}").status_code == 404
    checked = check.check(desk_of(stage.runtime), given)
    assert (checked.report.verdict, checked.headline) == ("rejected", "revoked")
    assert sharers(stage) == ["revoked"]


def test_the_network_sees_that_it_was_declined_and_did_not_revoke_it(stage: Stage, badge: str) -> None:
    assert "declined_at" not in stage.send("GET", f"/v1/credentials/{badge}")
    decline(stage.runtime, badge)
    seen = stage.send("GET", f"/v1/credentials/{badge}")
    assert (seen["state"], seen["visibility"]) == ("revoked", "private")
    assert (seen["declined_at"], seen["reason"]) == (seen["revoked_at"], "declined by its recipient")
    kinds = told(stage.runtime, "river")
    assert (kinds.count("credential.declined"), kinds.count("credential.revoked")) == (1, 0)
    with stage.runtime.database.read() as session:
        event = session.scalars(select(Event).where(Event.type == "credential.declined")).one()
        award = session.scalars(select(Award).where(Award.id == row_of(stage.runtime, badge).award_id)).one()
    assert event.about == {"credential": badge, "award": str(award.id), "member": str(award.member_id)}
    assert award.ended_by is None


def test_nobody_is_written_to_and_a_mail_that_waits_is_not_sent(stage: Stage, badge: str) -> None:
    decline(stage.runtime, badge)
    with stage.runtime.database.read() as session:
        assert session.scalars(select(Message).where(Message.credential_id == badge)).all() == []
    mail.send_due(stage.runtime)


def test_what_was_built_on_it_is_put_before_people(stage: Stage, badge: str) -> None:
    decline(stage.runtime, badge)
    [stack] = stage.awards(member="ana", achievement="stack")
    assert (stack["state"], "under_review_since" in stack) == ("awarded", True)
    assert "review.opened" in told(stage.runtime, "river")


def test_the_rule_does_not_award_it_again_by_itself(stage: Stage, badge: str, clock: Clock) -> None:
    decline(stage.runtime, badge)
    for n in (3, 4, 5):
        clock.advance(hours=1)
        stage.share(n, "ana")
    assert sharers(stage) == ["revoked"]


def test_the_rule_does_not_award_it_again_when_evidence_is_voided_and_posted_again(stage: Stage, badge: str) -> None:
    decline(stage.runtime, badge)
    record = stage.send("GET", "./contributions/ana-share-1")
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted twice."})
    stage.share(7, "ana")
    assert sharers(stage) == ["revoked"]


def test_no_question_about_it_is_put_before_people_by_itself(stage: Stage) -> None:
    stage.achievement("approved", rule={"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]})
    stage.member("dora", roles=["director"])
    stage.member("ben", email="ben@river.example.org")
    stage.share(1, "ben")
    stage.share(2, "ben")
    asked = stage.send("GET", "./approvals")["items"]
    stage.send(
        "POST",
        f"./approvals/{next(each['id'] for each in asked if each['member'] == 'ben')}/approval",
        {},
        token=stage.token_with("awards:approve", member="dora"),
    )
    [award] = stage.awards(member="ben", achievement="approved")
    decline(stage.runtime, award["credential"]["id"])
    stage.share(3, "ben")
    waiting = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    assert [each for each in waiting if each["member"] == "ben"] == []


def test_the_network_can_award_it_again_by_hand_under_a_new_id(stage: Stage, badge: str) -> None:
    decline(stage.runtime, badge)
    answer = stage.award("sharer", "ana")
    assert answer.status_code == 201, answer.text
    made = answer.json()["credential"]["id"]
    assert made != badge
    assert stage.send("GET", f"/v1/credentials/{made}")["visibility"] == "unlisted"


def test_a_second_time_changes_nothing(stage: Stage, badge: str, clock: Clock) -> None:
    decline(stage.runtime, badge)
    before = row_of(stage.runtime, badge)
    clock.advance(days=1)
    decline(stage.runtime, badge)
    after = row_of(stage.runtime, badge)
    assert (after.declined_at, after.revoked_at) == (before.declined_at, before.revoked_at)
    assert told(stage.runtime, "river").count("credential.declined") == 1


def test_what_the_network_revoked_cannot_be_declined(stage: Stage, badge: str) -> None:
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "Wrong member."})
    with pytest.raises(ConflictError) as caught:
        decline(stage.runtime, badge)
    assert caught.value.code == "credential-revoked"
    assert row_of(stage.runtime, badge).declined_at is None


def test_a_suspended_badge_can_be_declined(stage: Stage, badge: str) -> None:
    stage.send("POST", f"/v1/credentials/{badge}/suspension", {"reason": "Looked into."})
    decline(stage.runtime, badge)
    assert stage.send("GET", f"/v1/credentials/{badge}")["state"] == "revoked"


def test_a_declined_badge_is_for_good(stage: Stage, badge: str) -> None:
    decline(stage.runtime, badge)
    seen = stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "Too."})
    assert seen["reason"] == "declined by its recipient"
    for path, body in (("reinstatement", None), ("suspension", {"reason": "R."}), ("replacement", {"reason": "R."})):
        answer = stage.call("POST", f"/v1/credentials/{badge}/{path}", **({"json": body} if body else {}))
        assert refused(answer)[:2] == (409, "credential-revoked"), path
    with pytest.raises(ConflictError) as caught:
        see(stage.runtime, badge, "unlisted")
    assert caught.value.code == "credential-declined"
    with pytest.raises(ConflictError) as caught:
        present(stage.runtime, badge, name_shown="none")
    assert caught.value.code == "credential-revoked"


def test_nothing_was_refused_that_could_be_contested(stage: Stage, badge: str) -> None:
    decline(stage.runtime, badge)
    assert "appeal" not in stage.send("GET", f"/v1/credentials/{badge}/status")
    hers = stage.token_with("cases:write", "read", member="ana")
    answer = stage.call("POST", "./cases", token=hers, json={"credential": badge, "statement": "S."})
    assert refused(answer) == (409, "credential-declined", "/credential")


def test_while_the_list_cannot_be_signed_nothing_changes(
    stage: Stage, badge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise CustodyError("custody-unavailable", "The keys cannot be used.")

    monkeypatch.setattr(status_lists, "publish", refuse)
    with pytest.raises(CustodyError):
        decline(stage.runtime, badge)
    row = row_of(stage.runtime, badge)
    assert (row.revoked_at, row.declined_at, row.visibility) == (None, None, "unlisted")
    assert sharers(stage) == ["awarded"]
