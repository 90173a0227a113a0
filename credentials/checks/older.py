"""Ask the issuer of an older badge for the documents that confirm it.

These are the badge itself, its class, the issuer's profile, its keys and its list. Every document is fetched through
the inquiry, which limits how many there are and how much work they make. What cannot be had, or is something else such
as a new owner's page, is an `UnavailableError`: it leaves the question open.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from credentials.checks.inquiry import Inquiry
from credentials.errors import (
    CredentialError,
    GoneError,
    MalformedError,
    ProofError,
    StatusError,
    UnavailableError,
    shown,
)
from credentials.model import badges2
from credentials.model.badges2 import Assertion
from credentials.proofs.keys import VerificationKey
from credentials.reading import listed, only_text
from credentials.strict_json import MAX_BYTES, MAX_PARSED_VALUES, MAX_VALUES, check_json, parse_json

MAX_STEPS: Final = 3
"""How many addresses are asked for one document that says it is kept elsewhere."""
MAX_KEYS: Final = 4
"""How many keys of one issuer are tried."""
_MAX_PEM_CHARS: Final = 16 * 1024
_PEM: Final = b"-----BEGIN"


@dataclass(frozen=True)
class Issuance:
    """What an older badge stands for, and who issued it.

    Args:
        badge_class: as it stands in the badge, or lies at the address that the badge gives.
        issuer: the address of the issuer's profile.
        profile: as it lies there.
    """

    badge_class: Mapping[str, Any]
    issuer: str
    profile: Mapping[str, Any]


def kept_at(address: str, inquiry: Inquiry) -> tuple[Assertion, str]:
    """Return the badge as its issuer's address gives it now, and that address.

    A document that says it is kept at another address leads there, at most `MAX_STEPS` times.

    Raises:
        StatusError: it was revoked, and no more is said of it (code "credential-revoked").
        UnavailableError: there is no badge, or what is there leads nowhere (codes "hosted-malformed", "hosted-elsewhere",
            "hosted-gone").
    Spec: Open Badges 2.0, section on verification of hosted badges.
    """
    for _ in range(MAX_STEPS):
        try:
            document = _document(address, inquiry)
        except GoneError as error:
            raise _gone(address, error) from error
        if not badges2.is_assertion(document) and not badges2.is_revoked(document):
            raise _other(address, "a badge")
        assertion = Assertion(document)
        if not assertion.address or badges2.is_same(assertion.address, address):
            return assertion, address
        address = assertion.address
    message = "expected a badge at the address that it names, got documents that each name another"
    raise UnavailableError("hosted-elsewhere", message)


def _gone(address: str, error: GoneError) -> CredentialError:
    try:
        said = parse_json(error.body, max_values=MAX_VALUES)
    except MalformedError:
        said = None
    if badges2.is_revoked(said):
        return StatusError("credential-revoked", "expected a badge that stands, got the answer that it was revoked")
    return UnavailableError("hosted-gone", f"expected a badge at {shown(address)}, got the answer that it is gone")


def issuance_of(assertion: Assertion, inquiry: Inquiry, kept: str = "") -> Issuance:
    """Return what a badge stands for and who issued it.

    A badge class may stand in the badge, because who keeps or signs the badge says so. A profile that stands there does
    not count: anybody may have written it. Only version 0.5 had no other profile: there the address at which the badge
    lies is all that is known of the issuer, and has to be of the origin that the badge names.

    Args:
        kept: the address at which the badge lies; "" if it was not asked for there.
    Raises:
        UnavailableError: as `kept_at`, and where the badge names neither (code "issuer-not-named").
    Spec: Open Badges 0.5, Assertion, `badge.issuer.origin`.
    """
    badge_class = assertion.badge_class
    if isinstance(badge_class, str):
        _, badge_class = _own_document(badge_class, inquiry, "a badge class")
    elif kept and (profile := badges2.profile_within(badge_class)):
        return Issuance(badge_class, kept, profile)
    named = badges2.id_of(badges2.link_or_object(badge_class.get("issuer")))
    issuer, profile = _own_document(named, inquiry, "the issuer's profile")
    return Issuance(badge_class, issuer, profile)


def keys_of(assertion: Assertion, issuance: Issuance, inquiry: Inquiry) -> Iterator[VerificationKey]:
    """Yield the keys under which the signature of a badge may hold: those that the issuer's profile lists.

    If the badge names a key, no other one counts.

    Raises:
        ProofError: the profile does not list it ("key-not-issuers"; in version 1, which had no list of keys, an
            UnavailableError with that code), it is another's ("controller-mismatch"), or it is none.
        UnavailableError: as `kept_at`, and after `MAX_KEYS` keys where there are more ("key-not-issuers").
        UnsupportedError: a kind of key that is not known here.
    Spec: Open Badges 2.0, section on verification of signed badges, and on CryptographicKey.
    """
    named = only_text(assertion.verification.get("creator")) or only_text(assertion.verification.get("url"))
    entries = [badges2.link_or_object(entry) for entry in listed(issuance.profile.get("publicKey")) if entry]
    if named:
        entries = [entry for entry in entries if badges2.is_same(badges2.id_of(entry), named)]
    if not entries:
        message = "expected a key that the issuer's profile lists, got none"
        if "publicKey" not in issuance.profile and "verify" in assertion.document:  # version 1 had no such list
            raise UnavailableError("key-not-issuers", message)
        raise ProofError("key-not-issuers", message)
    for entry in entries[:MAX_KEYS]:
        yield _key(entry, issuance.issuer, inquiry)
    if len(entries) > MAX_KEYS:
        message = f"expected at most {MAX_KEYS} keys in the issuer's profile, got {len(entries)}"
        raise UnavailableError("key-not-issuers", message)


def _key(entry: str | Mapping[str, Any], issuer: str, inquiry: Inquiry) -> VerificationKey:
    if isinstance(entry, str):
        fetched = inquiry.load(badges2.secure(entry))
        if fetched.body.lstrip().startswith(_PEM) and not fetched.moved_to:
            return _of_pem(fetched.body.decode("ascii", "replace"))
        _, entry = _own_document(entry, inquiry, "a key")
    owner = only_text(entry.get("owner"))
    if owner and not badges2.is_same(owner, issuer):
        raise ProofError("controller-mismatch", f"expected a key of {shown(issuer)}, got one of {shown(owner)}")
    return _of_pem(only_text(entry.get("publicKeyPem")))


def _of_pem(pem: str) -> VerificationKey:
    try:
        if len(pem) <= _MAX_PEM_CHARS:
            return VerificationKey.from_public_key(load_pem_public_key(pem.encode("ascii", "replace")))
    except (ValueError, UnsupportedAlgorithm):
        pass
    raise ProofError("key-malformed", "expected a public key in PEM, got something else")


def check_list(assertion: Assertion, issuance: Issuance, inquiry: Inquiry) -> bool:
    """Return whether the issuer has a list of revoked badges; this one is not on it.

    Raises:
        StatusError: it is (code "credential-revoked").
        UnavailableError: as `kept_at`.
    Spec: Open Badges 2.0, section on RevocationList; Open Badges 1.1, section on revoking signed badges.
    """
    address = badges2.id_of(badges2.link_or_object(issuance.profile.get("revocationList")))
    if not address:
        return False
    document = _document(address, inquiry, max_values=MAX_PARSED_VALUES)
    owner = badges2.id_of(badges2.link_or_object(document.get("issuer")))
    is_first = not assertion.document.keys().isdisjoint({"verify", "uid"})
    if "revokedAssertions" not in document and not is_first:
        raise _other(address, "a list of revoked badges")
    if "revokedAssertions" in document and owner and not badges2.is_same(owner, issuance.issuer):
        raise _other(address, "a list of the badge's issuer")
    if not assertion.ids.isdisjoint(_revoked(document)):
        raise StatusError("credential-revoked", "expected a badge that stands, got one on its issuer's list")
    return True


def _revoked(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of revoked badges; in version 1 they are the members of the list."""
    if "revokedAssertions" not in document:
        yield from document
        return
    for entry in listed(document["revokedAssertions"]):
        named = entry if isinstance(entry, Mapping) else {"id": entry}
        yield from filter(None, (only_text(named.get(name)) for name in ("id", "@id", "uid")))


def _own_document(address: str, inquiry: Inquiry, what: str) -> tuple[str, Mapping[str, Any]]:
    """Return the document at an address, and that address.

    A document that gives another address as its id leads there, as one of `kept_at` does.
    """
    for _ in range(MAX_STEPS):
        document = _document(address, inquiry)
        named = badges2.id_of(document)
        if not badges2.is_address(named) or badges2.is_same(named, address):
            return address, document
        address = named
    raise _other(address, what)


def _document(address: str, inquiry: Inquiry, *, max_values: int = MAX_VALUES) -> Mapping[str, Any]:
    if not badges2.is_address(address):
        raise UnavailableError("issuer-not-named", f"expected an address that can be asked, got {shown(address)}")
    fetched = inquiry.load(badges2.secure(address))
    if fetched.moved_to and not badges2.is_of_site(fetched.moved_to, address):  # many sites send on to any address
        message = f"expected a document at {shown(address)}, got sent to another host, {shown(fetched.moved_to)}"
        raise UnavailableError("hosted-redirected", message)
    inquiry.spend(fetched.body.decode("latin-1"))
    try:
        document = fetched.json(MAX_BYTES)
        check_json(document, max_values=max_values)
    except MalformedError as error:
        raise _other(address, "JSON") from error
    if not isinstance(document, Mapping):
        raise _other(address, "JSON")
    return document


def _other(address: str, expected: str) -> UnavailableError:
    return UnavailableError("hosted-malformed", f"expected {expected} at {shown(address)}, got something else")
