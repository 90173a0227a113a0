"""A credential is signed again under its id, and names its recipient as they choose."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from credentials.recipient import matches
from service.checking import check
from service.console import compromised_keys
from service.console.compromised_keys import CompromisedIn
from service.errors import ConflictError, CustodyError, InvalidError, NotFoundError, ServiceError
from service.issuing import anew, credentials, reissuing
from service.issuing.anew import Presentation
from service.runtime.runtime import Runtime
from service.tables import Credential, Key, Member, SignedCopy
from tests.worlds.acting import told
from tests.worlds.awarding import Stage, once
from tests.worlds.presenting import acting, decline, document_of, hide, present, prove, row_of, see
from tests.worlds.runtimes import Clock, desk_of

DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
NAME, OLD, NEW = "Ana Souza", "ana@river.example.org", "ana@home.example.org"
SAME = (
    "id",
    "awardedDate",
    "validUntil",
    "evidence",
    "credentialStatus",
    "credentialSchema",
    "issuer",
    "name",
    "@context",
)


@once
def laid(stage: Stage) -> str:
    stage.achievement(valid_for="P3Y")
    stage.member("ana", email=OLD, name=NAME)
    stage.share(1, "ana")
    stage.share(2, "ana")
    [award] = stage.awards(member="ana")
    credential_id: str = award["credential"]["id"]
    return credential_id


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def badge(stage: Stage, clock: Clock) -> str:
    """Return the id of a badge of Ana, who has proved a new address, a day after it was issued."""
    credential_id = laid(stage)
    clock.advance(days=1)
    prove(stage.runtime, "ana", NEW)
    return credential_id


@pytest.fixture(scope="module")
def schema() -> Any:
    folder = Path(__file__).parents[4] / "shared" / "data" / "1edtech-schemas"
    if not folder.is_dir():
        pytest.skip("the published schemas are not beside this clone (../shared/data)")
    return jsonschema_rs.validator_for(json.loads((folder / "achievementcredential.json").read_text()))


def subject(stage: Stage, badge: str) -> dict[str, Any]:
    found: dict[str, Any] = document_of(stage.runtime, badge)["credentialSubject"]
    return found


def names(stage: Stage, badge: str) -> list[dict[str, Any]]:
    return [each for each in subject(stage, badge)["identifier"] if each["identityType"] == "name"]


def outcome(stage: Stage, badge: str, recipient: str | None = None, ending: str = ".json") -> tuple[str, str]:
    """Return the headline, and whether it is the recipient's, as a stranger learns it."""
    checked = check.check(desk_of(stage.runtime), stage.client.get(f"/credentials/{badge}{ending}").content, recipient)
    return checked.report.verdict, checked.outcome("recipient")


def refusal(stage: Stage, badge: str, **chosen: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        present(stage.runtime, badge, **chosen)
    return caught.value


def test_only_the_recipient_and_the_date_of_signing_change(stage: Stage, badge: str) -> None:
    before, status = document_of(stage.runtime, badge), row_of(stage.runtime, badge)
    present(stage.runtime, badge, name_shown="plain", name=NAME, address=NEW)
    after, row = document_of(stage.runtime, badge), row_of(stage.runtime, badge)
    assert {name: after[name] for name in SAME} == {name: before[name] for name in SAME}
    assert (before["validFrom"], after["validFrom"]) == ("2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z")
    assert row.status_index == status.status_index
    of = [
        {name: value for name, value in each["credentialSubject"].items() if name != "identifier"}
        for each in (before, after)
    ]
    assert of[0] == of[1]
    assert [each["identityType"] for each in subject(stage, badge)["identifier"]] == ["emailAddress", "name"]


@pytest.mark.parametrize("ending", [".json", ".jwt", ".png", ".svg"])
def test_every_form_is_verified_and_found_by_name_and_by_the_new_address(stage: Stage, badge: str, ending: str) -> None:
    present(stage.runtime, badge, name_shown="hashed", name=NAME, address=NEW)
    for recipient in (NAME, NEW, " Ana  Souza ", NEW.upper()):
        assert outcome(stage, badge, recipient, ending) == ("verified", "passed"), recipient
    assert outcome(stage, badge, "Ben Souza", ending) == ("rejected", "failed")


def test_the_old_address_stands_in_no_new_text(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, address=NEW)
    assert matches(subject(stage, badge), OLD) is False


def test_each_address_and_name_has_a_salt_of_its_own(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, name_shown="hashed", name=NAME, address=NEW)
    first = [each["salt"] for each in subject(stage, badge)["identifier"]]
    present(stage.runtime, badge, name_shown="hashed", name="Ana Lima", address=NEW)
    second = [each["salt"] for each in subject(stage, badge)["identifier"]]
    assert len({*first, *second}) == 3
    assert second[0] == first[0]


def test_a_name_in_clear_can_be_read_and_a_hashed_one_cannot(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, name_shown="plain", name=NAME)
    assert names(stage, badge) == [
        {"type": "IdentityObject", "hashed": False, "identityHash": NAME, "identityType": "name"}
    ]
    present(stage.runtime, badge, name_shown="hashed", name=NAME)
    row = row_of(stage.runtime, badge)
    assert NAME not in row.signed + row.jwt
    assert row.name_shown == "hashed"


def test_no_signed_text_holds_the_name_once_none_is_chosen(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, name_shown="plain", name=NAME)
    present(stage.runtime, badge, name_shown="none")
    assert names(stage, badge) == []
    assert row_of(stage.runtime, badge).name_shown == "none"
    for ending in (".json", ".svg", ".html"):
        assert NAME not in stage.client.get(f"/credentials/{badge}{ending}").text


def test_a_name_is_left_as_it_is_where_only_the_address_is_another(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, name_shown="hashed", name=NAME)
    before = names(stage, badge)
    present(stage.runtime, badge, address=NEW)
    assert names(stage, badge) == before


def test_what_would_change_nothing_is_not_signed(stage: Stage, badge: str, clock: Clock) -> None:
    chosen = {"name_shown": "hashed", "name": NAME, "address": NEW}
    present(stage.runtime, badge, **chosen)
    before = row_of(stage.runtime, badge).signed
    clock.advance(days=1)
    present(stage.runtime, badge, **chosen)
    present(stage.runtime, badge)
    assert row_of(stage.runtime, badge).signed == before
    assert told(stage.runtime, "river").count("credential.reissued") == 1


def test_a_copy_of_before_stays_good_and_leads_to_the_newer_one(stage: Stage, badge: str) -> None:
    given = row_of(stage.runtime, badge).signed
    present(stage.runtime, badge, name_shown="plain", name=NAME, address=NEW)
    checked = check.check(desk_of(stage.runtime), given, NEW)
    assert (checked.headline, checked.newer) == ("genuine-newer-copy", f"http://localhost:8000/credentials/{badge}")
    assert checked.outcome("recipient") == "passed"


def test_an_address_that_was_not_proved_is_named_in_no_badge(stage: Stage, badge: str) -> None:
    for address in (OLD, "thief@river.example.org"):
        error = refusal(stage, badge, address=address)
        assert (type(error), error.code, error.pointer) == (ConflictError, "address-not-proved", "/address")
    stage.member("ben", email="ben@river.example.org")
    prove(stage.runtime, "ben", "ben@home.example.org")
    assert refusal(stage, badge, address="ben@home.example.org").code == "address-not-proved"


@pytest.mark.parametrize(
    ("name", "code"),
    [(None, "name-missing"), ("", "name-missing"), (" \u200b\u202e ", "name-missing"), ("x" * 301, "name-too-long")],
)
@pytest.mark.parametrize("shown", ["hashed", "plain"])
def test_a_name_that_cannot_stand_in_a_badge_is_refused(
    stage: Stage, badge: str, shown: str, name: str | None, code: str
) -> None:
    before = row_of(stage.runtime, badge).signed
    error = refusal(stage, badge, name_shown=shown, name=name)
    assert (type(error), error.code, error.pointer) == (InvalidError, code, "/name")
    assert row_of(stage.runtime, badge).signed == before


@pytest.mark.parametrize(
    "name", ["x" * 300, "Zoë Ångström", "אנה סוזה", "安娜·索薩", "أنا سوزا", "Ana 🦉 Souza", "O'Brien-Nuñez", "அனா"]
)
@pytest.mark.parametrize("shown", ["hashed", "plain"])
def test_names_of_every_script_are_signed_and_found(stage: Stage, badge: str, shown: str, name: str) -> None:
    present(stage.runtime, badge, name_shown=shown, name=name)
    for form in ("NFC", "NFD"):
        assert outcome(stage, badge, unicodedata.normalize(form, name)) == ("verified", "passed")


def test_a_name_that_would_turn_the_text_around_it_is_signed_without_that(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, name_shown="plain", name="\u202eAna\n Souza\u0000")
    assert names(stage, badge)[0]["identityHash"] == NAME


def test_a_name_in_clear_is_found_in_any_case_and_a_hashed_one_as_it_is_written(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, name_shown="plain", name=NAME)
    assert outcome(stage, badge, "ANA SOUZA") == ("verified", "passed")
    present(stage.runtime, badge, name_shown="hashed", name=NAME)
    assert outcome(stage, badge, "ANA SOUZA") == ("rejected", "failed")


@pytest.mark.parametrize("role", ["student", "minor"])
def test_children_and_students_are_never_named_in_clear(stage: Stage, badge: str, role: str) -> None:
    stage.member("ana", email=OLD, roles=[role])
    error = refusal(stage, badge, name_shown="plain", name=NAME)
    assert (type(error), error.code) == (ConflictError, "name-protected")
    present(stage.runtime, badge, name_shown="hashed", name=NAME)
    assert outcome(stage, badge, NAME) == ("verified", "passed")


def test_a_revoked_badge_is_never_signed_anew(stage: Stage, badge: str) -> None:
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "Wrong member."})
    before = row_of(stage.runtime, badge)
    for chosen in ({"name_shown": "none"}, {"address": NEW}, {"name_shown": "plain", "name": NAME}):
        assert refusal(stage, badge, **chosen).code == "credential-revoked"
    with pytest.raises(ConflictError, match="revoked"):
        hide(stage.runtime, badge, "evidence-1")
    after = row_of(stage.runtime, badge)
    assert (after.signed, after.jwt, after.name_shown) == (before.signed, before.jwt, "none")


def test_a_suspended_badge_stays_suspended_and_an_expired_one_expired(stage: Stage, badge: str, clock: Clock) -> None:
    stage.send("POST", f"/v1/credentials/{badge}/suspension", {"reason": "Looked into."})
    present(stage.runtime, badge, name_shown="plain", name=NAME)
    assert stage.send("GET", f"/v1/credentials/{badge}")["state"] == "suspended"
    stage.send("POST", f"/v1/credentials/{badge}/reinstatement")
    clock.advance(days=4 * 365)
    present(stage.runtime, badge, name_shown="none")
    found = document_of(stage.runtime, badge)
    assert found["validFrom"] == found["validUntil"]
    assert stage.send("GET", f"/v1/credentials/{badge}")["state"] == "expired"
    assert names(stage, badge) == []


def test_while_a_key_cannot_be_used_nothing_changes(stage: Stage, badge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise CustodyError("custody-unavailable", "The keys cannot be used.")

    before = row_of(stage.runtime, badge)
    monkeypatch.setattr(credentials, "issuer_keys", refuse)
    error = refusal(stage, badge, name_shown="plain", name=NAME)
    assert error.code == "custody-unavailable"
    after = row_of(stage.runtime, badge)
    assert (after.signed, after.name_shown) == (before.signed, "none")


def test_another_networks_badge_looks_as_if_there_were_none(stage: Stage, badge: str) -> None:
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    other.achievement(award="reviewed")
    other.member("m11")
    theirs = other.recorded()["credential"]["id"]
    for wanted in (theirs, "0" * 32):
        with acting(stage.runtime, badge) as act, pytest.raises(NotFoundError, match="No credential"):
            anew.sign_anew(act, stage.runtime, wanted, Presentation("none"))


def test_a_replacement_keeps_what_the_recipient_chose(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, name_shown="hashed", name=NAME, address=NEW)
    hide(stage.runtime, badge, "evidence-1", "evidence-2")
    see(stage.runtime, badge, "private")
    made = stage.send("POST", f"/v1/credentials/{badge}/replacement", {"reason": "A new name of the achievement."})
    row, found = row_of(stage.runtime, made["id"]), document_of(stage.runtime, made["id"])
    assert (made["visibility"], row.name_shown) == ("private", "hashed")
    assert [matches(found["credentialSubject"], each) for each in (NAME, NEW, OLD)] == [True, True, False]
    assert [each["genre"] for each in found["evidence"]] == ["receipt", "summary"]
    see(stage.runtime, made["id"], "unlisted")
    hide(stage.runtime, made["id"])
    assert [each["genre"] for each in document_of(stage.runtime, made["id"])["evidence"]] == [
        "shared",
        "shared",
        "receipt",
    ]


@pytest.mark.usefixtures("badge")
def test_a_corrected_address_is_named_by_the_replacement_where_none_was_proved(stage: Stage) -> None:
    stage.member("ben", email="bne@river.example.org")
    stage.share(1, "ben")
    stage.share(2, "ben")
    [award] = stage.awards(member="ben")
    stage.member("ben", email="ben@river.example.org")
    made = stage.send("POST", f"/v1/credentials/{award['credential']['id']}/replacement", {"reason": "Misspelt."})
    assert matches(subject(stage, made["id"]), "ben@river.example.org") is True


def test_the_badges_of_a_person_are_found_over_their_members_without_revoked_ones(stage: Stage, badge: str) -> None:
    stage.member("ana-again", email=OLD)
    stage.share(1, "ana-again")
    stage.share(2, "ana-again")
    [other] = stage.awards(member="ana-again")
    with stage.runtime.database.read() as session:
        person_id = session.scalars(select(Member.person_id).where(Member.ref == "ana")).one()
        assert person_id is not None
        found = [row.id for row in anew.of_person(session, person_id)]
    assert set(found) == {badge, other["credential"]["id"]}
    decline(stage.runtime, badge)
    with stage.runtime.database.read() as session:
        assert [row.id for row in anew.of_person(session, person_id)] == [other["credential"]["id"]]


def test_every_text_that_was_signed_is_known_by_its_digest(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, name_shown="plain", name=NAME)
    present(stage.runtime, badge, name_shown="none")
    with stage.runtime.database.read() as session:
        copies = session.scalars(select(SignedCopy).where(SignedCopy.credential_id == badge)).all()
    assert len({each.sha256 for each in copies}) == 3
    assert NAME not in repr([vars(each) for each in copies])


@pytest.mark.parametrize("shown", ["none", "hashed", "plain"])
def test_every_presentation_fits_the_published_schema(stage: Stage, badge: str, schema: Any, shown: str) -> None:
    present(stage.runtime, badge, name_shown=shown, name=NAME, address=NEW)
    hide(stage.runtime, badge, "evidence-1", "evidence-2")
    assert [error.message for error in schema.iter_errors(document_of(stage.runtime, badge))] == []


def test_a_did_stays_beside_a_name_and_the_subject_is_named_by_it_alone_without_one(stage: Stage) -> None:
    stage.achievement()
    stage.member("ben", did=DID)
    stage.share(1, "ben")
    stage.share(2, "ben")
    [award] = stage.awards(member="ben")
    badge = award["credential"]["id"]
    before = subject(stage, badge)
    assert "identifier" not in before
    present(stage.runtime, badge, name_shown="plain", name="Ben")
    assert (subject(stage, badge)["id"], len(subject(stage, badge)["identifier"])) == (DID, 1)
    assert [outcome(stage, badge, each) for each in ("Ben", DID)] == [("verified", "passed")] * 2
    present(stage.runtime, badge, name_shown="none")
    assert subject(stage, badge) == before


def test_a_member_without_address_keeps_the_hashed_ref_beside_a_name(stage: Stage) -> None:
    stage.achievement()
    stage.member("ben")
    stage.share(1, "ben")
    stage.share(2, "ben")
    [award] = stage.awards(member="ben")
    badge = award["credential"]["id"]
    present(stage.runtime, badge, name_shown="hashed", name="Ben")
    assert [each["identityType"] for each in subject(stage, badge)["identifier"]] == ["identifier", "name"]
    assert [outcome(stage, badge, each)[1] for each in ("Ben", "Ana")] == ["passed", "failed"]


def test_what_people_must_decide_after_a_theft_is_not_signed_anew_before(
    stage: Stage, badge: str, clock: Clock
) -> None:
    with stage.runtime.database.read() as session:
        [kid] = session.scalars(select(Key.kid).where(Key.algorithm == "Ed25519")).all()
    since = row_of(stage.runtime, badge).issued_at
    compromised_keys.declare(stage.runtime, CompromisedIn(kids=[kid], since=since), clock.at)
    assert stage.send("GET", f"/v1/credentials/{badge}")["state"] == "suspended"
    assert refusal(stage, badge, name_shown="plain", name=NAME).code == "credential-unproven"
    stage.send("POST", f"/v1/credentials/{badge}/reinstatement")
    present(stage.runtime, badge, name_shown="plain", name=NAME)
    assert outcome(stage, badge, NAME) == ("verified", "passed")


def test_after_a_theft_the_text_signed_again_keeps_the_name_and_the_page_the_day_of_that(
    stage: Stage, badge: str, clock: Clock
) -> None:
    present(stage.runtime, badge, name_shown="hashed", name=NAME, address=NEW)
    before = subject(stage, badge)
    stolen_at = clock.advance(hours=1)
    with stage.runtime.database.read() as session:
        [kid] = session.scalars(select(Key.kid).where(Key.algorithm == "Ed25519")).all()
    compromised_keys.declare(stage.runtime, CompromisedIn(kids=[kid], since=stolen_at), stolen_at)
    assert subject(stage, badge) == before
    clock.advance(days=9)
    present(stage.runtime, badge, name_shown="none")
    with stage.runtime.database.read() as session:
        assert reissuing.reissued_at(session, session.get_one(Credential, badge)) == stolen_at


def test_a_renewal_keeps_what_the_recipient_chose(stage: Stage, badge: str, clock: Clock) -> None:
    present(stage.runtime, badge, name_shown="hashed", name=NAME, address=NEW)
    hide(stage.runtime, badge, "evidence-1")
    see(stage.runtime, badge, "private")
    clock.advance(days=2 * 365)
    [award] = stage.awards(member="ana")
    made = stage.send("POST", f"./awards/{award['id']}/renewal")["credential"]["id"]
    row, found = row_of(stage.runtime, made), document_of(stage.runtime, made)
    assert (row.visibility, row.name_shown) == ("private", "hashed")
    assert [matches(found["credentialSubject"], each) for each in (NAME, NEW, OLD)] == [True, True, False]
    assert [each["genre"] for each in found["evidence"]] == ["shared", "receipt", "renewal", "summary"]


def test_who_became_a_student_is_named_in_clear_in_no_new_text(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, name_shown="plain", name=NAME)
    see(stage.runtime, badge, "public")
    stage.member("ana", email=OLD, roles=["student"])
    made = stage.send("POST", f"/v1/credentials/{badge}/replacement", {"reason": "R."})["id"]
    row = row_of(stage.runtime, made)
    assert (row.visibility, row.name_shown, NAME in row.signed) == ("unlisted", "none", False)


def test_nor_in_the_same_badge_once_it_is_signed_anew(stage: Stage, badge: str) -> None:
    present(stage.runtime, badge, name_shown="plain", name=NAME)
    stage.member("ana", email=OLD, roles=["student"])
    hide(stage.runtime, badge, "evidence-1")
    row = row_of(stage.runtime, badge)
    assert (row.name_shown, NAME in row.signed) == ("none", False)
