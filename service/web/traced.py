"""Give every request an id, and one line in the log if the operator wants that."""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from credentials.instants import write_instant

HEADER: Final = "Request-Id"
_SAFE: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}")
"""What a caller may name a request: it stands in a header, in problems and in the log."""
_current: ContextVar[str] = ContextVar("request_id", default="")

Log = Callable[[Mapping[str, Any]], None]


class Traced:
    """Middleware that names each request in its answer, and tells the log of it.

    A caller's own `Request-Id` is taken up if it is 1 to 64 letters, digits, `.`, `_`, `~` and `-`. The log gives the
    template of the route and never the address: a member's ref, or the key of a link, may stand in that.

    Args:
        log: takes the line of each request; None: there is no log.
    """

    def __init__(self, app: ASGIApp, now: Callable[[], datetime], log: Log | None = None) -> None:
        self._app = app
        self._now = now
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(HEADER, "")
        request_id = asked if _SAFE.fullmatch(asked) else secrets.token_hex(16)
        method, began = scope["method"], time.monotonic()
        status: int | None = None
        size = 0

        async def named(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"]]}
                MutableHeaders(scope=message)[HEADER] = request_id
            size += len(message.get("body", b""))
            await send(message)

        mark = _current.set(request_id)
        try:
            await self._app(scope, receive, named)
        finally:
            _current.reset(mark)
            if self._log is not None:
                self._log(
                    {
                        "time": write_instant(self._now()),
                        "method": method,
                        "route": getattr(scope.get("route"), "path", None),
                        "status": status,
                        "ms": round((time.monotonic() - began) * 1000),
                        "bytes": 0 if method == "HEAD" else size,
                        "token": _token(scope),
                        "request_id": request_id,
                    }
                )


def request_id() -> str:
    """Return the id of the request that is being answered; "" outside one."""
    return _current.get()


def _token(scope: Scope) -> str | None:
    """Return the id of the token with which a request came, if it was a good one."""
    caller = scope.get("state", {}).get("caller")
    return None if caller is None else str(caller.token_id)
