"""Answer bodies beyond the limit so that the sender can read the answer."""

import asyncio
from contextlib import suppress

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.problems import PageOf, answered, problem

MAX_DRAINED_BYTES = 64 * 2**20
DRAIN_SECONDS = 120
"""How much of a body that is too large is still read, and for how long, before its sender gets an answer."""


class TooLarge:
    """The outermost middleware: makes refusals of too large bodies readable.

    The framework refuses such a body in plain text; this makes a problem of it, or a page. If the headers declared the
    length, the framework replaces every other answer by its own. The answer waits until the rest of the body has
    arrived, within bounds: if a connection is closed while the sender is still sending, it is reset, and the sender
    reads nothing.
    """

    def __init__(self, app: ASGIApp, page_of: PageOf) -> None:
        self._app = app
        self._page_of = page_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Replace a 413 in plain text, and pass everything else on."""
        replaced = False
        body = _Body(scope, receive)

        async def look(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                close = {} if await body.drain() else {"Connection": "close"}
                replaced = Headers(raw=message["headers"]).get("content-type", "").startswith("text/plain")
                if replaced:
                    detail = "Expected a body within the limit for this address, got a longer one."
                    said = problem(413, "body-too-large", detail)
                    await answered(Request(scope), said, self._page_of, close)(scope, receive, send)
                message = {**message, "headers": [*message["headers"], *Headers(close).raw]}
            if not replaced:
                await send(message)

        await self._app(scope, body.receive, look)


class _Body:
    """Passes the body of a request on, and knows whether it has ended."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._begun = self._ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._begun = True
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drain(self) -> bool:
        """Read the rest of the body and discard it; return whether it has ended.

        It reads only so much, and for so long.
        """
        if not self._begun and Headers(scope=self._scope).get("expect", "").lower() == "100-continue":
            return False  # the sender waits for permission to send, and does not get it
        left = MAX_DRAINED_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._ended and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        return self._ended
