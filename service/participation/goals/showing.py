"""Goals as they are shown: to their member, to the buddy, and to the network.

A buddy who has not answered yet reads what they are asked about, and not how far it is. What peers say of a goal is for
its member; others learn whether somebody confirmed it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from service.access.callers import Caller
from service.errors import ForbiddenError
from service.networks import protected
from service.participation.goals import answers, check_ins, readers
from service.participation.goals.check_ins import Course, ShownCheckIn
from service.participation.goals.readers import Part
from service.storage.paging import Order, Window, page
from service.tables import Goal, GoalAnswer, GoalCheckIn, GoalText, Member, Network
from service.texts.languages import N_

BuddyStanding = Literal["asked", "accepted", "declined", "gone"]
ASKED: Final = N_("A member asks you to be their buddy for a goal.")
CONFIRM: Final = N_("A goal was met, and waits for you to say whether you agree.")
OVER: Final = N_("The last day of a goal of yours has passed. Close it, or choose another day.")


@dataclass(frozen=True)
class ShownGoal:
    """A goal as somebody sees it.

    `members` are those whom it names, by id; a name is there only if it may be shown. `buddy` is gone if they have left.
    `answers` are those that the reader may read.
    """

    row: Goal
    text: GoalText
    part: Part
    members: Mapping[UUID | None, Member]
    names: Mapping[UUID | None, str | None]
    newest: GoalCheckIn | None
    elapsed: float
    course: Course
    buddy: BuddyStanding | None = None
    confirmed: bool = False
    answers: Sequence[GoalAnswer] = field(default_factory=tuple)
    own_answer: GoalAnswer | None = None

    @property
    def reads_check_ins(self) -> bool:
        """Whether the reader may see how far it is."""
        return self.part != "buddy" or self.row.buddy_state == "accepted"

    @property
    def waits(self) -> bool:
        """Whether the reader is the buddy, who has not said yet what they are asked."""
        asked = self.row.buddy_state == "asked"
        return self.part == "buddy" and (asked or (self.row.closed_as == "met" and self.own_answer is None))


def find(session: OrmSession, network: Network, caller: Caller, goal_id: UUID, now: datetime) -> ShownGoal:
    """Return a goal as the caller sees it.

    Raises:
        NotFoundError: as `readers.find`.
    """
    row, part = readers.find(session, network, caller, goal_id, now)
    return shown(session, network, caller, [(row, part)], now)[0]


def list_goals(
    session: OrmSession,
    network: Network,
    caller: Caller,
    now: datetime,
    *,
    window: Window,
    part: Part | None = None,
    state: Literal["open", "closed"] | None = None,
) -> tuple[list[ShownGoal], str | None]:
    """Return the goals that the caller sees, the newest first, and the cursor of those that follow."""
    query = readers.seen_by(session, network, caller, part, now)
    if state is not None:
        query = query.where(Goal.closed_as.is_(None) if state == "open" else Goal.closed_as.is_not(None))
    rows, following = page(session, query, window, Order((Goal.made_at, Goal.id), falling=True))
    seen = [(row, each) for row in rows if (each := readers.part_in(session, caller, row, now)) is not None]
    return shown(session, network, caller, seen, now), following


def list_check_ins(
    session: OrmSession, network: Network, caller: Caller, goal_id: UUID, now: datetime, window: Window
) -> tuple[list[ShownCheckIn], str | None]:
    """Return check-ins of a goal, the newest first, and the cursor of those that follow.

    Raises:
        NotFoundError: as `readers.find`.
        ForbiddenError: the caller has not said yet whether they are the buddy (code "buddy-not-accepted").
    """
    row, part = readers.find(session, network, caller, goal_id, now)
    if part == "buddy" and row.buddy_state != "accepted":
        raise ForbiddenError("buddy-not-accepted", answers.NOT_ACCEPTED)
    return check_ins.list_check_ins(session, row, window)


def shown(
    session: OrmSession, network: Network, caller: Caller, seen: Sequence[tuple[Goal, Part]], now: datetime
) -> list[ShownGoal]:
    """Return goals as the caller sees them, in the same order."""
    ids = [row.id for row, _ in seen]
    texts = {text.goal_id: text for text in session.scalars(select(GoalText).where(GoalText.goal_id.in_(ids)))}
    newest = check_ins.newest_of(session, ids)
    said: defaultdict[UUID, list[GoalAnswer]] = defaultdict(list)
    given = select(GoalAnswer).where(GoalAnswer.goal_id.in_(ids))
    for answer in session.scalars(given.order_by(GoalAnswer.answered_at, GoalAnswer.member_id)):
        said[answer.goal_id].append(answer)
    mine = readers.same_person(session, caller.member_id) if caller.member_id is not None else set()
    people = {each for row, _ in seen for each in (row.member_id, row.buddy_id)} - {None}
    people |= {answer.member_id for some in said.values() for answer in some}
    members: dict[UUID | None, Member] = {
        row.id: row for row in session.scalars(select(Member).where(Member.id.in_(people)))
    }
    names = {
        each: None if protected.is_protected(session, row.id, now) else row.name or row.ref
        for each, row in members.items()
    }
    today = now.astimezone(ZoneInfo(network.time_zone)).date()
    found = []
    for row, part in seen:
        own = next((answer for answer in said[row.id] if answer.member_id in mine), None)
        found.append(
            ShownGoal(
                row,
                texts[row.id],
                part,
                members,
                names,
                newest.get(row.id),
                check_ins.elapsed(row, today),
                check_ins.course(row, newest.get(row.id), today),
                buddy=_buddy(session, row, now),
                confirmed=any(answer.met for answer in said[row.id]),
                answers=said[row.id] if part == "member" else [] if own is None else [own],
                own_answer=own,
            )
        )
    return found


def waits(session: OrmSession, network: Network, member: Member, now: datetime) -> str | None:
    """Return in a sentence what waits for a member; None if nothing does."""
    people = readers.same_person(session, member.id)
    if not readers.has_left(session, member.id, now):
        asked = select(Goal).where(
            Goal.network_id == network.id, Goal.shared_with == "buddy", Goal.buddy_id.in_(people)
        )
        if session.scalar(asked.where(Goal.buddy_state == "asked").limit(1)) is not None:
            return ASKED
        said = select(GoalAnswer.goal_id).where(GoalAnswer.goal_id == Goal.id, GoalAnswer.member_id.in_(people))
        met = asked.where(Goal.buddy_state == "accepted", Goal.closed_as == "met", ~said.exists())
        if session.scalar(met.limit(1)) is not None:
            return CONFIRM
    today = now.astimezone(ZoneInfo(network.time_zone)).date()
    over = select(func.count()).where(Goal.member_id.in_(people), Goal.closed_as.is_(None), Goal.due_on < today)
    return OVER if session.scalar(over) else None


def ref_of(session: OrmSession, network: Network, typed: str, now: datetime) -> str:
    """Return the ref of the member whom somebody names, by their ref or by the name that the network has.

    Children and students are found by their ref only. What nobody, or several, have is returned as it is.
    """
    if session.scalar(select(Member.id).where(Member.network_id == network.id, Member.ref == typed)) is not None:
        return typed
    named = select(Member).where(
        Member.network_id == network.id, func.lower(Member.name) == typed.lower(), Member.erased_at.is_(None)
    )
    found = [row for row in session.scalars(named.limit(3)) if not protected.is_protected(session, row.id, now)]
    return found[0].ref if len(found) == 1 else typed


def _buddy(session: OrmSession, row: Goal, now: datetime) -> BuddyStanding | None:
    if row.shared_with != "buddy":
        return None
    if row.buddy_id is None or readers.has_left(session, row.buddy_id, now):
        return "gone"
    known: dict[str | None, BuddyStanding] = {"asked": "asked", "accepted": "accepted"}
    return known.get(row.buddy_state, "declined")
