"""Find a key where it is published, and what the document there says about it.

Anybody can write any address, and any key behind its `#`, into a proof or a header. So a key is never taken from such
a text, except if the identifier *is* the key (did:key, did:jwk). Everything else is loaded, and it belongs to somebody
only if the document at that somebody's own address lists it. `resolve_key` finds a key, which is enough to check a
signature. Whether it is the issuer's is a second question. `ResolvedKey.belongs_to` answers it, or `find_published` if
the key is at an address of its own or in a header.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from credentials.errors import MalformedError, ProofError, UnavailableError, UnsupportedError, shown
from credentials.graph.documents import Load
from credentials.instants import read_instant
from credentials.proofs.encodings import base64url_decode
from credentials.proofs.keys import Algorithm, VerificationKey
from credentials.reading import listed
from credentials.strict_json import parse_json

_MAX_ADDRESS_CHARS = 4096
_MAX_DOCUMENT_BYTES = 1024 * 1024
_RELATIONSHIPS = (
    "assertionMethod",
    "authentication",
    "capabilityDelegation",
    "capabilityInvocation",
    "keyAgreement",
)
_SELF_PUBLISHED_PURPOSES = frozenset(_RELATIONSHIPS) - {"keyAgreement"}

_METHOD_TYPES: Final[Mapping[str, tuple[str, tuple[Algorithm, ...]]]] = {
    "Multikey": ("publicKeyMultibase", ("Ed25519", "P-256", "P-384")),
    "JsonWebKey": ("publicKeyJwk", ("Ed25519", "P-256", "P-384", "RSA")),
    "JsonWebKey2020": ("publicKeyJwk", ("Ed25519", "P-256", "P-384", "RSA")),
    "Ed25519VerificationKey2020": ("publicKeyMultibase", ("Ed25519",)),
    "EcdsaSecp256r1VerificationKey2019": ("publicKeyMultibase", ("P-256",)),
    "EcdsaSecp384r1VerificationKey2019": ("publicKeyMultibase", ("P-384",)),
}
"""For each type of verification method, the member that holds its key, and the kinds of key that may be there."""


@dataclass(frozen=True)
class ResolvedKey:
    """A key, and what is known about its owner.

    `controller` is the id of the document that lists the key at its own address; None if the address holds only the key
    (a bare JWK, a JWK Set, a lone verification method), which proves nothing about an owner. `purposes` are the
    verification relationships under which that document lists it. `revoked_at` and `expires_at` are published with it.
    """

    key: VerificationKey
    method: str
    controller: str | None = None
    purposes: frozenset[str] = frozenset()
    revoked_at: datetime | None = None
    expires_at: datetime | None = None

    def belongs_to(self, issuer: str, purpose: str = "assertionMethod") -> bool:
        """Return whether the issuer's own document lists this key for `purpose`."""
        return self.controller == issuer and purpose in self.purposes


def resolve_key(verification_method: str, load: Load, *, issuer: str | None = None) -> ResolvedKey:
    """Return the key that a proof's `verificationMethod` or a JWT's `kid` names.

    1. did:key and did:jwk are their own document.
    2. did:web is loaded as `did_web_url` says. An https address (http for localhost) is loaded without its fragment
       and may hold a controller document, one verification method, a JWK, or a JWK Set in which `kid` chooses.
    3. A document about somebody must be at that somebody's own address and list the method, by this id, as controlled
       by that somebody. If it does so twice, both must say the same.

    Args:
        issuer: whom a relative name is about: `#name` is in the issuer's document, a bare `name` is the `kid` in the
            JWK Set of the issuer's host.
    Raises:
        ProofError: the name or the document is not what it must be: "verification-method-malformed", "did-malformed",
            "controller-document-malformed", "controller-document-mismatch", "verification-method-missing",
            "verification-method-repeated", "controller-mismatch", "key-private-published", or what the key raises.
        UnsupportedError: another DID method ("did-method-unsupported") or kind of key ("key-unsupported").
        UnavailableError: could not be loaded; from `load`.
    Spec: Controlled Identifiers v1.0, section 3.3 (retrieve verification method); DID Core 1.0, section 7.
    """
    if not isinstance(verification_method, str) or not 0 < len(verification_method) <= _MAX_ADDRESS_CHARS:
        raise ProofError(
            "verification-method-malformed",
            f"expected the address of a key of at most {_MAX_ADDRESS_CHARS} characters, got {shown(verification_method)}",
        )
    if issuer is not None and ":" not in verification_method:
        if not verification_method.startswith("#"):
            return _key_in_jwks_of(issuer, verification_method, load)
        verification_method = issuer + verification_method
    address, _, fragment = verification_method.partition("#")
    if address.startswith(("did:key:", "did:jwk:")):  # (1)
        return _self_published(address, fragment)
    if address.startswith("did:"):  # (2)
        return _listed_key(verification_method, _load_object(did_web_url(address), load), address)
    _check_address(address)
    document = _load_object(address, load)
    if "kty" in document:
        return ResolvedKey(VerificationKey.from_jwk(document), verification_method)
    if "keys" in document:
        return ResolvedKey(_choose(_jwks(document), verification_method, fragment), verification_method)
    if document.get("id") == verification_method and any(name.startswith("publicKey") for name in document):
        return _read_method(document, verification_method)
    return _listed_key(verification_method, document, address)  # (3)


def find_published(issuer: str, key: VerificationKey, load: Load, *, purpose: str = "assertionMethod") -> ResolvedKey:
    """Return `key` as the issuer publishes it; raise if the issuer does not.

    The search begins in the issuer's own document (as `resolve_key` would load it), and goes on in the JWK Set of the
    issuer's host, `https://{host}/.well-known/jwks.json`; a JWK with another `iss` there is another issuer's. If the
    key is listed twice, the earlier dates count.

    Raises:
        ProofError: it is in neither place (code "key-not-issuers").
        UnavailableError: not found, and one of the places could not be loaded.
        UnsupportedError: an issuer of another DID method ("did-method-unsupported").
    Spec: Open Badges 3.0 Implementation Guide, section on key provenance; Controlled Identifiers v1.0, section 3.3.
    """
    if issuer.startswith(("did:key:", "did:jwk:")):
        published = _self_published(issuer, "")
        if published.key == key and published.belongs_to(issuer, purpose):
            return published
        raise _not_issuers(issuer)
    unavailable = None
    for search in (_search_document, _search_jwks):
        try:
            listings = [found for found in search(issuer, key, load) if found.belongs_to(issuer, purpose)]
        except UnavailableError as error:
            unavailable = error
        except ProofError:
            continue  # an issuer's address may also hold a page for people
        else:
            if listings:
                return ResolvedKey(
                    key,
                    listings[0].method,
                    issuer,
                    listings[0].purposes,
                    min((at for found in listings if (at := found.revoked_at)), default=None),
                    min((at for found in listings if (at := found.expires_at)), default=None),
                )
    raise unavailable or _not_issuers(issuer)


# --- did:web ---------------------------------------------------------------------------------------------------------

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DID_WEB = re.compile(
    rf"did:web:(?P<host>{_LABEL}(?:\.{_LABEL})*)(?:%3[Aa](?P<port>[0-9]{{1,5}}))?"
    r"(?P<path>(?::(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+)*)"
)
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")  # how the last part of an IPv4 address may be written


def did_web(url: str) -> str:
    """Return the did:web of an https address (http for localhost).

    The address has no query, fragment or trailing slash.

    Raises:
        ProofError: an address for which there is none (code "did-malformed").
    Spec: did:web Method Specification, section on creation.
    """
    authority, *path = url.partition("://")[2].split("/")
    did = ":".join(("did:web", authority.replace(":", "%3A"), *path))
    if did_web_url(did) != url + ("/did.json" if path else "/.well-known/did.json"):
        raise ProofError("did-malformed", f"expected an https address that a did:web can name, got {shown(url)}")
    return did


def did_web_url(did: str) -> str:
    """Return the address of a did:web's document: https, or http for localhost.

    Raises:
        ProofError: no host name (an IP address is not one), a port beyond 65535, a path that climbs ("did-malformed").
        UnsupportedError: another DID method (code "did-method-unsupported").
    Spec: did:web Method Specification, section on reading.
    """
    if not did.startswith("did:web:"):
        raise UnsupportedError("did-method-unsupported", f"expected did:key, did:jwk or did:web, got {shown(did)}")
    match = _DID_WEB.fullmatch(did)
    if match is None:
        raise ProofError("did-malformed", f"expected a did:web of a host name and a path, got {shown(did)}")
    host, port, path = match.group("host", "port", "path")
    if len(host) > 253 or _NUMBER.fullmatch(host.rpartition(".")[2]) or int(port or 443) not in range(1, 65536):
        raise ProofError("did-malformed", f"expected a did:web of a host name and a port, got {shown(did)}")
    steps = path.split(":")[1:]
    if any(unquote(step) in {".", ".."} for step in steps):
        raise ProofError("did-malformed", f"expected a did:web whose path does not climb, got {shown(did)}")
    scheme = "http" if host.lower() == "localhost" else "https"
    return "/".join((f"{scheme}://{host}" + (f":{port}" if port else ""), *(steps or [".well-known"]), "did.json"))


# --- Documents -------------------------------------------------------------------------------------------------------


def _self_published(did: str, fragment: str) -> ResolvedKey:
    method, _, identifier = did.removeprefix("did:").partition(":")
    if method == "key":
        key, name = VerificationKey.from_multikey(identifier), identifier
    else:
        try:
            key, name = VerificationKey.from_jwk(parse_json(base64url_decode(identifier))), "0"
        except MalformedError as error:
            raise ProofError("did-malformed", f"expected a did:jwk of a JSON object: {error.message}") from error
    if fragment not in {"", name}:
        raise ProofError("verification-method-missing", f"expected the only key of {shown(did)}, got {shown(fragment)}")
    return ResolvedKey(key, f"{did}#{name}", did, _SELF_PUBLISHED_PURPOSES)


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
        whole = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # a port that is not a number, brackets without an IPv6 address
        secure = whole = False
    if not (secure and whole and re.fullmatch(r"[!-~]+", url)) or re.search(r'[\\"<>^`{|}]', url):
        raise ProofError(
            "verification-method-malformed", f"expected the key's address to be a DID or https, got {shown(url)}"
        )


def _load_object(url: str, load: Load) -> dict[str, Any]:
    try:
        document = load(url).json(_MAX_DOCUMENT_BYTES)
    except MalformedError as error:
        raise ProofError("controller-document-malformed", f"{shown(url)}: {error.message}", error.pointer) from error
    if not isinstance(document, dict):
        raise ProofError("controller-document-malformed", f"expected an object at {shown(url)}, got {shown(document)}")
    return document


def _listed_key(verification_method: str, document: Mapping[str, Any], owner: str) -> ResolvedKey:
    """Return the one key with the id `verification_method` in the owner's document."""
    for identifier, method, purposes in _listed_methods(document, owner):
        if identifier == verification_method:
            return _owned_key(identifier, method, purposes, owner)
    raise ProofError(
        "verification-method-missing", f"expected {shown(verification_method)} in its document, got no such key"
    )


def _owned_key(identifier: str, method: Mapping[str, Any], purposes: frozenset[str], owner: str) -> ResolvedKey:
    if method.get("controller") != owner:
        raise ProofError(
            "controller-mismatch",
            f"expected the key's controller to be {shown(owner)}, got {shown(method.get('controller'))}",
        )
    return replace(_read_method(method, identifier), controller=owner, purposes=purposes)


def _listed_methods(document: Mapping[str, Any], owner: str) -> Iterator[tuple[str, Mapping[str, Any], frozenset[str]]]:
    """Yield each verification method of the owner's document.

    Each comes as its absolute id, the method, and its relationships.
    """
    if document.get("id") != owner:
        raise ProofError(
            "controller-document-mismatch",
            f"expected the document of {shown(owner)}, got that of {shown(document.get('id'))}",
        )
    methods: dict[str, Mapping[str, Any]] = {}
    purposes: dict[str, set[str]] = {}
    for member in ("verificationMethod", *_RELATIONSHIPS):
        entries = document.get(member, [])
        for entry in listed(entries):
            identifier = entry.get("id") if isinstance(entry, Mapping) else entry
            if not isinstance(identifier, str) or (member == "verificationMethod" and not isinstance(entry, Mapping)):
                raise ProofError(
                    "controller-document-malformed",
                    f"expected each {member} to be a key with an id, got {shown(entry)}",
                )
            if identifier.startswith("#"):
                identifier = owner + identifier
            if isinstance(entry, Mapping) and not _is_same(methods.setdefault(identifier, entry), entry):
                raise ProofError("verification-method-repeated", f"expected one key of id {shown(identifier)}, got two")
            if member != "verificationMethod":
                purposes.setdefault(identifier, set()).add(member)
    for identifier, method in methods.items():
        yield identifier, method, frozenset(purposes.get(identifier, ()))


def _is_same(method: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
    """Return whether a method that a document gives twice says the same both times, as documents in the wild do."""
    return {**method, "id": None} == {**again, "id": None}


def _read_method(method: Mapping[str, Any], identifier: str) -> ResolvedKey:
    """Return the key in one verification method; its controller is not yet known."""
    kind = method.get("type")
    if not isinstance(kind, str) or kind not in _METHOD_TYPES:
        raise UnsupportedError("key-unsupported", f"expected a Multikey or JsonWebKey, got the type {shown(kind)}")
    if private := [name for name in method if name.startswith(("private", "secret"))]:
        raise ProofError("key-private-published", f"expected a public key, got the member {shown(private[0])}")
    member, algorithms = _METHOD_TYPES[kind]
    forms = [name for name in method if name.startswith("publicKey")]
    if forms != [member]:
        raise ProofError("verification-method-malformed", f"expected {kind} to hold its key in {member} alone")
    read = VerificationKey.from_jwk if member == "publicKeyJwk" else VerificationKey.from_multikey
    key = read(method[member])
    if key.algorithm not in algorithms:
        raise ProofError("verification-method-malformed", f"expected the key in {kind} to be {algorithms[0]}")
    revoked_at, expires_at = (_read_time(method, name) for name in ("revoked", "expires"))
    return ResolvedKey(key, identifier, revoked_at=revoked_at, expires_at=expires_at)


def _read_time(method: Mapping[str, Any], name: str) -> datetime | None:
    if name not in method:
        return None
    instant = read_instant(method[name])
    if instant is None:
        raise ProofError(
            "verification-method-malformed",
            f"expected the key's {name} to be a date and time with a zone, got {shown(method[name])}",
        )
    return instant


# --- Whose key it is -------------------------------------------------------------------------------------------------


def _not_issuers(issuer: str) -> ProofError:
    return ProofError("key-not-issuers", f"expected a key that {shown(issuer)} publishes, got one that it does not")


def _comparison(key: VerificationKey) -> Callable[[Mapping[str, Any]], bool]:
    """Return a function that tells whether a method or JWK holds `key`.

    It compares texts only, because there may be thousands.
    """
    multikey, members = None if key.algorithm == "RSA" else key.multikey, key.jwk.items()

    def holds(holder: Mapping[str, Any]) -> bool:
        if "publicKeyMultibase" in holder:
            return bool(holder["publicKeyMultibase"] == multikey)
        jwk = holder.get("publicKeyJwk", holder)
        return isinstance(jwk, Mapping) and all(jwk.get(member) == value for member, value in members)

    return holds


def _search_document(issuer: str, key: VerificationKey, load: Load) -> Iterator[ResolvedKey]:
    if issuer.startswith("did:"):
        address = did_web_url(issuer)
    else:
        _check_address(address := issuer)
    document = _load_object(address, load)
    holds = _comparison(key)
    for identifier, method, purposes in _listed_methods(document, issuer):
        if holds(method):
            yield _owned_key(identifier, method, purposes, issuer)


def _search_jwks(issuer: str, key: VerificationKey, load: Load) -> Iterator[ResolvedKey]:
    address, holds = _jwks_address(issuer), _comparison(key)
    for jwk in _jwks(_load_object(address, load)):
        if jwk.get("iss", issuer) == issuer and holds(jwk):
            yield ResolvedKey(VerificationKey.from_jwk(jwk), address, issuer, _SELF_PUBLISHED_PURPOSES)


def _key_in_jwks_of(issuer: str, kid: str, load: Load) -> ResolvedKey:
    address = _jwks_address(issuer)
    own = [jwk for jwk in _jwks(_load_object(address, load)) if jwk.get("iss", issuer) == issuer]
    return ResolvedKey(_choose(own, kid, kid), f"{address}#{kid}", issuer, _SELF_PUBLISHED_PURPOSES)


def _jwks_address(issuer: str) -> str:
    address = did_web_url(issuer) if issuer.startswith("did:") else issuer
    _check_address(address)
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}/.well-known/jwks.json"


def _jwks(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    keys = document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(jwk, Mapping) for jwk in keys):
        raise ProofError("controller-document-malformed", "expected a JWK Set: keys as an array of objects")
    return keys


def _choose(jwks: list[Mapping[str, Any]], name: str, fragment: str) -> VerificationKey:
    """Return the key whose `kid` is the full name or its fragment.

    Without a fragment, the only key in the set is enough.
    """
    found = [jwk for jwk in jwks if jwk.get("kid") in (name, fragment or name)] or (jwks if not fragment else [])
    if len(found) != 1:
        code = "verification-method-repeated" if found else "verification-method-missing"
        raise ProofError(code, f"expected one key of kid {shown(name)} in the JWK Set, got {len(found)}")
    return VerificationKey.from_jwk(found[0])
