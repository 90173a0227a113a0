"""A site of other issuers on this machine: what lies at its addresses, how it fails, and what it learns of who asks."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.credentials.parties import World
from tests.worlds.listening import Asked, answering

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

    def reply(asked: Asked) -> None:
        site.visits.append(Visit(asked.path, asked.named_headers()))
        answer = site.answer(asked.path)
        if answer.manner == "silent":
            site.released.wait(PATIENCE_SECONDS)
        if answer.manner == "whole":
            asked.answer(answer.status, answer.body, {"Content-Type": answer.media_type, **answer.headers})

    with answering(reply) as site.url:
        try:
            yield site
        finally:
            site.released.set()
