"""Check many badges in one request, with answers in the order asked.

Each answer is given as soon as it is decided, and nothing is kept.

1. A bounded number of threads checks; each takes the next badge in order. A badge that was given twice is checked once.
2. A batch waits for a check for a limited time (`Patience`). A check that takes longer is answered with that, and can
   be tried again alone. Its thread does not linger: each of its requests has a deadline, and it may begin no other.
3. Threads run only a limited number of answers ahead of the reader. A reader who stops or leaves ends the work.
4. The checks of a batch share an amount of processor time (`BatchTime`). Those that it does not reach are not begun, and
   can be tried again.
"""

import logging
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from credentials import CredentialError, UnavailableError
from service.checking import check as checking
from service.checking.batch.time_limits import BatchTime, ItemFetcher, SharedFetcher
from service.checking.check import Checked
from service.checking.desk import Desk
from service.errors import InvalidError, ServiceError, TooManyRequestsError
from service.runtime.cpu_time import patiently
from service.unpacking.found import Problem

log = logging.getLogger(__name__)

MAX_ITEMS: Final = 500
MAX_BYTES: Final = 67_108_864
"""Of everything that is given at once."""
THREAD_NAME: Final = "batch"
NOT_IN_TIME: Final = "not-in-time"
TIME_USED_UP: Final = "batch-time-used-up"
FAILED_HERE: Final = "internal-error"


@dataclass(frozen=True)
class Holder:
    """What a person says of themselves in a link for one authority."""

    name: str = field(repr=False)
    licence_number: str = field(repr=False)


@dataclass(frozen=True)
class Item:
    """One badge of a batch. Exactly one of `url`, `received` and `problem` is set.

    Args:
        name: by which the person who asks recognises it: file name, address or line.
        url: its public address.
        received: the badge itself: JSON, JWT, PNG or SVG.
        problem: why nothing can be checked.
        recipient: e-mail, DID or other identifier of the person who showed it, to be compared.
        candidate: the person under whom it is listed, from the employer's table; "" without one.
        person: the asker's own identifier of that person; "" without one.
        ref: the employer's own identifier of it.
        cells: the employer's own row, in its order.
        line: its line in what was given, or its row in the table, from 1; 0 where there are none.
        file: name of the file that the line is in; "" without one.
        licence: number of the person's licence, from the employer's table; "" without one.
        holder: what the person says of themselves, where they made a link for one authority.
    """

    name: str
    url: str | None = None
    received: bytes | None = field(default=None, repr=False)
    problem: Problem | None = None
    recipient: str | None = field(default=None, repr=False)
    candidate: str = field(default="", repr=False)
    person: str = field(default="", repr=False)
    ref: str | None = None
    cells: tuple[str, ...] = field(default=(), repr=False)
    line: int = 0
    file: str = ""
    licence: str = field(default="", repr=False)
    holder: Holder | None = field(default=None, repr=False)

    @property
    def licensed(self) -> str:
        """How the licence number of the table compares with that of the link: passed, failed, undecided or skipped.

        Case, spaces and signs between letters and digits do not matter.
        """
        if not self.licence:
            return "skipped"
        if self.holder is None:
            return "undecided"
        own, told = (re.sub(r"[\W_]", "", each).casefold() for each in (self.licence, self.holder.licence_number))
        return "passed" if own == told else "failed"

    @property
    def person_key(self) -> str:
        """What all items of one person have in common; "" where none was given."""
        return (self.person or self.recipient or self.candidate).casefold()

    @property
    def person_name(self) -> str:
        """The person, as they were given; where none was, the name of the item."""
        return self.candidate or self.person or self.recipient or self.ref or self.name

    @property
    def asked(self) -> tuple[Any, ...]:
        """What the check is about: equal for two items that need one check."""
        return (self.url, self.received, self.recipient)


@dataclass(frozen=True)
class ItemAnswer:
    """The answer to one item: a check, or why there is none.

    Args:
        index: its place in the batch, from 0.
        error: why the check failed. Where there was nothing to check, the item has the problem instead.
        again: whether to try again may help, because a server did not answer.
    """

    index: int
    item: Item
    checked: Checked | None = None
    error: CredentialError | ServiceError | None = None
    again: bool = False


Check = Callable[[Desk, Item], Checked]


def check_item(desk: Desk, item: Item) -> Checked:
    """Check one item.

    Raises:
        CredentialError, ServiceError: as `checking.check_address`.
    """
    if item.url is not None:
        return checking.check_address(desk, item.url, item.recipient)
    return checking.check(desk, item.received or b"", item.recipient)


class Batch:
    """The checks of one request. Iterate once for the answers.

    `close` ends it from any thread at any time.
    """

    def __init__(self, desk: Desk, items: Sequence[Item], check: Check = check_item, address: str = "") -> None:
        self._desk = desk
        self._address = address
        self._items = items
        self._check = check
        self._patience = desk.patience
        self._fetcher = SharedFetcher(desk.runtime.fetcher, self._patience.timeouts)
        self._time = BatchTime()
        self._over = threading.Event()
        self._changed = threading.Condition()
        first: dict[tuple[Any, ...], int] = {}
        self._first = [first.setdefault(item.asked, index) for index, item in enumerate(items)]
        self._queue = [n for n, item in enumerate(items) if item.problem is None and self._first[n] == n]
        self._shared = {earlier for n, earlier in enumerate(self._first) if earlier != n}
        self._until = 0.0  # steady time at which the batch stops waiting
        self._next = 0  # place in the queue
        self._read = 0  # index of the item that the reader waits for
        self._began: dict[int, float] = {}
        self._told: dict[int, ItemAnswer] = {}
        self._given_up: set[int] = set()
        self._threads: list[threading.Thread] = []

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[ItemAnswer]:
        """Yield the answers in order, each as soon as those before it are there.

        It yields fewer once it is closed.
        """
        repeated: dict[int, ItemAnswer] = {}
        try:
            self._start()
            for index, item in enumerate(self._items):
                self._desk.batch_places.seen(self, time.monotonic())
                first = self._first[index]
                if item.problem is not None:
                    told: ItemAnswer | None = ItemAnswer(index, item)
                elif first != index:
                    told = replace(repeated[first], index=index, item=item)
                else:
                    told = self._awaited(index)
                if told is None or self._over.is_set():
                    return
                if index in self._shared:
                    repeated[index] = told
                yield told
        finally:
            self.close()

    def close(self) -> None:
        """End the work: no further check begins, and nobody waits. May be called several times."""
        with self._changed:
            self._over.set()
            self._changed.notify_all()
        self._desk.batch_places.leave(self)

    def ended(self, seconds: float) -> bool:
        """Wait for the threads at most so long; return whether all have ended."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _start(self) -> None:
        self._until = time.monotonic() + self._patience.batch_seconds
        for _ in range(min(self._patience.threads, len(self._queue))):
            thread = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _awaited(self, index: int) -> ItemAnswer | None:
        """Return the answer to an item, at the latest when its time is over (2).

        Return None once the batch is closed.
        """
        with self._changed:
            self._read = index
            self._changed.notify_all()
            since = time.monotonic()
            while index not in self._told and not self._over.is_set():
                # If its check did not begin, every thread waits for a server that does not answer.
                until = min(self._began.get(index, since) + self._patience.item_seconds, self._until)
                left = until - time.monotonic()
                if left <= 0:
                    self._given_up.add(index)
                    return ItemAnswer(
                        index,
                        self._items[index],
                        error=UnavailableError(NOT_IN_TIME, "It did not answer in time."),
                        again=True,
                    )
                self._changed.wait(left)
            return self._told.pop(index, None)

    def _work(self) -> None:
        while (index := self._begin()) is not None:
            told = self._answer(index)
            with self._changed:
                if index not in self._given_up:
                    self._told[index] = told
                self._changed.notify_all()

    def _begin(self) -> int | None:
        """Return the next item to check, once the reader is near enough (3).

        Return None when there is none.
        """
        with self._changed:
            while self._next < len(self._queue) and not self._over.is_set() and time.monotonic() < self._until:
                index = self._queue[self._next]
                if index in self._given_up:
                    self._next += 1
                elif index > self._read + self._patience.ahead:
                    self._changed.wait()
                else:
                    self._next += 1
                    self._began[index] = time.monotonic()
                    self._changed.notify_all()
                    return index
        return None

    def _answer(self, index: int) -> ItemAnswer:
        item, time_of_item = self._items[index], self._time.of_item()
        if time_of_item.left() <= 0:  # (4)
            message = "The time for this batch was used up before this check began; it can be tried again."
            return ItemAnswer(index, item, error=UnavailableError(TIME_USED_UP, message), again=True)
        fetcher = ItemFetcher(self._fetcher, self._over, self._began[index] + self._patience.item_seconds)
        desk = replace(self._desk, runtime=replace(self._desk.runtime, fetcher=fetcher), time=lambda: time_of_item)
        try:
            with patiently(self._address):
                checked = self._check(desk, item)
        except (CredentialError, ServiceError) as error:
            again = fetcher.silent or isinstance(error, TooManyRequestsError)
            return ItemAnswer(index, item, error=error, again=again)
        except Exception as error:  # noqa: BLE001  (one badge must not end the others; what it says is not logged)
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("a check in a batch failed with %s\n%s", type(error).__name__, where)  # noqa: TRY400
            return ItemAnswer(
                index,
                item,
                error=ServiceError(FAILED_HERE, "The check failed here; it can be tried again."),
                again=True,
            )
        finally:
            self._time.used(time_of_item.used)
        hurried = fetcher.silent or time_of_item.left() <= 0
        return ItemAnswer(index, item, checked, again=hurried and checked.report.verdict == "undecided")


def begin(desk: Desk, items: Sequence[Item], address: str, check: Check = check_item) -> Batch:
    """Return a batch that may run now; the caller closes it.

    Args:
        address: where the request comes from, for the fair limits.
    Raises:
        InvalidError: nothing was given (code "batch-empty"), or more than 500 (code "batch-too-long").
        TooManyRequestsError: too many batches run now (code "too-many-batches"), or too much was asked from there
            (code "too-many-requests").
    """
    if not items:
        raise InvalidError("batch-empty", "Expected at least one link or file, got nothing.")
    if len(items) > MAX_ITEMS:
        message = f"Expected at most {MAX_ITEMS} links and files at once, got more; give them in parts."
        raise InvalidError("batch-too-long", message)
    batch = Batch(desk, items, check, address)
    desk.batch_places.take(batch, time.monotonic())
    try:
        desk.batch_fair_use.take(address, desk.steady(), cost=len(items))
    except ServiceError:
        batch.close()
        raise
    return batch
