"""The clock of this service, which never runs back.

No issue time is earlier than one before it, also where the clock of the machine was put back.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

STANDS_STILL = timedelta(days=1)
"""How long the time stands still after a clock was put back, at most.

Of a longer way back nobody knows whether the clock is wrong now or was far ahead before. Then only the latest time of
the database counts, which follows a wrong clock slowly (`service.storage.latest_time`).
"""
TOLD_FROM = timedelta(seconds=10)

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return the present instant of this machine, aware, in UTC."""
    return datetime.now(UTC)


class HeldClock:
    """The machine's time, or the latest time seen while the machine's clock is behind that.

    Args:
        source: gives the machine's time; replaced in tests.
    """

    def __init__(self, source: Callable[[], datetime] = utc_now) -> None:
        self._source = source
        self._given = self._held = datetime.min.replace(tzinfo=UTC)
        self._told = False
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """Return the present instant."""
        read = self._source()
        with self._lock:
            jumped = self._given - read > STANDS_STILL
            self._given = max(read, self._held) if jumped else max(read, self._held, self._given)
            behind = self._given - read
            if behind > TOLD_FROM and not self._told:
                log.warning(
                    "the clock of this machine is %s behind the latest time seen, which counts until then", behind
                )
            self._told = behind > TOLD_FROM
            return self._given

    def hold(self, latest: datetime | None) -> None:
        """Give no instant before `latest` from now on."""
        with self._lock:
            self._held = max(self._held, latest or self._held)
