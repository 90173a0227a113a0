"""Carry out decisions: each becomes an award with a signed credential.

An event and a message go with it; all of it happens, or nothing. Signing takes longer than writing, so for many
decisions it is done before the transaction begins (`prepare`). What is then decided inside the transaction takes its
credential from there (`carry_out`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import Act, CallersAct
from service.awards import holding, reviews
from service.criteria.kinds.holds import Holds
from service.durations import Duration
from service.issuing import choices, credentials, receipts, status_lists, unsigned
from service.issuing.choices import Choices
from service.issuing.credentials import SignedDraft
from service.issuing.decision import Decider, Decision
from service.outbox import events, mailbox
from service.progress import progress
from service.progress.progress import Node
from service.runtime.runtime import Runtime
from service.signing import base_url
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.tables import (
    Achievement,
    AchievementVersion,
    Approval,
    Award,
    AwardChild,
    AwardDecider,
    AwardEvidence,
    Credential,
    Network,
    Review,
    StatusList,
)

Prepared = Mapping[tuple[Any, ...], SignedDraft]
"""Signed credentials, by the keys of the decisions that they are for."""


def prepare(
    runtime: Runtime, network_id: UUID, decide: Callable[[ReadSession, Network], Sequence[Decision]], now: datetime
) -> Prepared:
    """Sign what would be decided now; return it for the transaction that decides."""
    with runtime.database.read() as session:
        network = session.get_one(Network, network_id)
        decided = holding.held(session, network, decide(session, network))
        decisions = [decision for decision in decided if not decision.pending]
        if not decisions:
            return {}
        purposes = {each.purpose for each in decisions}
        lists = {purpose: status_lists.find_open(session, network, purpose) for purpose in purposes}
        there = {purpose: found for purpose, found in lists.items() if found is not None}
        if there.keys() == lists.keys():
            issuer = credentials.issuer_keys(session, runtime, network)
            written = unsigned.write(session, runtime.settings, network, decisions, there, now)
            return {draft.decision.key: credentials.sign_draft(issuer, draft) for draft in written}
    with runtime.database.write() as session:
        for purpose in sorted(lists.keys() - there.keys()):
            status_lists.open_list(Act(session, session.get_one(Network, network_id), None, now), runtime, purpose)
    return prepare(runtime, network_id, decide, now)


def by_rule(
    session: OrmSession,
    network: Network,
    version: AchievementVersion,
    member_ids: Collection[UUID],
    now: datetime,
    *,
    awarded_at: datetime | None = None,
    reason: str | None = None,
) -> dict[UUID, Decision]:
    """Return what the rule of a version decides on members.

    This is the one place where a rule is asked in order to award. A decision that is not met (`Decision.met`) can be
    explained, but not carried out.

    Args:
        awarded_at: when it was earned; left out: now.
    """
    at = awarded_at or now.replace(microsecond=0)
    nodes = progress.evaluate(session, network, version, member_ids, now)
    return {
        member_id: _met(session, version, member_id, node, at, reason)
        if node.met
        else Decision(member_id, version, "rule", at, reason=reason, node=node)
        for member_id, node in nodes.items()
    }


def _met(
    session: OrmSession, version: AchievementVersion, member_id: UUID, node: Node, at: datetime, reason: str | None
) -> Decision:
    """Return the decision that met criteria make; if they ask for approval, with those who approved."""
    held = _held(session, version, member_id, node)
    if not reviews.needs_approval(version):
        return Decision(member_id, version, "rule", at, node.record_ids, reason, node=node, child_ids=held)
    counting = (Approval.achievement_id == version.achievement_id, Approval.ended_at.is_(None))
    deciders = _approvers(session, Approval.member_id == member_id, *counting)
    return Decision(member_id, version, "approval", at, node.record_ids, reason, deciders, node, held)


def _approvers(session: OrmSession, *where: ColumnElement[bool]) -> tuple[Decider, ...]:
    rows = session.scalars(
        select(Approval).where(Approval.outcome == "approved", *where).order_by(Approval.at, Approval.id)
    )
    return tuple(Decider(row.token_id, row.approver_id, row.role, row.at) for row in rows)


def _held(session: OrmSession, version: AchievementVersion, member_id: UUID, node: Node) -> tuple[UUID, ...]:
    """Return the awards that count for met rules `holds`: of each achievement the newest that stands."""
    rules = [leaf.criterion for leaf in _leaves(node) if leaf.met and isinstance(leaf.criterion, Holds)]
    refs = {ref for rule in rules for ref in rule.achievements}
    if not refs:
        return ()
    network_id = session.get_one(Achievement, version.achievement_id).network_id
    standing = (Award.member_id == member_id, Award.state.in_(("awarded", "suspended", "expired")))
    rows = session.execute(
        select(Award.achievement_id, Award.id)
        .join(Achievement, Achievement.id == Award.achievement_id)
        .where(*standing, Achievement.network_id == network_id, Achievement.ref.in_(refs))
        .order_by(Award.state != "expired", Award.awarded_at, Award.id)  # the last one stands
    )
    return tuple(dict(rows.all()).values())


def _leaves(node: Node) -> Iterator[Node]:
    if not node.children:
        yield node
    for child in node.children:
        yield from _leaves(child)


def carry_out(act: Act, runtime: Runtime, decisions: Sequence[Decision], prepared: Prepared) -> list[Award]:
    """Write down decisions as awards, and return these in the same order.

    Those that are not pending get their credentials.

    Raises:
        ConflictError: the network is a draft, which issues nothing (code "network-draft").
        CustodyError: a key cannot be used; nothing was written.
    """
    if decisions:
        callers.past_draft(act.network)
    decisions = holding.held(act.session, act.network, decisions)
    signed = _signed(act, runtime, [each for each in decisions if not each.pending], prepared)
    earlier = unsigned.renewed(act.session, decisions)
    who = reviews.who_is(
        act.session, {each.member_id for each in decisions} | {act.caller.member_id if act.caller else None}
    )
    rows = [
        Award(
            network_id=act.network.id,
            member_id=decision.member_id,
            achievement_id=decision.version.achievement_id,
            achievement_version_id=decision.version.id,
            basis=decision.basis,
            state="pending",
            reason=decision.reason,
            awarded_at=decision.awarded_at,
            decided_at=act.now,
            token_id=act.caller.token_id if act.caller else None,
            actor_member_id=act.caller.member_id if act.caller else None,
            renews=earlier[place].award_id
            if (place := (decision.member_id, decision.version.achievement_id)) in earlier
            else None,
            due_at=_due_at(act.network, decision, act.now),
            recipient_who=who[decision.member_id],
            actor_who=who.get(act.caller.member_id) if act.caller else None,
        )
        for decision in decisions
    ]
    act.session.add_all(rows)
    act.session.flush()
    for row, decision in zip(rows, decisions, strict=True):
        rest_on(act.session, row, decision.record_ids)
        act.session.add_all(AwardChild(award_id=row.id, child_id=child_id) for child_id in decision.child_ids)
        if decision.basis == "approval":
            _spend(act, row, told=not decision.pending)
        if decision.pending:
            tell_deciders(act.session, row)
        else:
            act.session.add_all(_decider_rows(row, decision.deciders))
        if decision.waits == "second":
            member_id, version = decision.member_id, decision.version
            reviews.open_one(act, member_id, version, "second", "award-to-staff", row)
    made = [(row, each) for row, each in zip(rows, decisions, strict=True) if not each.pending]
    _announce(act, runtime, made, signed)
    return rows


def _due_at(network: Network, decision: Decision, now: datetime) -> datetime | None:
    if decision.cooling_off is None or decision.held:
        return None
    return Duration.parse(decision.cooling_off).after(now, ZoneInfo(network.time_zone))


def announce(act: Act, runtime: Runtime, row: Award) -> bool:
    """Sign and announce a pending award, and return whether that was done.

    From the commit on it is an award like any other.

    1. It is decided again, on the evidence of now; if it is no longer earned, it ends, and nobody is told.
    2. It keeps the date on which it was earned.

    Raises:
        CustodyError: a key cannot be used; nothing was written.
    """
    if row.basis in ("rule", "approval"):  # (1)
        version, kept = act.session.get_one(AchievementVersion, row.achievement_version_id), row.awarded_at
        decided = by_rule(
            act.session, act.network, version, [row.member_id], act.now, awarded_at=kept, reason=row.reason
        )  # (2)
        decision = decided[row.member_id]
        if not decision.met:
            reviews.end(act, row)
            row.state = "revoked"
            return False
        act.session.execute(delete(AwardEvidence).where(AwardEvidence.award_id == row.id))
        act.session.execute(delete(AwardChild).where(AwardChild.award_id == row.id))
        rest_on(act.session, row, decision.record_ids)
        act.session.add_all(AwardChild(award_id=row.id, child_id=child_id) for child_id in decision.child_ids)
        act.session.execute(delete(AwardDecider).where(AwardDecider.award_id == row.id))
        act.session.add_all(_decider_rows(row, decision.deciders))
    else:
        decision = replace(decision_of(act.session, row), chosen=_chosen_before(act, row))
    signed = _signed(act, runtime, [decision], {})
    _announce(act, runtime, [(row, decision)], signed)
    return True


def _chosen_before(act: Act, row: Award) -> Choices | None:
    """Return what the recipient chose about the credential of the award in whose place this one stands."""
    before = act.session.get(Award, row.renews) if row.renews is not None else None
    old = credentials.of_awards(act.session, [before]).get(before.id) if before is not None else None
    return choices.of(act.session, row.member_id, old, act.now) if old is not None else None


def give_up(act: CallersAct, row: Award, reason: str) -> None:
    """End an award that was not signed: only its row stays, nobody is told, and nothing awards it again by itself."""
    reviews.end(act, row)
    row.state, row.ended_by, row.end_reason = "revoked", act.caller.token_id, reason
    act.session.flush()


def sign_again(act: Act, runtime: Runtime, row: Award, old: Credential) -> Credential:
    """Sign a new credential for an award, with what is known now, in place of another one, and return it.

    If the award has a receipt, it stays the same, and so does what the recipient chose about the old credential. Nobody
    is written to.

    Raises:
        CustodyError: a key cannot be used; nothing was written.
    """
    kept = receipts.of_award(act.session, row)
    chosen = choices.of(act.session, row.member_id, old, act.now)
    decision = replace(decision_of(act.session, row), receipt=receipts.kept(kept) if kept else None, chosen=chosen)
    signed = _signed(act, runtime, [decision], {})[decision.key]
    receipts.store(act, row, signed.draft.receipt)
    credential = credentials.store(act, row, signed)
    act.session.flush()
    return credential


def decision_of(session: OrmSession, row: Award) -> Decision:
    """Return the decision that an award stands for."""
    version = session.get_one(AchievementVersion, row.achievement_version_id)
    rested = select(AwardEvidence.record_id).where(AwardEvidence.award_id == row.id).order_by(AwardEvidence.record_id)
    decided = select(AwardDecider).where(AwardDecider.award_id == row.id).order_by(AwardDecider.place)
    return Decision(
        row.member_id,
        version,
        row.basis,
        row.awarded_at,
        tuple(session.scalars(rested)),
        row.reason,
        tuple(map(Decider.of, session.scalars(decided))),
    )


def tell_deciders(session: WriteSession, row: Award) -> None:
    """Write down who has decided an award so far, until its receipt says it for good.

    The one who asked for it comes first, unless the rule decided; then come those who approved.
    """
    found = _approvers(session, Approval.award_id == row.id)
    if row.basis not in ("rule", "approval"):
        role = reviews.acting_role(session, row.actor_member_id, row.decided_at)
        found = (Decider(row.token_id, row.actor_member_id, role, row.decided_at), *found)
    session.execute(delete(AwardDecider).where(AwardDecider.award_id == row.id))
    session.add_all(_decider_rows(row, found))
    session.flush()


def _decider_rows(row: Award, deciders: Sequence[Decider]) -> Iterator[AwardDecider]:
    for place, each in enumerate(deciders):
        yield AwardDecider(
            award_id=row.id, place=place, token_id=each.token_id, member_id=each.member_id, role=each.role, at=each.at
        )


def _spend(act: Act, row: Award, *, told: bool) -> None:
    """Write down which approvals led to an award, and close the review in which they were given."""
    mine = (Approval.member_id == row.member_id, Approval.achievement_id == row.achievement_id)
    fresh = (Approval.award_id.is_(None), Approval.ended_at.is_(None))
    act.session.execute(update(Approval).where(*mine, *fresh).values(award_id=row.id))
    waiting = (
        Review.member_id == row.member_id,
        Review.achievement_id == row.achievement_id,
        Review.kind == "approval",
        Review.state == "waiting",
    )
    for review in locks.rows(act.session, Review, *waiting):
        review.award_id = row.id
        reviews.close(act, review, "approved", None, told=told)


def _signed(
    act: Act, runtime: Runtime, decisions: Sequence[Decision], prepared: Prepared
) -> dict[tuple[Any, ...], SignedDraft]:
    """Return the signed credentials of decisions, by their keys.

    1. A decision whose credential was not prepared gets it signed now.
    2. If somebody else has taken a credential's place in a status list in the meantime, it is signed again.
    """
    if not decisions:
        return {}
    issuer = credentials.issuer_keys(act.session, runtime, act.network)
    signed = {decision.key: prepared[decision.key] for decision in decisions if decision.key in prepared}
    while True:
        for key in _displaced(act.session, signed):  # (2)
            del signed[key]
        missing = [decision for decision in decisions if decision.key not in signed]
        if not missing:
            break
        wanted = sorted({decision.purpose for decision in missing})
        lists = {purpose: status_lists.open_list(act, runtime, purpose) for purpose in wanted}
        for draft in unsigned.write(act.session, runtime.settings, act.network, missing, lists, act.now):  # (1)
            signed[draft.decision.key] = credentials.sign_draft(issuer, draft)
    return signed


def _announce(act: Act, runtime: Runtime, made: Sequence[tuple[Award, Decision]], signed: Prepared) -> None:
    """Mark signed awards as awarded, and store credential, events and message for each."""
    ready = [(row, signed[decision.key]) for row, decision in made]
    if not ready:
        return
    receipts.store_all(act, [(row, each.draft.receipt) for row, each in ready])
    for row, _ in ready:
        row.state = "awarded"
        events.append(act, "award.made", about(row))
    base_url.remember_base_url(act.session, runtime.settings)
    stored = [credentials.store(act, row, each) for row, each in ready]
    act.session.flush()
    for credential, (row, each) in zip(stored, ready, strict=True):
        if row.renews is not None:
            credentials.supersede(act.session, row.renews, credential)
        if each.draft.mailed:
            mailbox.queue_awarded(act, credential)


def _displaced(session: WriteSession, signed: Prepared) -> list[tuple[Any, ...]]:
    """Lock the status lists, so that nobody else takes a place; return the keys whose place is taken."""
    found: list[tuple[Any, ...]] = []
    for list_id in sorted({each.draft.status_list_id for each in signed.values()}):
        locks.status_list(session, StatusList, list_id)
        here = {key: each.draft.status_index for key, each in signed.items() if each.draft.status_list_id == list_id}
        taken = status_lists.taken(session, list_id, here.values())
        for key, index in here.items():
            if index in taken:
                found.append(key)
            taken.add(index)
    return found


def rest_on(session: WriteSession, row: Award, record_ids: Collection[UUID]) -> None:
    """Add the records on which an award rests."""
    session.add_all(AwardEvidence(award_id=row.id, record_id=record_id) for record_id in record_ids)


def about(row: Award) -> dict[str, str]:
    """Return the identifiers that events give for an award."""
    version, member = str(row.achievement_version_id), str(row.member_id)
    return {"award": str(row.id), "achievement_version": version, "member": member}
