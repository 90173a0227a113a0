"""Servers that listen on loopback, each in a thread of the tests: our app, and other people's servers."""

import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvicorn
from fastapi import FastAPI

from service.cli.serving import CONNECTION


class Asked(BaseHTTPRequestHandler):
    """One request to another server, and the way to answer it."""

    def do_GET(self) -> None:
        """Have it answered."""
        assert isinstance(self.server, _Patient)
        self.server.reply(self)

    def do_POST(self) -> None:
        """Have it answered."""
        self.do_GET()

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def named_headers(self) -> dict[str, str]:
        """Return the headers of the request, their names in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}

    def log_message(self, *_arguments: Any) -> None:
        """Write nothing about requests."""


class _Patient(ThreadingHTTPServer):
    request_queue_size = 64

    def __init__(self, reply: Callable[[Asked], None]) -> None:
        self.reply = reply
        super().__init__(("127.0.0.1", 0), Asked)

    def handle_error(self, *arguments: Any) -> None:
        """Ignore callers that hang up before the end of the answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*arguments)


END_SECONDS = 5
"""So long a server waits at its end for answers that nobody takes."""


@contextmanager
def answering(reply: Callable[[Asked], None]) -> Iterator[str]:
    """Yield the address of a server that replies in this way to GET and POST."""
    with _Patient(reply) as server, running(server):
        yield f"http://localhost:{server.server_address[1]}"


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    """Let a server take requests, until the end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def serving(app: FastAPI, listening: socket.socket) -> Iterator[None]:
    """Let our app answer at a socket that listens, until the end; who calls early waits for it."""
    config = uvicorn.Config(app, http=CONNECTION, log_level="warning", timeout_graceful_shutdown=END_SECONDS)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
