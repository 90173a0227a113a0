"""Erase what somebody put together of the badges of a member who is erased."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.storage import locks
from service.tables import Award, Collection, CollectionBadge, Credential, Opening, OpeningView, ShownLink


def collections_of(session: OrmSession, member_id: UUID) -> Sequence[str]:
    """Return the collections with badges of a member, and with no others: what their titles and notes say goes."""
    others = select(CollectionBadge.collection_id).where(CollectionBadge.credential_id.not_in(_badges_of(member_id)))
    mine = select(CollectionBadge.collection_id).where(CollectionBadge.credential_id.in_(_badges_of(member_id)))
    return session.scalars(select(Collection.id).where(Collection.id.in_(mine), Collection.id.not_in(others))).all()


def erase(act: Act, member_id: UUID) -> None:
    """Take the badges of a member out of collections, remove those in which nothing is left, and end links to them.

    What was opened to somebody goes with when they looked.
    """
    within = select(CollectionBadge.collection_id).where(CollectionBadge.credential_id.in_(_badges_of(member_id)))
    locks.rows(act.session, Collection, Collection.id.in_(within))
    emptied = collections_of(act.session, member_id)
    gone = CollectionBadge.credential_id.in_(_badges_of(member_id))
    act.session.execute(delete(CollectionBadge).where(gone))
    opened = Opening.credential_id.in_(_badges_of(member_id))
    act.session.execute(delete(OpeningView).where(OpeningView.opening_id.in_(select(Opening.id).where(opened))))
    act.session.execute(delete(Opening).where(opened))
    act.session.execute(delete(ShownLink).where(ShownLink.credential_id.in_(_badges_of(member_id))))
    act.session.execute(delete(Collection).where(Collection.id.in_(emptied)))
    act.session.flush()


def _badges_of(member_id: UUID) -> Select[str]:
    return select(Credential.id).join(Award, Award.id == Credential.award_id).where(Award.member_id == member_id)
