"""Answer before a body was read, so that its sender can read the answer."""

import asyncio
import math
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.arriving import is_sent

MAX_DRAINED_BYTES = 64 * 2**20
DRAIN_SECONDS = 120
"""How much of a body that nobody wants is still read after the answer, and for how long."""
PACE = 2 * 2**20
"""How many bytes of it in a second: a flood of bodies would keep the event loop busy with forgetting them."""
CLOSE = {"Connection": "close"}


class Unread:
    """Middleware that sends an answer at once, and afterwards reads and forgets what is still being sent.

    If a connection is closed while the sender is still sending, it is reset, and the sender reads nothing. So it stays
    open, within bounds, until the rest of the body has arrived.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and read what its answer left unread."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive)
        unread, status = False, 0

        async def look(message: Message) -> None:
            nonlocal unread, status
            if message["type"] == "http.response.start" and not body.ended:
                unread, status = True, message["status"]
                message = {**message, "headers": [*message["headers"]]}
                MutableHeaders(scope=message).update(CLOSE)
            if unread and message["type"] == "http.response.body" and not message.get("more_body", False):
                await send({**message, "more_body": True})
                if status != 408:  # otherwise its sender had its time
                    # Somebody whose file is too large has seen no reason to expect a refusal, and waits for it.
                    await body.drain(math.inf if status == 413 else PACE)
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, body.receive, look)


class _Body:
    """Passes the body of a request on, and knows whether it has ended."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._begun = False
        self.ended = not is_sent(scope)

    async def receive(self) -> Message:
        message = await self._receive()
        self._begun = True
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drain(self, pace: float) -> None:
        """Read the rest of the body and discard it: only so much, and for so long.

        Args:
            pace: bytes in a second.
        """
        if not self._begun and Headers(scope=self._scope).get("expect", "").lower() == "100-continue":
            return  # the sender waits for permission to send, and does not get it
        left = MAX_DRAINED_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self.ended and left > 0:
                    size = len((await self.receive()).get("body", b""))
                    left -= size
                    await asyncio.sleep(size / pace)
