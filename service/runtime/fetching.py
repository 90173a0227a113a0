"""The only HTTP client: calls addresses that strangers name, under limits.

Every address comes from a document or a request that somebody may have written to make us call it. So:

1. https only; http only to this machine itself, and only where this service runs on localhost.
2. The name is resolved once, every address found must be public, and the connection goes to
   the address that was checked, not to the name (a second look-up could answer differently).
3. Redirects are followed by hand, at most three, each through (1) and (2); a POST follows none.
4. Bytes are counted (no compression is asked for, none is accepted), and one deadline covers
   everything: name, handshake, slow headers, body.
"""

import logging
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore2

from credentials import Fetched, GoneError, UnavailableError
from service.runtime.addresses import is_loopback, is_public
from service.runtime.name_lookups import LookUpsFullError, NameLookUps, Resolve, system_resolve
from service.runtime.settings import LOCAL_HOSTS

MAX_BYTES = 4_194_304
MAX_ANSWER_BYTES = 4096
"""How much is read of the answer to a POST, and of what is said of a document that is gone."""
MAX_REDIRECTS = 3
DEADLINE_SECONDS = 10.0
CONNECT_SECONDS = 4.0
FRESH_SECONDS = 60.0
CACHED_DOCUMENTS = 256
CACHED_BYTES = 33_554_432
"""Of all cached documents: anybody can make us fetch large ones."""
AT_ONCE = 16
WAITING = 8
ACCEPT = (
    "application/vc+ld+json, application/ld+json, application/json, application/jwk-set+json, "
    "text/plain;q=0.9, image/png;q=0.8, image/svg+xml;q=0.8, */*;q=0.1"
)
HTTP_OK = 200
HTTP_GONE = 410
MOVED = frozenset({301, 302, 303, 307, 308})

# Which badges somebody looks at is private and never goes to a log, no matter which level the operator sets.
logging.getLogger("httpcore2").setLevel(logging.CRITICAL + 1)


class PrivateAddressError(UnavailableError):
    """The address is not on the public internet (code "address-refused")."""


class AnsweredError(UnavailableError):
    """A server answered without the document (code "fetch-status").

    `status` is its HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__("fetch-status", message)
        self.status = status


class TakenAwayError(AnsweredError, GoneError):
    """A server answered that the document is gone for good, with the beginning of what it says about that."""

    def __init__(self, message: str, body: bytes) -> None:
        super().__init__(message, HTTP_GONE)
        self.body = body


@dataclass(frozen=True)
class Answered:
    """The answer of a server to a POST.

    `retry_after` is its header of that name, "" without one; `beginning` is the body, cut where it is long.
    """

    status: int
    retry_after: str
    beginning: bytes


class Fetcher:
    """Fetches public documents and keeps each for a minute.

    It also sends what others asked to be sent.

    Args:
        allow_localhost: whether http to this machine is allowed, for development.
        allow_private: whether addresses that are not public may be called: only where the operator chose them.
        at_once: how many documents are fetched at the same time, and how many things sent.
        resolve: host and port -> addresses; replaced in tests.
        network: what opens connections; replaced in tests.
    """

    def __init__(
        self,
        *,
        allow_localhost: bool,
        allow_private: bool = False,
        at_once: int = AT_ONCE,
        resolve: Resolve = system_resolve,
        network: httpcore2.NetworkBackend | None = None,
    ) -> None:
        self._allow_localhost = allow_localhost
        self._allow_private = allow_private
        self.look_ups = NameLookUps(resolve)
        """The look-ups of host names of this process; mail shares them."""
        self._network = network or httpcore2.SyncBackend()
        self._slots = threading.BoundedSemaphore(at_once)
        self._slots_to_send = threading.BoundedSemaphore(at_once)  # a slow receiver does not keep others from fetching
        self._waiting = threading.BoundedSemaphore(min(WAITING, at_once))
        self._cache: OrderedDict[str, tuple[float, Fetched]] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.Lock()

    def fetch(self, url: str) -> Fetched:
        """Return the document at `url`.

        Raises:
            UnavailableError: codes "address-refused" (never asked), "fetch-timeout", "fetch-too-large",
                "fetch-status" (not 200), "fetch-failed", "fetch-busy" (too many host names are being looked up).
        """
        with self._lock:
            kept = self._cache.get(url)
            if kept is not None and time.monotonic() - kept[0] < FRESH_SECONDS:
                return kept[1]
        with _slot(self._slots, self._waiting) as deadline:
            found = self._follow(url, deadline)
        with self._lock:
            self._forget(url)
            self._cache[url] = (time.monotonic(), found)
            self._cached_bytes += len(found.body)
            while len(self._cache) > CACHED_DOCUMENTS or self._cached_bytes > CACHED_BYTES:
                self._forget(next(iter(self._cache)))
        return found

    def _forget(self, url: str) -> None:
        kept = self._cache.pop(url, None)
        self._cached_bytes -= len(kept[1].body) if kept is not None else 0

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, most_bytes: int = MAX_ANSWER_BYTES
    ) -> Answered:
        """Send `body` to `url` and return the answer with any status; follow no redirect.

        Args:
            most_bytes: how much is read of the answer.

        Raises:
            UnavailableError: codes "address-refused" (never called), "fetch-timeout", "fetch-failed", "fetch-busy".
        """
        with (
            _slot(self._slots_to_send, self._waiting) as deadline,
            self._asking("POST", url, deadline, headers, body) as response,
        ):
            retry_after = _headers(response).get("retry-after", "")
            return Answered(response.status, retry_after, _beginning(response, most_bytes))

    def check(self, url: str) -> None:
        """Let an address pass if something could be sent to it now.

        Raises:
            UnavailableError: codes "address-refused", "fetch-failed" (the host is unknown), "fetch-timeout",
                "fetch-busy".
        """
        guard = self._guard(url, time.monotonic() + DEADLINE_SECONDS)
        parts = urlsplit(url)
        port = parts.port or {"http": 80}.get(parts.scheme, 443)
        guard.addresses(parts.hostname or "", port)

    def _follow(self, url: str, deadline: float) -> Fetched:
        asked = url
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._once(url, deadline)
            if isinstance(answer, Fetched):
                return answer if url == asked else replace(answer, moved_to=url)
            url = urljoin(url, answer)  # (3)
        raise UnavailableError("fetch-failed", f"{_shown(url)} redirects more than {MAX_REDIRECTS} times.")

    def _once(self, url: str, deadline: float) -> Fetched | str:
        """Return the document, or the address that it has moved to."""
        with self._asking("GET", url, deadline, {"Accept": ACCEPT, "Accept-Encoding": "identity"}) as response:
            answered = _headers(response)
            if response.status in MOVED and "location" in answered:
                return answered["location"]
            if response.status != HTTP_OK:
                message = f"{_shown(url)} answered {response.status}, expected 200."
                if response.status == HTTP_GONE:
                    raise TakenAwayError(message, _beginning(response))
                raise AnsweredError(message, response.status)
            if answered.get("content-encoding", "identity") != "identity":
                raise UnavailableError("fetch-failed", f"{_shown(url)} answered compressed without being asked to.")
            body = bytearray()
            for chunk in response.iter_stream():
                body += chunk
                if len(body) > MAX_BYTES:  # (4)
                    raise UnavailableError("fetch-too-large", f"{_shown(url)} is larger than {MAX_BYTES} bytes.")
            return Fetched(bytes(body), answered.get("content-type", "").partition(";")[0].strip().lower())

    @contextmanager
    def _asking(
        self, method: str, url: str, deadline: float, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[httpcore2.Response]:
        """Yield the response to one request, before its body is read."""
        guard = self._guard(url, deadline)
        target = urlsplit(url)._replace(fragment="").geturl()
        sent = [*headers.items(), ("User-Agent", "Laurel")]
        try:
            with (
                httpcore2.ConnectionPool(_tls(), max_connections=1, network_backend=guard) as pool,
                pool.stream(method, target, headers=sent, content=body) as response,
            ):
                yield response
        except httpcore2.TimeoutException as error:
            raise _silent(url) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError, ValueError) as error:
            raise UnavailableError("fetch-failed", f"{_shown(url)} could not be fetched.") from error

    def _guard(self, url: str, deadline: float) -> "_Guard":
        local = self._checked(url)
        return _Guard(self._network, self.look_ups, deadline, url=url, local=local, private=self._allow_private)

    def _checked(self, url: str) -> bool:
        """Return whether the address is this machine.

        Refuse an address that is never asked (1).
        """
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            _ = parts.port
        except ValueError as error:
            raise UnavailableError("address-refused", "Expected an https address.") from error
        local = self._allow_localhost and host in LOCAL_HOSTS
        allowed = parts.scheme == "https" or (local and parts.scheme == "http")
        if not host or parts.username is not None or not allowed or not url.isascii() or not url.isprintable():
            raise UnavailableError("address-refused", f"Expected an https address, got {_shown(url)}.")
        return local


class _Guard(httpcore2.NetworkBackend):
    """Opens one connection to a checked address, under one deadline."""

    def __init__(
        self,
        network: httpcore2.NetworkBackend,
        look_ups: NameLookUps,
        deadline: float,
        *,
        url: str,
        local: bool,
        private: bool,
    ) -> None:
        self._network = network
        self._look_ups = look_ups
        self._deadline = deadline
        self._url = url
        self._local = local
        self._private = private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  (the deadline replaces all timeouts)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self.addresses(host, port)
        for address in addresses[:-1]:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return self._open(address, port, local_address, socket_options)
        return self._open(addresses[-1], port, local_address, socket_options)

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of the host; refuse if any of them may not be called (2)."""
        try:
            addresses = self._look_ups.addresses(host, port, self._deadline)
        except LookUpsFullError as error:
            raise UnavailableError("fetch-busy", str(error)) from error
        except TimeoutError as error:
            raise _silent(self._url) from error
        except (OSError, UnicodeError) as error:
            raise UnavailableError("fetch-failed", f"The host name of {_shown(self._url)} is not known.") from error
        allowed = [is_public(address) or (self._local and is_loopback(address)) for address in addresses]
        if not addresses or not (self._private or all(allowed)):
            raise PrivateAddressError("address-refused", f"{_shown(self._url)} is not at a public address.")
        return addresses

    def _open(self, address: str, port: int, *options: Any) -> httpcore2.NetworkStream:
        stream = self._network.connect_tcp(address, port, min(CONNECT_SECONDS, _left(self._deadline)), *options)
        return _Deadlined(stream, self._deadline)


class _Deadlined(httpcore2.NetworkStream):
    """A stream whose every step may take only the time left until the deadline (4)."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        return _Deadlined(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@cache
def _tls() -> ssl.SSLContext:
    """Return the authorities that the system trusts, read once: every connection asks for the same."""
    return ssl.create_default_context()


@contextmanager
def _slot(slots: threading.BoundedSemaphore, waiting: threading.BoundedSemaphore) -> Iterator[float]:
    """Yield the deadline of one request, once it is among the few that run at once.

    Only a few may wait.

    A request that waits holds a thread of the service: without a bound, slow servers could hold all threads.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    if not slots.acquire(blocking=False) and not _waited(slots, waiting):
        raise UnavailableError("fetch-timeout", "Too many other addresses are being asked now; try again.")
    try:
        yield deadline
    finally:
        slots.release()


def _waited(slots: threading.BoundedSemaphore, waiting: threading.BoundedSemaphore) -> bool:
    if not waiting.acquire(blocking=False):
        return False
    try:
        return slots.acquire(timeout=DEADLINE_SECONDS / 2)
    finally:
        waiting.release()


def _beginning(response: httpcore2.Response, most_bytes: int = MAX_ANSWER_BYTES) -> bytes:
    """Return the first bytes of an answer.

    Its status decides: a server that breaks off after it has still answered.
    """
    beginning = b""
    with suppress(httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError):
        for chunk in response.iter_stream():
            beginning += chunk
            if len(beginning) >= most_bytes:  # (4)
                break
    return beginning[:most_bytes]


def _headers(response: httpcore2.Response) -> dict[str, str]:
    return {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in response.headers}


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore2.ReadTimeout
    return seconds


def _silent(url: str) -> UnavailableError:
    message = f"{_shown(url)} did not answer within {DEADLINE_SECONDS:.0f} s."
    return UnavailableError("fetch-timeout", message)


def _shown(url: str) -> str:
    """Return the address without query and user, short enough for a message."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"[:200]
