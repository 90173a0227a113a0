"""Fetchers that limit how long a batch waits for other servers."""

import threading
import time
from collections import Counter
from concurrent.futures import Future
from urllib.parse import urlsplit

from credentials import Fetched, UnavailableError
from service.runtime.fetching import Fetcher


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

    SILENT = frozenset({"fetch-timeout", "fetch-failed", "host-silent"})
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
