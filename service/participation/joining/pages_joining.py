"""Pages on which a person asks to join a network, and sees what became of it."""

from typing import Final

from fastapi import APIRouter, Response

from service.accounts import accounts
from service.accounts.pages_signed_in import Person, PersonalRoute, PersonsForm, refused
from service.bodies import Uid
from service.errors import InvalidError, ServiceError
from service.participation.joining import join_requests
from service.storage.database import ReadSession
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

MINE: Final = "/my-badges/join-requests"
NOT_ASKED: Final = N_("You cannot ask to join")
NOT_WITHDRAWN: Final = N_("Nothing was changed")


@router.get("/networks/{slug}/join")
def get_join_form(slug: str, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show the form by which somebody asks to join."""
    return _form(session, language, person, slug, now, {})


@router.post("/networks/{slug}/join")
def post_join_request(
    slug: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Ask to join."""
    said = {"name": sent.get("name", "")[:1000], "message": sent.get("message", "")[:10_000]}
    said["address"] = sent.get("address", "")[:1000]
    try:
        with runtime.database.write() as session:
            join_requests.ask(session, slug, person.account_id, said, now)
    except InvalidError as error:
        with runtime.database.read() as session:
            return _form(session, language, person, slug, now, said, error)
    except ServiceError as error:
        return refused(language, NOT_ASKED, error, back="/networks")
    return Response(status_code=303, headers={"Location": MINE})


@router.get(MINE)
def get_own_join_requests(session: Reader, language: Speaking, person: Person) -> Response:
    """Show which networks somebody asked, and what became of it."""
    found = join_requests.own_requests(session, person.account_id)
    return render("my_join_requests.html", language=language, person=person, requests=found)


@router.post(f"{MINE}/{{request_id}}/withdrawal")
def post_withdrawal(
    request_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, _sent: PersonsForm
) -> Response:
    """Take a request back."""
    try:
        with runtime.database.write() as session:
            join_requests.withdraw(session, request_id, person.account_id, now)
    except ServiceError as error:
        return refused(language, NOT_WITHDRAWN, error, back=MINE)
    return Response(status_code=303, headers={"Location": MINE})


def _form(
    session: ReadSession,
    language: Language,
    person: Person,
    slug: str,
    now: Now,
    said: dict[str, str],
    fault: InvalidError | None = None,
) -> Response:
    try:
        place = join_requests.look(session, slug, person.account_id, now)
    except ServiceError as error:
        return refused(language, NOT_ASKED, error, back="/networks")
    account = person.account(session)
    status = 422 if fault else 200 if place.standing is None else 409
    return render(
        "join.html",
        language=language,
        person=person,
        status=status,
        place=place,
        network=place.network,
        addresses=accounts.addresses_of(session, account),
        name=said.get("name", account.name or ""),
        message=said.get("message", ""),
        address=said.get("address", ""),
        fault=fault,
        most=join_requests.MAX_MESSAGE,
    )
