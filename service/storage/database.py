"""The engine, the types of read and write sessions, and the one commit."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, bindparam, create_engine, event, func, inspect, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, InterfaceError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm import Session

from service.errors import StorageError
from service.storage import private_files
from service.storage.pulse import ImpatientConnection, Pulse
from service.tables import Event, Record, Row

BUSY_TIMEOUT_SECONDS = 60
PATIENCE_SECONDS = 5
"""How long to wait for a connection, a new one or one from the pool: a host that is down would hold a thread for minutes."""
UNHEARD_SECONDS = 15
"""How long a server may not acknowledge what was sent before the connection is given up."""
POOL: Final = {"pool_size": 20, "max_overflow": 20, "pool_timeout": PATIENCE_SECONDS}
"""Connections of a process: for its requests (`web.requests.SESSIONS` and `LOOK_UPS`), and the threads beside them."""

FAILURES = (DatabaseError, InterfaceError, NoConnectionError)
PROGRAMS_FAULTS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
"""Of the failures those that say something about the program, and nothing about the database.

All others are the database's: that a server takes no writes, or that a file is damaged, has no class of its own.
"""


class ReadSession(Session):
    """A session that only reads; anything it would write is rolled back at its end."""


class WriteSession(Session):
    """A session that ends with one commit: everything in it happens, or nothing."""


class Database:
    """The only way to the rows.

    Args:
        url: SQLAlchemy address, SQLite or PostgreSQL (psycopg 3).
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.url = url
        self.pulse = Pulse()
        """Says whether PostgreSQL is lost, once `listen` was called."""
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        in_file = self.is_sqlite and parsed.database and not parsed.database.startswith((":memory:", "file:"))
        self.file = Path(str(parsed.database)) if in_file else None
        """Where SQLite keeps the rows, unless in memory."""
        if self.is_sqlite:
            if self.file is not None:
                _make_private(self.file)
            pool = POOL if self.file is not None else {}
            self.engine = create_engine(
                parsed, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, hide_parameters=True, **pool
            )
            _set_up_sqlite(self.engine)
            self._reader = self.engine
        else:
            patience = {"connect_timeout": PATIENCE_SECONDS, "tcp_user_timeout": UNHEARD_SECONDS * 1000}
            waits = {name: value for name, value in patience.items() if name not in parsed.query}
            self._waits = waits
            self.engine = create_engine(parsed, connect_args=waits, pool_pre_ping=True, hide_parameters=True, **POOL)
            self._connect_impatiently()
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = self.engine.execution_options(laurel_writes=True)

    @contextmanager
    def read(self) -> Iterator[ReadSession]:
        """Open a session on one snapshot, so that all that it reads fits together.

        Raises:
            StorageError: the database does not work now (code "database-unavailable").
        """
        with self._working(), ReadSession(self._reader, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[WriteSession]:
        """Open a session that commits when the block ends, or rolls back if it raises.

        `service.storage.locks` says in which order rows are locked.

        Raises:
            StorageError: as `read`.
        """
        with self._working(), WriteSession(self._writer, expire_on_commit=False) as session:
            yield session
            commit(session)

    @contextmanager
    def rehearsal(self) -> Iterator["Database"]:
        """Yield a database in which all that is written is undone at the end; until then nobody else can write.

        Raises:
            StorageError: as `read`.
        """
        with self._working(), self._writer.connect() as connection, connection.begin() as transaction:
            try:
                yield _Rehearsal(self, connection)
            finally:
                transaction.rollback()

    def overwrite_log(self) -> None:
        """Take into the file of SQLite what its log still holds, so that what was erased is gone from there too.

        While others read an older state, the log stays until the next time. PostgreSQL does this by itself, when it
        vacuums.
        """
        if self.file is not None:
            with closing(sqlite3.connect(self.file, timeout=1)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def listen(self) -> None:
        """Listen whether the server is there, until `dispose`; nothing waits for one that is not heard.

        SQLite is in this process, and always there.
        """
        if not self.is_sqlite:
            arguments, named = self.engine.dialect.create_connect_args(self.engine.url)
            self.pulse.start(lambda: ImpatientConnection.connect(*arguments, **{**self._waits, **named}))

    def dispose(self) -> None:
        """Close every connection."""
        self.pulse.stop()
        self.engine.dispose()

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Tell in our own words that the database failed: a driver's message may repeat what was to be written."""
        if self.pulse.lost:
            raise _unavailable()
        try:
            yield
        except FAILURES as error:
            if isinstance(error, PROGRAMS_FAULTS):
                raise
            raise _unavailable() from error

    def _connect_impatiently(self) -> None:
        @event.listens_for(self.engine, "do_connect")
        def _connect(_dialect: Any, _record: Any, arguments: Any, named: Any) -> Any:
            return self.pulse.connected(lambda: ImpatientConnection.connect(*arguments, **named))


class _Rehearsal(Database):
    """A database whose transactions are parts of one that is undone."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self.__dict__.update(database.__dict__)
        self._connection = connection

    @contextmanager
    def read(self) -> Iterator[ReadSession]:
        """Open a session on what was written so far."""
        with ReadSession(self._connection, autoflush=False, join_transaction_mode="create_savepoint") as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[WriteSession]:
        """Open a session that keeps until the end of the rehearsal what its block writes."""
        parts = WriteSession(self._connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        with parts as session:
            yield session
            commit(session)


def _unavailable() -> StorageError:
    message = "The database does not work now; what was not yet answered can be sent again."
    return StorageError("database-unavailable", message)


def insert_new(session: WriteSession, row: type[Row], values: Mapping[str, Any]) -> bool:
    """Insert a row unless its key is taken; return whether it was inserted.

    The key is the primary or a unique one. If another open transaction holds the same key, this waits until that
    transaction ends; so of two at the same moment one inserts and the other finds the row.
    """
    session.flush()  # the new row may refer to one that the session has not yet written
    statement = insert_for(session)(row).values(values).on_conflict_do_nothing()
    return session.execute(statement.returning(inspect(row).primary_key[0])).first() is not None


def insert_for(session: WriteSession) -> Callable[[type[Row]], postgresql.Insert | sqlite.Insert]:
    """Return the `insert` of the session's database.

    It can say what happens if the row is already there.
    """
    return postgresql.insert if is_postgresql(session) else sqlite.insert


def is_postgresql(session: Session) -> bool:
    """Return whether the database is PostgreSQL; otherwise it is SQLite."""
    return session.get_bind().dialect.name == "postgresql"


def hold_numbers(session: WriteSession, numbers: Iterable[int]) -> None:
    """Let nobody else hold these numbers until the commit; SQLite has one writer."""
    if is_postgresql(session):
        for number in numbers:
            session.execute(select(func.pg_advisory_xact_lock(number & 0x7FFF_FFFF_FFFF_FFFF)))


def commit(session: WriteSession) -> None:
    """Give records and events their positions, then commit; nothing else does this.

    Positions are dense per network and follow the order of commits, so that a reader with a cursor never misses a row.
    So they are given last, under a lock on the network that lasts until the commit (PostgreSQL: an advisory lock;
    SQLite has one writer).
    """
    session.flush()
    fresh: dict[type[Record | Event], dict[UUID, list[UUID]]] = session.info.pop("unplaced", {})
    hold_numbers(session, [network_id.int for network_id in sorted(set().union(*fresh.values()))])
    for table, networks in fresh.items():
        for network_id, row_ids in networks.items():
            last = session.scalar(select(func.max(table.position)).where(table.network_id == network_id)) or 0
            # Identifiers rise over time, so their order is the order in which things happened.
            places = [{"row": row_id, "place": last + n} for n, row_id in enumerate(sorted(row_ids), start=1)]
            rows = cast("Table", table.__table__)
            statement = update(rows).where(rows.c.id == bindparam("row"))
            session.connection().execute(statement.values(position=bindparam("place")), places)
    session.commit()


@contextmanager
def rehearsal(session: WriteSession) -> Iterator[None]:
    """Take back at the end whatever is written within; rows that are read again are as they were."""
    unplaced = deepcopy(session.info.get("unplaced", {}))
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        session.info["unplaced"] = unplaced


def place_at_commit(session: WriteSession, row: Record | Event) -> None:
    """Have a row placed at the commit.

    This is needed only for rows that are inserted without the unit of work.
    """
    fresh = session.info.setdefault("unplaced", {})
    fresh.setdefault(type(row), {}).setdefault(row.network_id, []).append(row.id)


@event.listens_for(WriteSession, "after_flush")
def _note_unplaced(session: WriteSession, _context: Any) -> None:
    for row in session.new:
        if isinstance(row, Record | Event):
            place_at_commit(session, row)


def _make_private(path: Path) -> None:
    """Have a file for SQLite that only this account may read.

    SQLite gives its log (`-wal`) and its index (`-shm`) the permissions of the database.
    """
    private_files.make_folder(path.parent)
    private_files.make_file(path)
    for ending in ("", "-wal", "-shm"):
        private_files.close_to_others(path.with_name(path.name + ending))


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions on its own
        # What is deleted is overwritten: it would stay in the file until its place is needed.
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("lower", 1, _lower, deterministic=True)  # its own knows only the letters of ASCII

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Under a plain BEGIN, reading and then writing fails at once beside another writer, whatever the timeout.
        writes = connection.get_execution_options().get("laurel_writes", False)
        connection.execute(text("BEGIN IMMEDIATE" if writes else "BEGIN"))
