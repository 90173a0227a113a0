"""Whether a PostgreSQL server is heard, and connections that wait for no other.

A server that was stopped, or a network that swallows everything, takes what it is sent and never answers: the system
sees nothing wrong, and those who asked would wait for ever. A query may also take long because it has much to do, or
because it waits for a lock. So a thread asks the server something small, again and again: as long as it answers that,
a query may take its time.
"""

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any, TypeVar

import psycopg
from psycopg import OperationalError

EVERY_SECONDS = 0.25
SILENT_SECONDS = 1.0
"""How long the server may say nothing: a caller is told within two seconds that it has to come again."""
GIVEN_UP_SECONDS = 5.0
"""How long one question waits; then it is asked over a new connection, because only the old one may be broken."""
LOOK_SECONDS = 0.1

Connect = Callable[[], psycopg.Connection[Any]]
ResultT = TypeVar("ResultT")


class Pulse:
    """A thread that asks the server whether it is there, from `start` to `stop`.

    A server that refuses a connection is heard: it refuses a request at once, too.
    """

    def __init__(self) -> None:
        self._silent_since: float | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def lost(self) -> bool:
        """Whether the server has been silent for too long; never before `start`."""
        since = self._silent_since
        return since is not None and time.monotonic() - since > SILENT_SECONDS

    def start(self, connect: Connect) -> None:
        """Begin to ask, over a connection of its own."""
        self._stopping = threading.Event()
        # A daemon, so that a server that hangs cannot hold the process at its end.
        self._thread = threading.Thread(
            target=self._run, args=(connect, self._stopping), name="laurel-pulse", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ask no longer; the server counts as heard."""
        self._stopping.set()

    def connected(self, connect: Connect) -> psycopg.Connection[Any]:
        """Return a new connection; what is asked over it is given up once the server is lost.

        Raises:
            OperationalError: there is none, or the server is lost.
        """
        if self._thread is None:
            return connect()
        if self.lost:
            raise OperationalError("the server is not heard")
        # In a thread of its own: the library looks up the name of the host without any limit.
        made: Future[psycopg.Connection[Any]] = Future()
        threading.Thread(target=_make, args=(connect, made), name="laurel-connect", daemon=True).start()
        while not self.lost:
            try:
                found = made.result(LOOK_SECONDS)
            except TimeoutError:
                continue
            if isinstance(found, ImpatientConnection):
                found.is_lost = lambda: self.lost
            return found
        made.add_done_callback(_close)
        raise OperationalError("the server is not heard")

    def _run(self, connect: Connect, stopping: threading.Event) -> None:
        connection = None
        while not stopping.wait(EVERY_SECONDS):
            began = time.monotonic()
            self._silent_since = self._silent_since or began
            try:
                if connection is None:
                    connection = connect()
                _ask(connection, began + GIVEN_UP_SECONDS)
            except (psycopg.Error, OSError):
                if connection is not None:
                    connection.close()
                connection = None
                if time.monotonic() - began > SILENT_SECONDS:
                    continue
            self._silent_since = None
        self._silent_since = None
        if connection is not None:
            connection.close()


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that is given up, whatever it waits for, once `is_lost` says so."""

    is_lost: Callable[[], bool] = staticmethod(lambda: False)

    def wait(self, gen: Generator[Any, Any, ResultT], *args: Any, **named: Any) -> ResultT:
        """Wait until the server has answered, or is lost.

        Raises:
            OperationalError: it is lost; whether it carried out what it was asked is not known.
        """
        return super().wait(self._heard(gen), *args, **named)

    def _heard(self, asked: Generator[Any, Any, ResultT]) -> Generator[Any, Any, ResultT]:
        try:
            wanted = next(asked)
            while True:
                ready = yield wanted
                if not ready and self.is_lost():
                    self.pgconn.finish()
                    raise OperationalError("the server is not heard")
                wanted = asked.send(ready)
        except StopIteration as end:
            found: ResultT = end.value
            return found


def _ask(connection: psycopg.Connection[Any], until: float) -> None:
    if isinstance(connection, ImpatientConnection):
        connection.is_lost = lambda: time.monotonic() > until
    connection.execute("SELECT 1")
    connection.rollback()


def _make(connect: Connect, made: "Future[psycopg.Connection[Any]]") -> None:
    try:
        made.set_result(connect())
    except BaseException as error:  # noqa: BLE001  (raised again where the connection is awaited)
        made.set_exception(error)


def _close(made: "Future[psycopg.Connection[Any]]") -> None:
    if made.exception() is None:
        made.result().close()
