"""What our rows know of issuers: networks here, and the service itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from credentials import CredentialError
from credentials.proofs.dids import did_web_url
from service.checking.issuer_keys import IssuerKey
from service.checking.trust_lists import OWN_NETWORKS, Listing
from service.public import addresses, documents
from service.runtime.runtime import Runtime
from service.signing import issuers, keyring, service_identity
from service.tables import Network
from service.texts.display_names import one_line


@dataclass(frozen=True)
class OwnNetwork:
    """A network of this service; `names` are those under which the operator vouches for it."""

    page: str
    names: frozenset[str]
    sandbox: bool
    since: datetime
    keys: tuple[IssuerKey, ...]


def network(runtime: Runtime, issuer_id: str) -> OwnNetwork | None:
    """Return what is known of a network of this service.

    Return None where the id is no such network's.
    """
    try:
        url = did_web_url(issuer_id)
    except CredentialError:
        return None
    if not addresses.is_ours(runtime.settings, url):
        return None
    with runtime.database.read() as session:
        row = documents.network_at(session, url)
        if row is None:
            return None
        keys = tuple(
            IssuerKey(key.kid, key.algorithm, key.valid_from, key.retired_at, key.compromised_at)
            for key in keyring.keys_of(session, row)
        )
        names = frozenset(map(one_line, row.confirmed_names if row.confirmed_at is not None else ()))
        return OwnNetwork(issuers.network_url(runtime.settings, row), names, row.sandbox, row.created_at, keys)


def confirmed(runtime: Runtime) -> list[Listing]:
    """Return the networks for which the operator vouches, under each of their names.

    Others are left out: one that nobody confirmed could bear a name only to cast doubt on somebody else.
    """
    with runtime.database.read() as session:
        rows = session.scalars(select(Network).where(Network.confirmed_at.is_not(None), ~Network.sandbox)).all()
        return [
            Listing(OWN_NETWORKS, issuers.network_did(runtime.settings, row), name)
            for row in rows
            for name in row.confirmed_names
        ]


def is_this_service(runtime: Runtime, issuer_id: str) -> bool:
    """Return whether an id is the one in which the service itself signs, such as receipts of checks."""
    return issuer_id == service_identity.did(runtime.settings)
