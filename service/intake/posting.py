"""Record a piece of evidence, or void it, and settle at once what follows."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from service.access.callers import Caller
from service.awards import settling
from service.bodies import Body, Prose
from service.criteria import rejudging
from service.errors import ConflictError, ForbiddenError, NotFoundError, ServiceError
from service.evidence import derivation, flags, recording
from service.evidence.bodies import Submitted
from service.evidence.recording import Kind, Submission, actor_of, sealed
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Network, Record, RecordBody


class VoidIn(Body):
    """Why a record no longer counts."""

    reason: Prose = Field(examples=["Posted for the wrong member."])


def submit(
    session: WriteSession,
    runtime: Runtime,
    network: Network,
    caller: Caller | None,
    kind: Kind,
    body: Submitted,
    now: datetime,
) -> Submission:
    """Record one contribution or evaluation, and make the awards that it completes.

    These are the automatic awards of the member whom it is about; they are made at once.

    Raises:
        InvalidError, ForbiddenError: it cannot be true, or this caller may not say it; the pointer says where.
        ConflictError: its `ref` or `source` is another record's (code "record-differs").
    """
    [outcome] = submit_all(session, network, caller, kind, [body], now)
    if isinstance(outcome, ServiceError):
        raise outcome
    if outcome.status != "accepted" or outcome.member_id is None:
        return outcome
    made = settling.settle(session, runtime, network, [outcome.member_id], now)
    return replace(outcome, awards=tuple(made))


def submit_all(
    session: WriteSession,
    network: Network,
    caller: Caller | None,
    kind: Kind,
    bodies: Sequence[Submitted],
    now: datetime,
) -> list[Submission | ServiceError]:
    """Record at most 500 bodies, and return for each, in order, what became of it.

    The members whom they are about are marked, for `settling.settle` or `settling.settle_pending`.

    Raises:
        UnauthenticatedError: the caller's token was revoked since the request began (code "token-revoked").
    """
    outcomes, topics = recording.record_all(session, network, caller, kind, bodies, now)
    rejudging.mark_topics(session, network, topics, now)
    return outcomes


def release_held(session: WriteSession, network: Network, refs: Collection[str], now: datetime) -> set[UUID]:
    """Judge evidence that waited for these members, and return the members affected.

    These are the members whom evidence is about that counts from now on; they are marked, to be settled.
    """
    bearing = recording.release_held(session, network, refs, now)
    rejudging.mark(session, network, bearing, now)
    return bearing


def void(
    session: WriteSession,
    runtime: Runtime,
    network: Network,
    caller: Caller,
    record_id: UUID,
    body: VoidIn,
    now: datetime,
) -> tuple[Record, bool]:
    """Void a record; return the record that voids it and whether that is new.

    What was derived from it is deleted, with the evaluations of a contribution; awards that rested on it are decided
    again.

    Raises:
        NotFoundError: the network has no such record (code "record-unknown").
        ConflictError: it is itself a void (code "void-of-void").
        ForbiddenError: a member's token voids what that member did not post (code "record-not-own").
        CustodyError: an award is lost and that cannot be signed now; nothing has changed.
    """
    found = locks.records(session, Record.id == record_id, Record.network_id == network.id)
    if not found:
        raise NotFoundError("record-unknown", "No record of this network has this id.")
    [record] = found
    if record.kind == "void":
        raise ConflictError("void-of-void", "Expected a contribution or an evaluation; what is void stays void.")
    if caller.member_id is not None and record.actor_member_id != caller.member_id:
        raise ForbiddenError("record-not-own", "Expected a record that this token's member posted.")
    before = session.scalar(select(Record).where(Record.voids == record.id))
    if before is not None:
        return before, False
    said = body.model_dump()
    tier = derivation.tier(actor_of(session, caller, now), None)
    made = sealed(network, caller, said, now, kind="void", status="accepted", tier=tier, voids=record.id)
    session.add(made)
    record.held_for = None  # nothing flows in from it any more
    session.flush()
    derivation.add(session, [(RecordBody, {"record_id": made.id, "body": said})])
    fallen = derivation.forget(session, [record.id], now, made.id)
    flags.settle(session, {record.id, *flags.resting_on(session, [record.id])}, "voided", caller, now)
    events.append(session, network, "record.voided", {"record": str(record.id), "void": str(made.id)}, now)
    rejudging.mark(session, network, fallen.member_ids, now)
    settling.review_after_void(session, runtime, network, fallen.record_ids, now)
    settling.settle(session, runtime, network, fallen.member_ids, now)
    return made, True
