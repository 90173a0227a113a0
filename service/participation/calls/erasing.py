"""Erase what a member said in applications, and what was said of them."""

from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.tables import CallApplication, CallApplicationText, CallDecision, CallLock, CallQuestion


def applications_of(session: OrmSession, member_id: UUID) -> int:
    """Return how many applications of a member have texts that an erasure takes away."""
    query = select(func.count()).select_from(CallApplicationText)
    query = query.join(CallApplication, CallApplication.id == CallApplicationText.application_id)
    return session.scalar(query.where(CallApplication.member_id == member_id)) or 0


def erase(act: Act, member_id: UUID) -> None:
    """Erase the texts of a member's applications; that they applied, and what was decided, stays with its dates.

    What nobody has decided yet is withdrawn.
    """
    mine = select(CallApplication.id).where(CallApplication.member_id == member_id)
    for row in (CallApplicationText, CallQuestion):
        act.session.execute(delete(row).where(row.application_id.in_(mine)))
    for said in (CallDecision, CallLock):
        act.session.execute(update(said).where(said.application_id.in_(mine)).values(reason=None))
    open_ones = (CallApplication.member_id == member_id, CallApplication.state.in_(("applied", "waiting")))
    act.session.execute(update(CallApplication).where(*open_ones).values(state="withdrawn", changed_at=act.now))
