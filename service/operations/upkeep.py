"""The work beside requests: awards, mails, status lists, deadlines, deletion.

Every piece of work may be done twice and beside other processes, and is found in the rows: if a process dies, the next
one does its work.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from service.appeals import deadlines
from service.awards import settling
from service.checking import confirmations
from service.issuing import status_lists
from service.notifications import deliveries, mail
from service.progress import tenure_days
from service.runtime.runtime import Runtime
from service.vc_api import status

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
AFTER_FAILURE_SECONDS = 30.0
LEFT_ALONE = timedelta(seconds=30)
"""A mark on a member that is younger than this belongs to the request that made it."""


class Upkeep:
    """A thread that works beside the requests, from `start` to `stop`.

    It does one piece of work after the other.

    Args:
        work: the pieces, each with the seconds from one time to the next; left out: `WORK`, which every process does.
    """

    def __init__(self, runtime: Runtime, work: Mapping[Callable[[Runtime], int], float] | None = None) -> None:
        self._runtime = runtime
        self._work = WORK if work is None else work
        self._stopping = threading.Event()
        self.rested = threading.Event()
        """Set from the first moment on at which nothing is due."""
        self._thread = threading.Thread(target=self._run, name="laurel-upkeep", daemon=True)

    def start(self) -> None:
        """Begin the work in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End the work after the piece that is being done, and return then."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        due_at = dict.fromkeys(self._work, 0.0)
        while not self._stopping.is_set():
            for work, pause_seconds in self._work.items():
                if not self._stopping.is_set() and due_at[work] <= time.monotonic():
                    done = self._do(work)
                    due_at[work] = time.monotonic() + max(pause_seconds, 0 if done else AFTER_FAILURE_SECONDS)
            self.rested.set()
            self._stopping.wait(PAUSE_SECONDS)

    def _do(self, work: Callable[[Runtime], int]) -> bool:
        try:
            work(self._runtime)
        except Exception:
            log.exception("upkeep: %s failed and is tried again", work.__name__)
            return False
        return True


def settle_left_over(runtime: Runtime) -> int:
    """Decide on members who are still marked; return how many awards were made.

    The process that made the marks has died, or failed to decide.
    """
    with runtime.database.read() as session:
        network_ids = settling.networks_unsettled(session)
    return sum(settling.settle_pending(runtime, network_id, LEFT_ALONE) for network_id in network_ids)


def publish_status_lists(runtime: Runtime) -> int:
    """Sign every status list again, whatever its age; return how many."""
    return status_lists.publish_all(runtime) + status.publish_all(runtime)


WORK: dict[Callable[[Runtime], int], float] = {
    mail.send_due: 1,
    settle_left_over: 10,
    tenure_days.mark_tenures: 600,
    status_lists.resign_due: 600,
    status.resign_due: 600,
    settling.expire_due: 600,
    settling.sign_due: 60,
    deadlines.pass_deadlines: 600,
    deliveries.forget_old: 600,
    confirmations.forget_old: 600,
}
"""The pieces of work, each with the seconds from one time to the next: enough that an idle service stays idle."""
