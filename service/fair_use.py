"""Fair limits for callers without a token, counted in memory and forgotten within minutes."""

import hmac
import math
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

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
