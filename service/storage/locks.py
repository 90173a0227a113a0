"""Row locks, and the one order in which they are taken.

The order is the same everywhere, so that no two transactions wait for each other for ever:

1. accounts of people who sign in, by id;
   what writes: the import, or the token, shared, so that revoking it waits;
2. the network; then its keys, by id;
3. records, by id; then the sessions that evidence names, by id; then the objectives that a session names, by id;
4. members, by id; then the files that are received, by digest (`evidence.scrutiny`), and the members' marks;
5. the rubrics against which evaluations are held, by id; achievements; cases and reviews; awards; credentials; each kind by id;
6. status lists, by id; by then the award is locked whose credential is superseded or whose review is closed;
7. inside `database.commit`, the network's positions.

A lock that only one operation takes is written there: a query with joins of its own, or a queue, which leaves out rows
that are locked and so never waits. On SQLite there is one writer, and none of this is sent.
"""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, inspect, select

from service.storage.database import WriteSession
from service.tables import (
    Achievement,
    Key,
    Meeting,
    Member,
    Network,
    Objective,
    Record,
    Row,
    Rubric,
    StatusList,
    VcApiStatusList,
)

RowT = TypeVar("RowT", bound=Row)
ListT = TypeVar("ListT", StatusList, VcApiStatusList)


def network(session: WriteSession, network_id: UUID, *, shared: bool = False) -> None:
    """Lock a network until the commit; others can still write rows that refer to it.

    Args:
        shared: others may hold it in the same way; only someone who wants it alone waits.
    """
    row = select(Network.id).where(Network.id == network_id)
    session.execute(row.with_for_update(read=shared, key_share=not shared))


def keys(session: WriteSession, *where: ColumnElement[bool]) -> list[Key]:
    """Lock keys of networks and return them as they are now.

    Others can still store what these signed: a deadlock would follow, because they have locked the status list by then.
    """
    query = select(Key).where(*where).order_by(Key.id).with_for_update(key_share=True)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def records(session: WriteSession, *where: ColumnElement[bool]) -> list[Record]:
    """Lock records and return them as they are now.

    Others can still write rows that refer to them.
    """
    query = select(Record).where(*where).order_by(Record.id).with_for_update(key_share=True)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def members(session: WriteSession, ids: Collection[UUID | None] | Select[UUID]) -> list[UUID]:
    """Lock members and return their ids, in order.

    Others can still write rows that refer to them.

    Args:
        ids: those of the members; None is nobody.
    """
    wanted = ids if isinstance(ids, Select) else {each for each in ids if each is not None}
    query = select(Member.id).where(Member.id.in_(wanted)).order_by(Member.id)
    return list(session.scalars(query.with_for_update(key_share=True)))


def sessions(session: WriteSession, ids: Collection[UUID]) -> set[UUID]:
    """Lock sessions of a network, and return the ids of those that are still there.

    Others can still change them and refer to them; only who deletes one waits.
    """
    query = select(Meeting.id).where(Meeting.id.in_(ids)).order_by(Meeting.id)
    return set(session.scalars(query.with_for_update(read=True, key_share=True))) if ids else set()


def objectives(session: WriteSession, *where: ColumnElement[bool]) -> list[Objective]:
    """Lock objectives and return them as they are now.

    Others can still change them and refer to them; only who deletes one waits.
    """
    query = select(Objective).where(*where).order_by(Objective.id).with_for_update(read=True, key_share=True)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def rubrics(session: WriteSession, *where: ColumnElement[bool]) -> list[Rubric]:
    """Lock rubrics and return them as they are now; others can hold evaluations against them too."""
    query = select(Rubric).where(*where).order_by(Rubric.id).with_for_update(read=True)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def achievement(session: WriteSession, achievement_id: UUID) -> None:
    """Lock an achievement with its versions; others can still write awards of it."""
    session.execute(select(Achievement.id).where(Achievement.id == achievement_id).with_for_update(key_share=True))


def status_list(session: WriteSession, table: type[ListT], list_id: UUID) -> ListT:
    """Lock a status list and return it.

    Meanwhile nobody else takes a place in it or publishes it.
    """
    query = select(table).where(table.id == list_id).with_for_update(key_share=True)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def rows(session: WriteSession, table: type[RowT], *where: ColumnElement[bool]) -> list[RowT]:
    """Lock the rows that fit, in the order of their keys, and return them.

    A row that the session has read before keeps the values that were read then.
    """
    query = select(table).where(*where).order_by(*inspect(table).primary_key)
    return list(session.scalars(query.with_for_update()))


def one(session: WriteSession, table: type[RowT], *where: ColumnElement[bool]) -> RowT:
    """Lock the one row that fits and return it as it is now."""
    query = select(table).where(*where).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def one_or_none(
    session: WriteSession, table: type[RowT], *where: ColumnElement[bool], key_share: bool = False
) -> RowT | None:
    """Lock and return a row as `one` does; return None if no row fits.

    Args:
        key_share: others can still write rows that refer to it.
    """
    query = select(table).where(*where).with_for_update(key_share=key_share)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def again(session: WriteSession, row: Row) -> None:
    """Lock a row that was read without a lock, and read it again."""
    session.refresh(row, with_for_update=True)
