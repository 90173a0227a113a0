"""Let quarantined records count again, once somebody has looked at them."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from service.access.act import CallersAct
from service.awards import settling
from service.criteria import rejudging
from service.errors import ConflictError, ForbiddenError, NotFoundError
from service.evidence import adoptions, bodies, derivation, flags, recording
from service.evidence.derivation import SHAPES
from service.intake import posting
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Contribution, Evaluation, Flag, Record

CHUNK = 100
"""Records that are decided on in one transaction."""


def release(act: CallersAct, runtime: Runtime, record_id: UUID) -> Record:
    """Let a quarantined record count, no matter why it was set aside.

    One that counts already is returned as it is.

    Raises:
        NotFoundError: the network has no such record (code "record-unknown").
        ForbiddenError: the token is that of the member whom it is about or who posted it ("self-decision"), or of one
            who is neither facilitator nor assessor ("release-own").
        ConflictError: it is void (code "record-void"), or cannot be true (code "record-unfit").
        CustodyError: what it earns cannot be signed now; nothing has changed.
    """
    record = act.session.scalar(select(Record).where(Record.id == record_id, Record.network_id == act.network.id))
    if record is None:
        raise NotFoundError(
            "record-unknown", "No record of this network has this id; lists and earlier answers give it."
        )
    if record.kind not in SHAPES or act.session.scalar(select(Record.id).where(Record.voids == record.id)) is not None:
        raise ConflictError("record-void", "Expected a contribution or an evaluation that is not void.")
    _check_may_release(act, record)
    release_records(act, runtime, [record.id], None)
    act.session.refresh(record)
    if record.status == "quarantined":
        raise ConflictError("record-unfit", "Expected a record that can be true; this one cannot count as it stands.")
    return record


def _check_may_release(act: CallersAct, record: Record) -> None:
    """Refuse a caller who may not release a record.

    The network may, and its facilitators and assessors may release what they neither posted nor did themselves.
    """
    if act.caller.member_id is None:
        return
    act.decides_on(record.actor_member_id)
    for batch in derivation.stored(act.session, Record.id == record.id):
        for _, body in batch:
            judged = body.judge(bodies.find_references(act.session, act.network, [body]), None).member
            act.decides_on(judged.id if judged is not None else None)
    if not derivation.actors(act.session, [(act.caller.member_id, act.now)])[act.caller.member_id, act.now].attests:
        message = "Expected a token of the network, or of a facilitator or assessor."
        raise ForbiddenError("release-own", message)


def release_records(act: CallersAct, runtime: Runtime, record_ids: Collection[UUID], kind: str | None) -> set[UUID]:
    """Let records count, with the evaluations set aside with them; return which do.

    Args:
        kind: settle only flags of this kind, and leave quarantined what another kind sets aside; None: settle all.
    """
    rows = lock_records(act.session, {*record_ids, *flags.resting_on(act.session, record_ids)})
    own = {row_id for row_id, row in rows.items() if row.status == "quarantined"}
    for record_id, found in flags.of_records(act.session, own).items():
        kept = [
            flag
            for flag in found
            if flag.sets_aside and (flag.kind != kind if record_id in record_ids else flag.other_id not in record_ids)
        ]
        if kept and (kind is not None or record_id not in record_ids):
            own.discard(record_id)
    bearing: set[UUID] = set()
    if kind is None:
        bearing = _confirm(act, [row_id for row_id in record_ids if row_id not in own])
    for shape in SHAPES:
        for batch in derivation.stored(act.session, Record.id.in_(own), Record.kind == shape):
            bearing |= recording.admit(act, batch, "all" if kind is None else "token")
    counting = {record_id for record_id in own if rows[record_id].status != "quarantined"}
    flags.settle(act, counting, "released", (kind, "contribution") if kind else ())
    for record_id in sorted(counting):
        events.append(act, "record.released", {"record": str(record_id)})
    rejudging.mark(act, bearing)
    posting.mark_sharers(act, adoptions.resources_of(act.session, counting))
    settling.settle(act, runtime, bearing)
    return counting & set(record_ids)


def _confirm(act: CallersAct, record_ids: Collection[UUID]) -> set[UUID]:
    """Settle the flags of records that count, and return the members whose late evidence has its full tier again."""
    found = flags.of_records(act.session, record_ids)
    late = {record_id for record_id, odd in found.items() if any(flag.kind == "late" for flag in odd)}
    bearing: set[UUID] = set()
    for kind, table in (("contribution", Contribution), ("evaluation", Evaluation)):
        for batch in derivation.stored(
            act.session, Record.id.in_(late), Record.kind == kind, Record.status == "accepted"
        ):
            references = derivation.look_up(act.session, act.network, [body for _, body in batch])
            acting = derivation.actors(
                act.session, [(record.actor_member_id, record.received_at) for record, _ in batch]
            )
            for record, body in batch:
                actor = acting.get((record.actor_member_id, record.received_at))
                judgement = body.judge(references, actor.member if actor else None)
                derivation.keep_aside(act, [record.id])
                record.tier = derivation.tier_of(act.session, record, actor, judgement)
                record.accepted_at = act.now
                act.session.execute(update(table).where(table.record_id == record.id).values(tier=record.tier))
                bearing |= {judgement.member.id} if judgement.member is not None else set()
    flags.settle(act, record_ids, "released")
    for record_id in sorted(record_id for record_id, odd in found.items() if odd):
        events.append(act, "record.released", {"record": str(record_id)})
    act.session.flush()
    return bearing


def lock_records(session: WriteSession, record_ids: Collection[UUID]) -> dict[UUID, Record]:
    """Lock records, in the order of their ids, and return them as they are now."""
    return {row.id: row for row in locks.records(session, Record.id.in_(record_ids))}


def bearing_on(session: WriteSession, record_ids: Collection[UUID]) -> dict[UUID, UUID | None]:
    """Return the member whom each of these records is about, as far as they count."""
    found: dict[UUID, UUID | None] = {}
    for table in (Contribution, Evaluation):
        rows = select(table.record_id, table.member_id).where(table.record_id.in_(record_ids))
        found |= dict(session.execute(rows).all())
    return found


def flagged() -> ColumnElement[bool]:
    """Return the condition that a record has an open flag because of its token."""
    return select(Flag.id).where(Flag.record_id == Record.id, Flag.kind == "token", Flag.state == "open").exists()
