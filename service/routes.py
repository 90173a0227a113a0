"""Every route of the application, for machines and people, and the static files."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from service.achievements import api as achievements
from service.achievements import api_enrolments as enrolments
from service.appeals import api as cases
from service.awards import api as awards
from service.awards import api_approvals as approvals
from service.awards import api_credentials as credentials
from service.checking import api as verifications
from service.checking import pages as verify
from service.checking import pages_confirmations as confirmations
from service.checking.batch import api_batch as verification_batches
from service.checking.batch import pages_batch as batch
from service.checking.batch.batch import MAX_BYTES
from service.checking.keeping import pages_bundles as bundles
from service.checking.keeping import pages_receipts as check_receipts
from service.console import api_tokens as tokens
from service.evidence import api_flags as flags
from service.files import api as blobs
from service.intake import api_bulk as bulk
from service.intake import api_evidence as evidence
from service.intake import api_members as members
from service.intake import api_records as records
from service.networks import api as networks
from service.networks import api_meetings as meetings
from service.notifications import api as webhooks
from service.operations import api as health
from service.outbox import api as events
from service.progress import api as progress
from service.progress import api_dry_runs as dry_runs
from service.public import api as public
from service.runtime.settings import Settings
from service.sharing import pages as sharing
from service.unpacking.unpack import MAX_FILE_BYTES
from service.vc_api import api as vc_api
from service.web import docs, rendering, visitor_language

SWAGGER = Path(fastapi_offline.__file__).parent / "static"


def include(app: FastAPI, settings: Settings) -> None:
    """Add every router and the static files.

    The limits of the larger bodies come from the settings.
    """
    _include_api(app, settings)
    _include_pages(app)


def _include_api(app: FastAPI, settings: Settings) -> None:
    app.include_router(bulk.router, max_body_size=settings.max_bulk_bytes)  # before the same paths for single bodies
    app.include_router(networks.router)
    app.include_router(tokens.router)
    app.include_router(members.router)
    app.include_router(meetings.router)
    app.include_router(blobs.router, max_body_size=settings.max_blob_bytes + blobs.FORM_BYTES)
    app.include_router(evidence.router)
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
    app.include_router(health.router)
    app.include_router(verification_batches.router, max_body_size=MAX_BYTES)
    app.include_router(verifications.router, max_body_size=settings.max_blob_bytes)
    if settings.vc_api:
        app.include_router(vc_api.router)


def _include_pages(app: FastAPI) -> None:
    largest = MAX_FILE_BYTES + blobs.FORM_BYTES  # a badge to check may be as large as a photo
    app.include_router(bundles.router, max_body_size=largest)  # before the same paths in other forms
    app.include_router(sharing.router)
    app.include_router(confirmations.router)
    app.include_router(docs.router)
    app.include_router(visitor_language.router)
    app.include_router(batch.router, max_body_size=MAX_BYTES)
    app.include_router(check_receipts.router, max_body_size=largest)
    app.include_router(verify.router, max_body_size=largest)
    app.mount("/static/swagger", StaticFiles(directory=SWAGGER))
    app.mount("/static", StaticFiles(packages=rendering.STATIC_PACKAGES))
