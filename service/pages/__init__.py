"""HTML for people."""

from fastapi import FastAPI

from service.settings import Settings


def include(app: FastAPI, settings: Settings) -> None:
    """Add the pages and their static files."""
    _ = app, settings
