"""Read records: everything that came in, in the order of commits."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.errors import NotFoundError
from service.evidence import flags, said
from service.evidence.bodies import Submitted
from service.evidence.derivation import is_history
from service.evidence.said import Said
from service.storage.database import WriteSession
from service.tables import Contribution, Evaluation, Flag, Network, Record, RecordBody


@dataclass(frozen=True)
class ShownRecord:
    """A record to show, with what voids or corrects it, what it corrects, its body, what it says, and its open flags.

    `voided_by` is None if it stands; `first` is the record whose names a correction has; `body` is None if it was not
    asked for or was erased, and so is `reason`, why it corrects another one.
    """

    record: Record
    voided_by: Record | None = None
    first: Record | None = None
    body: dict[str, Any] | None = None
    reason: str | None = None
    said: Said = field(default_factory=Said)
    flags: tuple[Flag, ...] = ()


def shown(session: OrmSession, rows: Sequence[Record]) -> list[ShownRecord]:
    """Return records with what they say, their flags and what voids or corrects them, in the same order; without bodies."""
    ids = [row.id for row in rows]
    voids, told, odd = _voids(session, rows), said.by(session, rows), flags.of_records(session, ids)
    first_ids = {row.first_id for row in rows} - {None}
    firsts: dict[UUID | None, Record] = {
        row.id: row for row in session.scalars(select(Record).where(Record.id.in_(first_ids)))
    }
    return [
        ShownRecord(
            row,
            voids.get(row.id),
            firsts.get(row.first_id),
            said=told.get(row.id, said.Said()),
            flags=tuple(odd[row.id]),
        )
        for row in rows
    ]


def get_record(session: OrmSession, network: Network, name: str, kind: str | None = None) -> ShownRecord:
    """Return a record with its body.

    Args:
        name: the record's id; if `kind` (contribution or evaluation) is given, also its ref, which stands for its
            newest correction.
    Raises:
        NotFoundError: the network has no such record (code "record-unknown").
    """
    record = find(session, network, name, kind)
    if record is None:
        raise NotFoundError(
            "record-unknown",
            f"No {kind or 'record'} of this network has this ref or id; lists and earlier answers give it.",
        )
    return show(session, record)


def find(session: OrmSession, network: Network, name: str, kind: str | None = None) -> Record | None:
    """Return a record by its id, or if `kind` is given also by its ref; None if there is none."""
    query = select(Record).where(Record.network_id == network.id)
    record = None
    if kind is not None:
        query = query.where(Record.kind == kind)
        record = session.scalar(query.where(Record.ref == name))
        record = next(iter(corrections_of(session, record)), record) if record is not None else None
    record_id = identifier(name)
    if record is None and record_id is not None:
        record = session.scalar(query.where(Record.id == record_id))
    return record


def show(session: OrmSession, record: Record) -> ShownRecord:
    """Return a record as `shown` does, with its body, and why it corrects another one."""
    kept = session.get(RecordBody, record.id)
    [found] = shown(session, [record])
    return replace(found, body=kept.body if kept else None, reason=kept.reason if kept else None)


def corrected(session: OrmSession, record_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the records that do not count any more, but have a correction that does."""
    if not record_ids:
        return set()
    counting = aliased(Record)
    derived = [select(table.record_id).where(table.record_id == counting.id) for table in (Contribution, Evaluation)]
    same = counting.first_id == func.coalesce(Record.first_id, Record.id)
    later = select(counting.id).where(same, counting.id != Record.id, or_(*(rows.exists() for rows in derived)))
    after = aliased(Record)
    followed = select(after.id).where(after.voids == Record.id, after.kind != "void")
    return set(session.scalars(select(Record.id).where(Record.id.in_(record_ids), followed.exists(), later.exists())))


def of_history(session: OrmSession, record_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the records that are of their network's history, as it was loaded."""
    if not record_ids:
        return set()
    first = aliased(Record)
    came = func.coalesce(first.received_at, Record.received_at)
    rows = session.execute(
        select(Record, came, Network)
        .join(Network, Network.id == Record.network_id)
        .outerjoin(first, first.id == Record.first_id)
        .where(Record.id.in_(record_ids), Network.history_until.is_not(None))
    )
    return {
        record.id
        for record, received_at, network in rows
        if record.occurred_at is not None and is_history(network, record.occurred_at, received_at)
    }


def line_of(session: OrmSession, record_ids: Collection[UUID]) -> set[UUID]:
    """Return these records, what they correct, and every correction of these."""
    named = select(func.coalesce(Record.first_id, Record.id)).where(Record.id.in_(record_ids))
    firsts = set(session.scalars(named))
    return firsts | set(session.scalars(select(Record.id).where(Record.first_id.in_(firsts))))


def corrections_of(session: OrmSession, record: Record) -> Sequence[Record]:
    """Return every correction of what a record says, the newest first."""
    mine = Record.first_id == (record.first_id or record.id)
    return session.scalars(select(Record).where(mine).order_by(Record.id.desc())).all()


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
