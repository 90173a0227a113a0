"""Public addresses: a page for people, the document for programs."""

from hashlib import sha256
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Response

from credentials import Fetched
from service.checking import check, wording
from service.checking.api_desk import DeskHere
from service.checking.desk import Desk
from service.errors import NotFoundError
from service.issuing import credentials
from service.public import documents
from service.public.api import FIVE_MINUTES, ONE_HOUR, IfNoneMatch, served
from service.sharing import views
from service.signing import issuers
from service.texts.languages import N_, Language
from service.web.rendering import HTML, render, wanted
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=True, tags=["public addresses"])

Accept = Annotated[str | None, Header()]
CREDENTIAL_FORMS = {
    documents.CREDENTIAL: "json",
    "application/ld+json": "json",
    "application/json": "json",
    "application/vc": "json",
    HTML: "html",
    "application/vc+jwt": "jwt",
    "application/jwt": "jwt",
    "image/png": "png",
    "image/svg+xml": "svg",
}
DOCUMENT_FORMS = (documents.JSON_LD, "application/json", HTML)


@router.get("/credentials/{name}")
def get_credential(
    name: str,
    desk: DeskHere,
    now: Now,
    language: Speaking,
    accept: Accept = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Give a credential: JSON-LD, VC-JWT, PNG, SVG or a page, by `Accept` or the ending of the address."""
    credential_id, _, ending = name.partition(".")
    if ending not in {"", "json", "jwt", "png", "svg", "html"}:
        raise NotFoundError("credential-unknown", "No credential is published at this address.")
    media_type = wanted(accept, list(CREDENTIAL_FORMS))
    form = ending or CREDENTIAL_FORMS[media_type]
    if form == "html":
        return _credential_page(desk, now, language, credential_id, if_none_match)
    with desk.runtime.database.read() as session:
        row = documents.visible_credential(session, credential_id)
        if row is None:
            return served(None, None, 0, "credential")
        if form == "json":
            media_type = documents.CREDENTIAL if ending or media_type == "application/vc" else media_type
            found = Fetched(row.signed.encode(), media_type)
        elif form == "jwt":
            found = Fetched(row.jwt.encode(), "text/plain" if ending else media_type)
        elif form == "png":
            found = Fetched(credentials.baked(session, row, "png"), "image/png")
        else:
            found = Fetched(credentials.baked(session, row, "svg"), "image/svg+xml")
    return served(found, if_none_match, FIVE_MINUTES, "credential", vary=True)


def _credential_page(
    desk: Desk, now: Now, language: Language, credential_id: str, if_none_match: str | None
) -> Response:
    runtime = desk.runtime
    with runtime.database.read() as session:
        shown = views.credential(session, credential_id, now)
    if shown is None:
        sentence = N_(
            "There is no badge here, or the person keeps it private. Ask the person for the link or the file."
        )
        return _notice(language, N_("No badge at this address"), sentence)
    # No session is open here: a check opens its own, and a request that holds one while it waits for another can wait
    # for ever. A change of the badge itself shows at once; of a trust list, or of its evidence, within a minute.
    row = shown.row
    key = (row.id, row.signed, row.revoked_at, row.suspended_at, row.superseded_by, shown.state.kind)
    checked = desk.recent.get(key, desk.steady(), lambda: check.check(desk, row.signed))
    subject, base_url = shown.document["credentialSubject"], runtime.settings.base_url
    page = render(
        "credential.html",
        language=language,
        indexed=shown.row.visibility == "public",
        credential=shown.document,
        achievement=subject["achievement"],
        issuer=shown.document["issuer"],
        issuer_page=issuers.network_url(runtime.settings, shown.network),
        sandbox=shown.network.sandbox,
        state=shown.state,
        checked=checked,
        headline=wording.headline(checked, language),
        said=wording.said(checked, language),
        follower=shown.follower,
        awarded=shown.document.get("awardedDate") or shown.document["validFrom"],
        results=shown.results,
        verify_link=f"{base_url}/verify?link={quote(shown.document['id'], safe=':/')}",
        button=f"{base_url}/static/verify-{language.code}.svg",
    )
    return _tagged(page, if_none_match)


@router.get("/networks/{slug}")
def get_network(
    slug: str,
    session: Reader,
    runtime: Running,
    language: Speaking,
    accept: Accept = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Give an issuer: its Open Badges Profile, or its page."""
    slug, ending = _without_ending(slug)
    if not ending and wanted(accept, DOCUMENT_FORMS) == HTML:
        shown = views.network(session, runtime, slug)
        if shown is None:
            return _notice(
                language, N_("No network at this address"), N_("Networks have the address that their badges name.")
            )
        page = render(
            "network.html",
            language=language,
            indexed=not shown.network.sandbox,
            network=shown.network,
            name=shown.name,
            did=shown.did,
            address=shown.address,
            keys=shown.keys,
            achievements=shown.achievements,
        )
        return _tagged(page, if_none_match)
    return served(documents.profile(session, runtime, slug), if_none_match, FIVE_MINUTES, "network", vary=True)


@router.get("/achievements/{version_id}")
def get_achievement(
    version_id: str,
    session: Reader,
    runtime: Running,
    language: Speaking,
    accept: Accept = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Give a published version of an achievement: its criteria for programs, or for people."""
    version_id, ending = _without_ending(version_id)
    if not ending and wanted(accept, DOCUMENT_FORMS) == HTML:
        shown = views.achievement(session, runtime, version_id)
        if shown is None:
            return _notice(
                language, N_("Nothing is published here"), N_("An achievement has the address that its badges name.")
            )
        page = render(
            "achievement.html",
            language=language,
            indexed=True,
            achievement=shown.document,
            network=shown.network,
            issuer=shown.issuer,
            published=shown.version.published_at,
            award=shown.version.award,
            rule=shown.rule,
        )
        return _tagged(page, if_none_match)
    found = documents.achievement(session, runtime, version_id)
    return served(found, if_none_match, ONE_HOUR, "achievement", vary=True)


@router.get("/receipts/{receipt_id}")
def get_receipt(
    receipt_id: str,
    session: Reader,
    runtime: Running,
    language: Speaking,
    accept: Accept = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Give the receipt of a decision: canonical JSON, whose SHA-256 the credential cites, or a page."""
    receipt_id, ending = _without_ending(receipt_id)
    if not ending and wanted(accept, ("application/json", HTML)) == HTML:
        shown = views.receipt(session, receipt_id)
        if shown is None:
            return _notice(
                language, N_("No receipt at this address"), N_("A receipt has the address that its badge names.")
            )
        page = render(
            "receipt.html",
            language=language,
            receipt=shown.document,
            rows=shown.rows,
            network=shown.network,
            issuer=shown.issuer,
            achievement=shown.name,
            digest=shown.digest,
            credential=shown.credential_id,
        )
        return _tagged(page, if_none_match)
    found = documents.receipt(session, runtime, receipt_id)
    answer = served(found, if_none_match, ONE_HOUR, "receipt", vary=True)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@router.get("/", include_in_schema=False)
def get_home(language: Speaking) -> Response:
    """Give the home page, which says what this service is."""
    return render("home.html", language=language, indexed=True, max_age_seconds=FIVE_MINUTES)


def _without_ending(name: str) -> tuple[str, str]:
    return (name.removesuffix(".json"), "json") if name.endswith(".json") else (name, "")


def _notice(language: Language, title: str, sentence: str) -> Response:
    return render("notice.html", language=language, status=404, title=title, sentence=sentence)


def _tagged(page: Response, if_none_match: str | None) -> Response:
    """Give the page its ETag, or answer 304 where the caller has it already."""
    etag = f'"{sha256(page.body).hexdigest()[:32]}"'
    page.headers["ETag"] = etag
    if if_none_match is not None and etag in (part.strip().removeprefix("W/") for part in if_none_match.split(",")):
        headers = {
            name: value for name, value in page.headers.items() if name not in {"content-length", "content-type"}
        }
        return Response(status_code=304, headers=headers)
    return page
