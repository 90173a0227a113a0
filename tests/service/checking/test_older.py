"""What a check says to a person of a badge of Open Badges 2.0 or before."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.checking import check as checking
from service.checking import headlines, verification, wording
from service.checking.check import Checked
from service.checking.desk import Desk
from service.checking.keeping import bundles, offline, receipts
from service.checking.questions import NAMES
from service.checking.tones import TONES
from service.checking.trust_lists import TrustLists
from service.errors import InvalidError
from service.runtime.runtime import Runtime
from service.texts.languages import ENGLISH
from tests.credentials.older_badges import (
    BADGE,
    CLASS,
    ISSUER,
    LIST,
    MAIL,
    P256,
    Site,
    hosted_assertion,
    older_png,
    signed_assertion,
    site,
)
from tests.worlds.runtimes import desk_of

Make = Callable[[Site], Any]


@pytest.fixture
def desk(without_rows: Runtime) -> Desk:
    return desk_of(without_rows)


def check(desk: Desk, given: Any, at: Site, recipient: str | None = None) -> Checked:
    received = given if isinstance(given, str | bytes) else json.dumps(given)
    return checking.check(desk, received, recipient, documents=at.load)


def answers(checked: Checked) -> dict[str, tuple[str, str]]:
    return {each.name: (each.answer, each.reason) for each in checked.questions}


def has_its_words(checked: Checked) -> None:
    title, sentence = wording.headline(checked, ENGLISH)
    said = wording.said(checked, ENGLISH)
    assert title
    assert sentence.endswith(".")
    assert [each.name for each in said] == list(NAMES)
    assert all(each.sentence.endswith(".") and "%(" not in each.sentence for each in said)


def hosted(at: Site, **members: Any) -> Any:
    at.change(BADGE, **members)
    return at.documents[BADGE]


def at_anothers_address(at: Site) -> Any:
    address = "https://forger.example/1"
    at.documents[address] = hosted_assertion(id=address)
    return at.documents[address]


def gone(at: Site) -> Any:
    at.gone[BADGE] = b'{"revoked": true}'
    return hosted_assertion()


def a_page(at: Site) -> Any:
    at.documents[BADGE] = b"<html>A new owner</html>"
    return hosted_assertion()


def changing(address: str, **members: Any) -> Make:
    """Return what signs a badge of an issuer one of whose documents is changed."""

    def make(at: Site) -> Any:
        at.change(address, **members)
        return at.sign()

    return make


def without(address: str, given: Make) -> Make:
    def make(at: Site) -> Any:
        made = given(at)
        del at.documents[address]
        return made

    return make


EXAMPLES: dict[str, tuple[str, Make]] = {
    "hosted": ("older-hosted", hosted),
    "signed": ("older-signed", Site.sign),
    "in a picture": ("older-hosted", lambda _: older_png(BADGE)),
    "of another person in the file": (
        "older-differs",
        lambda _: hosted_assertion(recipient={"type": "email", "identity": "bo@mail.example", "hashed": False}),
    ),
    "a class": ("older-description", lambda at: at.documents[CLASS]),
    "not reached": ("older-not-reached", without(BADGE, hosted)),
    "a page instead": ("older-not-reached", a_page),
    "class not reached": ("older-not-reached", without(CLASS, hosted)),
    "issuer not reached": ("older-not-reached", without(ISSUER, hosted)),
    "without address": ("older-kind", lambda _: hosted_assertion(id="urn:uuid:1")),
    "without its signature": ("older-kind", lambda _: signed_assertion()),
    "revoked": ("older-revoked", gone),
    "called revoked": ("older-revoked", lambda at: hosted(at, revoked=True)),
    "on the list": ("older-revoked", changing(LIST, revokedAssertions=["urn:uuid:1"])),
    "at another's address": ("older-elsewhere", at_anothers_address),
    "by another key": ("changed", lambda at: at.sign(key=P256)),
    "by an unlisted key": ("key-not-published", changing(ISSUER, publicKey=[])),
    "signed, issuer not reached": ("issuer-not-reached", without(ISSUER, Site.sign)),
    "signed, list not reached": ("status-not-reached", without(LIST, Site.sign)),
    "expired": ("expired", lambda at: hosted(at, expires="2020-01-01")),
    "of the future": ("not-yet-valid", lambda at: hosted(at, issuedOn="2099-01-01")),
    "with an end that is none": ("not-decided", lambda at: hosted(at, expires="soon")),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_badge_of_the_older_standard_has_its_headline_and_sentences(desk: Desk, name: str) -> None:
    headline, make = EXAMPLES[name]
    at = site()
    checked = check(desk, make(at), at)
    assert (checked.headline, checked.tone) == (headline, TONES[headline])
    has_its_words(checked)


def test_every_headline_of_the_older_standard_is_among_them_and_none_is_green() -> None:
    theirs = {headline for headline in TONES if headline.startswith("older-")}
    assert theirs <= {headline for headline, _ in EXAMPLES.values()}
    assert {TONES[headline] for headline in theirs} == {"unsure", "bad"}


def test_no_badge_is_refused_only_because_it_is_of_the_older_standard() -> None:
    refused = {
        name for name, (headline, _) in EXAMPLES.items() if "Do not rely on this" in headlines.HEADLINES[headline][0]
    }
    assert refused == {"at another's address", "by another key", "by an unlisted key"}


def test_a_hosted_badge_is_answered_by_what_its_address_says_today(desk: Desk) -> None:
    assert answers(check(desk, hosted_assertion(), site(), MAIL)) == {
        "authentic": ("yes", "older-hosted"),
        "current": ("yes", "older-in-force"),
        "issuer": ("could-not-check", "issuer-unlisted"),
        "evidence": ("not-offered", "evidence-none"),
        "policy": ("not-offered", "policy-no-receipt"),
    }


def test_a_signed_badge_is_answered_by_its_signature_and_its_issuers_list(desk: Desk) -> None:
    at = site()
    checked = check(desk, at.sign(), at)
    assert answers(checked)["authentic"] == ("yes", "older-signed")
    assert answers(checked)["current"] == ("yes", "in-force")
    at.change(ISSUER, revocationList=None)
    assert answers(check(desk, at.sign(), at))["current"] == ("not-offered", "no-way-to-take-back")


def test_a_badge_that_only_says_it_was_revoked_says_nothing_else(desk: Desk) -> None:
    at = site()
    checked = check(desk, gone(at), at)
    assert answers(checked)["authentic"] == ("could-not-check", "older-only-revoked")
    assert answers(checked)["current"] == ("no", "revoked")
    assert {answer for answer, _ in list(answers(checked).values())[2:]} == {"could-not-check"}
    assert checked.issuer is None


def test_at_anothers_address_nothing_counts(desk: Desk) -> None:
    at = site()
    checked = check(desk, at_anothers_address(at), at)
    assert answers(checked)["authentic"] == answers(checked)["issuer"] == ("no", "older-elsewhere")
    assert answers(checked)["current"] == ("could-not-check", "older-unconfirmed")


def test_a_revoked_badge_at_anothers_address_is_not_its_issuers_word(desk: Desk) -> None:
    at = site()
    address = "https://forger.example/1"
    at.documents[address] = hosted_assertion(id=address, revoked=True)
    checked = check(desk, at.documents[address], at)
    assert (checked.headline, answers(checked)["current"][0]) == ("older-elsewhere", "could-not-check")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"evidence": "https://old.example/work"}, "evidence-without-digest"),
        ({"evidence": [{"id": "https://old.example/work", "narrative": "x"}]}, "evidence-without-digest"),
        ({"evidence": {"narrative": "Led ten meetings."}}, "older-evidence-told"),
        ({"narrative": "Led ten meetings."}, "older-evidence-told"),
        ({"evidence": [5, None]}, "evidence-none"),
    ],
)
def test_its_evidence_has_no_fingerprint(desk: Desk, members: dict[str, Any], reason: str) -> None:
    at = site()
    assert answers(check(desk, hosted(at, **members), at))["evidence"] == ("not-offered", reason)


def test_an_issuer_that_a_list_names_is_known_and_still_not_green(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text(
        json.dumps({"name": "Board", "issuers": [{"id": ISSUER, "name": "Old School"}]})
    )
    known = replace(desk, trust_lists=TrustLists(tmp_path))
    checked = check(known, hosted_assertion(), site())
    assert (checked.tone, answers(checked)["issuer"]) == ("unsure", ("yes", "issuer-listed"))
    assert wording.said(checked, ENGLISH)[2].sentence == "Old School (old.example). We know it from: Board."


def test_a_name_that_resembles_a_listed_one_is_warned_of(desk: Desk, tmp_path: Path) -> None:
    listed = {"id": "https://real.example/issuer", "name": "0ld School"}
    (tmp_path / "list.json").write_text(json.dumps({"name": "Board", "issuers": [listed]}))
    checked = check(replace(desk, trust_lists=TrustLists(tmp_path)), hosted_assertion(), site())
    assert answers(checked)["issuer"] == ("could-not-check", "issuer-alike")
    assert wording.headline(checked, ENGLISH)[1].startswith(
        "Careful: its issuer's name is almost the same as 0ld School"
    )


def test_a_person_is_compared_with_the_hash(desk: Desk) -> None:
    at = site()
    assert check(desk, hosted_assertion(), at, MAIL).outcome("recipient") == "passed"
    assert check(desk, hosted_assertion(), at, "bo@mail.example").headline == "not-theirs"


def test_the_report_for_programs_has_the_badge_in_the_words_of_today(desk: Desk) -> None:
    said = check(desk, hosted_assertion(), site()).to_json()
    assert said["older"]["kind"] == "hosted"
    assert said["older"]["address"] == BADGE
    assert said["older"]["restated"]["issuer"]["name"] == "Old School"
    assert said["issuer"]["domain"] == "old.example"


def test_a_receipt_of_a_check_names_the_badge_and_says_what_confirmed_it(runtime: Runtime) -> None:
    checked = check(desk_of(runtime), hosted_assertion(), site(), MAIL)
    receipt = receipts.read(json.loads(receipts.issue(runtime, checked, ENGLISH)))
    assert receipt is not None
    assert (receipt.badge_name, receipt.headline, receipt.recipient.answer) == ("Leads a circle", "older-hosted", "yes")
    assert receipt.badge_issuer == "Old School (old.example)"
    assert receipt.badge.startswith("ni:")


def test_no_bundle_is_made_of_it_and_none_confirms_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    at = site()
    monkeypatch.setattr(verification, "load", lambda _runtime, url: at.load(url))
    with pytest.raises(InvalidError, match="only its issuer's address confirms"):
        bundles.make(desk.runtime, json.dumps(hosted_assertion()).encode())
    documents = {
        url: bundles.Document(json.dumps(held).encode(), "", desk.runtime.now()) for url, held in at.documents.items()
    }
    assertion = hosted_assertion(issuer="did:key:z6Mk")
    bundle = bundles.Bundle(json.dumps(assertion), desk.runtime.now(), evidence=False, documents=documents)
    checked = offline.check(desk, bundle).checked
    assert (checked.headline, checked.report.verdict) == ("older-not-reached", "undecided")
