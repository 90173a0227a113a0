"""A small network, and what tests read of it after posting."""

import json
from collections.abc import Iterable
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from service.evidence import listing
from service.runtime.runtime import Runtime
from service.storage.paging import Window
from service.tables import Contribution, ContributionTag, Evaluation, Network, Rating, Row, UnsettledMember
from tests.worlds import laying
from tests.worlds.acting import HILL, RIVER, Actor, actor, confirm

ROOT = "/v1/networks/river-writers"
AT = "2026-03-01T17:00:00Z"
REVIEW = {"member": "m11", "type": "reviewed", "occurred_at": AT}
RUBRIC = {
    "kind": "rubric",
    "about": {"member": "m11"},
    "evaluator": "m12",
    "occurred_at": AT,
    "rubric": "feedback",
    "ratings": {"specific": 3},
}
ENDORSEMENT = {"kind": "endorsement", "about": {"member": "m11"}, "evaluator": "m12", "occurred_at": AT}
SURVEY = {
    "kind": "survey",
    "about": {"session": "s1"},
    "anonymous": True,
    "occurred_at": AT,
    "instrument": "pulse",
    "answers": {"worth my time": 4},
}
DERIVED: tuple[type[Row], ...] = (Contribution, ContributionTag, Evaluation, Rating)


def river(runtime: Runtime, client: TestClient) -> Actor:
    """Return an actor that may do everything in a network.

    It has the members m11, m12 and m13, and one session.
    """

    def create() -> str:
        admin = actor(runtime, client)
        assert admin.post("/v1/networks", RIVER).status_code == 201
        confirm(runtime, "river-writers")
        who = actor(runtime, client, slug="river-writers")
        for ref in ("m11", "m12", "m13"):
            assert who.put(f"{ROOT}/members/{ref}", {"email": f"{ref}@example.org"}).status_code == 201
        assert who.put(f"{ROOT}/sessions/s1", {"starts_at": AT, "series": "circle"}).status_code == 201
        return who.token

    return Actor(client, laying.lay(runtime, "river", create) if laying.is_empty(runtime) else create())


def alone(runtime: Runtime, client: TestClient) -> Actor:
    """Return an actor that may do everything in a network without members."""

    def create() -> str:
        assert actor(runtime, client).post("/v1/networks", RIVER).status_code == 201
        confirm(runtime, "river-writers")
        return actor(runtime, client, slug="river-writers").token

    return Actor(client, laying.lay(runtime, "alone", create) if laying.is_empty(runtime) else create())


def hill(runtime: Runtime, client: TestClient) -> Actor:
    """Return an actor who may do everything in another network."""
    assert actor(runtime, client).post("/v1/networks", HILL).status_code == 201
    confirm(runtime, "hill-readers")
    return actor(runtime, client, slug="hill-readers")


def posted(answer: Response, status: int = 201) -> Any:
    """Return the JSON of an answer, which must have this status."""
    assert answer.status_code == status, answer.text
    return answer.json()


def derived(runtime: Runtime) -> dict[str, list[tuple[Any, ...]]]:
    """Return every derived row, table by table."""
    with runtime.database.read() as session:
        return {
            table.__tablename__: sorted(
                (tuple(row) for row in session.execute(select(*table.__table__.columns)).all()), key=repr
            )
            for table in DERIVED
        }


def rows_of(runtime: Runtime, table: type[Row]) -> list[Any]:
    """Return the rows of a table."""
    with runtime.database.read() as session:
        return list(session.scalars(select(table)).all())


def unsettled(runtime: Runtime) -> int:
    """Return how many members wait for a decision on their awards."""
    return len(rows_of(runtime, UnsettledMember))


def statuses(runtime: Runtime) -> list[str]:
    """Return the statuses of all records, in order."""
    with runtime.database.read() as session:
        network = session.scalars(select(Network).where(Network.slug == "river-writers")).one()
        shown, _ = listing.list_records(session, network, listing.RecordFilter(), window=Window())
        return [each.record.status for each in shown]


def lines(answer: Response) -> list[Any]:
    """Return the parsed lines of an NDJSON answer without the last one, which must say that it is complete."""
    *found, last = all_lines(answer)
    assert last["status"] == "complete", last
    return found


def all_lines(answer: Response) -> list[Any]:
    """Return the parsed lines of an NDJSON answer."""
    assert answer.headers["content-type"] == "application/x-ndjson", answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def ndjson(bodies: Iterable[Any]) -> bytes:
    """Return the bodies as bytes, one a line; text and bytes as they are."""
    return b"".join(
        (body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()) + b"\n" for body in bodies
    )
