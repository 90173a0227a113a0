"""HTTP for machines: one file for each resource, its routes and the shapes it takes and gives."""

from fastapi import FastAPI

from service.api import (
    achievements,
    approvals,
    awards,
    blobs,
    bulk,
    cases,
    contributions,
    credentials,
    dry_runs,
    enrolments,
    evaluations,
    events,
    flags,
    members,
    networks,
    progress,
    public,
    records,
    sessions,
    tokens,
    vc_api,
    verification_batches,
    verifications,
    webhooks,
)
from service.batches import MAX_BYTES
from service.settings import Settings


def include(app: FastAPI, settings: Settings) -> None:
    """Add every router; the limits of the larger bodies come from the settings."""
    app.include_router(bulk.router, max_body_size=settings.max_bulk_bytes)  # before the same paths for single bodies
    app.include_router(networks.router)
    app.include_router(tokens.router)
    app.include_router(members.router)
    app.include_router(sessions.router)
    app.include_router(blobs.router, max_body_size=settings.max_blob_bytes + blobs.FORM_BYTES)
    app.include_router(contributions.router)
    app.include_router(evaluations.router)
    app.include_router(records.router)
    app.include_router(flags.router)
    app.include_router(achievements.router)
    app.include_router(dry_runs.router)
    app.include_router(enrolments.router)
    app.include_router(progress.router)
    app.include_router(awards.router)
    app.include_router(approvals.router)
    app.include_router(cases.router)
    app.include_router(credentials.router)
    app.include_router(events.router)
    app.include_router(webhooks.router)
    app.include_router(public.router)
    app.include_router(verification_batches.router, max_body_size=MAX_BYTES)
    app.include_router(verifications.router, max_body_size=settings.max_blob_bytes)
    if settings.vc_api:
        app.include_router(vc_api.router)
