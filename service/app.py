"""The application: routers, problems, and what runs beside requests.

`create_app` builds it; importing this module does not.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from starlette.datastructures import State
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from service import routes
from service.accounts.limits import Doors
from service.accounts.openid_provider import Provider
from service.awards import settling
from service.checking.desk import Desk
from service.operations import ending
from service.operations.health import Watch
from service.operations.upkeep import LANES, Lane, Upkeep, note_time_if_possible
from service.participation import overview
from service.runtime import logs, memory, settings
from service.runtime.runtime import Runtime
from service.runtime.shared_limits import SharedLimits
from service.web import (
    arriving,
    behind_proxies,
    compressing,
    cut_off,
    error_pages,
    form_charsets,
    openapi,
    problems,
    too_large,
    traced,
    unread,
    unzipping,
)
from service.web.costly import Costly
from service.web.refusals import Refusals
from service.web.requests import without_nul

SWITCH_SECONDS = 0.001
"""How long a thread that works keeps the interpreter from the one that answers everybody; Python's own is five times it."""


class Laurel(FastAPI):
    """The application.

    Every refusal is a problem, also one by the framework before any route.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """Return the framework's middleware, with ours around it."""
        runtime: Runtime = self.state.runtime
        page_of = error_pages.page_of
        stack = form_charsets.FormCharsets(super().build_middleware_stack(), page_of)
        unzipped = unzipping.Unzipping(compressing.Compressing(stack), page_of)
        read = unread.Unread(too_large.TooLarge(arriving.Arriving(unzipped), page_of))
        within = _HeadAsGet(cut_off.CutOff(read, page_of))
        log = logs.write_line if runtime.settings.request_log else None
        return behind_proxies.BehindProxies(traced.Traced(within, runtime.now, log), runtime.settings)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI description."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.document(self)
        return self.openapi_schema


class _HeadAsGet:
    """Middleware that answers HEAD as GET, without a body.

    Programs use HEAD to ask whether a link still works. The server leaves the body out.

    Spec: RFC 9110, section 9.3.2.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, HEAD as GET."""
        if scope.get("method") == "HEAD":
            scope["method"] = "GET"  # of the copy that `BehindProxies` made: the server's own says what to leave out
        await self._app(scope, receive, send)


def handed_down(runtime: Runtime, desk: Desk | None = None) -> State:
    """Return the state of the application, which routes read.

    It has the runtime, what looks at its health, and what the routes' packages cannot import because it is above them.

    Args:
        desk: where badges are checked; left out: a new one.
    """
    desk = desk or Desk.open(runtime)
    return State(
        {
            "runtime": runtime,
            "desk": desk,
            "refusals": Refusals(steady=desk.steady),
            "doors": Doors(steady=desk.steady),
            "provider": Provider(runtime.settings) if runtime.settings.openid_issuer else None,
            "costly": Costly(),
            "settle": settling.settle_if_possible,
            "waiting": overview.waiting,
            "watch": Watch(runtime),
        }
    )


def create_app(runtime: Runtime, desk: Desk | None = None, *, own_process: bool = False) -> FastAPI:
    """Return the application of one runtime.

    The database must be migrated; nothing is read from it before the first request.

    Args:
        desk: where badges are checked; without one, a desk of this runtime is opened.
        own_process: whether the process does nothing else, and ends with the application.
    Raises:
        SettingsError: as `Desk.open`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime, desk = app.state.runtime, app.state.desk
        sys.setswitchinterval(SWITCH_SECONDS)
        if own_process:
            ending.end_within()
            ending.end_with_parent()
        runtime.database.listen()
        await asyncio.to_thread(note_time_if_possible, runtime)
        state = app.state
        limits = desk.shared_limits() | state.refusals.shared_limits() | state.doors.shared_limits()
        sharing = SharedLimits(runtime, limits, desk.steady)
        upkeep = app.state.upkeep = Upkeep(runtime, {**LANES, "limits": Lane({sharing.exchange: 1})})
        watch = app.state.watch = Watch(runtime, upkeep.workers)
        upkeep.start()
        watch.start()
        yield
        # Not in the threads of requests: checks that wait for other servers may hold all of these.
        await asyncio.to_thread(watch.stop)
        await asyncio.to_thread(upkeep.stop)
        desk.workers.close()
        runtime.database.dispose()

    app = Laurel(
        title="Laurel",
        version="1",
        generate_unique_id_function=openapi.operation_id,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        max_body_size=runtime.settings.max_body_bytes,
        strict_content_type=True,
        dependencies=[Depends(without_nul)],
    )
    app.state = handed_down(runtime, desk)
    # Credentials, keys and lists are for any verifier, also one in a browser. Tokens are in a header, never in cookies.
    app.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], expose_headers=["*"]
    )
    problems.install(app, error_pages.page_of)
    routes.include(app, runtime.settings)
    return app


def from_environment() -> FastAPI:
    """Return the application with the settings of this process, for `laurel serve`."""
    logs.keep_quiet()
    memory.return_large_buffers()
    return create_app(Runtime.start(settings.load()), own_process=True)
