"""What goes on beside the requests: awards left undecided, messages, status lists to sign anew, cases, webhooks.

Every piece of work is safe to do twice and beside other processes, and is found in the rows: whoever dies leaves
it to the next.
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
"""A mark on a member that is younger belongs to the request that made it."""


class Upkeep:
    """A thread that does work beside the requests, one piece after the other, from `start` to `stop`.

    Args:
        work: the pieces, each with the seconds between two times; left out: what every process does (`WORK`).
    """

    def __init__(self, running: Runtime, work: Mapping[Callable[[Runtime], int], float] | None = None) -> None:
        self._running = running
        self._work = WORK if work is None else work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="laurel-upkeep", daemon=True)

    def start(self) -> None:
        """Begin the work in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End it after the piece that is being done, and return then."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        due_at = dict.fromkeys(self._work, 0.0)
        while not self._stopping.is_set():
            for work, pause_seconds in self._work.items():
                if not self._stopping.is_set() and due_at[work] <= time.monotonic():
                    done = self._do(work)
                    due_at[work] = time.monotonic() + max(pause_seconds, 0 if done else AFTER_FAILURE_SECONDS)
            self._stopping.wait(PAUSE_SECONDS)

    def _do(self, work: Callable[[Runtime], int]) -> bool:
        try:
            work(self._running)
        except Exception:
            log.exception("upkeep: %s failed and is tried again", work.__name__)
            return False
        return True


def settle_left_over(running: Runtime) -> int:
    """Decide on members whose marks outlived the process that made them; return how many awards were made."""
    with running.database.read() as session:
        network_ids = settling.networks_unsettled(session)
    return sum(settling.settle_pending(running, network_id, LEFT_ALONE) for network_id in network_ids)


def publish_status_lists(running: Runtime) -> int:
    """Sign every status list anew, whatever its age; return how many."""
    return status_lists.publish_all(running) + status.publish_all(running)


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
"""The pieces of work, each with the seconds between two times: seldom enough that an idle service is idle."""
