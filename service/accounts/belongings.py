"""What belongs to accounts, in whatever table: each column that refers to one.

Packages above add tables of their own (passkeys, pages that a person puts together). They are found by their foreign
keys, so that nothing is left with an account that is gone.
"""

from collections.abc import Collection, Iterator
from typing import Final
from uuid import UUID

from sqlalchemy import Column, Table, UniqueConstraint, delete, select, update

from service.storage.database import WriteSession
from service.tables import Account, AccountAddress, Row

EMPTIED: Final = {"persons": ("claimed_at",), "endorsements": ("consented_at",)}
"""Columns, by their table, that say something only beside the account."""


def move(session: WriteSession, from_account: UUID, to_account: UUID) -> None:
    """Make everything of one account that of another, which has the lock of both.

    Of what an account can have only one of, the other one's is kept.
    """
    session.flush()
    for column in _columns():
        table = column.table
        for unique in _unique_with(column):
            theirs = table.alias()
            same = [table.c[each.name] == theirs.c[each.name] for each in unique if each is not column]
            held = select(theirs.c[column.name]).where(theirs.c[column.name] == to_account, *same).exists()
            session.execute(delete(table).where(column == from_account, held))
        session.execute(update(table).where(column == from_account).values({column.name: to_account}))


def let_go(session: WriteSession, account_id: UUID) -> None:
    """Delete what belongs to an account; what can be without one stays, such as persons with their badges."""
    session.flush()
    for column in _columns():
        if column.nullable and not any(key.ondelete for key in column.foreign_keys):
            also = dict.fromkeys(EMPTIED.get(column.table.name, ()))
            session.execute(update(column.table).where(column == account_id).values({column.name: None, **also}))
        else:
            session.execute(delete(column.table).where(column == account_id))


def delete_from(session: WriteSession, account_id: UUID, tables: Collection[str]) -> None:
    """Delete what belongs to an account in tables of these names."""
    session.flush()
    for column in _columns():
        if column.table.name in tables:
            session.execute(delete(column.table).where(column == account_id))


def _columns() -> Iterator[Column[UUID]]:
    """Yield the columns that refer to an account, in an order of tables in which rows can be deleted."""
    accounts = Account.__table__
    for table in reversed(Row.metadata.sorted_tables):
        for column in table.columns:
            if any(key.column.table is accounts for key in column.foreign_keys):
                yield column


def _unique_with(column: Column[UUID]) -> Iterator[list[Column[UUID]]]:
    """Yield the columns of each key that an account can have only one of; the kept address is chosen before."""
    table = column.table
    assert isinstance(table, Table)
    keys = [list(each.columns) for each in table.constraints if isinstance(each, UniqueConstraint)]
    if table is not AccountAddress.__table__:
        keys += [list(each.columns) for each in table.indexes if each.unique]
    for columns in (list(table.primary_key.columns), *keys):
        if column in columns:
            yield columns
