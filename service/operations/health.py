"""The health of the service, as an operator reads it.

A thread looks at what can be out of order. The routes tell what it saw last and how long ago, so that they answer at
once, also while the database hangs. What can be seen without waiting they see for themselves: that a look does not end,
and that a worker of upkeep is dead or stuck.
"""

import logging
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from service.errors import DISK_FULL, StorageError
from service.issuing import status_lists
from service.operations.upkeep import Worker
from service.runtime.custody import FAULTS
from service.runtime.runtime import Runtime
from service.signing import keyring
from service.storage import facts, migrations, private_files
from service.storage.database import ReadSession
from service.tables import Message, Network, UnsettledMember
from service.vc_api import status

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
WRITTEN_EVERY_SECONDS = 60.0
"""How often something is written in order to see whether that is possible: not so often that a disk never rests."""
TOO_OLD_SECONDS = 45.0
STOP_SECONDS = 1.0
STUCK_SECONDS = 120.0
"""Longer than any piece of work takes: the slowest waits a minute for a lock of SQLite."""
LOW_BYTES: Final = 67_108_864
LOW_PART: Final = 0.05
"""A disk is nearly full if it has less free than both of these."""

REASONS: Mapping[str, str] = {
    "starting": "The service has just started, and has not looked at itself yet.",
    "look-overdue": "The service has not been able to look at itself for a while: the database or a disk may hang.",
    "database-unavailable": "The database does not answer, or refuses the service.",
    "database-not-migrated": "The database is not at the newest revision: run `laurel migrate`.",
    "database-not-writable": "The database takes nothing new: its disk may be full, or it may be a copy for reading.",
    "disk-full": "A disk is full, or nearly so: that of the data folder, or that of the database.",
    "data-folder-not-writable": "Nothing can be written to the data folder.",
    **FAULTS,
    "upkeep-dead": "A worker of upkeep has died: restart the service.",
    "upkeep-stuck": "A worker of upkeep has been at one piece of work for more than two minutes.",
    "upkeep-failing": "Some work of upkeep failed the last time, and is tried again; the log says why.",
    "status-lists-overdue": "Status lists have not been signed again for more than two days.",
}
"""All that can be out of order: stable codes, and what they mean for an operator. Nothing in it is secret."""


@dataclass(frozen=True)
class Look:
    """What was seen at one moment, `at` in seconds of `time.monotonic`.

    `figures` has nothing if the database could not be read.
    """

    at: float
    reasons: Sequence[str]
    figures: Mapping[str, int]


@dataclass(frozen=True)
class Health:
    """What is told: the reasons why the service is degraded, and the figures of the last look with its age."""

    reasons: Sequence[str]
    figures: Mapping[str, int]
    age_seconds: float | None


class Watch:
    """A thread that looks at the service, from `start` to `stop`.

    Args:
        workers: those of this process.
    """

    def __init__(self, runtime: Runtime, workers: Sequence[Worker] = ()) -> None:
        self._runtime = runtime
        self._workers = workers
        self._last: Look | None = None
        self._unwritten: Sequence[str] = ()
        self._began = time.monotonic()
        self._write_at = self._began + WRITTEN_EVERY_SECONDS
        self._stopping = threading.Event()
        self.looked = threading.Event()
        """Set after the first look."""
        # A daemon, so that a database that hangs cannot hold the process at its end.
        self._thread = threading.Thread(target=self._run, name="laurel-upkeep health", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End after the present look, and wait for it no longer than this."""
        self._stopping.set()
        self._thread.join(seconds)

    def health(self) -> Health:
        """Return what there is to tell now; wait for nothing."""
        now, last = time.monotonic(), self._last
        reasons = list(last.reasons) if last is not None else ["starting"]
        if now - (last.at if last is not None else self._began) > TOO_OLD_SECONDS:
            reasons.insert(0, "look-overdue")
        if self._runtime.database.pulse.lost and "database-unavailable" not in reasons:
            reasons.insert(0, "database-unavailable")
        age = now - last.at if last is not None else None
        return Health([*reasons, *_upkeep(self._workers, now)], last.figures if last else {}, age)

    def look(self) -> None:
        """Look at everything, and keep what was seen."""
        reasons, figures = [*_disks(self._runtime)], dict[str, int]()
        try:
            figures = {"migrated": migrations.is_current(self._runtime.database)}
            reasons += self._rows(figures) if figures["migrated"] else ["database-not-migrated"]
        except (SQLAlchemyError, StorageError) as error:
            log.warning("health: the database cannot be read: %s", type(error).__name__)
            reasons.append("database-unavailable")
        self._last = Look(time.monotonic(), reasons, figures)

    def _rows(self, figures: dict[str, int]) -> Iterator[str]:
        """Yield what is out of order with rows and keys, and add the figures."""
        with self._runtime.database.read() as session:
            figures |= _counted(session, self._runtime.now())
            kept = keyring.in_use(session)
        yield from dict.fromkeys(fault for fault in map(self._runtime.custody.fault, kept) if fault is not None)
        if figures["overdue_status_lists"]:
            yield "status-lists-overdue"
        if self._unwritten or time.monotonic() >= self._write_at:
            self._unwritten = _unwritten(self._runtime)
            self._write_at = time.monotonic() + WRITTEN_EVERY_SECONDS
        yield from self._unwritten

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception:
                log.exception("health: a look failed and is tried again")
            self.looked.set()
            self._stopping.wait(EVERY_SECONDS)


def _counted(session: ReadSession, now: datetime) -> dict[str, int]:
    queued = select(func.count()).select_from(Message).where(Message.state == "queued")
    draft = select(Network.id).where(Network.state == "draft")  # which decides when it is active
    unsettled = select(func.count()).select_from(UnsettledMember).where(UnsettledMember.network_id.not_in(draft))
    return {
        "overdue_status_lists": len(status_lists.overdue(session, now)) + status.overdue(session, now),
        "messages_waiting": session.scalar(queued) or 0,
        "members_unsettled": session.scalar(unsettled) or 0,
    }


def _unwritten(runtime: Runtime) -> Sequence[str]:
    """Write something small, and return why that was not possible."""
    try:
        with runtime.database.write() as session:
            facts.change(session, "health:written", runtime.now().isoformat())
    except (SQLAlchemyError, StorageError) as error:
        log.warning("health: the database cannot be written: %s", type(error).__name__)
        return ("database-not-writable",)
    return ()


def _disks(runtime: Runtime) -> Iterator[str]:
    folder = runtime.settings.data_folder
    beside = [runtime.database.file.parent] if runtime.database.file else []
    try:
        private_files.make_folder(folder)
        with TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
        full = any(_is_full(each) for each in (folder, *beside))
    except OSError as error:
        yield "disk-full" if error.errno in DISK_FULL else "data-folder-not-writable"
    else:
        if full:
            yield "disk-full"


def _is_full(folder: Path) -> bool:
    usage = shutil.disk_usage(folder)
    return usage.free < min(LOW_BYTES, usage.total * LOW_PART)


def _upkeep(workers: Sequence[Worker], now: float) -> Iterator[str]:
    if not all(worker.thread.is_alive() for worker in workers):
        yield "upkeep-dead"
    if any(now - worker.seen_at > STUCK_SECONDS for worker in workers if worker.thread.is_alive()):
        yield "upkeep-stuck"
    if any(worker.failing for worker in workers):
        yield "upkeep-failing"
