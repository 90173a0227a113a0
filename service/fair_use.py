"""Fair limits for callers without a token, counted in memory and forgotten within minutes."""

import hmac
import math
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from service.errors import TooManyRequestsError

CALLERS_KEPT = 10_000


@dataclass
class FairUse:
    """A token bucket for each caller: `burst` at once, then `per_minute`.

    Callers are told apart by a keyed hash of their address; the key lives and dies with the process,
    so that nothing here says who asked.
    """

    per_minute: float = 60
    burst: float = 60
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _left: OrderedDict[bytes, tuple[float, float]] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, address: str, at: float, cost: float = 1) -> None:
        """Let the caller pass, or refuse.

        Args:
            address: where the request comes from.
            at: a steady time in seconds.
            cost: how much of the allowance the request takes.
        Raises:
            TooManyRequestsError: with `retry_after_seconds` in its details (code "too-many-requests").
        """
        who = hmac.digest(self._key, address.encode(), "sha256")
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


class Holder(Protocol):
    """What holds a place while it works."""

    def close(self) -> None:
        """End the work and give the place back."""


@dataclass
class Places:
    """Room for a few long pieces of work at once; who no longer takes what is answered can be sent away for others.

    Args:
        at_once: how many there are.
        idle_seconds: so long a holder may show no sign of life before somebody else may have its place.
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
        """Note that somebody still takes what the holder gives."""
        with self._lock:
            if holder in self._seen:
                self._seen[holder] = at

    def leave(self, holder: Holder) -> None:
        """Take the place back; nothing where it has none."""
        with self._lock:
            self._seen.pop(holder, None)
