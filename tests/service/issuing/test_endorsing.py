"""Endorsements of a badge: who gives them, what is signed, and that what is withdrawn is gone."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.checking import check
from service.errors import ServiceError
from service.issuing import credentials, endorsing
from service.issuing.endorsing import MAX_COMMENT
from service.runtime.runtime import Runtime
from service.tables import Credential, Endorsement, Member, SignedCopy, StatusList
from tests.worlds.acting import actor
from tests.worlds.awarding import Stage
from tests.worlds.endorsing import (
    GIVING,
    HEARING,
    choose,
    endorsable,
    endorse,
    name_account,
    standing,
    withdraw,
)
from tests.worlds.my_badges import OTHER
from tests.worlds.presenting import acting, document_of, present, row_of, see
from tests.worlds.runtimes import BASE_URL, Clock, desk_of

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def badge(stage: Stage, clock: Clock) -> str:
    credential_id = endorsable(stage)
    clock.advance(days=1)
    return credential_id


def code(*arguments: Any, **named: Any) -> str:
    with pytest.raises(ServiceError) as caught:
        endorse(*arguments, **named)
    return caught.value.code


def page(stage: Stage, badge: str) -> str:
    answer = stage.client.get(f"/credentials/{badge}", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def signed(stage: Stage, endorsement: str, status: int = 200) -> Any:
    answer = stage.client.get(f"/endorsements/{endorsement}")
    assert answer.status_code == status, answer.text
    return answer.json()


def comment_of(document: Any) -> str:
    return str(document["credentialSubject"]["endorsementComment"])


def checked(stage: Stage, received: str) -> tuple[str, str, list[str]]:
    """Return the verdict, how the check of endorsements ended, and the codes that it found."""
    report = check.check(desk_of(stage.runtime), received).report
    assert report is not None
    found = next(each for each in report.checks if each.name == "endorsements")
    return report.verdict, found.outcome, [each.code for each in found.findings]


# --- Who gives one ---------------------------------------------------------------------------------------------------


def test_nobody_endorses_themself_under_any_ref(stage: Stage, badge: str) -> None:
    stage.member("m11-again", email="m11@river.example.org")
    assert code(stage.runtime, badge, "m11") == "endorsement-oneself"
    assert code(stage.runtime, badge, "m11-again") == "endorsement-oneself"


def test_one_who_turns_out_to_be_the_recipient_is_not_shown_any_more(stage: Stage, badge: str) -> None:
    endorse(stage.runtime, badge, "m13", choice="badge")
    assert "Gives feedback" in page(stage, badge)
    with stage.runtime.database.write() as session:
        mine = session.scalars(select(Member.person_id).where(Member.ref == "m11")).one()
        session.execute(update(Member).where(Member.ref == "m13").values(person_id=mine))
    assert standing(stage.runtime, badge) == []
    assert "Endorsed by one member" not in page(stage, badge)


def test_two_who_turn_out_to_be_one_person_count_once(stage: Stage, badge: str, clock: Clock) -> None:
    endorse(stage.runtime, badge, "m13", comment="First.", choice="page")
    clock.advance(minutes=1)
    endorse(stage.runtime, badge, "m14", comment="Second.", choice="page")
    stage.member("m13", email="both@river.example.org")
    stage.member("m14", email="both@river.example.org")
    assert standing(stage.runtime, badge) == [("Second.", "page")]
    assert "Endorsed by one member" in page(stage, badge)


def test_a_badge_that_is_not_in_force_or_private_takes_none(stage: Stage, badge: str) -> None:
    see(stage.runtime, badge, "private")
    assert code(stage.runtime, badge) == "endorsement-private"
    see(stage.runtime, badge, "unlisted")
    stage.send("POST", f"/v1/credentials/{badge}/suspension", {"reason": "Looked into."})
    assert code(stage.runtime, badge) == "endorsement-ended"
    stage.send("POST", f"/v1/credentials/{badge}/reinstatement")
    endorse(stage.runtime, badge)
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "By mistake."})
    assert code(stage.runtime, badge, "m13") == "endorsement-ended"


def test_an_expired_badge_takes_none(stage: Stage, clock: Clock) -> None:
    badge = endorsable(stage, valid_for="P30D")
    clock.advance(days=40)
    assert code(stage.runtime, badge) == "endorsement-ended"


def test_a_skill_that_the_badge_has_not_and_a_long_comment_are_refused(stage: Stage, badge: str) -> None:
    for skill in (0, 3, -1):
        assert code(stage.runtime, badge, skill=skill) == "skill-unknown"
    assert code(stage.runtime, badge, comment="x" * (MAX_COMMENT + 1)) == "comment-too-long"
    endorse(stage.runtime, badge, comment="x" * MAX_COMMENT)


def test_a_badge_without_skills_is_endorsed_itself(stage: Stage) -> None:
    badge = endorsable(stage, alignment=None)
    made = endorse(stage.runtime, badge, skill=0, choice="page")
    assert comment_of(signed(stage, made)).startswith("Skill: Sharer\n\n")
    assert code(stage.runtime, badge, skill=1) == "skill-unknown"


def test_a_student_endorses_without_a_name(stage: Stage, badge: str) -> None:
    stage.member("m12", email=OTHER, roles=["student"])
    assert code(stage.runtime, badge, named=True) == "name-protected"
    endorse(stage.runtime, badge, named=False)


def test_who_became_a_student_since_is_not_named_any_more(stage: Stage, badge: str) -> None:
    name_account(stage.runtime, OTHER, "Member Twelve")
    made = endorse(stage.runtime, badge, named=True, choice="page")
    assert "Member Twelve" in page(stage, badge)
    stage.member("m12", email=OTHER, roles=["student"])
    assert "Member Twelve" not in page(stage, badge)
    assert "Member Twelve" not in json.dumps(signed(stage, made))


def test_a_badge_takes_so_many_for_a_skill_and_no_more(
    stage: Stage, badge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endorsing, "MOST_FOR_A_SKILL", 2)
    monkeypatch.setattr(endorsing, "MOST_FOR_A_BADGE", 3)
    first = endorse(stage.runtime, badge)
    endorse(stage.runtime, badge, "m13")
    assert code(stage.runtime, badge, "m14") == "endorsements-full"
    endorse(stage.runtime, badge, "m14", HEARING)
    assert code(stage.runtime, badge, "m13", HEARING) == "endorsements-full"
    endorse(stage.runtime, badge, comment="Other words take no more room.")
    withdraw(stage.runtime, first)
    endorse(stage.runtime, badge, "m13", HEARING)


# --- One for a skill -------------------------------------------------------------------------------------------------


def test_the_same_again_changes_nothing_and_other_words_replace_them(stage: Stage, badge: str) -> None:
    made = endorse(stage.runtime, badge)
    assert endorse(stage.runtime, badge) == made
    assert endorse(stage.runtime, badge, comment="In four circles.") == made
    assert standing(stage.runtime, badge) == [("In four circles.", "waiting")]
    endorse(stage.runtime, badge, skill=HEARING)
    assert len(standing(stage.runtime, badge)) == 2


def test_one_peer_at_several_places_at_once_has_one_endorsement(stage: Stage, badge: str) -> None:
    with ThreadPoolExecutor(4) as workers:
        said = [workers.submit(endorse, stage.runtime, badge, "m12", GIVING, f"Said {n}.") for n in range(4)]
        others = [workers.submit(endorse, stage.runtime, badge, peer) for peer in ("m13", "m14")]
        made = [each.result() for each in (*said, *others)]
    assert (len(set(made)), len(standing(stage.runtime, badge))) == (3, 3)


def test_two_refs_of_one_person_have_one_endorsement(stage: Stage, badge: str) -> None:
    made = endorse(stage.runtime, badge)
    stage.member("m12-again", email=OTHER)
    assert endorse(stage.runtime, badge, "m12-again", comment="Again.") == made


def test_other_words_than_those_that_are_shown_wait_for_the_recipient_again(stage: Stage, badge: str) -> None:
    first = endorse(stage.runtime, badge, choice="badge")
    second = endorse(stage.runtime, badge, comment="Never, in truth.")
    assert second != first
    assert standing(stage.runtime, badge) == [("Never, in truth.", "waiting")]
    assert signed(stage, first, 410)["code"] == "endorsement-withdrawn"
    assert "endorsement" not in document_of(stage.runtime, badge)


# --- What the recipient chooses --------------------------------------------------------------------------------------


def test_nobody_sees_one_before_the_recipient_shows_it(stage: Stage, badge: str) -> None:
    made = endorse(stage.runtime, badge)
    assert "I saw it often." not in page(stage, badge)
    assert signed(stage, made, 404)["code"] == "endorsement-unknown"
    choose(stage.runtime, badge, {made: "page"})
    assert "I saw it often." in page(stage, badge)
    signed(stage, made)
    assert "endorsement" not in document_of(stage.runtime, badge)
    choose(stage.runtime, badge, {made: "hidden"})
    assert "I saw it often." not in page(stage, badge)
    signed(stage, made, 404)


def test_a_badge_holds_those_that_its_recipient_puts_in_and_is_signed_again_only_then(stage: Stage, badge: str) -> None:
    one, other = endorse(stage.runtime, badge), endorse(stage.runtime, badge, "m13", HEARING)
    before = row_of(stage.runtime, badge)
    choose(stage.runtime, badge, {one: "page", other: "hidden"})
    assert row_of(stage.runtime, badge).signed == before.signed
    choose(stage.runtime, badge, {one: "badge", other: "badge"})
    after = row_of(stage.runtime, badge)
    [held] = document_of(stage.runtime, badge)["endorsement"]
    assert held["id"] == f"{BASE_URL}/credentials/{badge}#endorsements"
    assert held["credentialSubject"]["id"] == f"{BASE_URL}/credentials/{badge}#skills"
    assert comment_of(held).split("\n\n")[::3] == ["Skill: Gives feedback", "Skill: Listens"]
    assert after.valid_from > before.valid_from
    choose(stage.runtime, badge, {one: "page", other: "page"})
    assert "endorsement" not in document_of(stage.runtime, badge)


def test_a_badge_that_holds_them_verifies_in_both_forms(stage: Stage, badge: str) -> None:
    for peer in ("m12", "m13"):
        endorse(stage.runtime, badge, peer, choice="badge")
    row = row_of(stage.runtime, badge)
    assert checked(stage, row.signed) == ("verified", "passed", [])
    assert checked(stage, row.jwt) == ("verified", "passed", [])


def test_a_later_signing_keeps_them(stage: Stage, badge: str) -> None:
    endorse(stage.runtime, badge, choice="badge")
    present(stage.runtime, badge, name_shown="hashed", name="Member Eleven")
    assert len(document_of(stage.runtime, badge)["endorsement"]) == 1
    assert checked(stage, row_of(stage.runtime, badge).signed)[:2] == ("verified", "passed")


def test_a_badge_holds_no_more_than_verifiers_look_at(
    stage: Stage, badge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endorsing, "MOST_EMBEDDED", 1)
    one, other = endorse(stage.runtime, badge), endorse(stage.runtime, badge, "m13")
    with pytest.raises(ServiceError) as caught:
        choose(stage.runtime, badge, {one: "badge", other: "badge"})
    assert caught.value.code == "endorsements-too-many-in-badge"
    assert [choice for _, choice in standing(stage.runtime, badge)] == ["waiting", "waiting"]


def test_only_endorsements_of_the_badge_are_chosen_and_only_while_it_stands(stage: Stage, badge: str) -> None:
    made = endorse(stage.runtime, badge)
    with pytest.raises(ServiceError) as caught:
        choose(stage.runtime, badge, {"0" * 32: "page"})
    assert caught.value.code == "endorsement-unknown"
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "By mistake."})
    with pytest.raises(ServiceError) as caught:
        choose(stage.runtime, badge, {made: "page"})
    assert caught.value.code == "credential-revoked"


def test_a_revoked_badge_shows_none(stage: Stage, badge: str) -> None:
    endorse(stage.runtime, badge, choice="page")
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "By mistake."})
    assert "I saw it often." not in page(stage, badge)


def test_a_badge_that_is_replaced_leaves_them_behind(stage: Stage, badge: str) -> None:
    endorse(stage.runtime, badge, choice="badge")
    new = stage.send("POST", f"/v1/credentials/{badge}/replacement", {"reason": "Misspelt."})["id"]
    assert "endorsement" not in document_of(stage.runtime, new)
    assert standing(stage.runtime, new) == []


# --- What is signed --------------------------------------------------------------------------------------------------


def test_an_endorsement_is_as_1edtech_publishes_it(stage: Stage, badge: str, shared: Path) -> None:
    text = (shared / "1edtech-schemas" / "endorsementcredential.json").read_text(encoding="utf-8")
    schema = jsonschema_rs.validator_for(json.loads(text), validate_formats=True)
    alone = signed(stage, endorse(stage.runtime, badge, named=True, choice="badge"))
    within = document_of(stage.runtime, badge)["endorsement"][0]
    for document in (alone, within):
        assert [each.message for each in schema.iter_errors(document)] == []


def test_it_names_badge_network_skill_and_peer(stage: Stage, badge: str) -> None:
    name_account(stage.runtime, OTHER, "Member *Twelve*")
    made = endorse(stage.runtime, badge, comment="A [link](https://spam.example).", named=True, choice="page")
    document = signed(stage, made)
    assert document["id"] == f"{BASE_URL}/endorsements/{made}"
    assert document["issuer"]["id"] == document_of(stage.runtime, badge)["issuer"]["id"]
    assert document["credentialSubject"]["id"] == f"{BASE_URL}/credentials/{badge}"
    assert comment_of(document).split("\n\n") == [
        "Skill: Gives feedback",
        r"Endorsed by Member \*Twelve\*, a member of River Writers",
        r"A \[link\](https://spam.example).",
    ]


def test_who_does_not_want_to_be_named_is_a_member_of_the_network(stage: Stage, badge: str) -> None:
    name_account(stage.runtime, OTHER, "Member Twelve")
    document = signed(stage, endorse(stage.runtime, badge, comment="", choice="page"))
    assert comment_of(document) == "Skill: Gives feedback\n\nEndorsed by a member of River Writers"
    assert "Member Twelve" not in page(stage, badge)


def test_a_new_name_is_the_one_that_is_shown(stage: Stage, badge: str) -> None:
    name_account(stage.runtime, OTHER, "Old Name")
    made = endorse(stage.runtime, badge, named=True, choice="page")
    name_account(stage.runtime, OTHER, "New Name")
    assert "New Name" in comment_of(signed(stage, made))
    assert ("New Name" in page(stage, badge), "Old Name" in page(stage, badge)) == (True, False)


def test_one_alone_verifies_until_it_is_withdrawn(stage: Stage, badge: str) -> None:
    made = endorse(stage.runtime, badge, choice="page")
    kept = json.dumps(signed(stage, made))
    assert check_of(stage, kept) == "verified"
    withdraw(stage.runtime, made)
    assert check_of(stage, kept) == "rejected"


def check_of(stage: Stage, received: str) -> str:
    report = check.check(desk_of(stage.runtime), received).report
    assert report is not None
    return report.verdict


def test_the_same_is_signed_in_the_same_way_each_time(stage: Stage, badge: str, clock: Clock) -> None:
    made = endorse(stage.runtime, badge, choice="page")
    first = stage.client.get(f"/endorsements/{made}.json")
    clock.advance(days=3)
    assert stage.client.get(f"/endorsements/{made}").content == first.content
    again = stage.client.get(f"/endorsements/{made}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, first.headers["cache-control"]) == (304, "no-cache")


def test_no_name_of_a_peer_is_in_a_row_but_that_of_the_badge(stage: Stage, badge: str) -> None:
    name_account(stage.runtime, OTHER, "Member Twelve")
    endorse(stage.runtime, badge, named=True, choice="page")
    with stage.runtime.database.read() as session:
        for table in (Endorsement, Credential, SignedCopy, StatusList):
            assert "Member Twelve" not in repr(session.execute(select(table.__table__)).all())


def test_a_badge_whose_key_was_stolen_is_signed_again_with_what_it_holds(
    stage: Stage, badge: str, clock: Clock
) -> None:
    made = endorse(stage.runtime, badge, choice="badge")
    before = row_of(stage.runtime, badge).signed
    clock.advance(days=1)
    keys = [each["kid"] for each in stage.send("GET", "./keys")["items"]]
    operator = actor(stage.runtime, stage.client)
    body = {"kids": keys, "since": clock().isoformat().replace("+00:00", "Z")}
    answer = operator.post(f"/v1/networks/{stage.slug}/compromised-keys", body)
    assert answer.is_success, answer.text
    after = row_of(stage.runtime, badge).signed
    assert after != before
    assert checked(stage, after) == ("verified", "passed", [])
    assert checked(stage, before)[:2] == ("verified", "passed"), "our own text is known by what it says"
    assert check_of(stage, json.dumps(signed(stage, made))) == "verified"


def test_an_endorsement_that_was_never_signed_here_is_a_forgery(stage: Stage, badge: str) -> None:
    made = endorse(stage.runtime, badge, choice="page")
    genuine = signed(stage, made)
    forged = without_proof(genuine)
    forged["credentialSubject"] = forged["credentialSubject"] | {"endorsementComment": "The best of all."}
    with acting(stage.runtime, badge) as act:
        issuer = credentials.issuer_keys(act.session, stage.runtime, act.network)
        resigned = [credentials.prove(issuer, each, act.now) for each in (forged, without_proof(genuine))]
    assert [check_of(stage, json.dumps(each)) for each in resigned] == ["rejected", "verified"]


def without_proof(document: Any) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "proof"}


def test_an_older_text_of_an_endorsement_is_known_too(stage: Stage, badge: str) -> None:
    name_account(stage.runtime, OTHER, "Old Name")
    made = endorse(stage.runtime, badge, named=True, choice="page")
    older = json.dumps(signed(stage, made))
    name_account(stage.runtime, OTHER, "New Name")
    assert check_of(stage, older) == "verified"
    never_fetched = f'{{"url": "{BASE_URL}/endorsements/{made}"}}'
    assert stage.client.post("/v1/verifications", content=never_fetched, headers=JSON).json()["verdict"] == "verified"


# --- What is withdrawn -----------------------------------------------------------------------------------------------


def test_what_is_withdrawn_is_gone_from_page_address_badge_and_rows(stage: Stage, badge: str) -> None:
    made = endorse(stage.runtime, badge, choice="badge")
    copy = row_of(stage.runtime, badge).signed
    withdraw(stage.runtime, made)
    assert "I saw it often." not in page(stage, badge)
    assert signed(stage, made, 410)["code"] == "endorsement-withdrawn"
    for ending in (".json", ".jwt", ".svg"):
        assert "endorsement" not in stage.client.get(f"/credentials/{badge}{ending}").text.lower()
    with stage.runtime.database.read() as session:
        assert session.get_one(Endorsement, made).comment == ""
    assert checked(stage, copy) == ("verified", "passed", []), "a copy that was given out stays good"


def test_what_was_never_shown_leaves_nothing_at_its_address(stage: Stage, badge: str) -> None:
    made = endorse(stage.runtime, badge)
    withdraw(stage.runtime, made)
    signed(stage, made, 404)
    with pytest.raises(ServiceError) as caught:
        withdraw(stage.runtime, made)
    assert caught.value.code == "endorsement-unknown"


def test_it_leaves_a_badge_that_was_revoked_too(stage: Stage, badge: str) -> None:
    made = endorse(stage.runtime, badge, choice="badge")
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "By mistake."})
    withdraw(stage.runtime, made)
    assert "I saw it often." not in row_of(stage.runtime, badge).signed
    assert row_of(stage.runtime, badge).revoked_at is not None


def test_no_credential_gets_the_place_of_an_endorsement_in_the_status_list(
    stage: Stage, badge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(range(99))
    monkeypatch.setattr("service.issuing.status_lists.secrets.randbelow", lambda _length: next(drawn) // 2)
    places = []
    for peer in ("m12", "m13", "m14"):
        made = endorse(stage.runtime, badge, peer, choice="page")
        with stage.runtime.database.read() as session:
            places.append(session.get_one(Endorsement, made).status_index)
            of_badge = session.get_one(Credential, badge).status_index
    assert len({*places, of_badge}) == 4


# --- Erasure ---------------------------------------------------------------------------------------------------------


def test_erasing_the_peer_takes_words_and_name_out_of_everything(stage: Stage, badge: str) -> None:
    name_account(stage.runtime, OTHER, "Member Twelve")
    made = endorse(stage.runtime, badge, named=True, choice="badge")
    assert stage.send("DELETE", "./members/m12")["erases"]["endorsements"] == 1
    assert "I saw it often." not in page(stage, badge)
    assert "Member Twelve" not in row_of(stage.runtime, badge).signed
    signed(stage, made, 410)


def test_erasing_the_recipient_withdraws_all_of_their_badges(stage: Stage, badge: str) -> None:
    name_account(stage.runtime, OTHER, "Member Twelve")
    shown = endorse(stage.runtime, badge, named=True, choice="badge")
    endorse(stage.runtime, badge, "m13")
    assert stage.send("DELETE", "./members/m11")["erases"]["endorsements"] == 2
    assert standing(stage.runtime, badge) == []
    assert "Member Twelve" not in row_of(stage.runtime, badge).signed
    signed(stage, shown, 410)
