"""What is known here of an issuer: domain, keys, since when, who vouches for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from credentials import CredentialError, Load, parse_json, reading
from credentials.proofs.dids import did_web_url
from service.checking.desk import Desk
from service.checking.questions import Answer
from service.checking.trust_lists import Listing
from service.public import addresses
from service.runtime.runtime import Runtime
from service.texts.display_names import one_line
from service.texts.languages import N_

OWN_NETWORKS = N_("the networks of this service")
MAX_KEYS, MAX_ID = 50, 2000


@dataclass(frozen=True)
class IssuerKey:
    """A key that the issuer publishes, with its dates where they are known."""

    name: str
    kind: str
    since: datetime | None = None
    retired_at: datetime | None = None
    revoked_at: datetime | str | None = None


@dataclass(frozen=True)
class Issuer:
    """An issuer as a checked credential names it.

    Args:
        id: the DID or address that signed.
        name: what it calls itself, on one line; anybody can call themself anything.
        domain: the host whose owner controls the id; "" for a key that belongs to no domain.
        url: its web site, according to itself.
        listings: the entries of trust lists that name its id.
        page: its page here, where it is a network of this service.
        sandbox: whether it is a network of this service that only tries things out.
        since: when it became a network of this service, or joined a list.
        keys: those that it publishes, oldest first.
        alike: a listed issuer with another id and a name that is easily confused with this one's.
    """

    id: str
    name: str
    domain: str
    url: str = ""
    listings: tuple[Listing, ...] = ()
    page: str = ""
    sandbox: bool = False
    since: datetime | None = None
    keys: tuple[IssuerKey, ...] = ()
    alike: Listing | None = None

    def to_json(self) -> dict[str, Any]:
        """Return `{id, name, domain, lists, page}`: the names of the lists that know it, its page here or ""."""
        lists = [found.list_name for found in self.listings]
        return {"id": self.id, "name": self.name, "domain": self.domain, "lists": lists, "page": self.page}


def domain_of(issuer_id: str) -> str:
    """Return the host, with its port, whose owner controls a did:web or an https address; "" for any other id."""
    try:
        url = did_web_url(issuer_id) if issuer_id.startswith("did:web:") else issuer_id
        parts = urlsplit(url)
        return parts.netloc.rpartition("@")[2].lower() if parts.scheme in {"https", "http"} else ""
    except (CredentialError, ValueError):
        return ""


def known_as(issuer: Issuer) -> tuple[Answer, str]:
    """Return whether somebody here knows an issuer that stands behind a badge, and why that is said."""
    if issuer.listings:
        return "yes", "issuer-listed"
    if issuer.alike is not None:
        return "could-not-check", "issuer-alike"
    return "could-not-check", "issuer-unlisted" if issuer.domain else "issuer-without-domain"


def issuer_of(desk: Desk, credential: Mapping[str, Any], *, proven: bool, load: Load, rows: bool) -> Issuer | None:
    """Return the issuer that a credential names; None where it names none.

    Args:
        proven: whether the signature is valid and the issuer's. If not, nothing is looked up: it may name anybody.
        load: loads the issuer's DID document, which the verification has loaded before.
        rows: whether to look among the networks of this service.
    """
    profile = reading.issuer(credential)
    issuer_id = one_line(profile.get("id"), MAX_ID)
    if not issuer_id:
        return None
    name, url = one_line(reading.only_text(profile.get("name"))), one_line(profile.get("url"), MAX_ID)
    url = url if url.startswith("https://") else ""
    if not proven or issuer_id != profile.get("id"):
        return Issuer(issuer_id, name, domain_of(issuer_id), url)
    listings = desk.trust_lists.naming(issuer_id)
    own = _network(desk.runtime, issuer_id) if rows else None
    if own is not None:
        known = [Listing(OWN_NETWORKS, issuer_id, name)] if desk.runtime.settings.trust_own_networks else []
        return Issuer(
            issuer_id,
            name,
            domain_of(issuer_id),
            url,
            listings=() if own.sandbox else (*known, *listings),
            page=own.page,
            sandbox=own.sandbox,
            since=own.since,
            keys=own.keys,
            alike=None if listings else desk.trust_lists.alike(name, issuer_id),
        )
    since = min((found.since for found in listings if found.since is not None), default=None)
    alike = None if listings else desk.trust_lists.alike(name, issuer_id)
    keys = _published_keys(issuer_id, load)
    return Issuer(issuer_id, name, domain_of(issuer_id), url, tuple(listings), since=since, keys=keys, alike=alike)


@dataclass(frozen=True)
class _OwnNetwork:
    page: str
    sandbox: bool
    since: datetime
    keys: tuple[IssuerKey, ...]


def _network(runtime: Runtime, issuer_id: str) -> _OwnNetwork | None:
    """Return what is known of a network of this service.

    Return None where the id is no such network's.
    """
    try:
        url = did_web_url(issuer_id)
    except CredentialError:
        return None
    if not addresses.is_ours(runtime.settings, url):
        return None
    from service.public import documents
    from service.signing import issuers, keyring

    with runtime.database.read() as session:
        network = documents.network_at(session, url)
        if network is None:
            return None
        keys = tuple(
            IssuerKey(key.kid, key.algorithm, key.valid_from, key.retired_at, key.compromised_at)
            for key in keyring.keys_of(session, network)
        )
        page = issuers.network_url(runtime.settings, network)
        return _OwnNetwork(page, network.sandbox, network.created_at, keys)


def _published_keys(issuer_id: str, load: Load) -> tuple[IssuerKey, ...]:
    """Return the keys in another issuer's DID document.

    There are none where it cannot be fetched or read.
    """
    try:
        document = parse_json(load(did_web_url(issuer_id)).body)
    except CredentialError:
        return ()
    methods = reading.objects(document.get("verificationMethod")) if isinstance(document, dict) else []
    return tuple(
        IssuerKey(
            one_line(method.get("id"), MAX_ID).rpartition("#")[2],
            one_line(method.get("type")),
            revoked_at=one_line(method.get("revoked")) or None,
        )
        for method in methods[:MAX_KEYS]
    )
