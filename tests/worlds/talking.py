"""Speak with the application as a server does, message by message, where a test decides when a body arrives."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.types import Message, Scope

from tests.worlds.runtimes import BASE_URL


@dataclass
class Talk:
    """One request: what was asked of its sender, and what came as answer.

    Args:
        pieces: of the body, in order; after them nothing comes any more.
        ends: whether the last piece says that it is the last.
        complete: set when the answer is there.
        settled: set then, or when all pieces were taken and more is asked for.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[bytes] = ()
    ends: bool = True
    client: str = "192.0.2.1"
    asked: int = 0
    status: int = 0
    answered: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    gone: bool = False
    """Set once its sender hears nothing any more."""

    async def on(self, app: FastAPI) -> None:
        """Have the request answered."""
        await app(self._scope(), self._receive, self._send)

    async def until_answered(self, app: FastAPI) -> None:
        """Have the request answered, and wait for nothing that follows the answer."""
        going = asyncio.create_task(self.on(app))
        first = asyncio.create_task(self.complete.wait())
        await asyncio.wait({going, first}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        for task in (going, first):
            task.cancel()
        await asyncio.gather(going, first, return_exceptions=True)

    async def _receive(self) -> Message:
        self.asked += 1
        if self.asked <= len(self.pieces):
            more = self.asked < len(self.pieces) or not self.ends
            return {"type": "http.request", "body": self.pieces[self.asked - 1], "more_body": more}
        self.settled.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def _send(self, message: Message) -> None:
        if self.gone:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.answered = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")
        if len(self.body) >= int(self.answered.get("content-length", 2**40)):
            self.complete.set()
            self.settled.set()

    def _scope(self) -> Scope:
        path, _, query = self.path.partition("?")
        sent = {"host": BASE_URL.partition("//")[2]} | {name.lower(): value for name, value in self.headers.items()}
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("localhost", 8000),
            "client": (self.client, 50_000),
            "scheme": "http",
            "method": self.method,
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
            "state": {},
        }


def talk(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run what a test does with requests, on an event loop of its own, in a thread of its own.

    A browser of other tests may have a loop in this one.
    """

    async def all_of_it() -> Any:
        return await work()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(all_of_it())).result()
