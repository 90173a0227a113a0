"""Look host names up: a few at once, each under the deadline of the one that asks.

The system's resolver takes no deadline. It asks servers that somebody else may run, for a name that a stranger may have
chosen, and it can take longer than everything else together. So each look-up has a thread of its own, which is left
alone once the time is over. These threads are limited, and none of them keeps the process from ending.
"""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from ipaddress import ip_address

AT_ONCE = 40
"""More than this process ever connects to at once: only look-ups that hang can use up the places."""

Resolve = Callable[[str, int], Sequence[str]]


class LookUpsFullError(OSError):
    """Too many look-ups hang; the name was not asked for."""


def system_resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host name as the system knows them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class NameLookUps:
    """All look-ups of one process.

    Args:
        resolve: host and port -> addresses; replaced in tests.
    """

    def __init__(self, resolve: Resolve = system_resolve) -> None:
        self._resolve = resolve
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def addresses(self, host: str, port: int, deadline: float) -> Sequence[str]:
        """Return the addresses of a host.

        Args:
            deadline: the steady time until which the caller waits.
        Raises:
            LookUpsFullError: too many look-ups hang.
            TimeoutError: no answer until the deadline.
            OSError, UnicodeError: the name is not known, or is none.
        """
        if _is_address(host):
            return self._resolve(host, port)
        if not self._places.acquire(blocking=False):
            raise LookUpsFullError("Too many host names are being looked up now; try again.")
        answer: Future[Sequence[str]] = Future()
        try:
            threading.Thread(target=self._ask, args=(host, port, answer), name="laurel-name", daemon=True).start()
        except RuntimeError as error:  # the machine gives no further thread
            self._places.release()
            raise LookUpsFullError("No host name can be looked up now; try again.") from error
        return answer.result(max(0.0, deadline - time.monotonic()))

    def _ask(self, host: str, port: int, answer: Future[Sequence[str]]) -> None:
        try:
            found = self._resolve(host, port)
        except BaseException as error:  # noqa: BLE001  (raised again where the answer is awaited)
            self._places.release()
            answer.set_exception(error)
        else:
            self._places.release()
            answer.set_result(found)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
