"""A site of other issuers on this machine: what lies at its addresses, how it fails, and what it learns of who asks."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from tests.credentials.parties import World

PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """How an address answers: with a body, or in the manner of a site that is out of order.

    `manner`: "whole"; "closed", the connection ends without a word; "silent", nothing comes.
    """

    body: bytes = b""
    media_type: str = "application/octet-stream"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Literal["whole", "closed", "silent"] = "whole"


@dataclass(frozen=True)
class Visit:
    """What the site learnt of one request; names of headers in lower case."""

    path: str
    headers: Mapping[str, str]


@dataclass
class Elsewhere(World):
    """The site: documents by address, each an `Answer`, bytes, a page as text, or JSON."""

    url: str = ""
    visits: list[Visit] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def put(self, path: str, document: Any) -> str:
        """Put a document there, and return its address."""
        self.documents[self.url + path] = document
        return self.url + path

    def paths(self) -> list[str]:
        """Return what was asked for, in its order."""
        return [visit.path for visit in self.visits]

    def answer(self, path: str) -> Answer:
        """Return what the site answers to who asks for a path."""
        match self.documents.get(self.url + path.partition("?")[0], Answer(status=404)):
            case Answer() as answer:
                return answer
            case bytes() as body:
                return Answer(body)
            case str() as page:
                return Answer(page.encode(), "text/html; charset=utf-8")
            case document:
                return Answer(json.dumps(document).encode(), "application/json")


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """Give an empty site that listens on a free port of loopback."""
    site = Elsewhere()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.visits.append(Visit(self.path, {name.lower(): value for name, value in self.headers.items()}))
            answer = site.answer(self.path)
            if answer.manner == "silent":
                site.released.wait(PATIENCE_SECONDS)
            if answer.manner != "whole":
                return
            self.send_response(answer.status)
            for name, value in {"Content-Type": answer.media_type, **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_arguments: Any) -> None:
            pass

    class Patient(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_arguments: Any) -> None:
            """Whoever was kept waiting has hung up."""

    with Patient(("127.0.0.1", 0), Answering) as server:
        site.url = f"http://localhost:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            site.released.set()
            server.shutdown()
            thread.join()
