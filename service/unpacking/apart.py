"""Open strangers' files in processes apart.

A fault in a library for pictures, codes, PDFs or archives then ends one process that holds nothing: no key, no
passphrase, no row, no connection. A few processes (1) are started when they are first needed, with an empty environment
and no descriptor of the service but their two pipes, (2) open one file at a time, within bounds of memory, of time of
the processor and of time, (3) share their time fairly between callers, and (4) are replaced when they end, break the
protocol, take too long, or have opened many files. Whatever happens to one costs only the file that it had.
"""

import logging
import math
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from service.runtime.cpu_time import patience, waiting
from service.runtime.turns import Turns, busy
from service.unpacking import frames, reasons
from service.unpacking.found import MAX_OPENED, Opened, Problem
from service.unpacking.unpack import Allowance, Apart

log = logging.getLogger(__name__)

AT_ONCE: Final = 2
"""How many processes there are; one of several is only for callers who had little lately."""
WALL_SECONDS: Final = 20.0
"""How long one file may take, however little of the processor the process is given."""
WAIT_SECONDS: Final = 0.4
"""How long a file waits for a process, while its caller waits for any answer at all."""
FILES_OF_ONE: Final = 200
"""How many files one process opens before it is replaced."""
END_SECONDS: Final = 1.0
PRICE_OF_A_FAULT: Final = 1.0
"""Seconds that a request pays for a process that it ended: so it ends few."""
_ROOT: Final = Path(__file__).parents[2]
_RUN: Final = "import sys; sys.path.insert(0, sys.argv[1]); from service.unpacking.worker import main; main()"


class _EndedError(Exception):
    """A process ended, or broke the protocol, while it had a file."""


class Workers:
    """The processes in which files are opened. `close` ends them."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        kept = min(1, at_once - 1)
        self._turns = Turns(at_once=at_once, of_one=at_once - kept, kept=kept)  # (3)
        self._idle: list[_Worker] = []
        self._closed = False
        self._lock = threading.Lock()

    def of(self, address: str) -> Apart:
        """Return what opens the files of the caller at an address."""
        return partial(self._open, address)

    def close(self) -> None:
        """End the processes that wait; one that has a file ends after it."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for worker in idle:
            worker.end()

    def _open(self, address: str, name: str, content: bytes, allowance: Allowance) -> list[Opened]:
        """Return what can be checked in a file.

        Raises:
            TooManyRequestsError: no process came free in time, or could be started (code "service-busy").
        """
        found: list[Opened] = []
        with waiting(), self._turns.turn(address, patience(WAIT_SECONDS)):
            worker = self._taken()
            try:
                found.extend(worker.each_in(name, content, allowance))
            except _EndedError:
                worker.kill()
                log.warning("a process that opens files ended with %s and is replaced", worker.status)
                problem = self._paid(worker, allowance)
                if found and problem is reasons.SEARCHED_TOO_LONG:
                    problem = reasons.REST_NOT_SEARCHED
                found.append(Opened(name, problem=problem))
            except BaseException:
                worker.kill()
                raise
            else:
                self._given_back(worker)
        return found

    def _paid(self, worker: "_Worker", allowance: Allowance) -> Problem:
        """Take from the request what the end of a process costs, and return why nothing more was found."""
        allowance.left -= 1
        if not worker.took_too_long:
            allowance.time.charge(PRICE_OF_A_FAULT)
            return reasons.OPENING_FAILED
        allowance.time.charge(max(0.0, allowance.time.left()))
        return reasons.SEARCHED_TOO_LONG

    def _taken(self) -> "_Worker":
        while (worker := self._idle_one()) is not None:
            if worker.lives:
                return worker
            worker.kill()  # it ended while it waited
        try:
            return _Worker()  # (1)
        except OSError as error:  # the machine has no memory or no process left
            log.error("no process could be started to open a file: %s", error)  # noqa: TRY400
            raise busy() from error

    def _idle_one(self) -> "_Worker | None":
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _given_back(self, worker: "_Worker") -> None:
        with self._lock:
            if not self._closed and worker.files < FILES_OF_ONE:
                self._idle.append(worker)
                return
        worker.end()  # (4)


class _Worker:
    """One process."""

    def __init__(self) -> None:
        self.files = 0
        self._overdue = False
        self._process = subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-I", "-B", "-X", "utf8", "-c", _RUN, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            close_fds=True,
            start_new_session=True,  # an interrupt at the terminal is for the service
        )

    @property
    def status(self) -> int | None:
        """How it ended, as `subprocess` says it; None while it runs."""
        return self._process.returncode

    @property
    def lives(self) -> bool:
        """Whether it can be given a file."""
        return self._process.poll() is None

    @property
    def took_too_long(self) -> bool:
        """Whether it was ended because a file took too long."""
        return self._overdue or self.status == -signal.SIGXCPU

    def each_in(self, name: str, content: bytes, allowance: Allowance) -> Iterator[Opened]:
        """Yield what can be checked in a file, and take from the allowance what it cost.

        Raises:
            _EndedError: the process ended, or broke the protocol.
        """
        self.files += 1
        given, answers = self._pipes()
        watch = threading.Timer(WALL_SECONDS, self._end_overdue)  # (2)
        watch.daemon = True
        watch.start()
        try:
            seconds = max(0.0, allowance.time.left())
            asked = {
                "name": name,
                "left": allowance.left,
                "seconds": seconds,
                "more": allowance.more,
                "each_line": allowance.each_line,
            }
            frames.write(given, asked, content)
            left = len(content) + allowance.more
            for _ in range(MAX_OPENED + 2):
                said, found = frames.read(answers) or _ended()
                if "end" in said:
                    self._counted(said, seconds, allowance)
                    return
                left -= len(found)
                if left < 0:
                    break
                allowance.more = min(allowance.more, left)
                yield frames.to_opened(said, found)
            raise _EndedError
        except (frames.FrameError, OSError, ValueError) as error:
            raise _EndedError from error
        finally:
            watch.cancel()

    def _counted(self, said: dict[str, Any], seconds: float, allowance: Allowance) -> None:
        left, used = said.get("left"), said.get("seconds")
        if type(left) is not int or not 0 <= left <= max(0, allowance.left):
            raise _EndedError
        if not isinstance(used, int | float) or not 0 <= used < math.inf:
            raise _EndedError
        allowance.left = left
        allowance.time.charge(min(used, seconds + 1))

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        given, answers = self._process.stdin, self._process.stdout
        assert given is not None
        assert answers is not None
        return given, answers

    def _end_overdue(self) -> None:
        self._overdue = True
        self._process.kill()

    def end(self) -> None:
        """Let the process end by itself; kill it if it does not."""
        with suppress(OSError):
            self._pipes()[0].close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in self._pipes():
            with suppress(OSError):
                pipe.close()


def _ended() -> tuple[dict[str, Any], bytes]:
    raise _EndedError
