"""What we issue, before the Python verifiers openbadgeslib, openvc and joserfc."""

import json

import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from openbadgeslib.ob3.verifier import OB3VerificationError
from openvc import OpenvcError
from resvg_py import svg_to_bytes

from credentials.bake import bake
from tests.interop.issuing import Issuer, changed, named
from tests.interop.verifying import openbadgeslib, openbadgeslib_jwt, openbadgeslib_picture, openvc, openvc_as_it_is

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><title>\xc3\xa9</title><rect width="9" height="9"/></svg>'
PNG = bytes(svg_to_bytes(svg_string=SVG.decode()))


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def test_openbadgeslib_verifies_a_badge_for_its_recipient(issuer: Issuer) -> None:
    badge = issuer.badge()
    recipient: str = badge["credentialSubject"]["id"]
    found = openbadgeslib(issuer.documents, issuer.sign(badge), recipient)
    assert found.issuer.id == issuer.did


@pytest.mark.parametrize("by_id", [True, False])
def test_openbadgeslib_verifies_a_badge_that_names_its_recipient(issuer: Issuer, by_id: bool) -> None:
    badge = named(issuer.badge(), by_id=by_id)
    assert openbadgeslib(issuer.documents, issuer.sign(badge)).issuer.id == issuer.did


def test_openbadgeslib_verifies_a_badge_that_holds_an_endorsement(issuer: Issuer) -> None:
    held = issuer.sign(issuer.endorsement(alone=False))
    signed = issuer.sign(issuer.badge() | {"endorsement": [held]})
    assert openbadgeslib(issuer.documents, signed).issuer.id == issuer.did


def test_openvc_verifies_a_badge_that_names_its_recipient(issuer: Issuer) -> None:
    assert openvc(issuer.documents, issuer.sign(named(issuer.badge()))).issuer == issuer.did


def test_openbadgeslib_refuses_a_changed_badge(issuer: Issuer) -> None:
    with pytest.raises(OB3VerificationError, match="signature mismatch"):
        openbadgeslib(issuer.documents, changed(issuer.sign(issuer.badge())))


def test_openbadgeslib_refuses_a_revoked_badge(issuer: Issuer) -> None:
    signed = issuer.sign(issuer.badge())
    issuer.publish_status(revoked=True)
    with pytest.raises(OB3VerificationError, match="'revocation' is set"):
        openbadgeslib(issuer.documents, signed)


def test_openbadgeslib_verifies_a_badge_as_jwt(issuer: Issuer) -> None:
    assert openbadgeslib_jwt(issuer.documents, issuer.sign_jwt(issuer.badge())).issuer.id == issuer.did


@pytest.mark.parametrize("picture", [PNG, SVG], ids=["png", "svg"])
def test_openbadgeslib_finds_and_verifies_a_badge_in_a_picture(issuer: Issuer, picture: bytes) -> None:
    text = json.dumps(issuer.sign(issuer.badge()), ensure_ascii=False)
    result = openbadgeslib_picture(issuer.documents, bake(picture, text))
    assert (result.valid, result.trusted, result.proof_format) == (True, True, "ldp"), result.reason


@pytest.mark.parametrize("picture", [PNG, SVG], ids=["png", "svg"])
def test_openbadgeslib_refuses_a_changed_badge_in_a_picture(issuer: Issuer, picture: bytes) -> None:
    text = json.dumps(changed(issuer.sign(issuer.badge())), ensure_ascii=False)
    result = openbadgeslib_picture(issuer.documents, bake(picture, text))
    assert not result.valid


def test_openvc_verifies_a_badge_and_its_status(issuer: Issuer) -> None:
    result = openvc(issuer.documents, issuer.sign(issuer.badge()))
    assert result.issuer == issuer.did
    assert [entry.is_set for entry in result.status.entries] == [False]


def test_openvc_reads_no_proof_in_an_array_and_no_key_at_an_address(issuer: Issuer) -> None:
    """What the guide in `/docs` says of it: once openvc has learned it, the guide says it no longer."""
    for signed in (issuer.sign(issuer.badge()), issuer.sign_jwt(issuer.badge())):
        with pytest.raises(OpenvcError):
            openvc_as_it_is(issuer.documents, signed)


def test_openvc_refuses_a_changed_badge(issuer: Issuer) -> None:
    with pytest.raises(OpenvcError, match="does not verify"):
        openvc(issuer.documents, changed(issuer.sign(issuer.badge())))


def test_openvc_refuses_a_revoked_badge(issuer: Issuer) -> None:
    signed = issuer.sign(issuer.badge())
    issuer.publish_status(revoked=True)
    with pytest.raises(OpenvcError, match="revoked"):
        openvc(issuer.documents, signed)


def test_joserfc_verifies_a_badge_as_jwt(issuer: Issuer) -> None:
    key = ECKey.import_key(issuer.documents[issuer.kid])
    token = jws.deserialize_compact(issuer.sign_jwt(issuer.badge()), key, algorithms=["ES256"])
    assert token.headers() == {"alg": "ES256", "typ": "JWT", "kid": issuer.kid}
    assert token.payload is not None
    assert json.loads(token.payload)["credentialSubject"] == issuer.badge()["credentialSubject"]
