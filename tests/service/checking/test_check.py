"""What a check says to a person of a badge and its documents: headlines, and the answers to authentic, current and issuer.

What our rows say of a badge that was issued here is in `test_own_badges.py`.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credentials import Load, sign
from credentials.instants import write_instant
from service.checking import check as checking
from service.checking import headlines, wording
from service.checking.check import Checked
from service.checking.desk import Desk
from service.checking.questions import NAMES
from service.checking.tones import TONES
from service.checking.trust_lists import TrustLists
from service.runtime.runtime import Runtime
from service.texts.languages import ENGLISH
from tests.credentials.parties import Party, World
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import Clock, desk_of
from tests.worlds.stored_badges import StoredBadge, stored

PERSON = "quite.secret@river.example.org"
SCHOOL = "did:web:school.example"


@pytest.fixture
def desk(without_rows: Runtime) -> Desk:
    """Where badges are checked that others issued, or this service long ago."""
    return desk_of(without_rows)


@stored
def issued(stage: Stage, *, revoked: bool = False) -> Any:
    stage.member("m11", name="Quite Secret", email=PERSON)
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    (made,) = stage.awards()
    if revoked:
        stage.send("POST", f"/v1/credentials/{made['credential']['id']}/revocation", {"reason": "A mistake."})
    return made


@stored
def overridden(stage: Stage) -> Any:
    stage.member("m11", name="Quite Secret", email=PERSON)
    stage.achievement()
    body = {"achievement": "sharer", "member": "m11", "basis": "override", "reason": "Shared in person."}
    return stage.send("POST", "./awards", body)


def check(desk: Desk, credential: Any, documents: Load, recipient: str | None = None, **more: Any) -> Checked:
    text = credential if isinstance(credential, str) else json.dumps(credential)
    return checking.check(desk, text, recipient, documents=documents, **more)


def check_stored(desk: Desk, kept: StoredBadge, recipient: str | None = None) -> Checked:
    return check(desk, kept.text, kept.load, recipient)


def listing(desk: Desk, folder: Path, *issuers: dict[str, str]) -> Desk:
    """Return a desk with a trust list."""
    (folder / "list.json").write_text(json.dumps({"name": "Board", "issuers": issuers}))
    return replace(desk, trust_lists=TrustLists(folder))


class Others:
    """A badge of an issuer elsewhere, in the form of one of ours, and the world in which its documents lie."""

    def __init__(self, party: Party, **changes: Any) -> None:
        self.world = World()
        if party.host:
            party.publish(self.world, assertionMethod=[party.ed25519])
        credential = issued().credential
        for member in ("proof", "credentialStatus", "credentialSchema", "evidence"):
            credential.pop(member, None)
        credential["id"] = "https://school.example/badges/1"
        credential["issuer"] = {"id": party.did, "type": ["Profile"], "name": "A School"}
        credential |= changes
        credential = {name: value for name, value in credential.items() if value is not None}
        self.signed = sign(
            credential, party.ed25519, verification_method=party.method(party.ed25519), created=Clock().at
        )

    def check(self, desk: Desk, **more: Any) -> Checked:
        return check(desk, self.signed, self.world.load, **more)


def answer(checked: Checked, name: str) -> tuple[str, str]:
    (found,) = [each for each in checked.questions if each.name == name]
    return found.answer, found.reason


# --- One badge of every headline -----------------------------------------------------------------------------------


def expired(desk: Desk) -> Checked:
    school = Others(Party(1, "school.example"), validUntil="2026-03-01T00:00:00Z", validFrom="2026-01-01T00:00:00Z")
    return school.check(desk)


def not_yet_valid(desk: Desk) -> Checked:
    return Others(Party(1, "school.example"), validFrom="2026-04-01T00:00:00Z").check(desk)


def put_back(desk: Desk) -> Checked:
    """Check a badge that was issued before the clock was put back."""
    earlier = replace(desk.runtime, now=lambda: desk.runtime.now() - timedelta(hours=14))
    return check_stored(replace(desk, runtime=earlier), issued())


def changed(desk: Desk) -> Checked:
    kept = issued()
    credential = kept.credential
    credential["credentialSubject"]["achievement"]["name"] = "Doctor of Everything"
    return check(desk, credential, kept.load)


def unsigned(desk: Desk) -> Checked:
    kept = issued()
    credential = kept.credential
    del credential["proof"]
    return check(desk, credential, kept.load)


def other_key(desk: Desk) -> Checked:
    """Return the check of a badge in a network's name that somebody else signed with their own key."""
    kept, stranger = issued(), Party(2)
    credential = kept.credential
    del credential["proof"]
    method = stranger.method(stranger.ed25519)
    signed = sign(credential, stranger.ed25519, verification_method=method, created=desk.runtime.now())
    return check(desk, signed, kept.load)


def key_not_published(desk: Desk) -> Checked:
    school = Others(Party(1, "school.example"))
    document = school.world.documents["https://school.example/.well-known/did.json"]
    document |= {"verificationMethod": document["verificationMethod"][1:], "assertionMethod": []}
    return school.check(desk)


def key_ended(desk: Desk, member: str = "revoked") -> Checked:
    school = Others(Party(1, "school.example"))
    document = school.world.documents["https://school.example/.well-known/did.json"]
    document["verificationMethod"][0][member] = "2026-03-01T00:00:00Z"
    return school.check(desk)


def issuer_keys_not_in_order(desk: Desk, lies_there: Any = b"<!doctype html>This domain is for sale.") -> Checked:
    school = Others(Party(1, "school.example"))
    school.world.documents["https://school.example/.well-known/did.json"] = lies_there
    return school.check(desk)


def not_in_form(desk: Desk) -> Checked:
    subject = {"type": ["AchievementSubject"], "achievement": {"id": "urn:x:1", "type": ["Achievement"], "name": "N"}}
    party = Party(1, "school.example")
    credential = Others(party).signed | {"credentialSubject": subject}
    del credential["proof"]
    world = World()
    party.publish(world, assertionMethod=[party.ed25519])
    signed = party.sign(credential)
    return check(desk, signed, world.load)


def not_in_order(desk: Desk) -> Checked:
    school = Others(
        Party(1, "school.example"),
        relatedResource=[{"id": "https://school.example/r", "digestSRI": "sha256-" + "A" * 43 + "="}],
    )
    school.world.documents["https://school.example/r"] = b"something else"
    return school.check(desk, evidence=True)


def keys_open(desk: Desk) -> Checked:
    return Others(Party(1, "school.example")).check(desk, keys_vouched=False)


def statement(desk: Desk) -> Checked:
    party = Party(1)
    said = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": party.did,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "urn:x:1", "name": "Something"},
    }
    return check(desk, party.sign(said), World().load)


def issuer_not_reached(desk: Desk) -> Checked:
    school = Others(Party(1, "school.example"))
    school.world.documents.clear()
    return school.check(desk)


def status_not_reached(desk: Desk) -> Checked:
    status = {
        "id": "https://school.example/status/1#7",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": "https://school.example/status/1",
    }
    return Others(Party(1, "school.example"), credentialStatus=status).check(desk)


def not_decided(desk: Desk) -> Checked:
    kept = issued()
    credential = kept.credential
    credential["@context"].append("https://unknown.example/context.json")
    return check(desk, credential, kept.load)


EXAMPLES: dict[str, Callable[[Desk], Checked]] = {
    "genuine-unlisted": lambda desk: Others(Party(1, "school.example")).check(desk),
    "genuine-keys-open": keys_open,
    "policy-not-followed": lambda desk: check_stored(desk, overridden()),
    "not-a-badge": statement,
    "revoked": lambda desk: check_stored(desk, issued(revoked=True)),
    "expired": expired,
    "not-yet-valid": not_yet_valid,
    "not-theirs": lambda desk: check_stored(desk, issued(), "somebody.else@river.example.org"),
    "changed": changed,
    "unsigned": unsigned,
    "other-key": other_key,
    "key-not-published": key_not_published,
    "key-ended": key_ended,
    "not-in-form": not_in_form,
    "not-in-order": not_in_order,
    "unreadable": lambda desk: check(desk, "hello", World().load),
    "issuer-not-reached": issuer_not_reached,
    "issuer-keys-not-in-order": issuer_keys_not_in_order,
    "status-not-reached": status_not_reached,
    "clock-open": put_back,
    "not-decided": not_decided,
}


def test_a_badge_in_a_form_that_is_not_known_here_is_neither_good_nor_bad(desk: Desk) -> None:
    checked = check(desk, "e30.e30.AA~", World().load)
    assert (checked.headline, checked.tone) == ("not-decided", "unsure")
    assert answer(checked, "authentic") == ("could-not-check", "form-unknown")
    has_its_words(checked)


def test_a_clock_that_was_put_back_makes_no_good_badge_look_forged(desk: Desk) -> None:
    checked = put_back(desk)
    assert checked.report.verdict == "undecided"
    assert answer(checked, "authentic") == ("could-not-check", "clock-open")
    assert "By our clock" in wording.headline(checked, ENGLISH)[1]


def test_a_badge_that_begins_tomorrow_is_genuine_and_not_valid_yet(desk: Desk) -> None:
    tomorrow = write_instant(desk.runtime.now() + timedelta(hours=20))
    checked = Others(Party(1, "school.example"), validFrom=tomorrow).check(desk)
    assert (checked.report.verdict, checked.headline) == ("undecided", "not-yet-valid")
    assert answer(checked, "current") == ("could-not-check", "not-yet-valid")


def has_its_words(checked: Checked) -> None:
    """Assert that headline and answers are whole sentences."""
    title, sentence = wording.headline(checked, ENGLISH)
    assert title
    assert sentence.endswith(".")
    assert [each.name for each in wording.said(checked, ENGLISH)] == list(NAMES)
    assert all(
        each.sentence.endswith((".", "?")) and "%(" not in each.sentence for each in wording.said(checked, ENGLISH)
    )


@pytest.mark.parametrize("headline", EXAMPLES)
def test_every_headline_that_needs_no_row_is_what_some_badge_comes_to(desk: Desk, headline: str) -> None:
    checked = EXAMPLES[headline](desk)
    assert (checked.headline, checked.tone) == (headline, TONES[headline])
    has_its_words(checked)


def test_every_headline_has_its_words() -> None:
    assert set(headlines.HEADLINES) == set(TONES)
    assert set(wording.QUESTIONS) == set(NAMES)


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "[1, 2]", '{"@context": "https://schema.org", "type": "Person"}', "hello"]
)
def test_what_is_no_badge_is_not_called_one_that_cannot_be_relied_on(desk: Desk, text: str) -> None:
    checked = check(desk, text, World().load)
    assert (checked.headline, checked.tone, checked.report.verdict) == ("unreadable", "unsure", "rejected")
    assert "rely" not in " ".join(wording.headline(checked, ENGLISH))


def test_a_badge_whose_type_and_signature_were_taken_away_is_still_bad(desk: Desk) -> None:
    credential = issued().credential
    del credential["proof"], credential["type"]
    checked = check(desk, credential, issued().load)
    assert (checked.headline, checked.tone) == ("unsigned", "bad")


# --- Who issued it --------------------------------------------------------------------------------------------------


def test_an_issuer_that_a_list_names_is_known_from_it(desk: Desk, tmp_path: Path) -> None:
    known = listing(desk, tmp_path, {"id": SCHOOL, "name": "A School", "since": "2020-01-01"})
    checked = Others(Party(1, "school.example")).check(known)
    assert (checked.headline, answer(checked, "issuer")) == ("genuine", ("yes", "issuer-listed"))
    assert checked.issuer is not None
    assert checked.to_json()["issuer"]["lists"] == ["Board"]
    assert checked.issuer.since is not None
    assert wording.said(checked, ENGLISH)[2].sentence == "A School (school.example). We know it from: Board."


def test_a_name_that_resembles_a_listed_one_is_warned_of(desk: Desk, tmp_path: Path) -> None:
    known = listing(desk, tmp_path, {"id": "did:web:real.example", "name": "A Schoo1"})
    checked = Others(Party(1, "school.example")).check(known)
    assert (checked.headline, answer(checked, "issuer")) == ("genuine-unlisted", ("could-not-check", "issuer-alike"))
    assert "almost the same as A Schoo1" in wording.said(checked, ENGLISH)[2].sentence
    assert wording.headline(checked, ENGLISH)[1].startswith("Careful: its issuer's name is almost the same as A Schoo1")


def test_a_key_without_a_domain_is_nobody_in_particular(desk: Desk) -> None:
    checked = Others(Party(1)).check(desk)
    assert answer(checked, "issuer") == ("could-not-check", "issuer-without-domain")


# --- Is it still valid ----------------------------------------------------------------------------------------------


def test_an_issuer_without_a_list_offers_no_way_to_find_out(desk: Desk) -> None:
    checked = Others(Party(1, "school.example")).check(desk)
    assert answer(checked, "current") == ("not-offered", "no-way-to-take-back")


@pytest.mark.parametrize(
    "lies_there", [b"", b"\xff\x00", b"<html>", {"hello": 1}, [1], {"id": "did:web:other.example"}], ids=str
)
def test_where_no_keys_are_published_it_is_not_said_that_the_badge_was_changed(desk: Desk, lies_there: Any) -> None:
    checked = issuer_keys_not_in_order(desk, lies_there)
    assert (checked.headline, checked.report.verdict) == ("issuer-keys-not-in-order", "rejected")
    assert answer(checked, "authentic") == ("could-not-check", "issuer-keys-not-in-order")
    assert {answer(checked, name)[0] for name in NAMES} == {"could-not-check"}


@pytest.mark.parametrize("member", ["revoked", "expires"])
def test_a_key_that_ended_is_told_from_the_key_of_another(desk: Desk, member: str) -> None:
    checked = key_ended(desk, member)
    assert answer(checked, "authentic") == ("yes", "unchanged")
    assert answer(checked, "issuer") == ("no", "issuer-key-ended")
    assert answer(other_key(desk), "issuer") == ("no", "issuer-other-key")


def test_nothing_that_a_changed_copy_says_counts(desk: Desk) -> None:
    checked = changed(desk)
    assert answer(checked, "authentic") == ("no", "changed")
    for name in ("current", "evidence", "policy"):
        assert answer(checked, name) == ("could-not-check", "signature-first")
