"""The service as an issuer: its own did:web and keys, for what no network says.

Its private key stays in custody and the rest in rows, so that every process signs as the same issuer. The key is made
when something is first signed. Retired keys stay published, so that what they signed stays good; one that others may
have had stays named as revoked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from credentials import Signer, VerificationKey
from credentials.proofs.dids import did_web
from service.errors import NotFoundError
from service.runtime.runtime import Runtime
from service.runtime.settings import Settings
from service.signing import base_url, issuers, keyring
from service.storage import locks
from service.storage.database import WriteSession, insert_new
from service.tables import ServiceKey

ALGORITHM = "Ed25519"


@dataclass(frozen=True)
class ServiceIdentity:
    """The service as a signer: its DID and the key with which it signs now."""

    did: str
    signer: Signer

    @property
    def verification_method(self) -> str:
        """The DID URL that names the key in a signature: DID and Multikey."""
        return f"{self.did}#{self.signer.key.multikey}"


def did(settings: Settings) -> str:
    """Return the service's DID: did:web of its public address."""
    return did_web(settings.base_url)


def profile(settings: Settings) -> dict[str, Any]:
    """Return the service's Profile, as it is embedded in what it signs.

    Shape: `{id, type: ["Profile"], name, url}`.
    Spec: Open Badges 3.0, section B.1.20 (Profile).
    """
    name = f"Laurel at {urlsplit(settings.base_url).netloc}"
    return {"id": did(settings), "type": ["Profile"], "name": name, "url": settings.base_url}


def identity(runtime: Runtime) -> ServiceIdentity:
    """Return the service's identity; its key is made when it is first asked for.

    If two processes make a key at the same moment, both take the one whose row was first.

    Raises:
        CustodyError: the private key cannot be kept or opened (code "custody-unavailable"), or as
            `keyring.check_custody`.
    """
    with runtime.database.read() as session:
        key = _active(session)
        if key is None:
            keyring.check_custody(session, runtime)
    if key is None:
        made = _new_key(runtime, runtime.now())
        with runtime.database.write() as session:
            key = _keep(session, runtime, made)
    return ServiceIdentity(did(runtime.settings), runtime.custody.signer(key.custody_uri))


def keys(session: OrmSession) -> Sequence[ServiceKey]:
    """Return all keys that the service ever had, oldest first."""
    return session.scalars(select(ServiceKey).order_by(ServiceKey.id)).all()


def rotate(session: WriteSession, runtime: Runtime, now: datetime, *, lost: bool = False) -> ServiceKey:
    """Give the service a new key and retire the one in use.

    The old key stays published with its dates. If two rotations run at the same moment, the second finds the first
    one's key, and retires nothing.

    Args:
        lost: as in `keyring.create_key`.
    Raises:
        CustodyError: the private key cannot be kept (code "custody-unavailable"), or as `keyring.check_custody`.
    """
    if not lost:
        keyring.check_custody(session, runtime)
    made = _new_key(runtime, now)
    old = locks.one_or_none(session, ServiceKey, *_IN_USE)
    if old is not None:
        old.retired_at = now
    return _keep(session, runtime, made)


def declare_compromised(
    session: WriteSession, runtime: Runtime, kid: str, since: datetime, now: datetime
) -> ServiceKey:
    """Take a key of the service that others may have had out of use, and return the one that signs now.

    What it signed was given away and is kept nowhere here, so that nothing can be signed again. A key that was declared
    before stays as it is.

    Raises:
        NotFoundError: the service has no such key (code "key-unknown").
        InvalidError, ConflictError: as `keyring.check_since`.
        CustodyError: as `rotate`; nothing has changed.
    """
    key = find(session, kid)
    locks.again(session, key)
    keyring.check_since([key], since, now)
    keyring.check_custody(session, runtime)
    if key.declared_at is None:
        key.compromised_at, key.declared_at = since, now
        key.retired_at = key.retired_at or now
        session.flush()
    return _active(session) or _keep(session, runtime, _new_key(runtime, now))


def find(session: OrmSession, kid: str) -> ServiceKey:
    """Return a key of the service.

    Raises:
        NotFoundError: it has no such key (code "key-unknown").
    """
    key = session.scalar(select(ServiceKey).where(ServiceKey.kid == kid))
    if key is None:
        raise NotFoundError("key-unknown", f"The service has no key with the kid {kid}.")
    return key


def did_document(session: OrmSession, settings: Settings) -> dict[str, Any] | None:
    """Return the service's DID document, with every key that it ever had.

    None before the first key.

    Spec: Controlled Identifiers v1.0, section 2.2 (verification methods); did:web, section 3.2.
    """
    own = did(settings)
    multikeys = [(VerificationKey.from_jwk(key.public_jwk).multikey, key) for key in keys(session)]
    if not multikeys:
        return None
    methods = [
        {"id": f"{own}#{multikey}", "type": "Multikey", "controller": own, "publicKeyMultibase": multikey}
        | issuers.revocation(key)
        for multikey, key in multikeys
    ]
    return issuers.controller_document(own, settings.base_url, methods)


_IN_USE = (ServiceKey.algorithm == ALGORITHM, ServiceKey.retired_at.is_(None))


def _active(session: OrmSession) -> ServiceKey | None:
    return session.scalar(select(ServiceKey).where(*_IN_USE))


def _new_key(runtime: Runtime, now: datetime) -> dict[str, Any]:
    custody_uri, signer = runtime.custody.create(ALGORITHM)
    return {
        "kid": signer.key.thumbprint,
        "algorithm": ALGORITHM,
        "public_jwk": dict(signer.key.jwk),
        "custody_uri": custody_uri,
        "valid_from": now,
    }


def _keep(session: WriteSession, runtime: Runtime, made: dict[str, Any]) -> ServiceKey:
    """Store the key, unless another process was first, and return the one in use.

    It also stores the base URL, because the key's DID will be in documents that others hold.
    """
    insert_new(session, ServiceKey, made)
    base_url.remember_base_url(session, runtime.settings)
    return session.scalars(select(ServiceKey).where(*_IN_USE)).one()
