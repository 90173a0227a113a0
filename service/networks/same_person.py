"""Which members of a network are one person, and which might be."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.tables import Identity, Member


def sharing(session: OrmSession, members: Sequence[Member]) -> dict[UUID, list[str]]:
    """Return the refs of the other members who are the same person, by the id of a member; only where there are some."""
    own, other = aliased(Member), aliased(Member)
    same = and_(other.person_id == own.person_id, other.network_id == own.network_id, other.id != own.id)
    query = select(own.id, other.ref).join(other, same).where(own.id.in_([each.id for each in members]))
    return _listed(session.execute(query.where(other.erased_at.is_(None)).order_by(other.id)).all())


def perhaps(session: OrmSession, members: Sequence[Member]) -> dict[UUID, list[str]]:
    """Return the refs of the members with the same address, by the id of a member of whom that is asked."""
    own, other, mine, theirs = aliased(Member), aliased(Member), aliased(Identity), aliased(Identity)
    asked = [each.id for each in members if each.person_state == "asked"]
    if not asked:
        return {}
    query = (
        select(own.id, other.ref)
        .join(mine, mine.person_id == own.person_id)
        .join(theirs, and_(theirs.kind == mine.kind, theirs.value == mine.value, theirs.person_id != own.person_id))
        .join(other, and_(other.person_id == theirs.person_id, other.network_id == own.network_id))
        .where(own.id.in_(asked), other.erased_at.is_(None))
        .order_by(other.id)
    )
    return _listed(session.execute(query.distinct().add_columns(other.id)).all())


def _listed(rows: Iterable[Sequence[object]]) -> dict[UUID, list[str]]:
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for member_id, ref, *_ in rows:
        assert isinstance(member_id, UUID)
        found[member_id].append(str(ref))
    return dict(found)
