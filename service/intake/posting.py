"""Record a piece of evidence, or void it, and settle at once what follows."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from service.access.act import Act, CallersAct
from service.awards import settling
from service.bodies import Body, Prose
from service.criteria import rejudging
from service.errors import ConflictError, ForbiddenError, NotFoundError, ServiceError
from service.evidence import acceptances, adoptions, derivation, flags, recording, records
from service.evidence.bodies import Submitted
from service.evidence.contributions import ContributionIn
from service.evidence.recording import Kind, Submission, actor_of, sealed
from service.evidence.vocabulary import TAKEN_UP
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Record, RecordBody


class VoidIn(Body):
    """Why a record no longer counts."""

    reason: Prose = Field(examples=["Posted for the wrong member."])


def submit(act: Act, runtime: Runtime, kind: Kind, body: Submitted) -> Submission:
    """Record one contribution or evaluation, and make the awards that it completes.

    These are the automatic awards of the member whom it is about; they are made at once. While the keys cannot be used,
    the evidence is kept, and upkeep makes the awards later.

    Raises:
        InvalidError, ForbiddenError: it cannot be true, or this caller may not say it; the pointer says where.
        ConflictError: its `ref` or `source` is another record's (code "record-differs").
    """
    [outcome], released = _recorded(act, kind, [body])
    if isinstance(outcome, ServiceError):
        raise outcome
    if outcome.status != "duplicate":
        about = {"member": str(outcome.member_id)} if outcome.member_id is not None else {}
        events.append(act, "evidence.received", {"record": str(outcome.record.id)} | about)
    if outcome.status != "accepted" or outcome.member_id is None:
        return outcome
    made = settling.settle(act, runtime, released | {outcome.member_id})
    wait = bool(rejudging.marked(act.session, [outcome.member_id]))
    return replace(outcome, awards=tuple(made), awards_wait=wait)


def submit_all(act: Act, kind: Kind, bodies: Sequence[Submitted]) -> list[Submission | ServiceError]:
    """Record at most 500 bodies, and return for each, in order, what became of it.

    The members whom they are about are marked, for `settling.settle` or `settling.settle_if_possible`.

    Raises:
        UnauthenticatedError: the caller's token was revoked since the request began (code "token-revoked").
    """
    return _recorded(act, kind, bodies)[0]


def _recorded(act: Act, kind: Kind, bodies: Sequence[Submitted]) -> tuple[list[Submission | ServiceError], set[UUID]]:
    """Record bodies, and return what became of each, and about whom evidence counts that waited for an acceptance."""
    outcomes, topics = recording.record_all(act, kind, bodies)
    rejudging.mark_topics(act, topics)
    counted = [each.record.id for each in outcomes if isinstance(each, Submission) and each.status == "accepted"]
    mark_sharers(act, adoptions.resources_of(act.session, counted) if kind == "contribution" else ())
    accepting = {
        body.member
        for body, outcome in zip(bodies, outcomes, strict=True)
        if isinstance(body, ContributionIn) and body.accepts is not None
        if isinstance(outcome, Submission) and outcome.status == "accepted"
    }
    if not accepting:
        return outcomes, set()
    return outcomes, release_held(act, acceptances.refs_of_persons(act.session, act.network, accepting))


def mark_sharers(act: Act, resources: Collection[str]) -> None:
    """Mark the members who shared these resources: others took them up, or it changed who shared them first.

    Upkeep decides on them, so that who takes something up is not told what others earn by it.
    """
    if not rejudging.is_heard(act, TAKEN_UP):
        return
    found = adoptions.sharers(act.session, act.network, resources)
    rejudging.mark_topics(act, {member_id: {TAKEN_UP} for member_id in found})


def release_held(act: Act, refs: Collection[str]) -> set[UUID]:
    """Judge evidence that waited for these members, or for their acceptance, and return the members affected.

    These are the members whom evidence is about that counts from now on; they are marked, to be settled.
    """
    bearing = recording.release_held(act, refs)
    rejudging.mark(act, bearing)
    mark_sharers(act, adoptions.taken_up_by(act.session, bearing))
    return bearing


def void(act: CallersAct, runtime: Runtime, record_id: UUID, body: VoidIn) -> tuple[Record, bool]:
    """Void a record; return the record that voids it and whether that is new.

    What was derived from it is deleted, with the evaluations of a contribution; awards that rested on it are decided
    again.

    Raises:
        NotFoundError: the network has no such record (code "record-unknown").
        ConflictError: it is itself a void (code "void-of-void"), or was corrected ("record-corrected", with the `id` of
            what counts now).
        ForbiddenError: a member's token voids what that member did not post (code "record-not-own").
        CustodyError: an award is lost and that cannot be signed now; nothing has changed.
    """
    found = locks.records(act.session, Record.id == record_id, Record.network_id == act.network.id)
    if not found:
        raise NotFoundError(
            "record-unknown", "No record of this network has this id; lists and earlier answers give it."
        )
    [record] = found
    if record.kind == "void":
        raise ConflictError("void-of-void", "Expected a contribution or an evaluation; what is void stays void.")
    if act.caller.member_id is not None and record.actor_member_id != act.caller.member_id:
        raise ForbiddenError("record-not-own", "Expected a record that this token's member posted.")
    before = act.session.scalar(select(Record).where(Record.voids == record.id))
    if before is not None and before.kind != "void":
        newest = records.corrections_of(act.session, record)[0]
        message = "Expected the record that counts now: this one was corrected. Void that one."
        raise ConflictError("record-corrected", message, details={"id": str(newest.id)})
    if before is not None:
        return before, False
    said = body.model_dump()
    tier = derivation.tier(actor_of(act), None)
    made = sealed(act, said, kind="void", status="accepted", tier=tier, voids=record.id)
    act.session.add(made)
    named = adoptions.resources_of(act.session, [record.id])
    record.held_for = record.held_code = None  # nothing flows in from it any more
    act.session.flush()
    derivation.add(act.session, [(RecordBody, {"record_id": made.id, "body": said})])
    fallen = derivation.forget(act, [record.id], made.id)
    flags.settle(act, {record.id, *flags.resting_on(act.session, [record.id])}, "voided")
    events.append(act, "record.voided", {"record": str(record.id), "void": str(made.id)})
    rejudging.mark(act, fallen.member_ids)
    mark_sharers(act, named)
    settling.review_after_void(act, runtime, fallen.record_ids)
    settling.settle(act, runtime, fallen.member_ids)
    return made, True
