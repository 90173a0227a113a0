"""Flags: why a record deserves a second look, and what was decided on it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.storage import filters
from service.storage.database import ReadSession
from service.storage.paging import Window, order, page
from service.tables import Flag, Member, Network
from service.tables.identifiers import new_id

WHY: Mapping[str, str] = {
    "late": "It came long after it happened, and counts a tier lower.",
    "overlap": "The member attended something else at the same time.",
    "repeated": "The same, word for word, was posted before under another id.",
    "shared-artifact": "Another member has contributed the same file.",
    "reciprocal": "The member who is judged has judged the judge.",
    "ring": "The member who is judged has judged somebody who has judged the judge.",
    "contribution": "It evaluates a contribution that is quarantined.",
    "token": "It was posted with a token that was revoked because others had it.",
}
"""What each kind of flag says of its record."""


@dataclass(frozen=True)
class ShownFlag:
    """A flag, with the refs of the members whom its record and the other are about."""

    flag: Flag
    member: str | None
    other_member: str | None


def add(
    act: Act,
    kind: str,
    record_id: UUID,
    *,
    other: UUID | None = None,
    bearing: Mapping[UUID, UUID | None] | None = None,
    sets_aside: bool = False,
) -> None:
    """Raise a flag.

    Args:
        kind: one of `WHY`.
        other: the record compared with which this one is odd.
        bearing: the member whom each of the two records is about.
        sets_aside: whether the record is quarantined for it; the caller quarantines it.
    """
    on = bearing or {}
    act.session.add(
        Flag(
            id=new_id(),
            network_id=act.network.id,
            kind=kind,
            record_id=record_id,
            other_id=other,
            member_id=on.get(record_id),
            other_member_id=on.get(other) if other else None,
            sets_aside=sets_aside,
            at=act.now,
        )
    )


def settle(
    act: Act, record_ids: Collection[UUID], outcome: Literal["released", "voided"], kinds: Collection[str] = ()
) -> None:
    """Close the open flags of these records with what was decided.

    Args:
        kinds: only flags of these kinds; empty: of every kind.
    """
    open_ones = [Flag.record_id.in_(record_ids), Flag.state == "open"]
    if kinds:
        open_ones.append(Flag.kind.in_(kinds))
    values = {"state": outcome, "settled_at": act.now, "settled_by": act.caller.token_id if act.caller else None}
    act.session.execute(update(Flag).where(*open_ones).values(values))


def resting_on(session: OrmSession, record_ids: Collection[UUID]) -> set[UUID]:
    """Return the evaluations that are quarantined with these contributions.

    Both are named by the ids of their records.
    """
    query = select(Flag.record_id).where(Flag.other_id.in_(record_ids), Flag.kind == "contribution")
    return set(session.scalars(query.where(Flag.state == "open")))


def of_records(session: OrmSession, record_ids: Collection[UUID]) -> dict[UUID, list[Flag]]:
    """Return the open flags of each of these records."""
    found: dict[UUID, list[Flag]] = {record_id: [] for record_id in record_ids}
    query = select(Flag).where(Flag.record_id.in_(record_ids), Flag.state == "open").order_by(Flag.id)
    for flag in session.scalars(query):
        found[flag.record_id].append(flag)
    return found


def list_flags(
    session: ReadSession,
    network: Network,
    *,
    window: Window,
    kind: str | None = None,
    state: str | None = None,
    record: UUID | None = None,
    member: str | None = None,
    sort: str | None = None,
) -> tuple[list[ShownFlag], str | None]:
    """Return the network's flags in the order in which they were raised.

    Args:
        record: only flags of this record, or of others compared with it.
        member: only flags with a record about the member with this ref; either of the two records.
        sort: "-at": the newest first.
    Raises:
        InvalidError: no member has this ref (code "member-unknown").
    """
    query = select(Flag).where(Flag.network_id == network.id)
    if kind is not None:
        query = query.where(Flag.kind == kind)
    if state is not None:
        query = query.where(Flag.state == state)
    if record is not None:
        query = query.where(or_(Flag.record_id == record, Flag.other_id == record))
    if member is not None:
        named = filters.named(session, network, Member, member)
        query = query.where(or_(Flag.member_id == named, Flag.other_member_id == named))
    rows, following = page(session, query, window, order(sort, at=(Flag.id,)))
    return _shown(session, rows), following


def _shown(session: OrmSession, rows: Sequence[Flag]) -> list[ShownFlag]:
    member_ids = {row.member_id for row in rows} | {row.other_member_id for row in rows}
    named = select(Member.id, Member.ref).where(Member.id.in_(member_ids - {None}))
    refs: dict[UUID | None, str] = dict(session.execute(named).all())
    return [ShownFlag(row, refs.get(row.member_id), refs.get(row.other_member_id)) for row in rows]
