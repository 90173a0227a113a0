"""A service under attack: `laurel serve` with two workers, its own database server, mail server and small disk.

Everything is real and in processes of its own, so that each can be killed, stopped or filled.
"""

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from service.storage import migrations
from service.storage.database import Database
from tests.worlds.databases import OwnServer, own_postgresql
from tests.worlds.mailing import Mailbox, mail_server
from tests.worlds.processes import LAUREL, free_port, laurel_serve

WORKERS = 2
STARTS_WITHIN_SECONDS = 6
DISK = "32m"


@dataclass
class Besieged:
    """A running service and what it stands on.

    Args:
        url: where it listens.
        token: may do everything in the network `river`.
        database: its rows, for the accounts at the end.
        server: its PostgreSQL; None where its rows are in SQLite.
        disk: where its data folder is; small enough to be filled.
        mail: what its mail server received.
    """

    url: str
    token: str
    database: Database
    server: OwnServer | None
    disk: Path
    mail: Mailbox
    process: psutil.Process
    peaks: dict[int, int] = field(default_factory=dict)
    """The most memory that each worker ever had, with the processes that it started, in bytes."""

    def workers(self) -> list[psutil.Process]:
        """Return the processes that answer requests."""
        with suppress(psutil.NoSuchProcess):
            return [each for each in self.process.children() if _is_worker(each)]
        return []

    def at_work(self) -> list[psutil.Process]:
        """Return the workers that started long enough ago to answer."""
        with suppress(psutil.NoSuchProcess):
            return [each for each in self.workers() if time.time() - each.create_time() > STARTS_WITHIN_SECONDS]
        return []

    def kill_one(self, choice: random.Random) -> bool:
        """Kill a worker without any warning, if another one is at work; return whether it was done."""
        at_work = self.at_work()
        if len(at_work) < WORKERS:
            return False
        choice.choice(at_work).kill()
        return True

    def wait_for_all(self) -> None:
        """Wait until every worker that was killed has a successor at work."""
        until = time.monotonic() + 60
        while len(self.at_work()) < WORKERS:
            assert time.monotonic() < until, "expected a successor of each worker"
            time.sleep(0.1)

    def memory(self) -> int:
        """Return how much memory the workers have now, without the processes that open files for them, in bytes."""
        return sum(_memory_of(worker) for worker in self.workers())

    def note_peaks(self) -> None:
        """Look how much memory each worker has, with the processes that open files for it."""
        for worker in self.workers():
            with suppress(psutil.NoSuchProcess):
                total = sum(map(_memory_of, (worker, *worker.children(recursive=True))))
                self.peaks[worker.pid] = max(total, self.peaks.get(worker.pid, 0))

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let the disk of the data folder be full, as long as the block lasts."""
        if self.disk.is_mount():
            filling = self.disk / "filling"
            with suppress(OSError), filling.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(65536))
            yield
            filling.unlink()
            return
        for worker in self.workers():
            worker.rlimit(psutil.RLIMIT_FSIZE, (0, psutil.RLIM_INFINITY))
        yield
        for worker in self.workers():
            worker.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))

    def stop(self) -> float:
        """End the service as an operator does, and return how many seconds that took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        with suppress(psutil.NoSuchProcess):
            self.process.wait(120)
        return time.monotonic() - began


def _memory_of(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_full_info().uss)
    return 0


def _is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "spawn_main" in " ".join(process.cmdline())
    return False


@contextmanager
def besieged(folder: Path, kind: str) -> Iterator[Besieged]:
    """Yield a service that runs on `kind`, "sqlite" or "postgresql", in a folder that everybody may enter."""
    with ExitStack() as stack:
        disk = stack.enter_context(_small_disk(folder / "disk"))
        server = stack.enter_context(own_postgresql(folder / "postgresql")) if kind == "postgresql" else None
        database = Database(server.get_uri(driver="psycopg") if server else f"sqlite:///{folder}/laurel.db")
        stack.callback(database.dispose)
        migrations.upgrade(database)
        mail = stack.enter_context(mail_server())
        port = free_port()
        url = f"http://localhost:{port}"
        environment = os.environ | {
            "LAUREL_DATABASE_URL": database.url,
            "LAUREL_BASE_URL": url,
            "LAUREL_KEYS_FOLDER": str(folder / "keys"),
            "LAUREL_KEYS_PASSPHRASE": "for tests of attacks",
            "LAUREL_DATA_FOLDER": str(disk),
            "LAUREL_MAIL_URL": mail.url,
        }
        network = ["create", "river", "--name", "River Writers", "--url", "https://river.example.org"]
        _laurel(environment, "network", *network)
        token = _laurel(environment, "token", "create", "--network", "river").strip()
        log = stack.enter_context((folder / "log").open("wb"))
        process = stack.enter_context(laurel_serve(port, environment, workers=WORKERS, output=log))
        found = Besieged(url, token, database, server, disk, mail, psutil.Process(process.pid))
        stack.enter_context(_watching(found))
        yield found


@contextmanager
def _small_disk(at: Path) -> Iterator[Path]:
    """Mount a small disk in memory.

    Somebody who may not mount one gets a folder, and the size of files is limited instead while the disk is full.
    """
    at.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(at)]
    mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        yield at
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(at)], check=True)
        shutil.rmtree(at, ignore_errors=True)


@contextmanager
def _watching(found: Besieged) -> Iterator[None]:
    """Look at the memory of the workers four times a second."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.25):
            found.note_peaks()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _laurel(environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run([LAUREL, *arguments], env=environment, capture_output=True, text=True, check=True)
    return done.stdout
