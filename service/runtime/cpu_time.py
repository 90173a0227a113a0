"""Bounds on the processor time of a request, and on the threads that use it.

Both are about what strangers send.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from math import inf

from service.runtime.turns import Turns

REQUEST_SECONDS = 3.0
"""What one request may use. A step that began within it may end a little later."""
WORKING_AT_ONCE, KEPT = 2, 1
"""How many threads work, and how many of these only for callers who had little lately.

More would finish no more, since they share one interpreter; further processes do (`laurel serve --workers`).
"""
WAIT_SECONDS = 0.5
"""How long a thread waits for its turn to work, while its caller waits for any answer at all."""
PATIENT_SECONDS = 60.0
"""How long it waits to go on with work that it began, or for a caller whose answer has begun."""


class CpuTime:
    """A budget of processor time. It runs while the thread that made it works, not while it waits.

    Args:
        seconds: how much there is.
        clock: counts the seconds that were used, as `time.thread_time` or `time.process_time`.
    """

    def __init__(self, seconds: float = REQUEST_SECONDS, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._until = clock() + seconds

    def left(self) -> float:
        """Return how many seconds are left; 0 or less when the budget is used up."""
        return self._until - self._clock()

    def charge(self, seconds: float) -> None:
        """Count what another process used for this request."""
        self._until -= seconds


UNLIMITED = CpuTime(inf, lambda: 0.0)
"""For what no stranger asks for."""

_turns = Turns(at_once=WORKING_AT_ONCE, of_one=1, kept=KEPT)
_mine = threading.local()


@contextmanager
def working(address: str = "") -> Iterator[None]:
    """Work for the caller at an address, as one of the few threads of this process that work for strangers.

    Threads that work take the interpreter from each other, and the one that answers everybody would wait for each of
    them. Within another `working` it does nothing; within `patiently` it waits longer, for the caller named there.

    Raises:
        TooManyRequestsError: it was not this thread's turn in time (code "service-busy").
    """
    if getattr(_mine, "turn", None) is not None:
        yield
        return
    patient: str | None = getattr(_mine, "patient", None)
    try:
        with ExitStack() as stack:
            _mine.turn, _mine.address = stack, address if patient is None else patient
            stack.enter_context(_turns.turn(_mine.address, patience(WAIT_SECONDS)))
            yield
    finally:
        _mine.turn = None


@contextmanager
def patiently(address: str) -> Iterator[None]:
    """Let this thread wait longer for its turns: the answer to the caller at an address has begun."""
    _mine.patient = address
    try:
        yield
    finally:
        _mine.patient = None


def patience(seconds: float) -> float:
    """Return how long this thread waits for something: so long, or longer within `patiently`."""
    return seconds if getattr(_mine, "patient", None) is None else PATIENT_SECONDS


@contextmanager
def waiting() -> Iterator[None]:
    """Wait for another server or process; within `working`, another thread may work meanwhile."""
    turn: ExitStack | None = getattr(_mine, "turn", None)
    if turn is None:
        yield
        return
    turn.close()
    try:
        yield
    finally:
        turn.enter_context(_turns.turn(_mine.address, PATIENT_SECONDS))
