"""Room in memory for the bodies of requests, over all callers."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field

from service.errors import TooManyRequestsError

WAIT_SECONDS = 0.5
"""How long a body waits for room before its sender is told to come again."""
LONGEST_LINE, OF_ONE_CALLER = 200, 10
"""How many bodies may wait for one room, in all and of one caller."""
RETRY_AFTER_SECONDS = 5


@dataclass(eq=False)
class _Waiting:
    who: str
    size: int
    turn: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Room:
    """So many bytes for all bodies at once, and a share of them for one caller.

    A body that finds no room waits its turn before it is read. Turns are given in the order in which bodies came, except
    that a caller whose share is used up does not hold up others.

    Args:
        total: bytes of all bodies.
        share: bytes of the bodies of one caller.
    """

    def __init__(self, total: int, share: int) -> None:
        self.share = share
        self._left = total
        self._of: Counter[str] = Counter()
        self._line: deque[_Waiting] = deque()

    @property
    def wanted(self) -> bool:
        """Whether a body waits for room."""
        return bool(self._line)

    async def take(self, who: str, size: int) -> None:
        """Wait for room and take it.

        Args:
            who: the caller.
            size: bytes; no more than a share.
        Raises:
            TooManyRequestsError: there was none in time (code "too-many-uploads").
        """
        waiting = _Waiting(who, size)
        self._line.append(waiting)
        self._give()
        try:
            of_one_caller = sum(each.who == who for each in self._line)
            may_wait = len(self._line) <= LONGEST_LINE and of_one_caller <= OF_ONE_CALLER
            async with asyncio.timeout(WAIT_SECONDS if may_wait else 0):
                await waiting.turn
        except BaseException as error:
            if waiting in self._line:
                self._line.remove(waiting)
            else:  # its turn came as it left
                self.leave(who, size)
            if not isinstance(error, TimeoutError):
                raise
            message = f"Others are sending too much at this moment; try again in {RETRY_AFTER_SECONDS} s."
            details = {"retry_after_seconds": RETRY_AFTER_SECONDS}
            raise TooManyRequestsError("too-many-uploads", message, details=details) from error

    def leave(self, who: str, size: int) -> None:
        """Give room back, as much as was taken."""
        self._left += size
        self._of[who] -= size
        if not self._of[who]:
            del self._of[who]
        self._give()

    def _give(self) -> None:
        """Give their turn to those for whom there is room now."""
        for waiting in tuple(self._line):
            if self._of[waiting.who] + waiting.size > self.share:
                continue
            if waiting.size > self._left:
                return
            self._line.remove(waiting)
            self._left -= waiting.size
            self._of[waiting.who] += waiting.size
            if not waiting.turn.done():
                waiting.turn.set_result(None)
