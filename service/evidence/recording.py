"""Evidence: what comes in is recorded as it came, sealed, and what follows from it is derived.

A record is never changed by what comes later: a correction is another record that voids it. Evidence that names a
member who is not known yet is held, whole, and flows in when the member is posted. Evidence says nothing of awards:
those follow from the rules alone, whoever holds the token.
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from service.access import callers
from service.access.callers import Caller
from service.errors import ConflictError, InvalidError, ServiceError
from service.evidence import derivation, records, scrutiny
from service.evidence import topics as evidence_topics
from service.evidence.bodies import Judgement, References, Submitted, seal
from service.evidence.derivation import SHAPES, Actor
from service.evidence.scrutiny import Entrant, Finding
from service.outbox import events
from service.storage.database import WriteSession, insert_for, place_at_commit
from service.tables import Award, Network, Record, RecordBody
from service.tables.identifiers import new_id

Kind = Literal["contribution", "evaluation"]
Released = Literal["held", "token", "all"]
"""What a record was kept from counting for: a member, its token, or all that was odd, on which somebody has decided."""
SKEW = timedelta(minutes=5)
"""How far ahead of ours a sender's clock may be."""


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


@dataclass(frozen=True)
class JudgedRecord(Entrant):
    """A record that comes in, or that is decided on anew, and what it is judged to be."""

    judgement: Judgement

    def submission(self, findings: Collection[Finding]) -> Submission:
        """Return what became of the body, after what was found about it."""
        kinds = tuple(finding.kind for finding in findings)
        if scrutiny.sets_aside(findings):
            return Submission(self.record, "quarantined", flags=kinds)
        gap, member = self.judgement.gap, self.judgement.member
        member_id = member.id if member is not None else None
        if gap is not None:
            return Submission(self.record, "held", gap.pointer, member_id, kinds)
        return Submission(self.record, "accepted", None, member_id, kinds)


def record_all(
    session: WriteSession,
    network: Network,
    caller: Caller | None,
    kind: Kind,
    bodies: Sequence[Submitted],
    now: datetime,
) -> tuple[list[Submission | ServiceError], dict[UUID, set[str]]]:
    """Record the bodies, at most 500, and return for each, in order, what became of it.

    What one is refused for does not touch the others. Returned too are the topics that are new, by the member on whom
    they bear.

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
    actor = actor_of(session, caller, now)
    references = derivation.look_up(session, network, bodies)
    outcomes: dict[int, Submission | ServiceError] = {}
    topics: defaultdict[UUID, set[str]] = defaultdict(set)
    while len(outcomes) < len(bodies):
        waiting = {place: body for place, body in enumerate(bodies) if place not in outcomes}
        found = records.with_keys(session, network, kind, waiting.values())
        fresh: dict[int, JudgedRecord] = {}
        claimed: set[tuple[str, ...]] = set()
        for place, body in waiting.items():
            try:
                if not found.keys().isdisjoint(body.natural_keys):
                    outcomes[place] = _duplicate(body, [found[key] for key in body.natural_keys if key in found])
                elif claimed.isdisjoint(body.natural_keys):  # (2)
                    fresh[place] = _judge_new(references, caller, actor, kind, body, now)
                    claimed |= body.natural_keys
            except ServiceError as error:
                outcomes[place] = error
        taken = _take_in(session, network, fresh, now)  # (1)
        outcomes |= taken
        for place, outcome in taken.items():
            if outcome.status == "accepted":
                for member_id, heard in evidence_topics.heard(fresh[place].derived).items():
                    topics[member_id] |= heard
    return [outcomes[place] for place in range(len(bodies))], topics


def release_held(session: WriteSession, network: Network, refs: Collection[str], now: datetime) -> set[UUID]:
    """Let flow in what waited for these members, and return the members on whom it bears.

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
    return bearing


def judge(
    references: References,
    actor: Actor | None,
    record: Record,
    body: Submitted,
    released: Released | None = None,
) -> JudgedRecord:
    """Decide on a record by itself, write that down in it, and return what follows.

    It counts, it waits for a member who is not known yet, or it cannot be true. Late evidence counts a tier lower,
    unless somebody has looked at it. What goes on waiting keeps the tier with which it came.

    Args:
        released: what it was kept from counting for, until now; None: it is new.
    """
    judgement = body.judge(references, actor.member if actor else None)
    gap = judgement.gap
    record.status = "quarantined" if judgement.refusal is not None else "held" if gap is not None else "accepted"
    record.held_for = gap.ref if gap is not None else None
    if record.status == "accepted" or released is None:
        record.tier = derivation.tier(actor, judgement.member)
        if released != "all" and scrutiny.is_late(references.network, record):
            record.tier = derivation.lowered(record.tier)
    derived = derivation.derive(references, judgement, record, body) if record.status == "accepted" else []
    return JudgedRecord(record, body.kept, derived, judgement)


def admit(
    session: WriteSession,
    network: Network,
    batch: Sequence[tuple[Record, Submitted]],
    now: datetime,
    released: Released = "held",
) -> set[UUID]:
    """Decide anew on records that do not count, and return the members on whom those bear that are accepted now.

    What waits for a member is held; what cannot be true, or was not looked at and is odd, is quarantined, and an event
    says so.

    Args:
        released: what they were kept from counting for, until now.
    """
    references = derivation.look_up(session, network, [body for _, body in batch])
    acting = derivation.actors(session, [(record.actor_member_id, record.received_at) for record, _ in batch])
    entrants: dict[UUID, Entrant] = {}
    for record, body in batch:
        judged = judge(references, acting.get((record.actor_member_id, record.received_at)), record, body, released)
        if judged.judgement.refusal is not None:
            _tell_quarantined(session, network, record, judged.judgement.refusal.code, now)
        elif record.status == "accepted":
            record.accepted_at = now
            entrants[record.id] = judged
    odd = scrutiny.look(session, network, list(entrants.values())) if released == "held" else {}
    for record_id, findings in odd.items():
        _flag(session, network, entrants[record_id], findings, now)
        if scrutiny.sets_aside(findings):
            entrants.pop(record_id).record.status = "quarantined"
    session.flush()
    derivation.add(session, [row for entrant in entrants.values() for row in entrant.derived])
    return {entrant.member_id for entrant in entrants.values() if entrant.member_id is not None}


def _judge_new(
    references: References, caller: Caller | None, actor: Actor | None, kind: Kind, body: Submitted, now: datetime
) -> JudgedRecord:
    """Return what a body that nobody has posted before is judged to be, with its record.

    Raises:
        ServiceError: it cannot be true.
    """
    if body.occurred_at > now + SKEW:
        raise InvalidError("time-in-future", "Expected a time at most five minutes ahead of ours.", "/occurred_at")
    source = body.source
    named = {
        "ref": body.ref,
        "source_system": source.system if source else None,
        "source_id": source.id if source else None,
    }
    record = sealed(references.network, caller, body.kept, now, kind=kind, occurred_at=body.occurred_at, **named)
    judged = judge(references, actor, record, body)
    if judged.judgement.refusal is not None:
        raise judged.judgement.refusal
    return judged


def _take_in(
    session: WriteSession, network: Network, fresh: Mapping[int, JudgedRecord], now: datetime
) -> dict[int, Submission]:
    """Insert records, set aside what is odd, and return what became of those whose keys were free."""
    odd = scrutiny.look(session, network, [each for each in fresh.values() if each.derived])
    for each in fresh.values():
        if scrutiny.sets_aside(odd.get(each.record.id, ())):
            each.record.status = "quarantined"
    inserted = _insert(session, fresh.values())
    lost = {each.record.id for each in fresh.values()} - inserted
    taken = {}
    for place, each in fresh.items():
        if each.record.id in lost:
            continue
        # What lost its key to somebody else's record is not there to be pointed at.
        findings = [
            replace(finding, other_id=None) if finding.other_id in lost else finding
            for finding in odd.get(each.record.id, ())
        ]
        _flag(session, network, each, findings, now)
        taken[place] = each.submission(findings)
    return taken


def _flag(
    session: WriteSession, network: Network, entrant: Entrant, findings: Collection[Finding], now: datetime
) -> None:
    """Raise the flags for what is odd about a record, and tell if it is set aside for that."""
    scrutiny.write_down(session, network, entrant, findings, now)
    if scrutiny.sets_aside(findings):
        _tell_quarantined(session, network, entrant.record, "evidence-odd", now)


def _tell_quarantined(session: WriteSession, network: Network, record: Record, code: str, now: datetime) -> None:
    events.append(session, network, "record.quarantined", {"record": str(record.id), "code": code}, now)


def sealed(network: Network, caller: Caller | None, kept: Mapping[str, Any], now: datetime, **columns: Any) -> Record:
    """Return a new record with the salted digest of what is kept of its body."""
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


def _insert(session: WriteSession, entrants: Collection[Entrant]) -> set[UUID]:
    """Insert records with what belongs to them, and return the ids of those whose keys were free.

    They go in by the order of their keys, so that two who insert the same ones never wait for each other.
    """
    if not entrants:
        return set()
    names = [column.key for column in Record.__table__.columns]
    rows = [{name: getattr(entrant.record, name) for name in names} for entrant in entrants]
    rows.sort(key=lambda row: (row["source_system"] or "", row["source_id"] or "", row["ref"] or ""))
    statement = insert_for(session)(Record).on_conflict_do_nothing().returning(Record.id)
    inserted = set(session.scalars(statement, rows))
    there = [entrant for entrant in entrants if entrant.record.id in inserted]
    for entrant in there:
        place_at_commit(session, entrant.record)
    bodies = [(RecordBody, {"record_id": entrant.record.id, "body": entrant.body}) for entrant in there]
    counting = [entrant for entrant in there if entrant.record.status == "accepted"]
    derivation.add(session, [*bodies, *(row for entrant in counting for row in entrant.derived)])
    return inserted


def actor_of(session: WriteSession, caller: Caller | None, now: datetime) -> Actor | None:
    """Return the member who acts, with their roles now; None where the token is no member's."""
    if caller is None or caller.member_id is None:
        return None
    return derivation.actors(session, [(caller.member_id, now)])[caller.member_id, now]
