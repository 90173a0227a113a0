"""Fair limits for callers without a token, kept in memory for minutes."""

import hmac
import math
import secrets
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Protocol

from service.errors import TooManyRequestsError

CALLERS_KEPT = 10_000
DEBT = 10
"""How many bursts a caller can owe."""


@dataclass
class FairUse:
    """A token bucket for each caller: `burst` at once, then `per_minute`.

    Of slow work, a caller may have `at_once` things in progress.

    A keyed hash of their address tells callers apart; the key exists only as long as the process, so that nothing here
    says who asked. An IPv6 network of 64 bits is one caller, since someone who has one address in it has them all.
    """

    per_minute: float = 60
    burst: float = 60
    at_once: int = 6
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _left: OrderedDict[bytes, tuple[float, float]] = field(default_factory=OrderedDict, repr=False)
    _going_on: Counter[bytes] = field(default_factory=Counter, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

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
        who, began = self._who(address), steady()
        with self._lock:
            if self._going_on[who] >= self.at_once:
                message = f"Expected at most {self.at_once} checks at once; try again in 2 s."
                raise TooManyRequestsError("too-many-requests", message, details={"retry_after_seconds": 2})
            self._going_on[who] += 1
        try:
            self.take(address, began, cost)
            yield
        finally:
            ended = steady()
            with self._lock:
                self._going_on[who] -= 1
                if not self._going_on[who]:
                    del self._going_on[who]
                if who in self._left:
                    left, since = self._left[who]
                    lowest = -DEBT * self.burst
                    self._left[who] = (max(lowest, left - max(0.0, ended - began - 1)), since)

    def take(self, address: str, at: float, cost: float = 1) -> None:
        """Let the caller pass, or refuse.

        Args:
            address: the caller's address.
            at: a steady time in seconds.
            cost: how much of the allowance the request takes.
        Raises:
            TooManyRequestsError: with `retry_after_seconds` in its details (code "too-many-requests").
        """
        who = self._who(address)
        with self._lock:
            left, since = self._left.pop(who, (self.burst, at))
            left = min(self.burst, left + (at - since) * self.per_minute / 60)
            enough = left >= cost
            self._left[who] = (left - cost if enough else left, at)
            while len(self._left) > CALLERS_KEPT:
                self._left.popitem(last=False)
        if not enough:
            wait = math.ceil((cost - left) * 60 / self.per_minute)
            message = f"Expected at most {self.per_minute:.0f} checks a minute; try again in {wait} s."
            raise TooManyRequestsError("too-many-requests", message, details={"retry_after_seconds": wait})

    def _who(self, address: str) -> bytes:
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            found = None
        if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
            address = str(IPv6Network((found, 64), strict=False))
        return hmac.digest(self._key, address.encode(), "sha256")


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
