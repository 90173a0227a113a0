"""Connections: so many of one address, and each must say soon what it wants."""

import asyncio
import socket
from collections import Counter
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network
from typing import ClassVar

from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from service.runtime.caller_addresses import counted_as
from service.web.behind_proxies import may_be_proxy

HEAD_SECONDS = 20.0
"""How long the head of a request may take to arrive."""
AT_ONCE = 1000
"""How many connections one process serves. Each may hold about 100 kB that nobody has read yet."""
OF_ONE = 100
"""How many of them one address may have; a proxy may have all, for it stands for many."""
TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class TimelyConnection(H11Protocol):
    """A connection that is closed if no whole head of a request arrives in time.

    The server itself has a limit only for a connection that sends nothing at all after an answer. It also counts all
    connections together: one address that opened as many as it could would close the service to everybody, `/health`
    among them.
    """

    _of: ClassVar[Counter[str]] = Counter()
    _who: str | None = None
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head, unless the address has too many connections.

        What is written leaves at once. The event loop sees to that only for sockets that it made itself, and those of
        several workers are made by their parent: there a second answer waited 40 ms for the first to be acknowledged.
        """
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = self.client[0] if self.client else ""
        if not may_be_proxy(peer, self._trusted()):
            (self._who, _), *_ = counted_as(peer)
            self._of[self._who] += 1
            if self._of[self._who] > OF_ONE:
                transport.write(TOO_MANY)
                transport.close()
                return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting, and count the connection no more."""
        if self._due is not None:
            self._due.cancel()
        if self._who is not None:
            self._of[self._who] -= 1
            if not self._of[self._who]:
                del self._of[self._who]
        super().connection_lost(exc)

    def _trusted(self) -> Collection[IPv4Network | IPv6Network]:
        app = self.config.loaded_app
        return app.state.runtime.settings.trusted_proxies if isinstance(app, FastAPI) else ()

    def on_response_complete(self) -> None:
        """Begin to wait for the next head."""
        super().on_response_complete()
        self._wait_for_head()

    def _wait_for_head(self) -> None:
        if self._due is not None:
            self._due.cancel()
        self._due = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
