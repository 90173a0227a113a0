"""Decisions carried out: each becomes an award with a signed credential, an event and a message, or nothing does.

Signing takes longer than writing, so that for many decisions it is done before the transaction begins (`prepare`);
what is decided inside the transaction after all takes its credential from there (`carry_out`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session as OrmSession

from service import drafts, enrolments, events, issuance, listening, messages, networks, reviews, status_lists
from service.access import Caller
from service.database import ReadSession, WriteSession
from service.drafts import Decider, Decision
from service.errors import ConflictError, NotFoundError
from service.issuance import Signed
from service.progress import Node
from service.runtime import Runtime
from service.tables import (
    Achievement,
    AchievementVersion,
    Approval,
    Award,
    AwardEvidence,
    Member,
    Network,
    Review,
)

Prepared = Mapping[tuple[Any, ...], Signed]
"""Signed credentials, by the keys of the decisions that they are for."""


class Versions:
    """By which published version of each achievement these members of a network are judged.

    With `topics`: only of achievements that listen to one of them.
    """

    def __init__(
        self, session: OrmSession, network: Network, member_ids: Sequence[UUID], topics: Collection[str] | None = None
    ) -> None:
        query = (
            select(AchievementVersion, Achievement.ref)
            .join(Achievement, Achievement.id == AchievementVersion.achievement_id)
            .where(Achievement.network_id == network.id)
            .order_by(AchievementVersion.version)
        )
        if topics is not None:
            query = query.where(Achievement.id.in_(listening.achievements(network, topics)))
        rows = session.execute(query)
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


def prepare(
    running: Runtime, network_id: UUID, decide: Callable[[ReadSession, Network], Sequence[Decision]], now: datetime
) -> Prepared:
    """Return the signed credentials of what would be decided now, for the transaction that decides it."""
    with running.database.read() as session:
        network = session.get_one(Network, network_id)
        decisions = decide(session, network)
        if not decisions:
            return {}
        status_list = status_lists.find_open(session, network)
        if status_list is not None:
            issuer = issuance.issuer_of(session, running, network)
            written = drafts.write(session, running.settings, network, decisions, status_list, now)
            return {draft.decision.key: issuance.sign_draft(issuer, draft) for draft in written}
    with running.database.write() as session:
        status_lists.open_list(session, running, session.get_one(Network, network_id), now)
    return prepare(running, network_id, decide, now)


def by_rule(
    session: OrmSession,
    version: AchievementVersion,
    member_id: UUID,
    node: Node,
    at: datetime,
    reason: str | None = None,
) -> Decision:
    """Return the decision that met criteria make; where they ask for approval, with those who approved."""
    if not reviews.needs_approval(version):
        return Decision(member_id, version, "rule", at, node.record_ids, reason)
    approvals = session.scalars(
        select(Approval)
        .where(Approval.member_id == member_id, Approval.achievement_id == version.achievement_id)
        .where(Approval.outcome == "approved", Approval.ended_at.is_(None))
        .order_by(Approval.at, Approval.id)
    )
    deciders = tuple(Decider(row.token_id, row.approver_id, row.role, row.at) for row in approvals)
    return Decision(member_id, version, "approval", at, node.record_ids, reason, deciders)


def carry_out(
    session: WriteSession,
    running: Runtime,
    network: Network,
    decisions: Sequence[Decision],
    caller: Caller | None,
    now: datetime,
    prepared: Prepared,
) -> list[Award]:
    """Write down the decisions as awards, in the same order; those that do not wait get their credentials.

    Raises:
        CustodyError: a key cannot be used; nothing was written.
    """
    signed = _signed(session, running, network, [each for each in decisions if each.waits is None], now, prepared)
    who = reviews.who_is(session, {each.member_id for each in decisions} | {caller.member_id if caller else None})
    rows = [
        Award(
            network_id=network.id,
            member_id=decision.member_id,
            achievement_id=decision.version.achievement_id,
            achievement_version_id=decision.version.id,
            basis=decision.basis,
            state="pending",
            reason=decision.reason,
            awarded_at=decision.awarded_at,
            decided_at=now,
            token_id=caller.token_id if caller else None,
            actor_member_id=caller.member_id if caller else None,
            recipient_who=who[decision.member_id],
            actor_who=who.get(caller.member_id) if caller else None,
        )
        for decision in decisions
    ]
    session.add_all(rows)
    session.flush()
    for row, decision in zip(rows, decisions, strict=True):
        rest_on(session, row, decision.record_ids)
        if decision.basis == "approval":
            _spend(session, network, row, now)
        if decision.waits == "second":
            member_id, version = decision.member_id, decision.version
            reviews.open_one(session, network, member_id, version, "second", "award-to-staff", caller, now, row)
    _announce(session, running, network, list(zip(rows, decisions, strict=True)), signed, now)
    return rows


def announce(session: WriteSession, running: Runtime, network: Network, row: Award, now: datetime) -> None:
    """Sign what waited, and say so: from the commit on it is an award like any other.

    Raises:
        CustodyError: a key cannot be used; nothing was written.
    """
    decision = decision_of(session, row)
    signed = _signed(session, running, network, [decision], now, {})
    _announce(session, running, network, [(row, decision)], signed, now)


def give_up(session: WriteSession, network: Network, caller: Caller, row: Award, now: datetime) -> None:
    """End an award that was not signed: only its row stays, and nobody is told. Nothing awards it again by itself."""
    row.state, row.ended_by = "revoked", caller.token_id
    reviews.end(session, network, row, now)


def decision_of(session: OrmSession, row: Award) -> Decision:
    """Return the decision that an award stands for."""
    version = session.get_one(AchievementVersion, row.achievement_version_id)
    rested = select(AwardEvidence.record_id).where(AwardEvidence.award_id == row.id).order_by(AwardEvidence.record_id)
    return Decision(
        row.member_id,
        version,
        row.basis,
        row.awarded_at,
        tuple(session.scalars(rested)),
        row.reason,
        deciders(session, row),
    )


def deciders(session: OrmSession, row: Award) -> tuple[Decider, ...]:
    """Return who decided an award: whoever asked for it, and those who approved; nobody where the rule alone did."""
    approved = select(Approval).where(Approval.award_id == row.id, Approval.outcome == "approved")
    found = [
        Decider(each.token_id, each.approver_id, each.role, each.at)
        for each in session.scalars(approved.order_by(Approval.at, Approval.id))
    ]
    if row.basis in ("rule", "approval"):
        return tuple(found)
    role = reviews.acting_role(session, row.actor_member_id, row.decided_at)
    return (Decider(row.token_id, row.actor_member_id, role, row.decided_at), *found)


def _spend(session: WriteSession, network: Network, row: Award, now: datetime) -> None:
    """Write down which approvals led to an award, and close the review in which they were given."""
    mine = (Approval.member_id == row.member_id, Approval.achievement_id == row.achievement_id)
    fresh = (Approval.award_id.is_(None), Approval.ended_at.is_(None))
    session.execute(update(Approval).where(*mine, *fresh).values(award_id=row.id))
    waiting = select(Review).where(
        Review.member_id == row.member_id,
        Review.achievement_id == row.achievement_id,
        Review.kind == "approval",
        Review.state == "waiting",
    )
    for review in session.scalars(waiting.with_for_update()).all():
        review.award_id = row.id
        reviews.close(session, network, review, "approved", None, now)


def _signed(
    session: WriteSession,
    running: Runtime,
    network: Network,
    decisions: Sequence[Decision],
    now: datetime,
    prepared: Prepared,
) -> dict[tuple[Any, ...], Signed]:
    """Return the signed credentials of decisions, by their keys.

    1. What was not signed before, for these very decisions, is signed now.
    2. A place in a status list that somebody else took in the meantime means another credential.
    """
    if not decisions:
        return {}
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
    return signed


def _announce(
    session: WriteSession,
    running: Runtime,
    network: Network,
    made: Sequence[tuple[Award, Decision]],
    signed: Prepared,
    now: datetime,
) -> None:
    """Make those awards that are signed awarded: with credential, events and message."""
    ready = [(row, signed[decision.key]) for row, decision in made if decision.waits is None]
    if not ready:
        return
    for row, _ in ready:
        row.state = "awarded"
        events.append(session, network, "award.made", about(row), now)
    networks.remember_base_url(session, running.settings)
    credentials = [issuance.store(session, network, row, each, now) for row, each in ready]
    session.flush()
    for credential, (_, each) in zip(credentials, ready, strict=True):
        if each.draft.mailed:
            messages.queue(session, network, credential, now)


def _displaced(session: WriteSession, signed: Prepared) -> list[tuple[Any, ...]]:
    """Return the keys of those whose place in a status list is taken; from here on nobody else takes one."""
    found: list[tuple[Any, ...]] = []
    for list_id in sorted({each.draft.status_list_id for each in signed.values()}):
        status_lists.lock(session, list_id)
        here = {key: each.draft.status_index for key, each in signed.items() if each.draft.status_list_id == list_id}
        taken = status_lists.taken(session, list_id, here.values())
        for key, index in here.items():
            if index in taken:
                found.append(key)
            taken.add(index)
    return found


def rest_on(session: WriteSession, row: Award, record_ids: Collection[UUID]) -> None:
    """Add on which records an award rests."""
    session.add_all(AwardEvidence(award_id=row.id, record_id=record_id) for record_id in record_ids)


def lock_members(session: WriteSession, *where: ColumnElement[bool]) -> list[UUID]:
    """Lock members, the first lock of all, in the order of their identifiers; evidence may still be posted on them."""
    return list(session.scalars(select(Member.id).where(*where).order_by(Member.id).with_for_update(key_share=True)))


def about(row: Award) -> dict[str, str]:
    """Return the identifiers by which events speak of an award."""
    version, member = str(row.achievement_version_id), str(row.member_id)
    return {"award": str(row.id), "achievement_version": version, "member": member}
