"""The page on which a person shares a badge, and its link as a QR code."""

from datetime import datetime
from functools import partial
from typing import Literal

from fastapi import APIRouter, Request, Response

from credentials import Fetched
from credentials.instants import read_instant
from service.checking.api_desk import DeskHere
from service.checking.desk import Desk
from service.public import documents
from service.public.api import FIVE_MINUTES, served
from service.sharing import embedding, links, qr_codes, standing
from service.sharing.pages_answers import no_badge
from service.sharing.views import ShownCredential
from service.texts.languages import Language
from service.web.conditional import IfNoneMatch
from service.web.costly import in_a_place
from service.web.file_names import file_name
from service.web.rendering import render
from service.web.requests import Now, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False)


@router.get("/credentials/{credential_id}/share")
async def get_share_page(
    request: Request, credential_id: str, desk: DeskHere, now: Now, language: Speaking
) -> Response:
    """Give the page with all ways to share a badge."""
    return await in_a_place(request, partial(_share_page, desk, now, language, credential_id))


def _share_page(desk: Desk, now: datetime, language: Language, credential_id: str) -> Response:
    found = standing.of(desk, credential_id, now)
    if found is None:
        return no_badge(language, desk.runtime, credential_id)
    shown, state = found.shown, found.shown.state
    badge = _shared(shown)
    # A badge that does not hold is not offered to anybody as one that does; its link may still be needed.
    stands = found.tone != "bad"
    return render(
        "share.html",
        language=language,
        credential=shown.document,
        achievement=shown.document["credentialSubject"]["achievement"],
        issuer=badge.issuer,
        sandbox=shown.network.sandbox,
        listed=shown.row.visibility == "public",
        state=state,
        tone=found.tone,
        in_short=found.in_short(language),
        stands=stands,
        profile=links.to_linkedin(badge) if stands and state.kind != "not-yet-valid" else None,
        posts=links.to_post(badge, language) if stands else [],
        frame=embedding.frame(shown, language),
        card=embedding.card_url(badge.url),
        file=partial(file_name, f"{badge.name} QR"),
    )


def _shared(shown: ShownCredential) -> links.SharedBadge:
    document = shown.document
    return links.SharedBadge(
        credential_id=shown.row.id,
        url=document["id"],
        name=document["credentialSubject"]["achievement"]["name"],
        issuer=document["issuer"]["name"],
        awarded=read_instant(document.get("awardedDate")) or shown.row.valid_from,
        until=shown.row.valid_until,
    )


@router.get("/credentials/{credential_id}/qr.{form}")
async def get_qr_code(
    request: Request,
    credential_id: str,
    form: Literal["png", "svg"],
    runtime: Running,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Give the link to a badge as a QR code."""

    def drawn() -> Fetched | None:
        with runtime.database.read() as session:
            row = documents.visible_credential(session, credential_id)
            if row is None:
                documents.refuse_erased(session, credential_id)
                return None
        url = f"{runtime.settings.base_url}/credentials/{row.id}"
        return Fetched(qr_codes.png(url), "image/png") if form == "png" else Fetched(qr_codes.svg(url), "image/svg+xml")

    found = await in_a_place(request, drawn)
    answer = served(found, if_none_match, FIVE_MINUTES, "credential")
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
