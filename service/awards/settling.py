"""Decide awards, by rule or on request, and issue the credentials with them.

Three ways lead to one place (`decisions.carry_out`): evidence arrives (`settle`), a network asks for an award (`award`)
or for many (`award_many`). Two of them can run at the same moment, so the members' rows are locked first, in the order
of their identifiers, and what is decided is looked up again under that lock.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.achievements.enrolments import Versions
from service.awards import decisions, endings, requests, reviews
from service.awards.decisions import Prepared
from service.awards.requests import AwardIn
from service.criteria import rejudging, topics
from service.errors import CustodyError, ServiceError
from service.evidence import records
from service.issuing.decision import Decision
from service.outbox import events
from service.progress import progress
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.tables import (
    AchievementVersion,
    Award,
    AwardEvidence,
    Credential,
    Member,
    Network,
    Review,
    UnsettledMember,
)
from service.tables.awards import LIVE

log = logging.getLogger(__name__)

BATCH = 100
"""Members decided on, or awards made, in one transaction."""


@dataclass(frozen=True)
class AwardOutcome:
    """What became of one request: an award, made now or before, or the problem."""

    award: Award | None
    created: bool = False
    problem: ServiceError | None = None


def award(act: CallersAct, runtime: Runtime, body: AwardIn) -> tuple[Award, bool]:
    """Make an award and issue its credential; return it and whether it is new.

    If the member has a live award of the achievement, that one is returned.

    Raises:
        NotFoundError: no such member or achievement, or no version of it is published.
        ConflictError: by rule, and the criteria are not met (code "criteria-not-met"; details: `progress`), or there
            are none ("criteria-without-rule"); recorded, and its time is over ("award-over"); the achievement is
            retired ("achievement-retired").
        ForbiddenError: the basis needs another scope ("scope-missing"), or the caller is the member ("self-decision").
        InvalidError: a reason or time is missing, or given where it does not belong.
        CustodyError: the credential cannot be signed; nothing has changed.
    """
    [outcome] = award_all(act, runtime, [body], {})
    if outcome.award is None:
        assert outcome.problem is not None
        raise outcome.problem
    return outcome.award, outcome.created


def award_many(
    runtime: Runtime, network_id: UUID, caller: Caller | None, bodies: Sequence[AwardIn]
) -> Iterator[AwardOutcome]:
    """Yield the outcome of each request, in order, after the commit of its batch.

    The credentials of a batch are signed before its transaction begins.
    """
    for start in range(0, len(bodies), BATCH):
        yield from _award_batch(runtime, network_id, caller, bodies[start : start + BATCH], runtime.now())


def prepare_awards(
    runtime: Runtime, network_id: UUID, caller: Caller | None, bodies: Sequence[AwardIn], now: datetime
) -> Prepared:
    """Sign what these requests would lead to now; return it for the transaction in which they are answered."""

    def decide(session: ReadSession, network: Network) -> list[Decision]:
        found = requests.look_up(session, network, caller, bodies, now)
        return [each for each in found if isinstance(each, Decision)]

    return decisions.prepare(runtime, network_id, decide, now)


def _award_batch(
    runtime: Runtime, network_id: UUID, caller: Caller | None, bodies: Sequence[AwardIn], now: datetime
) -> list[AwardOutcome]:
    prepared = prepare_awards(runtime, network_id, caller, bodies, now)
    with runtime.database.write() as session:
        network = callers.still_open(session.get_one(Network, network_id))
        return award_all(Act(session, network, caller, now), runtime, bodies, prepared)


def award_all(act: Act, runtime: Runtime, bodies: Sequence[AwardIn], prepared: Prepared) -> list[AwardOutcome]:
    """Answer at most `BATCH` requests in one transaction; return the outcome of each, in order.

    Args:
        prepared: by `prepare_awards` at the same time; what is not in it is signed here.
    Raises:
        CustodyError: a credential cannot be signed; nothing has changed.
    """
    # The caller too: if it becomes one of these members at this moment, one of the two sees what the other has done.
    asked = or_(Member.ref.in_({body.member for body in bodies}), Member.id == (act.caller and act.caller.member_id))
    locked = locks.members(act.session, select(Member.id).where(Member.network_id == act.network.id, asked))
    _expire(act.session, act.now, Award.member_id.in_(locked))
    found = requests.look_up(act.session, act.network, act.caller, bodies, act.now)
    decided = {_place(entry): entry for entry in reversed(found) if isinstance(entry, Decision)}
    made = {
        (row.member_id, row.achievement_version_id): row
        for row in decisions.carry_out(act, runtime, list(reversed(decided.values())), prepared)
    }
    outcomes = []
    for entry in found:
        if isinstance(entry, ServiceError):
            outcomes.append(AwardOutcome(None, problem=entry))
        elif isinstance(entry, Award):
            outcomes.append(AwardOutcome(entry))
        else:
            outcomes.append(AwardOutcome(made[_place(entry)], created=decided.pop(_place(entry), None) is not None))
    settle(act, runtime, [row.member_id for row in made.values()])
    return outcomes


def settle(act: Act, runtime: Runtime, member_ids: Collection[UUID], prepared: Prepared | None = None) -> list[Award]:
    """Award what these members have earned automatically, and delete their marks.

    An award can be evidence for the next one, so this repeats until nothing more is earned. Criteria that then lack
    only people's approval wait in the queue. While keys cannot be used, the marks stay, so does the evidence, and the
    awards are made later; so it is in a network that is a draft, until it is active.
    """
    locked = locks.members(act.session, member_ids)
    since = rejudging.oldest(act.session, locked) or act.now
    if act.network.state == "draft":
        rejudging.mark(act, locked, since)
        return []
    heard = rejudging.clear(act.session, locked)
    made: list[Award] = []
    try:
        while (earned := _earned(act.session, act.network, locked, act.now, heard)).due:
            made += decisions.carry_out(act.by_service(), runtime, earned.due, prepared or {})
            reviews.keep_waiting(act, earned.waiting, earned.versions, locked)
            heard = topics.awarded(act.session, {decision.version.achievement_id for decision in earned.due})
        reviews.keep_waiting(act, earned.waiting, earned.versions, locked)
    except CustodyError as error:
        log.warning("awards of the network %s wait for its keys: %s", act.network.id, error)
        rejudging.mark(act, locked, since)
    return made


def settle_first(act: Act, runtime: Runtime) -> list[Award]:
    """Settle the first marked members of a network, as many as a transaction takes; upkeep does the others."""
    marked = select(UnsettledMember.member_id).where(UnsettledMember.network_id == act.network.id)
    return settle(act, runtime, act.session.scalars(marked.order_by(UnsettledMember.member_id).limit(BATCH)).all())


def foreseen(act: Act, member_ids: Collection[UUID]) -> list[Decision]:
    """Return what `settle` would award these members first."""
    return _earned(act.session, act.network, sorted(member_ids), act.now, None).due


def settle_if_possible(runtime: Runtime, network_id: UUID, go_on: GoOn = to_the_end) -> bool:
    """Settle every marked member of a network, and return whether that was possible.

    If not, awards wait for the network's keys, and upkeep makes them.
    """
    try:
        settle_pending(runtime, network_id, go_on=go_on)
    except CustodyError as error:
        log.warning("awards of the network %s wait for its keys: %s", network_id, error)
        return False
    return True


def settle_pending(
    runtime: Runtime, network_id: UUID, older_than: timedelta = timedelta(0), go_on: GoOn = to_the_end
) -> int:
    """Settle every marked member of a network; return how many awards were made.

    Each batch of members has a transaction of its own. What it issues is signed before the transaction begins, and
    decided again inside it.

    Args:
        older_than: leave younger marks alone: the request that made them is about to settle them.
    Raises:
        CustodyError: the keys of the network cannot be used; the marks stay, and the awards are made later.
    """
    count, last = 0, UUID(int=0)
    while go_on():
        now = runtime.now()
        marked = (
            select(UnsettledMember.member_id)
            .where(UnsettledMember.network_id == network_id, UnsettledMember.member_id > last)
            .where(UnsettledMember.since <= now - older_than)
        )
        with runtime.database.read() as session:
            member_ids = session.scalars(marked.order_by(UnsettledMember.member_id).limit(BATCH)).all()
        if not member_ids:
            break
        count += _settle_batch(runtime, network_id, member_ids, now)
        last = member_ids[-1]
    return count


def _settle_batch(runtime: Runtime, network_id: UUID, member_ids: Sequence[UUID], now: datetime) -> int:
    def decide(session: ReadSession, network: Network) -> list[Decision]:
        return _earned(session, network, member_ids, now, rejudging.topics_of(session, member_ids)).due

    prepared = decisions.prepare(runtime, network_id, decide, now)
    with runtime.database.write() as session:
        return len(settle(Act(session, session.get_one(Network, network_id), None, now), runtime, member_ids, prepared))


def networks_unsettled(session: ReadSession) -> Sequence[UUID]:
    """Return the networks with members whose awards have not been decided; a draft decides nothing yet."""
    draft = select(Network.id).where(Network.state == "draft")
    waiting = select(UnsettledMember.network_id).where(UnsettledMember.network_id.not_in(draft))
    return session.scalars(waiting.distinct()).all()


def review_after_void(act: Act, runtime: Runtime, record_ids: Collection[UUID]) -> list[Award]:
    """Decide again on awards that rested on voided records; return the revoked ones.

    These are the awards by rule, with or without approval; also those that rested on what the records corrected. An
    award that is still earned stands, on the evidence that there is now. Call this once the records no longer count.

    Raises:
        CustodyError: an award is lost and the status list cannot be signed; nothing has changed.
    """
    line = records.line_of(act.session, record_ids)
    rested = select(AwardEvidence.award_id).where(AwardEvidence.record_id.in_(line))
    questioned = (Award.id.in_(rested), Award.state.in_(LIVE), Award.basis.in_(("rule", "approval")))
    locks.members(act.session, act.session.scalars(select(Award.member_id).where(*questioned)).all())
    lost = []
    for row in locks.rows(act.session, Award, *questioned):
        version = act.session.get_one(AchievementVersion, row.achievement_version_id)
        node = progress.evaluate(act.session, act.network, version, [row.member_id], act.now)[row.member_id]
        if node.met:
            act.session.execute(delete(AwardEvidence).where(AwardEvidence.award_id == row.id))
            decisions.rest_on(act.session, row, node.record_ids)
        else:
            lost.append(row)
    endings.withdraw(act, runtime, lost, "The evidence on which it rested was voided.")
    return lost


def sign_due(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Sign and announce the pending awards that are due, and return how many.

    Each has a transaction of its own. An award that waits for a second person, or is under review, goes on waiting;
    one that is no longer earned ends.
    """
    now, last, count = runtime.now(), UUID(int=0), 0
    waiting = select(Review.id).where(Review.award_id == Award.id, Review.state == "waiting")
    due = (Award.state == "pending", Award.due_at <= now, ~waiting.exists())
    while go_on():
        with runtime.database.read() as session:
            row = session.scalar(select(Award).where(*due, Award.id > last).order_by(Award.id).limit(1))
        if row is None:
            break
        last = row.id
        try:
            with runtime.database.write() as session:
                network = session.get_one(Network, row.network_id)
                locks.members(session, [row.member_id])
                found = locks.one_or_none(session, Award, *due, Award.id == row.id)
                if found is not None and network.state != "closed":
                    act = Act(session, network, None, now)
                    count += decisions.announce(act, runtime, found)
                    settle(act, runtime, [found.member_id])
        except CustodyError:
            log.exception("the award %s waits for the keys of its network", row.id)
    return count


def expire_due(runtime: Runtime, _go_on: GoOn = to_the_end) -> int:
    """Mark the awards whose time is over as expired, and return how many.

    Their credentials say so themselves.
    """
    now = runtime.now()
    with runtime.database.read() as session:
        if session.scalar(select(Award.id).where(_over(now)).limit(1)) is None:
            return 0
    with runtime.database.write() as session:
        return _expire(session, now)


def _place(decision: Decision) -> tuple[UUID, UUID]:
    return decision.member_id, decision.version.id


@dataclass(frozen=True)
class _Earned:
    """What members have earned automatically, and what lacks only people's approval.

    `waiting`: for each version, the members whose criteria lack only approval; `versions`: all that were looked at.
    """

    due: list[Decision]
    waiting: dict[UUID, list[UUID]]
    versions: dict[UUID, AchievementVersion]


def _earned(
    session: OrmSession, network: Network, member_ids: Sequence[UUID], now: datetime, heard: Collection[str] | None
) -> _Earned:
    """Return what these members have earned automatically and do not have.

    Only achievements that listen to the topics are looked at (None: all). A member who lost an award by a decision, or
    by time, or declined it, does not get it back by rule alone; a member who lost it because evidence was voided does.
    """
    gone = select(Member.id).where(Member.id.in_(member_ids), Member.erased_at.is_not(None))
    if erased := set(session.scalars(gone)):
        member_ids = [member_id for member_id in member_ids if member_id not in erased]
    if network.state != "active" or not member_ids:
        return _Earned([], {}, {})
    by_nobody = Credential.revoked_by.is_(None) & Credential.declined_at.is_(None) & Award.ended_by.is_(None)
    lost_by_void = (Award.state == "revoked") & by_nobody
    had = (
        select(Award.member_id, Award.achievement_id)
        .outerjoin(Credential, Credential.award_id == Award.id)
        .where(Award.member_id.in_(member_ids), ~lost_by_void)
    )
    done = set(session.execute(had))
    earned = _Earned([], {}, {})
    for version, judged in Versions(session, network, member_ids, heard).judged():
        open_to = [member_id for member_id in judged if (member_id, version.achievement_id) not in done]
        if version.award != "automatic":
            continue
        earned.waiting[version.id], earned.versions[version.id] = [], version
        if open_to:
            decided = decisions.by_rule(session, network, version, open_to, now)
            nodes = {member_id: decided[member_id].node for member_id in open_to}
            earned.due.extend(decided[member_id] for member_id in open_to if decided[member_id].met)
            # Where approval is all that is asked for, nobody is put before people unless they have done something.
            earned.waiting[version.id] = [
                member_id
                for member_id, node in nodes.items()
                if node is not None and node.first_at and reviews.waits_for_people(node)
            ]
    return earned


def _over(now: datetime) -> ColumnElement[bool]:
    ended = select(Credential.award_id).where(Credential.valid_until <= now, Credential.superseded_by.is_(None))
    return Award.state.in_(("awarded", "suspended")) & Award.id.in_(ended)


def _expire(session: WriteSession, now: datetime, *where: ColumnElement[bool]) -> int:
    rows = locks.rows(session, Award, _over(now), *where)
    for row in rows:
        row.state = "expired"
        act = Act(session, session.get_one(Network, row.network_id), None, now)
        reviews.end(act, row)
        events.append(act, "award.expired", decisions.about(row))
    session.flush()
    return len(rows)
