"""Every route of the application, for machines and people, and the static files."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI

import service.accounts.pages_account
import service.accounts.pages_openid
import service.accounts.pages_passkeys
import service.accounts.pages_sign_in
import service.accounts.pages_way_out
import service.achievements.api
import service.achievements.api_enrolments
import service.appeals.api
import service.appeals.api_mediation
import service.awards.api
import service.awards.api_approvals
import service.awards.api_credentials
import service.checking.api
import service.checking.batch.api_batch
import service.checking.batch.pages_batch
import service.checking.keeping.pages_bundles
import service.checking.keeping.pages_receipts
import service.checking.pages
import service.checking.pages_confirmations
import service.console.api_activation
import service.console.api_compromised_keys
import service.console.api_erasing
import service.console.api_oauth
import service.console.api_tokens
import service.console.own_data.pages_own_data
import service.evidence.api_flags
import service.evidence.api_rubrics
import service.files.api
import service.intake.api_attendance
import service.intake.api_bulk
import service.intake.api_corrections
import service.intake.api_evidence
import service.intake.api_members
import service.intake.api_records
import service.intake.pages_attendance
import service.issuing.api_endorsements
import service.networks.api
import service.networks.api_directory
import service.networks.api_listing
import service.networks.api_meetings
import service.networks.api_objectives
import service.networks.guidelines.api_guidelines
import service.notifications.api
import service.notifications.api_rendered
import service.notifications.pages
import service.operations.api
import service.outbox.api
import service.participation.acceptances.api_acceptances
import service.participation.acceptances.pages_guidelines
import service.participation.calls.api
import service.participation.calls.api_applications
import service.participation.calls.api_proposals
import service.participation.calls.pages_calls
import service.participation.expectations.api
import service.participation.expectations.pages
import service.participation.goals.api
import service.participation.goals.pages
import service.participation.joining.api_joining
import service.participation.joining.pages_joining
import service.participation.needs.api_answers
import service.participation.needs.api_cycles
import service.participation.needs.api_findings
import service.participation.needs.pages_links
import service.participation.needs.pages_needs
import service.participation.pages_overview
import service.progress.api
import service.progress.api_dry_runs
import service.progress.api_everybody
import service.public.api
import service.sharing.api_claims
import service.sharing.api_returns
import service.sharing.pages
import service.sharing.pages_badge_settings
import service.sharing.pages_certificate
import service.sharing.pages_claim
import service.sharing.pages_collections
import service.sharing.pages_directory
import service.sharing.pages_embedding
import service.sharing.pages_endorsements
import service.sharing.pages_endorsing
import service.sharing.pages_my_badges
import service.sharing.pages_my_disagreements
import service.sharing.pages_my_records
import service.sharing.pages_name
import service.sharing.pages_openings
import service.sharing.pages_previews
import service.sharing.pages_returning
import service.sharing.pages_sharing
import service.sharing.pages_shown_links
import service.sharing.pages_transcripts
import service.vc_api.api
import service.web.docs
import service.web.rendering
import service.web.site
import service.web.visitor_language
from service.checking.batch.batch import MAX_BYTES
from service.runtime.settings import Settings
from service.unpacking.unpack import MAX_FILE_BYTES
from service.web.static_files import Static

SWAGGER = Path(fastapi_offline.__file__).parent / "static"


def include(app: FastAPI, settings: Settings) -> None:
    """Add every router and the static files.

    The limits of the larger bodies come from the settings.
    """
    _include_api(app, settings)
    _include_pages(app)


def _include_api(app: FastAPI, settings: Settings) -> None:
    # Before the same paths for single bodies.
    app.include_router(service.intake.api_bulk.mixed, max_body_size=settings.max_bulk_bytes)
    app.include_router(service.intake.api_bulk.own, max_body_size=settings.max_bulk_bytes)
    app.include_router(service.intake.api_bulk.router)
    app.include_router(service.networks.api.router)
    app.include_router(service.console.api_activation.router)
    app.include_router(service.networks.api_listing.router)
    app.include_router(service.networks.api_directory.router)
    app.include_router(service.console.api_tokens.router)
    app.include_router(service.console.api_oauth.router, max_body_size=service.console.api_oauth.FORM_BYTES)
    app.include_router(service.console.api_compromised_keys.router)
    app.include_router(service.intake.api_members.router)
    app.include_router(service.participation.joining.api_joining.router)
    app.include_router(service.console.api_erasing.router)
    app.include_router(service.sharing.api_claims.router)
    app.include_router(service.sharing.api_returns.router)
    app.include_router(service.networks.api_objectives.router)
    app.include_router(service.networks.api_meetings.router)
    app.include_router(service.networks.guidelines.api_guidelines.router)
    app.include_router(service.participation.acceptances.api_acceptances.router)
    app.include_router(service.intake.api_attendance.router)
    app.include_router(service.participation.goals.api.router)
    app.include_router(service.participation.needs.api_cycles.router)
    app.include_router(service.participation.needs.api_answers.router)
    app.include_router(service.participation.needs.api_findings.router)
    app.include_router(service.files.api.router, max_body_size=settings.max_blob_bytes + service.files.api.FORM_BYTES)
    app.include_router(service.intake.api_evidence.router)
    app.include_router(service.intake.api_records.router)
    app.include_router(service.intake.api_corrections.router)
    app.include_router(service.evidence.api_flags.router)
    app.include_router(service.evidence.api_rubrics.router)
    app.include_router(service.achievements.api.router)
    app.include_router(service.progress.api_dry_runs.router)
    app.include_router(service.achievements.api_enrolments.router)
    app.include_router(service.progress.api.router)
    app.include_router(service.progress.api_everybody.router)
    app.include_router(service.participation.expectations.api.router)
    app.include_router(service.awards.api.router)
    app.include_router(service.awards.api_approvals.router)
    app.include_router(service.appeals.api.router)
    app.include_router(service.appeals.api_mediation.router)
    app.include_router(service.awards.api_credentials.router)
    app.include_router(service.issuing.api_endorsements.router)
    app.include_router(service.participation.calls.api.router)
    app.include_router(service.participation.calls.api_applications.router)
    app.include_router(service.participation.calls.api_proposals.router)
    app.include_router(service.outbox.api.router)
    app.include_router(service.notifications.api.router)
    app.include_router(service.notifications.api_rendered.router)
    app.include_router(service.public.api.router)
    app.include_router(service.operations.api.router)
    app.include_router(service.checking.batch.api_batch.router, max_body_size=MAX_BYTES)
    app.include_router(service.checking.api.router, max_body_size=settings.max_blob_bytes)
    if settings.vc_api:
        app.include_router(service.vc_api.api.router)


def _include_pages(app: FastAPI) -> None:
    largest = MAX_FILE_BYTES + service.files.api.FORM_BYTES  # a badge to check may be as large as a photo
    # Before the same paths in other forms.
    app.include_router(service.checking.keeping.pages_bundles.router, max_body_size=largest)
    app.include_router(service.sharing.pages_certificate.router)
    app.include_router(service.sharing.pages_previews.router)
    app.include_router(service.sharing.pages_sharing.router)
    app.include_router(service.sharing.pages_embedding.router)
    app.include_router(service.sharing.pages.router)
    app.include_router(service.sharing.pages_directory.router)
    app.include_router(service.participation.joining.pages_joining.router)
    app.include_router(service.checking.pages_confirmations.router)
    app.include_router(service.accounts.pages_passkeys.router)
    app.include_router(service.accounts.pages_openid.router)
    app.include_router(service.accounts.pages_sign_in.router)
    app.include_router(service.participation.needs.pages_needs.router)
    app.include_router(service.participation.needs.pages_links.router)
    app.include_router(service.sharing.pages_claim.router)
    app.include_router(service.sharing.pages_returning.router)
    app.include_router(service.sharing.pages_name.router)
    app.include_router(service.console.own_data.pages_own_data.router)
    app.include_router(service.accounts.pages_account.router)
    app.include_router(service.accounts.pages_way_out.router)
    app.include_router(service.intake.pages_attendance.router)
    app.include_router(service.participation.goals.pages.router)
    app.include_router(service.participation.acceptances.pages_guidelines.router)
    app.include_router(service.participation.acceptances.pages_guidelines.public)
    app.include_router(service.participation.pages_overview.router)
    app.include_router(service.participation.calls.pages_calls.router)
    app.include_router(service.sharing.pages_my_badges.router)
    app.include_router(service.sharing.pages_my_disagreements.router)
    app.include_router(service.sharing.pages_my_records.router)
    app.include_router(service.participation.expectations.pages.router)
    app.include_router(service.sharing.pages_collections.router)
    app.include_router(service.sharing.pages_endorsements.router)
    app.include_router(service.sharing.pages_endorsing.router)
    app.include_router(service.sharing.pages_openings.router)
    app.include_router(service.sharing.pages_openings.public)
    app.include_router(service.sharing.pages_shown_links.router)
    app.include_router(service.sharing.pages_shown_links.public)
    app.include_router(service.sharing.pages_badge_settings.router)
    app.include_router(service.sharing.pages_transcripts.router)
    app.include_router(service.web.docs.router)
    app.include_router(service.web.site.router)
    app.include_router(service.notifications.pages.router)
    app.include_router(service.web.visitor_language.router)
    app.include_router(service.checking.batch.pages_batch.router, max_body_size=MAX_BYTES)
    app.include_router(service.checking.keeping.pages_receipts.router, max_body_size=largest)
    app.include_router(service.checking.pages.router, max_body_size=largest)
    app.mount("/static/swagger", Static(directory=SWAGGER))
    app.mount("/static", Static(packages=service.web.templating.STATIC_PACKAGES))
