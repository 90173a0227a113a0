"""What is known here of an issuer: domain, keys, since when, who vouches for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from credentials import CredentialError, Load, reading
from credentials.proofs.dids import did_web_url
from service.checking.desk import Desk
from service.checking.issuer_keys import MAX_ID, IssuerKey, published_keys
from service.checking.questions import Answer
from service.checking.trust_lists import OWN_NETWORKS, THIS_SERVICE, Listing, alike_among
from service.texts.display_names import one_line


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
    if issuer.page:
        return "could-not-check", "issuer-unconfirmed"
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
    own = None
    if rows and desk.runtime.has_rows:
        from service.checking import own_issuers

        own = own_issuers.network(desk.runtime, issuer_id)
        if own_issuers.is_this_service(desk.runtime, issuer_id):
            listings = [Listing(THIS_SERVICE, issuer_id, name), *listings]
    if own is not None:
        vouched = desk.runtime.settings.trust_own_networks and name in own.names
        known = [Listing(OWN_NETWORKS, issuer_id, name)] if vouched else []
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
            alike=None if listings else _alike(desk, name, issuer_id, rows=not known),
        )
    since = min((found.since for found in listings if found.since is not None), default=None)
    alike = None if listings else _alike(desk, name, issuer_id, rows=rows)
    keys = published_keys(issuer_id, load)
    return Issuer(issuer_id, name, domain_of(issuer_id), url, tuple(listings), since=since, keys=keys, alike=alike)


def _alike(desk: Desk, name: str, issuer_id: str, *, rows: bool) -> Listing | None:
    """Return another issuer whose name is easily confused: one on a list, or a network that the operator confirmed."""
    found = desk.trust_lists.alike(name, issuer_id)
    if found is not None or not rows or not desk.runtime.has_rows or not desk.runtime.settings.trust_own_networks:
        return found
    from service.checking import own_issuers

    return alike_among(own_issuers.confirmed(desk.runtime), name, issuer_id)
