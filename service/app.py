"""The application: routers, problems and what runs beside them. Built by `create_app`, never at import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from service import api, pages, settings
from service.api import problems
from service.runtime import Runtime


def create_app(running: Runtime) -> FastAPI:
    """Return the application of one runtime.

    The database must be migrated; nothing is read from it before the first request.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        running.database.dispose()

    app = FastAPI(
        title="Laurel",
        version="1",
        description="Open Badges 3.0 credentials from what happens in peer learning networks.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        max_body_size=running.settings.max_body_bytes,
        strict_content_type=True,
    )
    app.state.runtime = running
    # Credentials, keys and lists are for any verifier, also one in a browser; tokens travel in a header, never in cookies.
    app.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], expose_headers=["*"]
    )
    problems.install(app)
    api.include(app, running.settings)
    pages.include(app, running.settings)
    return app


def from_environment() -> FastAPI:
    """Return the application for the settings of this process, as `laurel serve` starts it."""
    return create_app(Runtime.start(settings.load()))
