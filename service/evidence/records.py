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
class ShownRecord:
    """A record to show, with the record that voids it and its body.

    `voided_by` is None if nothing voids it; `body` is None if it was not asked for or was erased.
    """

    record: Record
    voided_by: Record | None = None
    body: dict[str, Any] | None = None


@dataclass(frozen=True)
class RecordFilter:
    """Which records are listed.

    Attributes:
        kind: contribution, evaluation or void.
        member: the ref of the member whom they are about, or for whom they are held; a voided record is about nobody.
        type: the type of a contribution, or the kind of an evaluation.
        since: received at this instant or later.
        status: accepted, held or quarantined.
    """

    kind: str | None = None
    member: str | None = None
    type: str | None = None
    since: datetime | None = None
    status: str | None = None


def list_records(
    session: ReadSession, network: Network, which: RecordFilter, *, after: str | None, limit: int
) -> tuple[list[ShownRecord], str | None]:
    """Return records in the order of their positions."""
    query = select(Record).where(Record.network_id == network.id)
    if which.kind is not None:
        query = query.where(Record.kind == which.kind)
    if which.status is not None:
        query = query.where(Record.status == which.status)
    if which.since is not None:
        query = query.where(Record.received_at >= which.since)
    if which.member is not None:
        named = select(Member.id).where(Member.network_id == network.id, Member.ref == which.member).scalar_subquery()
        mine = [select(table.record_id).where(table.member_id == named) for table in (Contribution, Evaluation)]
        query = query.where(or_(Record.held_for == which.member, *(Record.id.in_(rows) for rows in mine)))
    if which.type is not None:
        done, judged = (
            select(table.record_id).where(table.network_id == network.id, named == which.type)
            for table, named in ((Contribution, Contribution.type), (Evaluation, Evaluation.kind))
        )
        query = query.where(or_(Record.id.in_(done), Record.id.in_(judged)))
    rows, following = page(session, query, Record.position, after, limit)
    voids = _voids(session, rows)
    return [ShownRecord(row, voids.get(row.id)) for row in rows], following


def get_record(session: OrmSession, network: Network, name: str, kind: str | None = None) -> ShownRecord:
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


def show(session: OrmSession, record: Record) -> ShownRecord:
    """Return a record with its body and what voids it."""
    body = session.scalar(select(RecordBody.body).where(RecordBody.record_id == record.id))
    return ShownRecord(record, _voids(session, [record]).get(record.id), body)


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
