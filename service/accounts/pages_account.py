"""The page on which somebody sees and changes their account.

A change that others could use against the person is told to all addresses of the account (`letters.notices`).
"""

from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from service.accounts import accounts, joining, pages_openid, pages_passkeys, sign_in, sign_ins, way_out
from service.accounts.addresses import read
from service.accounts.pages_sign_in import ASKING_SECONDS, NO_ADDRESS
from service.accounts.pages_signed_in import (
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
)
from service.accounts.sign_ins import SignedIn
from service.errors import ServiceError, UnauthenticatedError
from service.runtime.runtime import Runtime
from service.texts.languages import LANGUAGES, N_
from service.web.rendering import render
from service.web.requests import Now, Reader, Running, Writer
from service.web.visitor_language import Speaking, SpokenLanguage

router = APIRouter(include_in_schema=False, route_class=PersonalRoute, prefix="/account")

NOT_CHANGED = N_("Nothing was changed")
DONE: Final = {
    "name": N_("Your name has been saved."),
    "mails": N_("Your choice of emails has been saved."),
    "address": N_("The address was added."),
    "kept": N_("We now send emails to this address."),
    "removed": N_("The address was removed. We have sent an email about it to this address and to your other ones."),
    "ended": N_("That browser is signed out."),
    "everywhere": N_("You are signed out everywhere but here."),
    "openid": N_("You can now sign in this way too."),
    "openid-removed": N_("The link was removed."),
    "joined": N_("The two accounts are now one."),
}
"""What was done, by the word for it in the address of the page."""
MAILS: Final = {
    "awarded": N_("A network has awarded me a badge"),
    "expiring": N_("A badge of mine ends soon"),
    "guidelines": N_("A network has changed its guidelines, and asks me to accept them"),
}
PAGE: Final = "/account"


@router.get("")
def get_account(
    session: Reader,
    runtime: Running,
    person: Person,
    now: Now,
    language: Speaking,
    done: str = "",
    address: str = "",
) -> Response:
    """Show the account."""
    return _shown(session, runtime, person, now, language, done=DONE.get(done), address=address[:254])


@router.post("/name")
def post_name(
    session: Writer, runtime: Running, person: Person, sent: PersonsForm, now: Now, language: Speaking
) -> Response:
    """Keep the name that the person wants on badges."""
    name = sent.get("name", "")
    try:
        accounts.rename(person.account(session), name)
    except UnauthenticatedError:
        raise
    except ServiceError as error:
        fault = {"name_fault": error.message, "name": name[: 2 * accounts.MAX_NAME]}
        return _shown(session, runtime, person, now, language, status=422, **fault)
    return _back("name")


@router.post("/mails")
def post_mails(session: Writer, person: Person, sent: PersonsForm) -> Response:
    """Keep the language of mails, and which ones the person wants."""
    wanted = [kind for kind in accounts.MAILS_TO_CHOOSE if sent.get(kind) == "on"]
    accounts.choose_mails(person.account(session), sent.get("language", ""), wanted)
    return _back("mails")


@router.post("/addresses")
def post_address(
    request: Request,
    session: Writer,
    person: PersonLately,
    sent: PersonsForm,
    now: Now,
    language: Speaking,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Send a mail to an address that is to be added, and lead to the page that takes the code."""
    typed = sent.get("address", "")[:254]
    account = person.account(session)
    runtime = request.app.state.runtime
    address = read(typed)
    if address is None:
        return _shown(session, runtime, person, now, language, status=422, address=typed, address_fault=NO_ADDRESS)
    try:
        doors.mails.take(of, doors.steady())
        onward = f"{PAGE}?done=address"
        browser = sign_in.ask(
            session, runtime, address, language=language.code, onward=onward, now=now, account=account
        )
    except ServiceError as error:
        return refused(language, N_("We could not send the email"), error, back=PAGE)
    response = Response(status_code=303, headers={"Location": "/sign-in/code"})
    set_cookie(response, runtime, "asking", browser, ASKING_SECONDS)
    return response


def _id_of(number: str) -> UUID | None:
    try:
        return UUID(number)
    except ValueError:
        return None


Numbered = Annotated[UUID | None, Depends(_id_of)]
"""The id in the path; None if it is none."""


@router.post("/addresses/{number}/keep")
def post_keep(session: Writer, person: Person, _sent: PersonsForm, number: Numbered, language: Speaking) -> Response:
    """Choose the address to which mails go."""
    account = person.account(session)
    return _tried(language, "kept", lambda: accounts.keep(session, account, number))


@router.post("/addresses/{number}/remove")
def post_remove(
    session: Writer,
    runtime: Running,
    person: PersonLately,
    _sent: PersonsForm,
    number: Numbered,
    now: Now,
    language: Speaking,
) -> Response:
    """Remove an address, but never the last one."""
    account = person.account(session)
    return _tried(language, "removed", lambda: way_out.remove(session, runtime, account, number, now))


@router.post("/sign-ins/{number}/end")
def post_end(session: Writer, person: Person, _sent: PersonsForm, number: Numbered) -> Response:
    """Sign out in one browser; one that is signed out already stays so."""
    if number is not None:
        sign_ins.end(session, person.account_id, number)
    return _back("ended")


@router.post("/sign-out-everywhere")
def post_everywhere(session: Writer, person: Person, _sent: PersonsForm, now: Now) -> Response:
    """Sign out in every browser but this one, and tell all addresses."""
    account = person.account(session)
    if sign_ins.end_all(session, person.account_id, but=person.sign_in_id):
        accounts.tell(session, account, "signed-out", now)
    return _back("everywhere")


@router.get("/join")
def get_join(request: Request, session: Reader, person: PersonLately, now: Now, language: Speaking) -> Response:
    """Offer to make two accounts one, after the person has proved an address of the other one."""
    try:
        offer = joining.offered(session, person.account_id, cookie(request, "asking"), now)
    except ServiceError as error:
        return refused(language, NOT_CHANGED, error, back=PAGE)
    return render("account_join.html", language=language, person=person, offer=offer)


@router.post("/join")
def post_join(
    request: Request,
    session: Writer,
    runtime: Running,
    person: PersonLately,
    _sent: PersonsForm,
    now: Now,
    language: Speaking,
) -> Response:
    """Make the two accounts one."""
    asking = cookie(request, "asking")
    response = _tried(language, "joined", lambda: joining.join(session, person.account_id, asking, now))
    drop_cookie(response, runtime, "asking")
    return response


@router.get("/delete")
def get_delete(person: PersonLately, language: Speaking) -> Response:
    """Say what deleting the account means, and ask."""
    return render("account_delete.html", language=language, person=person, fault=False)


@router.post("/delete")
def post_delete(
    session: Writer, runtime: Running, person: PersonLately, sent: PersonsForm, now: Now, language: Speaking
) -> Response:
    """Delete the account, if the person has said that they mean it."""
    if sent.get("sure") != "on":
        return render("account_delete.html", language=language, status=422, person=person, fault=True)
    joining.delete(session, person.account_id, now)
    response = render("account_deleted.html", language=language, back="/")
    for name in ("sign-in", "asking", "known"):
        drop_cookie(response, runtime, name)
    return response


def _shown(
    session: Reader | Writer,
    runtime: Runtime,
    person: SignedIn,
    now: Now,
    language: SpokenLanguage,
    status: int = 200,
    **values: Any,
) -> Response:
    account = person.account(session)
    shown = {
        "addresses": accounts.addresses_of(session, account),
        "name": account.name or "",
        "mails_language": account.language,
        "mails_off": account.mails_off,
        "mails": MAILS,
        "mail_languages": LANGUAGES.values(),
        "sign_ins": sign_ins.list_of(session, person.account_id, now),
        **pages_passkeys.shown(session, person, now, PAGE),
        **pages_openid.shown(session, runtime.settings, person.account_id),
    }
    return render("account.html", language=language, status=status, back=PAGE, person=person, **shown | values)


def _tried(language: SpokenLanguage, done: str, change: Callable[[], object]) -> Response:
    try:
        change()
    except UnauthenticatedError:
        raise
    except ServiceError as error:
        return refused(language, NOT_CHANGED, error, back=PAGE)
    return _back(done)


def _back(done: str) -> Response:
    return Response(status_code=303, headers={"Location": f"{PAGE}?done={done}"})
