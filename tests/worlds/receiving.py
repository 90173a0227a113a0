"""A receiver of webhooks, which notes what it gets and answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Received({name.lower(): value for name, value in self.headers.items()}, body)
            with lock:
                here.received.append(got)
                here.open += 1
                here.most_open = max(here.most_open, here.open)
            here.during(got)
            with lock:
                here.open -= 1
            self.send_response(here.status)
            for name, value in here.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(here.text)))
            self.end_headers()
            self.wfile.write(here.text)

        def log_message(self, *_arguments: Any) -> None:
            pass

    class Patient(ThreadingHTTPServer):
        def handle_error(self, *_arguments: Any) -> None:
            """Ignore senders that hang up before the end of the answer."""

    with Patient(("127.0.0.1", 0), Answering) as server:
        here.url = f"http://localhost:{server.server_address[1]}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield here
        server.shutdown()
        thread.join()
