"""Passkeys on pages: to sign in with one, and to add, see and remove one's own.

The script asks for options, has the browser use a key, and sends its answer in an ordinary form, so that every refusal
is a page in the person's language. Without the script nothing of it is shown, and the mail signs in.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from service.accounts import passkeys, sign_ins
from service.accounts.challenges import OPEN_FOR
from service.accounts.pages_signed_in import (
    AnybodysForm,
    CallerAddress,
    DoorsHere,
    Person,
    PersonalRoute,
    PersonLately,
    PersonsForm,
    cookie,
    drop_cookie,
    refused,
    set_cookie,
    welcome,
)
from service.accounts.sign_ins import SignedIn
from service.errors import InvalidError, ServiceError, UnauthenticatedError
from service.texts.display_names import one_line
from service.texts.languages import N_
from service.web.rendering import render
from service.web.requests import Now, Reader, Running, Writer
from service.web.visitor_language import Speaking, SpokenLanguage, path_of_ours

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

PAGE: Final = "/account/passkeys"
OPEN_SECONDS: Final = int(OPEN_FOR.total_seconds())
NOT_SIGNED_IN = N_("You are not signed in")
NOT_ADDED = N_("The passkey was not added")
NOT_REMOVED = N_("The passkey was not removed")
NOT_RENAMED = N_("The passkey keeps its name")
NAMELESS = N_("Enter a name for the passkey.")
TOO_FAST = N_("There were too many tries from your connection. Wait a minute, then try again.")


def shown(session: Reader | Writer, person: SignedIn, now: datetime, page: str = PAGE) -> dict[str, Any]:
    """Return what `_passkeys.html` shows, beside `person`.

    Args:
        page: the path of the page that includes it.
    """
    here = (each.browser for each in sign_ins.list_of(session, person.account_id, now) if each.id == person.sign_in_id)
    return {
        "passkeys": passkeys.list_of(session, person.account_id),
        "suggested": next(here, ""),
        "from": page,
        "lately": person.is_lately(now),
    }


@router.get(PAGE)
def get_passkeys(language: Speaking, session: Reader, person: Person, now: Now) -> Response:
    """Show the passkeys of the person."""
    return render("passkeys.html", language=language, person=person, **shown(session, person, now))


@router.post(f"{PAGE}/options")
def post_options_to_add(
    session: Writer, runtime: Running, now: Now, language: Speaking, person: PersonLately, _sent: PersonsForm
) -> Response:
    """Return the options with which a browser makes a passkey, as JSON."""
    try:
        options, secret = passkeys.ask_to_add(session, runtime.settings, person.account(session), now)
    except ServiceError as error:
        return _told(language, error)
    response = _json(options)
    set_cookie(response, runtime, "passkey", secret, OPEN_SECONDS)
    return response


@router.post(PAGE)
def post_passkey(
    request: Request,
    session: Writer,
    runtime: Running,
    now: Now,
    language: Speaking,
    person: PersonLately,
    sent: PersonsForm,
) -> Response:
    """Add the passkey that the browser has made."""
    try:
        passkeys.add(
            session,
            runtime.settings,
            person.account(session),
            browser=cookie(request, "passkey"),
            answer=sent.get("answer", ""),
            name=_name(sent),
            now=now,
        )
    except ServiceError as error:
        return refused(language, NOT_ADDED, error, back=PAGE)
    response = Response(status_code=303, headers={"Location": _way_back(sent)})
    drop_cookie(response, runtime, "passkey")
    return response


@router.post(f"{PAGE}/{{passkey_id}}/remove")
def post_removal(
    passkey_id: UUID, session: Writer, now: Now, language: Speaking, person: PersonLately, sent: PersonsForm
) -> Response:
    """Remove a passkey; the device may go on showing it, and it is worth nothing here."""
    try:
        passkeys.remove(session, person.account(session), passkey_id, now)
    except ServiceError as error:
        return refused(language, NOT_REMOVED, error, back=PAGE)
    return Response(status_code=303, headers={"Location": _way_back(sent)})


@router.post(f"{PAGE}/{{passkey_id}}/name")
def post_name(passkey_id: UUID, session: Writer, language: Speaking, person: Person, sent: PersonsForm) -> Response:
    """Give a passkey another name."""
    try:
        passkeys.rename(session, person.account(session), passkey_id, _name(sent))
    except UnauthenticatedError:
        raise
    except ServiceError as error:
        return refused(language, NOT_RENAMED, error, back=_way_back(sent))
    return Response(status_code=303, headers={"Location": _way_back(sent)})


@router.post("/sign-in/passkey/options")
def post_options_to_sign_in(
    session: Writer,
    runtime: Running,
    now: Now,
    language: Speaking,
    sent: AnybodysForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Return the options with which a browser uses a passkey, as JSON; they say nothing about who has one."""
    try:
        doors.tries.take(of, doors.steady())
    except ServiceError as error:
        return _told(language, error)
    onward = path_of_ours(sent.get("onward", "/"))
    options, secret = passkeys.ask_to_sign_in(session, runtime.settings, onward, now)
    response = _json(options)
    set_cookie(response, runtime, "passkey", secret, OPEN_SECONDS)
    return response


@router.post("/sign-in/passkey/answer")
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
    """Sign in with what a passkey has signed."""
    try:
        doors.tries.take(of, doors.steady())
        account, onward = passkeys.use(
            session,
            runtime.settings,
            browser=cookie(request, "passkey"),
            answer=sent.get("answer", ""),
            now=now,
        )
    except ServiceError as error:
        return refused(language, NOT_SIGNED_IN, error, back="/sign-in")
    response = Response(status_code=303, headers={"Location": onward})
    drop_cookie(response, runtime, "passkey")
    welcome(request, response, session, account, "passkey", now)
    return response


def _way_back(sent: dict[str, str]) -> str:
    """Return the path of the page from which a form came: the passkeys stand on the page of the account, too."""
    return "/account" if sent.get("from") == "/account" else PAGE


def _name(sent: dict[str, str]) -> str:
    name = one_line(sent.get("name"), passkeys.MAX_NAME)
    if not name:
        raise InvalidError("passkey-nameless", NAMELESS)
    return name


def _told(language: SpokenLanguage, error: ServiceError) -> Response:
    """Return what the script tells the person; it has no page to show."""
    too_fast = error.code == "too-many-requests"  # whose message is for programs
    sentence = language.gettext(TOO_FAST if too_fast else error.message, **error.details.get("words", {}))
    return JSONResponse({"code": error.code, "detail": sentence}, 429 if too_fast else 409)


def _json(options: str) -> Response:
    return Response(options, media_type="application/json")
