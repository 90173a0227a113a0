"""A network is removed whole, and nothing else: shown with a row in every table there is, for two networks."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import JSON, Boolean, Date, Float, Integer, LargeBinary, Table, Uuid, insert, select, text

from service.storage import removing
from service.storage.database import Database
from service.tables import Row
from service.tables.columns import Instant
from service.tables.past import PAST
from tests.worlds import databases

OURS = {
    "account_addresses",
    "accounts",
    "collections",
    "openid_identities",
    "passkeys",
    "restores",
    "service_facts",
    "service_keys",
    "shared_limits",
    "sign_in_challenges",
    "sign_in_requests",
    "sign_ins",
    "vc_api_keys",
    "vc_api_status_entries",
    "vc_api_status_lists",
    "wanted_erasures",
}
"""Tables whose rows are no network's: they are the service's, or people's over all networks."""
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NUMBERS = count(1)
Side = dict[str, Mapping[str, Any]]


def value_of(kind: Any) -> Any:
    """Return another value of a type each time, where it has more than one."""
    number = next(NUMBERS)
    values: list[tuple[type | tuple[type, ...], Any]] = [
        (Uuid, UUID(int=number)),
        (Instant, NOW),
        (Date, date(2026, 3, 2)),
        (Boolean, False),
        (JSON, {}),
        (LargeBinary, b"%d" % number),
        ((Integer, Float), number),
    ]
    return next((value for types, value in values if isinstance(kind, types)), f"{number}")


def filled(table: Table, side: Side) -> dict[str, Any]:
    """Return a row of a table that names the rows of its side, wherever it can name any."""
    row = {column.name: value_of(column.type) for column in table.columns}
    for column in table.columns:
        for key in column.foreign_keys:
            named = row if key.column.table is table else side[key.column.table.name]
            row[column.name] = named[key.column.name]
    return row


def with_a_row_in_every_table(database: Database) -> tuple[Side, Side]:
    """Fill a database for two networks, which have accounts and the service in common; return the rows of each."""
    common: Side = {}
    sides: tuple[Side, Side] = ({}, {})
    past = {table: row.__tablename__ for row, table in PAST.items()}
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA ignore_check_constraints = ON"))  # only which row names which is at stake
        for table in Row.metadata.sorted_tables:
            if table in past:
                continue
            for side in (common,) if table.name in OURS else sides:
                side[table.name] = filled(table, common | side)
                connection.execute(insert(table).values(side[table.name]))
        for table, name in past.items():
            for side in sides:
                said = {each: value for each, value in side[name].items() if each in table.c}
                times = {column.name: NOW for column in table.columns if isinstance(column.type, Instant)}
                side[table.name] = {"ended_by": UUID(int=0)} | times | said
                connection.execute(insert(table).values(side[table.name]))
        connection.commit()
    return sides


def counted(database: Database) -> Iterator[tuple[str, int]]:
    with database.read() as session:
        for table in Row.metadata.sorted_tables:
            yield table.name, len(session.execute(select(table)).all())


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """SQLite, which can leave checks of values out; the tests of examples ask both databases which rows go."""
    made = Database(f"sqlite:///{databases.migrated_sqlite(tmp_path / 'laurel.db')}")
    yield made
    made.dispose()


def test_every_row_of_the_network_goes_and_none_of_another_one(database: Database) -> None:
    ours, others = with_a_row_in_every_table(database)
    before = dict(counted(database))
    assert before == {name: 1 if name in OURS else 2 for name in before}
    with database.write() as session:
        gone = removing.remove(session, ours["networks"]["id"])
    assert gone == {name: 1 for name in before if name not in OURS}
    assert dict(counted(database)) == dict.fromkeys(before, 1)
    with database.read() as session:
        for name in others:
            table = Row.metadata.tables[name]
            (left,) = session.execute(select(table)).mappings()
            keys = [column.name for column in table.primary_key] or ["known_until"]
            assert [left[key] for key in keys] == [others[name][key] for key in keys], name


def test_every_table_is_a_networks_or_the_services() -> None:
    """A new table that names nothing of its network would be left behind: it must stand here, and somebody looks."""
    rows = removing._rows_of(UUID(int=0), [])
    named = {table.name for table in [*rows, *PAST.values()]}
    assert {table.name for table in Row.metadata.sorted_tables} - named == OURS
