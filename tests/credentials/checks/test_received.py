"""Forms in which a credential can come that are not known here: open, and not wrong."""

import json
from typing import Any

import pytest

from credentials import verify, verify_presentation
from credentials.proofs.encodings import base64url_encode
from tests.credentials.parties import NOW, V2, Party, World, check_of

ISSUER = Party(1)
SD_JWT = ISSUER.jwt({"iss": ISSUER.did, "vct": "https://issuer.example/badge", "_sd_alg": "sha-256"}, "dc+sd-jwt")
DISCLOSURE = base64url_encode(b'["salt", "name", "Member"]')
PAYLOAD = base64url_encode(json.dumps(ISSUER.credential()).encode())

UNKNOWN: dict[str, Any] = {
    "an SD-JWT": f"{SD_JWT}~{DISCLOSURE}~",
    "an SD-JWT with its holder's key binding": f"{SD_JWT}~{DISCLOSURE}~{SD_JWT}",
    "an SD-JWT that lost its disclosures": SD_JWT,
    "an SD-JWT under the type of another": ISSUER.jwt({"_sd_alg": "sha-256"}, "JWT"),
    "an encrypted JWT": "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA",
    "a JWS in JSON": json.dumps({"payload": PAYLOAD, "signatures": [{"protected": "e30", "signature": "AA"}]}),
    "a JWS in flat JSON": json.dumps({"payload": PAYLOAD, "protected": "e30", "signature": "AA"}),
    "a signature of COSE": b"\xd2\x84\x43\xa1\x01\x26\xa0\x40\x40",
    "an envelope around an SD-JWT": json.dumps(
        {
            "@context": V2,
            "id": f"data:application/vc+sd-jwt,{SD_JWT}~{DISCLOSURE}~",
            "type": "EnvelopedVerifiableCredential",
        }
    ),
}


@pytest.mark.parametrize("received", UNKNOWN.values(), ids=UNKNOWN)
def test_a_credential_in_a_form_that_is_not_known_is_undecided(received: Any) -> None:
    found = verify(received, now=NOW, load=World().load)
    parse = check_of(found, "parse")
    assert (found.verdict, parse.outcome, found.credential) == ("undecided", "undecided", None)
    assert parse.findings[0].code in {"form-unsupported", "envelope-unsupported"}
    assert {check.outcome for check in found.checks[1:]} == {"skipped"}


@pytest.mark.parametrize("name", [name for name in UNKNOWN if "envelope" not in name])
def test_so_is_a_presentation(name: str) -> None:
    found = verify_presentation(UNKNOWN[name], now=NOW, load=World().load)
    assert (found.verdict, check_of(found, "parse").findings[0].code) == ("undecided", "form-unsupported")


@pytest.mark.parametrize("received", [UNKNOWN["an envelope around an SD-JWT"]])
def test_a_presentation_that_holds_one_is_undecided(received: str) -> None:
    shown = ISSUER.sign(
        {
            "@context": [V2],
            "type": ["VerifiablePresentation"],
            "holder": ISSUER.did,
            "verifiableCredential": [json.loads(received)],
        },
        purpose="authentication",
    )
    found = verify_presentation(json.dumps(shown), now=NOW, load=World().load)
    assert (found.verdict, check_of(found, "credentials").outcome) == ("undecided", "undecided")


@pytest.mark.parametrize("endorsement", [UNKNOWN["an SD-JWT"], SD_JWT])
def test_an_endorsement_in_a_form_that_is_not_known_is_undecided(endorsement: str) -> None:
    credential = ISSUER.credential(endorsementJwt=[endorsement])
    found = verify(ISSUER.jwt(credential, "vc+jwt"), now=NOW, load=World().load)
    endorsements = check_of(found, "endorsements")
    assert (endorsements.outcome, endorsements.findings[0].code) == ("undecided", "form-unsupported")


@pytest.mark.parametrize(
    "received", ["a.b", "eyJ.a.b.c", "~", "a~b", "{}~", b"\xd2", '{"payload": "e30"}', "ey....", "a.b.c.d.e"]
)
def test_what_is_in_no_form_at_all_is_rejected(received: Any) -> None:
    assert verify(received, now=NOW, load=World().load).verdict == "rejected"
