"""Pages for signing in by mail, and out.

Nothing tells a stranger whether an address has an account. The page that a mailed link opens signs nobody in: its button
does, because mail scanners fetch every link.
"""

from contextlib import suppress
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from service.accounts import sign_in, sign_ins
from service.accounts.addresses import read
from service.accounts.pages_signed_in import (
    AnybodysForm,
    CallerAddress,
    DoorsHere,
    PerhapsPerson,
    Person,
    PersonalRoute,
    PersonsForm,
    cookie,
    drop_cookie,
    private,
    refused,
    set_cookie,
    welcome,
)
from service.errors import CustodyError, ServiceError
from service.runtime.runtime import Runtime
from service.tables import Account, SignInRequest
from service.texts.languages import N_
from service.web.rendering import render
from service.web.requests import Now, Reader, Running, Writer
from service.web.visitor_language import Speaking, path_of_ours

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

HOME: Final = "/my-badges"
"""Where somebody goes who signs in without having asked for a page."""
ASKING_SECONDS: Final = int((sign_in.OPEN_FOR).total_seconds())
KNOWN_SECONDS: Final = 365 * 24 * 3600
WHY: Final = {
    "/attend": N_("Sign in, so that you can say that you were in the session."),
    "/calls": N_("Sign in, so that you can apply."),
    "/networks": N_("Sign in, so that you can ask to join."),
}
"""Why somebody is asked to sign in, by the first part of the path that they wanted; other paths need no word."""
NO_ADDRESS = N_("Enter an email address, such as name@example.org.")
NOT_SENT = N_("We could not send the email")
NOT_SIGNED_IN = N_("You are not signed in")


@router.get("/sign-in")
def get_sign_in(
    runtime: Running,
    language: Speaking,
    person: PerhapsPerson,
    onward: Annotated[str, Query()] = HOME,
    address: Annotated[str, Query()] = "",
    again: Annotated[str, Query()] = "",
) -> Response:
    """Show the form that asks for an address; somebody who is signed in goes on, unless they are to sign in again."""
    if person is not None and not again:
        return Response(status_code=303, headers={"Location": path_of_ours(onward)})
    return render(
        "sign_in.html",
        language=language,
        onward=path_of_ours(onward),
        address=address[:254],
        again=person is not None,
        why=why(onward),
        fault=None,
        openid_name=runtime.settings.openid_shown,
    )


def why(onward: str) -> str | None:
    """Return why somebody is asked to sign in who wanted this path: a msgid, or None if that needs no word."""
    return WHY.get("/" + path_of_ours(onward).split("?", maxsplit=1)[0].split("/")[1])


@router.post("/sign-in")
def post_sign_in(
    request: Request,
    session: Writer,
    runtime: Running,
    now: Now,
    language: Speaking,
    sent: AnybodysForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Have the mail sent, and lead to the page that takes the code."""
    onward = path_of_ours(sent.get("onward", HOME))
    address = read(sent.get("address", ""))
    if address is None:
        typed = sent.get("address", "")[:254]
        return render(
            "sign_in.html",
            language=language,
            status=422,
            onward=onward,
            address=typed,
            why=why(onward),
            fault=NO_ADDRESS,
            openid_name=runtime.settings.openid_shown,
        )
    try:
        doors.mails.take(of, doors.steady())
        known = sign_in.is_known(runtime, address, cookie(request, "known"))
        browser = sign_in.ask(session, runtime, address, language=language.code, onward=onward, now=now, known=known)
    except ServiceError as error:
        return refused(language, NOT_SENT, error, back="/sign-in")
    response = Response(status_code=303, headers={"Location": "/sign-in/code"})
    set_cookie(response, runtime, "asking", browser, ASKING_SECONDS)
    return response


@router.get("/sign-in/code")
def get_code(request: Request, session: Reader, now: Now, language: Speaking) -> Response:
    """Show the form that takes the code of the mail, and whether the mail could not be delivered."""
    delivery = sign_in.delivery(session, cookie(request, "asking"), now)
    return render("sign_in_code.html", language=language, fault=None, delivery=delivery)


@router.post("/sign-in/code")
def post_code(
    request: Request,
    session: Writer,
    runtime: Running,
    now: Now,
    language: Speaking,
    sent: AnybodysForm,
    doors: DoorsHere,
    of: CallerAddress,
    person: PerhapsPerson,
) -> Response:
    """Sign in with the code, in the browser that asked."""
    signed_in = None if person is None else person.account_id
    try:
        doors.tries.take(of, doors.steady())
        asking = cookie(request, "asking")
        used = sign_in.by_code(session, runtime, sent.get("code", ""), asking, now, signed_in=signed_in)
    except ServiceError as error:
        return refused(language, NOT_SIGNED_IN, error, back="/sign-in")
    if used is None:
        return render("sign_in_code.html", language=language, status=422, fault=sign_in.WRONG_CODE)
    return _led_on(request, runtime, session, used, "code", now)


@router.get("/sign-in/{link}")
def get_link(
    request: Request,
    link: str,
    session: Reader,
    runtime: Running,
    now: Now,
    language: Speaking,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Show the button that signs in; in another browser than the one that asked, the code to type there."""
    try:
        doors.tries.take(of, doors.steady())
        asked = sign_in.shown(session, runtime, link, cookie(request, "asking"), now)
    except ServiceError as error:
        return refused(language, NOT_SIGNED_IN, error, back="/sign-in")
    return render("sign_in_link.html", language=language, asked=asked, link=link)


@router.post("/sign-in/{link}")
def post_link(
    request: Request,
    link: str,
    session: Writer,
    runtime: Running,
    now: Now,
    language: Speaking,
    _sent: AnybodysForm,
    doors: DoorsHere,
    of: CallerAddress,
    person: PerhapsPerson,
) -> Response:
    """Sign in with the link, in the browser that asked."""
    signed_in = None if person is None else person.account_id
    try:
        doors.tries.take(of, doors.steady())
        used = sign_in.by_link(session, link, cookie(request, "asking"), now, signed_in=signed_in)
    except ServiceError as error:
        return refused(language, NOT_SIGNED_IN, error, back="/sign-in")
    return _led_on(request, runtime, session, used, "link", now)


@router.post("/sign-out")
def post_sign_out(runtime: Running, session: Writer, person: Person, _sent: PersonsForm) -> Response:
    """Sign out in this browser."""
    sign_ins.end(session, person.account_id, person.sign_in_id)
    response = Response(status_code=303, headers={"Location": "/"})
    drop_cookie(response, runtime, "sign-in")
    return response


def _led_on(
    request: Request, runtime: Runtime, session: Writer, used: tuple[Account, SignInRequest], means: str, now: Now
) -> Response:
    """Sign the person in, unless they only proved a further address, and lead on."""
    account, asked = used
    if asked.purpose == "add-address" and account.id != asked.account_id:
        return private(Response(status_code=303, headers={"Location": "/account/join"}))
    response = private(Response(status_code=303, headers={"Location": asked.onward}))
    drop_cookie(response, runtime, "asking")
    if asked.purpose == "sign-in":
        welcome(request, response, session, account, means, now)
        with suppress(CustodyError):
            set_cookie(response, runtime, "known", sign_in.known_secret(runtime, asked.address), KNOWN_SECONDS)
    return response
