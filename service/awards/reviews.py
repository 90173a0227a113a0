"""The queue of reviews: what people must decide about awards, and who may.

Three things wait: criteria that lack only people's approval, an award to staff that needs a second person, and an
award that lost something on which it rested, or was signed while others may have had the key. Neither the recipient
nor the one who asked decides. Persons are compared, not members, because two members can be one person: here and in the
database (`awards` and `approvals` hold the persons of their members).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.achievements.definitions import rule_of
from service.criteria import tree
from service.criteria.kinds.approval import Approved
from service.outbox import events
from service.progress.progress import Node
from service.storage import locks
from service.storage.database import WriteSession, insert_new
from service.tables import AchievementVersion, Approval, Award, AwardChild, Member, Review, Role
from service.tables.awards import LIVE
from service.tables.identifiers import new_id

STAFF = ("admin", "approver", "assessor", "facilitator")
"""Roles whose holders work for the network: an award to one of them, by decision, needs a second person."""
DECIDING = ("admin", "approver")
"""Roles that decide where no rule names one: on awards to staff, and on awards under review."""


Cause = Literal[
    "criteria",
    "asked",
    "award-to-staff",
    "child-revoked",
    "decided-by-recipient",
    "evidence-corrected",
    "key-compromised",
]
"""Why a review was opened."""


def who_is(session: OrmSession, member_ids: Collection[UUID | None]) -> dict[UUID | None, UUID]:
    """Return the person behind each member, or the member's own id if none is known."""
    query = select(Member.id, func.coalesce(Member.person_id, Member.id)).where(Member.id.in_(member_ids))
    return dict(session.execute(query).all())


def roles_at(session: OrmSession, member_id: UUID, at: datetime) -> set[str]:
    """Return the roles that a member has at an instant."""
    held = (Role.member_id == member_id, Role.from_at <= at, or_(Role.until_at.is_(None), Role.until_at > at))
    return set(session.scalars(select(Role.role).where(*held)))


def acting_role(session: OrmSession, member_id: UUID | None, at: datetime) -> str | None:
    """Return the role in which a member decides if no rule names one.

    None for a token of the whole network.
    """
    if member_id is None:
        return None
    held = roles_at(session, member_id, at)
    return next((role for role in STAFF if role in held), "member")


def staff(session: OrmSession, member_ids: Collection[UUID], at: datetime) -> set[UUID]:
    """Return those of the members who work for their network at an instant.

    A member also does if another member of the network, who is the same person, holds the role.
    """
    own, other = Member.__table__.alias(), Member.__table__.alias()
    same = and_(
        other.c.network_id == own.c.network_id,
        or_(other.c.id == own.c.id, other.c.person_id == own.c.person_id),
    )
    held = (Role.role.in_(STAFF), Role.from_at <= at, or_(Role.until_at.is_(None), Role.until_at > at))
    query = select(own.c.id).join(other, same).join(Role, Role.member_id == other.c.id)
    return set(session.scalars(query.where(own.c.id.in_(member_ids), *held)))


def wanted_roles(version: AchievementVersion, kind: str) -> dict[str, int]:
    """Return the roles that can decide a review, each with how many people it needs."""
    if kind != "approval":
        return dict.fromkeys(DECIDING, 1)
    rule = rule_of(version.definition)
    wanted: dict[str, int] = {}
    for leaf in tree.rules(rule) if rule is not None else ():
        if isinstance(leaf, Approved):
            wanted[leaf.by_role] = max(leaf.n, wanted.get(leaf.by_role, 0))
    return wanted


def needs_approval(version: AchievementVersion) -> bool:
    """Return whether the criteria ask for people's approval."""
    return bool(wanted_roles(version, "approval"))


def waits_for_people(node: Node | None) -> bool:
    """Return whether nothing but people's approval is missing."""
    return node is not None and not node.met and _met_if_approved(node)


def _met_if_approved(node: Node) -> bool:
    if node.children:
        return sum(map(_met_if_approved, node.children)) >= node.required
    return node.met or isinstance(node.criterion, Approved)


def open_one(
    act: Act, member_id: UUID, version: AchievementVersion, kind: str, cause: Cause, award: Award | None = None
) -> tuple[Review, bool]:
    """Open a review, or find the one that waits; return it and whether it is new.

    One waits at a time for a member, an achievement and a kind.
    """
    values = {
        "id": new_id(),
        "network_id": act.network.id,
        "member_id": member_id,
        "achievement_id": version.achievement_id,
        "achievement_version_id": version.id,
        "award_id": award.id if award is not None else None,
        "kind": kind,
        "cause": cause,
        "state": "waiting",
        "opened_at": act.now,
        "asked_by_token": act.caller.token_id if act.caller else None,
        "asked_by": act.caller.member_id if act.caller else None,
    }
    created = insert_new(act.session, Review, values)
    waiting = (Review.state == "waiting", Review.kind == kind, Review.member_id == member_id)
    row = locks.one(act.session, Review, *waiting, Review.achievement_id == version.achievement_id)
    if created and _told(act.session, row):
        events.append(act, "review.opened", about(row))
        events.append(act, "approval.waiting", about(row))
    return row, created


def keep_waiting(
    act: Act,
    waiting: Mapping[UUID, Collection[UUID]],
    versions: Mapping[UUID, AchievementVersion],
    member_ids: Sequence[UUID],
) -> None:
    """Open and withdraw reviews of members, as their evidence now requires.

    What was declined is not put before people again by itself: somebody must ask for that.

    Args:
        waiting: for each version, the members whose criteria lack only approval.
        versions: all that were looked at, by their ids.
    """
    asked = {version.achievement_id for version in versions.values()}
    held = select(Review).where(
        Review.member_id.in_(member_ids), Review.achievement_id.in_(asked), Review.kind == "approval"
    )
    rows = act.session.scalars(held.order_by(Review.id)).all()
    newest = {(row.member_id, row.achievement_version_id): row for row in rows}
    for row in rows:
        due = row.member_id in waiting.get(row.achievement_version_id, ())
        if row.state == "waiting" and not due and row.asked_by_token is None:
            close(act, row, "withdrawn", None)
    for version_id, ready in waiting.items():
        for member_id in sorted(ready):
            last = newest.get((member_id, version_id))
            if last is None or last.state not in ("waiting", "declined"):
                open_one(act.by_service(), member_id, versions[version_id], "approval", "criteria")


def close(act: Act, row: Review, state: str, reason: str | None, *, told: bool | None = None) -> None:
    """Close a review; approvals in one that was not approved no longer count.

    Args:
        told: whether an event says so; left out: only if its award is not pending.
    """
    row.state, row.reason, row.closed_at = state, reason, act.now
    if state != "approved":
        mine = (Approval.review_id == row.id, Approval.ended_at.is_(None))
        act.session.execute(update(Approval).where(*mine).values(ended_at=act.now))
    if _told(act.session, row) if told is None else told:
        events.append(act, f"review.{state}", about(row))
    act.session.flush()


def _told(session: WriteSession, row: Review) -> bool:
    """Return whether events tell of a review: nothing is told of an award that was not announced."""
    award = session.get(Award, row.award_id) if row.award_id is not None else None
    return row.kind != "second" and (award is None or award.state != "pending")


def question(act: Act, row: Award, cause: Cause) -> None:
    """Put an award under review.

    It stands until somebody decides, and shows that it is looked into.
    """
    if row.review_since is None:
        row.review_since = act.now
        act.session.flush()
    version = act.session.get_one(AchievementVersion, row.achievement_version_id)
    open_one(act, row.member_id, version, "standing", cause, row)


def answer(act: Act, row: Award, cause: Cause) -> None:
    """Close the review of an award that waits for this cause: somebody has decided elsewhere."""
    waiting = (Review.award_id == row.id, Review.state == "waiting", Review.cause == cause)
    for review in locks.rows(act.session, Review, *waiting):
        row.review_since = None
        close(act, review, "withdrawn", None)


def question_built_on(act: Act, child: Award) -> None:
    """Put the awards under review that were built on a revoked one.

    People decide on them; nothing else revokes them.
    """
    built = select(AwardChild.award_id).where(AwardChild.child_id == child.id)
    for parent in locks.rows(act.session, Award, Award.id.in_(built), Award.state.in_(LIVE)):
        question(act.by_service(), parent, "child-revoked")


def relink(act: Act, member_id: UUID) -> None:
    """Write down again who a member is, wherever that decides something.

    Call this when the person behind a member has changed.

    1. An approval of oneself no longer counts from now on, and the award that it led to is put under review.
    2. So is an award whose decider turns out to be its recipient.
    """
    act.session.flush()
    involved = or_(Approval.member_id == member_id, Approval.approver_id == member_id, Review.asked_by == member_id)
    found = select(Approval, Review.asked_by).join(Review, Review.id == Approval.review_id).where(involved)
    rows = act.session.execute(found.order_by(Approval.id).with_for_update(of=Approval)).all()
    awards = locks.rows(act.session, Award, or_(Award.member_id == member_id, Award.actor_member_id == member_id))
    ids: set[UUID | None] = {member_id, *(row.member_id for row, _ in rows), *(row.approver_id for row, _ in rows)}
    ids |= {asked for _, asked in rows} | {row.member_id for row in awards} | {row.actor_member_id for row in awards}
    who = who_is(act.session, ids)
    questioned: set[UUID] = set()
    for row, asked in rows:
        names = who[row.member_id], who[row.approver_id], who.get(asked)
        if row.ended_at is None and names[1] in (names[0], names[2]):  # (1)
            row.ended_at = act.now
            questioned |= {row.award_id} if row.award_id is not None else set()
        row.recipient_who, row.approver_who, row.asked_by_who = names
    for award in awards:
        recipient, actor = who[award.member_id], who.get(award.actor_member_id)
        if award.state in LIVE and actor == recipient and award.actor_who != award.recipient_who:  # (2)
            questioned.add(award.id)
        if award.id in questioned:
            award.review_since = award.review_since or act.now
        award.recipient_who, award.actor_who = recipient, actor
    act.session.flush()
    for award in locks.rows(act.session, Award, Award.id.in_(questioned), Award.state.in_(LIVE)):
        question(act.by_service(), award, "decided-by-recipient")


def end(act: Act, row: Award) -> None:
    """End the approvals and reviews of an award that ends.

    The approvals no longer count, and nobody needs to decide on the award.
    """
    act.session.execute(
        update(Approval).where(Approval.award_id == row.id, Approval.ended_at.is_(None)).values(ended_at=act.now)
    )
    row.review_since = None
    for review in locks.rows(act.session, Review, Review.award_id == row.id, Review.state == "waiting"):
        close(act, review, "withdrawn", None)


def about(row: Review) -> dict[str, str]:
    """Return the identifiers that events give for a review."""
    said = {
        "review": str(row.id),
        "achievement_version": str(row.achievement_version_id),
        "member": str(row.member_id),
    }
    return said | ({"award": str(row.award_id)} if row.award_id is not None else {})
