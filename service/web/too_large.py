"""Say in our own words that a body is beyond the limit."""

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.problems import PageOf, answered, too_large


class TooLarge:
    """Middleware that makes a problem, or a page, of the framework's refusal of too large bodies.

    The framework refuses such a body in plain text. If the headers declared the length, it replaces every other answer
    by that.
    """

    def __init__(self, app: ASGIApp, page_of: PageOf) -> None:
        self._app = app
        self._page_of = page_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Replace a 413 in plain text, and pass everything else on."""
        replaced = False

        async def look(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                replaced = Headers(raw=message["headers"]).get("content-type", "").startswith("text/plain")
                if replaced:
                    said = too_large(scope)
                    await answered(Request(scope), said, self._page_of)(scope, receive, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, look)
