"""Open Badges 1.0 to 2.0 as values, in one form.

Words of the older standard are used in this file only: an assertion is a badge that somebody received, a badge class
what it stands for, a profile its issuer. Everything was written by strangers: a member of an unexpected form is left
out, and no function raises.

Spec: Open Badges 2.0, sections on Assertion, BadgeClass, Profile and on verification; Open Badges 1.1, the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeGuard
from urllib.parse import urlsplit

from credentials.instants import read_instant, write_instant
from credentials.reading import objects, only_object, only_text, texts

Kind = Literal["hosted", "signed"]

_CONTEXTS: Final = ("w3id.org/openbadges", "openbadgespec.org", "purl.imsglobal.org/spec/ob/v2", "openbadges/v1")
_TYPES: Final = frozenset({"Assertion", "BadgeClass"})
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SECONDS: Final = re.compile(r"[0-9]{9,12}(?:\.[0-9]{1,9})?")
_DOTS: Final = re.compile(r"[/\\](?:\.|%2e){1,2}(?:[/\\?#]|$)|%2f|%5c", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[!-\[\]-~]+")  # printable ASCII without a backslash, which some read as a slash
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_MAX_DATE: Final = 64
_MAX_RESTATED: Final = 100  # of evidence and of alignments
_LAST_YEAR: Final = 9999
_DESCRIBED: Final = ("id", "name", "narrative", "description", "genre")
_LAST_SECOND: Final = 253_402_300_799  # the end of the year 9999
_SHOWN: Final = ("targetName", "targetUrl", "targetDescription", "targetFramework", "targetCode")


# --- Which documents these are ---------------------------------------------------------------------------------------


def is_older(value: object) -> bool:
    """Return whether a JSON value is a document of Open Badges 2.0 or before."""
    if not isinstance(value, Mapping) or "credentialSubject" in value:
        return False
    named = " ".join(texts(value.get("@context")))
    if any(part in named for part in _CONTEXTS) or not _TYPES.isdisjoint(_types(value)):
        return True
    proves = value.keys() & {"verify", "verification", "uid", "issuedOn", "issued_on"}
    return {"badge", "recipient"} <= value.keys() and bool(proves or isinstance(value["badge"], Mapping))


def is_assertion(value: object) -> bool:
    """Return whether a JSON value is somebody's badge of Open Badges 2.0 or before, revoked or not."""
    if not isinstance(value, Mapping) or not is_older(value):
        return False
    return "Assertion" in _types(value) or "badge" in value or is_revoked(value)


def is_revoked(value: object) -> bool:
    """Return whether a document says that the badge is revoked; many issuers then leave out everything else."""
    return isinstance(value, Mapping) and (value.get("revoked") is True or value.get("revoked") == "true")


def _types(value: Mapping[str, Any]) -> set[str]:
    """Return the names of the types, without the vocabulary they are of."""
    return {re.split("[#:/]", name)[-1] for name in texts(value.get("type", value.get("@type")))}


# --- Addresses -------------------------------------------------------------------------------------------------------


def is_address(value: object) -> TypeGuard[str]:
    """Return whether a value is an address of the web that can be asked."""
    return isinstance(value, str) and _host(value) != ""


def secure(address: str) -> str:
    """Return the address as it is asked: over https, also if the badge is of a time before that was usual.

    Only this machine itself is asked without, for development.
    """
    scheme, _, rest = address.partition("://")
    return f"https://{rest}" if scheme.lower() == "http" and _name(_host(address)) not in _LOCAL else address


def is_same(one: str, other: str) -> bool:
    """Return whether two addresses are one, over http or https."""
    return secure(one) == secure(other)


def is_of_site(address: str, site: str) -> bool:
    """Return whether an address is of the host of another one, or of a host below that; `www` makes no difference."""
    host, above = (_name(_host(each)).removeprefix("www.") for each in (address, site))
    return above != "" and (host == above or host.endswith(f".{above}"))


def within(profile: Mapping[str, Any], issuer: str, address: str) -> bool:
    """Return whether the issuer says that its badges lie at addresses like this one.

    1. Where it lists `allowedOrigins`, the host is one of them.
    2. Where it lists `startsWith`, the address begins with one of them, and is of the same host.
    3. Where it lists neither, the host is that of its own profile.

    Args:
        profile: as it lies at the issuer's address; what another document says of the issuer does not count.
        issuer: the address of the profile.
    Spec: Open Badges 2.0, section on VerificationObject.
    """
    policies = objects(profile.get("verification"))
    origins = [text for policy in policies for text in texts(policy.get("allowedOrigins"))]
    beginnings = [text for policy in policies for text in texts(policy.get("startsWith"))]
    host = _host(address)
    if not origins and not beginnings:
        return host != "" and host == _host(issuer)  # (3)
    allowed = not origins or not {host, _name(host)}.isdisjoint(map(_origin, origins))  # (1)
    return host != "" and allowed and (not beginnings or any(_begins(address, each) for each in beginnings))  # (2)


def _begins(address: str, beginning: str) -> bool:
    """Return whether an address lies below another one, however a server reads dots in it."""
    same_host = _host(address) == _host(beginning) != ""
    return same_host and not _DOTS.search(address) and secure(address).startswith(secure(beginning))


def _origin(listed: str) -> str:
    """Return the host of an allowed origin, which may be written as an address."""
    return _host(listed) if "://" in listed else listed.strip().lower()


def _host(address: str) -> str:
    """Return host and port of an address of the web; "" for anything else, and what could be read in two ways."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"https", "http"} or not host or "@" in parts.netloc or not _PLAIN.fullmatch(address):
        return ""
    return f"{host}:{port or 443}"


def _name(host: str) -> str:
    return host.rpartition(":")[0]


# --- A badge ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Assertion:
    """A badge that somebody received, as a document says it; nothing in it is checked yet."""

    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its id; "" without one. Version 1.0 calls it `uid`."""
        return next((text for name in ("id", "@id", "uid") if (text := only_text(self.document.get(name)))), "")

    @property
    def ids(self) -> frozenset[str]:
        """All names by which a list may call it."""
        found = (only_text(self.document.get(name)) for name in ("id", "@id", "uid"))
        return frozenset(filter(None, found))

    @property
    def verification(self) -> Mapping[str, Any]:
        """How it says that it is verified. Version 1 calls it `verify`."""
        return only_object(self.document.get("verification", self.document.get("verify")))

    @property
    def kind(self) -> Kind:
        """Whether it says that it is signed; otherwise it is hosted."""
        return "signed" if {"SignedBadge", "signed"} & _types(self.verification) else "hosted"

    @property
    def address(self) -> str:
        """Where it says that its issuer keeps it; "" without an address."""
        named = (self.document.get("id"), self.document.get("@id"), self.verification.get("url"))
        return next((address for address in named if is_address(address)), "")

    @property
    def badge_class(self) -> str | Mapping[str, Any]:
        """What it stands for: the address of the badge class, or the class itself; "" without."""
        return link_or_object(self.document.get("badge"))

    @property
    def identifier(self) -> dict[str, Any] | None:
        """Who received it, in the form of `recipient.matches`; None if it names nobody."""
        named = self.document.get("recipient")
        given = {"identity": named, "salt": self.document.get("salt")} if isinstance(named, str) else only_object(named)
        identity, salt, hashed = given.get("identity"), given.get("salt"), given.get("hashed")
        if not isinstance(identity, str) or not identity:
            return None
        kinds = _types(given) or {"email"}
        return {
            "type": "IdentityObject",
            "hashed": hashed if isinstance(hashed, bool) else identity.startswith(("sha256$", "md5$")),
            "identityHash": identity,
            "identityType": "emailAddress" if "email" in kinds else min(kinds),
            "salt": salt if isinstance(salt, str) else "",
        }

    @property
    def issued(self) -> datetime | None:
        """When it was issued; None if it does not say."""
        return read_date(self.document.get("issuedOn", self.document.get("issued_on")))

    @property
    def expires(self) -> datetime | None:
        """When it ends; None if it does not say. A day counts to its end."""
        value = self.document.get("expires")
        found = read_date(value)
        is_day = isinstance(value, str) and _DAY.fullmatch(value.strip())
        return found + timedelta(days=1) if found is not None and is_day and found.year < _LAST_YEAR else found

    @property
    def is_dated(self) -> bool:
        """Whether its end, if it has one, can be read."""
        return self.document.get("expires") in (None, "") or self.expires is not None


def link_or_object(value: object) -> str | Mapping[str, Any]:
    """Return an address, or the object that stands in its place; "" for anything else.

    An object with nothing but its id is an address.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        named = id_of(value)
        return named if named and not value.keys() - {"id", "@id", "type", "@type"} else value
    return value if isinstance(value, str) else ""


def id_of(value: str | Mapping[str, Any]) -> str:
    """Return the id of a document that is linked or stands there itself; "" without one."""
    return value if isinstance(value, str) else only_text(value.get("id", value.get("@id")))


def profile_within(badge_class: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the issuer as version 0.5 describes it within the badge; {} for any other version.

    It has a name and an origin, and its badges lie at the origin.
    """
    issuer = only_object(badge_class.get("issuer"))
    origin = only_text(issuer.get("origin"))
    if id_of(issuer) or not is_address(origin):
        return {}
    return {"name": only_text(issuer.get("name")), "url": origin, "verification": {"allowedOrigins": origin}}


def read_date(value: object) -> datetime | None:
    """Return the instant of a date in any form that badges of the older standard have.

    That is a date and time with or without zone (then UTC), a day, or seconds since 1970, also as text.
    """
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LAST_SECOND:
        return datetime.fromtimestamp(value, UTC)
    if not isinstance(value, str) or len(value) > _MAX_DATE:
        return None
    if (instant := read_instant(value)) is not None:
        return instant
    try:
        found = datetime.fromisoformat(value.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# --- In the words of today -------------------------------------------------------------------------------------------


def restated(
    assertion: Assertion, badge_class: Mapping[str, Any], profile: Mapping[str, Any], issuer: str
) -> dict[str, Any]:
    """Return a badge in the words of Open Badges 3.0, for everything that reads badges of today.

    It has neither context nor proof, so that nobody takes it for a credential.

    Args:
        badge_class, profile: as they were found; empty if they were not.
        issuer: the address of the profile; "" if it is not known.
    """
    achievement = _present(
        id=id_of(badge_class),
        name=only_text(badge_class.get("name")),
        description=only_text(badge_class.get("description")),
        criteria=_described(badge_class.get("criteria")),
        image=_present(id=id_of(link_or_object(badge_class.get("image")))),
        alignment=[_aligned(item) for item in objects(badge_class.get("alignment"))[:_MAX_RESTATED] if item],
    )
    identifier = assertion.identifier
    return _present(
        id=assertion.id,
        type=["OpenBadgeCredential"],
        issuer=_present(id=issuer, name=only_text(profile.get("name")), url=only_text(profile.get("url"))),
        validFrom=assertion.issued and write_instant(assertion.issued),
        validUntil=assertion.expires and write_instant(assertion.expires),
        credentialSubject=_present(identifier=identifier and [identifier], achievement=achievement),
        evidence=_evidence(assertion.document),
    )


def _evidence(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    value = document.get("evidence")
    items = [_described(each) for each in (value if isinstance(value, list) else [value])[:_MAX_RESTATED]]
    told = [*items, _present(narrative=only_text(document.get("narrative")))]
    return [{"type": ["Evidence"]} | item for item in told if item]


def _aligned(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a skill that the badge stands for; version 1 calls its members `name`, `url` and `description`."""
    first = {f"target{name.capitalize()}": item.get(name) for name in ("name", "url", "description")}
    return _texts_of({**first, **item}, _SHOWN)


def _described(value: object) -> dict[str, Any]:
    """Return what is given as a link or as an object with a narrative."""
    return _present(id=value) if isinstance(value, str) else _texts_of(only_object(value), _DESCRIBED)


def _texts_of(value: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return _present(**{name: only_text(value.get(name)) for name in names})


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
