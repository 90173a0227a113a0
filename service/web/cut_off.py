"""Answer requests that are broken off because the process ends."""

import asyncio

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.problems import PageOf, answered, problem

RETRY_AFTER = {"Retry-After": "10", "Connection": "close"}
FAILED = 500


class CutOff:
    """Middleware that tells the sender of a request that is broken off when to come again.

    The server breaks requests off that have not ended some time after it was told to end. One whose answer has begun
    just stops: its sender sees that it is incomplete.
    """

    def __init__(self, app: ASGIApp, page_of: PageOf) -> None:
        self._app = app
        self._page_of = page_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and answer 503 if the request is broken off."""
        begun = False

        async def look(message: Message) -> None:
            nonlocal begun
            if message.get("status") == FAILED and _is_broken_off():
                raise asyncio.CancelledError  # what failed is the breaking off: work in a thread goes on meanwhile
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, look)
        except asyncio.CancelledError:
            if begun or scope["type"] != "http":
                raise
            detail = "The service is ending; send the request again, with the same Idempotency-Key if it has one."
            said = problem(503, "service-ending", detail)
            await answered(Request(scope), said, self._page_of, RETRY_AFTER)(scope, receive, send)


def _is_broken_off() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
