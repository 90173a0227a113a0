"""Status lists of the VC API: revoke or suspend what it issued.

Each list is signed by the key that signed its credentials. As with the networks' lists, places are drawn at random, and
the bits are rebuilt from rows. Of a credential, only the digest of its id is stored.
"""

import json
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session as OrmSession

from credentials import sign
from credentials.status import BitstringStatusList, status_entry, status_list_credential
from service.errors import NotFoundError
from service.issuing.status_lists import LENGTH_BITS, OVERDUE_AFTER, RESIGNED_AFTER, VALID_FOR, list_url
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.signing.base_url import remember_base_url
from service.storage import locks
from service.storage.database import WriteSession, insert_new
from service.tables import VcApiStatusEntry, VcApiStatusList
from service.tables.identifiers import new_id
from service.vc_api.keys import VcApiIssuer, identity

PURPOSES = ("revocation", "suspension")
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


class PlaceTakenError(Exception):
    """Another credential took a place between `draw` and `take_places`; nothing was written."""


def draw(runtime: Runtime, algorithm: str, purpose: str) -> tuple[UUID, int]:
    """Return a list that has room, new if there is none, and a random free place in it.

    Only `take_places` takes the place. Half of the places of a list stay free, so that on average the second drawn
    place is free.
    """
    with runtime.database.read() as session:
        row = _newest(session, algorithm, purpose)
        if row is not None:
            return row.id, _free_place(session, row)
    owner = identity(runtime, algorithm)
    with runtime.database.write() as session:
        row = _newest(session, algorithm, purpose)
        if row is None:
            row = VcApiStatusList(algorithm=algorithm, purpose=purpose, length=LENGTH_BITS)
            session.add(row)
            session.flush()
            _publish(session, runtime, owner, row)
            remember_base_url(session, runtime.settings)
        return row.id, _free_place(session, row)


def entry(runtime: Runtime, place: tuple[UUID, int], purpose: str) -> dict[str, str]:
    """Return the `credentialStatus` of the credential that has this place."""
    list_id, index = place
    return status_entry(list_url(runtime.settings, list_id), index, purpose)


def take_places(runtime: Runtime, places: Sequence[tuple[UUID, int]], credential_id: str | None) -> None:
    """Store that these places are the credential's.

    Raises:
        PlaceTakenError: another request took one of them first.
    """
    with runtime.database.write() as session:
        for list_id, index in places:
            values = {
                "id": new_id(),
                "status_list_id": list_id,
                "status_index": index,
                "credential_sha256": None if credential_id is None else _digest(credential_id),
                "issued_at": runtime.now(),
            }
            if not insert_new(session, VcApiStatusEntry, values):
                raise PlaceTakenError


def change(
    runtime: Runtime,
    purpose: str,
    *,
    credential_id: str | None = None,
    place: tuple[UUID, int] | None = None,
    value: bool,
) -> int:
    """Revoke or suspend what the VC API issued, or undo that.

    Sign the lists again before returning.

    Credentials that were issued with the same id have the same status. Returns how many there are.

    Args:
        purpose: "revocation" or "suspension".
        credential_id: the credential's `id`, or the `credentialId` with which it was issued.
        place: the list and the place in it; for credentials without id, or to tell several apart.
    Raises:
        NotFoundError: none of them was issued here with a status for this purpose (code "credential-unknown").
        CustodyError: a list cannot be signed; nothing has changed.
    """
    query = (
        select(VcApiStatusEntry, VcApiStatusList.algorithm)
        .join(VcApiStatusList, VcApiStatusList.id == VcApiStatusEntry.status_list_id)
        .where(VcApiStatusList.purpose == purpose)
        .order_by(VcApiStatusEntry.id)
        .with_for_update(of=VcApiStatusEntry)
    )
    if credential_id is not None:
        query = query.where(VcApiStatusEntry.credential_sha256 == _digest(credential_id))
    if place is not None:
        query = query.where(VcApiStatusEntry.status_list_id == place[0], VcApiStatusEntry.status_index == place[1])
    with runtime.database.write() as session:
        found = session.execute(query).all() if (credential_id, place) != (None, None) else []
        if not found:
            message = f"No credential with a status for {purpose} was issued here under this id."
            raise NotFoundError("credential-unknown", message)
        for row, _ in found:
            row.set_at = (row.set_at or runtime.now()) if value else None
        session.flush()
        for list_id, algorithm in sorted({(row.status_list_id, algorithm) for row, algorithm in found}):
            _publish(session, runtime, identity(runtime, algorithm), session.get_one(VcApiStatusList, list_id))
        return len(found)


def place_at(runtime: Runtime, list_address: object, index: object) -> tuple[UUID, int] | None:
    """Return the place that a status entry names; None where it is not one of ours."""
    if not isinstance(list_address, str) or not isinstance(index, str) or not _INDEX.fullmatch(index):
        return None
    prefix = list_url(runtime.settings, "")
    try:
        return (UUID(list_address.removeprefix(prefix)), int(index)) if list_address.startswith(prefix) else None
    except ValueError:
        return None


def overdue(session: OrmSession, now: datetime) -> int:
    """Return how many lists are long overdue to be signed again: no process does it."""
    late = VcApiStatusList.published_at <= now - OVERDUE_AFTER
    return session.scalar(select(func.count()).select_from(VcApiStatusList).where(late)) or 0


def resign_due(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Sign every list again that is older than a day.

    Return how many. Several processes may do it at once.
    """
    return _publish_older(runtime, runtime.now() - RESIGNED_AFTER, go_on)


def publish_all(runtime: Runtime) -> int:
    """Sign every list again at any age; return how many."""
    return _publish_older(runtime, None)


def _publish_older(runtime: Runtime, before: datetime | None, go_on: GoOn = to_the_end) -> int:
    due = select(VcApiStatusList.id, VcApiStatusList.algorithm).order_by(VcApiStatusList.id)
    if before is not None:
        due = due.where(or_(VcApiStatusList.published_at.is_(None), VcApiStatusList.published_at <= before))
    with runtime.database.read() as session:
        rows = session.execute(due).all()
    count = 0
    for list_id, algorithm in rows:
        if not go_on():
            break
        owner = identity(runtime, algorithm)
        with runtime.database.write() as session:
            row = locks.status_list(session, VcApiStatusList, list_id)
            if before is None or row.published_at is None or row.published_at <= before:
                _publish(session, runtime, owner, row)
                count += 1
    return count


def _newest(session: OrmSession, algorithm: str, purpose: str) -> VcApiStatusList | None:
    """Return the newest list if it is less than half full."""
    row = session.scalar(
        select(VcApiStatusList)
        .where(VcApiStatusList.algorithm == algorithm, VcApiStatusList.purpose == purpose)
        .order_by(VcApiStatusList.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    taken = select(func.count()).where(VcApiStatusEntry.status_list_id == row.id)
    return row if (session.scalar(taken) or 0) < row.length // 2 else None


def _free_place(session: OrmSession, row: VcApiStatusList) -> int:
    while True:
        index = secrets.randbelow(row.length)
        taken = select(VcApiStatusEntry.id).where(
            VcApiStatusEntry.status_list_id == row.id, VcApiStatusEntry.status_index == index
        )
        if session.scalar(taken) is None:
            return index


def _publish(session: WriteSession, runtime: Runtime, owner: VcApiIssuer, status_list: VcApiStatusList) -> None:
    """Build the list from the rows, sign it and store its text.

    The list stays locked until the commit.
    """
    now: datetime = runtime.now()
    row = locks.status_list(session, VcApiStatusList, status_list.id)
    is_set = select(VcApiStatusEntry.status_index).where(
        VcApiStatusEntry.status_list_id == row.id, VcApiStatusEntry.set_at.is_not(None)
    )
    bits = BitstringStatusList(row.length)
    for index in session.scalars(is_set):
        bits.set(index, True)
    signed: dict[str, Any] = sign(
        status_list_credential(
            id=list_url(runtime.settings, row.id),
            issuer=owner.did,
            purpose=row.purpose,
            bits=bits,
            valid_from=now,
            valid_until=now + VALID_FOR,
        ),
        owner.signer,
        verification_method=owner.verification_method,
        created=now,
        suite="eddsa-rdfc-2022" if row.algorithm == "Ed25519" else "ecdsa-rdfc-2019",
    )
    signed["proof"] = signed["proof"][0]
    row.signed = json.dumps(signed, ensure_ascii=False, separators=(",", ":"))
    row.published_at, row.valid_until = now, now + VALID_FOR


def _digest(credential_id: str) -> str:
    return sha256(credential_id.encode("utf-8", "surrogatepass")).hexdigest()
