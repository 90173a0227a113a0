"""Fair limits for callers without a token, kept in memory for minutes.

What is used here can be told to other processes, and what is used there be learned (`shared_limits`); no request waits
for that.
"""

import hmac
import math
import secrets
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from service.errors import TooManyRequestsError
from service.runtime.caller_addresses import counted_as

CALLERS_KEPT = 10_000
DEBT = 10
"""How many bursts a caller can owe."""
UNTOLD = 1 / 12
"""The part of a burst that stays untold: people who check a few badges leave no row anywhere."""
UNTOLD_SECONDS = 60
"""After so long without a request, what a caller used before, and others were not told yet, is forgotten."""
KEY_BYTES = 32


@dataclass(slots=True)
class _Account:
    """What a caller has left, since when, and for how many seconds' allowance of it the others were not told."""

    left: float
    since: float
    untold_seconds: float = 0


@dataclass
class FairUse:
    """A token bucket for each caller: `burst` at once, then `per_minute`.

    Of slow work, a caller may have `at_once` things in progress.

    A keyed hash of their address tells callers apart, so that nothing here says who asked. An IPv6 address counts for
    its /64 and for its /48, which has a larger allowance (`caller_addresses`).

    Args:
        key: gives the key of the hashes; left out: one that exists only as long as the process.
    """

    per_minute: float = 60
    burst: float = 60
    at_once: int = 6
    key: Callable[[], bytes] = field(
        default_factory=lambda: partial(bytes, secrets.token_bytes(KEY_BYTES)), repr=False, compare=False
    )
    _accounts: OrderedDict[bytes, _Account] = field(default_factory=OrderedDict, repr=False)
    _going_on: Counter[bytes] = field(default_factory=Counter, repr=False)
    _news: dict[bytes, float] = field(default_factory=dict, repr=False)
    _learned: tuple[Mapping[bytes, float], float] = field(default=({}, 0), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def seconds_to_fill(self) -> float:
        """How long it takes until an allowance that was used up is whole again."""
        return self.burst * 60 / self.per_minute

    @contextmanager
    def turn(self, address: str, steady: Callable[[], float], cost: float = 1) -> Iterator[None]:
        """Let the caller do one thing that may take long, or refuse.

        A caller who makes us wait for a slow server, or search large pictures, holds a thread that others want. So each
        second after the first costs one more, and a caller who owes must wait until it is paid.

        Args:
            steady: gives a steady time in seconds.
        Raises:
            TooManyRequestsError: as `take`; or the caller already has `at_once` things in progress.
        """
        callers, began = self._callers(address), steady()
        with self._lock:
            if any(self._going_on[who] >= self.at_once * shares for who, shares in callers):
                message = f"Expected at most {self.at_once} checks at once; try again in 2 s."
                raise TooManyRequestsError("too-many-requests", message, details={"retry_after_seconds": 2})
            self._going_on.update(who for who, _ in callers)
        try:
            self._take(callers, began, cost)
            yield
        finally:
            extra = max(0.0, steady() - began - 1)
            with self._lock:
                for who, shares in callers:
                    self._going_on[who] -= 1
                    if not self._going_on[who]:
                        del self._going_on[who]
                    if extra and who in self._accounts:
                        self._spend(who, shares, extra)

    def take(self, address: str, at: float, cost: float = 1) -> None:
        """Let the caller pass, or refuse.

        Args:
            address: the caller's address.
            at: a steady time in seconds.
            cost: how much of the allowance the request takes.
        Raises:
            TooManyRequestsError: with `retry_after_seconds` in its details (code "too-many-requests").
        """
        self._take(self._callers(address), at, cost)

    def news(self) -> dict[bytes, float]:
        """Return what callers have used since the last time, in seconds of their allowance.

        Those who used little are left out until it adds up.
        """
        with self._lock:
            news, self._news = self._news, {}
        return news

    def learn(self, seconds_owed: Mapping[bytes, float], at: float) -> None:
        """Hold callers to what all processes together know of them.

        Args:
            seconds_owed: in how many seconds the allowance of a caller is whole again.
            at: a steady time in seconds.
        """
        with self._lock:
            self._learned = (seconds_owed, at)

    def _take(self, callers: list[tuple[bytes, int]], at: float, cost: float) -> None:
        with self._lock:
            wait = max(self._seconds_short(who, shares, at, cost) for who, shares in callers)
            if wait <= 0:
                for who, shares in callers:
                    self._spend(who, shares, cost)
            while len(self._accounts) > CALLERS_KEPT:
                self._accounts.popitem(last=False)
        if wait > 0:
            seconds = math.ceil(wait)
            message = f"Expected at most {self.per_minute:.0f} checks a minute; try again in {seconds} s."
            raise TooManyRequestsError("too-many-requests", message, details={"retry_after_seconds": seconds})

    def _seconds_short(self, who: bytes, shares: int, at: float, cost: float) -> float:
        """Bring a caller's account to this moment; return in how many seconds it has enough, 0 or less for now."""
        burst, rate = self.burst * shares, self.per_minute * shares / 60
        account = self._accounts.pop(who, None) or _Account(burst, at)
        elsewhere, learned_at = self._learned
        owed = max(0.0, elsewhere.get(who, 0) - (at - learned_at)) * rate
        account.left = min(burst, account.left + (at - account.since) * rate, burst - owed)
        if at - account.since > UNTOLD_SECONDS:
            account.untold_seconds = 0
        account.since = at
        self._accounts[who] = account
        return (cost - account.left) / rate

    def _spend(self, who: bytes, shares: int, amount: float) -> None:
        account = self._accounts[who]
        account.left = max(-DEBT * self.burst * shares, account.left - amount)
        account.untold_seconds += amount * 60 / (self.per_minute * shares)
        if account.untold_seconds >= UNTOLD * self.seconds_to_fill and len(self._news) < CALLERS_KEPT:
            self._news[who] = self._news.get(who, 0) + account.untold_seconds
            account.untold_seconds = 0

    def _callers(self, address: str) -> list[tuple[bytes, int]]:
        """Return the keyed hashes under which an address counts, each with how many allowances it has."""
        key = self.key()
        return [(hmac.digest(key, name.encode(), "sha256"), shares) for name, shares in counted_as(address)]


class Holder(Protocol):
    """Something that holds a place while it works."""

    def close(self) -> None:
        """End the work and give the place back."""


@dataclass
class Places:
    """Places for a few long pieces of work at once.

    A holder whose reader stopped can lose its place.

    Args:
        at_once: how many places there are.
        idle_seconds: how long a holder may be silent before another may take its place.
    """

    at_once: int = 2
    idle_seconds: float = 60
    retry_after_seconds: int = 15
    _seen: dict[Holder, float] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, holder: Holder, at: float) -> None:
        """Give the holder a place until it leaves, or refuse.

        Raises:
            TooManyRequestsError: with `retry_after_seconds` in its details (code "too-many-batches").
        """
        sent_away = None
        with self._lock:
            if len(self._seen) >= self.at_once:
                idlest = min(self._seen, key=self._seen.__getitem__)
                if at - self._seen[idlest] < self.idle_seconds:
                    message = f"Others are having many badges checked now; try again in {self.retry_after_seconds} s."
                    details = {"retry_after_seconds": self.retry_after_seconds}
                    raise TooManyRequestsError("too-many-batches", message, details=details)
                del self._seen[idlest]
                sent_away = idlest
            self._seen[holder] = at
        if sent_away is not None:
            sent_away.close()

    def seen(self, holder: Holder, at: float) -> None:
        """Note that somebody still reads what the holder gives."""
        with self._lock:
            if holder in self._seen:
                self._seen[holder] = at

    def leave(self, holder: Holder) -> None:
        """Free the holder's place, if it has one."""
        with self._lock:
            self._seen.pop(holder, None)
