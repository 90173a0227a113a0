"""Quarantine: what others may have posted with a leaked token stops counting, until somebody has looked at it.

A record that is set aside stays on record, with its seal; what was derived from it goes, and awards that rested on it
are decided again, as after a void. Released, it is taken in anew, and what it earns is awarded.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import aliased

from service.access import callers
from service.access.callers import Caller
from service.awards import settling
from service.bodies import Body, Instant, Prose
from service.criteria import rejudging
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from service.evidence import bodies, derivation, flags, recording
from service.evidence.derivation import SHAPES
from service.evidence.recording import VoidIn
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.tables import Contribution, Evaluation, Flag, Network, Record, Token

CHUNK = 100
"""Records that are decided on in one transaction."""


class TokenRevocationIn(Body):
    """What is to become of a token, and of what it has posted."""

    quarantine_since: Instant | None = Field(
        None, description="what it posted at this instant or later is quarantined; left out: what it posted stays"
    )


class QuarantineIn(Body):
    """What is to become of everything that a token posted and that is quarantined for it."""

    outcome: Literal["release", "void"]
    reason: Prose = Field(examples=["Checked against the register."])


@dataclass(frozen=True)
class Swept:
    """A token, and how many records were decided on."""

    token: Token
    count: int


def revoke_token(running: Runtime, network_id: UUID, token_id: str, body: TokenRevocationIn, now: datetime) -> Swept:
    """Revoke a token and set aside what it posted since a time, some at a time; whoever dies can begin again.

    1. With the revocation's commit nothing more is written with the token: what was being written is waited for.
    2. Each chunk stops counting, and what rested on it is decided again, in one transaction.
    3. What it voided stays void, as always, and is pointed out: it can be posted again.

    Raises:
        NotFoundError: the network has no such token.
        InvalidError: a time in the future (code "time-in-future").
        CustodyError: an award is lost and that cannot be signed now; the chunks before are set aside.
    """
    if body.quarantine_since is not None and body.quarantine_since > now:
        raise InvalidError("time-in-future", "Expected a time that is not in the future.", "/quarantine_since")
    with running.database.write() as session:  # (1)
        token = withdraw_token(session, session.get_one(Network, network_id), token_id, now)
    if body.quarantine_since is None:
        return Swept(token, 0)
    posted = (Record.token_id == token.id, Record.received_at >= body.quarantine_since)
    counting = (*posted, Record.kind.in_(SHAPES), Record.status.in_(("accepted", "held")), ~_voided())
    voids = (*posted, Record.kind == "void", ~_flagged())

    def set_aside(session: WriteSession, network: Network, record_ids: Sequence[UUID]) -> int:
        return _set_aside(session, running, network, record_ids, counting, now)

    def point_out(session: WriteSession, network: Network, record_ids: Sequence[UUID]) -> int:
        for row in _lock(session, record_ids).values():
            flags.add(session, network, "token", row.id, now, other=row.voids)
        return 0

    count = _sweep(running, network_id, counting, set_aside)  # (2)
    return Swept(token, count + _sweep(running, network_id, voids, point_out))  # (3)


def withdraw_token(session: WriteSession, network: Network, token_id: str, now: datetime) -> Token:
    """Revoke a token of the network, and say so; the second time changes nothing.

    Raises:
        NotFoundError: the network has no such token.
    """
    token = callers.get_token(session, token_id, network)
    before = token.revoked_at
    token = callers.revoke_token(session, token_id, now, network)
    if before is None:
        events.append(session, network, "token.revoked", {"token": str(token.id)}, now)
    return token


def decide_on_token(
    running: Runtime, network_id: UUID, token_id: str, caller: Caller, body: QuarantineIn, now: datetime
) -> Swept:
    """Release, or void, everything that is quarantined because of a token, some at a time.

    What cannot be released (it is odd for another reason too, or cannot be true any more) stays quarantined.

    Raises:
        NotFoundError: the network has no such token.
        CustodyError: as `evidence.void`; the chunks before are decided on.
    """
    with running.database.read() as session:
        token = callers.get_token(session, token_id, session.get_one(Network, network_id))
    waiting = (Record.token_id == token.id, Record.status == "quarantined", _flagged())

    def decide(session: WriteSession, network: Network, record_ids: Sequence[UUID]) -> int:
        if body.outcome == "release":
            return len(_release(session, running, network, record_ids, caller, now, "token"))
        for record_id in record_ids:
            recording.void(session, running, network, caller, record_id, VoidIn(reason=body.reason), now)
        return len(record_ids)

    return Swept(token, _sweep(running, network_id, waiting, decide))


def release(
    session: WriteSession, running: Runtime, network: Network, caller: Caller, record_id: UUID, now: datetime
) -> Record:
    """Let a quarantined record count, whatever it was set aside for; one that counts is given back as it is.

    Raises:
        NotFoundError: the network has no such record (code "record-unknown").
        ForbiddenError: a member's token that is not a facilitator's or assessor's, or is that of the member on whom
            the record bears (code "release-own").
        ConflictError: it is void (code "record-void"), or cannot be true (code "record-unfit").
        CustodyError: what it earns cannot be signed now; nothing has changed.
    """
    record = session.scalar(select(Record).where(Record.id == record_id, Record.network_id == network.id))
    if record is None:
        raise NotFoundError("record-unknown", "No record of this network has this id.")
    if record.kind not in SHAPES or session.scalar(select(Record.id).where(Record.voids == record.id)) is not None:
        raise ConflictError("record-void", "Expected a contribution or an evaluation that is not void.")
    _check_may_release(session, network, caller, record, now)
    _release(session, running, network, [record.id], caller, now, None)
    session.refresh(record)
    if record.status == "quarantined":
        raise ConflictError("record-unfit", "Expected a record that can be true; this one cannot count as it stands.")
    return record


def _check_may_release(session: WriteSession, network: Network, caller: Caller, record: Record, now: datetime) -> None:
    """Let the network pass, and its facilitators and assessors with what they neither posted nor did themselves."""
    if caller.member_id is None:
        return
    actor = derivation.actors(session, [(caller.member_id, now)])[caller.member_id, now]
    own = record.actor_member_id == caller.member_id
    for batch in derivation.stored(session, Record.id == record.id):
        for _, body in batch:
            judged = body.bears_on(bodies.find(session, network, [body]))
            own |= judged is not None and judged.is_person(actor.member)
    if own or not actor.attests:
        message = "Expected a token of the network, or of a facilitator or assessor for what is somebody else's."
        raise ForbiddenError("release-own", message)


def _sweep(
    running: Runtime,
    network_id: UUID,
    where: Collection[ColumnElement[bool]],
    decide: Callable[[WriteSession, Network, Sequence[UUID]], int],
) -> int:
    """Decide on the records of a network that fit, a chunk in a transaction, and return how many there were."""
    count, last = 0, UUID(int=0)
    found = select(Record.id).where(Record.network_id == network_id, *where).order_by(Record.id).limit(CHUNK)
    while True:
        with running.database.read() as session:
            record_ids = session.scalars(found.where(Record.id > last)).all()
        if not record_ids:
            return count
        with running.database.write() as session:
            count += decide(session, session.get_one(Network, network_id), record_ids)
        last = record_ids[-1]


def _set_aside(
    session: WriteSession,
    running: Runtime,
    network: Network,
    record_ids: Sequence[UUID],
    where: Collection[ColumnElement[bool]],
    now: datetime,
) -> int:
    """Quarantine these records, and with contributions the evaluations of them; return how many of them still fitted."""
    resting = derivation.evaluated(session, record_ids)
    rows = _lock(session, {*record_ids, *resting})
    fitting = set(session.scalars(select(Record.id).where(Record.id.in_(record_ids), *where)))
    bearing = _bearing(session, {*fitting, *resting})
    reasons: list[tuple[UUID, str, UUID | None]] = [(record_id, "token", None) for record_id in sorted(fitting)]
    reasons += [
        (record_id, "contribution", work)
        for record_id, work in sorted(resting.items())
        if work in fitting and record_id not in fitting
    ]
    fallen = derivation.forget(session, fitting, now)
    for record_id, kind, other in reasons:
        row = rows[record_id]
        row.status, row.held_for = "quarantined", None
        flags.add(session, network, kind, record_id, now, other=other, bearing=bearing, sets_aside=True)
        code = {"token": "token-revoked", "contribution": "contribution-quarantined"}[kind]
        events.append(session, network, "record.quarantined", {"record": str(record_id), "code": code}, now)
    session.flush()
    rejudging.mark(session, network, fallen.member_ids, now)
    settling.review_after_void(session, running, network, fallen.record_ids, now)
    settling.settle(session, running, network, fallen.member_ids, now)
    return len(fitting)


def _release(
    session: WriteSession,
    running: Runtime,
    network: Network,
    record_ids: Collection[UUID],
    caller: Caller,
    now: datetime,
    kind: str | None,
) -> set[UUID]:
    """Let these records count, with the evaluations that were set aside with them; return which of them do.

    Args:
        kind: settle only flags of this kind; what has others that set aside stays quarantined.
    """
    rows = _lock(session, {*record_ids, *flags.resting_on(session, record_ids)})
    own = {row_id for row_id, row in rows.items() if row.status == "quarantined"}
    for record_id, found in flags.of_records(session, own).items():
        kept = [
            flag
            for flag in found
            if flag.sets_aside and (flag.kind != kind if record_id in record_ids else flag.other_id not in record_ids)
        ]
        if kept and (kind is not None or record_id not in record_ids):
            own.discard(record_id)
    bearing: set[UUID] = set()
    if kind is None:
        bearing = _confirm(session, network, [row_id for row_id in record_ids if row_id not in own], caller, now)
    for shape in SHAPES:
        for batch in derivation.stored(session, Record.id.in_(own), Record.kind == shape):
            bearing |= recording.admit(session, network, batch, now, "all" if kind is None else "token")
    counting = {record_id for record_id in own if rows[record_id].status != "quarantined"}
    flags.settle(session, counting, "released", caller, now, (kind, "contribution") if kind else ())
    for record_id in sorted(counting):
        events.append(session, network, "record.released", {"record": str(record_id)}, now)
    rejudging.mark(session, network, bearing, now)
    settling.settle(session, running, network, bearing, now)
    return counting & set(record_ids)


def _confirm(
    session: WriteSession, network: Network, record_ids: Collection[UUID], caller: Caller, now: datetime
) -> set[UUID]:
    """Settle the flags of records that count, and return the members whose late evidence has its full tier again."""
    found = flags.of_records(session, record_ids)
    late = {record_id for record_id, odd in found.items() if any(flag.kind == "late" for flag in odd)}
    bearing: set[UUID] = set()
    for kind, table in (("contribution", Contribution), ("evaluation", Evaluation)):
        for batch in derivation.stored(session, Record.id.in_(late), Record.kind == kind, Record.status == "accepted"):
            references = derivation.look_up(session, network, [body for _, body in batch])
            acting = derivation.actors(session, [(record.actor_member_id, record.received_at) for record, _ in batch])
            for record, body in batch:
                judged = body.bears_on(references)
                derivation.keep_aside(session, [record.id], now)
                record.tier = derivation.tier(acting.get((record.actor_member_id, record.received_at)), judged)
                record.accepted_at = now
                session.execute(update(table).where(table.record_id == record.id).values(tier=record.tier))
                bearing |= {judged.id} if judged is not None else set()
    flags.settle(session, record_ids, "released", caller, now)
    for record_id in sorted(record_id for record_id, odd in found.items() if odd):
        events.append(session, network, "record.released", {"record": str(record_id)}, now)
    session.flush()
    return bearing


def _lock(session: WriteSession, record_ids: Collection[UUID]) -> dict[UUID, Record]:
    query = select(Record).where(Record.id.in_(record_ids)).order_by(Record.id).with_for_update(key_share=True)
    return {row.id: row for row in session.scalars(query.execution_options(populate_existing=True))}


def _bearing(session: WriteSession, record_ids: Collection[UUID]) -> dict[UUID, UUID | None]:
    """Return the member on whom each of these records bears, as far as they count."""
    found: dict[UUID, UUID | None] = {}
    for table in (Contribution, Evaluation):
        rows = select(table.record_id, table.member_id).where(table.record_id.in_(record_ids))
        found |= dict(session.execute(rows).all())
    return found


def _flagged() -> ColumnElement[bool]:
    """Whether a record has an open flag because of its token."""
    return select(Flag.id).where(Flag.record_id == Record.id, Flag.kind == "token", Flag.state == "open").exists()


def _voided() -> ColumnElement[bool]:
    void = aliased(Record)
    return select(void.id).where(void.voids == Record.id).exists()
