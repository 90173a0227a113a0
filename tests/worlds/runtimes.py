"""A runtime for tests: all files in one folder, and a clock that tests set."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from service.app import create_app, handed_down
from service.checking.desk import Desk
from service.runtime import settings
from service.runtime.runtime import Runtime
from service.runtime.settings import Settings
from service.unpacking.apart import Workers
from tests.worlds import databases

BASE_URL = "http://localhost:8000"


class Clock:
    """A clock that stands still at the instant to which it was last set."""

    def __init__(self, at: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Return the present instant."""
        return self.at

    def seconds(self) -> float:
        """Return the present instant as a steady count of seconds."""
        return self.at.timestamp()

    def advance(self, **by: float) -> datetime:
        """Move on by `days=`, `minutes=`, ... and return the new instant."""
        self.at += timedelta(**by)
        return self.at


def settings_in(folder: Path, **given: Any) -> Settings:
    """Return settings that keep everything in `folder` and read nothing from outside."""
    defaults = {
        "database_url": f"sqlite:///{folder}/laurel.db",
        "base_url": BASE_URL,
        "keys_folder": folder / "keys",
        "keys_passphrase": "for tests",
        "data_folder": folder / "var",
    }
    return settings.load(_env_file=None, **defaults | given)


@contextmanager
def start(given: Settings, clock: Clock) -> Iterator[Runtime]:
    """Yield a running service; its database must be migrated."""
    runtime = Runtime.start(given, now=clock)
    databases.share_compiled(runtime.database)
    try:
        yield runtime
    finally:
        runtime.database.dispose()


class _SharedWorkers(Workers):
    def close(self) -> None:
        """Do nothing: other tests go on with them."""


WORKERS = _SharedWorkers()
"""The processes in which all tests open files: started when they are first needed, they end with the tests."""
_apps: dict[tuple[int, ...], FastAPI] = {}


def app_of(runtime: Runtime, desk: Desk | None = None) -> FastAPI:
    """Return the app of a service, without what a server does beside requests.

    Its routes are shared with the other apps of this process that have the same settings for them: building them takes
    half a second.
    """
    app = whole_app_of(runtime, desk)
    app.middleware_stack = _NothingBeside(app.build_middleware_stack())
    return app


def whole_app_of(runtime: Runtime, desk: Desk | None = None) -> FastAPI:
    """Return the app of a service as a server runs it: with its upkeep, and with what looks at its health."""
    given = runtime.settings
    limits = (given.max_body_bytes, given.max_bulk_bytes, given.max_blob_bytes, given.vc_api)
    if limits not in _apps:
        _apps[limits] = create_app(runtime)
    app = copy(_apps[limits])
    app.state = handed_down(runtime, desk or desk_of(runtime))
    app.middleware_stack = None
    return app


class _NothingBeside:
    """Middleware that starts and ends nothing with the server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
        else:
            await self._app(scope, receive, send)


def desk_of(runtime: Runtime) -> Desk:
    """Return a desk of a service; it counts seconds by the service's clock, and shares its workers with all others."""
    steady = runtime.now.seconds if isinstance(runtime.now, Clock) else time.monotonic
    return Desk.open(runtime, steady, WORKERS)
