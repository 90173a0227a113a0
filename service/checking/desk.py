"""What a stranger's check needs beside the runtime: trust lists, fair limits, and how long a batch waits."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from service.checking.trust_lists import TrustLists
from service.runtime.fair_use import FairUse, Places
from service.runtime.minute_cache import Recent
from service.runtime.runtime import Runtime


@dataclass(frozen=True)
class Patience:
    """What a batch may take.

    Args:
        threads: checks at once. Two batches leave the fetcher free for single checks (`fetching.AT_ONCE`).
        item_seconds: so long one check is waited for.
        batch_seconds: so long the whole batch is waited for.
        timeouts: so often a host may keep the batch waiting before it is not asked again.
        ahead: so many answers may wait for whoever reads them.
    """

    threads: int = 6
    item_seconds: float = 20.0
    batch_seconds: float = 300.0
    timeouts: int = 2
    ahead: int = 100


@dataclass(frozen=True)
class Desk:
    """Where strangers have badges checked. Opened once (`open`), handed to routes by `app`.

    Args:
        runtime: the service that checks.
        trust_lists: the issuers that somebody here vouches for.
        fair_use: how much one address may ask, in single checks.
        batch_fair_use: the same for badges checked in batches; each of them counts.
        vc_api_fair_use: the same for the VC API, to which machines such as a conformance suite send hundreds of requests.
        batch_places: the batches that run now.
        patience: how long a batch waits for other servers.
        recent: the checks of the last minute, for pages that many open at once.
        steady: counts seconds and never jumps, whereas `runtime.now` is the calendar's time.
    """

    runtime: Runtime
    trust_lists: TrustLists
    fair_use: FairUse = field(default_factory=FairUse)
    batch_fair_use: FairUse = field(default_factory=lambda: FairUse(per_minute=100, burst=1000))
    vc_api_fair_use: FairUse = field(default_factory=lambda: FairUse(per_minute=600, burst=3000))
    batch_places: Places = field(default_factory=Places)
    patience: Patience = field(default_factory=Patience)
    recent: Recent = field(default_factory=Recent)
    steady: Callable[[], float] = time.monotonic

    @classmethod
    def open(cls, runtime: Runtime, steady: Callable[[], float] = time.monotonic) -> Self:
        """Return the desk of a service.

        Raises:
            SettingsError: the operator's trust lists cannot be used.
        """
        return cls(runtime, TrustLists(runtime.settings.trust_lists_folder), steady=steady)
