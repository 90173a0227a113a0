"""Send answers compressed to those who take them so.

What is compressed together can be guessed from its length, if somebody can make the same browser ask again and again
with words of theirs in the answer (BREACH). Nobody can with ours: a token is in a header that no page of others can
send, and no answer to a cookie holds a secret. Still, what must not be stored (`no-store`: a new token, a page behind a
secret link) is sent as it is; only lines of NDJSON are compressed whatever they say.

A compressed answer is another representation. So its ETag ends in `-gzip`, and a caller who sends that back gets it
compared with ours, without the ending. Spec: RFC 9110, section 8.8.3.3.
"""

import re
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipResponder, IdentityResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.texts.accept_headers import preferences

MINIMUM_BYTES: Final = 1024
LEVEL: Final = 5
THREADED_BYTES: Final = 32_768
"""Pieces from this size on are compressed in a thread: the event loop would stand still meanwhile."""
COMPRESSED: Final = re.compile(
    r"(text/(?!event-stream)[a-z.-]+|application/(json|javascript|x-ndjson|xml|[a-z0-9.+-]+\+(json|xml))|image/svg\+xml)\s*(;|$)",
    re.IGNORECASE,
)
LINES: Final = "application/x-ndjson"
_ENDING: Final = b'-gzip"'
_CONDITIONS: Final = (b"if-match", b"if-none-match")


class Compressing:
    """Middleware that compresses answers of text, and sends each piece of a streaming one at once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and compress its answer if that is wanted and worth it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked_with = [value for name, value in scope["headers"] if name in _CONDITIONS and _ENDING in value]
        scope["headers"] = [
            (name, value.replace(_ENDING, b'"') if name in _CONDITIONS else value) for name, value in scope["headers"]
        ]

        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                tag = headers.get("etag", "")
                known = message["status"] == 304 and any(_ended(tag).encode() in each for each in asked_with)
                if tag and (known or headers.get("content-encoding") == "gzip"):
                    headers["etag"] = _ended(tag)
                if message["status"] == 304:  # says what the 200 would say (RFC 9110, section 15.4.5)
                    headers.add_vary_header("Accept-Encoding")
            await send(message)

        wanted = takes_gzip(Headers(scope=scope).get("accept-encoding", ""))
        responder = _Compressed(self._app) if wanted else _AsItIs(self._app)
        await responder(scope, receive, tagged)


def takes_gzip(accepted: str) -> bool:
    """Return whether a caller takes an answer in gzip. Spec: RFC 9110, section 12.5.3."""
    named = dict(preferences(accepted))
    return named.get("gzip", named.get("x-gzip", named.get("*", 0.0))) > 0


def _ended(tag: str) -> str:
    return tag.removesuffix('"') + _ENDING.decode()


class _Choosing(IdentityResponder):
    """Passes on unchanged what is not text, or is for one reader only."""

    _unchanged = False

    async def send_with_compression(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            media_type, caching = headers.get("content-type", ""), headers.get("cache-control", "")
            private = "no-store" in caching and not media_type.startswith(LINES)
            self._unchanged = private or "no-transform" in caching or not COMPRESSED.match(media_type)
        if self._unchanged:
            await self.send(message)
        else:
            await super().send_with_compression(message)


class _AsItIs(_Choosing):
    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, MINIMUM_BYTES)


class _Compressed(_Choosing, GZipResponder):
    def __init__(self, app: ASGIApp, **_given: Any) -> None:
        GZipResponder.__init__(self, app, MINIMUM_BYTES, LEVEL, thread_minimum_size=THREADED_BYTES)
