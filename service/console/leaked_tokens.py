"""Quarantine what was posted with a leaked token, until somebody has looked at it.

A quarantined record stays on record, with its seal. What was derived from it is deleted, and awards that rested on it
are decided again, as after a void. When it is released, it is derived again, and what it earns is awarded.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from service.access import tokens
from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.awards import settling
from service.bodies import Body, Instant, Prose
from service.criteria import rejudging
from service.errors import InvalidError
from service.evidence import derivation, flags
from service.evidence.derivation import SHAPES
from service.intake import posting, releasing
from service.intake.posting import VoidIn
from service.intake.releasing import bearing_on, flagged, lock_records, release_records
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Network, Record, Token


class TokenRevocationIn(Body):
    """How a token is revoked, and what happens to what was posted with it."""

    quarantine_since: Instant | None = Field(
        None, description="records posted with it at this instant or later are quarantined; left out: none are"
    )


class QuarantineIn(Body):
    """What happens to all records that are quarantined because of a token."""

    outcome: Literal["release", "void"]
    reason: Prose = Field(examples=["Checked against the register."])


@dataclass(frozen=True)
class SweptToken:
    """A token, and how many records were decided on."""

    token: Token
    count: int


def revoke_token(
    runtime: Runtime, network_id: UUID, token_id: str, body: TokenRevocationIn, now: datetime
) -> SweptToken:
    """Revoke a token, and quarantine what was posted with it since a time.

    This is done in chunks. If it breaks off, calling it again continues it.

    1. After the revocation's commit nothing more is written with the token; the commit waits for writes under way.
    2. Each chunk stops counting, and what rested on it is decided again, in one transaction.
    3. Records that were voided with the token stay void, as always. Events point them out, so that they can be posted
       again.

    Raises:
        NotFoundError: the network has no such token.
        InvalidError: a time in the future (code "time-in-future").
        CustodyError: an award is lost and that cannot be signed now; the chunks before are quarantined.
    """
    if body.quarantine_since is not None and body.quarantine_since > now:
        raise InvalidError("time-in-future", "Expected a time that is not in the future.", "/quarantine_since")
    with runtime.database.write() as session:  # (1)
        token = withdraw_token(Act(session, session.get_one(Network, network_id), None, now), token_id)
    if body.quarantine_since is None:
        return SweptToken(token, 0)
    posted = (Record.token_id == token.id, Record.received_at >= body.quarantine_since)
    counting = (*posted, Record.kind.in_(SHAPES), Record.status.in_(("accepted", "held")), ~_voided())
    voids = (*posted, Record.kind == "void", ~flagged())

    def set_aside(session: WriteSession, network: Network, record_ids: Sequence[UUID]) -> int:
        return _set_aside(Act(session, network, None, now), runtime, record_ids, counting)

    def point_out(session: WriteSession, network: Network, record_ids: Sequence[UUID]) -> int:
        for row in locks.records(session, Record.id.in_(record_ids)):
            flags.add(Act(session, network, None, now), "token", row.id, other=row.voids)
        return 0

    count = _sweep(runtime, network_id, counting, set_aside)  # (2)
    return SweptToken(token, count + _sweep(runtime, network_id, voids, point_out))  # (3)


def withdraw_token(act: Act, token_id: str) -> Token:
    """Revoke a token of the network, and add an event; a second time changes nothing.

    Raises:
        NotFoundError: the network has no such token.
    """
    token = tokens.get_token(act.session, token_id, act.network)
    before = token.revoked_at
    token = tokens.revoke_token(act.session, token_id, act.now, act.network)
    if before is None:
        events.append(act, "token.revoked", {"token": str(token.id)})
    return token


def decide_on_token(
    runtime: Runtime, network_id: UUID, token_id: str, caller: Caller, body: QuarantineIn, now: datetime
) -> SweptToken:
    """Release, or void, all records that are quarantined because of a token.

    This is done in chunks. Records that cannot be released stay quarantined: there is another reason for it too, or
    they can no longer be true.

    Raises:
        NotFoundError: the network has no such token.
        CustodyError: as `evidence.void`; the chunks before are decided on.
    """
    with runtime.database.read() as session:
        token = tokens.get_token(session, token_id, session.get_one(Network, network_id))
    waiting = (Record.token_id == token.id, Record.status == "quarantined", flagged())

    def decide(session: WriteSession, network: Network, record_ids: Sequence[UUID]) -> int:
        act = CallersAct(session, network, caller, now)
        if body.outcome == "release":
            return len(release_records(act, runtime, record_ids, "token"))
        for record_id in record_ids:
            posting.void(act, runtime, record_id, VoidIn(reason=body.reason))
        return len(record_ids)

    return SweptToken(token, _sweep(runtime, network_id, waiting, decide))


def _sweep(
    runtime: Runtime,
    network_id: UUID,
    where: Collection[ColumnElement[bool]],
    decide: Callable[[WriteSession, Network, Sequence[UUID]], int],
) -> int:
    """Decide on the records of a network that match, and return how many there were.

    Each chunk is one transaction.
    """
    count, last = 0, UUID(int=0)
    found = select(Record.id).where(Record.network_id == network_id, *where).order_by(Record.id).limit(releasing.CHUNK)
    while True:
        with runtime.database.read() as session:
            record_ids = session.scalars(found.where(Record.id > last)).all()
        if not record_ids:
            return count
        with runtime.database.write() as session:
            count += decide(session, session.get_one(Network, network_id), record_ids)
        last = record_ids[-1]


def _set_aside(act: Act, runtime: Runtime, record_ids: Sequence[UUID], where: Collection[ColumnElement[bool]]) -> int:
    """Quarantine these records, and the evaluations of those that are contributions.

    Return how many of the records still matched.
    """
    resting = derivation.evaluated(act.session, record_ids)
    rows = lock_records(act.session, {*record_ids, *resting})
    fitting = set(act.session.scalars(select(Record.id).where(Record.id.in_(record_ids), *where)))
    bearing = bearing_on(act.session, {*fitting, *resting})
    reasons: list[tuple[UUID, str, UUID | None]] = [(record_id, "token", None) for record_id in sorted(fitting)]
    reasons += [
        (record_id, "contribution", work)
        for record_id, work in sorted(resting.items())
        if work in fitting and record_id not in fitting
    ]
    fallen = derivation.forget(act, fitting)
    for record_id, kind, other in reasons:
        row = rows[record_id]
        row.status, row.held_for, row.held_code = "quarantined", None, None
        flags.add(act, kind, record_id, other=other, bearing=bearing, sets_aside=True)
        code = {"token": "token-revoked", "contribution": "contribution-quarantined"}[kind]
        events.append(act, "record.quarantined", {"record": str(record_id), "code": code})
    act.session.flush()
    rejudging.mark(act, fallen.member_ids)
    settling.review_after_void(act, runtime, fallen.record_ids)
    settling.settle(act, runtime, fallen.member_ids)
    return len(fitting)


def _voided() -> ColumnElement[bool]:
    void = aliased(Record)
    return select(void.id).where(void.voids == Record.id).exists()
