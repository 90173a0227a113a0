"""The page that says how far a new name or address has come on somebody's badges."""

from fastapi import APIRouter, Response

from service.accounts.pages_signed_in import Person, PersonalRoute
from service.sharing import signing_anew
from service.web.rendering import render
from service.web.requests import Reader
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)


@router.get("/account/name")
def get_name(session: Reader, language: Speaking, person: Person) -> Response:
    """Say how many badges are still to be signed again; the account's page changes the name."""
    account = person.account(session)
    left = signing_anew.left(session, account.id)
    return render("badges_behind.html", language=language, name=account.name, left=left)
