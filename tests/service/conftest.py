"""The service on an empty migrated database, SQLite and PostgreSQL in turn, with a clock that tests set."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.checking.desk import Desk
from service.runtime.runtime import Runtime
from service.storage.database import Database
from tests.worlds import databases, described
from tests.worlds.runtimes import BASE_URL, Clock, app_of, desk_of, settings_in, start


@pytest.fixture(scope="session", autouse=True)
def _described() -> Iterator[None]:
    """Every answer that a test gets is held to the description of the API."""
    with described.every_answer():
        yield


@pytest.fixture(scope="session")
def postgresql(testrun_uid: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL server."""
    with databases.postgresql_server(testrun_uid, tmp_path_factory.getbasetemp().parent / "postgresql.lock") as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> str:
    """A PostgreSQL database that has had every migration."""
    return databases.migrated_postgresql(postgresql)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty migrated database, for `LAUREL_DATABASE_URL`."""
    if request.param == "sqlite":
        return f"sqlite:///{databases.migrated_sqlite(tmp_path / 'laurel.db')}"
    url: str = request.getfixturevalue("migrated_postgresql")
    databases.empty(url)
    return url


@pytest.fixture
def clock() -> Clock:
    """The time that `runtime` goes by: stands still until it is set."""
    return Clock()


@pytest.fixture
def runtime(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    """The service without its app, on an empty migrated database."""
    with start(settings_in(tmp_path, database_url=database_url), clock) as runtime:
        yield runtime


@pytest.fixture
def database(runtime: Runtime) -> Database:
    """The database of `runtime`."""
    return runtime.database


@pytest.fixture
def desk(runtime: Runtime) -> Desk:
    """Where badges are checked, at `runtime`."""
    return desk_of(runtime)


@pytest.fixture
def client(runtime: Runtime, desk: Desk) -> Iterator[TestClient]:
    """Speak HTTP with the app of `runtime`; what it does not answer is raised here, and nothing goes on beside."""
    with TestClient(app_of(runtime, desk), base_url=BASE_URL) as speaking:
        yield speaking
