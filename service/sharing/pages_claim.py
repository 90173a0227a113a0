"""Pages for claiming badges with a mailed link or a code, and for undoing it.

Opening a link changes nothing: its button does, because mail scanners fetch every link. Nothing shows the whole address.
"""

from typing import Annotated, Any, Final, get_args

from fastapi import APIRouter, Depends, Request, Response

from service.accounts import accounts, addresses, sign_in
from service.accounts.pages_signed_in import (
    AnybodysForm,
    CallerAddress,
    DoorsHere,
    PerhapsPerson,
    Person,
    PersonalRoute,
    PersonsForm,
    form_of,
    plain_form_of,
    private,
    refused,
    set_cookie,
    welcome,
)
from service.errors import InvalidError, NotFoundError, ServiceError
from service.issuing.anew import NameShown
from service.sharing import claiming, naming, offers, unclaiming
from service.texts.languages import N_
from service.web.rendering import render
from service.web.requests import Now, Reader, Running, Writer
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

MY_BADGES: Final = "/my-badges"
NAME_PAGE: Final = "/claim/name"
ADDRESS_PAGE: Final = "/claim/address"
NOT_CLAIMED = N_("Nothing was claimed")
NOT_SENT = N_("We could not send the email")
NOT_UNDONE = N_("Nothing was undone")
NAME_FAULTS: Final = {
    "name-missing": N_("Enter your name, or choose no name."),
    "name-too-long": N_("A name can have up to 300 characters."),
}
LEFT = N_(
    "%(number)s of them do not show it: they cannot change now, or cannot show it to everybody. See each under My badges."
)
NO_ADDRESS = N_("Enter an email address, such as name@example.org.")
YOURS_ALREADY = N_("This address is already in your account. Enter another one.")
SENT_AGAIN = N_(
    "We have sent an email with a new link to %(address)s. Only the newest link works. It works for 30 days."
)
UNDONE = N_(
    "The badges were removed from the account that claimed them, and so was your address if it was added with "
    "them. %(network)s sees that. Sign in with your address to claim them yourself."
)


async def perhaps_persons_form(request: Request, person: PerhapsPerson) -> dict[str, str]:
    """Return the fields of a form that came from a page of ours; of who is signed in, with the secret of the sign-in.

    Raises:
        ForbiddenError: another site sent it (code "form-from-elsewhere").
    """
    if person is None:
        return await plain_form_of(request, request.headers.get("Sec-Fetch-Site"))
    return await form_of(request, person)


PerhapsPersonsForm = Annotated[dict[str, str], Depends(perhaps_persons_form)]


@router.get("/claim")
def get_code_form(language: Speaking, person: Person) -> Response:
    """Show the form that takes a code on paper; who has one signs in first, with whatever address is theirs."""
    return render("claim_code.html", language=language, person=person, typed="", fault=None, offer=None)


@router.post("/claim")
def post_code(
    session: Reader,
    now: Now,
    language: Speaking,
    person: Person,
    sent: PersonsForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Show what a code offers; nothing is claimed yet."""
    typed = sent.get("code", "")[:100]
    try:
        _count_try(doors, of, person)
        offer = offers.offered_by_code(session, typed, person.account_id, now)
    except NotFoundError as error:
        values: dict[str, Any] = {"language": language, "person": person, "typed": typed, "offer": None}
        return render("claim_code.html", status=422, fault=error.message, **values)
    except ServiceError as error:
        return refused(language, NOT_CLAIMED, error, back="/claim")
    return render("claim_code.html", language=language, person=person, typed=typed, fault=None, offer=offer)


@router.post("/claim/on-paper")
def post_on_paper(
    session: Writer,
    now: Now,
    language: Speaking,
    person: Person,
    sent: PersonsForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Claim with a code on paper."""
    try:
        _count_try(doors, of, person)
        claimed = claiming.by_code(session, sent.get("code", "")[:100], person.account_id, now)
    except ServiceError as error:
        return refused(language, NOT_CLAIMED, error, back="/claim")
    return _onward(session, claimed)


@router.get(NAME_PAGE)
def get_name(session: Reader, language: Speaking, person: Person) -> Response:
    """Ask whether the badges are to bear the person's name; they bear none unless somebody wants it."""
    return _name_page(language, person, person.account(session).name or "", "none")


@router.post(NAME_PAGE)
def post_name(runtime: Running, now: Now, language: Speaking, person: Person, sent: PersonsForm) -> Response:
    """Put the name on the badges, and lead on to the address that the person keeps."""
    shown: NameShown = next((each for each in get_args(NameShown) if each == sent.get("shown")), "none")
    onward = Response(status_code=303, headers={"Location": ADDRESS_PAGE})
    if shown == "none":
        return onward
    typed = sent.get("name", "")
    try:
        left = naming.put_on_all(runtime, person.account_id, typed, shown, now)
    except InvalidError as error:
        return _name_page(language, person, typed, shown, NAME_FAULTS[error.code])
    if left == 0:
        return onward
    values = {"number": language.number(left)}
    return render(
        "notice.html", language=language, title=N_("Your name is on your badges"), sentence=LEFT, values=values
    )


@router.get(ADDRESS_PAGE)
def get_address(session: Reader, language: Speaking, person: Person) -> Response:
    """Ask for an address that the person keeps when they change schools."""
    return _address_page(session, language, person)


@router.post(ADDRESS_PAGE)
def post_address(
    session: Writer,
    runtime: Running,
    now: Now,
    language: Speaking,
    person: Person,
    sent: PersonsForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Have a mail sent to the further address, and lead to the page that takes its code."""
    typed = sent.get("address", "")[:254]
    account = person.account(session)
    address = addresses.read(typed)
    if address is None:
        return _address_page(session, language, person, typed, NO_ADDRESS)
    if address in {each.value for each in accounts.addresses_of(session, account)}:
        return _address_page(session, language, person, typed, YOURS_ALREADY)
    try:
        doors.mails.take(of, doors.steady())
        browser = sign_in.ask(
            session, runtime, address, language=language.code, onward="/account", now=now, account=account
        )
    except ServiceError as error:
        return refused(language, NOT_SENT, error, back=ADDRESS_PAGE)
    response = Response(status_code=303, headers={"Location": "/sign-in/code"})
    set_cookie(response, runtime, "asking", browser, int(sign_in.OPEN_FOR.total_seconds()))
    return response


@router.get("/claim/undo/{secret}")
def get_undo(
    secret: str, session: Reader, now: Now, language: Speaking, doors: DoorsHere, of: CallerAddress
) -> Response:
    """Show what would be undone, and the button that does it."""
    try:
        doors.tries.take(of, doors.steady())
        offer = unclaiming.back(session, secret, now)
    except ServiceError as error:
        return refused(language, NOT_UNDONE, error)
    return render("claim_undo.html", language=language, secret=secret, offer=offer)


@router.post("/claim/undo/{secret}")
def post_undo(
    secret: str,
    session: Writer,
    now: Now,
    language: Speaking,
    _sent: AnybodysForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Undo a claim, as the address says that it was not by its owner."""
    try:
        doors.tries.take(of, doors.steady())
        network = unclaiming.undo(session, secret, now)
    except ServiceError as error:
        return refused(language, NOT_UNDONE, error)
    values = {"network": network.name}
    return render("notice.html", language=language, title=N_("The claim was undone"), sentence=UNDONE, values=values)


@router.get("/claim/{link}")
def get_link(
    link: str,
    session: Reader,
    now: Now,
    language: Speaking,
    person: PerhapsPerson,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Show what a mailed link offers, and the button that claims it."""
    account_id = None if person is None else person.account_id
    try:
        doors.tries.take(of, doors.steady())
        offer = offers.offered_by_link(session, link, account_id, now)
    except ServiceError as error:
        return refused(language, NOT_CLAIMED, error)
    mine = [] if person is None else accounts.addresses_of(session, person.account(session))
    values: dict[str, Any] = {"language": language, "person": person, "link": link, "offer": offer}
    values |= {"mine": mine[0].value if mine else ""}
    if offer.standing == "open":
        return render("claim.html", **values)
    status = 200 if offer.standing == "yours" else 410
    return render("claim_over.html", status=status, **values)


@router.post("/claim/{link}")
def post_link(
    request: Request,
    link: str,
    session: Writer,
    runtime: Running,
    now: Now,
    language: Speaking,
    person: PerhapsPerson,
    _sent: PerhapsPersonsForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Claim with a mailed link; who is not signed in is signed in with a new account."""
    try:
        doors.tries.take(of, doors.steady())
        account_id = None if person is None else person.account_id
        claimed = claiming.by_link(session, runtime, link, account_id, now)
    except ServiceError as error:
        return refused(language, NOT_CLAIMED, error, back=f"/claim/{link}")
    response = _onward(session, claimed)
    if person is None:
        secret = welcome(request, response, session, claimed.account, "claim", now)
        claiming.began(session, claimed.row, secret, now)
    return response


@router.post("/claim/{link}/again")
def post_again(
    link: str,
    session: Writer,
    runtime: Running,
    now: Now,
    language: Speaking,
    _sent: PerhapsPersonsForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Send a new link to the address to which this one was sent."""
    try:
        doors.tries.take(of, doors.steady())
        doors.mails.take(of, doors.steady())
        offer = offers.offered_by_link(session, link, None, now)
        claiming.ask_again(session, runtime, link, now)
    except ServiceError as error:
        return refused(language, NOT_SENT, error, back=f"/claim/{link}")
    values = {"address": offer.address}
    return render("notice.html", language=language, title=N_("Check your email"), sentence=SENT_AGAIN, values=values)


def _onward(session: Writer, claimed: claiming.Claimed) -> Response:
    """Lead on: to the name, or where the account has one and a further address, to the badges."""
    known = accounts.addresses_of(session, claimed.account)
    onward = NAME_PAGE if claimed.account.name is None or len(known) < 2 else MY_BADGES
    return private(Response(status_code=303, headers={"Location": onward}))


def _name_page(language: Speaking, person: Person, typed: str, shown: str, fault: str | None = None) -> Response:
    values: dict[str, Any] = {"language": language, "person": person, "typed": typed, "shown": shown, "fault": fault}
    return render("claim_name.html", status=422 if fault else 200, **values)


def _address_page(
    session: Reader | Writer, language: Speaking, person: Person, typed: str = "", fault: str | None = None
) -> Response:
    known = accounts.addresses_of(session, person.account(session))
    values: dict[str, Any] = {"language": language, "person": person, "known": known, "typed": typed, "fault": fault}
    return render("claim_address.html", status=422 if fault else 200, **values)


def _count_try(doors: DoorsHere, of: CallerAddress, person: Person) -> None:
    """Count a code that is tried: of one connection, and of one account from wherever."""
    doors.tries.take(of, doors.steady())
    doors.codes.take(f"account {person.account_id}", doors.steady())
