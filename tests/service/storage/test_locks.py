"""Rows are locked in the order of their keys, as strongly as needed and no more, and read again where that is said."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import NoResultFound

from service.storage import locks
from service.storage.database import Database, WriteSession
from service.tables import Member, Network, ServiceFact, StatusList
from service.tables.identifiers import new_id

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NETWORK, LIST = new_id(), new_id()
MEMBERS = [new_id() for _ in range(3)]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url.replace("postgresql://", "postgresql+psycopg://"))
    url, zone = "https://river.example.org", "UTC"
    network = Network(id=NETWORK, slug="river", kind="informal", name="", url=url, time_zone=zone, created_at=NOW)
    with opened.write() as session:
        session.add(network)
        session.flush()
        session.add(StatusList(id=LIST, network_id=NETWORK, purpose="revocation", length=8))
        for member_id in MEMBERS:
            session.add(Member(id=member_id, network_id=NETWORK, ref=str(member_id), enrolled_at=NOW))
        session.add_all([ServiceFact(name="a", value="1"), ServiceFact(name="b", value="1")])
    yield opened
    opened.dispose()


@pytest.mark.parametrize(
    ("lock", "how"),
    [
        (lambda session: locks.network(session, NETWORK), "FOR NO KEY UPDATE"),
        (lambda session: locks.network(session, NETWORK, shared=True), "FOR SHARE"),
        (locks.keys, "ORDER BY keys.id FOR NO KEY UPDATE"),
        (locks.records, "ORDER BY records.id FOR NO KEY UPDATE"),
        (lambda session: locks.sessions(session, MEMBERS), "ORDER BY sessions.id FOR KEY SHARE"),
        (lambda session: locks.members(session, MEMBERS), "ORDER BY members.id FOR NO KEY UPDATE"),
        (lambda session: locks.achievement(session, NETWORK), "FOR NO KEY UPDATE"),
        (lambda session: locks.status_list(session, StatusList, LIST), "FOR NO KEY UPDATE"),
        (lambda session: locks.rows(session, ServiceFact), "ORDER BY service_facts.name FOR UPDATE"),
        (lambda session: locks.one(session, ServiceFact, ServiceFact.name == "a"), "FOR UPDATE"),
        (lambda session: locks.one_or_none(session, ServiceFact, ServiceFact.name == "c"), "FOR UPDATE"),
        (
            lambda session: locks.one_or_none(session, ServiceFact, ServiceFact.name == "c", key_share=True),
            "FOR NO KEY UPDATE",
        ),
        (lambda session: locks.again(session, session.get_one(ServiceFact, "a")), "FOR UPDATE"),
    ],
)
def test_a_lock_is_as_strong_as_needed(database: Database, lock: Callable[[WriteSession], object], how: str) -> None:
    said: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *called: said.append(" ".join(called[2].split())))
    with database.write() as session:
        lock(session)
    assert said[-1].endswith(how) if not database.is_sqlite else " FOR " not in said[-1]


def test_members_are_locked_in_order_whoever_names_them(database: Database) -> None:
    with database.write() as session:
        assert locks.members(session, [MEMBERS[2], None, MEMBERS[0], new_id()]) == sorted([MEMBERS[0], MEMBERS[2]])
        assert locks.members(session, select(Member.id).where(Member.network_id == NETWORK)) == sorted(MEMBERS)
        assert locks.members(session, {None}) == []


def test_what_is_read_under_a_lock_is_what_is_there(database: Database) -> None:
    with database.write() as session:
        fact = session.get_one(ServiceFact, "a")
        new_value = update(ServiceFact).execution_options(synchronize_session=False)
        session.execute(new_value.values(value="2"))
        assert [row.value for row in locks.rows(session, ServiceFact, ServiceFact.name == "a")] == ["1"], (
            "as it was read"
        )
        assert locks.one(session, ServiceFact, ServiceFact.name == "a").value == "2"
        session.execute(new_value.values(value="3"))
        locks.again(session, fact)
        assert fact.value == "3"
        session.execute(new_value.values(value="4"))
        assert locks.one_or_none(session, ServiceFact, ServiceFact.name == "a") is fact
        assert fact.value == "4"


def test_what_is_not_there_is_an_error_or_none(database: Database) -> None:
    with database.write() as session:
        assert locks.one_or_none(session, ServiceFact, ServiceFact.name == "c") is None
        with pytest.raises(NoResultFound):
            locks.one(session, ServiceFact, ServiceFact.name == "c")
