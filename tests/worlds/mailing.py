"""A mail server for tests: it takes every message, and keeps it."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.worlds.listening import running


@dataclass
class Mailbox:
    """What a mail server got, and how it answers recipients.

    `recipients` also has those that it refused. In `answer`, `{recipient}` is who was named.
    """

    port: int = 0
    received: list[tuple[str, bytes]] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answer: str = "250 OK"

    @property
    def url(self) -> str:
        """The address of the server, for `LAUREL_MAIL_URL`."""
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def mail_server(port: int = 0) -> Iterator[Mailbox]:
    """Yield a mail server that listens on loopback, on a free port unless one is given."""
    box = Mailbox()

    class Conversation(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            recipient = ""
            self.say("220 mail.example.org")
            while line := self.rfile.readline().decode():
                word = line.split(maxsplit=1)[0].upper().strip()
                if word == "EHLO":
                    self.say("250-mail.example.org")
                    self.say("250 8BITMIME")
                elif word == "RCPT":
                    recipient = line.partition("<")[2].partition(">")[0]
                    box.recipients.append(recipient)
                    self.say(box.answer.format(recipient=recipient))
                elif word == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (text := self.rfile.readline()) != b".\r\n":
                        lines.append(text)
                    box.received.append((recipient, b"".join(lines)))
                    self.say("250 OK")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 OK")

    with _Server(("127.0.0.1", port), Conversation) as server:
        box.port = server.server_address[1]
        with running(server):
            yield box


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
