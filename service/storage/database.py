"""The engine, the types of read and write sessions, and the one commit."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, bindparam, create_engine, event, func, inspect, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from service.tables import Event, Record, Row

BUSY_TIMEOUT_SECONDS = 60


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
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, pool_size=20)
            _set_up_sqlite(self.engine)
            self._reader = self.engine
        else:
            self.engine = create_engine(parsed, pool_size=20, pool_pre_ping=True)
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = self.engine.execution_options(laurel_writes=True)

    @contextmanager
    def read(self) -> Iterator[ReadSession]:
        """Open a session on one snapshot, so that all that it reads fits together."""
        with ReadSession(self._reader, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[WriteSession]:
        """Open a session that commits when the block ends, or rolls back if it raises.

        `service.storage.locks` says in which order rows are locked.
        """
        with WriteSession(self._writer, expire_on_commit=False) as session:
            yield session
            commit(session)

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


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


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions on its own
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "busy_timeout=60000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Under a plain BEGIN, reading and then writing fails at once beside another writer, whatever the timeout.
        writes = connection.get_execution_options().get("laurel_writes", False)
        connection.execute(text("BEGIN IMMEDIATE" if writes else "BEGIN"))
