"""Read request bodies that come in gzip.

A few bytes can stand for very many. So a body counts as what it becomes: against the limit of its address, and for its
room in memory (`web/arriving`), which it takes before the bytes are there. One that becomes far more than text ever
does is refused before it has.
"""

import asyncio
import zlib
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import TooLargeError, UnreadableError
from service.faults import wrong_word
from service.web.arriving import Arrival, is_sent
from service.web.problems import PageOf, answered, problem

GZIP: Final = frozenset({"gzip", "x-gzip"})
PIECE_BYTES: Final = 65_536
"""How much is unpacked at once, whatever arrived."""
MAX_RATIO: Final = 100
FREE_BYTES: Final = 2**20
"""How many times its size a body may become, and how much in any case."""


class Unzipping:
    """Middleware that gives routes the bodies as they were before they were compressed.

    Spec: RFC 9110, section 8.4 (Content-Encoding), and 15.5.16 for what is not taken.
    """

    def __init__(self, app: ASGIApp, page_of: PageOf) -> None:
        self._app = app
        self._page_of = page_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body unpacked, or refuse an encoding that is not gzip."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding in {"", "identity"} or not is_sent(scope):
            await self._app(scope, receive, send)
        elif encoding in GZIP:
            # In place, because what is outside reads the route here; the server has a scope of its own.
            scope["headers"] = [
                *(each for each in scope["headers"] if each[0] not in {b"content-encoding", b"content-length"}),
                (b"transfer-encoding", b"chunked"),
            ]
            await self._app(scope, _Unzipped(receive, Arrival.of(scope)).receive, send)
        else:
            detail = f"Expected a body in gzip or not compressed at all, got the Content-Encoding {wrong_word(encoding, GZIP)}."
            said = problem(415, "encoding-unsupported", detail)
            await answered(Request(scope), said, self._page_of, {"Accept-Encoding": "gzip"})(scope, receive, send)


class _Unzipped:
    """A body while it is unpacked, piece by piece. Spec: RFC 1952 (a file has one member or several)."""

    def __init__(self, receive: Receive, arrival: Arrival) -> None:
        self._receive = receive
        self._arrival = arrival
        self._member = zlib.decompressobj(wbits=31)
        self._packed = b""
        self._full = self._last = self._ended = False
        self._came = self._became = 0

    async def receive(self) -> Message:
        """Return the next piece.

        Raises:
            UnreadableError: it is not gzip, or breaks off (code "gzip-broken").
            TooLargeError: it becomes too much (code "body-expands-too-much").
            TooManyRequestsError: there is no room for it, as `Arrival.hold`.
        """
        while not self._ended:
            if self._packed or self._full:
                piece = self._next_piece()
                if piece:
                    await self._arrival.hold(self._became)
                    await asyncio.sleep(0)  # one body in pieces must not keep the event loop
                    return {"type": "http.request", "body": piece, "more_body": True}
            elif self._last:
                if not self._member.eof:
                    raise _broken("it breaks off")
                self._ended = True
                return {"type": "http.request", "body": b"", "more_body": False}
            else:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._packed = message.get("body", b"")
                self._came += len(self._packed)
                self._last = not message.get("more_body", False)
        return await self._receive()

    def _next_piece(self) -> bytes:
        if self._member.eof:
            self._member = zlib.decompressobj(wbits=31)
        try:
            piece = self._member.decompress(self._packed, PIECE_BYTES)
        except zlib.error as error:
            raise _broken("it is not gzip") from error
        self._packed = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        self._full = len(piece) == PIECE_BYTES and not self._member.eof
        self._became += len(piece)
        if self._became > FREE_BYTES and self._became > MAX_RATIO * self._came:
            message = f"Expected a body that becomes at most {MAX_RATIO} times its size, got one that becomes more."
            raise TooLargeError("body-expands-too-much", message)
        return piece


def _broken(how: str) -> UnreadableError:
    return UnreadableError("gzip-broken", f"Expected a whole body in gzip, as its Content-Encoding says; {how}.")
