"""A PostgreSQL server that says nothing any more: nobody waits for it, and nobody is refused once it is back."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Never

import psutil
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service.errors import StorageError
from service.storage import pulse
from service.storage.database import Database
from service.storage.pulse import Pulse
from tests.worlds.databases import own_postgresql
from tests.worlds.waiting import until

pytestmark = pytest.mark.any_database("it is about a server of its own")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, psutil.Process]]:
    """The address of a server that can be stopped, and its first process."""
    with tempfile.TemporaryDirectory(prefix="laurel-pulse-") as name:
        Path(name).chmod(0o755)
        with own_postgresql(Path(name) / "data") as started:
            first = int((Path(name) / "data" / "postmaster.pid").read_text().split()[0])
            yield started.get_uri(driver="psycopg"), psutil.Process(first)


@pytest.fixture
def database(server: tuple[str, psutil.Process], monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 0.05)
    opened = Database(server[0])
    opened.listen()
    yield opened
    resume(server)
    opened.dispose()


def stop(server: tuple[str, psutil.Process]) -> None:
    """Stop all its processes; one of them may end meanwhile."""
    for each in (server[1], *server[1].children()):
        with suppress(psutil.NoSuchProcess):
            each.suspend()


def resume(server: tuple[str, psutil.Process]) -> None:
    for each in (server[1], *server[1].children()):
        with suppress(psutil.NoSuchProcess):
            each.resume()


def test_nobody_waits_for_a_server_that_was_stopped(database: Database, server: tuple[str, psutil.Process]) -> None:
    with database.read() as session:
        session.execute(text("SELECT 1"))
        stop(server)
        with pytest.raises(OperationalError):
            session.execute(text("SELECT 2"))
    with pytest.raises(StorageError) as told, database.read():
        pytest.fail("nothing is begun while it is lost")
    assert told.value.code == "database-unavailable"
    with pytest.raises(StorageError), database.write():
        pytest.fail("nothing is begun while it is lost")
    resume(server)
    assert until(lambda: not database.pulse.lost)
    with database.write() as session:
        assert session.execute(text("SELECT 3")).scalar() == 3, "nothing has to be started again"


def test_nobody_waits_for_a_new_connection_to_a_server_that_was_stopped(
    database: Database, server: tuple[str, psutil.Process]
) -> None:
    stop(server)
    with pytest.raises(StorageError), database.read() as session:
        session.execute(text("SELECT 1"))
    resume(server)


def test_a_query_that_takes_long_is_waited_for_while_the_server_is_heard(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "SILENT_SECONDS", 0.5)
    with database.read() as session:
        assert session.execute(text("SELECT 1 FROM pg_sleep(1.5)")).scalar() == 1


def test_a_server_that_refuses_connections_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request is refused by it at once, and may succeed from the first moment at which it is back."""
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(pulse, "SILENT_SECONDS", 0.2)
    asked = threading.Semaphore(0)

    def refused() -> Never:
        asked.release()
        raise psycopg.OperationalError("connection refused")

    beating = Pulse()
    beating.start(refused)
    assert all(asked.acquire(timeout=60) for _ in range(50))
    assert not beating.lost
    beating.stop()


def test_a_look_up_of_the_server_that_hangs_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "SILENT_SECONDS", 0.1)
    over = threading.Event()

    def hanging() -> psycopg.Connection[Any]:
        over.wait(60)
        raise psycopg.OperationalError("no such host")

    beating = Pulse()
    beating.start(hanging)
    with pytest.raises(psycopg.OperationalError, match="not heard"):
        beating.connected(hanging)
    over.set()
    beating.stop()
