"""Pages of the operator's OpenID provider: the way there, and back.

Somebody signs in with it, or links their account with it.

A form may not lead to another host (`form-action` of our pages), so that the way there is a page that goes on by itself.
"""

from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from service.accounts import openid
from service.accounts.challenges import OPEN_FOR
from service.accounts.openid_provider import CALLBACK, Provider
from service.accounts.pages_signed_in import (
    AnybodysForm,
    CallerAddress,
    DoorsHere,
    PerhapsPerson,
    PersonalRoute,
    PersonLately,
    PersonsForm,
    cookie,
    drop_cookie,
    refused,
    set_cookie,
    welcome,
)
from service.errors import NotFoundError, ServiceError, UnauthenticatedError
from service.runtime.settings import Settings
from service.storage.database import ReadSession, WriteSession
from service.texts.languages import N_
from service.web.rendering import render
from service.web.requests import Now, Running, Writer
from service.web.visitor_language import Speaking, path_of_ours

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

OPEN_SECONDS: Final = int(OPEN_FOR.total_seconds())
ACCOUNT: Final = "/account"
NOT_SIGNED_IN = N_("You are not signed in")
NOT_LINKED = N_("Your account was not linked")
NOT_REMOVED = N_("The link was not removed")


async def provider(request: Request) -> Provider:
    """Return the provider of the settings.

    Raises:
        NotFoundError: the operator has configured none (code "not-found").
    """
    found: Provider | None = request.app.state.provider
    if found is None:
        raise NotFoundError("not-found", "People sign in to this service by mail and passkey only.")
    return found


ProviderHere = Annotated[Provider, Depends(provider)]


@router.post("/sign-in/openid/ask")
def post_sign_in(
    runtime: Running, language: Speaking, sent: AnybodysForm, there: ProviderHere, doors: DoorsHere, of: CallerAddress
) -> Response:
    """Lead to the provider."""
    try:
        doors.tries.take(of, doors.steady())
        address, secret = openid.begin(runtime, there, path_of_ours(sent.get("onward", "/")))
    except ServiceError as error:
        return refused(language, NOT_SIGNED_IN, error, back="/sign-in")
    response = render("sign_in_openid.html", language=language, back="/sign-in", address=address, name=there.name)
    set_cookie(response, runtime, "openid", secret, OPEN_SECONDS)
    return response


@router.post("/account/openid")
def post_link(
    runtime: Running,
    language: Speaking,
    person: PersonLately,
    _sent: PersonsForm,
    there: ProviderHere,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Lead somebody who is signed in to the provider, to sign in so as well from now on."""
    try:
        doors.tries.take(of, doors.steady())
        address, secret = openid.begin(runtime, there, f"{ACCOUNT}?done=openid", person.account_id)
    except ServiceError as error:
        return refused(language, NOT_LINKED, error, back=ACCOUNT)
    response = render("sign_in_openid.html", language=language, back=ACCOUNT, address=address, name=there.name)
    set_cookie(response, runtime, "openid", secret, OPEN_SECONDS)
    return response


@router.post("/account/openid/{identity_id}/remove")
def post_removal(
    identity_id: UUID, session: Writer, now: Now, language: Speaking, person: PersonLately, _sent: PersonsForm
) -> Response:
    """Have nobody sign in with the provider to the account of the person any more."""
    account = person.account(session)
    try:
        openid.unlink(session, account, identity_id, now)
    except UnauthenticatedError:
        raise
    except ServiceError as error:
        return refused(language, NOT_REMOVED, error, back=ACCOUNT)
    return Response(status_code=303, headers={"Location": f"{ACCOUNT}?done=openid-removed"})


def shown(session: ReadSession | WriteSession, settings: Settings, account_id: UUID) -> dict[str, Any]:
    """Return what `_openid.html` shows, beside `person` and `lately`."""
    linked = openid.list_of(session, account_id)
    here = bool(settings.openid_issuer)
    return {
        "openids": [
            (each, settings.openid_shown if each.issuer == settings.openid_issuer else urlsplit(each.issuer).hostname)
            for each in linked
        ],
        "openid_name": settings.openid_shown,
        "openid_can_link": here and all(each.issuer != settings.openid_issuer for each in linked),
    }


@router.get(CALLBACK)
def get_answer(
    request: Request,
    runtime: Running,
    language: Speaking,
    person: PerhapsPerson,
    there: ProviderHere,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Sign in somebody who comes back from the provider, or link them with the account in which they are signed in.

    It is a GET that changes something, because providers lead back by one; it does so once, in the browser that began.
    """
    title, back = NOT_SIGNED_IN, "/sign-in"
    try:
        doors.tries.take(of, doors.steady())
        told, begun = openid.come_back(runtime, there, cookie(request, "openid"), request.query_params.multi_items())
        now, response = runtime.now(), Response(status_code=303, headers={"Location": begun.onward})
        if begun.account_id is not None:
            title, back = NOT_LINKED, ACCOUNT
            if person is None or person.account_id != begun.account_id:  # who began is not signed in here any more
                raise NotFoundError("openid-over", openid.OVER)
            with runtime.database.write() as session:
                openid.link(session, there, told, begun.account_id, now)
        else:
            with runtime.database.write() as session:
                account = openid.account_of(session, there, told, now)
                welcome(request, response, session, account, "openid", now)
    except ServiceError as error:
        return refused(language, title, error, back=back)
    drop_cookie(response, runtime, "openid")
    return response
