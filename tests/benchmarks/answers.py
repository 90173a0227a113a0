"""Benchmark of single requests, beside a bare route of FastAPI that does the least of the same kind.

`make bench ARGS=answers`. Both applications are asked in this process, by ASGI and without a socket, and take turns. The
bare routes insert a row and commit, or read one and answer its text; they check nothing and remember nothing.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette.types import ASGIApp

from tests.benchmarks.table import Row, Timed, medians, show
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.databases import migrated_sqlite
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start

TURNS: Final = 10
RULES: Final = 3


class Base(DeclarativeBase):
    """What the bare application stores."""


class Thing(Base):
    """A row of the bare application."""

    __tablename__ = "things"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class ThingIn(BaseModel):
    """What is sent to the bare application: as much as a contribution."""

    ref: str
    member: str
    type: str
    occurred_at: datetime
    resource: str


def run() -> None:
    """Measure on SQLite, and print the figures."""
    with tempfile.TemporaryDirectory(prefix="laurel-bench-") as name:
        folder = Path(name)
        migrated_sqlite(folder / "laurel.db")
        clock = Clock()
        with start(settings_in(folder), clock) as runtime:
            app = app_of(runtime)
            stage = Stage.set_up(TestClient(app, base_url=BASE_URL), runtime, kind="informal")
            badge = _badge(stage)
            bare = _bare(runtime.database.engine, json.dumps(badge))
            with asyncio.Runner() as runner:
                show(list(_rows(runner, app, bare, stage, badge, clock)))


def _rows(
    runner: asyncio.Runner, app: ASGIApp, bare: ASGIApp, stage: Stage, badge: dict[str, Any], clock: Clock
) -> Iterator[Row]:
    path = badge["id"].removeprefix(BASE_URL)
    status = badge["credentialStatus"]["statusListCredential"].removeprefix(BASE_URL)
    signed = {"Authorization": f"Bearer {stage.token}"}

    def asked(of: ASGIApp, method: str, path: str, body: Callable[[], Any] | None = None, **headers: str) -> Timed:
        return lambda: runner.run(_asked(of, method, path, body, headers))

    numbers = iter(range(10**9))

    def contribution() -> dict[str, Any]:
        number = next(numbers)
        occurred_at = datetime(2026, 3, 1, 10, tzinfo=UTC).isoformat()
        sent = {"ref": f"c{number}", "member": f"m{number % 50}", "type": "commented", "occurred_at": occurred_at}
        return sent | {"resource": f"r{number}"}

    def check() -> dict[str, Any]:
        clock.advance(seconds=30)  # nobody may have so many checks done at once
        return {"credential": badge}

    posts = f"/v1/networks/{stage.slug}/contributions"
    ours, theirs, read, plain, listed, verified = medians(
        asked(app, "POST", posts, contribution, **signed),
        asked(bare, "POST", "/things", contribution),
        asked(app, "GET", path, Accept="application/ld+json"),
        asked(bare, "GET", "/things/1"),
        asked(app, "GET", status, Accept="application/vc"),
        asked(app, "POST", "/v1/verifications", check),
    )
    peer = "bare FastAPI route"
    yield Row("post-one", f"{peer} that inserts", 1 / 5, ours, theirs)
    yield Row("get-credential", peer, 1 / 2, read, plain)
    yield Row("get-status", peer, 1 / 2, listed, plain)
    yield Row("verify-own", peer, 1 / 12, verified, plain)


async def _asked(
    app: ASGIApp, method: str, path: str, body: Callable[[], Any] | None, headers: dict[str, str]
) -> float:
    """Send some requests one after the other, and return how many milliseconds one took."""
    bodies = [b"" if body is None else json.dumps(body()).encode() for _ in range(TURNS)]
    begin = time.perf_counter()
    for sent in bodies:
        await _answered(app, method, path, sent, headers)
    return (time.perf_counter() - begin) * 1000 / TURNS


async def _answered(app: ASGIApp, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
    told = {"host": BASE_URL.split("//")[1], "content-type": "application/json", "content-length": str(len(body))}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": BASE_URL.split(":")[0],
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in (told | headers).items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("localhost", 8000),
        "state": {},
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    assert statuses[0] in {200, 201}, (method, path, statuses)


def _badge(stage: Stage) -> dict[str, Any]:
    """Publish as many rules as a small network has, and return the badge of somebody who met one of them."""
    for number in range(RULES):
        stage.achievement(f"sharer-{number}", rule=SHARE_TWICE | {"gte": 2 + number})
    for number in range(50):
        stage.member(f"m{number}", email=f"m{number}@river.example")
    for nth in (1, 2):
        stage.share(nth, "m1")
    (item,) = stage.send("GET", "./credentials")["items"]
    found: dict[str, Any] = stage.client.get(item["url"], headers={"Accept": "application/ld+json"}).json()
    return found


def _bare(engine: Any, text: str) -> FastAPI:
    app = FastAPI()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Thing(text=text))
        session.commit()

    @app.post("/things", status_code=201)
    def insert(body: ThingIn) -> dict[str, int]:
        with Session(engine) as session:
            row = Thing(text=body.model_dump_json())
            session.add(row)
            session.commit()
            return {"id": row.id}

    @app.get("/things/{number}")
    def read(number: int) -> Response:
        with Session(engine) as session:
            row = session.scalars(select(Thing).where(Thing.id == number)).one()
            return Response(row.text, media_type="application/ld+json")

    return app
