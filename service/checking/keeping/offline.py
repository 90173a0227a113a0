"""Check a badge by its bundle, without a network, and say how much that proves.

The maker of the bundle wrote its documents. Their signatures tie them to the issuer's keys, but the keys of a did:web
are in one of the documents: a candidate can make a bundle with their own keys under anybody's name. So the check says
where the keys come from, and takes a key or DID document from elsewhere (a pin); then no other key counts as the
issuer's. Nobody can tell an older list that the issuer signed from the newest one, so the check gives the date that is
signed with the list, not the date at which it is said to have been fetched.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from credentials import (
    CredentialError,
    Fetched,
    Load,
    UnavailableError,
    VerificationKey,
    find_older,
    parse_json,
    reading,
)
from credentials.checks.received import Secured
from credentials.checks.received import read as read_secured
from credentials.instants import read_instant, write_instant
from credentials.proofs.data_integrity import proofs_of
from credentials.proofs.dids import did_web_url, resolve_key
from service.checking import check as checking
from service.checking.check import Checked
from service.checking.desk import Desk
from service.checking.keeping.bundles import Bundle
from service.errors import InvalidError

KeysFrom = Literal["identifier", "pinned", "bundle"]

_KEYS_IN_THEMSELVES: Final = ("did:key:", "did:jwk:")
_MEMBERS: Final = (
    "verificationMethod",
    *("assertionMethod", "authentication", "capabilityDelegation", "capabilityInvocation", "keyAgreement"),
)


@dataclass(frozen=True)
class Pin:
    """Keys of an issuer that do not come from the bundle.

    Args:
        keys: their thumbprints (RFC 7638).
        document: their DID document, where it was given whole; it then replaces the bundle's.
    """

    keys: frozenset[str]
    document: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class StatusAge:
    """A status list: when its issuer signed it, and when it was fetched according to the bundle."""

    address: str
    signed_at: datetime
    fetched_at: datetime


@dataclass(frozen=True)
class OfflineCheck:
    """The check of a bundle.

    Args:
        keys_from: *identifier*, the issuer's id is its key; *pinned*, only keys that were given beside the bundle
            counted; *bundle*, the maker of the bundle put them there.
        keys: thumbprints of the issuer's keys that signed the badge.
        lists: the status lists that were read, the oldest first.
    """

    checked: Checked
    made_at: datetime
    keys_from: KeysFrom
    keys: tuple[str, ...]
    lists: tuple[StatusAge, ...]

    @property
    def status_age_seconds(self) -> int | None:
        """How long ago the oldest list was signed; None without a list."""
        if not self.lists:
            return None
        return max(0, int((self.checked.at - self.lists[0].signed_at).total_seconds()))

    def to_json(self) -> dict[str, Any]:
        """Return `Checked.to_json() | {bundle: {made_at, status_age_seconds, keys_from, keys, lists}}`.

        keys are thumbprints; lists `[{address, signed_at, fetched_at}]`, the oldest first.
        """
        lists = [
            {
                "address": each.address,
                "signed_at": write_instant(each.signed_at),
                "fetched_at": write_instant(each.fetched_at),
            }
            for each in self.lists
        ]
        return self.checked.to_json() | {
            "bundle": {
                "made_at": write_instant(self.made_at),
                "status_age_seconds": self.status_age_seconds,
                "keys_from": self.keys_from,
                "keys": list(self.keys),
                "lists": lists,
            }
        }


def check(desk: Desk, bundle: Bundle, recipient: str | None = None, pin: Pin | None = None) -> OfflineCheck:
    """Check a bundle without a network; read no row.

    1. Contexts are those that are packaged or pinned here, no matter what the bundle holds.
    2. With a pin, only the pinned keys count as the issuer's.
    3. A revocation list without a signature does not count: the maker of the bundle may have written it.
    4. Where the issuer's keys come from the bundle, the badge is not green, and no list makes its issuer known: a list
       knows the name, which anybody can write.
    5. A badge of the older standard is confirmed by its issuer's address, and by nothing that a bundle can hold.

    Raises:
        InvalidError: the pin is not the issuer's (code "pin-other").
    """
    secured = _secured(bundle)
    issuer_id = secured.issuer_id if secured is not None else None
    in_itself = issuer_id is not None and issuer_id.startswith(_KEYS_IN_THEMSELVES)
    keys_from: KeysFrom = "identifier" if in_itself else "pinned" if pin is not None else "bundle"
    load = _without_unsigned_lists(bundle.load, secured)  # (3)
    if pin is not None and issuer_id is not None:
        load = pinned(load, issuer_id, pin)  # (2)
    if find_older(bundle.credential) is not None:
        load = _nothing  # (5)
    checked = checking.check(
        desk,
        bundle.credential,
        recipient,
        evidence=bundle.evidence,
        documents=load,
        keys_vouched=keys_from != "bundle",  # (4)
    )
    keys: tuple[str, ...] = ()
    lists: tuple[StatusAge, ...] = ()
    if secured is not None:
        keys = tuple(_signing_keys(secured, load)) if checked.outcome("issuer") == "passed" else ()
        lists = _lists(checked, secured, bundle)
    return OfflineCheck(checked, bundle.made_at, keys_from, keys, lists)


def read_pin(text: str) -> Pin:
    """Read the keys that an employer has of an issuer.

    Args:
        text: a Multikey (z6Mk...), a did:key, a did:jwk or the thumbprint of a key; or JSON: a DID document, a JWK or a
            JWK Set.
    Raises:
        InvalidError: it is none of these (code "pin-unknown").
    """
    text = text.strip()
    try:
        if text.startswith("{"):
            return _read_document(parse_json(text))
        if text.startswith(_KEYS_IN_THEMSELVES):
            return Pin(frozenset({resolve_key(text, _nothing).key.thumbprint}))
        if text.startswith("z"):
            with suppress(CredentialError):  # a thumbprint may also begin with z
                return Pin(frozenset({VerificationKey.from_multikey(text).thumbprint}))
    except CredentialError as error:
        raise InvalidError("pin-unknown", f"Pin: {error.message}.") from error
    if len(text) != 43 or not set(text) <= _BASE64URL:
        message = (
            "Expected a key (z6Mk..., did:key:...), its fingerprint, or a DID document or JWK, got something else."
        )
        raise InvalidError("pin-unknown", message)
    return Pin(frozenset({text}))


_BASE64URL: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def _read_document(document: Any) -> Pin:
    found = frozenset(_thumbprints(document))
    if not found:
        raise InvalidError("pin-unknown", "Expected a DID document, a JWK or a JWK Set with keys, got none in it.")
    return Pin(found, document if "verificationMethod" in document else None)


def _thumbprints(document: Mapping[str, Any]) -> Iterator[str]:
    holders = [document] if "kty" in document else []
    for member in (*_MEMBERS, "keys"):
        holders += reading.objects(document.get(member))
    yield from (found for holder in holders if (found := _thumbprint(holder)) is not None)


def _thumbprint(holder: Mapping[str, Any]) -> str | None:
    """Return the thumbprint of the key in a verification method or JWK.

    Return None without a known key.
    """
    with suppress(CredentialError):
        if "publicKeyMultibase" in holder:
            return VerificationKey.from_multikey(holder["publicKeyMultibase"]).thumbprint
        return VerificationKey.from_jwk(holder.get("publicKeyJwk", holder)).thumbprint
    return None


# --- Pinned keys -----------------------------------------------------------------------------------------------------


def pinned(load: Load, issuer_id: str, pin: Pin) -> Load:
    """Return a loader in which the issuer publishes only the pinned keys.

    A key is the issuer's only where the issuer's own document or the JWK Set of its host lists it. The loader filters
    these two, so it does not matter where else somebody puts a key.

    Raises:
        InvalidError: the pin is not the issuer's (code "pin-other").
    """
    if issuer_id.startswith(_KEYS_IN_THEMSELVES):
        with suppress(CredentialError):
            if resolve_key(issuer_id, _nothing).key.thumbprint in pin.keys:
                return load
        raise _other(issuer_id)
    if pin.document is not None and pin.document.get("id") != issuer_id:
        raise _other(issuer_id)
    try:
        document_url = did_web_url(issuer_id) if issuer_id.startswith("did:") else issuer_id
    except CredentialError:
        return load  # such an id has no keys to load
    parts = urlsplit(document_url)
    jwks_url = f"{parts.scheme}://{parts.netloc}/.well-known/jwks.json"

    def load_pinned(url: str) -> Fetched:
        if url == document_url and pin.document is not None:
            return Fetched(json.dumps(pin.document).encode(), "application/did+json")
        found = load(url)
        return _only(found, pin.keys) if url in (document_url, jwks_url) else found

    return load_pinned


def _other(issuer_id: str) -> InvalidError:
    return InvalidError(
        "pin-other", f"Expected a key of {issuer_id[:200]}, who issued the badge; the pin is of another."
    )


def _only(found: Fetched, keys: frozenset[str]) -> Fetched:
    """Return a document with only those of its keys that are in `keys`."""
    try:
        document = parse_json(found.body)
    except CredentialError:
        return found
    if not isinstance(document, dict):
        return found
    for member in {*_MEMBERS, "keys"} & document.keys():
        entries = reading.listed(document[member])
        document[member] = [each for each in entries if not isinstance(each, dict) or _thumbprint(each) in keys]
    return Fetched(json.dumps(document).encode(), found.media_type)


def _nothing(url: str) -> Fetched:
    raise UnavailableError("document-not-in-bundle", f"Nobody is asked for {url[:200]}.")


# --- How much it proves ----------------------------------------------------------------------------------------------


def _secured(bundle: Bundle) -> Secured | None:
    with suppress(CredentialError):
        return read_secured(bundle.credential)
    return None


def _entries(value: Any, kind: str) -> Iterator[Mapping[str, Any]]:
    """Yield every object of a type in a credential, including its endorsements."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, Mapping):
            if reading.is_a(value, kind):
                yield value
            waiting.extend(value.values())


def _without_unsigned_lists(load: Load, secured: Secured | None) -> Load:
    credential = secured.credential if secured is not None else None
    unsigned = [entry.get("id") for entry in _entries(credential, "1EdTechRevocationList")]

    def load_signed(url: str) -> Fetched:
        if url in unsigned:
            message = "The revocation list has no signature, so that anyone who made the bundle can have written it."
            raise UnavailableError("status-list-unsigned", message)
        return load(url)

    return load_signed


def _lists(checked: Checked, secured: Secured, bundle: Bundle) -> tuple[StatusAge, ...]:
    """Return the status lists of the badge itself that have valid signatures."""
    status = next(each for each in checked.report.checks if each.name == "status")
    outdated = any(finding.code == "status-list-outdated" for finding in status.findings)
    if checked.outcome("issuer") != "passed" or (status.outcome == "undecided" and not outdated):
        return ()
    found: dict[str, StatusAge] = {}
    for entry in reading.objects(secured.credential.get("credentialStatus")):
        address = entry.get("statusListCredential")
        document = bundle.documents.get(address) if isinstance(address, str) else None
        if document is not None and (signed_at := _signed_at(document.body)) is not None:
            found[str(address)] = StatusAge(str(address), signed_at, document.fetched_at)
    return tuple(sorted(found.values(), key=lambda each: each.signed_at))


def _signed_at(body: bytes) -> datetime | None:
    """Return when a list was signed.

    The earliest date counts: anybody can add a proof of their own with a later date, but nobody can leave out the
    issuer's. Where one proof has no date, or the list is a JWT, it is the date from which the list is valid.
    """
    with suppress(CredentialError):
        listed = read_secured(body)
        proofs = [] if listed.jwt is not None else proofs_of(listed.credential)
        created = [read_instant(proof.get("created")) for proof in proofs]
        dated = [instant for instant in created if instant is not None]
        begins = reading.begins(listed.credential)
        return min(dated) if dated and len(dated) == len(created) else begins
    return None


def _signing_keys(secured: Secured, load: Load) -> Iterator[str]:
    """Yield the thumbprints of the keys that signed a badge."""
    with suppress(CredentialError):
        if secured.jwt is not None:
            named = [secured.jwt.key_id]
        else:
            named = [proof.get("verificationMethod") for proof in proofs_of(secured.credential)]
        for name in dict.fromkeys(named):
            if isinstance(name, str):
                yield resolve_key(name, load, issuer=secured.issuer_id).key.thumbprint
            elif secured.jwt is not None and secured.jwt.embedded_key is not None:
                yield secured.jwt.embedded_key.thumbprint
