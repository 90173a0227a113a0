"""Undo an award that was not announced yet."""

from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from service.access.act import CallersAct
from service.awards import decisions
from service.bodies import Body, Prose
from service.errors import ConflictError, NotFoundError
from service.storage import locks
from service.tables import Award, Credential


class UndoIn(Body):
    """Why a pending award is undone."""

    reason: Prose = Field(description="kept by the network", examples=["Awarded to the wrong member."])


def undo(act: CallersAct, award_id: UUID, body: UndoIn) -> Award:
    """Undo a pending award, and return it; only its row stays.

    One that was undone before is returned as it is.

    Raises:
        NotFoundError: the network has no such award (code "award-unknown").
        ForbiddenError: the caller is the recipient (code "self-decision").
        ConflictError: it was announced, and can only be revoked (code "award-not-pending").
    """
    mine = (Award.network_id == act.network.id, Award.id == award_id)
    row = act.session.scalar(select(Award).where(*mine))
    if row is None:
        raise NotFoundError("award-unknown", "No award of this network has this id.")
    act.decides_on(row.member_id)
    locks.members(act.session, [row.member_id])
    row = locks.one(act.session, Award, *mine)
    signed = act.session.scalar(select(Credential.id).where(Credential.award_id == row.id).limit(1))
    if row.state == "revoked" and signed is None:
        return row
    if row.state != "pending":
        message = f"Expected a pending award; this one is {row.state}, and its credential can be revoked."
        raise ConflictError("award-not-pending", message)
    decisions.give_up(act, row, body.reason)
    return row
