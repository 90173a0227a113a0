"""Name the recipient of a credential without telling everybody who it is.

A subject may be named by `id` (usually a DID) and by identifiers: an e-mail address, a name or a student number, in clear
or as a salted hash. Somebody who knows the value can recognise it; somebody who does not learns nothing, as long as each
credential has its own salt.
"""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from credentials.reading import objects

Kind = Literal["email", "did", "other"]

NAME = "name"
"""The `identityType` of a person's name."""

_HASHES = frozenset({"sha256", "md5"})


def identity_object(identity_type: str, value: str, salt: str) -> dict[str, Any]:
    """Return the identifier of a recipient as a salted hash.

    Args:
        identity_type: what `value` is: "emailAddress", "identifier" or another of Open Badges' IdentifierTypeEnum.
        value: hashed as it is; an e-mail address must be in lower case.
        salt: random, at least 128 bits, used for this credential only.
    Spec: Open Badges 3.0, data model, IdentityObject and IdentityHash.
    """
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": "sha256$" + hashlib.sha256((value + salt).encode()).hexdigest(),
        "identityType": identity_type,
        "salt": salt,
    }


def plain_identity_object(identity_type: str, value: str) -> dict[str, Any]:
    """Return the identifier of a recipient in clear.

    Args:
        identity_type: as for `identity_object`; a name in the form of `normal_name`.
    Spec: Open Badges 3.0, data model, IdentityObject.
    """
    return {"type": "IdentityObject", "hashed": False, "identityHash": value, "identityType": identity_type}


def normal_name(name: str) -> str:
    """Return a person's name in the one form in which it is signed, hashed and compared.

    Composed characters (NFC), so that a letter and its accent typed apart are the same name, and single spaces. Upper
    and lower case stay, because a hash must be found by other verifiers too, which hash what they are given.

    Spec: Unicode Standard Annex 15, Normalization Form C.
    """
    return " ".join(unicodedata.normalize("NFC", name).split())


def matches(subject: Mapping[str, Any], value: str) -> bool | None:
    """Return whether `value` names `subject`; None if they cannot be compared.

    An e-mail address is compared only with identifiers of type emailAddress and with a `mailto:` id: someone who chose
    victim@example.com as user name does not have that address. Everything else is compared with the id and with
    identifiers of other types. E-mail addresses that differ only in upper and lower case are equal. Names are compared as
    `normal_name` writes them; those in clear also if they differ in upper and lower case.

    Args:
        subject: a `credentialSubject`, of any form.
        value: e-mail address, DID or other identifier.
    Spec: Open Badges 3.0, section on verification, recipient.
    """
    value = value.strip().removeprefix("mailto:")
    compared = list(_comparisons(subject, value, _kind(value)))
    return any(compared) if compared else None


def _kind(value: str) -> Kind:
    if value.startswith("did:"):
        return "did"
    return "email" if "@" in value and ":" not in value else "other"


def _comparisons(subject: Mapping[str, Any], value: str, kind: Kind) -> Iterator[bool]:
    """Yield, for each of the subject's names of this kind, whether it is `value`."""
    name = subject.get("id")
    if isinstance(name, str):
        name = name.removeprefix("mailto:")
        if _kind(name) == kind:
            yield _equal(name, value, kind)
    for identifier in objects(subject.get("identifier")):
        if (identifier.get("identityType") == "emailAddress") != (kind == "email"):
            continue
        stated, salt = identifier.get("identityHash"), identifier.get("salt", "")
        if not isinstance(stated, str) or not isinstance(salt, str):
            continue
        is_name = identifier.get("identityType") == NAME
        if identifier.get("hashed") is False:
            yield _equal_names(stated, value) if is_name else _equal(stated, value, kind)
        elif "$" in stated:
            algorithm, _, digest = stated.partition("$")
            if algorithm in _HASHES:
                tried = _written(value, kind, is_name=is_name)
                yield any(_digest(algorithm, one, salt) == digest.lower() for one in tried)


def _written(value: str, kind: Kind, *, is_name: bool) -> set[str]:
    """Return the ways of writing a value that its issuer may have hashed."""
    if is_name:
        return {value, normal_name(value)}
    return {value, value.lower()} if kind == "email" else {value}


def _equal_names(one: str, other: str) -> bool:
    return normal_name(one).casefold() == normal_name(other).casefold()


def _equal(one: str, other: str, kind: Kind) -> bool:
    return one.lower() == other.lower() if kind == "email" else one == other


def _digest(algorithm: str, value: str, salt: str) -> str:
    # Nobody can have hashed a lone surrogate, because UTF-8 has no bytes for it.
    return hashlib.new(algorithm, (value + salt).encode(errors="replace"), usedforsecurity=False).hexdigest()
