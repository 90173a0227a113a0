"""Sign in with the operator's OpenID provider: the way there, and back.

A form may not lead to another host (`form-action` of our pages), so that the way there is a page that goes on by itself.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from service.accounts import openid, sign_ins
from service.accounts.browsers import name_of
from service.accounts.challenges import OPEN_FOR
from service.accounts.openid_provider import CALLBACK, Provider
from service.accounts.pages_signed_in import (
    HALF_YEAR_SECONDS,
    AnybodysForm,
    CallerAddress,
    DoorsHere,
    PersonalRoute,
    cookie,
    drop_cookie,
    refused,
    set_cookie,
)
from service.errors import NotFoundError, ServiceError
from service.texts.languages import N_
from service.web.rendering import render
from service.web.requests import Running
from service.web.visitor_language import Speaking, path_of_ours

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

OPEN_SECONDS: Final = int(OPEN_FOR.total_seconds())
NOT_SIGNED_IN = N_("You are not signed in")


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


@router.get(CALLBACK)
def get_answer(
    request: Request, runtime: Running, language: Speaking, there: ProviderHere, doors: DoorsHere, of: CallerAddress
) -> Response:
    """Sign in somebody who comes back from the provider.

    It is a GET that changes something, because providers lead back by one; it does so once, in the browser that began.
    """
    try:
        doors.tries.take(of, doors.steady())
        told, onward = openid.come_back(runtime, there, cookie(request, "openid"), request.query_params.multi_items())
        now = runtime.now()
        with runtime.database.write() as session:
            account = openid.account_of(session, there, told, now)
            browser = name_of(request.headers.get("User-Agent", ""))
            secret = sign_ins.begin(session, account, means="openid", browser=browser, now=now)
    except ServiceError as error:
        return refused(language, NOT_SIGNED_IN, error, back="/sign-in")
    response = Response(status_code=303, headers={"Location": onward})
    drop_cookie(response, runtime, "openid")
    set_cookie(response, runtime, "sign-in", secret, HALF_YEAR_SECONDS)
    return response
