"""A receiver of webhooks, which notes what it gets and answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.worlds.listening import Asked, answering


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)

    @property
    def position(self) -> int:
        """The position of the event."""
        place: int = self.json["data"]["position"]
        return place


@dataclass
class Receiver:
    """What was received, and how to answer it.

    The answer has `status`, `headers` and `text`, and is sent after `during` was called.
    """

    url: str = ""
    received: list[Received] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    text: bytes = b""
    during: Callable[[Received], None] = lambda _received: None
    open: int = 0
    most_open: int = 0

    @property
    def types(self) -> list[str]:
        """The types of what came, in order."""
        return [each.json["type"] for each in self.received]

    @property
    def positions(self) -> list[int]:
        """The positions of what came, in order."""
        return [each.position for each in self.received]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Yield a receiver on this machine."""
    here = Receiver()
    lock = threading.Lock()

    def reply(asked: Asked) -> None:
        body = asked.rfile.read(int(asked.headers["Content-Length"]))
        got = Received(asked.named_headers(), body)
        with lock:
            here.received.append(got)
            here.open += 1
            here.most_open = max(here.most_open, here.open)
        here.during(got)
        with lock:
            here.open -= 1
        asked.answer(here.status, here.text, here.headers)

    with answering(reply) as url:
        here.url = f"{url}/hook"
        yield here
