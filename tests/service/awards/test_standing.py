"""What becomes of a credential while it stands: suspended and reinstated, replaced, renewed."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from credentials.status import read_entry
from service.awards import settling
from service.checking import verification
from service.issuing import status_lists
from service.runtime.runtime import Runtime
from service.tables import Credential, Message, StatusList
from tests.worlds.acting import told
from tests.worlds.awarding import SHARE_TWICE, Stage, once

pytestmark = pytest.mark.any_database(
    "the states of a credential are the same rows as in test_revocation, which asks both"
)


@once
def laid(stage: Stage) -> None:
    stage.member("m11", email="m11@river.example.org")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


@once
def made(stage: Stage, **achievement: Any) -> Any:
    stage.achievement(award="reviewed", **achievement)
    return stage.recorded(awarded_at="2026-02-01T12:00:00Z")


def change(stage: Stage, award: Any, what: str, reason: str | None = "Being looked into.", **more: Any) -> Any:
    if reason is not None:
        more["json"] = {"reason": reason}
    return stage.call("POST", f"/v1/credentials/{award['credential']['id']}/{what}", **more)


def status(stage: Stage, award: Any) -> Any:
    return stage.send("GET", f"/v1/credentials/{award['credential']['id']}/status")


def verdict(stage: Stage, award: Any, ending: str = ".json") -> tuple[str, list[str]]:
    received = stage.client.get(award["credential"]["url"] + ending).content
    report = verification.verify_received(stage.runtime, received)
    return report.verdict, [found.code for check in report.checks for found in check.findings]


def page(stage: Stage, award: Any) -> str:
    return stage.client.get(award["credential"]["url"], headers={"Accept": "text/html"}).text


def bit(stage: Stage, award: Any) -> int:
    """Return what the published list says of the credential."""
    entry = stage.credential(award)["credentialStatus"]
    return read_entry(entry, stage.client.get(urlsplit(entry["statusListCredential"]).path).json())


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# --- Suspended -----------------------------------------------------------------------------------------------------


def test_a_suspended_badge_is_not_to_be_relied_on_and_we_say_so_everywhere(stage: Stage, clock: Any) -> None:
    award = made(stage)
    clock.advance(days=1)
    answer = change(stage, award, "suspension")
    assert (answer.status_code, answer.json()["state"]) == (200, "suspended")
    said = status(stage, award)
    assert (said["suspended_at"], said["reason"]) == ("2026-03-03T12:00:00Z", "Being looked into.")
    assert stage.awards()[0]["state"] == "suspended"
    assert "This badge is suspended" in page(stage, award)
    for ending in (".json", ".jwt", ".png", ".svg"):
        assert verdict(stage, award, ending) == ("rejected", ["credential-suspended"])
    assert told(stage.runtime, stage.slug)[-1] == "credential.suspended"
    # The list for revocation cannot say it; it is not published anew.
    assert bit(stage, award) == 0


def test_what_is_reinstated_stands_again(stage: Stage) -> None:
    award = made(stage)
    change(stage, award, "suspension")
    answer = change(stage, award, "reinstatement", None)
    assert (answer.status_code, answer.json()["state"], "reason" in answer.json()) == (200, "valid", False)
    assert stage.awards()[0]["state"] == "awarded"
    assert verdict(stage, award) == ("verified", [])
    assert told(stage.runtime, stage.slug)[-1] == "credential.reinstated"


def test_suspending_or_reinstating_twice_changes_nothing(stage: Stage) -> None:
    award = made(stage)
    first = change(stage, award, "suspension").json()
    assert change(stage, award, "suspension", "Another reason.").json() == first
    for _ in range(2):
        assert change(stage, award, "reinstatement", None).json()["state"] == "valid"
    kinds = told(stage.runtime, stage.slug)
    assert (kinds.count("credential.suspended"), kinds.count("credential.reinstated")) == (1, 1)


def test_where_the_achievement_says_so_the_published_list_tells_a_suspension(stage: Stage) -> None:
    award = made(stage, status="suspension")
    entry = stage.credential(award)["credentialStatus"]
    assert entry["statusPurpose"] == "suspension"
    assert bit(stage, award) == 0
    change(stage, award, "suspension")
    assert bit(stage, award) == 1
    assert verdict(stage, award) == ("rejected", ["credential-suspended"])
    change(stage, award, "reinstatement", None)
    assert (bit(stage, award), verdict(stage, award)) == (0, ("verified", []))
    change(stage, award, "revocation")
    assert bit(stage, award) == 1
    assert problem(change(stage, award, "reinstatement", None)) == (409, "credential-revoked")


def test_each_purpose_has_a_list_of_its_own(stage: Stage) -> None:
    first = made(stage, status="suspension")
    stage.achievement("plain", award="reviewed")
    second = stage.recorded("plain")
    lists = {stage.credential(award)["credentialStatus"]["statusListCredential"] for award in (first, second)}
    assert len(lists) == 2
    with stage.runtime.database.read() as session:
        assert sorted(session.scalars(select(StatusList.purpose))) == ["revocation", "suspension"]


def test_what_was_revoked_is_neither_suspended_nor_reinstated(stage: Stage) -> None:
    award = made(stage)
    change(stage, award, "revocation")
    assert problem(change(stage, award, "suspension")) == (409, "credential-revoked")
    assert problem(change(stage, award, "reinstatement", None)) == (409, "credential-revoked")


def test_a_suspended_one_can_be_revoked(stage: Stage) -> None:
    award = made(stage)
    change(stage, award, "suspension")
    assert change(stage, award, "revocation", "It was a copy.").json()["state"] == "revoked"
    assert verdict(stage, award) == ("rejected", ["credential-revoked"])


def test_what_others_issue_under_an_id_of_ours_is_not_reported_as_suspended(stage: Stage) -> None:
    award = made(stage)
    change(stage, award, "suspension")
    document = stage.credential(award)
    # Changed by somebody: its signature does not hold, and nothing else is said of it.
    document["name"] = "Something else"
    report = verification.verify_received(stage.runtime, json.dumps(document))
    codes = [found.code for check in report.checks for found in check.findings]
    assert "credential-suspended" not in codes
    assert report.verdict == "rejected"


@pytest.mark.parametrize("what", ["suspension", "replacement", "reinstatement"])
def test_it_needs_the_scope_and_the_network(stage: Stage, what: str) -> None:
    award = made(stage)
    reason = None if what == "reinstatement" else "Because."
    assert problem(change(stage, award, what, reason, token=stage.token_with("read"))) == (403, "scope-missing")
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    assert problem(change(other, award, what, reason)) == (404, "credential-unknown")
    if reason is not None:
        assert change(stage, award, what, "").status_code == 422
    assert verdict(stage, award) == ("verified", [])


# --- Replaced ------------------------------------------------------------------------------------------------------


def test_a_replacement_is_made_with_what_is_known_now_and_the_old_one_is_taken_back(stage: Stage, clock: Any) -> None:
    award = made(stage)
    old = stage.credential(award)
    stage.member("m11", email="corrected@river.example.org")
    clock.advance(days=2)
    answer = change(stage, award, "replacement", "The address was misspelt.")
    assert answer.status_code == 201, answer.text
    (now,) = stage.awards()
    assert (now["id"], now["state"]) == (award["id"], "awarded")
    assert now["credential"]["id"] == answer.json()["id"] != award["credential"]["id"]
    new = stage.credential(now)
    assert new["awardedDate"] == old["awardedDate"]
    assert (old["validFrom"], new["validFrom"]) == ("2026-03-02T12:00:00Z", "2026-03-04T12:00:00Z")
    assert new["evidence"][-1] == old["evidence"][-1]
    report = verification.verify_received(stage.runtime, json.dumps(new), "corrected@river.example.org")
    assert report.verdict == "verified"
    assert verdict(stage, award) == ("rejected", ["credential-revoked", "replaced-here"])
    said = status(stage, award)
    assert (said["state"], said["reason"], said["followed_by"]) == (
        "revoked",
        "The address was misspelt.",
        answer.json()["id"],
    )
    assert told(stage.runtime, stage.slug)[-2:] == ["credential.issued", "credential.replaced"]
    with stage.runtime.database.read() as session:
        wanted = select(Message).where(Message.credential_id == answer.json()["id"])
        assert len(session.scalars(wanted).all()) == 1


def test_the_page_of_what_was_replaced_leads_to_what_stands_now(stage: Stage) -> None:
    award = made(stage)
    new = change(stage, award, "replacement").json()
    shown = page(stage, award)
    assert "This badge was replaced" in shown
    assert f'href="/credentials/{new["id"]}"' in shown
    with stage.runtime.database.write() as session:
        session.get_one(Credential, new["id"]).visibility = "private"
    assert new["id"] not in page(stage, award)


def test_replacing_twice_gives_the_same_replacement_and_that_one_can_be_replaced_too(stage: Stage) -> None:
    award = made(stage)
    first = change(stage, award, "replacement").json()
    assert change(stage, award, "replacement", "Again.").json() == first
    second = change(stage, {"credential": first}, "replacement", "Once more.").json()
    assert second["id"] != first["id"]
    assert [row["state"] for row in stage.awards()] == ["awarded"]


@pytest.mark.parametrize(
    ("before", "code"), [("suspension", "credential-suspended"), ("revocation", "credential-revoked")]
)
def test_only_what_stands_is_replaced(stage: Stage, before: str, code: str) -> None:
    award = made(stage)
    change(stage, award, before)
    assert problem(change(stage, award, "replacement")) == (409, code)


def test_what_is_over_is_renewed_and_not_replaced(stage: Stage, clock: Any) -> None:
    award = made(stage, valid_for="P2M")
    clock.advance(days=60)
    assert problem(change(stage, award, "replacement")) == (409, "award-over")


# --- Renewed -------------------------------------------------------------------------------------------------------

RECENT = SHARE_TWICE | {"window": {"last": "P3M"}}


@once
def earned(stage: Stage, **more: Any) -> Any:
    stage.achievement(rule=RECENT, valid_for="P1Y", **more)
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards(achievement="sharer")
    return award


def renew(stage: Stage, award: Any, **more: Any) -> Any:
    return stage.call("POST", f"./awards/{award['id']}/renewal", **more)


def test_a_renewal_is_a_new_award_with_a_credential_that_names_the_one_before(stage: Stage, clock: Any) -> None:
    award = earned(stage)
    clock.advance(days=300)
    for n in (3, 4):
        stage.share(n, occurred_at="2026-12-01T12:00:00Z")
    answer = renew(stage, award)
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert (new["renews"], new["state"], new["basis"]) == (award["id"], "awarded", "rule")
    assert [row["state"] for row in stage.awards()] == ["expired", "awarded"]
    credential = stage.credential(new)
    assert credential["validUntil"] == "2027-12-27T12:00:00Z"
    (earlier,) = [item for item in credential["evidence"] if item["genre"] == "renewal"]
    assert earlier["id"] == award["credential"]["url"]
    status_lists.publish_all(stage.runtime)
    # The old credential lasts as long as it says, and says that it was renewed.
    assert verdict(stage, award) == verdict(stage, new) == ("verified", [])
    assert "renewed already" in page(stage, award)
    assert status(stage, award)["followed_by"] == new["credential"]["id"]
    assert (renew(stage, award).status_code, renew(stage, award).json()["id"]) == (200, new["id"])


def test_a_renewal_asks_for_the_criteria_again(stage: Stage, clock: Any) -> None:
    award = earned(stage)
    clock.advance(days=300)
    answer = renew(stage, award)
    assert problem(answer) == (409, "criteria-not-met")
    assert answer.json()["progress"]["observed"] == 0
    assert [row["state"] for row in stage.awards()] == ["awarded"]


def test_what_has_expired_can_be_renewed_and_says_so_on_its_page(stage: Stage, clock: Any) -> None:
    award = earned(stage)
    clock.advance(days=400)
    settling.expire_due(stage.runtime)
    for n in (3, 4):
        stage.share(n, occurred_at="2027-03-01T12:00:00Z")
    new = renew(stage, award).json()
    assert new["renews"] == award["id"]
    assert "The person has renewed it." in page(stage, award)
    assert new["credential"]["id"] in page(stage, award)


def test_a_further_award_after_the_time_is_over_is_a_renewal_too(stage: Stage, clock: Any) -> None:
    award = made(stage, valid_for="P2M")
    clock.advance(days=60)
    new = stage.award(basis="override", reason="Still the best reader.").json()
    assert new["renews"] == award["id"]
    assert "renewal" in [item["genre"] for item in stage.credential(new)["evidence"]]


def test_only_what_ends_and_stands_is_renewed(stage: Stage) -> None:
    stage.achievement("endless", award="reviewed")
    endless = stage.recorded("endless")
    assert problem(renew(stage, endless)) == (409, "award-not-renewable")
    award = earned(stage)
    change(stage, award, "suspension")
    assert problem(renew(stage, award)) == (409, "award-not-renewable")
    change(stage, award, "revocation")
    assert problem(renew(stage, award)) == (409, "award-not-renewable")


def test_people_who_approved_one_term_did_not_approve_the_next(stage: Stage, clock: Any) -> None:
    stage.member("d1", roles=["director"])
    stage.achievement(
        rule={"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}, valid_for="P1Y", award="automatic"
    )
    for n in (1, 2):
        stage.share(n)
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    stage.send("POST", f"./approvals/{waiting['id']}/approval", {}, token=by)
    (award,) = stage.awards()
    assert problem(renew(stage, award)) == (409, "approval-needed")
    clock.advance(days=366)
    settling.expire_due(stage.runtime)
    asked = stage.send("POST", "./approvals", {"achievement": "sharer", "member": "m11"}, token=stage.token)
    by = stage.token_with("awards:approve", member="d1")
    stage.send("POST", f"./approvals/{asked['id']}/approval", {}, token=by)
    assert [row.get("renews") for row in stage.awards()] == [None, award["id"]]


def test_nobody_renews_their_own_award(stage: Stage) -> None:
    award = earned(stage)
    own = stage.token_with("awards:write", member="m11")
    assert problem(renew(stage, award, token=own)) == (403, "self-decision")
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    assert problem(renew(other, award)) == (404, "award-unknown")
