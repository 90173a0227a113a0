"""Children and students: stricter rules for what is shown of them.

A network names them by their roles.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.tables import Member, Role

PROTECTED = ("minor", "student")
"""Roles whose holders are never listed, and never named in clear."""


def is_protected(session: OrmSession, member_id: UUID, at: datetime) -> bool:
    """Return whether a member is a child or a student at an instant.

    A member also is if another member, who is the same person, holds the role.
    """
    return session.scalar(holders(at, member_id).limit(1)) is not None


def holders(at: datetime, member_id: UUID | None = None) -> Select[UUID]:
    """Return the query of the members who are children or students at an instant.

    Args:
        member_id: only this one, if so.
    """
    own, other = aliased(Member), aliased(Member)
    same = or_(other.id == own.id, other.person_id == own.person_id)
    held = and_(Role.from_at <= at, or_(Role.until_at.is_(None), Role.until_at > at))
    query = (
        select(own.id).join(other, same).join(Role, Role.member_id == other.id).where(Role.role.in_(PROTECTED), held)
    )
    return query if member_id is None else query.where(own.id == member_id)
