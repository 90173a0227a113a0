"""Positions follow commits, a write is all or nothing, and writers beside each other neither fail nor skip."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier, Event
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from service.access.act import Act
from service.errors import StorageError
from service.outbox import events
from service.storage.database import Database, WriteSession, insert_new
from service.storage.paging import Window
from service.tables import Event as EventRow
from service.tables import Member, Network, ServiceFact
from service.tables.identifiers import new_id

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url.replace("postgresql://", "postgresql+psycopg://"))
    yield opened
    opened.dispose()


@pytest.fixture
def network(database: Database) -> UUID:
    return add_network(database, "river")


def add_network(database: Database, slug: str) -> UUID:
    network_id = new_id()
    with database.write() as session:
        session.add(
            Network(
                id=network_id,
                slug=slug,
                kind="informal",
                name=slug,
                url="https://river.example.org",
                time_zone="UTC",
                created_at=NOW,
            )
        )
    return network_id


def say(session: WriteSession, network: UUID, word: str) -> None:
    """Add an event that is about this word, as if it were the id of a session."""
    events.append(Act(session, session.get_one(Network, network), None, NOW), "session.posted", {"session": word})


def heard(database: Database, network: UUID) -> list[tuple[int | None, str]]:
    with database.read() as session:
        rows = events.list_events(session, session.get_one(Network, network), Window()).rows
        return [(row.position, row.about["session"]) for row in rows]


def test_positions_are_dense_and_one_network_does_not_count_for_another(database: Database, network: UUID) -> None:
    other = add_network(database, "hill")
    with database.write() as session:
        say(session, network, "a")
        say(session, other, "x")
        say(session, network, "b")
    with database.write() as session:
        say(session, network, "c")
    assert heard(database, network) == [(1, "a"), (2, "b"), (3, "c")]
    assert heard(database, other) == [(1, "x")]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_positions_follow_commits_not_beginnings(database: Database, network: UUID) -> None:
    """A writer that began first and commits last comes last: a reader who has seen 1 does not miss it.

    On SQLite, which has one writer, none can begin first and commit last.
    """
    with database.write() as slow:
        say(slow, network, "began first")
        slow.flush()
        with database.write() as quick:
            say(quick, network, "committed first")
        assert heard(database, network) == [(1, "committed first")]
    assert heard(database, network) == [(1, "committed first"), (2, "began first")]


def test_nobody_passes_a_writer_that_has_its_position(database: Database, network: UUID) -> None:
    """Held open between its position and its commit: the next one waits, and no reader sees a gap."""
    placed, released, second_began = Event(), Event(), Event()

    def first() -> None:
        with database.write() as session:
            say(session, network, "first")

            @event.listens_for(session, "before_commit")
            def _hold(_session: Any) -> None:
                placed.set()
                assert released.wait(30)

    def second() -> None:
        second_began.set()
        with database.write() as session:
            say(session, network, "second")

    with ThreadPoolExecutor() as pool:
        holding = pool.submit(first)
        assert placed.wait(30)
        waiting = pool.submit(second)
        assert second_began.wait(30)
        seen_while_held = heard(database, network)
        passed = waiting.done()
        released.set()
        holding.result()
        waiting.result()
    assert (seen_while_held, passed) == ([], False)
    assert heard(database, network) == [(1, "first"), (2, "second")]


def test_a_reader_beside_many_writers_misses_nothing(database: Database, network: UUID) -> None:
    writers, each = 8, 6
    ready = Barrier(writers)

    def write(name: int) -> None:
        ready.wait(30)
        for turn in range(each):
            with database.write() as session:
                say(session, network, f"{name}.{turn}")

    read: list[int | None] = []

    def read_on() -> None:
        after_last = (EventRow.network_id == network, EventRow.position > (read[-1] if read else 0))
        with database.read() as session:
            read.extend(session.scalars(select(EventRow.position).where(*after_last).order_by(EventRow.position)))

    with ThreadPoolExecutor(writers) as pool:
        writing = [pool.submit(write, name) for name in range(writers)]
        while not all(task.done() for task in writing):
            read_on()
        for task in writing:
            task.result()
    read_on()
    assert read == list(range(1, writers * each + 1))


class CommitFailedError(Exception):
    pass


def write_but_fail(database: Database, network: UUID, moment: str) -> None:
    """Write, and fail before the commit or, worse, inside it."""

    def fail(*_: Any) -> None:
        raise CommitFailedError

    with database.write() as session:
        session.add(Member(network_id=network, ref="m11", enrolled_at=NOW))
        say(session, network, "lost")
        session.flush()
        if moment == "before":
            fail()
        event.listen(session, "before_commit", fail)


@pytest.mark.parametrize("moment", ["before", "inside"])
def test_a_write_that_fails_leaves_nothing(database: Database, network: UUID, moment: str) -> None:
    with pytest.raises(CommitFailedError):
        write_but_fail(database, network, moment)
    with database.read() as reading:
        assert reading.scalars(select(Member)).all() == []
    with database.write() as session:
        say(session, network, "kept")
    assert heard(database, network) == [(1, "kept")]


def test_what_a_read_session_writes_is_not_kept(database: Database, network: UUID) -> None:
    with database.read() as session:
        session.add(Member(network_id=network, ref="m11", enrolled_at=NOW))
        session.flush()
    with database.read() as session:
        assert session.scalars(select(Member)).all() == []


def test_a_read_session_sees_one_moment_and_the_next_one_what_came_since(database: Database, network: UUID) -> None:
    with database.read() as session:
        before = session.scalars(select(Member.ref)).all()
        with database.write() as writing:
            writing.add(Member(network_id=network, ref="m11", enrolled_at=NOW))
        assert session.scalars(select(Member.ref)).all() == before == []
    with database.read() as session:
        assert session.scalars(select(Member.ref)).all() == ["m11"]


def test_a_row_refers_to_rows_that_are_there(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Member(network_id=new_id(), ref="m11", enrolled_at=NOW))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_ten_writers_that_read_first_all_succeed(database: Database) -> None:
    """On SQLite a plain BEGIN would fail here at once, whatever the timeout."""
    with database.write() as session:
        session.add(ServiceFact(name="count", value="0"))
    ready = Barrier(10)

    def add_one() -> None:
        ready.wait(30)
        for _ in range(5):
            with database.write() as session:
                fact = session.get_one(ServiceFact, "count")
                fact.value = str(int(fact.value) + 1)

    with ThreadPoolExecutor(10) as pool:
        for task in [pool.submit(add_one) for _ in range(10)]:
            task.result()
    with database.read() as reading:
        assert reading.get_one(ServiceFact, "count").value == "50"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_write_session_takes_the_lock_when_it_begins(database: Database) -> None:
    other = sqlite3.connect(make_url(database.url).database or "", timeout=0, isolation_level=None)
    with database.write() as session:
        session.get(ServiceFact, "nothing is written yet")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM service_facts").fetchone() == (0,)
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_of_two_that_insert_the_same_key_at_once_one_inserts(database: Database) -> None:
    ready = Barrier(2)

    def insert(value: str) -> bool:
        ready.wait(30)
        with database.write() as session:
            return insert_new(session, ServiceFact, {"name": "first", "value": value})

    with ThreadPoolExecutor(2) as pool:
        inserted = list(pool.map(insert, ["a", "b"]))
    assert sorted(inserted) == [False, True]
    with database.read() as session:
        assert session.get_one(ServiceFact, "first").value == ("a" if inserted[0] else "b")


def test_instants_keep_their_zone_and_microseconds(database: Database, network: UUID) -> None:
    at = datetime.fromisoformat("2026-07-01T01:02:03.456789+05:30")
    with database.write() as session:
        session.add(Member(network_id=network, ref="m11", enrolled_at=at))
    with database.read() as session:
        found = session.scalars(select(Member.enrolled_at)).one()
    assert (found, found.tzinfo) == (at, UTC)


@pytest.fixture
def failing(database: Database) -> Iterator[Database]:
    """A database that fails: SQLite has no room for another page, PostgreSQL lets nobody in."""
    if database.is_sqlite:
        pages = event.listens_for(database.engine, "connect")
        pages(lambda connection, _record: connection.execute("PRAGMA max_page_count = 1"))
        database.dispose()
        yield database
        return
    address = make_url(database.url)
    with create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT").connect() as server:
        name = address.database
        server.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        server.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        yield database
        server.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    server.engine.dispose()


def test_a_database_that_fails_is_told_without_what_was_to_be_written(failing: Database) -> None:
    with pytest.raises(StorageError) as told, failing.write() as session:
        session.add(ServiceFact(name="address", value="planted@example.org" * 10_000))
    assert told.value.code == "database-unavailable"
    assert "planted" not in str(told.value)


def test_a_constraint_is_no_failure_of_the_database(database: Database, network: UUID) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Network(id=network, slug="other", kind="informal", name="Other", url="https://other.example"))
