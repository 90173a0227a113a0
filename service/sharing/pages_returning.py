"""Pages for returning after a mailbox was lost.

The person asks, two colleagues vouch for them, and the owner of an old address can stop it.
"""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Response

from service.accounts.pages_signed_in import (
    AnybodysForm,
    CallerAddress,
    DoorsHere,
    PerhapsPerson,
    Person,
    PersonalRoute,
    PersonsForm,
    refused,
)
from service.accounts.sign_ins import SignedIn
from service.errors import InvalidError, ServiceError
from service.runtime.runtime import Runtime
from service.sharing import returning, vouching
from service.storage.database import ReadSession, WriteSession
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Reader, Running, Writer
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

NOT_ASKED = N_("We did not keep this")
NOT_ANSWERED = N_("You cannot answer here")
NOT_STOPPED = N_("There is nothing to stop")
THANKS = N_("Thank you")
VOUCHED: Final = {
    "open": N_("You have vouched. A second colleague must vouch too."),
    "waiting": N_("You have vouched, as the second person. We now tell the old addresses, and wait seven days."),
    "stopped": N_("You have vouched, but the request has ended. The person can ask the network what to do."),
}
REFUSED = N_("You have said that it is not the person. This request has ended, and nobody gets the badges.")
STOPPED_TITLE = N_("Stopped")
STOPPED = N_(
    "This request has ended, and nobody gets the badges. If somebody tried to take your badges, tell the network."
)
ASKING: Final = ("network", "lost", "name")


@router.get("/return")
def get_return(session: Reader, runtime: Running, language: Speaking, person: PerhapsPerson) -> Response:
    """Say how one returns; show what somebody who is signed in has asked for, and what waits to take from them."""
    if person is None:
        return render("return.html", language=language)
    return _page(session, runtime, language, person)


@router.post("/return")
def post_return(
    session: Writer, runtime: Running, now: Now, language: Speaking, person: Person, sent: PersonsForm
) -> Response:
    """Ask for what somebody earned, with the address that they have just proved."""
    given = {name: sent.get(name, "") for name in ASKING}
    try:
        returning.ask(session, runtime, person.account_id, given, now)
    except InvalidError as error:
        return _page(session, runtime, language, person, fault=error, given=given)
    except ServiceError as error:
        return refused(language, NOT_ASKED, error, back="/return")
    return Response(status_code=303, headers={"Location": "/return"})


@router.post("/return/stop")
def post_stop(session: Writer, now: Now, language: Speaking, person: Person, sent: PersonsForm) -> Response:
    """Stop a return as the one who asked, or as the one from whom it would take."""
    try:
        returning.stop_as(session, _id(sent.get("return", "")), person.account_id, now)
    except ServiceError as error:
        return refused(language, NOT_STOPPED, error, back="/return")
    return _told(language, STOPPED_TITLE, STOPPED)


@router.get("/return/stop/{secret}")
def get_stop_link(secret: str, session: Reader, language: Speaking, doors: DoorsHere, of: CallerAddress) -> Response:
    """Show the button that stops a return; mail scanners open links, so that opening this one changes nothing."""
    try:
        doors.tries.take(of, doors.steady())
        row, network = returning.can_be_stopped(session, secret)
    except ServiceError as error:
        return refused(language, NOT_STOPPED, error)
    return render("return_stop.html", language=language, secret=secret, network=network, day=row.due_at)


@router.post("/return/stop/{secret}")
def post_stop_link(
    secret: str,
    session: Writer,
    now: Now,
    language: Speaking,
    _sent: AnybodysForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Stop a return with the link that an old address was sent."""
    try:
        doors.tries.take(of, doors.steady())
        returning.stop_by_mail(session, secret, now)
    except ServiceError as error:
        return refused(language, NOT_STOPPED, error)
    return _told(language, STOPPED_TITLE, STOPPED)


@router.get("/vouch/{secret}")
def get_vouch(
    secret: str, session: Reader, now: Now, language: Speaking, person: Person, doors: DoorsHere, of: CallerAddress
) -> Response:
    """Ask a colleague whether it is the person."""
    try:
        doors.tries.take(of, doors.steady())
        asked = vouching.shown(session, secret, person.account_id, now)
    except ServiceError as error:
        return refused(language, NOT_ANSWERED, error)
    return render("vouch.html", language=language, person=person, asked=asked, secret=secret, fault=False)


@router.post("/vouch/{secret}")
def post_vouch(
    secret: str,
    session: Writer,
    now: Now,
    language: Speaking,
    person: Person,
    sent: PersonsForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Take the answer of a colleague: `answer` is yes or no; a yes needs `sure`."""
    try:
        doors.tries.take(of, doors.steady())
        if sent.get("answer") == "no":
            vouching.refuse(session, secret, person.account_id, now)
            return _told(language, THANKS, REFUSED)
        if sent.get("answer") != "yes" or not sent.get("sure"):
            asked = vouching.shown(session, secret, person.account_id, now)
            return render(
                "vouch.html", language=language, status=422, person=person, asked=asked, secret=secret, fault=True
            )
        state = vouching.vouch(session, secret, person.account_id, now)
    except ServiceError as error:
        return refused(language, NOT_ANSWERED, error)
    return _told(language, THANKS, VOUCHED[state])


def _page(
    session: ReadSession | WriteSession,
    runtime: Runtime,
    language: Language,
    person: SignedIn,
    *,
    fault: InvalidError | None = None,
    given: dict[str, str] | None = None,
) -> Response:
    return render(
        "return_asking.html",
        language=language,
        status=200 if fault is None else 422,
        person=person,
        addresses=returning.addresses_of(session, person.account_id),
        last=returning.last_of(session, runtime, person.account_id),
        about=returning.about(session, person.account_id),
        faults={} if fault is None else {fault.pointer.removeprefix("/"): fault.message},
        given={name: value[:2000] for name, value in (given or {}).items()},
    )


def _told(language: Language, title: str, sentence: str) -> Response:
    return render("notice.html", language=language, title=title, sentence=sentence, values={})


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)  # of no return
