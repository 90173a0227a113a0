"""Erase why a member's credentials do not stand; that they do not stays."""

from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.tables import Award, Credential


def reasons_of(session: OrmSession, member_id: UUID) -> int:
    """Return of how many credentials of a member it is written why they do not stand."""
    written = or_(Credential.revocation_reason.is_not(None), Credential.suspension_reason.is_not(None))
    mine = select(func.count()).select_from(Credential).join(Award, Award.id == Credential.award_id)
    return session.scalar(mine.where(Award.member_id == member_id, written)) or 0


def erase_reasons(act: Act, member_id: UUID) -> None:
    """Erase why credentials of a member do not stand."""
    mine = Credential.award_id.in_(select(Award.id).where(Award.member_id == member_id))
    act.session.execute(update(Credential).where(mine).values(revocation_reason=None, suspension_reason=None))
