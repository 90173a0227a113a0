"""HTTP for machines: one file for each resource, its routes and the shapes it takes and gives."""

from fastapi import FastAPI

from service.settings import Settings


def include(app: FastAPI, settings: Settings) -> None:
    """Add every router; the limits of the larger bodies come from the settings."""
    _ = app, settings
