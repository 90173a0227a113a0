"""Follow a network's events and send them on: `laurel listen`, `laurel trigger`.

What is sent on is signed as webhooks are. An event that is not accepted holds the later ones back, as at a webhook.
"""

import base64
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit
from uuid import UUID

import httpx2

from service.cli.terminal import opened
from service.errors import InvalidError, StorageError
from service.networks import networks
from service.notifications import deliveries, envelopes, payloads, webhooks
from service.outbox import events
from service.outbox.event_types import EventType
from service.runtime.runtime import Runtime
from service.runtime.settings import LOCAL_HOSTS
from service.storage.paging import Window
from service.suggestions import did_you_mean

POLL_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
AT_ONCE: Final = 50
TIMEOUT_SECONDS: Final = 30

Say = Callable[[str], None]
Pause = Callable[[float], None]


class AwayError(Exception):
    """The other side does not answer now; `after` is how many seconds it asks to be left alone."""

    def __init__(self, message: str, after: float = 0) -> None:
        super().__init__(message)
        self.after = after


@dataclass(frozen=True)
class Happened:
    """An event, as a webhook would be sent it."""

    id: str
    position: int
    message: dict[str, Any]

    @property
    def type(self) -> str:
        """Its type."""
        return str(self.message["type"])

    @property
    def line(self) -> str:
        """What is shown of it: position, time, type, and what the network calls what it is about."""
        data = self.message["data"]
        refs = {name: ref for name, ref in data.get("refs", {}).items() if isinstance(ref, str)}
        about = refs or dict(list(data.get("about", {}).items())[:1])
        shown = ", ".join(f"{name} {value}" for name, value in about.items())
        return f"{self.position:>6}  {self.message['timestamp']}  {self.type}  {shown}"


class Source(Protocol):
    """Where events come from."""

    @property
    def name(self) -> str:
        """What it is called."""

    def after(self, place: str) -> tuple[list[Happened], str]:
        """Return events after a place, and the place after the last of them.

        Args:
            place: the position of an event, `now`, or what was returned before.
        Raises:
            AwayError: it does not answer now.
            ServiceError: it refuses.
        """


@dataclass(frozen=True)
class _OwnRows:
    runtime: Runtime
    slug: str
    name: str

    def after(self, place: str) -> tuple[list[Happened], str]:
        try:
            with self.runtime.database.read() as session:
                network = networks.by_slug(session, self.slug)
                listed = events.list_events(session, network, Window(place, AT_ONCE))
                found = [
                    Happened(str(row.id), row.position or 0, payloads.message(session, self.runtime, network, row))
                    for row in listed.rows
                ]
        except StorageError as error:
            raise AwayError("The database does not answer") from error
        return found, listed.last


@dataclass(frozen=True)
class _Service:
    client: httpx2.Client
    slug: str
    name: str

    def after(self, place: str) -> tuple[list[Happened], str]:
        asked = {"limit": str(AT_ONCE), "after": place}
        try:
            answer = self.client.get(f"/v1/networks/{self.slug}/events/rendered", params=asked)
        except httpx2.TransportError as error:
            raise AwayError(f"{self.name} does not answer") from error
        if answer.status_code == 429 or answer.status_code >= 500:
            wait = answer.headers.get("Retry-After", "")
            raise AwayError(f"{self.name} answered {answer.status_code}", int(wait) if wait.isdigit() else 0)
        try:
            found = answer.json()
            if answer.status_code != 200:
                raise InvalidError(str(found["code"]), f"{self.name} refuses: {found['detail']}")
            items = [Happened(str(each["id"]), int(each["position"]), each["body"]) for each in found["items"]]
            return items, str(found["last"])
        except (ValueError, KeyError, TypeError) as error:
            message = f"--url: expected the address of a Laurel service, got {self.name}, which answers as none."
            raise InvalidError("address-unknown", message) from error


@contextmanager
def source_of(slug: str, url: str | None, token: str | None) -> Iterator[Source]:
    """Yield where the events of a network come from: a service somewhere, or the rows of this one.

    Raises:
        InvalidError: the address or the token cannot be used.
    """
    if url is None:
        with opened() as runtime:
            yield _OwnRows(runtime, slug, f"{slug} at {runtime.settings.base_url}")
        return
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS):
        raise InvalidError("address-refused", f"--url: expected an https address (http only for localhost), got {url}.")
    if not token:
        raise InvalidError("token-missing", "LAUREL_TOKEN: expected a token of the network at --url, got nothing.")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=url.rstrip("/"), headers=headers, timeout=TIMEOUT_SECONDS) as client:
        yield _Service(client, slug, f"{slug} at {url.rstrip('/')}")


@dataclass(frozen=True)
class Forward:
    """A developer's address to which messages are sent, signed with a secret."""

    url: str
    secret: bytes = field(repr=False)

    @classmethod
    def to(cls, url: str, secret: str | None) -> Self:
        """Return what sends to an address, and signs with the given or a new secret.

        Raises:
            InvalidError: one of them is none (codes "address-refused", "secret-invalid").
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidError("address-refused", f"--forward-to: expected http://... or https://..., got {url!r}.")
        if secret is None:
            return cls(url, secrets.token_bytes(webhooks.SECRET_BYTES))
        try:
            return cls(url, base64.b64decode(secret.removeprefix(webhooks.PREFIX), validate=True))
        except ValueError as error:
            message = "LAUREL_WEBHOOK_SECRET: expected whsec_ and base64, got something that is not shown."
            raise InvalidError("secret-invalid", message) from error

    @property
    def secret_text(self) -> str:
        """The secret, as libraries of Standard Webhooks take it."""
        return webhooks.PREFIX + base64.b64encode(self.secret).decode()

    def send(self, message_id: str, message: dict[str, Any]) -> tuple[bool, str]:
        """Send a message; return whether it was accepted, and what became of it in words."""
        body = envelopes.body_of(message)
        headers = envelopes.signed_headers([self.secret], message_id, body, datetime.now(UTC))
        began = time.monotonic()
        try:
            answer = httpx2.post(self.url, content=body, headers=headers, timeout=TIMEOUT_SECONDS)
        except httpx2.TimeoutException:
            return False, f"no answer within {TIMEOUT_SECONDS} s"
        except httpx2.TransportError:
            return False, "nobody answers there"
        took = round((time.monotonic() - began) * 1000)
        return answer.is_success, f"{answer.status_code} {answer.reason_phrase}".strip() + f" in {took} ms"


@dataclass
class Listener:
    """Somebody who follows the events of a network.

    Args:
        position: of the last event that was dealt with, or after which to begin; None: begin with what happens from
            now on.
        types: those that are shown and sent on; none: all.
        forward: where they are sent on to.
    """

    source: Source
    say: Say
    position: int | None = None
    types: Collection[str] = ()
    forward: Forward | None = None
    pause: Pause = field(default_factory=lambda: time.sleep)
    _place: str = field(init=False)

    def __post_init__(self) -> None:
        self._place = events.NOW if self.position is None else str(self.position)

    def begin(self) -> None:
        """Say who is listened to, from where on, and with which secret is signed."""
        if self.position is None:
            _, self._place = self._asked()
        since = "from now on" if self.position is None else f"after event {self.position}"
        self.say(f"Listening to {self.source.name}, {since}.")
        if self.forward is not None:
            self.say(f"Forwarding to {self.forward.url}. Secret of the signatures: {self.forward.secret_text}")

    def listen(self, *, once: bool) -> bool:
        """Show and send on what happens, until the end; return whether all that was sent on was accepted.

        Args:
            once: end with the events that there are, and at the first one that is not accepted.
        """
        while True:
            found, place = self._asked()
            for each in found:
                if not self._dealt_with(each, once=once):
                    return False
                self.position = each.position
            if not found and once:
                return True
            self._place = place
            if not found:
                self.pause(POLL_SECONDS)

    def _asked(self) -> tuple[list[Happened], str]:
        for wait in _waits():
            try:
                return self.source.after(self._place)
            except AwayError as away:
                seconds = max(wait, min(away.after, LONGEST_PAUSE_SECONDS))
                self.say(f"{away}; again in {seconds:g} s.")
                self.pause(seconds)
        raise AssertionError("waits never end")

    def _dealt_with(self, event: Happened, *, once: bool) -> bool:
        if self.types and event.type not in self.types:
            return True
        self.say(event.line)
        if self.forward is None:
            return True
        for wait in _waits():
            accepted, said = self.forward.send(event.id, event.message)
            if accepted or once:
                self.say(f"        → {said}")
                return accepted
            self.say(f"        → {said}; again in {wait:g} s.")
            self.pause(wait)
        raise AssertionError("waits never end")


def _waits() -> Iterator[float]:
    wait = 1.0
    while True:
        yield wait
        wait = min(wait * 2, LONGEST_PAUSE_SECONDS)


def known_type(text: str) -> EventType:
    """Return a type of event.

    Raises:
        InvalidError: there is no such type (code "event-type-unknown").
    """
    try:
        return EventType(text)
    except ValueError as error:
        known = [each.value for each in EventType]
        message = f"Expected a type of event, got {text!r}{did_you_mean(text, known)}. There are: {', '.join(known)}."
        raise InvalidError("event-type-unknown", message) from error


def send_to_webhook(slug: str, webhook_id: UUID, sample: dict[str, Any]) -> tuple[bool, str]:
    """Send a sample to a webhook of this service; return whether it was accepted, and what became of it in words.

    Raises:
        NotFoundError: no such network or webhook.
    """
    with opened() as runtime:
        with runtime.database.read() as session:
            row = webhooks.find(session, networks.by_slug(session, slug), webhook_id)
            session.expunge(row)
        outcome = deliveries.send_sample(runtime, row, sample)
    status = f"{outcome.answered.status} " if outcome.answered is not None else ""
    return outcome.delivered, f"{row.url}: {status}{outcome.code} in {outcome.duration_ms} ms"
