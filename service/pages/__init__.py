"""HTML for people."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from service.batches import MAX_BYTES
from service.pages import batch, docs, public, speaking, verify
from service.settings import Settings

SWAGGER = Path(fastapi_offline.__file__).parent / "static"


def include(app: FastAPI, settings: Settings) -> None:
    """Add the pages and their static files; a file to verify may be as large as a picture."""
    app.include_router(public.router)
    app.include_router(docs.router)
    app.include_router(speaking.router)
    app.include_router(batch.router, max_body_size=MAX_BYTES)
    app.include_router(verify.router, max_body_size=settings.max_blob_bytes)
    app.mount("/static/swagger", StaticFiles(directory=SWAGGER))
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
