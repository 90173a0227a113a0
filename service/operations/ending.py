"""The end of a process of `laurel serve`, within a limit.

It comes whatever its threads still wait for:

1. Requests have `GRACE_SECONDS` to finish; then they are broken off.
2. Upkeep ends after the pieces that it is doing (`upkeep.STOP_SECONDS`).
3. If the process is still there after `END_SECONDS`, it ends as if it was killed.
4. Where there are several, the one that started them kills those that are left after `KILL_SECONDS`.

Where that one is killed itself, they end too: they would keep the port, and nobody would tell them to end.

To be killed is safe at any moment: what is promised is in the rows, and the next process goes on from there.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

from uvicorn.supervisors import Multiprocess

GRACE_SECONDS: Final = 8
END_SECONDS: Final = 15.0
KILL_SECONDS: Final = 16.0
"""More than `END_SECONDS`: only a process that was stopped, or does not even run its timers, is left."""
BY_SIGNAL: Final = 128
"""What is added to the number of the signal in the exit status, as a shell does."""


def end_within(seconds: float = END_SECONDS) -> None:
    """End this process at most so long after SIGTERM or SIGINT (3).

    What the server does at these signals, it still does. Must be called in the main thread, once the server handles
    the signals.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        _end_within(number, seconds)


def end_with_parent() -> None:
    """End this process, as at SIGTERM, when the one that started it as a worker has ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A daemon, because it waits for as long as the process lives.
        threading.Thread(target=_outlive, args=(parent.join,), name="laurel-parent", daemon=True).start()


def _outlive(join: Callable[[], None]) -> None:
    join()
    os.kill(os.getpid(), signal.SIGTERM)


class Supervisor(Multiprocess):
    """Starts the workers, replaces those that die, and ends with them (4)."""

    def join_all(self) -> None:
        """Wait until the workers have ended, and kill those that do not."""
        ends = time.monotonic() + KILL_SECONDS
        for worker in self.processes:
            worker.process.join(max(0.0, ends - time.monotonic()))
        for worker in self.processes:
            if worker.process.is_alive():
                worker.process.kill()
            worker.join()


def _end_within(number: int, seconds: float) -> None:
    before = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        last = threading.Timer(seconds, os._exit, [BY_SIGNAL + received])
        last.daemon = True
        last.start()
        if callable(before):
            before(received, frame)

    signal.signal(number, handle)
