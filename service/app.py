"""The application: routers, problems, and what runs beside requests.

`create_app` builds it; importing this module does not.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import State
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from service import routes
from service.awards import settling
from service.checking.desk import Desk
from service.notifications import payloads
from service.operations.upkeep import Upkeep
from service.runtime import settings
from service.runtime.runtime import Runtime
from service.web import error_pages, form_charsets, problems, too_large

SENDERS = 4
"""Threads that send to webhooks: fewer slow addresses than this do not keep the others waiting."""


class Laurel(FastAPI):
    """The application.

    Every refusal is a problem, also one by the framework before any route.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """Return the framework's middleware, with ours around it."""
        stack = form_charsets.FormCharsets(super().build_middleware_stack(), error_pages.page_of)
        return _HeadAsGet(too_large.TooLarge(stack, error_pages.page_of))

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI description, with the shape of problems."""
        return problems.document(super().openapi())


class _HeadAsGet:
    """Middleware that answers HEAD as GET, without a body.

    Programs use HEAD to ask whether a link still works. The server leaves the body out.

    Spec: RFC 9110, section 9.3.2.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, HEAD as GET."""
        await self._app({**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope, receive, send)


def handed_down(runtime: Runtime, desk: Desk | None = None) -> State:
    """Return the state of the application, which routes read.

    It has the runtime, and what the routes' packages cannot import because it is above them.

    Args:
        desk: where badges are checked; left out: a new one.
    """
    return State({"runtime": runtime, "desk": desk or Desk.open(runtime), "settle": settling.settle_pending})


def create_app(runtime: Runtime, desk: Desk | None = None) -> FastAPI:
    """Return the application of one runtime.

    The database must be migrated; nothing is read from it before the first request.

    Args:
        desk: where badges are checked; without one, a desk of this runtime is opened.
    Raises:
        SettingsError: as `Desk.open`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime: Runtime = app.state.runtime
        beside = [Upkeep(runtime), *(Upkeep(runtime, {payloads.deliver_webhooks: 1}) for _ in range(SENDERS))]
        app.state.upkeep = beside
        for each in beside:
            each.start()
        yield
        await asyncio.gather(*(run_in_threadpool(each.stop) for each in beside))
        runtime.database.dispose()

    app = Laurel(
        title="Laurel",
        version="1",
        description="Open Badges 3.0 credentials from what happens in peer learning networks.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        max_body_size=runtime.settings.max_body_bytes,
        strict_content_type=True,
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
    return create_app(Runtime.start(settings.load()))
