"""Take a network out of the database whole: every row of it, and no other.

No list says which rows these are, so that none can be forgotten. Foreign keys say it: a row is the network's if it
names the network, or a row that is the network's. Beside these are the persons behind its members, who are people of this
one network, and the past values of its rows, which have no foreign keys.

Rows are written only by the package of their file; this is the one exception. Nothing here knows what a row means, and the
database itself refuses if something of another network rests on what is taken out. Who may call it: see `cli.loading`.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, delete, or_, select, union, update

from service.storage.database import WriteSession
from service.tables import Member, Network, Person, Row
from service.tables.past import PAST

TABLES = Row.metadata.sorted_tables
"""Each after those that it names."""
ROW_OF = {past: Row.metadata.tables[row.__tablename__] for row, past in PAST.items()}
"""Of tables of past values, the table of the rows that had them."""
NETWORKS, PERSONS, MEMBERS = (Row.metadata.tables[row.__tablename__] for row in (Network, Person, Member))

Rows = dict[Table, ColumnElement[bool]]


class Naming(NamedTuple):
    """A column that names rows of a table by one of its columns; `lets_go` if it is emptied when these go."""

    column: Column[Any]
    named: Column[Any]
    lets_go: bool

    def is_of(self, rows: Rows) -> ColumnElement[bool]:
        """Return the condition that it names one of the rows."""
        return self.column.in_(select(self.named).where(rows[self.named.table]))


def remove(session: WriteSession, network_id: UUID) -> Counter[str]:
    """Delete a network with every row of it; return how many went, by table.

    Nobody else can write in the network until the commit; what waits for that finds no network then.

    1. Past values go first, while the rows are there that say whose they are.
    2. What stays, although it names what goes, names nothing from then on.
    3. Rows go before those that they name.
    """
    session.flush()
    session.execute(select(Network.id).where(Network.id == network_id).with_for_update())
    rows = _rows_of(network_id, _people(session, network_id))
    gone: Counter[str] = Counter()
    for past, table in ROW_OF.items():  # (1)
        gone[past.name] = _delete(session, past, _past_of(past, table, rows))
    for table in reversed(TABLES):
        for naming in _namings(table):  # (2)
            if naming.lets_go and naming.named.table in rows:
                emptied = update(table).where(naming.is_of(rows)).values({naming.column.name: None})
                session.connection().execute(emptied)
        if table in rows:  # (3)
            gone[table.name] = _delete(session, table, rows[table])
    session.expunge_all()
    return +gone


def _rows_of(network_id: UUID, people: list[UUID]) -> Rows:
    """Return for each table that can have rows of the network the condition that they are its.

    If every row of a table names its network, it is asked for that alone.
    """
    rows: Rows = {NETWORKS: NETWORKS.c.id == network_id, PERSONS: PERSONS.c.id.in_(people)}
    for table in TABLES:
        found = [each for each in _namings(table) if each.named.table in rows and not each.lets_go]
        found = [each for each in found if each.named.table is not table]  # it is of the same network
        its = [each for each in found if each.named.table is NETWORKS and not each.column.nullable]
        if found and table not in rows:
            rows[table] = or_(*(each.is_of(rows) for each in its or found))
    return rows


def _past_of(past: Table, table: Table, rows: Rows) -> ColumnElement[bool]:
    """Return the condition that past values are those of rows of the network."""
    if "network_id" in past.c:
        return past.c.network_id.in_(select(NETWORKS.c.id).where(rows[NETWORKS]))
    found = [Naming(past.c[each.column.name], _last(each.named), lets_go=False) for each in _namings(table)]
    return or_(*(each.is_of(rows) for each in found))


def _last(named: Column[Any]) -> Column[Any]:
    """Return what is named in the end: what derives from a record may be gone, and the record is there."""
    for key in named.foreign_keys:
        return _last(key.column)
    return named


def _namings(table: Table) -> Iterator[Naming]:
    for column in table.columns:
        for key in column.foreign_keys:
            yield Naming(column, key.column, key.ondelete == "SET NULL")


def _people(session: WriteSession, network_id: UUID) -> list[UUID]:
    """Return the persons whom members of the network are, or were."""
    past = PAST[Member]
    whose = (select(each.c.person_id).where(each.c.network_id == network_id) for each in (MEMBERS, past))
    return [each for each in session.scalars(union(*whose)) if each is not None]


def _delete(session: WriteSession, table: Table, which: ColumnElement[bool]) -> int:
    return session.connection().execute(delete(table).where(which)).rowcount
