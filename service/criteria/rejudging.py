"""Mark members whose awards must be decided again.

Their evidence has changed, or an achievement has.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, case, delete, func, literal, null, select, union
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.criteria.topics import Topics
from service.storage.database import WriteSession, insert_for
from service.tables import Contribution, Evaluation, Listener, Member, UnsettledMember
from service.tables.columns import Instant

MOST_TOPICS_CHARACTERS = 10_000
"""A mark with longer topics than this is about everything."""


def mark(act: Act, member_ids: Collection[UUID], since: datetime | None = None) -> None:
    """Mark these members of the network, because anything about them may have changed.

    Args:
        since: when; left out: now.
    """
    if member_ids:
        _mark(act, select(Member.id).where(Member.id.in_(member_ids)), None, since)


def mark_everybody(act: Act) -> None:
    """Mark every member of the network: from now on it decides."""
    of_network = (Member.network_id == act.network.id, Member.erased_at.is_(None))
    _mark(act, select(Member.id).where(*of_network), None)


def mark_topics(act: Act, topics: Topics) -> None:
    """Mark members about whom something new is known, on these topics only."""
    common = {"network_id": act.network.id, "since": act.now}
    rows = [
        common | {"member_id": member_id, "topics": "".join(f"{topic}\n" for topic in sorted(heard))}
        for member_id, heard in sorted(topics.items())
    ]
    if rows:
        act.session.execute(_beside_others(insert_for(act.session)(UnsettledMember)), rows)


def is_heard(act: Act, topic: str) -> bool:
    """Return whether an achievement of the network listens to a topic."""
    mine = (Listener.network_id == act.network.id, Listener.topic == topic)
    return act.session.scalar(select(Listener.topic).where(*mine).limit(1)) is not None


def mark_all(act: Act, topic: str) -> None:
    """Mark every member of the network who has any evidence, on one topic."""
    contributed = select(Contribution.member_id).where(Contribution.network_id == act.network.id)
    evaluated = select(Evaluation.member_id).where(Evaluation.network_id == act.network.id)
    found = union(contributed, evaluated.where(Evaluation.member_id.is_not(None))).subquery()
    _mark(act, select(found.c.member_id), f"{topic}\n")


def clear(session: WriteSession, member_ids: Collection[UUID]) -> set[str] | None:
    """Delete the marks of these members and return their topics.

    This comes before evaluating what the members have earned: a mark that is made later is about something that this
    evaluation may not see. The marks are locked in the order in which they are made.

    Returns:
        The topics of all of them; None if a mark is about everything, or a member has no mark.
    """
    mine = UnsettledMember.member_id.in_(member_ids)
    marks = select(UnsettledMember.topics).where(mine).order_by(UnsettledMember.member_id).with_for_update()
    found = session.scalars(marks).all()
    session.execute(delete(UnsettledMember).where(mine))
    return _together(found, member_ids)


def oldest(session: OrmSession, member_ids: Collection[UUID]) -> datetime | None:
    """Return since when the first of these members is marked; None if none is."""
    mine = UnsettledMember.member_id.in_(member_ids)
    return session.scalar(select(func.min(UnsettledMember.since)).where(mine))


def marked(session: OrmSession, member_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these members still wait for their awards to be decided."""
    mine = UnsettledMember.member_id.in_(member_ids)
    return set(session.scalars(select(UnsettledMember.member_id).where(mine)))


def topics_of(session: OrmSession, member_ids: Collection[UUID]) -> set[str] | None:
    """Return what `clear` would return, and leave the marks."""
    mine = UnsettledMember.member_id.in_(member_ids)
    return _together(session.scalars(select(UnsettledMember.topics).where(mine)).all(), member_ids)


def _together(found: Sequence[str | None], member_ids: Collection[UUID]) -> set[str] | None:
    if len(found) < len(set(member_ids)):
        return None
    topics: set[str] = set()
    for text in found:
        if text is None:
            return None
        topics.update(text.splitlines())
    return topics


def _mark(act: Act, members: Select[UUID], topics: str | None, since: datetime | None = None) -> None:
    """Insert the marks in the order of the members, in which they are locked.

    A mark that exists is written again, and so waits for a transaction that is deciding on it now. That transaction
    would otherwise delete the mark without having seen what this one changes.
    """
    rows = members.subquery()
    member = rows.c[0]
    values = literal(act.network.id, Uuid()), literal(since or act.now, Instant()), literal(topics, Text())
    source = select(member, *values).order_by(member)
    # SQLite needs a WHERE here, or it parses ON as the beginning of a join.
    statement = insert_for(act.session)(UnsettledMember).from_select(
        ["member_id", "network_id", "since", "topics"], source.where(member.is_not(None))
    )
    act.session.execute(_beside_others(statement))


def _beside_others(statement: Any) -> Any:
    # NULL means everything, and stays NULL whatever is added to it.
    both = UnsettledMember.topics + statement.excluded.topics
    kept = case((func.length(both) <= MOST_TOPICS_CHARACTERS, both), else_=null())
    # The first change counts, so that what a body of many lines has marked is not younger for what others do afterwards.
    earlier = UnsettledMember.since < statement.excluded.since
    since = case((earlier, UnsettledMember.since), else_=statement.excluded.since)
    written = {"since": since, "topics": kept}
    return statement.on_conflict_do_update(index_elements=["member_id"], set_=written)
