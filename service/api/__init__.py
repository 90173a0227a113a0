"""HTTP for machines: one file for each resource, its routes and the shapes it takes and gives."""

from fastapi import FastAPI

from service.api import blobs, members, networks, public, sessions, tokens, verifications
from service.settings import Settings


def include(app: FastAPI, settings: Settings) -> None:
    """Add every router; the limits of the larger bodies come from the settings."""
    app.include_router(networks.router)
    app.include_router(tokens.router)
    app.include_router(members.router)
    app.include_router(sessions.router)
    app.include_router(blobs.router, max_body_size=settings.max_blob_bytes + blobs.FORM_BYTES)
    app.include_router(public.router)
    app.include_router(verifications.router, max_body_size=settings.max_blob_bytes)
