"""Claims over HTTP: links sent again, codes on paper, and who may make them."""

import io
from dataclasses import replace
from typing import Any

import pypdf
import pytest

from service.notifications.mail import send_due
from service.runtime.runtime import Runtime
from service.sharing import claiming, naming, signing_anew
from tests.worlds.acting import refused, told
from tests.worlds.awarding import Stage
from tests.worlds.claiming import (
    ADDRESS,
    account_with,
    awarded,
    claimed_by_link,
    code_for,
    holder_of,
    link_to,
    stage_of,
)
from tests.worlds.mailing import mail_server
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import mails_to


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    stage = stage_of(runtime)
    awarded(stage)
    stage.member("m13", name="Member 13")
    stage.laid.clear()  # what is claimed here is no request of the stage
    return stage


def test_a_link_is_sent_again_and_is_the_same(stage: Stage, runtime: Runtime) -> None:
    first = link_to(runtime)
    made = stage.send("POST", "./members/m11/claims", {"by": "mail"})
    assert (made["by"], made["state"], made["sends"]) == ("mail", "open", 1)
    assert "code" not in made
    text = mails_to(runtime, ADDRESS)[-1]
    assert "River Writers has awarded you badges." in text
    assert link_to(runtime) == first


def test_the_network_sees_that_the_mail_server_refuses_an_address(stage: Stage, runtime: Runtime) -> None:
    def mail_of(ref: str) -> Any:
        return stage.send("GET", f"./members/{ref}/claims").get("mail")

    assert (mail_of("m11"), mail_of("m13")) == ("queued", None)
    with mail_server() as box:
        settings = runtime.settings.model_copy(update={"mail_url": box.url, "mail_from": "badges@river.example.org"})
        box.answer = "550 no such mailbox"
        send_due(replace(runtime, settings=settings))
        assert mail_of("m11") == "failed"
        stage.send("POST", "./members/m11/claims", {"by": "mail"})
        assert mail_of("m11") == "queued"
        box.answer = "250 OK"
        send_due(replace(runtime, settings=settings))
    assert mail_of("m11") == "sent"


def test_a_link_is_sent_three_times_a_day(stage: Stage, clock: Clock) -> None:
    for _ in range(3):
        stage.send("POST", "./members/m11/claims", {"by": "mail"})
    answer = stage.call("POST", "./members/m11/claims", json={"by": "mail"})
    assert refused(answer)[:2] == (429, "claim-sent-too-often")
    assert answer.headers["retry-after"] == "86400"
    clock.advance(days=1, minutes=1)
    stage.send("POST", "./members/m11/claims", {"by": "mail"})


def test_a_member_without_address_gets_a_code_that_is_shown_once(stage: Stage) -> None:
    assert refused(stage.call("POST", "./members/m13/claims", json={"by": "mail"}))[1] == "member-without-address"
    once = {"Idempotency-Key": "one"}
    first = stage.call("POST", "./members/m13/claims", json={"by": "paper"}, headers=once)
    assert len(first.json()["code"]) == 19
    assert first.headers["cache-control"] == "no-store"
    again = stage.call("POST", "./members/m13/claims", json={"by": "paper"}, headers=once)
    assert "code" not in again.json()
    assert first.json()["code"] not in stage.call("GET", "./members/m13/claims").text


def test_a_member_with_an_address_gets_no_code(stage: Stage) -> None:
    answer = stage.call("POST", "./members/m11/claims", json={"by": "paper"})
    assert refused(answer)[:2] == (409, "member-has-address")


def test_what_is_claimed_is_offered_to_nobody_again(stage: Stage, runtime: Runtime) -> None:
    claimed_by_link(runtime, link_to(runtime))
    stage.member(email="m12@river.example.org")
    for by in ("mail", "paper"):
        answer = stage.call("POST", "./members/m11/claims", json={"by": by})
        assert refused(answer)[:2] == (409, "claimed-already")


def test_the_network_sees_how_far_a_claim_is_and_never_in_whose_account(stage: Stage, runtime: Runtime) -> None:
    assert stage.send("GET", "./members/m11/claims") == {"member": "m11", "mail": "queued"}
    link = link_to(runtime)
    assert stage.send("GET", "./members/m11/claims")["newest"]["state"] == "open"
    claimed_by_link(runtime, link)
    answer = stage.call("GET", "./members/m11/claims")
    assert answer.json()["claimed_at"] == "2026-03-02T12:00:00Z"
    assert answer.json()["newest"]["state"] == "used"
    assert link not in answer.text
    assert "account" not in answer.text


@pytest.mark.parametrize("member", ["m11", "m13"])
def test_a_token_of_a_member_makes_no_claim(stage: Stage, member: str) -> None:
    token = stage.token_with("members:write", member=member)
    for path, body in (("./members/m13/claims", {"by": "paper"}), ("./claims/sheet", {"members": ["m13"]})):
        answer = stage.call("POST", path, token, json=body)
        assert refused(answer)[:2] == (403, "claim-bound-token")


def test_a_sheet_has_a_code_for_each_member(stage: Stage) -> None:
    names = {"m14": "Åsa Nuñez", "m15": "עדי לוי", "m16": "王小明 🎓", "m17": "N" * 200}
    for ref, name in names.items():
        stage.member(ref, name=name)
    answer = stage.call("POST", "./claims/sheet", json={"members": ["m13", *names, "m13"]})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "no-store"
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    assert text.count("/claim") == 5
    assert "Member 13" in text
    assert "Åsa Nuñez" in text


def test_a_sheet_with_one_wrong_member_makes_no_code(stage: Stage) -> None:
    answer = stage.call("POST", "./claims/sheet", json={"members": ["m13", "m11"]})
    assert refused(answer) == (409, "member-has-address", "/members/1")
    assert refused(stage.call("POST", "./claims/sheet", json={"members": ["m13", "m99"]}))[2] == "/members/1"
    assert stage.send("GET", "./members/m13/claims") == {"member": "m13"}


# --- A code on paper that somebody else used -------------------------------------------------------------------------

UNDOING = "./members/m13/claims/undoing"
WHY = {"reason": "The slips were mixed up."}
STRANGER = "m14@hill.example.org"


def used_by_a_stranger(stage: Stage, runtime: Runtime) -> str:
    """Let somebody use the code of m13, and put their name on the badge; return the badge."""
    stage.share(1, "m13")
    stage.share(2, "m13")
    account_id = account_with(runtime, STRANGER)
    with runtime.database.write() as session:
        claiming.by_code(session, code_for(runtime, "m13"), account_id, runtime.now())
    naming.put_on_all(runtime, account_id, "Somebody Else", "plain", runtime.now())
    return str(stage.awards(member="m13")[0]["credential"]["id"])


def test_a_network_undoes_a_claim_by_a_code_that_somebody_else_used(stage: Stage, runtime: Runtime) -> None:
    badge = used_by_a_stranger(stage, runtime)
    undone = stage.send("POST", UNDOING, WHY)
    assert "claimed_at" not in undone
    assert undone["newest"]["state"] == "released"
    assert holder_of(runtime, "m13") is None
    letter = mails_to(runtime, STRANGER)[-1]
    assert "no longer in your account" in letter
    assert "Reason: The slips were mixed up." in letter
    assert told(runtime, "river")[-1] == "member.released"
    with runtime.database.write() as session:
        owner = account_with(runtime, "m13@hill.example.org")
        claiming.by_code(session, code_for(runtime, "m13"), owner, runtime.now())
    signing_anew.sign_due(runtime)
    assert "Somebody Else" not in stage.client.get(f"/credentials/{badge}.json").text


def test_what_was_not_claimed_by_a_code_stays(stage: Stage, runtime: Runtime) -> None:
    assert refused(stage.call("POST", UNDOING, json=WHY))[:2] == (409, "claim-unused")
    claimed_by_link(runtime, link_to(runtime))
    answer = stage.call("POST", "./members/m11/claims/undoing", json=WHY)
    assert refused(answer)[:2] == (409, "claim-not-on-paper")
    assert refused(stage.call("POST", "./members/nobody/claims/undoing", json=WHY))[:2] == (404, "member-unknown")
    assert refused(stage.call("POST", UNDOING, json={"reason": ""}))[0] == 422


def test_a_claim_by_a_code_stands_once_its_owner_proved_the_members_address(stage: Stage, runtime: Runtime) -> None:
    used_by_a_stranger(stage, runtime)
    stage.member("m13", email=STRANGER)
    assert refused(stage.call("POST", UNDOING, json=WHY))[:2] == (409, "claim-not-on-paper")


def test_a_claim_by_a_code_stands_after_thirty_days(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    used_by_a_stranger(stage, runtime)
    clock.advance(days=30)
    assert refused(stage.call("POST", UNDOING, json=WHY))[:2] == (409, "claim-stands")
    assert holder_of(runtime, "m13") is not None


def test_another_network_and_a_token_that_may_only_read_undo_nothing(stage: Stage, runtime: Runtime) -> None:
    used_by_a_stranger(stage, runtime)
    hill = Stage.set_up(stage.client, runtime, "hill", name="Hill Readers")
    path = "/v1/networks/river/members/m13/claims/undoing"
    assert refused(hill.call("POST", path, json=WHY))[0] == 404
    assert refused(stage.call("POST", UNDOING, stage.token_with("read"), json=WHY))[:2] == (403, "scope-missing")
    assert holder_of(runtime, "m13") is not None
