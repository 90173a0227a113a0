"""What the asker expects of a credential's proof: its purpose, and where asked for whom it was made."""

import json
from typing import Any

import pytest

from credentials import Report, verify
from tests.credentials.parties import NOW, Party, World, not_passed

ISSUER, WEB = Party(1), Party(4, "members.example")
ASKED: Any = {"challenge": "1235abcd6789", "domain": "domain.example"}


def report(received: Any, world: World | None = None, **options: Any) -> Report:
    text = received if isinstance(received, str) else json.dumps(received)
    return verify(text, now=NOW, load=(world or World()).load, **options)


def test_a_proof_is_for_the_purpose_that_is_expected() -> None:
    asserted, authenticated = (
        ISSUER.sign(ISSUER.credential(), purpose=purpose) for purpose in ("assertionMethod", "authentication")
    )
    wrong = [("proof", "failed", [("proof-purpose", "/proof/0/proofPurpose")])]
    assert report(asserted).verdict == "verified"
    assert not_passed(report(asserted, purpose="authentication")) == wrong
    assert report(authenticated, purpose="authentication").verdict == "verified"
    assert not_passed(report(authenticated)) == wrong


def test_the_key_is_published_for_the_purpose_that_is_expected() -> None:
    world = World()
    signed = WEB.sign(WEB.credential(), purpose="authentication")
    WEB.publish(world, assertionMethod=[WEB.ed25519])
    found = report(signed, world, purpose="authentication")
    assert not_passed(found) == [("issuer", "failed", [("key-not-issuers", "/issuer")])]
    WEB.publish(world, authentication=[WEB.ed25519])
    assert report(signed, world, purpose="authentication").verdict == "verified"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"challenge": "another"}, ("challenge-other", "/proof/0/challenge")),
        ({"challenge": None}, ("challenge-missing", "/proof/0/challenge")),
        ({"domain": "other.example"}, ("domain-other", "/proof/0/domain")),
        ({"domain": None}, ("domain-missing", "/proof/0/domain")),
    ],
)
def test_a_proof_is_for_whoever_asks(options: dict[str, Any], fault: tuple[str, str]) -> None:
    assert report(ISSUER.sign(ISSUER.credential(), **ASKED), **ASKED).verdict == "verified"
    made_for_others = ISSUER.sign(ISSUER.credential(), **{**ASKED, **options})
    assert not_passed(report(made_for_others, **ASKED)) == [("proof", "failed", [fault])]


def test_where_nobody_asks_it_does_not_matter_for_whom_a_credential_was_signed() -> None:
    assert report(ISSUER.sign(ISSUER.credential(), **ASKED)).verdict == "verified"


def test_a_jwt_is_for_whoever_asks() -> None:
    found = report(ISSUER.jwt({**ISSUER.credential(), "aud": "other.example"}, "vc+jwt"), domain=ASKED["domain"])
    assert not_passed(found) == [("proof", "failed", [("domain-other", "/aud")])]
    token = ISSUER.jwt({**ISSUER.credential(), "aud": ASKED["domain"]}, "vc+jwt")
    assert report(token, domain=ASKED["domain"]).verdict == "verified"
    assert not_passed(report(token, **ASKED)) == [("proof", "failed", [("challenge-missing", "/nonce")])]
