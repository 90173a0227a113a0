"""Marks on members whose awards must be decided anew, because their evidence or an achievement changed."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Uuid, delete, literal, select, union
from sqlalchemy.dialects import postgresql, sqlite

from service.database import WriteSession
from service.tables import Contribution, Evaluation, Instant, Member, Network, UnsettledMember


def mark(session: WriteSession, network: Network, member_ids: Collection[UUID], now: datetime) -> None:
    """Mark these members of the network."""
    if member_ids:
        _mark(session, network, select(Member.id).where(Member.id.in_(member_ids)), now)


def mark_all(session: WriteSession, network: Network, now: datetime) -> None:
    """Mark every member of the network on whom any evidence bears."""
    contributed = select(Contribution.member_id).where(Contribution.network_id == network.id)
    evaluated = select(Evaluation.member_id).where(Evaluation.network_id == network.id)
    found = union(contributed, evaluated.where(Evaluation.member_id.is_not(None))).subquery()
    _mark(session, network, select(found.c.member_id), now)


def clear(session: WriteSession, member_ids: Collection[UUID]) -> None:
    """Take the marks of these members away, before looking at what they have earned.

    A mark that is made from here on is about something that may not be seen here. The marks are locked in the
    order in which they are made.
    """
    mine = UnsettledMember.member_id.in_(member_ids)
    session.execute(select(UnsettledMember.member_id).where(mine).order_by(UnsettledMember.member_id).with_for_update())
    session.execute(delete(UnsettledMember).where(mine))


def _mark(session: WriteSession, network: Network, members: Select[UUID], now: datetime) -> None:
    """Insert the marks in the order of the members, as the locks are taken.

    A mark that is there is written again: that waits for whoever is deciding on it now, who would
    otherwise delete it without having seen what this transaction changes.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    rows = members.subquery()
    member = rows.c[0]
    source = select(member, literal(network.id, Uuid()), literal(now, Instant())).order_by(member)
    # SQLite's grammar needs a WHERE here, or it reads ON as the beginning of a join.
    statement = insert(UnsettledMember).from_select(
        ["member_id", "network_id", "since"], source.where(member.is_not(None))
    )
    session.execute(
        statement.on_conflict_do_update(index_elements=["member_id"], set_={"since": statement.excluded.since})
    )
