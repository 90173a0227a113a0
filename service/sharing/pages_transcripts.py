"""The page of a collection of badges, for anyone with its link, and its PDF."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from service.checking.api_desk import DeskHere
from service.sharing import certificate, transcripts
from service.sharing.certificate import Paper
from service.texts.languages import N_, Language
from service.web.costly import CostlyRoute
from service.web.file_names import disposition, file_name
from service.web.rendering import page_headers, render
from service.web.requests import Now
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=CostlyRoute)

AcceptLanguage = Annotated[str | None, Header(alias="Accept-Language")]


@router.get("/collections/{collection_id}.pdf")
def get_pdf(
    collection_id: str,
    desk: DeskHere,
    now: Now,
    language: Speaking,
    paper: Paper | None = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """Give a collection to print, with how each badge stands now."""
    found = transcripts.find(desk, collection_id, now)
    if found is None:
        return _none(language)
    address = f"{desk.runtime.settings.base_url}/collections/{found.shown.row.id}"
    content = transcripts.pdf(found, address, language, paper or certificate.paper_of(accept_language), now)
    headers = page_headers() | {
        "Content-Disposition": disposition("inline", file_name(found.shown.row.title, "pdf")),
        "Cache-Control": "no-store",
        "Content-Language": language.code,
    }
    del headers["Content-Security-Policy"]  # a browser shows no PDF in a sandbox; there is no script to stop
    return Response(content, media_type="application/pdf", headers=headers)


@router.get("/collections/{collection_id}")
def get_collection(collection_id: str, desk: DeskHere, now: Now, language: Speaking) -> Response:
    """Show a collection, with how each badge stands now."""
    found = transcripts.find(desk, collection_id, now)
    if found is None:
        return _none(language)
    page = render(
        "collection.html", language=language, indexed=found.shown.indexed, collection=found.shown, badges=found.badges
    )
    page.headers["Cache-Control"] = "no-store"  # a name or a badge that is taken out is gone from caches too
    return page


def _none(language: Language) -> Response:
    sentence = N_("Check the link. If it is right, the person has removed the collection.")
    title = N_("No collection at this address")
    return render("notice.html", language=language, status=404, title=title, sentence=sentence)
