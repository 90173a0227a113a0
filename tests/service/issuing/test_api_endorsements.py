"""Endorsements over HTTP: what a network posts for its members, and withdraws."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.awarding import Stage
from tests.worlds.endorsing import FEEDBACK, LISTENING, choose, endorsable, standing
from tests.worlds.my_badges import OTHER


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def badge(stage: Stage) -> str:
    return endorsable(stage)


BODY = {"member": "m12", "skill": FEEDBACK["target_url"], "comment": "I saw it in four circles."}


def post(stage: Stage, badge: str, token: str | None = None, **said: Any) -> Any:
    return stage.call("POST", f"./credentials/{badge}/endorsements", token, json=BODY | said)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_what_a_network_posts_without_a_name_waits_for_the_recipient_only(stage: Stage, badge: str) -> None:
    answer = post(stage, badge)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["skill"], made["named"], made["waits_for_member"]) == ("Gives feedback", False, False)
    assert standing(stage.runtime, badge) == [("I saw it in four circles.", "waiting")]
    choose(stage.runtime, badge, {made["id"]: "page"})
    assert stage.client.get(made["url"]).json()["type"] == ["VerifiableCredential", "EndorsementCredential"]


def test_what_it_posts_with_a_name_waits_for_the_member(stage: Stage, badge: str) -> None:
    assert post(stage, badge, named=True).json()["waits_for_member"]
    assert standing(stage.runtime, badge) == []


def test_a_members_own_token_is_their_consent(stage: Stage, badge: str) -> None:
    own = stage.token_with("evidence:write", member="m12")
    assert not post(stage, badge, own, named=True).json()["waits_for_member"]
    assert len(standing(stage.runtime, badge)) == 1


def test_what_a_member_said_themself_the_network_does_not_change(stage: Stage, badge: str) -> None:
    post(stage, badge, stage.token_with("evidence:write", member="m12"))
    assert code(post(stage, badge, comment="Better words.")) == (409, "endorsement-in-person")
    assert code(post(stage, badge, named=True)) == (409, "endorsement-in-person")
    assert post(stage, badge).status_code == 201
    assert standing(stage.runtime, badge) == [("I saw it in four circles.", "waiting")]


def test_a_skill_is_named_by_address_or_name_and_left_out_if_there_is_one(stage: Stage, badge: str) -> None:
    for said in (LISTENING["target_url"], LISTENING["target_name"]):
        assert post(stage, badge, skill=said).json()["skill"] == "Listens"
    for wrong in ("Sings", None):
        assert code(post(stage, badge, skill=wrong)) == (422, "skill-unknown")


def test_what_is_no_such_badge_or_member_is_refused(stage: Stage, badge: str) -> None:
    assert code(post(stage, "0" * 32)) == (404, "credential-unknown")
    assert code(post(stage, badge, member="nobody")) == (404, "member-unknown")
    assert code(post(stage, badge, member="m11")) == (403, "endorsement-oneself")
    stage.send("DELETE", "./members/m13")
    assert code(post(stage, badge, member="m13")) == (409, "member-erased")
    assert post(stage, badge, comment="x" * 501).status_code == 422


def test_another_network_finds_no_such_badge(stage: Stage, badge: str, client: TestClient) -> None:
    other = Stage.set_up(client, stage.runtime, "hill")
    other.member("m12", email=OTHER)
    assert code(post(other, badge)) == (404, "credential-unknown")
    made = post(stage, badge).json()
    answer = other.call("POST", f"./credentials/{badge}/endorsements/{made['id']}/withdrawal")
    assert code(answer) == (404, "credential-unknown")


def test_what_is_withdrawn_is_gone_and_cannot_be_withdrawn_again(stage: Stage, badge: str) -> None:
    made = post(stage, badge).json()
    choose(stage.runtime, badge, {made["id"]: "badge"})
    path = f"./credentials/{badge}/endorsements/{made['id']}/withdrawal"
    assert stage.send("POST", path)["withdrawn_at"]
    assert stage.client.get(made["url"]).status_code == 410
    assert code(stage.call("POST", path)) == (404, "endorsement-unknown")
    assert code(stage.call("POST", path.replace(made["id"], "0" * 32))) == (404, "endorsement-unknown")


def test_the_endorsement_of_another_badge_is_not_withdrawn_through_this_one(stage: Stage, badge: str) -> None:
    made = post(stage, badge).json()
    stage.achievement("other", name="Other")
    second = stage.recorded("other", "m14")["credential"]["id"]
    answer = stage.call("POST", f"./credentials/{second}/endorsements/{made['id']}/withdrawal")
    assert code(answer) == (404, "endorsement-unknown")
