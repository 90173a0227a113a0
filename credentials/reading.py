"""Read members of credentials of any version and shape, valid or not.

No function raises: a value of an unexpected form is left out. If one value is expected and there are several, none of
them is taken, because a signature over RDF does not cover their order.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeGuard

from credentials.instants import read_instant


def listed(value: object) -> list[Any]:
    """Return a list unchanged, and anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def objects(value: object) -> list[Mapping[str, Any]]:
    """Return the objects among one or several values."""
    return [item for item in listed(value) if isinstance(item, Mapping)]


def texts(value: object) -> list[str]:
    """Return the texts among one or several values."""
    return [item for item in listed(value) if isinstance(item, str)]


def only_object(value: object) -> Mapping[str, Any]:
    """Return an object, alone or alone in a list.

    Return an empty object for anything else.
    """
    found = _only(value)
    return found if isinstance(found, Mapping) else {}


def only_text(value: object) -> str:
    """Return a text, alone or alone in a list; "" for anything else.

    A text is a string, or an object with `@value` and perhaps a language.

    Spec: VC Data Model 2.0, section 11.1 (language and base direction).
    """
    found = _only(value)
    text = found.get("@value") if isinstance(found, Mapping) else found
    return text if isinstance(text, str) else ""


def is_a(value: object, name: str) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is an object that has `name` among its types."""
    return isinstance(value, Mapping) and name in listed(value.get("type"))


def id_of(value: object) -> str | None:
    """Return an id that stands alone or in an object; None if there is none.

    An empty id is none.
    """
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) and found else None


def issuer(credential: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the issuer's profile.

    If the credential names its issuer by the id alone, the profile is an object with only that id.
    """
    named = credential.get("issuer")
    return {"id": named} if isinstance(named, str) else only_object(named)


def subject(credential: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the only subject of a credential."""
    return only_object(credential.get("credentialSubject"))


def achievement(credential: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the achievement of the only subject of a badge."""
    return only_object(subject(credential).get("achievement"))


def evidence(credential: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the items of evidence of a badge."""
    return objects(credential.get("evidence"))


def begins(credential: Mapping[str, Any]) -> datetime | None:
    """Return the instant from which a credential is valid; None if it does not say.

    The member is `validFrom`; in version 1.1 it is `issuanceDate`.
    """
    return read_instant(credential.get("validFrom", credential.get("issuanceDate")))


def _only(value: object) -> Any:
    several = listed(value)
    return several[0] if len(several) == 1 else None
