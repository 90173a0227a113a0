"""The keys of a network: made through custody, chosen for signing, replaced."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from credentials import Signer
from service.access.act import Act
from service.errors import CustodyError
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Key, Network

ALGORITHMS = ("Ed25519", "P-256")
"""What every network has: Ed25519 for data integrity proofs, P-256 for JWT."""


def create_key(act: Act, runtime: Runtime, algorithm: str) -> Key:
    """Make a key pair for the network, valid from now.

    The private half stays in custody.

    Raises:
        CustodyError: the private key cannot be kept (code "custody-unavailable").
    """
    custody_uri, signer = runtime.custody.create(algorithm)
    key = Key(
        network_id=act.network.id,
        kid=signer.key.thumbprint,
        algorithm=algorithm,
        public_jwk=dict(signer.key.jwk),
        custody_uri=custody_uri,
        valid_from=act.now,
    )
    act.session.add(key)
    act.session.flush()
    return key


def keys_of(session: OrmSession, network: Network) -> Sequence[Key]:
    """Return all keys that the network ever had, oldest first."""
    return session.scalars(select(Key).where(Key.network_id == network.id).order_by(Key.id)).all()


def active_key(session: OrmSession, network: Network, algorithm: str) -> Key:
    """Return the key with which the network signs now.

    Raises:
        CustodyError: it has none that is neither retired nor compromised (code "key-missing").
    """
    usable = (
        Key.network_id == network.id,
        Key.algorithm == algorithm,
        Key.retired_at.is_(None),
        Key.compromised_at.is_(None),
    )
    key = session.scalar(select(Key).where(*usable).order_by(Key.id.desc()).limit(1))
    if key is None:
        raise CustodyError(
            "key-missing", f"The network has no {algorithm} key to sign with; `laurel keys new` makes one."
        )
    return key


def signer(runtime: Runtime, key: Key) -> Signer:
    """Return the signer that uses the key.

    Raises:
        CustodyError: custody cannot open it now (code "custody-unavailable").
    """
    return runtime.custody.signer(key.custody_uri)


def rotate(act: Act, runtime: Runtime) -> list[Key]:
    """Give the network new keys and retire the ones in use.

    The old keys stay published with their dates.

    Returns:
        The new keys, one for each algorithm in use.
    """
    # If two rotations run at the same moment, the second retires the first one's keys, so that no two stay in use.
    locks.network(act.session, act.network.id)
    in_use = [key for key in keys_of(act.session, act.network) if key.retired_at is None]
    algorithms = dict.fromkeys((*ALGORITHMS, *(key.algorithm for key in in_use)))
    fresh = [create_key(act, runtime, algorithm) for algorithm in algorithms]
    for key in in_use:
        key.retired_at = act.now
    for key in fresh:
        events.append(act, "key.rotated", {"key": str(key.id), "kid": key.kid})
    return fresh
