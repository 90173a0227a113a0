"""Other people's Python verifiers, each able to reach nothing but the documents that it is given."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import jwt
from openbadgeslib.ob3 import OB3Verifier
from openbadgeslib.ob3.ldp import OB3LdpVerifier
from openbadgeslib.verify import verify_badge
from openvc import verify_credential
from openvc.did.base import DidResolverRegistry
from openvc.did.did_web import DidWebResolver
from openvc.resolvers import default_status_list_resolver

OPEN_BADGES_CONTEXTS = {
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": "ob-v3p0-context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json": "ob-v3p0-extensions.json",
}


class Published:
    """What lies at which address; a document in development is given at http, and asked for by did:web at https."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._documents = documents

    def document(self, url: str) -> Any:
        """Return the JSON at `url`."""
        local = url.replace("https://localhost", "http://localhost")
        return self._documents[local if local in self._documents else url]

    def download(self, url: str, *_: Any, **__: Any) -> bytes:
        """Return the bytes at `url`, as openbadgeslib asks for them."""
        return json.dumps(self.document(url)).encode()


def openbadgeslib(documents: Mapping[str, Any], signed: Mapping[str, Any], recipient: str | None = None) -> Any:
    """Return the badge, as openbadgeslib reads it once it has found it good by its issuer's DID."""
    return OB3LdpVerifier.for_issuer_did(signed["issuer"]["id"]).verify(
        json.dumps(signed),
        expected_recipient=recipient,
        check_status=True,
        verify_status_list=False,  # it knows lists that are signed as JWT only
        download=Published(documents).download,
    )


def openbadgeslib_jwt(documents: Mapping[str, Any], token: str) -> Any:
    """Return the badge, as openbadgeslib reads it once it has found the JWT good by the key at its address."""
    key = Published(documents).document(jwt.get_unverified_header(token)["kid"])
    return OB3Verifier(jwt.PyJWK(key).key).verify(token)


def openbadgeslib_picture(documents: Mapping[str, Any], picture: bytes) -> Any:
    """Return what openbadgeslib finds in a picture."""
    return verify_badge(picture, resolve_did=True, download=Published(documents).download)


def openvc(documents: Mapping[str, Any], signed: Mapping[str, Any]) -> Any:
    """Return openvc's result; it reads one proof, and not in an array (the guide in `/docs` says so)."""
    return openvc_as_it_is(documents, _with_one_proof(signed))


def openvc_as_it_is(documents: Mapping[str, Any], signed: Mapping[str, Any] | str) -> Any:
    """Return openvc's result on JSON or a JWT as it stands; it takes Open Badges' contexts from others."""
    published = Published(documents)
    folder = files("openbadgeslib.ob3.contexts")
    contexts = {url: json.loads((folder / name).read_bytes()) for url, name in OPEN_BADGES_CONTEXTS.items()}
    resolver = DidResolverRegistry([DidWebResolver(published.document)])
    lists = default_status_list_resolver(
        resolver=resolver, fetch=lambda url: json.dumps(_with_one_proof(published.document(url)))
    )
    return verify_credential(signed, resolver=resolver, resolve_status_list=lists, extra_contexts=contexts)


def _with_one_proof(signed: Mapping[str, Any]) -> dict[str, Any]:
    (proof,) = signed["proof"]
    return {**signed, "proof": proof}
