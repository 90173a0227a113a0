"""Read records: everything that came in, in the order of commits."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.errors import NotFoundError
from service.evidence.bodies import Submitted
from service.storage.database import ReadSession, WriteSession
from service.storage.paging import page
from service.tables import Contribution, Evaluation, Member, Network, Record, RecordBody


@dataclass(frozen=True)
class Shown:
    """A record to show, with the record that voids it and its body.

    `voided_by` is None if nothing voids it; `body` is None if it was not asked for or was erased.
    """

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
        member: the ref of the member whom they are about, or for whom they are held; a voided record is about nobody.
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
        name: the record's id; if `kind` (contribution or evaluation) is given, also its ref.
    Raises:
        NotFoundError: the network has no such record (code "record-unknown").
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
    """Return a text from an address as an id, or None if it is not one."""
    try:
        return UUID(name)
    except ValueError:
        return None


def _voids(session: OrmSession, rows: Sequence[Record]) -> dict[UUID | None, Record]:
    found = session.scalars(select(Record).where(Record.voids.in_([row.id for row in rows])))
    return {void.voids: void for void in found}


def with_keys(
    session: WriteSession, network: Network, kind: str, bodies: Iterable[Submitted]
) -> dict[tuple[str, ...], Record]:
    """Return the records that have the natural keys of these bodies, by those keys."""
    refs: set[str] = set()
    sources: defaultdict[str, set[str]] = defaultdict(set)
    for body in bodies:
        if body.ref is not None:
            refs.add(body.ref)
        if body.source is not None:
            sources[body.source.system].add(body.source.id)
    wanted: list[ColumnElement[bool]] = [Record.ref.in_(refs)] if refs else []
    wanted += [(Record.source_system == system) & Record.source_id.in_(ids) for system, ids in sources.items()]
    if not wanted:
        return {}
    found: dict[tuple[str, ...], Record] = {}
    for record in session.scalars(
        select(Record).where(Record.network_id == network.id, Record.kind == kind, or_(*wanted))
    ):
        if record.ref is not None:
            found[(record.ref,)] = record
        if record.source_system is not None and record.source_id is not None:
            found[(record.source_system, record.source_id)] = record
    return found
