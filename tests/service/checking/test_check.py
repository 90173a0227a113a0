"""What a check comes to for a person: every headline, and the answers to authentic, current and issuer."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from credentials import Fetched, UnavailableError, sign
from service.checking import check as checking
from service.checking import verification, wording
from service.checking.check import TONES, Checked
from service.checking.desk import Desk
from service.checking.questions import NAMES, Question
from service.checking.trust_lists import TrustLists
from service.runtime.runtime import Runtime
from service.tables import RecordBody
from service.texts.languages import ENGLISH
from tests.credentials.parties import Party, World
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import desk_of

pytestmark = pytest.mark.any_database("what is checked is a document; the rows are only looked up")

PERSON = "quite.secret@river.example.org"
SCHOOL = "did:web:school.example"


@once
def laid(stage: Stage) -> None:
    stage.member("m11", name="Quite Secret", email=PERSON)


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


@once
def award(stage: Stage) -> Any:
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    (made,) = stage.awards()
    return made


def badge(stage: Stage) -> Any:
    return stage.credential(award(stage))


def change(stage: Stage, made: Any, what: str) -> None:
    stage.send("POST", f"/v1/credentials/{made['credential']['id']}/{what}", {"reason": "A mistake."})


def check(stage: Stage, credential: Any, recipient: str | None = None, **more: Any) -> Checked:
    text = credential if isinstance(credential, str) else json.dumps(credential)
    return checking.check(more.pop("desk", desk_of(stage.runtime)), text, recipient, **more)


def listing(stage: Stage, folder: Path, *issuers: dict[str, str]) -> Desk:
    """Return a desk with a trust list."""
    (folder / "list.json").write_text(json.dumps({"name": "Board", "issuers": issuers}))
    return replace(desk_of(stage.runtime), trust_lists=TrustLists(folder))


class Others:
    """A badge of an issuer elsewhere, in the form of one of ours, and the world in which its documents lie."""

    def __init__(self, stage: Stage, party: Party, **changes: Any) -> None:
        self.world = World()
        if party.host:
            party.publish(self.world, assertionMethod=[party.ed25519])
        credential = badge(stage)
        for member in ("proof", "credentialStatus", "credentialSchema", "evidence"):
            credential.pop(member, None)
        credential["id"] = "https://school.example/badges/1"
        credential["issuer"] = {"id": party.did, "type": ["Profile"], "name": "A School"}
        credential |= changes
        credential = {name: value for name, value in credential.items() if value is not None}
        self.signed = sign(
            credential, party.ed25519, verification_method=party.method(party.ed25519), created=stage.runtime.now()
        )

    def check(self, stage: Stage, desk: Desk | None = None) -> Checked:
        return check(stage, self.signed, documents=self.world.load, desk=desk or desk_of(stage.runtime))


def answer(checked: Checked, name: str) -> tuple[str, str]:
    (found,) = [each for each in checked.questions if each.name == name]
    return found.answer, found.reason


# --- One badge of every headline -----------------------------------------------------------------------------------


def revoked(stage: Stage) -> Checked:
    made = award(stage)
    change(stage, made, "revocation")
    return check(stage, stage.credential(made))


def suspended(stage: Stage) -> Checked:
    made = award(stage)
    change(stage, made, "suspension")
    return check(stage, stage.credential(made))


def expired(stage: Stage) -> Checked:
    school = Others(
        stage, Party(1, "school.example"), validUntil="2026-03-01T00:00:00Z", validFrom="2026-01-01T00:00:00Z"
    )
    return school.check(stage)


def not_yet_valid(stage: Stage) -> Checked:
    return Others(stage, Party(1, "school.example"), validFrom="2026-04-01T00:00:00Z").check(stage)


def changed(stage: Stage) -> Checked:
    credential = badge(stage)
    credential["credentialSubject"]["achievement"]["name"] = "Doctor of Everything"
    return check(stage, credential)


def unsigned(stage: Stage) -> Checked:
    credential = badge(stage)
    del credential["proof"]
    return check(stage, credential)


def other_key(stage: Stage) -> Checked:
    """Return the check of a badge in our network's name that somebody else signed with their own key."""
    credential, stranger = badge(stage), Party(2)
    del credential["proof"]
    method = stranger.method(stranger.ed25519)
    return check(stage, sign(credential, stranger.ed25519, verification_method=method, created=stage.runtime.now()))


def key_not_published(stage: Stage) -> Checked:
    school = Others(stage, Party(1, "school.example"))
    document = school.world.documents["https://school.example/.well-known/did.json"]
    document |= {"verificationMethod": document["verificationMethod"][1:], "assertionMethod": []}
    return school.check(stage)


def key_ended(stage: Stage, member: str = "revoked") -> Checked:
    school = Others(stage, Party(1, "school.example"))
    document = school.world.documents["https://school.example/.well-known/did.json"]
    document["verificationMethod"][0][member] = "2026-03-01T00:00:00Z"
    return school.check(stage)


def issuer_keys_not_in_order(stage: Stage, lies_there: Any = b"<!doctype html>This domain is for sale.") -> Checked:
    school = Others(stage, Party(1, "school.example"))
    school.world.documents["https://school.example/.well-known/did.json"] = lies_there
    return school.check(stage)


def not_in_form(stage: Stage) -> Checked:
    subject = {"type": ["AchievementSubject"], "achievement": {"id": "urn:x:1", "type": ["Achievement"], "name": "N"}}
    party = Party(1, "school.example")
    credential = Others(stage, party).signed | {"credentialSubject": subject}
    del credential["proof"]
    world = World()
    party.publish(world, assertionMethod=[party.ed25519])
    signed = party.sign(credential)
    return check(stage, signed, documents=world.load)


def not_in_order(stage: Stage) -> Checked:
    school = Others(
        stage,
        Party(1, "school.example"),
        relatedResource=[{"id": "https://school.example/r", "digestSRI": "sha256-" + "A" * 43 + "="}],
    )
    school.world.documents["https://school.example/r"] = b"something else"
    return check(stage, school.signed, documents=school.world.load, evidence=True)


def keys_open(stage: Stage) -> Checked:
    school = Others(stage, Party(1, "school.example"))
    return check(stage, school.signed, documents=school.world.load, keys_vouched=False)


def older_kind(stage: Stage) -> Checked:
    assertion = {"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "id": "https://old.example/a/1"}
    return check(stage, assertion)


def statement(stage: Stage) -> Checked:
    party = Party(1)
    said = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": party.did,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "urn:x:1", "name": "Something"},
    }
    return check(stage, party.sign(said), documents=World().load)


def issuer_not_reached(stage: Stage) -> Checked:
    school = Others(stage, Party(1, "school.example"))
    school.world.documents.clear()
    return school.check(stage)


def status_not_reached(stage: Stage) -> Checked:
    status = {
        "id": "https://school.example/status/1#7",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": "https://school.example/status/1",
    }
    return Others(stage, Party(1, "school.example"), credentialStatus=status).check(stage)


def not_decided(stage: Stage) -> Checked:
    credential = badge(stage)
    credential["@context"].append("https://unknown.example/context.json")
    return check(stage, credential)


def sandbox(stage: Stage) -> Checked:
    other = Stage.set_up(stage.client, stage.runtime, slug="trying", sandbox=True)
    other.member("m11", email=PERSON)
    return check(other, badge(other))


def evidence_changed(stage: Stage) -> Checked:
    made = award(stage)
    with stage.runtime.database.write() as session:
        for row in session.scalars(select(RecordBody)):
            row.body = row.body | {"resource": "another"}
    return check(stage, stage.credential(made))


def policy_not_followed(stage: Stage) -> Checked:
    stage.achievement()
    body = {"achievement": "sharer", "member": "m11", "basis": "override", "reason": "Shared in person."}
    made = stage.send("POST", "./awards", body)
    return check(stage, stage.credential(made))


EXAMPLES: dict[str, Callable[[Stage], Checked]] = {
    "genuine": lambda stage: check(stage, badge(stage)),
    "genuine-unlisted": lambda stage: Others(stage, Party(1, "school.example")).check(stage),
    "genuine-keys-open": keys_open,
    "genuine-recipient-open": lambda stage: check(stage, badge(stage), "did:example:somebody"),
    "test": sandbox,
    "evidence-changed": evidence_changed,
    "policy-not-followed": policy_not_followed,
    "not-a-badge": statement,
    "older-kind": older_kind,
    "revoked": revoked,
    "suspended": suspended,
    "expired": expired,
    "not-yet-valid": not_yet_valid,
    "not-theirs": lambda stage: check(stage, badge(stage), "somebody.else@river.example.org"),
    "changed": changed,
    "unsigned": unsigned,
    "other-key": other_key,
    "key-not-published": key_not_published,
    "key-ended": key_ended,
    "not-in-form": not_in_form,
    "not-in-order": not_in_order,
    "unreadable": lambda stage: check(stage, "hello"),
    "issuer-not-reached": issuer_not_reached,
    "issuer-keys-not-in-order": issuer_keys_not_in_order,
    "status-not-reached": status_not_reached,
    "not-decided": not_decided,
}


@pytest.mark.parametrize("headline", TONES)
def test_every_headline_is_what_some_badge_comes_to(stage: Stage, headline: str) -> None:
    checked = EXAMPLES[headline](stage)
    assert (checked.headline, checked.tone) == (headline, TONES[headline])
    title, sentence = wording.headline(checked, ENGLISH)
    assert title
    assert sentence.endswith(".")
    assert [each.name for each in wording.said(checked, ENGLISH)] == list(NAMES)
    assert all(
        each.sentence.endswith((".", "?")) and "%(" not in each.sentence for each in wording.said(checked, ENGLISH)
    )


def test_only_a_verified_badge_of_a_known_issuer_is_green(stage: Stage) -> None:
    for headline, make in EXAMPLES.items():
        if TONES[headline] == "good":
            checked = make(stage)
            assert checked.report.verdict == "verified"
            assert answer(checked, "issuer")[0] == "yes"


def test_five_yes_are_the_common_case(stage: Stage) -> None:
    checked = check(stage, badge(stage), PERSON.upper())
    assert {each.answer for each in checked.questions} == {"yes"}
    assert wording.headline(checked, ENGLISH)[1].endswith("issued to whom you gave.")


def test_every_headline_has_its_words() -> None:
    assert set(wording.HEADLINES) == set(TONES)
    assert set(wording.QUESTIONS) == set(NAMES)


# --- Who issued it --------------------------------------------------------------------------------------------------


def test_an_issuer_that_a_list_names_is_known_from_it(stage: Stage, tmp_path: Path) -> None:
    known = listing(stage, tmp_path, {"id": SCHOOL, "name": "A School", "since": "2020-01-01"})
    checked = Others(stage, Party(1, "school.example")).check(stage, known)
    assert (checked.headline, answer(checked, "issuer")) == ("genuine", ("yes", "issuer-listed"))
    assert checked.issuer is not None
    assert checked.to_json()["issuer"]["lists"] == ["Board"]
    assert checked.issuer.since is not None
    assert wording.said(checked, ENGLISH)[2].sentence == "A School (school.example). Known from: Board."


def test_a_name_that_resembles_a_listed_one_is_warned_of(stage: Stage, tmp_path: Path) -> None:
    known = listing(stage, tmp_path, {"id": "did:web:real.example", "name": "A Schoo1"})
    checked = Others(stage, Party(1, "school.example")).check(stage, known)
    assert (checked.headline, answer(checked, "issuer")) == ("genuine-unlisted", ("could-not-check", "issuer-alike"))
    assert "resembles A Schoo1" in wording.said(checked, ENGLISH)[2].sentence
    assert wording.headline(checked, ENGLISH)[1].startswith("Careful: its issuer calls itself almost like A Schoo1")


def test_a_key_without_a_domain_is_nobody_in_particular(stage: Stage) -> None:
    checked = Others(stage, Party(1)).check(stage)
    assert answer(checked, "issuer") == ("could-not-check", "issuer-without-domain")


def test_the_networks_of_this_service_are_known_unless_the_operator_says_otherwise(stage: Stage) -> None:
    doubtful = stage.runtime.settings.model_copy(update={"trust_own_networks": False})
    checked = check(stage, badge(stage), desk=desk_of(replace(stage.runtime, settings=doubtful)))
    assert (checked.headline, answer(checked, "issuer")) == ("genuine-unlisted", ("could-not-check", "issuer-unlisted"))
    assert checked.issuer is not None
    assert checked.issuer.page.endswith("/networks/river")


def test_a_network_shows_its_keys_and_since_when(stage: Stage) -> None:
    checked = check(stage, badge(stage))
    assert checked.issuer is not None
    assert checked.issuer.since == stage.runtime.now()
    assert [key.kind for key in checked.issuer.keys] == ["Ed25519", "P-256"]
    assert checked.issuer.domain == "localhost:8000"


def test_a_copy_in_the_name_of_a_known_issuer_learns_nothing_of_it(stage: Stage) -> None:
    checked = changed(stage)
    assert checked.issuer is not None
    assert (checked.issuer.listings, checked.issuer.keys, checked.issuer.page) == ((), (), "")


# --- Is it still valid ----------------------------------------------------------------------------------------------


def test_an_issuer_without_a_list_offers_no_way_to_find_out(stage: Stage) -> None:
    checked = Others(stage, Party(1, "school.example")).check(stage)
    assert answer(checked, "current") == ("not-offered", "no-way-to-take-back")


@pytest.mark.parametrize(
    "lies_there", [b"", b"\xff\x00", b"<html>", {"hello": 1}, [1], {"id": "did:web:other.example"}], ids=str
)
def test_where_no_keys_are_published_it_is_not_said_that_the_badge_was_changed(stage: Stage, lies_there: Any) -> None:
    checked = issuer_keys_not_in_order(stage, lies_there)
    assert (checked.headline, checked.report.verdict) == ("issuer-keys-not-in-order", "rejected")
    assert answer(checked, "authentic") == ("could-not-check", "issuer-keys-not-in-order")
    assert {answer(checked, name)[0] for name in NAMES} == {"could-not-check"}


@pytest.mark.parametrize("member", ["revoked", "expires"])
def test_a_key_that_ended_is_told_from_the_key_of_another(stage: Stage, member: str) -> None:
    checked = key_ended(stage, member)
    assert answer(checked, "authentic") == ("yes", "unchanged")
    assert answer(checked, "issuer") == ("no", "issuer-key-ended")
    assert answer(other_key(stage), "issuer") == ("no", "issuer-other-key")


def test_nothing_that_a_changed_copy_says_counts(stage: Stage) -> None:
    checked = changed(stage)
    assert answer(checked, "authentic") == ("no", "changed")
    for name in ("current", "evidence", "policy"):
        assert answer(checked, name) == ("could-not-check", "signature-first")


# --- The network is cut at each step --------------------------------------------------------------------------------


def test_with_the_network_cut_at_any_step_it_is_never_green(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    credential = badge(stage)
    asked: list[str] = []
    whole = verification.load

    def counting(runtime: Runtime, url: str) -> Fetched:
        asked.append(url)
        return whole(runtime, url)

    monkeypatch.setattr(verification, "load", counting)
    assert check(stage, credential).tone == "good"
    steps = list(dict.fromkeys(asked))
    assert len(steps) >= 2
    for step in steps:

        def cut(runtime: Runtime, url: str, step: str = step) -> Fetched:
            if url == step:
                raise UnavailableError("fetch-timeout", f"{url} did not answer within 10 s.")
            return whole(runtime, url)

        monkeypatch.setattr(verification, "load", cut)
        checked = check(stage, credential)
        assert checked.tone != "good", step
        assert "could-not-check" in {each.answer for each in checked.questions}, step


def test_a_report_for_programs_has_all_of_it(stage: Stage) -> None:
    said = check(stage, badge(stage)).to_json()
    assert said["verdict"] == "verified"
    assert (said["headline"], said["tone"], said["checked_at"]) == ("genuine", "good", "2026-03-02T12:00:00Z")
    assert said["questions"][0] == Question("authentic", "yes", "unchanged").to_json()
    assert said["issuer"]["domain"] == "localhost:8000"
