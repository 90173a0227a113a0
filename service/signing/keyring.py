"""The keys of a network: made through custody, chosen, replaced, declared stolen."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from credentials import Signer
from credentials.instants import write_instant
from service.access.act import Act
from service.errors import ConflictError, CustodyError, InvalidError, NotFoundError
from service.outbox import events
from service.runtime.custody import FAULTS, Fault
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Key, Network, ServiceKey, VcApiKey

ALGORITHMS = ("Ed25519", "P-256")
"""What every network has: Ed25519 for data integrity proofs, P-256 for JWT."""


def create_key(act: Act, runtime: Runtime, algorithm: str, *, lost: bool = False) -> Key:
    """Make a key pair for the network, valid from now.

    The private half stays in custody.

    Args:
        lost: the keys that there are cannot be opened, and never will be.
    Raises:
        CustodyError: the private key cannot be kept (code "custody-unavailable"), or as `check_custody`.
    """
    if not lost:
        check_custody(act.session, runtime)
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


def in_use(session: OrmSession) -> Sequence[str]:
    """Return where custody has the keys that sign now: of networks, of the service and of the VC API; newest first."""
    networks = select(Key.custody_uri).where(Key.retired_at.is_(None), Key.compromised_at.is_(None))
    service = select(ServiceKey.custody_uri).where(ServiceKey.retired_at.is_(None))
    found = [networks.order_by(Key.id.desc()), service, select(VcApiKey.custody_uri)]
    return [uri for query in found for uri in session.scalars(query)]


def check_custody(session: OrmSession, runtime: Runtime) -> None:
    """Refuse if there are keys and none of them can be opened.

    What would be made now would be encrypted with a passphrase that is not theirs, and could not be opened once the
    right one is back.

    Raises:
        CustodyError: codes "keys-missing", "passphrase-wrong"; nothing has changed.
    """
    first: Fault | None = None
    for custody_uri in in_use(session):
        fault = runtime.custody.fault(custody_uri)
        if fault is None:
            return
        first = first or fault
    if first is not None:
        raise CustodyError(first, f"{FAULTS[first]} Nothing has changed.")


def keys_of(session: OrmSession, network: Network) -> Sequence[Key]:
    """Return all keys that the network ever had, oldest first."""
    return session.scalars(select(Key).where(Key.network_id == network.id).order_by(Key.id)).all()


def as_in_use(session: OrmSession, network: Network) -> Sequence[Key]:
    """Return copies of all keys of the network as they were in use, whatever became of them since."""
    return [Key(kid=key.kid, algorithm=key.algorithm, public_jwk=key.public_jwk) for key in keys_of(session, network)]


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


def rotate(act: Act, runtime: Runtime, *, lost: bool = False) -> list[Key]:
    """Give the network new keys and retire the ones in use.

    The old keys stay published with their dates.

    Args:
        lost: as in `create_key`.
    Returns:
        The new keys, one for each algorithm in use.
    Raises:
        CustodyError: as `create_key`.
    """
    # If two rotations run at the same moment, the second retires the first one's keys, so that no two stay in use.
    locks.network(act.session, act.network.id)
    in_use = [key for key in keys_of(act.session, act.network) if key.retired_at is None]
    algorithms = dict.fromkeys((*ALGORITHMS, *(key.algorithm for key in in_use)))
    fresh = [create_key(act, runtime, algorithm, lost=lost) for algorithm in algorithms]
    for key in in_use:
        key.retired_at = act.now
    for key in fresh:
        events.append(act, "key.rotated", {"key": str(key.id), "kid": key.kid})
    return fresh


def named(session: OrmSession, kids: Sequence[str], network_id: UUID | None = None) -> Sequence[Key]:
    """Return these keys, which must be of one network.

    Args:
        network_id: of this one, if it is known.
    Raises:
        NotFoundError: there is no such key (code "key-unknown").
        InvalidError: they are keys of several networks (code "keys-of-several-networks").
    """
    query = select(Key).where(Key.kid.in_(kids)).order_by(Key.id)
    found = session.scalars(query if network_id is None else query.where(Key.network_id == network_id)).all()
    if missing := sorted(set(kids) - {key.kid for key in found}):
        whose = "No network has" if network_id is None else "The network does not have"
        raise NotFoundError("key-unknown", f"{whose} a key with the kid {missing[0]}.", "/kids")
    if len({key.network_id for key in found}) != 1:
        raise InvalidError("keys-of-several-networks", "Expected keys of one network, got several networks'.", "/kids")
    return found


def declare_compromised(act: Act, runtime: Runtime, keys: Sequence[Key], since: datetime) -> bool:
    """Take keys that others may have had out of use; return whether that was new of any of them.

    If the network has then no key of an algorithm to sign with, it gets one. Documents name the keys as revoked from
    the commit on.

    Raises:
        InvalidError, ConflictError: as `check_since`.
        CustodyError: as `create_key`; nothing has changed.
    """
    locks.network(act.session, act.network.id)
    locks.keys(act.session, Key.id.in_([key.id for key in keys]))
    check_since(keys, since, act.now)
    fresh = [key for key in keys if key.declared_at is None]
    if fresh:
        check_custody(act.session, runtime)  # while the keys that are declared still count
    for key in fresh:
        key.compromised_at, key.declared_at = since, act.now
        key.retired_at = key.retired_at or act.now
        events.append(act, "key.compromised", {"key": str(key.id), "kid": key.kid})
    act.session.flush()
    signing = {key.algorithm for key in keys_of(act.session, act.network) if key.retired_at is None}
    for algorithm in dict.fromkeys(key.algorithm for key in fresh if key.algorithm not in signing):
        made = create_key(act, runtime, algorithm)
        events.append(act, "key.rotated", {"key": str(made.id), "kid": made.kid})
    return bool(fresh)


def check_since(keys: Sequence[Key] | Sequence[ServiceKey], since: datetime, now: datetime) -> None:
    """Let a time pass since when others may have had keys.

    Raises:
        InvalidError: it is in the future (code "time-in-future"), or before the oldest was made ("time-before-key").
        ConflictError: another time was declared (code "key-declared-already").
    """
    if since > now:
        raise InvalidError("time-in-future", "Expected a time that is not in the future.", "/since")
    made = min(key.valid_from for key in keys).replace(microsecond=0)  # as answers show it
    if since < made:
        message = f"Expected a time when the key was there, from {write_instant(made)} on, got {write_instant(since)}."
        raise InvalidError("time-before-key", message, "/since")
    for told in (key.compromised_at for key in keys if key.declared_at is not None):
        if told is not None and told != since:
            message = (
                f"Expected {write_instant(told)}, the time that was declared, got {write_instant(since)}."
                " Badges from before it that should not stand are suspended or revoked one by one."
            )
            raise ConflictError("key-declared-already", message, "/since")
