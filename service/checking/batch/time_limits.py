"""How long a batch waits for other servers, and how long it works itself."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from urllib.parse import urlsplit

from credentials import Fetched, UnavailableError
from service.runtime.cpu_time import REQUEST_SECONDS, CpuTime
from service.runtime.fetching import Fetcher


class BatchTime:
    """The processor time of one batch, which the threads that check its items share.

    It is that of one request. What an ordinary badge takes does not count, so that 500 of them are checked; of what
    is made to be slow, little more is checked than in one request.
    """

    ORDINARY = 0.015
    MOST_OF_AN_ITEM = 1.0

    def __init__(self) -> None:
        self._left = REQUEST_SECONDS
        self._lock = threading.Lock()

    def left(self) -> float:
        """Return how many seconds are left, without what the checks that go on have used."""
        return self._left

    def of_item(self) -> "ItemTime":
        """Return the time of one check, from now on, in this thread."""
        return ItemTime(self)

    def used(self, seconds: float) -> None:
        """Count what a check used."""
        with self._lock:
            self._left -= max(0.0, seconds - self.ORDINARY)


class ItemTime(CpuTime):
    """The processor time of one check of a batch: it ends with the batch's."""

    def __init__(self, batch: BatchTime, clock: Callable[[], float] = time.thread_time) -> None:
        super().__init__(batch.MOST_OF_AN_ITEM, clock)
        self._batch = batch

    @property
    def used(self) -> float:
        """How many seconds were used."""
        return self._batch.MOST_OF_AN_ITEM - super().left()

    def left(self) -> float:
        """Return how many seconds are left."""
        return min(super().left(), self._batch.left() - self.used)


class SharedFetcher:
    """The fetcher that all threads of one batch share.

    A document that several threads want at the same moment is fetched once. A host that did not answer in time
    `timeouts` times is not asked again.
    """

    def __init__(self, fetcher: Fetcher, timeouts: int) -> None:
        self._fetcher = fetcher
        self._timeouts = timeouts
        self._slow: Counter[str] = Counter()
        self._going: dict[str, Future[Fetched]] = {}
        self._lock = threading.Lock()

    def fetch(self, url: str) -> Fetched:
        """Return the document at `url`.

        Raises:
            UnavailableError: as `Fetcher.fetch`; "host-silent": not asked, because it did not answer this batch before.
        """
        host = _host(url)
        with self._lock:
            if self._slow[host] >= self._timeouts:
                message = f"{host} did not answer in time {self._timeouts} times in this batch and was not asked again."
                raise UnavailableError("host-silent", message)
            going = self._going.get(url)
            mine = going is None
            if going is None:
                going = self._going[url] = Future()
        if mine:
            self._ask(url, host, going)
        return going.result()

    def _ask(self, url: str, host: str, going: Future[Fetched]) -> None:
        """Fetch, and give the document or the error to every thread that waits for it."""
        found: Fetched | None = None
        failed: BaseException | None = None
        try:
            found = self._fetcher.fetch(url)
        except BaseException as error:  # noqa: BLE001  (raised again in every thread that waits for it)
            failed = error
        with self._lock:
            del self._going[url]
            if isinstance(failed, UnavailableError) and failed.code == "fetch-timeout":
                self._slow[host] += 1
        if found is None:
            going.set_exception(failed)
        else:
            going.set_result(found)


class ItemFetcher(Fetcher):
    """The fetcher of one check: fetches nothing after its time, and notes whether a host was silent.

    Args:
        over: set when nobody waits for the batch any more.
        until: the steady time until which the batch waits for the check.
    """

    SILENT = frozenset({"fetch-timeout", "fetch-failed", "fetch-busy", "host-silent"})
    """Codes of errors that may be gone when it is tried again."""

    def __init__(self, shared: SharedFetcher, over: threading.Event, until: float) -> None:
        self._shared = shared
        self._over = over
        self._until = until
        self.silent = False

    def fetch(self, url: str) -> Fetched:
        """Return the document at `url`.

        Raises:
            UnavailableError: as `SharedFetcher.fetch`; "check-over": nobody waits for this check any more.
        """
        if self._over.is_set() or time.monotonic() >= self._until:
            self.silent = True
            raise UnavailableError("check-over", "The time for this check is over.")
        try:
            return self._shared.fetch(url)
        except UnavailableError as error:
            self.silent = self.silent or error.code in self.SILENT
            raise


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""  # an address that the fetcher refuses
