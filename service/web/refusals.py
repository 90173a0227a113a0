"""Fair limits on tokens that are refused."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from service.access.callers import digest_of
from service.errors import TooManyRequestsError
from service.runtime.fair_use import FairUse

REMEMBERED = 10_000
"""How many good tokens, and how many refused ones, are remembered by their digests."""


@dataclass
class Refusals:
    """The limits that decide whether a token is looked up, or its sender told to wait.

    Each look-up costs its address a little, until the token turns out to be good; that token is never slowed again. So
    a program with a wrong token is told to wait, while others behind the same address go on working. Should its
    requests use up all that the address has, a token that was not seen before still gets a look-up, a few times a
    minute: the broken program shows the same token each time, and somebody who guesses shows a new one.

    Args:
        attempts: look-ups of one address.
        newcomers: further ones, of tokens that were not refused lately.
        steady: counts seconds and never jumps.
    """

    attempts: FairUse = field(default_factory=lambda: FairUse(per_minute=60, burst=60))
    newcomers: FairUse = field(default_factory=lambda: FairUse(per_minute=10, burst=10))
    steady: Callable[[], float] = time.monotonic
    _good: OrderedDict[str, None] = field(default_factory=OrderedDict, repr=False)
    _refused: OrderedDict[str, None] = field(default_factory=OrderedDict, repr=False)

    def let_pass(self, address: str, secret: str | None) -> None:
        """Let a token be looked up, or refuse.

        Args:
            address: the caller's address.
            secret: the token; None where there was none.
        Raises:
            TooManyRequestsError: too many of this address were refused lately (code "too-many-refused-tokens").
        """
        shown = digest_of(secret) if secret is not None else None
        if shown in self._good:
            return
        at = self.steady()
        try:
            self.attempts.take(address, at)
        except TooManyRequestsError as error:
            try:
                if shown is None or shown in self._refused:
                    raise
                self.newcomers.take(address, at)
            except TooManyRequestsError:
                details = error.details
                message = f"Expected a good token; too many were refused here; try again in {details['retry_after_seconds']} s."
                raise TooManyRequestsError("too-many-refused-tokens", message, details=details) from error

    def shared_limits(self) -> dict[str, FairUse]:
        """Return the limits that all processes keep together, by the names of their rows."""
        return {"refused-tokens": self.attempts, "unseen-tokens": self.newcomers}

    def good(self, secret: str) -> None:
        """Note that a token is good."""
        self._note(self._good, digest_of(secret))

    def refused(self, secret: str) -> None:
        """Note that a token was refused."""
        shown = digest_of(secret)
        self._good.pop(shown, None)
        self._note(self._refused, shown)

    @staticmethod
    def _note(seen: OrderedDict[str, None], shown: str) -> None:
        seen[shown] = None
        seen.move_to_end(shown)
        while len(seen) > REMEMBERED:
            seen.popitem(last=False)
