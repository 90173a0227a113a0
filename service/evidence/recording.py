"""Record evidence as it came, seal it, and derive what follows from it.

Nothing that comes later changes a record: a correction (`corrections`) is another record that voids it. Evidence that names a member
who is not known yet is held, whole, and judged again when the member is posted. Evidence cannot grant an award: awards
follow from the rules alone, no matter who holds the token.
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from credentials.instants import write_instant
from service.access import callers
from service.access.act import Act
from service.errors import ConflictError, ErasedError, InvalidError, ServiceError
from service.evidence import acceptances, confidential, derivation, records, rubrics, scrutiny, topics
from service.evidence.bodies import Derived, Judgement, References, Submitted, seal
from service.evidence.confidential import Lessened
from service.evidence.derivation import SHAPES, Actor
from service.evidence.scrutiny import Entrant, Finding
from service.outbox import events
from service.storage.database import WriteSession, insert_for, place_at_commit
from service.tables import Award, Record, RecordBody, RubricUse
from service.tables.identifiers import new_id

Kind = Literal["contribution", "evaluation"]
Released = Literal["held", "token", "all"]
"""Why a record did not count until now.

held: it waited for a member, or for their acceptance; token: it came with a leaked token; all: for anything odd, on which somebody has decided.
"""
SKEW = timedelta(minutes=5)
"""How far ahead of ours a sender's clock may be."""


@dataclass(frozen=True)
class Submission:
    """What became of a body: its record, new or existing, and what followed at once.

    `waits_for` is a JSON pointer into the body, to the member for whom it waits, and `held_code` why; `member_id` is the
    member whom it is about; `flags` are the kinds of what is odd about it; `awards_wait` if awards that it may complete cannot be signed
    now; `left_out` are JSON pointers to what is not stored, because it is about a confidential session.
    """

    record: Record
    status: Literal["accepted", "duplicate", "held", "quarantined"]
    waits_for: str | None = None
    held_code: str | None = None
    member_id: UUID | None = None
    flags: tuple[str, ...] = ()
    awards: tuple[Award, ...] = ()
    awards_wait: bool = False
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class JudgedRecord(Entrant):
    """A new record, or one that is judged again, with its judgement."""

    judgement: Judgement

    @property
    def kept(self) -> Derived:
        """What is kept of it beside the record whether it counts or not."""
        rows: Derived = [(RecordBody, {"record_id": self.record.id, "body": self.body})]
        scale = self.judgement.scale
        return rows + ([(RubricUse, {"record_id": self.record.id, "rubric_version_id": scale.id})] if scale else [])

    def submission(self, findings: Collection[Finding]) -> Submission:
        """Return what became of the body, given what was found about it."""
        kinds = tuple(finding.kind for finding in findings)
        if scrutiny.sets_aside(findings):
            return Submission(self.record, "quarantined", flags=kinds)
        gap, member = self.judgement.gap, self.judgement.member
        member_id = member.id if member is not None else None
        if gap is not None:
            return Submission(self.record, "held", gap.pointer, gap.code, member_id, kinds)
        return Submission(self.record, "accepted", member_id=member_id, flags=kinds)


def record_all(
    act: Act, kind: Kind, bodies: Sequence[Submitted]
) -> tuple[list[Submission | ServiceError], dict[UUID, set[str]]]:
    """Record at most 500 bodies, and return for each, in order, what became of it.

    If one is refused, the others are recorded all the same. Returned too are the topics of the new evidence, by the
    member whom it is about.

    1. A round records each body whose keys no other has.
    2. A body that shares a key with one before it, or with one that was committed in the meantime, waits for the next
       round, and finds the record of that one there.

    Args:
        act: its caller is who posts; None for the operator at the command line.
    Raises:
        UnauthenticatedError: the caller's token was revoked since the request began (code "token-revoked").
    """
    if act.caller is not None:
        callers.still_good(act.session, act.caller)
    actor = actor_of(act)
    chosen = acceptances.take_turns(act, bodies)
    lessened = confidential.lessen(act.session, act.network, chosen, bodies)
    bodies = [each.body for each in lessened]
    references = derivation.look_up(act.session, act.network, bodies)
    references = rubrics.held_against(act.session, act.network, references, bodies)
    references = acceptances.with_owing(act.session, act.network, chosen, references, bodies)
    outcomes: dict[int, Submission | ServiceError] = {}
    fresh_topics: defaultdict[UUID, set[str]] = defaultdict(set)
    while len(outcomes) < len(bodies):
        waiting = {place: body for place, body in enumerate(bodies) if place not in outcomes}
        found = records.with_keys(act.session, act.network, kind, waiting.values())
        accepted = acceptances.there(act.session, act.network, references, waiting.values())
        fresh: dict[int, JudgedRecord] = {}
        claimed: set[tuple[str, ...]] = set()
        for place, body in waiting.items():
            acceptance = acceptances.key_of(body)
            keys = body.natural_keys | acceptance
            try:
                if not found.keys().isdisjoint(body.natural_keys):
                    there = [found[key] for key in body.natural_keys if key in found]
                    outcomes[place] = _duplicate(act.session, (body, lessened[place].came), there)
                elif not accepted.keys().isdisjoint(acceptance):  # accepted twice is accepted once
                    outcomes[place] = Submission(next(accepted[key] for key in acceptance), "duplicate")
                elif claimed.isdisjoint(keys):  # (2)
                    fresh[place] = _judge_new(act, references, actor, kind, body)
                    claimed |= keys
            except ServiceError as error:
                outcomes[place] = error
        taken = _take_in(act, fresh)  # (1)
        outcomes |= taken
        for place, outcome in taken.items():
            if outcome.status == "accepted":
                for member_id, heard in topics.heard(fresh[place].derived).items():
                    fresh_topics[member_id] |= heard
    return [_told(outcomes[place], each) for place, each in enumerate(lessened)], fresh_topics


def release_held(act: Act, refs: Collection[str]) -> set[UUID]:
    """Judge evidence that waited for these members, and return the members affected.

    These are the members whom evidence is about that counts from now on.

    Evidence that waits for another member too goes on waiting. Evidence that cannot be true now that the people in it
    are known (somebody evaluates themself) is quarantined: it stays on record, counts nowhere, and an event says so.
    """
    held = (Record.network_id == act.network.id, Record.held_for.in_(refs))
    kinds = set(act.session.scalars(select(Record.kind).where(*held).distinct()))
    bearing: set[UUID] = set()
    for kind in SHAPES:
        if kind in kinds:
            for batch in derivation.stored(act.session, *held, Record.kind == kind, lock=True):
                bearing |= admit(act, batch)
    return bearing


def judge(
    session: WriteSession,
    references: References,
    actor: Actor | None,
    record: Record,
    body: Submitted,
    released: Released | None = None,
) -> JudgedRecord:
    """Judge a record by itself, write the result into it, and return what follows.

    It counts, waits for a member who is not known yet or has not accepted the guidelines, or cannot be true. Late evidence counts a tier lower, unless
    somebody has looked at it. A record that goes on waiting keeps the tier with which it came. A correction came with
    what it corrects, and its tier is not above that of it.

    Args:
        released: why it did not count until now; None: it is new.
    """
    first = session.get_one(Record, record.first_id) if record.first_id is not None else record
    late = released != "all" and scrutiny.is_late(references.network, record, first)
    judgement = body.judge(references, actor.member if actor else None)
    if judgement.refusal is None and judgement.gap is None:
        judgement = judgement._replace(gap=acceptances.gap(references, judgement, body, first))
    gap = judgement.gap
    record.status = "quarantined" if judgement.refusal is not None else "held" if gap is not None else "accepted"
    record.held_for, record.held_code = (gap.ref, gap.code) if gap is not None else (None, None)
    if record.status == "accepted" or released is None:
        tier = derivation.tier_of(session, record, actor, judgement)
        record.tier = derivation.lowered(tier) if late else tier
    derived = derivation.derive(references, judgement, record, body) if record.status == "accepted" else []
    return JudgedRecord(record, body.kept, derived, late, judgement)


def admit(act: Act, batch: Sequence[tuple[Record, Submitted]], released: Released = "held") -> set[UUID]:
    """Judge again records that do not count; return whom the accepted ones are about.

    A record that waits for a member is held. One that cannot be true, or is odd and was not looked at, is quarantined,
    and an event says so.

    Args:
        released: why they did not count until now.
    """
    bodies = [body for _, body in batch]
    references = derivation.look_up(act.session, act.network, bodies)
    chosen = acceptances.chosen_by(act.session, act.network)
    references = acceptances.with_owing(act.session, act.network, chosen, references, bodies)
    acting = derivation.actors(act.session, [(record.actor_member_id, record.received_at) for record, _ in batch])
    entrants: dict[UUID, Entrant] = {}
    for record, body in batch:
        actor = acting.get((record.actor_member_id, record.received_at))
        judged = judge(act.session, references, actor, record, body, released)
        if judged.judgement.refusal is not None:
            tell_quarantined(act, record, judged.judgement.refusal.code)
        elif record.status == "accepted":
            record.accepted_at = act.now
            entrants[record.id] = judged
    odd = scrutiny.look(act.session, act.network, list(entrants.values())) if released == "held" else {}
    for record_id, findings in odd.items():
        flag(act, entrants[record_id], findings)
        if scrutiny.sets_aside(findings):
            entrants.pop(record_id).record.status = "quarantined"
    act.session.flush()
    derivation.add(act.session, [row for entrant in entrants.values() for row in entrant.derived])
    return {entrant.member_id for entrant in entrants.values() if entrant.member_id is not None}


def refuse_future(act: Act, body: Submitted, where: str) -> None:
    """Refuse evidence of what has not happened yet; clocks may differ a little.

    Args:
        where: JSON pointer to the time in what was sent.
    Raises:
        InvalidError: it is more than `SKEW` ahead (code "time-in-future").
    """
    if body.occurred_at > act.now + SKEW:
        ours, theirs = write_instant(act.now), write_instant(body.occurred_at)
        said = f"Expected a time at most five minutes ahead of ours, which is {ours}; got {theirs}."
        raise InvalidError("time-in-future", said, where)


def _judge_new(act: Act, references: References, actor: Actor | None, kind: Kind, body: Submitted) -> JudgedRecord:
    """Make the record of a body that nobody has posted before, and judge it.

    Raises:
        ServiceError: it cannot be true.
    """
    refuse_future(act, body, "/occurred_at")
    _refuse_erased(references, body)
    acceptances.check(act, references, actor, body)
    source = body.source
    named = {
        "ref": body.ref,
        "source_system": source.system if source else None,
        "source_id": source.id if source else None,
    }
    record = sealed(act, body.kept, kind=kind, occurred_at=body.occurred_at, **named)
    judged = judge(act.session, references, actor, record, body)
    if judged.judgement.refusal is not None:
        raise judged.judgement.refusal
    return judged


def _refuse_erased(references: References, body: Submitted) -> None:
    """Let a new body pass if neither it nor the contribution that it is about names somebody who was erased.

    Raises:
        ErasedError: it does; the pointer says where, if it is in the body itself.
    """
    named = [references.members[ref] for ref in body.mentions.members if ref and ref in references.members]
    works = [references.works[name].member for name in body.mentions.works if name and name in references.works]
    if not any(someone and someone.id in references.erased for someone in (*named, *works)):
        return
    others = {ref: someone for ref, someone in references.members.items() if someone.id not in references.erased}
    gap = body.judge(replace(references, members=others), None).gap
    raise ErasedError(gap.pointer if gap is not None else "")


def _take_in(act: Act, fresh: Mapping[int, JudgedRecord]) -> dict[int, Submission]:
    """Insert records, set odd ones aside, and return what became of those whose keys were free."""
    odd = scrutiny.look(act.session, act.network, [each for each in fresh.values() if each.derived])
    for each in fresh.values():
        if scrutiny.sets_aside(odd.get(each.record.id, ())):
            each.record.status = "quarantined"
    inserted = _insert(act.session, fresh.values())
    lost = {each.record.id for each in fresh.values()} - inserted
    taken = {}
    for place, each in fresh.items():
        if each.record.id in lost:
            continue
        # A record that lost its key to somebody else's was not inserted, so nothing can point to it.
        findings = [
            replace(finding, other_id=None) if finding.other_id in lost else finding
            for finding in odd.get(each.record.id, ())
        ]
        flag(act, each, findings)
        taken[place] = each.submission(findings)
    return taken


def flag(act: Act, entrant: Entrant, findings: Collection[Finding]) -> None:
    """Raise the flags for what is odd about a record, and append an event if that sets it aside."""
    scrutiny.write_down(act, entrant, findings)
    if scrutiny.sets_aside(findings):
        tell_quarantined(act, entrant.record, "evidence-odd")


def tell_quarantined(act: Act, record: Record, code: str) -> None:
    """Append the event that a record does not count.

    Args:
        code: why not.
    """
    events.append(act, "record.quarantined", {"record": str(record.id), "code": code})


def sealed(act: Act, kept: Mapping[str, Any], **columns: Any) -> Record:
    """Return a new record with the salted digest of what is kept of its body."""
    salt = secrets.token_hex(16)
    return Record(
        id=new_id(),
        network_id=act.network.id,
        received_at=act.now,
        token_id=act.caller.token_id if act.caller else None,
        actor_member_id=act.caller.member_id if act.caller else None,
        body_digest=seal(salt, kept),
        salt=salt,
        **columns,
    )


def _told(outcome: Submission | ServiceError, each: Lessened) -> Submission | ServiceError:
    """Return what became of a body, with what was left out of it."""
    if isinstance(outcome, ServiceError) or not each.left_out:
        return outcome
    return replace(outcome, left_out=each.left_out)


def _duplicate(session: WriteSession, bodies: Collection[Submitted], found: Sequence[Record]) -> Submission:
    """Return the record that a repeated body has already: that of its names, or a correction of it.

    A record whose body was erased cannot be compared any more; an erased body is not recorded again.

    Args:
        bodies: the body as it is recorded, and as it came.
    Raises:
        ConflictError: it is another body, or `ref` and `source` are those of two records (code "record-differs").
    """
    record = found[0]
    if all(other.id == record.id for other in found):
        for said in (record, *records.corrections_of(session, record)):
            if said.salt is None or any(seal(said.salt, body.kept) == said.body_digest for body in bodies):
                return Submission(said, "duplicate")
    message = (
        "Expected a new ref or source: a record with another body has this one. If it was wrong, correct it: "
        "POST .../records/{id}/correction."
    )
    pointer = "/ref" if any(body.ref is not None for body in bodies) else "/source"
    raise ConflictError("record-differs", message, pointer, {"id": str(record.id)})


def _insert(session: WriteSession, entrants: Collection[JudgedRecord]) -> set[UUID]:
    """Insert records with what belongs to them, and return the ids of those whose keys were free.

    They are inserted in the order of their keys, so that two requests with the same ones never wait for each other.
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
    kept = [row for entrant in there for row in entrant.kept]
    counting = [entrant for entrant in there if entrant.record.status == "accepted"]
    derivation.add(session, [*kept, *(row for entrant in counting for row in entrant.derived)])
    return inserted


def actor_of(act: Act) -> Actor | None:
    """Return the member who acts, and whether they attest now.

    None if the token is not bound to a member.
    """
    if act.caller is None:
        return None
    moment = (act.caller.member_id, act.now)
    return derivation.actors(act.session, [moment]).get(moment)
