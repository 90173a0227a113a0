"""The work beside requests: awards, mails, status lists, deadlines, deletion.

Every piece of work may be done twice and beside other processes, and is found in the rows: if a process dies, the next
one does its work.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from service.access import access_tokens
from service.accounts import challenges, sign_in, sign_ins
from service.appeals import deadlines
from service.awards import settling
from service.checking import confirmations
from service.console import compromised_keys
from service.console.own_data import erasing_everywhere
from service.errors import CustodyError, StorageError
from service.intake import attendance_codes, imports
from service.issuing import concealing, keeping_back, status_lists
from service.notifications import deliveries, expiring, mail, payloads
from service.participation.needs import cycles as needs_cycles
from service.participation.needs import links as needs_links
from service.progress import tenure_days
from service.runtime import shared_limits
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.sharing import claims, openings, returned, shown_links, signing_anew
from service.storage import latest_time
from service.vc_api import status

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
DAY_SECONDS = 86_400.0
AFTER_FAILURE_SECONDS = 10.0
"""Also for work that is done less often: health says that it failed until it was done."""
STOP_SECONDS = 4.0
"""How long a piece that is being done is waited for at the end."""
LEFT_ALONE = timedelta(seconds=30)
"""A mark on a member that is younger than this belongs to the request that made it."""

Work = Callable[[Runtime, GoOn], int]


@dataclass(frozen=True)
class Lane:
    """Work that waits for nothing but itself, each with the seconds from one time to the next.

    `threads`: how many do it at the same time.
    """

    work: Mapping[Work, float]
    threads: int = 1


def settle_left_over(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Decide on members who are still marked; return how many awards were made.

    The process that made the marks has died, or failed to decide, or could not use the keys.
    """
    with runtime.database.read() as session:
        network_ids = settling.networks_unsettled(session)
    count = waiting = 0
    for network_id in network_ids:
        try:
            count += settling.settle_pending(runtime, network_id, LEFT_ALONE, go_on)
        except CustodyError:
            waiting += 1
    if waiting:
        log.warning("awards of %d networks wait, because a signing key cannot be used", waiting)
    return count


def note_time(runtime: Runtime, _go_on: GoOn = to_the_end) -> int:
    """Note the latest time seen, and hold the clock to it; return 1 if it moved on."""
    moved = latest_time.note(runtime.database, runtime.now())
    with runtime.database.read() as session:
        runtime.hold_time(session)
    return int(moved)


def note_time_if_possible(runtime: Runtime) -> None:
    """Do `note_time` before the first request; a process also starts while the database is down."""
    with suppress(StorageError):
        note_time(runtime)


def publish_status_lists(runtime: Runtime) -> int:
    """Sign every status list again, whatever its age; return how many."""
    return status_lists.publish_all(runtime) + status.publish_all(runtime)


LANES: Mapping[str, Lane] = {
    "mail": Lane({mail.send_due: 1, mail.forget_unfinished: 600}),
    # Fewer slow addresses than there are threads do not keep the others waiting.
    "webhooks": Lane({payloads.deliver_webhooks: 1}, threads=4),
    "awards": Lane(
        {
            settle_left_over: 10,
            imports.conclude_all: 10,
            settling.sign_due: 60,
            signing_anew.sign_due: 1,
            keeping_back.set_right: 60,
            concealing.conceal_due: 60,
            settling.expire_due: 600,
            tenure_days.mark_tenures: 600,
        }
    ),
    "compromised keys": Lane({compromised_keys.set_right_left_over: 60}),
    "status lists": Lane({status_lists.resign_due: 600, status.resign_due: 600}),
    "deadlines": Lane(
        {
            deadlines.pass_deadlines: 600,
            expiring.tell_of_ends: DAY_SECONDS,
            returned.end_due: 600,
            needs_cycles.tell_opened: 60,
        }
    ),
    "deletion": Lane(
        {
            deliveries.forget_old: 600,
            confirmations.forget_old: 600,
            shared_limits.forget_whole: 60,
            access_tokens.forget_expired: 600,
            sign_in.forget_old: 600,
            sign_ins.forget_old: 600,
            returned.forget_old: DAY_SECONDS,
            claims.forget_old: 600,
            challenges.forget_old: 600,
            shown_links.forget_old: 600,
            openings.forget_old: 600,
            attendance_codes.forget_old: 600,
            needs_links.forget_old: 600,
            erasing_everywhere.carry_on: 10,
        }
    ),
    "clock": Lane({note_time: latest_time.NOTED_EVERY.total_seconds()}),
}
"""All that is done beside requests. An idle service stays idle: it looks whether something is due, and rests."""


class Worker:
    """A thread that does the work of one lane, piece by piece."""

    def __init__(self, runtime: Runtime, lane: str, work: Mapping[Work, float], stopping: threading.Event) -> None:
        self.lane = lane
        self.rested = threading.Event()
        """Set from the first moment on at which nothing is due."""
        self.failing: set[str] = set()
        """The work that failed the last time."""
        self.seen_at = time.monotonic()
        """When it last took a piece, or rested."""
        self._runtime = runtime
        self._work = work
        self._stopping = stopping
        # A daemon, so that a server which does not answer cannot hold the process at its end.
        self.thread = threading.Thread(target=self._run, name=f"laurel-upkeep {lane}", daemon=True)

    def go_on(self) -> bool:
        """Return whether to take the next piece."""
        self.seen_at = time.monotonic()
        return not self._stopping.is_set()

    def _run(self) -> None:
        due_at = dict.fromkeys(self._work, 0.0)
        while self.go_on():
            for work, pause_seconds in self._work.items():
                if self.go_on() and due_at[work] <= time.monotonic():
                    done = self._do(work)
                    due_at[work] = time.monotonic() + (pause_seconds if done else AFTER_FAILURE_SECONDS)
            self.rested.set()
            self._stopping.wait(PAUSE_SECONDS)

    def _do(self, work: Work) -> bool:
        try:
            work(self._runtime, self.go_on)
        except Exception:
            log.exception("upkeep: %s failed and is tried again", work.__name__)
            self.failing.add(work.__name__)
            return False
        self.failing.discard(work.__name__)
        return True


class Upkeep:
    """All the workers of a process, from `start` to `stop`.

    Args:
        lanes: left out: `LANES`, which every process has.
    """

    def __init__(self, runtime: Runtime, lanes: Mapping[str, Lane] | None = None) -> None:
        self._stopping = threading.Event()
        self.workers = [
            Worker(runtime, name, lane.work, self._stopping)
            for name, lane in (LANES if lanes is None else lanes).items()
            for _ in range(lane.threads)
        ]

    def start(self) -> None:
        """Begin the work in the background."""
        for worker in self.workers:
            worker.thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End the work after the pieces that are being done; wait for them no longer than this."""
        self._stopping.set()
        ends = time.monotonic() + seconds
        for worker in self.workers:
            worker.thread.join(max(0.0, ends - time.monotonic()))
