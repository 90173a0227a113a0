"""The desk of a check: trust lists, limits, what opens files, how long it waits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Self

from service.checking.trust_lists import TrustLists
from service.runtime.cpu_time import CpuTime
from service.runtime.fair_use import FairUse, Places
from service.runtime.minute_cache import Recent
from service.runtime.runtime import Runtime
from service.unpacking.apart import Workers
from service.unpacking.unpack import Allowance


@dataclass(frozen=True)
class Patience:
    """How long a batch may wait for other servers, and how many threads it has.

    Args:
        threads: checks at once. Two batches leave the fetcher free for single checks (`fetching.AT_ONCE`).
        item_seconds: how long to wait for one check.
        batch_seconds: how long to wait for the whole batch.
        timeouts: how often a host may keep the batch waiting before it is not asked again.
        ahead: how many answers may wait for the reader.
    """

    threads: int = 6
    item_seconds: float = 20.0
    batch_seconds: float = 300.0
    timeouts: int = 2
    ahead: int = 100


@dataclass(frozen=True)
class Desk:
    """What a stranger's check needs. Opened once (`open`), handed to routes by `app`.

    Args:
        runtime: the service that checks.
        trust_lists: the issuers for whom somebody here vouches.
        fair_use: how many single checks one address may ask for.
        batch_fair_use: how many badges one address may have checked in batches.
        vc_api_fair_use: how often one address may call the VC API; test suites send hundreds of requests at once.
        batch_places: places for the batches that run at once.
        workers: the processes in which strangers' files are opened; none runs before the first file.
        patience: how long a batch waits for other servers.
        recent: the checks of the last minute, for a page that many people open at once.
        time: gives the processor time of one request, from the moment on when it is asked.
        steady: counts seconds and never jumps, whereas `runtime.now` is the time of day.
    """

    runtime: Runtime
    trust_lists: TrustLists
    fair_use: FairUse = field(default_factory=FairUse)
    batch_fair_use: FairUse = field(default_factory=lambda: FairUse(per_minute=100, burst=1000))
    vc_api_fair_use: FairUse = field(default_factory=lambda: FairUse(per_minute=600, burst=3000))
    batch_places: Places = field(default_factory=Places)
    workers: Workers = field(default_factory=Workers)
    patience: Patience = field(default_factory=Patience)
    recent: Recent = field(default_factory=Recent)
    time: Callable[[], CpuTime] = CpuTime
    steady: Callable[[], float] = monotonic

    @classmethod
    def open(cls, runtime: Runtime, steady: Callable[[], float] = monotonic, workers: Workers | None = None) -> Self:
        """Return the desk of a service; its `workers` must be closed at the end.

        Raises:
            SettingsError: the operator's trust lists cannot be used.
        """
        lists = TrustLists(runtime.settings.trust_lists_folder)
        return cls(runtime, lists, steady=steady, workers=workers or Workers())

    def allowance(self, address: str = "") -> Allowance:
        """Return what one request of the caller at an address may use, from now on, in this thread."""
        return Allowance(time=self.time(), apart=self.workers.of(address))

    def shared_limits(self) -> dict[str, FairUse]:
        """Return the limits that all processes keep together, by the names of their rows."""
        return {"checks": self.fair_use, "batches": self.batch_fair_use, "vc-api": self.vc_api_fair_use}
