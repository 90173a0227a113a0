"""Bodies of requests while they arrive: how much of them at once, and how slowly.

Strangers decide what they send, how much of it at once, and how slowly. What has arrived stays in memory until its
request is answered. So a body takes room for what it will need before its first byte is read (`web/rooms.py`), and its
sender has a limited time.
"""

import asyncio
import sys
from typing import Final, Self

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import TooSlowError
from service.runtime.caller_addresses import counted_as
from service.web.rooms import Room

SILENT_SECONDS = 10.0
"""How long a sender may send nothing."""
GRACE_SECONDS = 10.0
"""For how long a slow sender is not judged."""
SLOWEST = 1024
"""Bytes in a second that every sender must reach."""
WHOLE_SECONDS = 600.0
CONTESTED_SECONDS = 60.0
"""How long a body may take, and in proportion each part of it; less while others wait for its room."""

SMALL_BYTES: Final = 65_536
SPOOLED_BYTES: Final = 4 * 2**20
"""What a body that goes to a file line by line needs in memory, however long it is."""
TEXT_WEIGHT: Final = 4
"""How much more memory than bytes a text needs: a character takes up to four."""
JSON_WEIGHT: Final = 16
"""How much more JSON of strangers needs: some of it may have 200,000 values (`strict_json.MAX_PARSED_VALUES`)."""
HELD_AS_IT_CAME: Final = ("multipart/form-data", "application/octet-stream", "application/pdf", "image/")
_KEY: Final = "laurel.arrival"


class Rooms:
    """Room for the bodies of callers with a token, for small bodies, and for the large ones of strangers.

    They are apart, so that strangers cannot take the room of callers with a token, nor large bodies that of small ones.
    All three full, and what the service needs besides, are less than 500 MB.
    """

    def __init__(self) -> None:
        self.callers = Room(64 * 2**20, 40 * 2**20)
        self.small = Room(24 * 2**20, 6 * 2**20)
        self.large = Room(88 * 2**20, 66 * 2**20)


class Arrival:
    """The body of one request on its way in."""

    def __init__(self, scope: Scope, receive: Receive, rooms: Rooms) -> None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        self._scope = scope
        self._receive = receive
        self._rooms = rooms
        self._length = int(length) if length.isdecimal() else None
        self._sent_as = headers.get("content-type", "").strip().lower()
        self._packed = "content-encoding" in headers
        self._caller = ""
        self._spooled = False
        self._taken: list[tuple[Room, str, int]] = []
        self._room_for = self._got = 0
        """How many bytes of the body there is room for, and how many have arrived."""
        self._slow_seconds = 0.0
        self._over = not is_sent(scope)
        scope[_KEY] = self

    @classmethod
    def of(cls, scope: Scope) -> Self:
        """Return the arrival of the request with this scope."""
        found: Self = scope[_KEY]
        return found

    def known(self, caller: str) -> None:
        """Note who sends the body: a caller with a good token."""
        self._caller = caller

    def to_file(self) -> None:
        """Note that the body goes to a file while it arrives, and not to memory."""
        self._spooled = True

    async def receive(self) -> Message:
        """Return the next piece.

        Raises:
            TooManyRequestsError: there is no room for it (code "too-many-uploads").
            TooSlowError: it did not come in time (code "body-too-slow").
        """
        if self._over:
            return await self._receive()
        if not self._taken:
            await self._take(self._length if self._length is not None else SMALL_BYTES)
        message = await self._in_time()
        self._got += len(message.get("body", b""))
        self._over = message["type"] != "http.request" or not message.get("more_body", False)
        await self.hold(self._got)
        if self._over and message["type"] == "http.request" and self._is_small():
            await self._take_to_read()
        return message

    async def hold(self, size: int) -> None:
        """Take the room that the body still lacks to be so large, in bytes: it may be unpacked to more than arrived.

        Raises:
            TooManyRequestsError: there is no room for it (code "too-many-uploads").
        """
        if size > self._room_for:
            await self._take(max(size - self._room_for, self._room_for))

    async def __call__(self, app: ASGIApp, send: Send) -> None:
        """Have the request answered, and give the room back afterwards."""

        async def noticed(message: Message) -> None:
            self._over = True  # whatever is received from now on only tells whether the sender is still there
            await send(message)

        try:
            await app(self._scope, self.receive, noticed)
        finally:
            for room, who, size in self._taken:
                room.leave(who, size)

    async def _take(self, more: int) -> None:
        """Take room for further bytes of the body; all in all no more than a share."""
        if self._spooled:
            more, size = sys.maxsize, SPOOLED_BYTES
        else:
            size = more * (1 if self._is_small() else self._weight())
        room, who = self._where()
        size = min(size, room.share - sum(taken for _, _, taken in self._taken))
        await room.take(who, size)
        self._taken.append((room, who, size))
        self._room_for += more

    async def _take_to_read(self) -> None:
        """Take what a small body needs besides its bytes, now that it has arrived: slow ones would keep others out."""
        room, who = self._where()
        size = self._got * (self._weight() - 1)
        await room.take(who, size)
        self._taken.append((room, who, size))

    def _is_small(self) -> bool:
        if self._caller or self._spooled or self._packed:
            return False
        return self._length is not None and self._length <= SMALL_BYTES

    def _weight(self) -> int:
        if self._sent_as.startswith(HELD_AS_IT_CAME):
            return 1
        return JSON_WEIGHT if "json" in self._sent_as and not self._caller else TEXT_WEIGHT

    def _where(self) -> tuple[Room, str]:
        if self._caller:
            return self._rooms.callers, self._caller
        return self._rooms.small if self._is_small() else self._rooms.large, _stranger(self._scope)

    async def _in_time(self) -> Message:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(min(SILENT_SECONDS, self._allowed() - self._slow_seconds)):
                return await self._receive()
        except TimeoutError as error:
            message = f"Expected the body within the time for it, got {self._got} bytes; they came too slowly."
            raise TooSlowError("body-too-slow", message) from error
        finally:
            self._slow_seconds += loop.time() - began

    def _allowed(self) -> float:
        """Return for how many seconds we may have waited in all until the next piece is here."""
        whole = CONTESTED_SECONDS if self._taken[0][0].wanted else WHOLE_SECONDS
        arrived = self._got / self._length if self._length else 1.0
        return GRACE_SECONDS + min(whole * arrived, self._got / SLOWEST)


class Arriving:
    """Middleware that bounds the bodies that arrive at once, and the time of each."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._rooms = Rooms()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its arrival."""
        if scope["type"] == "http":
            await Arrival(scope, receive, self._rooms)(self._app, send)
        else:
            await self._app(scope, receive, send)


def is_sent(scope: Scope) -> bool:
    """Return whether the request has a body."""
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _stranger(scope: Scope) -> str:
    """Return how a caller without a token is known: by an address, or the 64 bits of its IPv6 network."""
    (who, _), *_ = counted_as((scope.get("client") or ("",))[0])
    return who
