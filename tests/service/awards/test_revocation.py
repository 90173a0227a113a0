"""What becomes of a credential that its network takes back."""

import json
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from credentials.status import BitstringStatusList, read_entry
from service.checking import verification
from service.errors import CustodyError
from service.runtime.runtime import Runtime
from service.tables import Award, Credential, StatusList
from tests.worlds.awarding import Stage, once

PATH = "/v1/credentials/{}/revocation"


@once
def laid(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member("m11")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def revoke(stage: Stage, award: Any, reason: str = "Wrong member.", **more: Any) -> Any:
    return stage.call("POST", PATH.format(award["credential"]["id"]), json={"reason": reason}, **more)


def verdict(stage: Stage, award: Any, ending: str = ".json") -> tuple[str, list[str]]:
    received = stage.client.get(award["credential"]["url"] + ending).content
    report = verification.verify_received(stage.runtime, received)
    return report.verdict, [check.name for check in report.checks if check.outcome == "failed"]


def published(stage: Stage, award: Any) -> Any:
    """Return the status list that the credential names, from its public address."""
    url = stage.credential(award)["credentialStatus"]["statusListCredential"]
    return stage.client.get(urlsplit(url).path).json()


def test_a_revoked_badge_is_rejected_and_the_status_check_says_so(stage: Stage) -> None:
    award = stage.recorded()
    assert verdict(stage, award) == ("verified", [])
    answer = revoke(stage, award)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "revoked"
    for ending in (".json", ".jwt", ".png", ".svg"):
        assert verdict(stage, award, ending) == ("rejected", ["status"])


def test_only_the_revoked_one_is_marked_in_the_list(stage: Stage) -> None:
    stage.member("m12")
    revoked, other = stage.recorded(), stage.recorded(member="m12")
    revoke(stage, revoked)
    document = published(stage, revoked)
    entries = [stage.credential(award)["credentialStatus"] for award in (revoked, other)]
    assert [read_entry(entry, document) for entry in entries] == [1, 0]
    bits = BitstringStatusList.decode(document["credentialSubject"]["encodedList"])
    assert sum(bits[index] for index in range(len(bits))) == 1
    assert verdict(stage, other) == ("verified", [])


def test_the_status_says_since_when_and_why_and_the_award_follows(stage: Stage, clock: Any) -> None:
    award = stage.recorded()
    path = f"/v1/credentials/{award['credential']['id']}/status"
    assert stage.send("GET", path)["state"] == "valid"
    clock.advance(days=3)
    revoke(stage, award)
    status = stage.send("GET", path)
    assert (status["state"], status["revoked_at"]) == ("revoked", "2026-03-05T12:00:00Z")
    assert status["reason"] == "Wrong member."
    assert stage.send("GET", f"./awards/{award['id']}")["state"] == "revoked"


def test_revoking_again_gives_the_first_answer_and_says_nothing_new(stage: Stage, clock: Any) -> None:
    award = stage.recorded()
    first = revoke(stage, award)
    clock.advance(hours=1)
    with stage.runtime.database.read() as session:
        signed = session.query(StatusList).one().signed
    again = revoke(stage, award, reason="Another reason.")
    assert (again.status_code, again.json()) == (200, first.json())
    with stage.runtime.database.read() as session:
        assert session.query(StatusList).one().signed == signed
    events = stage.send("GET", "./events", params={"type": "credential.revoked"})["items"]
    assert [event["about"]["credential"] for event in events] == [award["credential"]["id"]]


def test_while_custody_is_down_nothing_changes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    award = stage.recorded()
    before = published(stage, award)

    def down(_uri: str) -> Any:
        raise CustodyError("custody-unavailable", "A signing key cannot be opened; nothing has changed.")

    with monkeypatch.context() as broken:
        broken.setattr(stage.runtime.custody, "signer", down)
        answer = revoke(stage, award)
    assert (answer.status_code, answer.json()["code"]) == (503, "custody-unavailable")
    assert published(stage, award) == before
    assert verdict(stage, award) == ("verified", [])
    with stage.runtime.database.read() as session:
        row = session.get_one(Credential, award["credential"]["id"])
        assert (row.revoked_at, row.revocation_reason) == (None, None)
        assert session.get_one(Award, row.award_id).state == "awarded"
    assert not stage.send("GET", "./events", params={"type": "credential.revoked"})["items"]
    assert revoke(stage, award).status_code == 200


def test_another_network_does_not_see_it(stage: Stage) -> None:
    award = stage.recorded()
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    assert revoke(other, award).status_code == 404
    for path in ("", "/status"):
        answer = other.call("GET", f"/v1/credentials/{award['credential']['id']}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "credential-unknown")
    assert verdict(stage, award) == ("verified", [])


def test_revoking_needs_its_scope_and_a_reason(stage: Stage) -> None:
    award = stage.recorded()
    answer = revoke(stage, award, token=stage.token_with("read", "evidence:write"))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    for body in ({}, {"reason": ""}, {"reason": "x", "because": "y"}):
        answer = stage.call("POST", PATH.format(award["credential"]["id"]), json=body)
        assert answer.status_code == 422
    assert verdict(stage, award) == ("verified", [])


def test_of_many_revoked_at_the_same_moment_every_one_is_in_the_list(stage: Stage) -> None:
    members = [f"member-{n}" for n in range(6)]
    for ref in members:
        stage.member(ref)
    awards = [stage.recorded(member=ref) for ref in members]
    together = threading.Barrier(len(awards))
    answers = []

    def work(award: Any) -> None:
        together.wait()
        answers.append(revoke(stage, award).status_code)

    threads = [threading.Thread(target=work, args=(award,)) for award in awards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * len(awards)
    for award in awards:
        assert verdict(stage, award) == ("rejected", ["status"])


def test_the_networks_list_of_credentials_can_be_asked_for_the_revoked(stage: Stage) -> None:
    stage.member("m12")
    revoked, other = stage.recorded(), stage.recorded(member="m12")
    revoke(stage, revoked)
    for asked, expected in ((True, revoked), (False, other)):
        (item,) = stage.send("GET", "./credentials", params={"revoked": json.dumps(asked)})["items"]
        assert (item["id"], item["member"]) == (expected["credential"]["id"], expected["member"])
