"""Approve or decline what waits in the queue: in a role, never about oneself.

If two decide at the same moment, one waits for the other: the members are locked first, as for every decision, and
what is decided is looked up again under that lock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import Select, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import CallersAct
from service.achievements.definitions import rule_of
from service.achievements.enrolments import Versions
from service.awards import appealable, decisions, endings, holding, reviews, settling
from service.bodies import Body, Prose, Ref
from service.criteria import tree
from service.criteria.kinds.approval import Approved
from service.errors import ConflictError, CustodyError, ForbiddenError, NotFoundError, ServiceError
from service.networks.members import still_known
from service.outbox import events
from service.progress import progress
from service.progress.progress import Node
from service.runtime.runtime import Runtime
from service.storage import filters, locks
from service.storage.database import ReadSession, WriteSession
from service.storage.paging import Window, order, page
from service.tables import Achievement, AchievementVersion, Approval, Award, Credential, Member, Network, Review, awards


class ApprovalAsked(Body):
    """A request that people approve an award."""

    achievement: Ref
    member: Ref


class ApprovalIn(Body):
    """An approval of an award."""

    note: Prose | None = None


class RefusalIn(Body):
    """A refusal of an award, with the reason."""

    reason: Prose = Field(description="the recipient reads it, in a mail too, if a badge is taken back for it")


@dataclass(frozen=True)
class Waiting:
    """A review with its names, what the award would rest on, and what was said.

    `wanted` are the roles that can decide it, with the number of people that each needs; `given` is what was said in it
    so far, each with the member's ref; `node` is what the member has reached now, None if there is no rule and in a
    review that is closed.
    """

    review: Review
    member_ref: str
    achievement_ref: str
    version: AchievementVersion
    award: Award | None
    wanted: dict[str, int]
    given: tuple[tuple[Approval, str], ...]
    node: Node | None


def ask(act: CallersAct, body: ApprovalAsked) -> tuple[Review, bool]:
    """Ask people to approve an award; return the review and whether it is new.

    Raises:
        NotFoundError: no such member or achievement.
        ForbiddenError: the caller asks for themself (code "self-decision").
        ConflictError: the criteria ask for nobody's approval ("approval-not-asked"), something else is missing too
            ("criteria-not-met", with the progress), the achievement is retired ("achievement-retired"), the member has
            the award ("award-there"), or the network is a draft ("network-draft").
    """
    callers.past_draft(act.network)
    member = act.session.scalar(select(Member).where(Member.network_id == act.network.id, Member.ref == body.member))
    if member is None:
        raise NotFoundError(
            "member-unknown", "No member of this network has this ref; post the member first, or correct it.", "/member"
        )
    locks.members(act.session, [member.id])
    act.decides_on(member.id, pointer="/member")
    still_known(member, "/member")
    versions = Versions(act.session, act.network, [member.id])
    version = versions.for_member(member.id, body.achievement)
    versions.still_earned(body.achievement)
    if not reviews.needs_approval(version):
        message = "Expected criteria with a rule `approval`; these ask for nobody's."
        raise ConflictError("approval-not-asked", message, "/achievement")
    live = (Award.member_id == member.id, Award.achievement_id == version.achievement_id, Award.state.in_(awards.LIVE))
    if act.session.scalar(select(Award.id).where(*live)) is not None:
        raise ConflictError("award-there", "Expected a member without this award; this one has it.", "/member")
    decided = decisions.by_rule(act.session, act.network, version, [member.id], act.now)[member.id]
    if not decided.met and not reviews.waits_for_people(decided.node):
        shown = progress.explain(act.session, act.network, version, member.id, act.now, node=decided.node)
        message = f"Expected criteria that are met but for approval: {shown.text}"
        appeal = appealable.how(act.network, achievement=body.achievement, member=body.member)
        raise ConflictError("criteria-not-met", message, details={"progress": shown.to_json(), "appeal": appeal})
    return reviews.open_one(act, member.id, version, "approval", "asked")


def approve(act: CallersAct, runtime: Runtime, review_id: UUID, body: ApprovalIn) -> Review:
    """Approve a review, and return it.

    If that was the last approval that it needed, it is closed with its award.

    1. One that was approved in the meantime is returned as it is: two approvals at the same moment make one award.
    2. A member who is judged by another version now, or has lost what the award would rest on, is not awarded.

    Raises:
        NotFoundError: no such review (code "approval-unknown").
        ForbiddenError: the caller is the recipient ("self-decision") or the one who asked ("self-approval"), lacks the
            role ("role-missing"), or has a token that is bound to no member ("approver-unbound").
        ConflictError: it was declined or withdrawn ("approval-closed"), the member is judged by another version now
            ("version-changed") or has lost another criterion ("criteria-not-met"), or the caller has a conflict of
            interest ("approver-conflicted").
        CustodyError: the credential cannot be signed; nothing has changed.
    """
    row = _locked(act, review_id)
    if row.state == "approved":  # (1)
        return row
    roles = _check(act, row)
    version = act.session.get_one(AchievementVersion, row.achievement_version_id)
    if row.kind == "approval":
        _check_version(act.session, act.network, row, version)  # (2)
        _check_conflict(act, row, version, roles)
    _say(act, row, roles, "approved", body.note)
    if row.kind == "approval":
        decided = decisions.by_rule(act.session, act.network, version, [row.member_id], act.now)[row.member_id]
        node = decided.node
        if node is not None and not node.met and not reviews.waits_for_people(node):  # (2)
            raise ConflictError("criteria-not-met", f"Expected the other criteria to be met still: {node.text}")
        if decided.met:
            decisions.carry_out(act, runtime, [decided], {})
            settling.settle(act, runtime, [row.member_id])
        else:
            events.append(act, "review.approval-given", reviews.about(row))
            events.append(act, "approval.waiting", reviews.about(row))
        return row
    award = locks.one(act.session, Award, Award.id == row.award_id)
    if row.kind == "standing":
        _keep(act, award)
        endings.let_stand(act, runtime, award)
    if award.receipt_digest is None:
        decisions.tell_deciders(act.session, award)
    reviews.close(act, row, "approved", None)
    if row.kind == "second":
        if not holding.is_held(act.session, award) and (award.due_at is None or award.due_at <= act.now):
            decisions.announce(act, runtime, award)
        settling.settle(act, runtime, [row.member_id])
    return row


def decline(act: CallersAct, runtime: Runtime, review_id: UUID, body: RefusalIn) -> Review:
    """Decline a review, which closes it, and return it.

    One that was declined before stays as it is. An award that waited for a second person is given up; an award under
    review is revoked.

    Raises:
        NotFoundError, ForbiddenError, ConflictError: as `approve`; an approved review is closed, too.
        CustodyError: the award is to be revoked and the status list cannot be signed; nothing has changed.
    """
    row = _locked(act, review_id)
    if row.state == "declined":
        return row
    roles = _check(act, row)
    _say(act, row, roles, "declined", body.reason)
    reviews.close(act, row, "declined", body.reason)
    if row.award_id is None:
        return row
    award = locks.one(act.session, Award, Award.id == row.award_id)
    credentials = select(Credential.id).where(Credential.award_id == award.id, Credential.revoked_at.is_(None))
    for credential_id in act.session.scalars(credentials.order_by(Credential.id)).all():
        endings.revoke(act, runtime, credential_id, body.reason)
    if award.state != "revoked":
        decisions.give_up(act, award, body.reason)
    return row


def find(session: OrmSession, network: Network, review_id: UUID, now: datetime) -> Waiting:
    """Return a review of the network.

    Raises:
        NotFoundError: the network has no such review (code "approval-unknown").
    """
    row = session.scalar(select(Review).where(Review.id == review_id, Review.network_id == network.id))
    if row is None:
        raise NotFoundError("approval-unknown", "Nothing in this network's queue has this id.")
    return show(session, network, [row], now)[0]


def queue(
    session: ReadSession,
    network: Network,
    now: datetime,
    *,
    window: Window,
    state: str | None,
    kind: str | None,
    member: str | None,
    achievement: str | None,
    sort: str | None = None,
) -> tuple[list[Waiting], str | None]:
    """Return reviews in the order in which they were opened; with the sort "-opened_at" the newest first.

    Raises:
        InvalidError: a filter names nothing in the network (code "member-unknown", "achievement-unknown").
    """
    query: Select[Review] = select(Review).where(
        Review.network_id == network.id, *filters.of(session, network, Review, member, achievement)
    )
    if state is not None:
        query = query.where(Review.state == state)
    if kind is not None:
        query = query.where(Review.kind == kind)
    rows, following = page(session, query, window, order(sort, opened_at=(Review.id,)))
    return show(session, network, rows, now), following


def show(session: OrmSession, network: Network, rows: Sequence[Review], now: datetime) -> list[Waiting]:
    """Return reviews with everything that is shown of them, in the same order."""
    refs = _refs(session, rows)
    said = select(Approval, Member.ref).join(Member, Member.id == Approval.approver_id)
    given: dict[UUID, list[tuple[Approval, str]]] = {}
    mine = said.where(Approval.review_id.in_([row.id for row in rows])).order_by(Approval.at, Approval.id)
    for approval, ref in session.execute(mine):
        given.setdefault(approval.review_id, []).append((approval, ref))
    shown = []
    for row in rows:
        version = session.get_one(AchievementVersion, row.achievement_version_id)
        has_rule = row.state == "waiting" and "rule" in version.definition["criteria"]
        node = progress.explain(session, network, version, row.member_id, now) if has_rule else None
        award = session.get(Award, row.award_id) if row.award_id is not None else None
        wanted = reviews.wanted_roles(version, row.kind)
        shown.append(Waiting(row, *refs[row.id], version, award, wanted, tuple(given.get(row.id, ())), node))
    return shown


def _refs(session: OrmSession, rows: Iterable[Review]) -> dict[UUID, tuple[str, str]]:
    query = (
        select(Review.id, Member.ref, Achievement.ref)
        .join(Member, Member.id == Review.member_id)
        .join(Achievement, Achievement.id == Review.achievement_id)
        .where(Review.id.in_([row.id for row in rows]))
    )
    return {review_id: (member, achievement) for review_id, member, achievement in session.execute(query)}


def _locked(act: CallersAct, review_id: UUID) -> Review:
    """Lock the member whom a review is about and the member who decides, then the review; return it."""
    mine = (Review.id == review_id, Review.network_id == act.network.id)
    member_id = act.session.scalar(select(Review.member_id).where(*mine))
    if member_id is None:
        raise NotFoundError("approval-unknown", "Nothing in this network's queue has this id.")
    locks.members(act.session, {member_id, act.caller.member_id})
    act.decides_on(member_id)
    return locks.one(act.session, Review, *mine)


def _check(act: CallersAct, row: Review) -> set[str]:
    """Return the roles in which the caller may decide a review that waits."""
    if row.state != "waiting":
        raise ConflictError("approval-closed", f"Expected a review that waits; this one is {row.state}.")
    if act.caller.member_id is None:
        message = "Expected a token that is bound to a member: it is a person who decides."
        raise ForbiddenError("approver-unbound", message)
    who = reviews.who_is(act.session, [act.caller.member_id, row.asked_by])
    asked = row.asked_by_token == act.caller.token_id or who.get(row.asked_by) == who[act.caller.member_id]
    if row.kind != "standing" and asked:
        raise ForbiddenError("self-approval", "Expected somebody else than the one who asked for the award.")
    version = act.session.get_one(AchievementVersion, row.achievement_version_id)
    wanted = reviews.wanted_roles(version, row.kind)
    roles = reviews.roles_at(act.session, act.caller.member_id, act.now) & wanted.keys()
    if not roles:
        raise ForbiddenError("role-missing", f"Expected a member with the role {' or '.join(sorted(wanted))} now.")
    return roles


def _check_version(session: WriteSession, network: Network, row: Review, version: AchievementVersion) -> None:
    achievement = session.get_one(Achievement, row.achievement_id)
    judged = Versions(session, network, [row.member_id]).for_member(row.member_id, achievement.ref)
    if judged.id != version.id:
        message = (
            f"Expected version {version.version}, which was put before you; the member is judged by {judged.version}."
        )
        raise ConflictError("version-changed", message)


def _check_conflict(act: CallersAct, row: Review, version: AchievementVersion, roles: set[str]) -> None:
    rule = rule_of(version.definition)
    leaves = [leaf for leaf in tree.rules(rule) if isinstance(leaf, Approved)] if rule is not None else []
    if any(leaf.by_role in roles and not leaf.not_conflicted for leaf in leaves):
        return
    assert act.caller.member_id is not None  # `_check` has seen to that
    who = reviews.who_is(act.session, [row.member_id, act.caller.member_id])
    in_turn = select(Approval.id).where(
        Approval.network_id == row.network_id,
        Approval.outcome == "approved",
        Approval.ended_at.is_(None),
        Approval.approver_who == who[row.member_id],
        Approval.recipient_who == who[act.caller.member_id],
    )
    if act.session.scalar(in_turn.limit(1)) is not None:
        message = "Expected somebody without a conflict of interest: this member has approved an award of yours."
        raise ConflictError("approver-conflicted", message)


def _say(act: CallersAct, row: Review, roles: set[str], outcome: str, note: str | None) -> None:
    """Write down what the caller says, once in each role; saying it again changes nothing."""
    assert act.caller.member_id is not None  # `_check` has seen to that
    who = reviews.who_is(act.session, [row.member_id, act.caller.member_id, row.asked_by])
    mine = select(Approval).where(Approval.review_id == row.id, Approval.approver_id == act.caller.member_id)
    before = {each.role: each for each in act.session.scalars(mine)}
    for role in sorted(roles):
        each = before.get(role)
        if each is not None and each.outcome == outcome and each.ended_at is None:
            continue
        each = each or Approval(
            review_id=row.id, approver_id=act.caller.member_id, role=role, network_id=row.network_id
        )
        each.member_id, each.achievement_id = row.member_id, row.achievement_id
        each.achievement_version_id, each.token_id = row.achievement_version_id, act.caller.token_id
        each.award_id = row.award_id
        each.outcome, each.note, each.at, each.ended_at = outcome, note, act.now, None
        each.recipient_who, each.approver_who = who[row.member_id], who[act.caller.member_id]
        each.asked_by_who = who.get(row.asked_by) if row.kind != "standing" else None
        act.session.add(each)
    act.session.flush()


def _keep(act: CallersAct, award: Award) -> None:
    """Let an award stand; if its own recipient had decided it, the caller has decided it now."""
    if award.actor_who is not None and award.actor_who == award.recipient_who:
        award.token_id, award.actor_member_id = act.caller.token_id, act.caller.member_id
        award.actor_who = reviews.who_is(act.session, [act.caller.member_id])[act.caller.member_id]
    award.review_since = None
    act.session.flush()
    events.append(act, "award.kept", decisions.about(award))


def approve_many(
    act: CallersAct, runtime: Runtime, review_ids: Sequence[UUID], body: ApprovalIn
) -> list[Review | ServiceError]:
    """Approve several reviews; return for each, in order, the review or the refusal."""
    named = select(Review.member_id).where(Review.id.in_(review_ids), Review.network_id == act.network.id)
    locks.members(act.session, {act.caller.member_id, *act.session.scalars(named)})  # all at once, in their order
    outcomes: list[Review | ServiceError] = []
    for review_id in review_ids:
        try:
            with act.session.begin_nested():  # what is refused half-way leaves nothing
                outcomes.append(approve(act, runtime, review_id, body))
        except CustodyError:
            raise
        except ServiceError as error:
            outcomes.append(error)
    return outcomes
