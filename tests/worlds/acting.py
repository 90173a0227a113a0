"""Speak HTTP with a token, as a network's program does."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from service.access import callers, tokens
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage.paging import Window
from service.tables import Member, Network

RIVER = {
    "slug": "river-writers",
    "name": "River Writers",
    "kind": "informal",
    "url": "https://river.example.org",
    "time_zone": "America/Chicago",
}
HILL = RIVER | {"slug": "hill-readers", "name": "Hill Readers", "url": "https://hill.example.org"}


class Actor:
    """A token, and the requests that are sent with it."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client = client
        self.token = token

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Response:
        """Send a request; `body` goes as JSON."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return self.client.request(method, path, headers=headers, **more)

    def get(self, path: str, **query: Any) -> Response:
        """Send GET."""
        return self.ask("GET", path, params=query or None)

    def post(self, path: str, body: Any = None, **more: Any) -> Response:
        """Send POST."""
        return self.ask("POST", path, body, **more)

    def put(self, path: str, body: Any, **more: Any) -> Response:
        """Send PUT."""
        return self.ask("PUT", path, body, **more)

    def patch(self, path: str, body: Any, **more: Any) -> Response:
        """Send PATCH."""
        return self.ask("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> Response:
        """Send DELETE."""
        return self.ask("DELETE", path, **more)


def actor(
    runtime: Runtime,
    client: TestClient,
    *,
    slug: str | None = None,
    scopes: Collection[str] | None = None,
    member: str | None = None,
    lifetime: timedelta = timedelta(days=30),
) -> Actor:
    """Return an actor with a new token: of the network `slug`, or if None an admin's.

    It may do all that such a token can, unless scopes are given.
    """
    now = runtime.now()
    every = callers.NETWORK_SCOPES if member else (*callers.default_scopes(bound=False), *callers.BY_NAME)
    with runtime.database.write() as session:
        network = session.scalars(select(Network).where(Network.slug == slug)).one() if slug else None
        bound = session.scalars(select(Member).where(Member.ref == member)).one() if member else None
        _, text = tokens.create_token(
            session,
            name="test",
            scopes=(scopes or every) if slug else ["admin"],
            network=network,
            member=bound,
            now=now,
            expires_at=now + lifetime,
        )
    return Actor(client, text)


def confirm(runtime: Runtime, slug: str) -> None:
    """Have the operator vouch for a network, without an event."""
    with runtime.database.write() as session:
        network = session.scalars(select(Network).where(Network.slug == slug)).one()
        network.confirmed_at, network.confirmed_names = network.created_at, [network.name]


def told(runtime: Runtime, slug: str = "river-writers") -> list[str]:
    """Return the kinds of the network's events, in order."""
    with runtime.database.read() as session:
        network = session.scalars(select(Network).where(Network.slug == slug)).one()
        return [event.type for event in events.list_events(session, network, Window()).rows]


def refused(answer: Response) -> tuple[int, str, str | None]:
    """Return status, code and pointer of a refusal, which must be as in RFC 9457."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"].endswith(".")
    return answer.status_code, problem["code"], problem.get("pointer")


def all_pages(who: Actor, path: str, **query: Any) -> list[Any]:
    """Return the items of a list, fetched in pages of two."""
    items: list[Any] = []
    cursor: str | None = None
    while True:
        page = who.get(path, limit=2, **query, **({"after": cursor} if cursor else {})).json()
        items += page["items"]
        cursor = page.get("next")
        if cursor is None:
            return items
        assert len(page["items"]) == 2
