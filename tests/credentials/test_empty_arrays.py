"""An empty array says nothing as RDF: anybody can add one to a signed document, and the signature still holds."""

import json
from typing import Any

import pytest

from credentials import MalformedError, Report, sign, sign_presentation, verify, verify_presentation
from tests.credentials.parties import NOW, SIGNED_AT, V2, Party, World, check_of

ISSUER = Party(1)
PRESENTATION = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": ISSUER.did}


def report(document: dict[str, Any]) -> Report:
    return verify(json.dumps(document), now=NOW, load=World().load)


def remarks(found: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in check_of(found, "schema").findings]


def signed(credential: dict[str, Any]) -> dict[str, Any]:
    return sign(credential, ISSUER.ed25519, verification_method=ISSUER.method(ISSUER.ed25519), created=SIGNED_AT)


@pytest.mark.parametrize(
    ("added", "pointer"),
    [({"evidence": []}, "/evidence"), ({"credentialStatus": []}, "/credentialStatus"), ({"name": []}, "/name")],
)
def test_one_that_was_added_after_signing_is_a_remark(added: dict[str, Any], pointer: str) -> None:
    found = report(ISSUER.sign(ISSUER.credential()) | added)
    assert (found.verdict, remarks(found)) == ("verified", [("array-empty", pointer)])


def test_one_that_the_signature_covers_is_no_remark() -> None:
    with_it = ISSUER.credential(evidence=[])
    assert remarks(report(ISSUER.sign(with_it, "eddsa-jcs-2022"))) == []
    found = verify(ISSUER.jwt(with_it, "vc+jwt"), now=NOW, load=World().load)
    assert (found.verdict, remarks(found)) == ("verified", [])


def test_one_in_a_presentation_is_a_remark() -> None:
    shown = ISSUER.sign(PRESENTATION, purpose="authentication") | {"termsOfUse": []}
    found = verify_presentation(json.dumps(shown), now=NOW, load=World().load)
    assert (found.verdict, remarks(found)) == ("verified", [("array-empty", "/termsOfUse")])


def test_types_that_are_none_are_a_fault_of_form() -> None:
    found = report(ISSUER.sign(ISSUER.credential()) | {"evidence": {"type": []}})
    assert check_of(found, "schema").outcome == "failed"


@pytest.mark.parametrize(
    "member",
    [
        {"credentialSubject": {"id": "did:example:member-1", "type": [], "degree": "B"}},
        {"evidence": {"id": "urn:e", "type": []}},
        {"issuer": {"id": ISSUER.did, "type": []}},
        {"type": []},
    ],
)
def test_types_that_are_none_are_not_signed(member: dict[str, Any]) -> None:
    with pytest.raises(MalformedError) as raised:
        signed(ISSUER.credential(**member))
    assert raised.value.code in {"array-empty", "type-missing"}


def test_another_is_signed() -> None:
    credential = ISSUER.credential(evidence=[])
    assert signed(credential)["evidence"] == []
    sign_presentation(
        PRESENTATION | {"termsOfUse": []},
        ISSUER.ed25519,
        verification_method=ISSUER.method(ISSUER.ed25519),
        created=SIGNED_AT,
    )
