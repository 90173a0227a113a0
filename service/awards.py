"""Awards: who has earned what, decided by rule or by whom, and the credential issued with each decision.

Three ways lead to one place (`_issue`): evidence arrives (`settle`), a network asks (`award`), a network asks
for many (`award_many`). Of each there can be two at the same moment: the members' rows are locked first, in the
order of their identifiers, and what is decided is looked up again under that lock.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session as OrmSession

from service import access, drafts, enrolments, events, issuance, messages, progress, status_lists, unsettled
from service.access import Caller
from service.database import ReadSession, WriteSession
from service.definitions import rule_of
from service.drafts import Decision
from service.errors import ConflictError, CustodyError, ForbiddenError, InvalidError, NotFoundError, ServiceError
from service.issuance import Signed
from service.paging import page
from service.runtime import Runtime
from service.shapes import Body, Instant, Prose, Ref
from service.tables import (
    Achievement,
    AchievementVersion,
    Award,
    AwardEvidence,
    Credential,
    Member,
    Network,
    UnsettledMember,
)

log = logging.getLogger(__name__)

LIVE = ("pending", "awarded", "suspended")
SCOPES = {"rule": "awards:write", "override": "awards:override", "recorded": "awards:record"}
BATCH = 100
"""Members decided on, or awards made, in one transaction."""
SKEW = timedelta(minutes=5)

Prepared = Mapping[tuple[Any, ...], Signed]


class AwardIn(Body):
    """That a member has earned an achievement."""

    achievement: Ref = Field(description="the achievement's ref", examples=["formative-feedback"])
    member: Ref = Field(description="the member's ref", examples=["ana"])
    basis: Literal["rule", "override", "recorded"] = Field(
        "rule",
        description="rule: the criteria are met; override: though they are not; recorded: made earlier or elsewhere",
    )
    awarded_at: Instant | None = Field(
        None, description="when it was earned: with `recorded`, and only there", examples=["2021-06-30T12:00:00Z"]
    )
    reason: Prose | None = Field(
        None,
        description="why; needed unless the rule decides. It is kept by the network and does not stand in the credential",
    )


@dataclass(frozen=True)
class Outcome:
    """What became of one request: an award, made now or before, or the problem."""

    award: Award | None
    created: bool = False
    problem: ServiceError | None = None


def award(
    session: WriteSession, running: Runtime, network: Network, caller: Caller, body: AwardIn, now: datetime
) -> tuple[Award, bool]:
    """Make the award and issue its credential, and return it and whether it is new; a live one is given back.

    Raises:
        NotFoundError: no such member or achievement, or no version of it is published.
        ConflictError: by rule, and the criteria are not met (code "criteria-not-met"; details: `progress`), or there
            are none ("criteria-without-rule"); recorded, and its time is over ("award-over").
        ForbiddenError: the basis needs another scope ("scope-missing"), or the caller is the member ("self-award").
        InvalidError: reason or time missing, or where they do not belong.
        CustodyError: the credential cannot be signed; nothing has changed.
    """
    [outcome] = _award_all(session, running, network, caller, [body], now, {})
    if outcome.award is None:
        assert outcome.problem is not None
        raise outcome.problem
    return outcome.award, outcome.created


def award_many(
    running: Runtime, network_id: UUID, caller: Caller | None, bodies: Sequence[AwardIn]
) -> Iterator[Outcome]:
    """Yield the outcome of each request, in order, after the commit of its batch.

    The credentials of a batch are signed before its transaction begins.
    """
    for start in range(0, len(bodies), BATCH):
        batch = bodies[start : start + BATCH]
        now = running.now()
        with running.database.read() as session:
            network = session.get_one(Network, network_id)
            wanted = [found for found in _look_up(session, network, caller, batch, now) if isinstance(found, Decision)]
            prepared = _prepare(session, running, network, wanted, now)
        with running.database.write() as session:
            network = access.still_open(session.get_one(Network, network_id))
            outcomes = _award_all(session, running, network, caller, batch, now, prepared)
        yield from outcomes


def settle(
    session: WriteSession,
    running: Runtime,
    network: Network,
    member_ids: Collection[UUID],
    now: datetime,
    prepared: Prepared | None = None,
) -> list[Award]:
    """Award what these members have earned automatically, and delete their marks.

    An award can be evidence for the next one, so it goes on until there is nothing more. When custody is down
    the marks stay, the evidence with them, and the awards are made later.
    """
    locked = _lock(session, Member.id.in_(member_ids))
    made: list[Award] = []
    try:
        while decisions := _earned(session, network, locked, now):
            made += _issue(session, running, network, decisions, None, now, prepared or {})
    except CustodyError:
        log.exception("awards of the network %s wait for its keys", network.id)
        unsettled.mark(session, network, locked, now)
        return made
    session.execute(delete(UnsettledMember).where(UnsettledMember.member_id.in_(locked)))
    return made


def settle_pending(running: Runtime, network_id: UUID, older_than: timedelta = timedelta(0)) -> int:
    """Settle every marked member of a network, a batch in a transaction, and return how many awards were made.

    What is to be issued is signed before the batch's transaction begins, and decided anew inside it.

    Args:
        older_than: leave marks alone that are younger: whoever made them is about to settle them.
    """
    count, last = 0, UUID(int=0)
    while True:
        now = running.now()
        with running.database.read() as session:
            network = session.get_one(Network, network_id)
            marked = (
                select(UnsettledMember.member_id)
                .where(UnsettledMember.network_id == network_id, UnsettledMember.member_id > last)
                .where(UnsettledMember.since <= now - older_than)
            )
            member_ids = session.scalars(marked.order_by(UnsettledMember.member_id).limit(BATCH)).all()
            if not member_ids:
                return count
            prepared = _prepare(session, running, network, _earned(session, network, member_ids, now), now)
        with running.database.write() as session:
            network = session.get_one(Network, network_id)
            count += len(settle(session, running, network, member_ids, now, prepared))
        last = member_ids[-1]


def networks_unsettled(session: ReadSession) -> Sequence[UUID]:
    """Return the networks with members whose awards have not been decided."""
    return session.scalars(select(UnsettledMember.network_id).distinct()).all()


def review_after_void(
    session: WriteSession, running: Runtime, network: Network, record_ids: Collection[UUID], now: datetime
) -> list[Award]:
    """Decide again on the awards by rule that rested on voided records, and return those that are revoked.

    What is still earned without them stands, on the evidence there is now. To be called when the records no
    longer count.

    Raises:
        CustodyError: an award is lost and the status list cannot be signed; nothing has changed.
    """
    rested = select(AwardEvidence.award_id).where(AwardEvidence.record_id.in_(record_ids))
    questioned = select(Award).where(Award.id.in_(rested), Award.state.in_(LIVE), Award.basis == "rule")
    _lock(session, Member.id.in_(session.scalars(questioned.with_only_columns(Award.member_id))))
    lost = []
    for row in session.scalars(questioned.order_by(Award.id).with_for_update()).all():
        version = session.get_one(AchievementVersion, row.achievement_version_id)
        node = progress.evaluate(session, network, version, [row.member_id], now)[row.member_id]
        if node.met:
            session.execute(delete(AwardEvidence).where(AwardEvidence.award_id == row.id))
            _rest_on(session, row, node.record_ids)
        else:
            lost.append(row)
    issuance.withdraw(session, running, network, lost, "The evidence on which it rested was voided.", now)
    return lost


def expire_due(running: Runtime) -> int:
    """Mark the awards whose time is over as expired, and return how many; their credentials say so themselves."""
    now = running.now()
    with running.database.read() as session:
        if session.scalar(select(Award.id).where(_over(now)).limit(1)) is None:
            return 0
    with running.database.write() as session:
        return _expire(session, now)


@dataclass(frozen=True)
class Named:
    """An award with what names it for its network, and its newest credential."""

    award: Award
    member_ref: str
    achievement_ref: str
    version: int
    credential: Credential | None


def find(session: OrmSession, network: Network, award_id: UUID) -> Named:
    """Return an award of the network.

    Raises:
        NotFoundError: it has none with this id (code "award-unknown").
    """
    row = session.scalar(select(Award).where(Award.network_id == network.id, Award.id == award_id))
    if row is None:
        raise NotFoundError("award-unknown", "No award of this network has this id.")
    return named(session, [row])[0]


def list_awards(
    session: ReadSession,
    network: Network,
    *,
    after: str | None,
    limit: int,
    member: str | None,
    achievement: str | None,
    state: str | None,
) -> tuple[list[Named], str | None]:
    """Return awards in the order in which they were made."""
    query = select(Award).where(Award.network_id == network.id)
    if member is not None:
        query = query.where(Award.member_id.in_(select(Member.id).where(Member.ref == member)))
    if achievement is not None:
        query = query.where(Award.achievement_id.in_(select(Achievement.id).where(Achievement.ref == achievement)))
    if state is not None:
        query = query.where(Award.state == state)
    rows, following = page(session, query, Award.id, after, limit)
    return named(session, rows), following


def named(session: OrmSession, rows: Sequence[Award]) -> list[Named]:
    """Return the awards with their names, in the same order."""
    query = (
        select(Award.id, Member.ref, Achievement.ref, AchievementVersion.version)
        .join(Member, Member.id == Award.member_id)
        .join(Achievement, Achievement.id == Award.achievement_id)
        .join(AchievementVersion, AchievementVersion.id == Award.achievement_version_id)
        .where(Award.id.in_([row.id for row in rows]))
    )
    names = {
        award_id: (member, achievement, version) for award_id, member, achievement, version in session.execute(query)
    }
    credentials = issuance.of_awards(session, rows)
    return [Named(row, *names[row.id], credentials.get(row.id)) for row in rows]


def _award_all(
    session: WriteSession,
    running: Runtime,
    network: Network,
    caller: Caller | None,
    bodies: Sequence[AwardIn],
    now: datetime,
    prepared: Prepared,
) -> list[Outcome]:
    refs = {body.member for body in bodies}
    locked = _lock(session, Member.network_id == network.id, Member.ref.in_(refs))
    _expire(session, now, Award.member_id.in_(locked))
    found = _look_up(session, network, caller, bodies, now)
    decided = {_place(entry): entry for entry in reversed(found) if isinstance(entry, Decision)}
    made = {
        (row.member_id, row.achievement_version_id): row
        for row in _issue(session, running, network, list(reversed(decided.values())), caller, now, prepared)
    }
    outcomes = []
    for entry in found:
        if isinstance(entry, ServiceError):
            outcomes.append(Outcome(None, problem=entry))
        elif isinstance(entry, Award):
            outcomes.append(Outcome(entry))
        else:
            outcomes.append(Outcome(made[_place(entry)], created=decided.pop(_place(entry), None) is not None))
    settle(session, running, network, [row.member_id for row in made.values()], now)
    return outcomes


def _place(decision: Decision) -> tuple[UUID, UUID]:
    return decision.member_id, decision.version.id


def _look_up(
    session: OrmSession, network: Network, caller: Caller | None, bodies: Sequence[AwardIn], now: datetime
) -> list[Decision | Award | ServiceError]:
    """Return for each request what it comes to: a new decision, the live award that answers it, or what is wrong."""
    member_query = select(Member).where(Member.network_id == network.id, Member.ref.in_({b.member for b in bodies}))
    members = {member.ref: member for member in session.scalars(member_query)}
    versions = _Versions(session, network, [member.id for member in members.values()])
    where = (Award.member_id.in_([member.id for member in members.values()]), Award.state.in_(LIVE))
    live = {(row.member_id, row.achievement_id): row for row in session.scalars(select(Award).where(*where))}
    found: list[Decision | Award | ServiceError] = []
    for body in bodies:
        try:
            _check(caller, body, now)
            member = members.get(body.member)
            if member is None:
                raise NotFoundError("member-unknown", "No member of this network has this ref.", "/member")
            _check_not_self(session, caller, member)
            version = versions.for_member(member.id, body.achievement)
            row = live.get((member.id, version.achievement_id))
            found.append(row or _decide(session, network, member, version, body, now))
        except ServiceError as error:
            found.append(error)
    return found


def _check(caller: Caller | None, body: AwardIn, now: datetime) -> None:
    if caller is not None:
        access.require(caller, SCOPES[body.basis])
    if body.basis != "rule" and body.reason is None:
        raise InvalidError("reason-missing", f"Expected a reason with the basis {body.basis}.", "/reason")
    if (body.awarded_at is not None) != (body.basis == "recorded"):
        raise InvalidError(
            "awarded-at-misplaced", "Expected `awarded_at` with the basis recorded, and only there.", "/awarded_at"
        )
    if body.awarded_at is not None and body.awarded_at > now + SKEW:
        raise InvalidError("time-in-future", "Expected a time that is not in the future.", "/awarded_at")


def _check_not_self(session: OrmSession, caller: Caller | None, member: Member) -> None:
    if caller is None or caller.member_id is None:
        return
    person = session.scalar(select(Member.person_id).where(Member.id == caller.member_id))
    if caller.member_id == member.id or (person is not None and person == member.person_id):
        raise ForbiddenError("self-award", "Expected somebody else to decide: nobody awards themself.", "/member")


def _decide(
    session: OrmSession, network: Network, member: Member, version: AchievementVersion, body: AwardIn, now: datetime
) -> Decision:
    if body.basis != "rule":
        awarded_at = min(body.awarded_at or now, now).replace(microsecond=0)
        ends_at = drafts.valid_until(network, version, awarded_at)
        if ends_at is not None and ends_at <= now:
            message = f"Expected an award that still holds: by `valid_for` this one ended on {ends_at:%Y-%m-%d}."
            raise ConflictError("award-over", message, "/awarded_at")
        return Decision(member.id, version, body.basis, awarded_at, reason=body.reason)
    if rule_of(version.definition) is None:
        message = "Expected the basis override or recorded: this achievement has criteria for people only."
        raise ConflictError("criteria-without-rule", message, "/basis")
    node = progress.evaluate(session, network, version, [member.id], now)[member.id]
    if not node.met:
        shown = progress.explain(session, network, version, member.id, now)
        message = f"Expected the criteria to be met, and they are not yet: {shown.text}"
        raise ConflictError("criteria-not-met", message, details={"progress": shown.to_json()})
    return Decision(member.id, version, "rule", now.replace(microsecond=0), node.record_ids, body.reason)


def _earned(session: OrmSession, network: Network, member_ids: Sequence[UUID], now: datetime) -> list[Decision]:
    """Return what these members have earned automatically and do not have.

    Who once had it and lost it by a decision, or by time, does not get it back by rule alone; who lost it because
    evidence was voided does.
    """
    if network.state == "closed" or not member_ids:
        return []
    lost_by_void = (Award.state == "revoked") & Credential.revoked_by.is_(None)
    had = (
        select(Award.member_id, Award.achievement_id)
        .outerjoin(Credential, Credential.award_id == Award.id)
        .where(Award.member_id.in_(member_ids), ~lost_by_void)
    )
    done = set(session.execute(had))
    at = now.replace(microsecond=0)
    decisions: list[Decision] = []
    for version, judged in _Versions(session, network, member_ids).judged():
        open_to = [member_id for member_id in judged if (member_id, version.achievement_id) not in done]
        if version.award == "automatic" and open_to:
            nodes = progress.evaluate(session, network, version, open_to, now)
            met = [(member_id, nodes[member_id].record_ids) for member_id in open_to if nodes[member_id].met]
            decisions += [Decision(member_id, version, "rule", at, record_ids) for member_id, record_ids in met]
    return decisions


class _Versions:
    """By which published version of each achievement these members of a network are judged."""

    def __init__(self, session: OrmSession, network: Network, member_ids: Sequence[UUID]) -> None:
        rows = session.execute(
            select(AchievementVersion, Achievement.ref)
            .join(Achievement, Achievement.id == AchievementVersion.achievement_id)
            .where(Achievement.network_id == network.id)
            .order_by(AchievementVersion.version)
        )
        self._refs: set[str] = set()
        self._newest: dict[str, AchievementVersion] = {}
        self._by_id: dict[UUID, AchievementVersion] = {}
        for version, ref in rows:
            self._refs.add(ref)
            if version.published_at is not None:
                self._newest[ref] = self._by_id[version.id] = version
        self._member_ids = member_ids
        self._bound = enrolments.bindings(session, member_ids)

    def for_member(self, member_id: UUID, ref: str) -> AchievementVersion:
        """Return the version of the achievement `ref` by which the member is judged.

        Raises:
            NotFoundError: no such achievement (code "achievement-unknown").
            ConflictError: no version of it is published (code "achievement-unpublished").
        """
        newest = self._newest.get(ref)
        if newest is not None:
            return self._chosen(member_id, newest)
        if ref in self._refs:
            message = "Expected a published achievement; this one is a draft."
            raise ConflictError("achievement-unpublished", message, "/achievement")
        raise NotFoundError("achievement-unknown", "No achievement of this network has this ref.", "/achievement")

    def judged(self) -> list[tuple[AchievementVersion, list[UUID]]]:
        """Return the versions with the members who are judged by each."""
        groups: dict[UUID, list[UUID]] = {}
        for newest in self._newest.values():
            for member_id in self._member_ids:
                groups.setdefault(self._chosen(member_id, newest).id, []).append(member_id)
        return [(self._by_id[version_id], member_ids) for version_id, member_ids in groups.items()]

    def _chosen(self, member_id: UUID, newest: AchievementVersion) -> AchievementVersion:
        return self._by_id[self._bound.get((member_id, newest.achievement_id), newest.id)]


def _prepare(
    session: ReadSession, running: Runtime, network: Network, decisions: Sequence[Decision], now: datetime
) -> Prepared:
    """Return the signed credentials of decisions, if there is a list with room for their status."""
    status_list = status_lists.find_open(session, network) if decisions else None
    if status_list is None:
        return {}
    issuer = issuance.issuer_of(session, running, network)
    written = drafts.write(session, running.settings, network, decisions, status_list, now)
    return {draft.decision.key: issuance.sign_draft(issuer, draft) for draft in written}


def _issue(
    session: WriteSession,
    running: Runtime,
    network: Network,
    decisions: Sequence[Decision],
    caller: Caller | None,
    now: datetime,
    prepared: Prepared,
) -> list[Award]:
    """Write down the decisions as awards with their credentials, in the same order.

    1. What was not signed before, for these very decisions, is signed now.
    2. A place in a status list that somebody else took in the meantime means another credential.

    Raises:
        CustodyError: a key cannot be used; nothing was written.
    """
    if not decisions:
        return []
    issuer = issuance.issuer_of(session, running, network)
    signed = {decision.key: prepared[decision.key] for decision in decisions if decision.key in prepared}
    while True:
        for key in _displaced(session, signed):  # (2)
            del signed[key]
        missing = [decision for decision in decisions if decision.key not in signed]
        if not missing:
            break
        status_list = status_lists.open_list(session, running, network, now)
        for draft in drafts.write(session, running.settings, network, missing, status_list, now):  # (1)
            signed[draft.decision.key] = issuance.sign_draft(issuer, draft)
    rows = [
        Award(
            network_id=network.id,
            member_id=decision.member_id,
            achievement_id=decision.version.achievement_id,
            achievement_version_id=decision.version.id,
            basis=decision.basis,
            state="awarded",
            reason=decision.reason,
            awarded_at=decision.awarded_at,
            decided_at=now,
            token_id=caller.token_id if caller else None,
            actor_member_id=caller.member_id if caller else None,
        )
        for decision in decisions
    ]
    session.add_all(rows)
    session.flush()
    for row, decision in zip(rows, decisions, strict=True):
        _rest_on(session, row, decision.record_ids)
        events.append(session, network, "award.made", _about(row), now)
    ready = [signed[decision.key] for decision in decisions]
    credentials = [
        issuance.store(session, running, network, row, each, now) for row, each in zip(rows, ready, strict=True)
    ]
    session.flush()
    for credential, each in zip(credentials, ready, strict=True):
        if each.draft.mailed:
            messages.queue(session, network, credential, now)
    return rows


def _displaced(session: WriteSession, signed: Prepared) -> list[tuple[Any, ...]]:
    """Return the keys of those whose place in a status list is taken; from here on nobody else takes one."""
    found: list[tuple[Any, ...]] = []
    for list_id in sorted({each.draft.status_list_id for each in signed.values()}):
        status_lists.lock(session, list_id)
        here = {each.draft.status_index: key for key, each in signed.items() if each.draft.status_list_id == list_id}
        found += [here[index] for index in status_lists.taken(session, list_id, here)]
    return found


def _rest_on(session: WriteSession, row: Award, record_ids: Collection[UUID]) -> None:
    session.add_all(AwardEvidence(award_id=row.id, record_id=record_id) for record_id in record_ids)


def _lock(session: WriteSession, *where: ColumnElement[bool]) -> list[UUID]:
    """Lock members, the first lock of all, in the order of their identifiers; evidence may still be posted on them."""
    return list(session.scalars(select(Member.id).where(*where).order_by(Member.id).with_for_update(key_share=True)))


def _over(now: datetime) -> ColumnElement[bool]:
    ended = select(Credential.award_id).where(Credential.valid_until <= now, Credential.superseded_by.is_(None))
    return Award.state.in_(("awarded", "suspended")) & Award.id.in_(ended)


def _expire(session: WriteSession, now: datetime, *where: ColumnElement[bool]) -> int:
    rows = session.scalars(select(Award).where(_over(now), *where).order_by(Award.id).with_for_update()).all()
    for row in rows:
        row.state = "expired"
        events.append(session, session.get_one(Network, row.network_id), "award.expired", _about(row), now)
    session.flush()
    return len(rows)


def _about(row: Award) -> dict[str, str]:
    version, member = str(row.achievement_version_id), str(row.member_id)
    return {"award": str(row.id), "achievement_version": version, "member": member}
