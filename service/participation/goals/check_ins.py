"""Check-ins: how far a member is with a goal, and whether that is on course."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import CallersAct
from service.errors import ConflictError, InvalidError, NotFoundError
from service.participation.goals import goals
from service.participation.goals.shapes import CheckInIn
from service.storage.paging import Order, Window, page
from service.tables import Goal, GoalCheckIn, GoalCheckInText
from service.tables.identifiers import new_id
from service.texts.languages import N_

MOST: Final = 400
"""How many check-ins a goal can have."""
NEAR: Final = 0.1
"""How far from the time that has passed progress can be and still be on course."""
Course = Literal["not-begun", "no-check-in", "reached", "overdue", "ahead", "on-course", "behind"]

CLOSED: Final = N_("This goal is closed, so it takes no more check-ins.")
EARLY: Final = N_("Choose a day on which the goal had begun.")
FUTURE: Final = N_("Choose today or an earlier day.")
UNKNOWN: Final = N_("This goal has no such check-in.")
FULL: Final = N_("This goal has 400 check-ins, and takes no more.")


@dataclass(frozen=True)
class ShownCheckIn:
    """A check-in with what was written in it."""

    row: GoalCheckIn
    text: GoalCheckInText


def add(act: CallersAct, goal_id: UUID, body: CheckInIn) -> ShownCheckIn:
    """Say how far one is with a goal.

    Raises:
        ForbiddenError, NotFoundError: as `goals.own`.
        ConflictError: the goal is closed (code "goal-closed"), or has too many (code "check-ins-too-many").
        InvalidError: the day is before the goal began (code "check-in-before-start"), or in the future
            (code "check-in-in-future").
    """
    goal = _open(act, goal_id)
    today = goals.today(act.network, act)
    day = body.on or today
    if day > today:
        raise InvalidError("check-in-in-future", FUTURE, "/on")
    if day < goal.begun_on:
        raise InvalidError("check-in-before-start", EARLY, "/on")
    held = select(func.count()).select_from(GoalCheckIn).where(GoalCheckIn.goal_id == goal.id)
    if (act.session.scalar(held) or 0) >= MOST:
        raise ConflictError("check-ins-too-many", FULL)
    row = GoalCheckIn(id=new_id(), goal_id=goal.id, on_date=day, progress=body.progress, made_at=act.now)
    act.session.add(row)
    act.session.flush()
    text = GoalCheckInText(check_in_id=row.id, comment=body.comment, obstacle=body.obstacle)
    act.session.add(text)
    act.session.flush()
    return ShownCheckIn(row, text)


def remove(act: CallersAct, goal_id: UUID, check_in_id: UUID) -> None:
    """Delete a check-in of a goal that is open.

    Raises:
        ForbiddenError, NotFoundError: as `goals.own`, or the goal has none with this id (code "check-in-unknown").
        ConflictError: the goal is closed (code "goal-closed").
    """
    goal = _open(act, goal_id)
    row = act.session.scalar(select(GoalCheckIn).where(GoalCheckIn.id == check_in_id, GoalCheckIn.goal_id == goal.id))
    if row is None:
        raise NotFoundError("check-in-unknown", UNKNOWN)
    act.session.execute(delete(GoalCheckInText).where(GoalCheckInText.check_in_id == row.id))
    act.session.delete(row)
    act.session.flush()


def list_check_ins(session: OrmSession, goal: Goal, window: Window) -> tuple[list[ShownCheckIn], str | None]:
    """Return check-ins of a goal, the newest first, and the cursor of those that follow."""
    query = select(GoalCheckIn).where(GoalCheckIn.goal_id == goal.id)
    rows, following = page(session, query, window, Order((GoalCheckIn.made_at, GoalCheckIn.id), falling=True))
    written = select(GoalCheckInText).where(GoalCheckInText.check_in_id.in_([row.id for row in rows]))
    texts = {text.check_in_id: text for text in session.scalars(written)}
    return [ShownCheckIn(row, texts[row.id]) for row in rows], following


def newest_of(session: OrmSession, goal_ids: Collection[UUID]) -> dict[UUID, GoalCheckIn]:
    """Return the check-in of the newest day of each goal that has one."""
    query = select(GoalCheckIn).where(GoalCheckIn.goal_id.in_(goal_ids))
    ordered = session.scalars(query.order_by(GoalCheckIn.on_date, GoalCheckIn.made_at, GoalCheckIn.id))
    return {row.goal_id: row for row in ordered}


def has_any(session: OrmSession, goal: Goal) -> bool:
    """Return whether a goal has a check-in."""
    return session.scalar(select(GoalCheckIn.id).where(GoalCheckIn.goal_id == goal.id).limit(1)) is not None


def elapsed(goal: Goal, today: date) -> float:
    """Return how much of the time of a goal has passed, as a part of one; its last day is the end."""
    days = (goal.due_on - goal.begun_on).days
    passed = (today - goal.begun_on).days
    return min(max(passed / days, 0.0), 1.0) if days else float(passed >= 0)


def course(goal: Goal, newest: GoalCheckIn | None, today: date) -> Course:
    """Return how far a goal is, beside the time that has passed."""
    if today < goal.begun_on:
        return "not-begun"
    if newest is not None and newest.progress >= 1:
        return "reached"
    if today > goal.due_on:
        return "overdue"
    if newest is None:
        return "no-check-in"
    ahead = round(newest.progress - elapsed(goal, today), 9)
    return "ahead" if ahead > NEAR else "on-course" if ahead >= -NEAR else "behind"


def _open(act: CallersAct, goal_id: UUID) -> Goal:
    goal = goals.own(act, goal_id)
    if goal.closed_as is not None:
        raise ConflictError("goal-closed", CLOSED)
    return goal
