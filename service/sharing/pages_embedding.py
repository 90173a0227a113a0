"""A badge within the pages of others: its card, and oEmbed."""

import json
from datetime import datetime
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from credentials import Fetched
from service.checking.api_desk import DeskHere
from service.checking.desk import Desk
from service.errors import NotFoundError, NotOfferedError
from service.public import documents
from service.public.api import FIVE_MINUTES, served
from service.sharing import embedding, standing, views
from service.sharing.embedding import Room
from service.sharing.pages_answers import ERASED, NO_BADGE
from service.texts.languages import Language, chosen
from service.web.conditional import IfNoneMatch
from service.web.costly import in_a_place
from service.web.rendering import render
from service.web.requests import Now, Reader, Running

router = APIRouter(include_in_schema=False)

CARD_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors *"
)
"""The one page that others may frame: it has no script and no form, so there is nothing to make a visitor press."""
MAX_URL: Final = 2000


def preferred(request: Request) -> Language:
    """Return the language that the browser asks for; without the cookie, which no frame needs."""
    return chosen(request.headers.get("Accept-Language"), None)


Preferred = Annotated[Language, Depends(preferred)]


@router.get("/credentials/{credential_id}/card")
async def get_card(request: Request, credential_id: str, desk: DeskHere, now: Now, language: Preferred) -> Response:
    """Give the card of a badge, for the pages of others."""
    return await in_a_place(request, partial(_card, desk, now, language, credential_id))


def _card(desk: Desk, now: datetime, language: Language, credential_id: str) -> Response:
    found = standing.of(desk, credential_id, now)
    if found is None:  # said within the frame, which stays where it is when a badge becomes private, or is erased
        with desk.runtime.database.read() as session:
            erased = documents.is_erased(session, credential_id)
        page = render(
            "card.html", language=language, status=410 if erased else 404, title=ERASED if erased else NO_BADGE
        )
    else:
        document = found.shown.document
        page = render(
            "card.html",
            language=language,
            credential=document,
            achievement=document["credentialSubject"]["achievement"],
            issuer=document["issuer"],
            state=found.shown.state,
            tone=found.tone,
            in_short=found.in_short(language),
            until=found.shown.row.valid_until,
            now=now,
        )
    page.headers["Content-Security-Policy"] = CARD_POLICY
    page.headers["Vary"] = "Accept-Language"
    return page


@router.get("/oembed")
def get_oembed(
    session: Reader,
    runtime: Running,
    now: Now,
    language: Preferred,
    url: Annotated[str, Query(max_length=MAX_URL)],
    maxwidth: Annotated[int | None, Query(ge=1)] = None,
    maxheight: Annotated[int | None, Query(ge=1)] = None,
    format_: Annotated[str, Query(alias="format", max_length=20)] = "json",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Say how a badge is embedded. Spec: oEmbed 1.0, section 2.

    A private badge is answered as one that does not exist: 401, which oEmbed has for it, would tell that it does.
    """
    if format_ not in {"json", "xml"}:
        raise NotOfferedError("oembed-format-unknown", "Expected the format json or xml.")
    credential_id = embedding.credential_id(runtime.settings, url)
    shown = views.credential(session, credential_id, now) if credential_id else None
    if shown is None:
        documents.refuse_erased(session, credential_id or "")
        raise NotFoundError("credential-unknown", "No credential is published at this address.")
    said = embedding.described(runtime.settings, shown, language, Room(maxwidth, maxheight))
    if format_ == "xml":
        found = Fetched(embedding.as_xml(said).encode(), "text/xml")
    else:
        found = Fetched(json.dumps(said, ensure_ascii=False).encode(), "application/json")
    answer = served(found, if_none_match, FIVE_MINUTES, "credential")
    answer.headers.update({"Vary": "Accept-Language", "X-Robots-Tag": "noindex"})
    return answer
