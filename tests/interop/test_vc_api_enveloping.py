"""The statements on enveloped credentials and presentations that the W3C's conformance suite asks for, over the VC API."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from credentials import PrivateKeySigner
from credentials.proofs.jose import encode_jwt
from tests.interop.vc_api_machine import CREDENTIAL, EXAMPLES, OLDER, V2, Machine, did_of

HOLDER = PrivateKeySigner(ed25519.Ed25519PrivateKey.generate())
ISSUER = PrivateKeySigner(ec.generate_private_key(ec.SECP256R1()))
CHALLENGE = "123456789"
SUBJECT = {"id": "did:example:alice", "name": "Alice"}


def payload_of(envelope: dict[str, Any]) -> dict[str, Any]:
    part = envelope["id"].partition(",")[2].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def token(signer: PrivateKeySigner, payload: dict[str, Any], typ: str) -> str:
    return encode_jwt(payload, signer, kid=f"{did_of(signer)}#{signer.key.multikey}", typ=typ)


@pytest.mark.parametrize("key_type", ["Ed25519", "P-256", "P-384"])
def test_an_envelope_is_issued_around_what_was_asked_for(vc_api: Machine, key_type: str) -> None:
    issued = vc_api.issue({**CREDENTIAL, "credentialSubject": SUBJECT}, cryptosuite="vc+jwt", keyType=key_type)
    assert (issued["@context"], issued["type"]) == (V2, "EnvelopedVerifiableCredential")
    assert issued["id"].startswith("data:application/vc+jwt,")
    payload = payload_of(issued)
    assert payload["credentialSubject"] == SUBJECT
    assert {"@context", "type", "issuer"} <= payload.keys()
    assert vc_api.accepts(issued)


def test_the_token_itself_verifies_too(vc_api: Machine) -> None:
    issued = vc_api.issue(CREDENTIAL, cryptosuite="vc+jwt")
    assert vc_api.accepts(issued["id"].partition(",")[2])


@pytest.mark.parametrize("change", [{"@context": [V2, "https://example.com"]}, {"credentialSubject": {"undefined": 1}}])
def test_what_no_context_defines_is_not_put_in_an_envelope(vc_api: Machine, change: dict[str, Any]) -> None:
    own = {"issuer": vc_api.issuer(cryptosuite="vc+jwt")}
    assert vc_api.refuses({**CREDENTIAL, **own, **change}, cryptosuite="vc+jwt") in {
        "context-unknown",
        "undefined-term",
    }


def test_an_older_credential_is_not_put_in_an_envelope(vc_api: Machine) -> None:
    own = {"issuer": vc_api.issuer(cryptosuite="vc+jwt")}
    assert vc_api.refuses(OLDER | own, cryptosuite="vc+jwt") == "jwt-version-unsupported"


ENVELOPES: dict[str, dict[str, Any]] = {
    "no context in the array": {"@context": []},
    "another context": {"@context": EXAMPLES},
    "no context": {"@context": None},
    "an id that is no data address": {"id": "e30.e30.AA"},
    "no type": {"type": None},
    "the type of what is in it": {"type": "VerifiableCredential"},
    "the type of the other kind": {"type": "EnvelopedVerifiablePresentation"},
}


def changed(envelope: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**envelope, **change}.items() if value is not None}


@pytest.mark.parametrize("change", ENVELOPES.values(), ids=ENVELOPES)
def test_a_faulty_envelope_of_a_credential_does_not_verify(vc_api: Machine, change: dict[str, Any]) -> None:
    issued = vc_api.issue(CREDENTIAL, cryptosuite="vc+jwt")
    assert not vc_api.accepts(changed(issued, change))


def shown(form: str) -> dict[str, Any]:
    """Return an enveloped presentation of an enveloped credential, in the form of today or as the suite has it."""
    inner = {**CREDENTIAL, "issuer": did_of(ISSUER), "credentialSubject": SUBJECT}
    claims = {"iss": did_of(ISSUER), "sub": SUBJECT["id"]}
    credential = {
        "@context": V2,
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:application/vc+jwt,{token(ISSUER, inner, 'vc+jwt')}"
        if form == "vp+jwt"
        else f"data:application/jwt,{token(ISSUER, {**claims, 'vc': inner}, 'JWT')}",
    }
    presentation = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": did_of(HOLDER),
        "verifiableCredential": [credential],
    }
    asked = {"iss": did_of(HOLDER), "aud": "example.com", "nonce": CHALLENGE}
    secured = (
        token(HOLDER, {**presentation, **asked}, "vp+jwt")
        if form == "vp+jwt"
        else token(HOLDER, {**asked, "vp": presentation}, "JWT")
    )
    media_type = "vp+jwt" if form == "vp+jwt" else "jwt"
    return {
        "@context": V2,
        "type": "EnvelopedVerifiablePresentation",
        "id": f"data:application/{media_type},{secured}",
    }


@pytest.mark.parametrize("form", ["vp+jwt", "vp claim"])
def test_an_enveloped_presentation_verifies_for_its_challenge(vc_api: Machine, form: str) -> None:
    presentation = shown(form)
    assert vc_api.accepts_presentation(presentation, challenge=CHALLENGE)
    assert vc_api.accepts_presentation(presentation, challenge=CHALLENGE, domain="example.com")
    assert not vc_api.accepts_presentation(presentation, challenge="another")
    assert not vc_api.accepts_presentation(presentation, domain="another.example")


@pytest.mark.parametrize("form", ["vp+jwt", "vp claim"])
@pytest.mark.parametrize(
    "change",
    [
        {"@context": []},
        {"@context": [EXAMPLES]},
        {"id": "e30.e30.AA"},
        {"type": ["VerifiablePresentation"]},
        {"type": "EnvelopedVerifiableCredential"},
        {"type": None},
    ],
)
def test_a_faulty_envelope_of_a_presentation_does_not_verify(
    vc_api: Machine, form: str, change: dict[str, Any]
) -> None:
    assert not vc_api.accepts_presentation(changed(shown(form), change), challenge=CHALLENGE)


def test_a_presentation_by_another_key_than_the_holders_does_not_verify(vc_api: Machine) -> None:
    claims = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": did_of(ISSUER), "nonce": CHALLENGE}
    assert not vc_api.accepts_presentation(token(HOLDER, claims, "vp+jwt"), challenge=CHALLENGE)
