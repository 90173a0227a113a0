"""Refuse forms in another encoding than UTF-8, before they are read."""

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.web.problems import PageOf, answered, problem

PLAIN = frozenset({b"", b"utf-8", b"utf8", b"us-ascii"})


class FormCharsets:
    """Middleware that refuses forms in another charset than UTF-8.

    The charset is that which `Content-Type` names. The framework decodes each field, on the event loop, with any codec
    that is named there: the time of some grows with the square of the length, some return half a character, and some
    raise errors that nobody expects.

    Spec: RFC 7578, section 5.1 (the parameter has no meaning for forms).
    """

    def __init__(self, app: ASGIApp, page_of: PageOf) -> None:
        self._app = app
        self._page_of = page_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse such a form, and pass everything else on."""
        sent = Headers(scope=scope).get("content-type") if scope["type"] == "http" else None
        media_type, options = parse_options_header(sent)
        if media_type.lower() == b"multipart/form-data" and options.get(b"charset", b"").lower() not in PLAIN:
            said = problem(415, "charset-unsupported", "Expected a form in UTF-8, got one in another encoding.")
            await answered(Request(scope), said, self._page_of)(scope, receive, send)
            return
        await self._app(scope, receive, send)
