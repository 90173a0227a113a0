"""The published status of credentials: random places in signed lists of bits.

The list is cached and fetched as a whole, so that someone who asks about one badge does not reveal which. Places are
drawn at random, so that neighbours in the list have nothing in common.
"""

import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session as OrmSession

from credentials import sign
from credentials.status import BitstringStatusList, status_list_credential
from service.access.act import Act
from service.runtime.runtime import Runtime
from service.runtime.settings import Settings
from service.runtime.work import GoOn, to_the_end
from service.signing import issuers, keyring
from service.storage import locks
from service.tables import Credential, Endorsement, Key, Network, StatusList

LENGTH_BITS = 131_072
TTL_MS = 300_000
VALID_FOR = timedelta(days=30)
RESIGNED_AFTER = timedelta(days=1)
OVERDUE_AFTER = timedelta(days=2)


def list_url(settings: Settings, list_id: UUID | str) -> str:
    """Return the address of a status list."""
    return f"{settings.base_url}/status/{list_id}"


def find_open(session: OrmSession, network: Network, purpose: str = "revocation") -> StatusList | None:
    """Return the network's newest list for a purpose, if it has room.

    None if that list is not published, or half full. Half of the places stay free, so that on average the second
    place drawn is free.
    """
    newest = session.scalar(
        select(StatusList)
        .where(StatusList.network_id == network.id, StatusList.purpose == purpose)
        .order_by(StatusList.id.desc())
        .limit(1)
    )
    if newest is None or newest.signed is None:
        return None
    count = sum(
        session.scalar(select(func.count()).where(table.status_list_id == newest.id)) or 0
        for table in (Credential, Endorsement)
    )
    return newest if count < newest.length // 2 else None


def open_list(act: Act, runtime: Runtime, purpose: str = "revocation") -> StatusList:
    """Return a list that has room; make one if there is none.

    A new list is published before any credential names it. If two are made at the same moment, both are used in the
    end.

    Raises:
        CustodyError: the list cannot be signed.
    """
    found = find_open(act.session, act.network, purpose)
    if found is None:
        found = StatusList(network_id=act.network.id, purpose=purpose, length=LENGTH_BITS)
        act.session.add(found)
        act.session.flush()
        publish(act, runtime, found)
    return found


def draw(session: OrmSession, status_list: StatusList, count: int = 1) -> list[int]:
    """Return different random places that are free, as far as this session sees."""
    drawn: set[int] = set()
    while len(drawn) < count:
        wanted = {secrets.randbelow(status_list.length) for _ in range(count - len(drawn))}
        drawn |= wanted - taken(session, status_list.id, wanted)
    return list(drawn)


def taken(session: OrmSession, list_id: UUID, places: Collection[int]) -> set[int]:
    """Return which of these places a credential or an endorsement has."""
    found: set[int] = set()
    for table in (Credential, Endorsement):
        where = (table.status_list_id == list_id, table.status_index.in_(places))
        found.update(session.scalars(select(table.status_index).where(*where)))
    return found


def publish(act: Act, runtime: Runtime, status_list: StatusList) -> None:
    """Build the list from the rows, sign it and store its text.

    In a list of suspensions the bit of a revoked credential stays set for good.

    Raises:
        CustodyError: the key cannot be used; nothing has changed.
    """
    act.session.flush()
    row = locks.status_list(act.session, StatusList, status_list.id)
    taken_back: ColumnElement[bool] = Credential.revoked_at.is_not(None)
    if row.purpose == "suspension":
        taken_back = or_(taken_back, Credential.suspended_at.is_not(None))
    revoked = select(Credential.status_index).where(Credential.status_list_id == row.id, taken_back)
    bits = BitstringStatusList(row.length)
    withdrawn = (Endorsement.status_list_id == row.id, Endorsement.withdrawn_at.is_not(None))
    over = act.session.scalars(select(Endorsement.status_index).where(*withdrawn))
    for index in (*act.session.scalars(revoked), *(each for each in over if each is not None)):
        bits.set(index, True)
    key = keyring.active_key(act.session, act.network, "Ed25519")
    document = status_list_credential(
        id=list_url(runtime.settings, row.id),
        issuer=issuers.network_did(runtime.settings, act.network),
        purpose=row.purpose,
        bits=bits,
        valid_from=act.now,
        valid_until=act.now + VALID_FOR,
        ttl_ms=TTL_MS,
    )
    signed = sign(
        document,
        keyring.signer(runtime, key),
        verification_method=issuers.verification_method(runtime.settings, act.network, key),
        created=act.now,
    )
    row.signed = json.dumps(signed, ensure_ascii=False, separators=(",", ":"))
    row.published_at, row.valid_until = act.now, act.now + VALID_FOR


def publish_network(act: Act, runtime: Runtime) -> None:
    """Sign every list of the network again.

    Raises:
        CustodyError: the key cannot be used; nothing has changed.
    """
    own = select(StatusList).where(StatusList.network_id == act.network.id).order_by(StatusList.id)
    for row in act.session.scalars(own).all():
        publish(act, runtime, row)


def publish_signed_with(act: Act, runtime: Runtime, keys: Iterable[Key]) -> None:
    """Sign those lists of the network again whose text one of these keys has signed.

    Raises:
        CustodyError: the key cannot be used; nothing has changed.
    """
    own = select(StatusList).where(StatusList.network_id == act.network.id).order_by(StatusList.id)
    names = [issuers.verification_method(runtime.settings, act.network, key) for key in keys if key.algorithm != "RSA"]
    for row in act.session.scalars(own).all():
        if row.signed is not None and any(name in row.signed for name in names):
            publish(act, runtime, row)


def overdue(session: OrmSession, now: datetime) -> Sequence[StatusList]:
    """Return the lists that should have been signed again long ago.

    If there are any, no process is doing that work.
    """
    late = or_(StatusList.published_at.is_(None), StatusList.published_at <= now - OVERDUE_AFTER)
    return session.scalars(select(StatusList).where(late).order_by(StatusList.id)).all()


def resign_due(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Sign every list again that is older than a day; return how many.

    Several processes may do this at the same time.
    """
    return _publish_older(runtime, runtime.now() - RESIGNED_AFTER, go_on)


def publish_all(runtime: Runtime) -> int:
    """Sign every list again, whatever its age; return how many."""
    return _publish_older(runtime, None)


def _publish_older(runtime: Runtime, before: datetime | None, go_on: GoOn = to_the_end) -> int:
    due = select(StatusList.id).order_by(StatusList.id)
    if before is not None:
        due = due.where(or_(StatusList.published_at.is_(None), StatusList.published_at <= before))
    with runtime.database.read() as session:
        list_ids = session.scalars(due).all()
    count = 0
    for list_id in list_ids:
        if not go_on():
            break
        with runtime.database.write() as session:
            row = locks.status_list(session, StatusList, list_id)
            if before is None or row.published_at is None or row.published_at <= before:
                publish(Act(session, session.get_one(Network, row.network_id), None, runtime.now()), runtime, row)
                count += 1
    return count
