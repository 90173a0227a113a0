"""Erase what an erased member wrote about goals: their own, and those of others."""

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.participation.goals import goals
from service.storage import locks
from service.tables import Goal, GoalAnswer


def goals_of(session: OrmSession, member_id: UUID) -> int:
    """Return how many goals a member has."""
    return session.scalar(select(func.count()).select_from(Goal).where(Goal.member_id == member_id)) or 0


def erase(act: Act, member_id: UUID) -> None:
    """Delete the goals of a member, and leave those of others, who then share them with nobody.

    That the member confirmed a goal stays, without their words: evidence rests on it.
    """
    locks.rows(act.session, Goal, (Goal.member_id == member_id) | (Goal.buddy_id == member_id))
    goals.erase(act.session, select(Goal.id).where(Goal.member_id == member_id))
    left = update(Goal).where(Goal.buddy_id == member_id)
    act.session.execute(left.values(buddy_id=None, buddy_state=None, shared_with="nobody"))
    said = update(GoalAnswer).where(GoalAnswer.member_id == member_id)
    act.session.execute(said.values(comment=None))
