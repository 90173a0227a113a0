"""What we issue, before the Python verifiers openbadgeslib, openvc and joserfc."""

import json
from importlib.resources import files
from typing import Any

import jwt
import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from openbadgeslib.ob3 import OB3Verifier
from openbadgeslib.ob3.ldp import OB3LdpVerifier
from openbadgeslib.ob3.verifier import OB3VerificationError
from openbadgeslib.verify import verify_badge
from openvc import OpenvcError, verify_credential
from openvc.did.base import DidResolverRegistry
from openvc.did.did_web import DidWebResolver
from openvc.resolvers import default_status_list_resolver
from resvg_py import svg_to_bytes

from credentials.bake import bake
from tests.interop.issuing import CONTEXTS, Issuer, changed

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><title>\xc3\xa9</title><rect width="9" height="9"/></svg>'
PNG = bytes(svg_to_bytes(svg_string=SVG.decode()))


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


class Openbadgeslib:
    """openbadgeslib, going by the issuer's DID and reaching only the issuer's documents."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer

    def download(self, url: str, *_: Any, **__: Any) -> bytes:
        return json.dumps(self.issuer.documents[url]).encode()

    def verify(self, signed: dict[str, Any], recipient: str | None = None) -> Any:
        return OB3LdpVerifier.for_issuer_did(self.issuer.did).verify(
            json.dumps(signed),
            expected_recipient=recipient,
            check_status=True,
            verify_status_list=False,  # it knows lists that are signed as JWT only
            download=self.download,
        )

    def verify_jwt(self, token: str) -> Any:
        return OB3Verifier(jwt.PyJWK(self.issuer.documents[self.issuer.kid]).key).verify(token)


def openvc(issuer: Issuer, signed: dict[str, Any]) -> Any:
    """Return openvc's result; it reads one proof, and not in an array, and has Open Badges' contexts from others."""
    folder = files("openbadgeslib.ob3.contexts")
    names = ("ob-v3p0-context-3.0.3.json", "ob-v3p0-extensions.json")
    contexts = {url: json.loads((folder / name).read_bytes()) for url, name in zip(CONTEXTS[1:], names, strict=True)}
    resolver = DidResolverRegistry([DidWebResolver(issuer.documents.__getitem__)])

    def fetch(url: str) -> str:
        return json.dumps(with_one_proof(issuer.documents[url]))

    lists = default_status_list_resolver(resolver=resolver, fetch=fetch)
    return verify_credential(
        with_one_proof(signed), resolver=resolver, resolve_status_list=lists, extra_contexts=contexts
    )


def with_one_proof(signed: dict[str, Any]) -> dict[str, Any]:
    (proof,) = signed["proof"]
    return signed | {"proof": proof}


def test_openbadgeslib_verifies_a_badge_for_its_recipient(issuer: Issuer) -> None:
    badge = issuer.badge()
    recipient: str = badge["credentialSubject"]["id"]
    found = Openbadgeslib(issuer).verify(issuer.sign(badge), recipient)
    assert found.issuer.id == issuer.did


def test_openbadgeslib_refuses_a_changed_badge(issuer: Issuer) -> None:
    with pytest.raises(OB3VerificationError, match="signature mismatch"):
        Openbadgeslib(issuer).verify(changed(issuer.sign(issuer.badge())))


def test_openbadgeslib_refuses_a_revoked_badge(issuer: Issuer) -> None:
    signed = issuer.sign(issuer.badge())
    issuer.publish_status(revoked=True)
    with pytest.raises(OB3VerificationError, match="'revocation' is set"):
        Openbadgeslib(issuer).verify(signed)


def test_openbadgeslib_verifies_a_badge_as_jwt(issuer: Issuer) -> None:
    assert Openbadgeslib(issuer).verify_jwt(issuer.sign_jwt(issuer.badge())).issuer.id == issuer.did


@pytest.mark.parametrize("picture", [PNG, SVG], ids=["png", "svg"])
def test_openbadgeslib_finds_and_verifies_a_badge_in_a_picture(issuer: Issuer, picture: bytes) -> None:
    text = json.dumps(issuer.sign(issuer.badge()), ensure_ascii=False)
    result = verify_badge(bake(picture, text), resolve_did=True, download=Openbadgeslib(issuer).download)
    assert (result.valid, result.trusted, result.proof_format) == (True, True, "ldp"), result.reason


@pytest.mark.parametrize("picture", [PNG, SVG], ids=["png", "svg"])
def test_openbadgeslib_refuses_a_changed_badge_in_a_picture(issuer: Issuer, picture: bytes) -> None:
    text = json.dumps(changed(issuer.sign(issuer.badge())), ensure_ascii=False)
    result = verify_badge(bake(picture, text), resolve_did=True, download=Openbadgeslib(issuer).download)
    assert not result.valid


def test_openvc_verifies_a_badge_and_its_status(issuer: Issuer) -> None:
    result = openvc(issuer, issuer.sign(issuer.badge()))
    assert result.issuer == issuer.did
    assert [entry.is_set for entry in result.status.entries] == [False]


def test_openvc_refuses_a_changed_badge(issuer: Issuer) -> None:
    with pytest.raises(OpenvcError, match="does not verify"):
        openvc(issuer, changed(issuer.sign(issuer.badge())))


def test_openvc_refuses_a_revoked_badge(issuer: Issuer) -> None:
    signed = issuer.sign(issuer.badge())
    issuer.publish_status(revoked=True)
    with pytest.raises(OpenvcError, match="revoked"):
        openvc(issuer, signed)


def test_joserfc_verifies_a_badge_as_jwt(issuer: Issuer) -> None:
    key = ECKey.import_key(issuer.documents[issuer.kid])
    token = jws.deserialize_compact(issuer.sign_jwt(issuer.badge()), key, algorithms=["ES256"])
    assert token.headers() == {"alg": "ES256", "typ": "JWT", "kid": issuer.kid}
    assert token.payload is not None
    assert json.loads(token.payload)["credentialSubject"] == issuer.badge()["credentialSubject"]
