"""Children and students: stricter rules for what is shown of them.

A network names them by their roles.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.tables import Member, Role

PROTECTED = ("minor", "student")
"""Roles whose holders are never listed, and never named in clear."""


def is_protected(session: OrmSession, member_id: UUID, at: datetime) -> bool:
    """Return whether a member is a child or a student at an instant.

    A member also is if another member, who is the same person, holds the role.
    """
    own, other = aliased(Member), aliased(Member)
    same = or_(other.id == own.id, other.person_id == own.person_id)
    held = and_(Role.from_at <= at, or_(Role.until_at.is_(None), Role.until_at > at))
    query = select(Role.id).join(other, other.id == Role.member_id).join(own, same)
    found = query.where(own.id == member_id, Role.role.in_(PROTECTED), held).limit(1)
    return session.scalar(found) is not None
