"""Correct a record: a new one counts in the place of the old one.

The old record stays as it came, with its seal, for everybody who cites it. What was judged of a corrected contribution is
judged of its correction. The names of the first record stand for every correction of it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from service.access import callers
from service.access.act import CallersAct
from service.bodies import validated
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, ServiceError
from service.evidence import acceptances, confidential, derivation, flags, recording, records, rubrics, scrutiny
from service.evidence.bodies import References, Submitted, find_references
from service.evidence.confidential import Lessened
from service.evidence.derivation import SHAPES
from service.evidence.recording import JudgedRecord, Submission
from service.outbox import events
from service.storage.database import WriteSession
from service.tables import Flag, Member, Record, RecordBody

NAMES = ("ref", "source")
"""What a correction cannot change: by these the network finds the record again."""


@dataclass(frozen=True)
class Prepared:
    """A correction that may be made: everything that it needs is locked.

    `evaluations` are those of the contribution that is corrected, `line` every record that has said before what the old
    one says, itself too; `left_out` what is not stored of it, because it is about a confidential session.
    """

    old: Record
    body: Submitted
    references: References
    evaluations: Collection[UUID]
    line: Collection[UUID]
    member_ids: Collection[UUID]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Corrected:
    """What became of a correction.

    `bearing` are the members about whom something else is known now.
    """

    submission: Submission
    bearing: Collection[UUID]


def patched(said: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said with the changes; null takes a member away. Spec: RFC 7396 (JSON Merge Patch)."""
    result = dict(said)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            before = result.get(name)
            result[name] = patched(before if isinstance(before, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def prepare(
    act: CallersAct, record_id: UUID, changes: Mapping[str, Any], *, as_peer: bool = False
) -> Prepared | Submission:
    """Lock what a correction needs, and check it; return the correction there is if this one was made before.

    Args:
        as_peer: another member may correct it too: they were asked for their word.
    Raises:
        UnauthenticatedError: the caller's token was revoked since the request began (code "token-revoked").
        NotFoundError: the network has no such record (code "record-unknown").
        ForbiddenError: it is about the caller ("self-decision"), or a member's token corrects what that member did not
            post ("record-not-own").
        ConflictError: it is a void ("correction-of-void"), or void ("record-void"), or corrected already
            ("record-corrected", with the `id` of what counts now), or its body was erased ("record-erased").
        InvalidError: what it would say is no evidence, or is what it says already ("correction-empty"), or it would
            change `ref` or `source` ("correction-of-name").
    """
    callers.still_good(act.session, act.caller)
    mine = (Record.id == record_id, Record.network_id == act.network.id)
    old = act.session.scalar(select(Record).where(*mine))
    if old is None:
        raise NotFoundError(
            "record-unknown", "No record of this network has this id; lists and earlier answers give it."
        )
    if old.kind not in SHAPES:
        raise ConflictError("correction-of-void", "Expected a contribution or an evaluation; what is void stays void.")
    if not as_peer:
        _check_caller(act, old)
    lessened = _body(act, old, changes)
    body = lessened.body
    act.decides_on(*_about(act, [body]))
    references = _locked(act, old, body)
    after = act.session.scalar(select(Record).where(Record.voids == old.id))
    if after is not None:
        return _made_before(act.session, after, body)
    member_ids = derivation.bearing(act.session, [old.id])
    evaluations = derivation.evaluated(act.session, [old.id]).keys()
    return Prepared(
        old, body, references, evaluations, records.line_of(act.session, [old.id]), member_ids, lessened.left_out
    )


def carry_out(act: CallersAct, prepared: Prepared, reason: str) -> Corrected:
    """Let a new record count in the place of the old one.

    Raises:
        ServiceError: the correction cannot be true, as for a new record.
    """
    old = prepared.old
    judged = _judged(act, prepared)
    new, waited_for = judged.record, old.held_for
    derivation.keep_aside(act, [old.id], new.id)
    derivation.keep_aside(act, prepared.evaluations)
    derivation.drop(act.session, [old.id, *prepared.evaluations])
    old.held_for = old.held_code = None  # nothing flows in from it any more
    findings = scrutiny.look(act.session, act.network, [judged] if judged.derived else []).get(new.id, [])
    if scrutiny.sets_aside(findings):
        new.status = "quarantined"
    act.session.add(new)
    act.session.flush()
    rows = judged.derived if new.status == "accepted" else []
    kept = [(table, row | {"reason": reason} if table is RecordBody else row) for table, row in judged.kept]
    derivation.add(act.session, [*kept, *rows])
    flags.settle(act, [old.id], "voided")
    recording.flag(act, judged, findings)
    events.append(act, "record.corrected", {"record": str(old.id), "correction": str(new.id)})
    submission = replace(judged.submission(findings), left_out=prepared.left_out)
    bearing = {*prepared.member_ids, *_judge_again(act, prepared.evaluations, new)}
    bearing |= {submission.member_id} if submission.member_id is not None else set()
    if waited_for is not None:
        bearing |= recording.release_held(act, [waited_for])
    return Corrected(submission, bearing)


def _locked(act: CallersAct, old: Record, body: Submitted) -> References:
    """Lock a record with its evaluations, and what `derivation.look_up` locks; return what the body refers to.

    If another evaluation came while this waited for a member, the locks are let go and taken again with it: records come
    before members (`storage.locks`).
    """
    while True:
        replaced = {old.id, *derivation.evaluated(act.session, [old.id])}
        with act.session.begin_nested() as attempt:
            references = derivation.look_up(act.session, act.network, [body], replaced)
            if derivation.evaluated(act.session, [old.id]).keys() <= replaced:
                references = rubrics.held_against(act.session, act.network, references, [body], old.id)
                chosen = acceptances.chosen_by(act.session, act.network)
                return acceptances.with_owing(act.session, act.network, chosen, references, [body])
            attempt.rollback()


def _body(act: CallersAct, old: Record, changes: Mapping[str, Any]) -> Lessened:
    """Return what the correction says in full, as far as it is stored."""
    for name in NAMES:
        if name in changes:
            message = f"Expected no other `{name}`: it goes on standing for the record, and for its correction."
            raise InvalidError("correction-of-name", message, f"/changes/{name}")
    kept = act.session.get(RecordBody, old.id)
    if kept is None:
        raise ConflictError("record-erased", "Expected a record whose body is kept; this one was erased.")
    before = kept.body | _unnamed_evaluator(act, old, kept.body)
    try:
        body: Submitted = validated(SHAPES[old.kind], patched(before, changes))
    except InvalidError as error:
        raise _within_changes(error) from error
    chosen = acceptances.chosen_by(act.session, act.network)
    [lessened] = confidential.lessen(act.session, act.network, chosen, [body])
    if lessened.body.kept == before:
        raise InvalidError("correction-empty", "Expected a change: the record says exactly this already.", "/changes")
    return lessened


def _unnamed_evaluator(act: CallersAct, old: Record, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evaluator whom the token of an evaluation named, and another one would not."""
    by = old.actor_member_id
    if old.kind != "evaluation" or by in (None, act.caller.member_id) or "evaluator" in said or said.get("anonymous"):
        return {}
    return {"evaluator": act.session.get_one(Member, by).ref}


def _within_changes(error: ServiceError) -> ServiceError:
    """Return an error about what a correction says, with its pointers into `changes`."""
    details = dict(error.details)
    if "errors" in details:
        details["errors"] = [each | {"pointer": f"/changes{each['pointer']}"} for each in details["errors"]]
    return type(error)(error.code, error.message, f"/changes{error.pointer}", details)


def _check_caller(act: CallersAct, old: Record) -> None:
    """Refuse a member whom the record is about, or who did not post it."""
    if act.caller.member_id is None:
        return
    for batch in derivation.stored(act.session, Record.id == old.id):
        act.decides_on(*_about(act, [body for _, body in batch]))
    if old.actor_member_id != act.caller.member_id:
        raise ForbiddenError("record-not-own", "Expected a record that this token's member posted.")


def _about(act: CallersAct, bodies: Collection[Submitted]) -> set[UUID]:
    """Return the members whom bodies are about."""
    references = find_references(act.session, act.network, bodies)
    judged = (body.judge(references, None).member for body in bodies)
    return {someone.id for someone in judged if someone is not None}


def _made_before(session: WriteSession, after: Record, body: Submitted) -> Submission:
    """Return the correction that a record has, if it says the same."""
    if after.kind == "void":
        raise ConflictError("record-void", "Expected a record that is not void.")
    kept = session.get(RecordBody, after.id)
    if kept is not None and kept.body == body.kept:
        return Submission(after, "duplicate")
    newest = records.corrections_of(session, after)[0]
    message = "Expected the record that counts now: this one was corrected already. Correct that one."
    raise ConflictError("record-corrected", message, details={"id": str(newest.id)})


def _judged(act: CallersAct, prepared: Prepared) -> JudgedRecord:
    """Return the new record as it is judged; it is as late as the old one was, if nobody has decided on that."""
    old, body = prepared.old, prepared.body
    recording.refuse_future(act, body, "/changes/occurred_at")
    said = act.session.get_one(RecordBody, old.id).body
    record = recording.sealed(
        act,
        body.kept,
        kind=old.kind,
        occurred_at=body.occurred_at,
        tier=old.tier if said.get("type") == body.kept.get("type") else derivation.SELF_REPORTED,
        voids=old.id,
        first_id=old.first_id or old.id,
    )
    looked_at = old.occurred_at is not None and body.occurred_at >= old.occurred_at and _was_let_pass(act, prepared)
    actor = recording.actor_of(act)
    try:
        acceptances.check(act, prepared.references, actor, body)
    except ServiceError as error:
        raise _within_changes(error) from error
    released: recording.Released | None = "all" if looked_at else None
    judged = recording.judge(act.session, prepared.references, actor, record, body, released)
    if judged.judgement.refusal is not None:
        raise _within_changes(judged.judgement.refusal)
    return judged


def _was_let_pass(act: CallersAct, prepared: Prepared) -> bool:
    """Return whether somebody has released what was late in what is corrected."""
    passed = (Flag.record_id.in_(prepared.line), Flag.kind == "late", Flag.state == "released")
    return bool(act.session.scalar(select(exists().where(*passed))))


def _judge_again(act: CallersAct, evaluations: Collection[UUID], new: Record) -> set[UUID]:
    """Derive the evaluations of a corrected contribution again, of its correction; return whom they are about now.

    They keep their tiers. One that cannot be true now (somebody would have judged themself) is quarantined; so are all
    if the correction is, until it is released.
    """
    bearing: set[UUID] = set()
    for batch in derivation.stored(act.session, Record.id.in_(evaluations)):
        references = find_references(act.session, act.network, [body for _, body in batch])
        for record, body in batch:
            actor = derivation.actor_of(act.session, record)
            judgement = body.judge(references, actor.member if actor is not None else None)
            record.accepted_at = act.now
            if new.status == "quarantined":
                record.status = "quarantined"
                flags.add(act, "contribution", record.id, other=new.id, sets_aside=True)
                recording.tell_quarantined(act, record, "contribution-quarantined")
            elif judgement.refusal is not None:
                record.status = "quarantined"
                recording.tell_quarantined(act, record, judgement.refusal.code)
            elif judgement.gap is not None:
                record.status, record.held_for, record.held_code = "held", judgement.gap.ref, judgement.gap.code
            else:
                derivation.add(act.session, derivation.derive(references, judgement, record, body))
                bearing |= {judgement.member.id} if judgement.member is not None else set()
    act.session.flush()
    return bearing
