"""Pages for making and ending links for one authority, and what they open."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from service.accounts.pages_signed_in import AnybodysForm, Person, PersonalRoute, PersonsForm, private, refused
from service.accounts.sign_ins import SignedIn
from service.bodies import Uid
from service.checking.api_desk import DeskHere
from service.checking.batch import authority_links
from service.errors import ServiceError
from service.runtime.runtime import Runtime
from service.sharing import shown_links, standing
from service.sharing.shown_links import Wanted
from service.tables import Account
from service.texts.languages import N_, Language
from service.web.costly import CostlyRoute
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)
public = APIRouter(include_in_schema=False, route_class=CostlyRoute)

HOME: Final = "/my-badges/links"
MAX_ID: Final = 64
Badge = Annotated[str | None, Query(max_length=MAX_ID)]
NOT_MADE = N_("No link was made")


@router.get("/my-badges/links")
def get_links(session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show the links that work."""
    found = shown_links.list_of(session, person.account_id, now)
    return render("my_links.html", language=language, person=person, links=found)


@router.get("/my-badges/links/new")
def get_new_link(
    runtime: Running,
    person: Person,
    now: Now,
    language: Speaking,
    badge: Badge = None,
    collection: Badge = None,
) -> Response:
    """Show the form for a link to a badge or a collection."""
    return _form(runtime, person, language, now, Wanted("", "", "", 30, badge, collection))


@router.post("/my-badges/links/new")
def post_link(runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm) -> Response:
    """Make a link, and tell it: it is told only here."""
    days = sent.get("days", "")
    wanted = Wanted(
        sent.get("for", ""),
        sent.get("name", ""),
        sent.get("licence", ""),
        int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
        sent.get("badge") or None,
        sent.get("collection") or None,
    )
    try:
        with runtime.database.write() as session:
            path = shown_links.create(session, person.account_id, wanted, now)
    except ServiceError as error:
        return _form(runtime, person, language, now, wanted, error)
    link = f"{runtime.settings.base_url}{path}"
    return render("my_new_link.html", language=language, back=HOME, link=link, wanted=wanted)


@router.post("/my-badges/links/{link_id}/end")
def post_end(link_id: Uid, runtime: Running, person: Person, language: Speaking, _sent: PersonsForm) -> Response:
    """End a link."""
    try:
        with runtime.database.write() as session:
            shown_links.end(session, person.account_id, link_id)
    except ServiceError as error:
        return refused(language, N_("Nothing was changed"), error, back=HOME)
    return Response(status_code=303, headers={"Location": HOME})


@public.get("/shown/{secret}")
def get_shown(secret: str, session: Reader, now: Now, language: Speaking) -> Response:
    """Say what the link is, and show nothing yet: programs that preview links learn nobody's name."""
    found = authority_links.find(session, secret, now)
    if found is None:
        return _ended(language)
    return private(render("shown_before.html", language=language, back="/", to=found.row.shown_to))


@public.post("/shown/{secret}")
def post_shown(secret: str, desk: DeskHere, now: Now, language: Speaking, _sent: AnybodysForm) -> Response:
    """Show name, licence number and how each badge stands now."""
    with desk.runtime.database.read() as session:
        found = authority_links.find(session, secret, now)
    if found is None:
        return _ended(language)
    badges = [standing.of(desk, each, now) for each in found.credential_ids]
    page = render(
        "shown.html",
        language=language,
        back="/",
        row=found.row,
        badges=[each for each in badges if each is not None],
    )
    return private(page)


def _ended(language: Language) -> Response:
    title, sentence = N_("This link does not work any more"), authority_links.ENDED.message
    return private(render("notice.html", language=language, status=404, back="/", title=title, sentence=sentence))


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
            of = shown_links.subject(session, person.account_id, wanted, now)
            name = session.get_one(Account, person.account_id).name
    except ServiceError as error:
        return refused(language, NOT_MADE, error, back="/my-badges")
    return render(
        "my_link.html",
        language=language,
        status=200 if fault is None else 409 if fault.code == "shown-links-too-many" else 422,
        back=HOME,
        person=person,
        wanted=wanted,
        of=of,
        name=wanted.name or name or "",
        fault=fault.message if fault is not None else None,
        days=shown_links.DAYS,
    )
