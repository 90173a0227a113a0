"""What a person takes away: a certificate to print, and everything in one file."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response

from credentials import Fetched
from service.checking.api_desk import Address, DeskHere
from service.errors import ConflictError, NotFoundError
from service.public import documents
from service.public.api import FIVE_MINUTES, served
from service.sharing import certificate, take_away
from service.texts.languages import N_
from service.web.conditional import IfNoneMatch, is_named
from service.web.costly import CostlyRoute
from service.web.file_names import disposition
from service.web.openapi import also, given_as
from service.web.rendering import HTML, page_headers, render, wanted
from service.web.requests import Now, Running
from service.web.visitor_language import Speaking

router = APIRouter(tags=["public addresses"], route_class=CostlyRoute, default_response_class=Response)

PDF, ZIP = "application/pdf", "application/zip"
PaperAsked = Annotated[
    certificate.Paper | None,
    Query(description="the size of the paper; left out: what the first region in `Accept-Language` uses, or A4"),
]
AcceptLanguage = Annotated[str | None, Header(alias="Accept-Language", include_in_schema=False)]


@router.get("/credentials/{credential_id}.pdf", responses=given_as({PDF: None}) | also(409, 410))
def get_credential_certificate(
    request: Request,
    runtime: Running,
    now: Now,
    language: Speaking,
    credential_id: str,
    paper: PaperAsked = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Give the certificate of a credential to print: one page of PDF, with the signed credential attached.

    There is none of a credential that its issuer has revoked, replaced or suspended.
    """
    try:
        with runtime.database.read() as session:
            found = certificate.find(session, runtime, credential_id, now)
            if found is None:
                documents.refuse_erased(session, credential_id)
    except ConflictError as error:
        if wanted(request.headers.get("Accept"), ("application/problem+json", HTML)) != HTML:
            raise
        title = N_("There is no certificate")
        return render("notice.html", language=language, status=409, title=title, sentence=error.message)
    if found is None:
        return served(None, None, 0, "credential")
    content = certificate.pdf(found, language, paper or certificate.paper_of(accept_language))
    answer = served(Fetched(content, PDF), if_none_match, FIVE_MINUTES, "credential")
    del answer.headers["Content-Security-Policy"]  # a browser shows no PDF in a sandbox; there is no script to stop
    answer.headers.update(_own("inline", take_away.name(found.signed, "pdf")))
    return answer


@router.get("/credentials/{credential_id}.zip", responses=given_as({ZIP: None}) | also(410))
def get_credential_files(
    desk: DeskHere,
    address: Address,
    now: Now,
    language: Speaking,
    credential_id: str,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Give a credential in every form, in one ZIP file: pictures, documents, bundle and certificate.

    Its entity tag depends on what is in it, not on when the bundle was made. Has fair limits (429 with `Retry-After`).
    """
    with desk.fair_use.turn(address, desk.steady):
        found = take_away.find(desk.runtime, credential_id, now, language, certificate.paper_of(accept_language))
    if found is None:
        with desk.runtime.database.read() as session:
            documents.refuse_erased(session, credential_id)
        raise NotFoundError("credential-unknown", "No credential is published at this address.")
    headers = page_headers(max_age_seconds=FIVE_MINUTES) | {"ETag": found.etag} | _own("attachment", found.name)
    if is_named(found.etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=ZIP, headers=headers)


def _own(kind: Literal["inline", "attachment"], name: str) -> dict[str, str]:
    return {
        "Content-Disposition": disposition(kind, name),
        "Vary": "Accept, Accept-Language, Cookie",
        "X-Robots-Tag": "noindex",
    }
