"""Places for costly work, shared fairly between callers.

A few pieces of work go on at once, for all callers together. A request that finds no place waits for a short time,
without a thread where it is awaited. A free place goes to the caller who holds the fewest, then to the one who held
places for the shortest time lately, and some places are kept for callers who had little. So those who ask for much wait
for themselves, and somebody who asks for one thing is soon served.
"""

import asyncio
import hmac
import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Literal

from service.errors import TooManyRequestsError
from service.runtime.caller_addresses import counted_as

CALLERS_KEPT = 2_000
"""Of how many callers it is known how long they held places."""
HALF_LIFE_SECONDS = 30.0
"""After so long, half of what a caller had is forgotten."""
LITTLE_SECONDS = 1.0
"""Who held places for no longer than this had little."""
RETRY_AFTER_SECONDS = 5


@dataclass(eq=False)
class Asked:
    """A request for a place, until it has left."""

    who: bytes
    number: int
    state: Literal["waiting", "holding", "gone"] = "waiting"
    since: float = 0.0
    granted: Future[None] = field(default_factory=Future)


class Turns:
    """Places for a few pieces of costly work at once.

    A keyed hash of their address tells callers apart; the key exists only as long as the process. An IPv6 network of
    64 bits is one caller.

    Args:
        at_once: how many places there are.
        of_one: how many of them one caller may have.
        kept: how many of them go only to callers who hold none and had little lately.
        waiting: how many may wait.
        waiting_of_one: how many of them may be of one caller.
        seconds: how long each waits.
    """

    def __init__(
        self,
        *,
        at_once: int,
        of_one: int,
        kept: int = 0,
        waiting: int = 600,
        waiting_of_one: int = 200,
        seconds: float = 0.5,
    ) -> None:
        self._at_once = at_once
        self._of_one = of_one
        self._kept = kept
        self._most_waiting = waiting
        self._most_of_one = waiting_of_one
        self._seconds = seconds
        self._key = secrets.token_bytes(32)
        self._waiting: list[Asked] = []
        self._held: Counter[bytes] = Counter()
        self._had: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # seconds, and when they were counted
        self._number = 0
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, address: str, seconds: float | None = None) -> Iterator[None]:
        """Hold a place; wait for it in this thread.

        Raises:
            TooManyRequestsError: none came free in time (code "service-busy").
        """
        asked = self._ask(address)
        try:
            try:
                asked.granted.result(self._seconds if seconds is None else seconds)
            except (TimeoutError, CancelledError) as error:
                raise busy() from error
            yield
        finally:
            self._leave(asked)

    @asynccontextmanager
    async def awaited(self, address: str, seconds: float | None = None) -> AsyncIterator[None]:
        """Hold a place; wait for it without a thread.

        Raises:
            TooManyRequestsError: as `turn`.
        """
        asked = self._ask(address)
        try:
            try:
                async with asyncio.timeout(self._seconds if seconds is None else seconds):
                    await asyncio.wrap_future(asked.granted)
            except TimeoutError as error:
                raise busy() from error
            yield
        finally:
            self._leave(asked)

    def _ask(self, address: str) -> Asked:
        who = self._who(address)
        with self._lock:
            waits = sum(one.who == who for one in self._waiting)
            if len(self._waiting) >= self._most_waiting or waits >= self._most_of_one:
                raise busy()
            self._number += 1
            asked = Asked(who, self._number)
            self._waiting.append(asked)
            self._hand_on()
        return asked

    def _leave(self, asked: Asked) -> None:
        with self._lock:
            if asked.state == "waiting":
                self._waiting.remove(asked)
            elif asked.state == "holding":
                self._held[asked.who] -= 1
                if not self._held[asked.who]:
                    del self._held[asked.who]
                self._count(asked)
            asked.state = "gone"
            self._hand_on()

    def _hand_on(self) -> None:
        """Give the free places to those who wait."""
        while self._held.total() < self._at_once:
            now = time.monotonic()
            able = [one for one in self._waiting if self._may_have_one(one.who, now)]
            if not able:
                return
            chosen = min(able, key=lambda one: (self._held[one.who], self._lately(one.who, now), one.number))
            self._waiting.remove(chosen)
            if not chosen.granted.set_running_or_notify_cancel():
                chosen.state = "gone"  # it stopped waiting at this moment
                continue
            chosen.state, chosen.since = "holding", now
            self._held[chosen.who] += 1
            chosen.granted.set_result(None)

    def _may_have_one(self, who: bytes, now: float) -> bool:
        if self._held.total() < self._at_once - self._kept:
            return self._held[who] < self._of_one
        return not self._held[who] and self._lately(who, now) <= LITTLE_SECONDS

    def _lately(self, who: bytes, now: float) -> float:
        """Return for how many seconds a caller held places; the earlier ones count less."""
        seconds, at = self._had.get(who, (0.0, now))
        return float(seconds * 0.5 ** ((now - at) / HALF_LIFE_SECONDS))

    def _count(self, asked: Asked) -> None:
        now = time.monotonic()
        self._had[asked.who] = (self._lately(asked.who, now) + now - asked.since, now)
        self._had.move_to_end(asked.who)
        if len(self._had) > CALLERS_KEPT:
            self._had.popitem(last=False)

    def _who(self, address: str) -> bytes:
        (name, _), *_ = counted_as(address)
        return hmac.digest(self._key, name.encode(), "sha256")


def busy() -> TooManyRequestsError:
    """Return the refusal of work for which there is no place now."""
    message = f"Too much of this kind is being done here at this moment; try again in {RETRY_AFTER_SECONDS} s."
    return TooManyRequestsError("service-busy", message, details={"retry_after_seconds": RETRY_AFTER_SECONDS})
