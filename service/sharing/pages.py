"""Public addresses: a page for people, the document for programs."""

import json
from datetime import datetime
from functools import partial
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from credentials import Fetched
from service.checking import wording
from service.checking.api_desk import DeskHere
from service.checking.desk import Desk
from service.errors import NotFoundError
from service.issuing import credentials
from service.issuing.visibility import Visibility, indexed
from service.networks.guidelines import documents as guidelines
from service.public import documents
from service.public.api import FIVE_MINUTES, ONE_HOUR, served
from service.public.shapes import DecisionReceipt, Profile, PublishedAchievement, SignedCredential
from service.runtime.settings import Settings
from service.sharing import standing, views
from service.sharing.certificate import recipients_name
from service.sharing.pages_answers import no_badge
from service.sharing.rules import sentences
from service.sharing.standing import Standing
from service.signing import issuers
from service.texts.languages import N_, Language
from service.web.conditional import IfNoneMatch, entity_tag, is_named
from service.web.costly import in_a_place
from service.web.file_names import disposition, file_name
from service.web.link_previews import Accept
from service.web.openapi import also, given_as
from service.web.rendering import HTML, PRIVATE, render, wanted
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(tags=["public addresses"], default_response_class=Response)

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
PAGE = "a page for people"
CREDENTIAL = given_as(
    {form: SignedCredential for form, kind in CREDENTIAL_FORMS.items() if kind == "json" and form != "application/vc"}
    | dict.fromkeys(("application/vc+jwt", "application/jwt", "text/plain"), "the credential as VC-JWT")
    | {"image/png": None, "image/svg+xml": None, HTML: PAGE}
)


@router.get("/credentials/{name}", responses=CREDENTIAL | also(410))
async def get_signed_credential(
    request: Request,
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
    if form == "html":  # a badge is checked, and a picture is drawn
        return await in_a_place(request, partial(_credential_page, desk, now, language, credential_id, if_none_match))
    if form == "json":
        media_type = documents.CREDENTIAL if ending or media_type == "application/vc" else media_type
    elif form == "jwt":
        media_type = "text/plain" if ending else media_type
    work = partial(
        _credential_document, desk, now, credential_id, form, media_type, if_none_match, to_keep=bool(ending)
    )
    return await (in_a_place(request, work) if form in {"png", "svg"} else run_in_threadpool(work))


def _credential_document(
    desk: Desk, now: Now, credential_id: str, form: str, media_type: str, if_none_match: str | None, *, to_keep: bool
) -> Response:
    """Give a form of a credential; `to_keep`: with a name for the file, at an address that has an ending."""
    with desk.runtime.database.read() as session:
        row = documents.visible_credential(session, credential_id)
        if row is None:
            documents.refuse_erased(session, credential_id)
            return served(None, None, 0, "credential")
        if form == "json":
            found = Fetched(row.signed.encode(), media_type)
        elif form == "jwt":
            found = Fetched(row.jwt.encode(), media_type)
        elif form == "png":
            found = Fetched(credentials.baked(session, row, "png"), "image/png")
        else:
            found = Fetched(credentials.baked(session, row, "svg"), "image/svg+xml")
        name = json.loads(row.signed)["credentialSubject"]["achievement"]["name"]
        is_indexed = indexed(session, row, now)
    answer = served(found, if_none_match, FIVE_MINUTES, "credential", vary=True)
    if not is_indexed:
        answer.headers["X-Robots-Tag"] = "noindex"
    if to_keep:
        answer.headers["Content-Disposition"] = disposition("inline", file_name(name, form))
    return answer


def _credential_page(
    desk: Desk, now: Now, language: Language, credential_id: str, if_none_match: str | None
) -> Response:
    found = standing.of(desk, credential_id, now)
    if found is None:
        return no_badge(language, desk.runtime, credential_id)
    return _tagged(badge_page(desk.runtime.settings, found, language), if_none_match)


def as_others_see_it(
    desk: Desk, now: datetime, language: Language, credential_id: str, visibility: Visibility
) -> Response:
    """Return the page of a badge as others would see it with this visibility.

    It is for the person to whom the badge was issued, and shows a private one too: the caller makes sure whose it is.
    """
    found = standing.of(desk, credential_id, now, visibility)
    page = (
        no_badge(language, desk.runtime, credential_id)
        if found is None
        else badge_page(desk.runtime.settings, found, language)
    )
    page.headers.update(PRIVATE | {"X-Robots-Tag": "noindex"})
    return page


def badge_page(settings: Settings, found: Standing, language: Language) -> Response:
    """Return the page of a badge."""
    shown, checked = found.shown, found.checked
    subject, base_url = shown.document["credentialSubject"], settings.base_url
    return render(
        "credential.html",
        language=language,
        indexed=shown.indexed,
        credential=shown.document,
        achievement=subject["achievement"],
        issuer=shown.document["issuer"],
        issuer_page=issuers.network_url(settings, shown.network),
        recipient=recipients_name(shown.document),
        sandbox=shown.network.sandbox,
        state=shown.state,
        checked=checked,
        headline=wording.headline(checked, language),
        said=wording.said(checked, language),
        follower=shown.follower,
        reissued_at=shown.reissued_at,
        earlier=shown.earlier,
        awarded=shown.document.get("awardedDate") or shown.document["validFrom"],
        results=shown.results,
        endorsements=shown.endorsements,
        rules=shown.rules,
        slug=shown.network.slug,
        can_be_endorsed=shown.can_be_endorsed,
        until=shown.row.valid_until,
        file=partial(file_name, subject["achievement"]["name"]),
        verify_link=f"{base_url}/verify?link={quote(shown.document['id'], safe=':/')}",
        button=f"{base_url}/static/verify-{language.code}.svg",
    )


@router.get("/networks/{slug}", responses=given_as({documents.JSON_LD: Profile, HTML: PAGE}))
def get_issuer_profile(
    slug: str,
    session: Reader,
    runtime: Running,
    now: Now,
    language: Speaking,
    accept: Accept = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Give an issuer: its Open Badges Profile, or its page."""
    slug, ending = _without_ending(slug)
    if not ending and wanted(accept, DOCUMENT_FORMS) == HTML:
        shown = views.network(session, runtime, slug, now)
        if shown is None:
            sentence = N_("Check the link. The page of every badge leads to the network that issued it.")
            return _notice(language, N_("No network at this address"), sentence)
        page = render(
            "network.html",
            language=language,
            indexed=not shown.network.sandbox and shown.network.state != "draft",
            network=shown.network,
            name=shown.name,
            did=shown.did,
            address=shown.address,
            keys=shown.keys,
            achievements=shown.achievements,
            rules=shown.rules,
            listed=shown.listed,
            guidelines=guidelines.in_force(session, shown.network),
            objectives=shown.objectives,
        )
        return _tagged(page, if_none_match)
    return served(documents.profile(session, runtime, slug), if_none_match, FIVE_MINUTES, "network", vary=True)


@router.get("/achievements/{version_id}", responses=given_as({documents.JSON_LD: PublishedAchievement, HTML: PAGE}))
def get_published_achievement(
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
            sentence = N_("Check the link. The page of every badge leads to its criteria.")
            return _notice(language, N_("No criteria at this address"), sentence)
        page = render(
            "achievement.html",
            language=language,
            indexed=True,
            achievement=shown.document,
            network=shown.network,
            issuer=shown.issuer,
            published=shown.version.published_at,
            retired_at=shown.retired_at,
            objectives=shown.objectives,
            award=shown.version.award,
            lines=list(sentences.lines(shown.rule, language, shown.names)) if shown.rule else [],
            approved=shown.rule is not None and sentences.asks_for_people(shown.rule),
            rule=json.dumps(shown.version.definition["criteria"].get("rule"), ensure_ascii=False, indent=2),
        )
        return _tagged(page, if_none_match)
    found = documents.achievement(session, runtime, version_id)
    return served(found, if_none_match, ONE_HOUR, "achievement", vary=True)


@router.get("/receipts/{receipt_id}", responses=given_as({"application/json": DecisionReceipt, HTML: PAGE}))
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
            sentence = N_(
                "Check the link. If the person keeps the badge private, the record of its decision is private too."
            )
            return _notice(language, N_("No record of a decision at this address"), sentence)
        node = shown.document.get("criteria")
        page = render(
            "receipt.html",
            language=language,
            receipt=shown.document,
            lines=list(sentences.lines(shown.rule, language, shown.names, node)) if shown.rule else [],
            held=shown.held,
            network=shown.network,
            issuer=shown.issuer,
            achievement=shown.name,
            digest=shown.digest,
            credential=shown.credential_id,
            corrected=shown.corrected,
            carried=shown.carried,
        )
        return _tagged(page, if_none_match)
    found = documents.receipt(session, runtime, receipt_id)
    answer = served(found, if_none_match, ONE_HOUR, "receipt", vary=True)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@router.get("/", include_in_schema=False)
def get_home(language: Speaking, runtime: Running) -> Response:
    """Give the home page, which says what this service is."""
    base_url = runtime.settings.base_url
    return render("home.html", language=language, indexed=True, max_age_seconds=FIVE_MINUTES, base_url=base_url)


def _without_ending(name: str) -> tuple[str, str]:
    return (name.removesuffix(".json"), "json") if name.endswith(".json") else (name, "")


def _notice(language: Language, title: str, sentence: str) -> Response:
    return render("notice.html", language=language, status=404, title=title, sentence=sentence)


def _tagged(page: Response, if_none_match: str | None) -> Response:
    """Give the page its ETag, or answer 304 where the caller has it already."""
    etag = entity_tag(bytes(page.body))
    page.headers["ETag"] = etag
    if is_named(etag, if_none_match):
        headers = {
            name: value for name, value in page.headers.items() if name not in {"content-length", "content-type"}
        }
        return Response(status_code=304, headers=headers)
    return page
