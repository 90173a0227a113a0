"""Evidence: what comes in is recorded as it came, sealed, and what follows from it is derived.

A record is never changed by what comes later: a correction is another record that voids it. Evidence that names a
member who is not known yet is held, whole, and flows in when the member is posted. Evidence says nothing of awards:
those follow from the rules alone, whoever holds the token.

Over 400 lines because coming in, being let in later and being taken back are one life.
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from service.access import callers
from service.access.callers import Caller
from service.awards import settling
from service.bodies import Body, Prose
from service.criteria import rejudging
from service.criteria import topics as listening
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, ServiceError
from service.evidence import derivation, scrutiny
from service.evidence import flags as evidence_flags
from service.evidence.bodies import Derived, References, Submitted, seal
from service.evidence.derivation import SHAPES, Actor
from service.evidence.scrutiny import Entrant, Finding
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession, place_at_commit
from service.tables import Award, Network, Record, RecordBody
from service.tables.identifiers import new_id

Kind = Literal["contribution", "evaluation"]
SKEW = timedelta(minutes=5)
"""How far ahead of ours a sender's clock may be."""


class VoidIn(Body):
    """Why a record no longer counts."""

    reason: Prose = Field(examples=["Posted for the wrong member."])


@dataclass(frozen=True)
class Submission:
    """What became of a body: its record, new or there before, and what followed at once.

    `waits_for` points into the body, at the member who is not known yet; `member_id` is on whom it bears; `flags` are
    the kinds of what is odd about it.
    """

    record: Record
    status: Literal["accepted", "duplicate", "held", "quarantined"]
    waits_for: str | None = None
    member_id: UUID | None = None
    flags: tuple[str, ...] = ()
    awards: tuple[Award, ...] = ()


def submit(
    session: WriteSession,
    running: Runtime,
    network: Network,
    caller: Caller | None,
    kind: Kind,
    body: Submitted,
    now: datetime,
) -> Submission:
    """Record one contribution or evaluation, and award at once what the member has earned by it automatically.

    Raises:
        InvalidError, ForbiddenError: it cannot be true, or not from this caller; the pointer says where.
        ConflictError: its `ref` or `source` is another record's (code "record-differs").
    """
    [outcome] = submit_all(session, network, caller, kind, [body], now)
    if isinstance(outcome, ServiceError):
        raise outcome
    if outcome.status != "accepted" or outcome.member_id is None:
        return outcome
    made = settling.settle(session, running, network, [outcome.member_id], now)
    return replace(outcome, awards=tuple(made))


def submit_all(
    session: WriteSession,
    network: Network,
    caller: Caller | None,
    kind: Kind,
    bodies: Sequence[Submitted],
    now: datetime,
) -> list[Submission | ServiceError]:
    """Record the bodies, at most 500, and return for each, in order, what became of it.

    What one is refused for does not touch the others. The members on whom they bear are marked, for
    `awards.settle` or `awards.settle_pending`.

    1. One round takes in whatever has keys of its own.
    2. What shares a key with a body before it, or with one that was committed in the meantime, waits for the next
       round, and finds that one's record there.

    Args:
        caller: who posts; None for the operator at the command line.
    Raises:
        UnauthenticatedError: the caller's token was revoked since the request began (code "token-revoked").
    """
    if caller is not None:
        callers.still_good(session, caller)
    actor = _actor(session, caller, now)
    references = derivation.look_up(session, network, bodies)
    outcomes: dict[int, Submission | ServiceError] = {}
    topics: defaultdict[UUID, set[str]] = defaultdict(set)
    while len(outcomes) < len(bodies):
        waiting = {place: body for place, body in enumerate(bodies) if place not in outcomes}
        found = _found(session, network, kind, waiting.values())
        fresh: dict[int, _Entry] = {}
        claimed: set[tuple[str, ...]] = set()
        for place, body in waiting.items():
            try:
                if not found.keys().isdisjoint(body.natural_keys):
                    outcomes[place] = _duplicate(body, [found[key] for key in body.natural_keys if key in found])
                elif claimed.isdisjoint(body.natural_keys):  # (2)
                    fresh[place] = _entry(references, caller, actor, kind, body, now)
                    claimed |= body.natural_keys
            except ServiceError as error:
                outcomes[place] = error
        taken = _take_in(session, network, fresh, now)  # (1)
        outcomes |= taken
        for place, outcome in taken.items():
            if isinstance(outcome, Submission) and outcome.status == "accepted":
                for member_id, heard in listening.heard(fresh[place].derived).items():
                    topics[member_id] |= heard
    rejudging.mark_topics(session, network, topics, now)
    return [outcomes[place] for place in range(len(bodies))]


def release_held(session: WriteSession, network: Network, refs: Collection[str], now: datetime) -> set[UUID]:
    """Let flow in what waited for these members, and return the members on whom it bears, marked to be settled.

    What waits for another member too goes on waiting. What cannot be true now that the people in it are known
    (somebody evaluates themself) is quarantined: it stays on record, counts nowhere, and an event says so.
    """
    held = (Record.network_id == network.id, Record.held_for.in_(refs))
    kinds = set(session.scalars(select(Record.kind).where(*held).distinct()))
    bearing: set[UUID] = set()
    for kind in SHAPES:
        if kind in kinds:
            for batch in derivation.stored(session, *held, Record.kind == kind, lock=True):
                bearing |= admit(session, network, batch, now)
    rejudging.mark(session, network, bearing, now)
    return bearing


def admit(
    session: WriteSession,
    network: Network,
    batch: Sequence[tuple[Record, Submitted]],
    now: datetime,
    released: Literal["held", "token", "all"] = "held",
) -> set[UUID]:
    """Decide anew on records that do not count, and return the members on whom those bear that are accepted now.

    What waits for a member is held; what cannot be true, or was not looked at and is odd, is quarantined, and an event
    says so.

    Args:
        released: what they were kept from counting for, until now: "held" for a member, because of their "token", or
            for "all" that was odd about them, on which somebody has decided.
    """
    references = derivation.look_up(session, network, [body for _, body in batch])
    acting = derivation.actors(session, [(record.actor_member_id, record.received_at) for record, _ in batch])
    entrants: dict[UUID, Entrant] = {}
    for record, body in batch:
        actor = acting.get((record.actor_member_id, record.received_at))
        who = actor.member if actor else None
        try:
            body.check(references, who)
            gap = body.gap(references)
            if gap is not None:
                record.status, record.held_for = "held", gap.ref
                continue
            body.check_people(references, who)
        except ServiceError as error:
            record.status, record.held_for = "quarantined", None
            events.append(session, network, "record.quarantined", {"record": str(record.id), "code": error.code}, now)
            continue
        record.status, record.held_for, record.accepted_at = "accepted", None, now
        record.tier = derivation.tier(actor, body.bears_on(references))
        if released != "all" and scrutiny.is_late(network, record):
            record.tier = derivation.lowered(record.tier)
        entrants[record.id] = Entrant(record, body.kept, derivation.derive(references, actor, record, body))
    odd = scrutiny.look(session, network, list(entrants.values())) if released == "held" else {}
    for record_id, findings in odd.items():
        scrutiny.write_down(session, network, entrants[record_id], findings, now)
        if scrutiny.sets_aside(findings):
            entrants.pop(record_id).record.status = "quarantined"
            about = {"record": str(record_id), "code": "evidence-odd"}
            events.append(session, network, "record.quarantined", about, now)
    session.flush()
    derivation.add(session, [row for entrant in entrants.values() for row in entrant.derived])
    return {entrant.member_id for entrant in entrants.values() if entrant.member_id is not None}


def void(
    session: WriteSession,
    running: Runtime,
    network: Network,
    caller: Caller,
    record_id: UUID,
    body: VoidIn,
    now: datetime,
) -> tuple[Record, bool]:
    """Take a record back, and return the record that voids it and whether it is new.

    What was derived from it goes, with the evaluations of a contribution; awards that rested on it are decided again.

    Raises:
        NotFoundError: the network has no such record (code "record-unknown").
        ConflictError: it is itself a void (code "void-of-void").
        ForbiddenError: a member's token voids what that member did not post (code "record-not-own").
        CustodyError: an award is lost and that cannot be signed now; nothing has changed.
    """
    found = select(Record).where(Record.id == record_id, Record.network_id == network.id)
    record = session.scalar(found.with_for_update(key_share=True))
    if record is None:
        raise NotFoundError("record-unknown", "No record of this network has this id.")
    if record.kind == "void":
        raise ConflictError("void-of-void", "Expected a contribution or an evaluation; what is void stays void.")
    if caller.member_id is not None and record.actor_member_id != caller.member_id:
        raise ForbiddenError("record-not-own", "Expected a record that this token's member posted.")
    before = session.scalar(select(Record).where(Record.voids == record.id))
    if before is not None:
        return before, False
    said = body.model_dump()
    tier = derivation.tier(_actor(session, caller, now), None)
    made = _sealed(network, caller, said, now, kind="void", status="accepted", tier=tier, voids=record.id)
    session.add(made)
    record.held_for = None  # nothing flows in from it any more
    session.flush()
    derivation.add(session, [(RecordBody, {"record_id": made.id, "body": said})])
    fallen = derivation.forget(session, [record.id], now, made.id)
    evidence_flags.settle(session, {record.id, *evidence_flags.resting_on(session, [record.id])}, "voided", caller, now)
    events.append(session, network, "record.voided", {"record": str(record.id), "void": str(made.id)}, now)
    rejudging.mark(session, network, fallen.member_ids, now)
    settling.review_after_void(session, running, network, fallen.record_ids, now)
    settling.settle(session, running, network, fallen.member_ids, now)
    return made, True


@dataclass(frozen=True)
class _Entry:
    """A body that may come in, with everything to be inserted for it."""

    submission: Submission
    kept: dict[str, Any]
    derived: Derived

    @property
    def record(self) -> Record:
        return self.submission.record

    @property
    def entrant(self) -> Entrant:
        return Entrant(self.record, self.kept, self.derived)

    def judged(self, findings: Sequence[Finding]) -> "_Entry":
        """Return the entry as it may come in after what was found about it."""
        submission = replace(self.submission, flags=tuple(finding.kind for finding in findings))
        if not scrutiny.sets_aside(findings):
            return replace(self, submission=submission)
        self.record.status = "quarantined"
        return _Entry(replace(submission, status="quarantined", member_id=None), self.kept, [])


def _entry(
    references: References, caller: Caller | None, actor: Actor | None, kind: Kind, body: Submitted, now: datetime
) -> _Entry:
    if body.occurred_at > now + SKEW:
        raise InvalidError("time-in-future", "Expected a time at most five minutes ahead of ours.", "/occurred_at")
    who = actor.member if actor else None
    body.check(references, who)
    gap = body.gap(references)
    if gap is None:
        body.check_people(references, who)
    judged, kept = body.bears_on(references), body.kept
    status: Literal["held", "accepted"] = "held" if gap else "accepted"
    record = _sealed(
        references.network,
        caller,
        kept,
        now,
        kind=kind,
        ref=body.ref,
        source_system=body.source.system if body.source else None,
        source_id=body.source.id if body.source else None,
        occurred_at=body.occurred_at,
        tier=derivation.tier(actor, judged),
        status=status,
        held_for=gap.ref if gap else None,
    )
    if scrutiny.is_late(references.network, record):
        record.tier = derivation.lowered(record.tier)
    derived = [] if gap else derivation.derive(references, actor, record, body)
    return _Entry(
        Submission(record, status, gap.pointer if gap else None, judged.id if judged else None), kept, derived
    )


def _take_in(
    session: WriteSession, network: Network, fresh: Mapping[int, _Entry], now: datetime
) -> dict[int, Submission | ServiceError]:
    """Insert entries, set aside what is odd, and return what became of those whose keys were free."""
    odd = scrutiny.look(session, network, [entry.entrant for entry in fresh.values() if entry.derived])
    entries = {place: entry.judged(odd.get(entry.record.id, [])) for place, entry in fresh.items()}
    inserted = _insert(session, entries.values())
    there = {place: entry for place, entry in entries.items() if entry.record.id in inserted}
    lost = {entry.record.id for entry in entries.values()} - inserted
    for place, entry in there.items():
        # What lost its key to somebody else's record is not there to be pointed at.
        found = [
            replace(finding, other_id=None) if finding.other_id in lost else finding
            for finding in odd.get(entry.record.id, [])
        ]
        scrutiny.write_down(session, network, fresh[place].entrant, found, now)
        if entry.record.status == "quarantined":
            about = {"record": str(entry.record.id), "code": "evidence-odd"}
            events.append(session, network, "record.quarantined", about, now)
    return {place: entry.submission for place, entry in there.items()}


def _sealed(network: Network, caller: Caller | None, kept: Mapping[str, Any], now: datetime, **columns: Any) -> Record:
    salt = secrets.token_hex(16)
    return Record(
        id=new_id(),
        network_id=network.id,
        received_at=now,
        token_id=caller.token_id if caller else None,
        actor_member_id=caller.member_id if caller else None,
        body_digest=seal(salt, kept),
        salt=salt,
        **columns,
    )


def _duplicate(body: Submitted, found: Sequence[Record]) -> Submission:
    """Return the record that a repeated body has already.

    A record whose body was erased cannot be compared any more; what was erased does not come in again.

    Raises:
        ConflictError: it is another body, or `ref` and `source` are those of two records (code "record-differs").
    """
    record = found[0]
    one = all(other.id == record.id for other in found)
    if not one or (record.salt is not None and seal(record.salt, body.kept) != record.body_digest):
        message = (
            "Expected a new ref or source: a record with another body has this one. Void that, and post a new one."
        )
        pointer = "/ref" if body.ref is not None else "/source"
        raise ConflictError("record-differs", message, pointer, {"id": str(record.id)})
    return Submission(record, "duplicate")


def _found(
    session: WriteSession, network: Network, kind: Kind, bodies: Iterable[Submitted]
) -> dict[tuple[str, ...], Record]:
    """Return the records that are there already, by their natural keys."""
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


def _insert(session: WriteSession, entries: Collection[_Entry]) -> set[UUID]:
    """Insert records with what belongs to them, and return the ids of those whose keys were free.

    They go in by the order of their keys, so that two who insert the same ones never wait for each other.
    """
    if not entries:
        return set()
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    names = [column.key for column in Record.__table__.columns]
    rows = [{name: getattr(entry.record, name) for name in names} for entry in entries]
    rows.sort(key=lambda row: (row["source_system"] or "", row["source_id"] or "", row["ref"] or ""))
    statement = dialect.insert(Record).on_conflict_do_nothing().returning(Record.id)
    inserted = set(session.scalars(statement, rows))
    there = [entry for entry in entries if entry.record.id in inserted]
    for entry in there:
        place_at_commit(session, entry.record)
    bodies = [(RecordBody, {"record_id": entry.record.id, "body": entry.kept}) for entry in there]
    derivation.add(session, [*bodies, *(row for entry in there for row in entry.derived)])
    return inserted


def _actor(session: WriteSession, caller: Caller | None, now: datetime) -> Actor | None:
    if caller is None or caller.member_id is None:
        return None
    return derivation.actors(session, [(caller.member_id, now)])[caller.member_id, now]
