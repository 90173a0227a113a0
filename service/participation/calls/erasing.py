"""Erase what a member said in applications, and what was said of them."""

from sqlalchemy import delete, select, update

from service.access.act import Act
from service.tables import CallApplication, CallApplicationText, CallDecision, CallLock, CallQuestion


def erase(act: Act, member_id: object) -> None:
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
