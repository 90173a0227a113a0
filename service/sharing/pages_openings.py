"""Pages for opening a badge to a named employer, and the page that they see.

The recipient sees there who looked.
"""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from service.accounts.pages_signed_in import AnybodysForm, Person, PersonalRoute, PersonsForm, private, refused
from service.accounts.sign_ins import SignedIn
from service.bodies import Uid
from service.checking import wording
from service.checking.api_desk import DeskHere
from service.errors import ServiceError
from service.runtime.runtime import Runtime
from service.sharing import certificate, openings, standing
from service.sharing.openings import Wanted
from service.texts.languages import N_, Language
from service.web.costly import CostlyRoute
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)
public = APIRouter(include_in_schema=False, route_class=CostlyRoute)

HOME: Final = "/my-badges/openings"
NOT_OPENED = N_("Nothing was opened")
NOT_CHANGED = N_("Nothing was changed")


@router.get("/my-badges/openings")
def get_openings(session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show to whom badges were opened, and when each looked."""
    found = openings.list_of(session, person.account_id, now)
    return render("my_openings.html", language=language, person=person, openings=found)


@router.get("/my-badges/openings/new")
def get_new_opening(
    runtime: Running,
    person: Person,
    now: Now,
    language: Speaking,
    badge: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Show the form that opens a badge."""
    return _form(runtime, person, language, now, Wanted(badge))


@router.post("/my-badges/openings/new")
def post_opening(runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm) -> Response:
    """Open a badge, and tell the link: it is told only here."""
    days = sent.get("days", "")
    wanted = Wanted(
        sent.get("badge", ""),
        sent.get("for", ""),
        int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
        sent.get("evidence") == "yes",
    )
    try:
        with runtime.database.write() as session:
            path = openings.create(session, person.account_id, wanted, now)
    except ServiceError as error:
        return _form(runtime, person, language, now, wanted, error)
    link = f"{runtime.settings.base_url}{path}"
    return render("my_new_opening.html", language=language, back=HOME, link=link, wanted=wanted)


@router.post("/my-badges/openings/{opening_id}/end")
def post_end(
    opening_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, _sent: PersonsForm
) -> Response:
    """End an opening."""
    try:
        with runtime.database.write() as session:
            openings.end(session, person.account_id, opening_id, now)
    except ServiceError as error:
        return refused(language, NOT_CHANGED, error, back=HOME)
    return Response(status_code=303, headers={"Location": HOME})


@router.post("/my-badges/openings/{opening_id}/removal")
def post_removal(opening_id: Uid, runtime: Running, person: Person, language: Speaking, _sent: PersonsForm) -> Response:
    """Remove an opening with its viewings from the list."""
    try:
        with runtime.database.write() as session:
            openings.remove(session, person.account_id, opening_id)
    except ServiceError as error:
        return refused(language, NOT_CHANGED, error, back=HOME)
    return Response(status_code=303, headers={"Location": HOME})


@public.get("/opened/{secret}")
def get_opened(secret: str, session: Reader, now: Now, language: Speaking) -> Response:
    """Tell the employer what is noted if they look; show nothing of the badge, and note nothing."""
    found = openings.find(session, secret, now)
    if found is None or not found.is_open:
        return _ended(language, 404 if found is None else 410)
    return private(render("opened_before.html", language=language, back="/", row=found.row))


@public.post("/opened/{secret}")
def post_opened(secret: str, desk: DeskHere, now: Now, language: Speaking, _sent: AnybodysForm) -> Response:
    """Note that the employer looks, and show the badge."""
    with desk.runtime.database.write() as session:
        found = openings.look(session, secret, now)
    if found is None or not found.is_open:
        return _ended(language, 404 if found is None else 410)
    row = found.row
    badge = standing.of(desk, row.credential_id, now, "unlisted")
    if badge is None:
        return _ended(language, 404)
    with desk.runtime.database.read() as session:
        hidden = openings.hidden_items(session, row.credential_id) if row.evidence else []
    page = render(
        "opened.html",
        language=language,
        back="/",
        row=row,
        badge=badge,
        credential=badge.shown.document,
        achievement=badge.shown.document["credentialSubject"]["achievement"],
        headline=wording.headline(badge.checked, language),
        said=wording.said(badge.checked, language),
        hidden=hidden,
        person=certificate.recipients_name(badge.shown.document),
    )
    return private(page)


def _ended(language: Language, status: int) -> Response:
    title = N_("This badge is not open any more")
    sentence = N_("The person has ended this link, or its time is over. Ask them for a new one.")
    return private(render("notice.html", language=language, status=status, back="/", title=title, sentence=sentence))


def _form(
    runtime: Runtime,
    person: SignedIn,
    language: Language,
    now: datetime,
    wanted: Wanted,
    fault: ServiceError | None = None,
) -> Response:
    try:
        with runtime.database.read() as session:
            found = openings.openable(session, person.account_id, wanted.credential_id, now)
    except ServiceError as error:
        return refused(language, NOT_OPENED, error, back="/my-badges")
    return render(
        "my_opening.html",
        language=language,
        status=200 if fault is None else 409 if fault.code == "openings-too-many" else 422,
        back=HOME,
        person=person,
        wanted=wanted,
        found=found,
        fault=fault.message if fault is not None else None,
        days=openings.DAYS,
    )
