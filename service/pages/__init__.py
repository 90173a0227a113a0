"""HTML for people."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from service.api.blobs import FORM_BYTES
from service.batches import MAX_BYTES
from service.opening import MAX_FILE_BYTES
from service.pages import batch, bundles, check_receipts, confirmations, docs, public, speaking, verify

SWAGGER = Path(fastapi_offline.__file__).parent / "static"


def include(app: FastAPI) -> None:
    """Add the pages and their static files; what is to be verified may be as large as a photo."""
    largest = MAX_FILE_BYTES + FORM_BYTES
    app.include_router(bundles.router, max_body_size=largest)  # before the same paths in other forms
    app.include_router(public.router)
    app.include_router(confirmations.router)
    app.include_router(docs.router)
    app.include_router(speaking.router)
    app.include_router(batch.router, max_body_size=MAX_BYTES)
    app.include_router(check_receipts.router, max_body_size=largest)
    app.include_router(verify.router, max_body_size=largest)
    app.mount("/static/swagger", StaticFiles(directory=SWAGGER))
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
