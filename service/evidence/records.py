"""Records as they are read: everything that came in, in the order in which it was committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from service.errors import NotFoundError
from service.storage.database import ReadSession
from service.storage.paging import page
from service.tables import Contribution, Evaluation, Member, Network, Record, RecordBody


@dataclass(frozen=True)
class Shown:
    """A record, the one that voids it if there is one, and its body where it was asked for and is kept."""

    record: Record
    voided_by: Record | None = None
    body: dict[str, Any] | None = None


def list_records(
    session: ReadSession,
    network: Network,
    *,
    after: str | None,
    limit: int,
    kind: str | None = None,
    member: str | None = None,
    type_: str | None = None,
    since: datetime | None = None,
    status: str | None = None,
) -> tuple[list[Shown], str | None]:
    """Return records in the order of their positions.

    Args:
        kind: contribution, evaluation or void.
        member: the ref of the member on whom they bear, or for whom they are held; a voided record bears on nobody.
        type_: the type of a contribution, or the kind of an evaluation.
        since: received at this instant or later.
        status: accepted, held or quarantined.
    """
    query = select(Record).where(Record.network_id == network.id)
    if kind is not None:
        query = query.where(Record.kind == kind)
    if status is not None:
        query = query.where(Record.status == status)
    if since is not None:
        query = query.where(Record.received_at >= since)
    if member is not None:
        named = select(Member.id).where(Member.network_id == network.id, Member.ref == member).scalar_subquery()
        mine = [select(table.record_id).where(table.member_id == named) for table in (Contribution, Evaluation)]
        query = query.where(or_(Record.held_for == member, *(Record.id.in_(rows) for rows in mine)))
    if type_ is not None:
        done = select(Contribution.record_id).where(Contribution.network_id == network.id, Contribution.type == type_)
        judged = select(Evaluation.record_id).where(Evaluation.network_id == network.id, Evaluation.kind == type_)
        query = query.where(or_(Record.id.in_(done), Record.id.in_(judged)))
    rows, following = page(session, query, Record.position, after, limit)
    voids = _voids(session, rows)
    return [Shown(row, voids.get(row.id)) for row in rows], following


def get_record(session: OrmSession, network: Network, name: str, kind: str | None = None) -> Shown:
    """Return a record with its body.

    Args:
        name: its id; of a contribution or evaluation (`kind`) also its ref.
    Raises:
        NotFoundError: the network has none (code "record-unknown").
    """
    query = select(Record).where(Record.network_id == network.id)
    record = None
    if kind is not None:
        query = query.where(Record.kind == kind)
        record = session.scalar(query.where(Record.ref == name))
    record_id = identifier(name)
    if record is None and record_id is not None:
        record = session.scalar(query.where(Record.id == record_id))
    if record is None:
        raise NotFoundError("record-unknown", f"No {kind or 'record'} of this network fits.")
    return show(session, record)


def show(session: OrmSession, record: Record) -> Shown:
    """Return a record with its body and what voids it."""
    body = session.scalar(select(RecordBody.body).where(RecordBody.record_id == record.id))
    return Shown(record, _voids(session, [record]).get(record.id), body)


def identifier(name: str) -> UUID | None:
    """Return the id that a text in an address is, if it is one."""
    try:
        return UUID(name)
    except ValueError:
        return None


def _voids(session: OrmSession, rows: Sequence[Record]) -> dict[UUID | None, Record]:
    found = session.scalars(select(Record).where(Record.voids.in_([row.id for row in rows])))
    return {void.voids: void for void in found}
