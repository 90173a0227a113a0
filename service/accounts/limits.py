"""Fair limits for one caller: how often it may ask for mails and try secrets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from service.runtime.fair_use import FairUse


@dataclass(frozen=True)
class Doors:
    """The limits on those who are not signed in, or not yet.

    Args:
        mails: how many mails one address may have sent: a hall full of people is behind one connection.
        tries: how many links, codes and claims one address may try.
        codes: how many codes on paper one account may try, from wherever.
        searches: how often one address may ask for the public list of networks.
        names: how many colleagues one account may name, who are found only by the whole ref or address.
        steady: counts seconds and never jumps.
    """

    mails: FairUse = field(default_factory=lambda: FairUse(per_minute=6, burst=60))
    tries: FairUse = field(default_factory=lambda: FairUse(per_minute=20, burst=60))
    codes: FairUse = field(default_factory=lambda: FairUse(per_minute=1 / 6, burst=10))
    searches: FairUse = field(default_factory=lambda: FairUse(per_minute=60, burst=120))
    names: FairUse = field(default_factory=lambda: FairUse(per_minute=1 / 6, burst=10))
    steady: Callable[[], float] = monotonic

    def shared_limits(self) -> dict[str, FairUse]:
        """Return the limits that all processes keep together, by the names of their rows."""
        return {
            "sign-in-mails": self.mails,
            "sign-in-tries": self.tries,
            "claim-codes": self.codes,
            "named-colleagues": self.names,
            "directory": self.searches,
        }
