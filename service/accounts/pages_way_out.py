"""The page on which an address that was removed signs everybody out."""

from fastapi import APIRouter, Response

from service.accounts import way_out
from service.accounts.pages_signed_in import AnybodysForm, CallerAddress, DoorsHere, PersonalRoute, refused
from service.errors import ServiceError
from service.texts.languages import N_
from service.web.rendering import render
from service.web.requests import Now, Reader, Writer
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

NOT_DONE = N_("Nobody was signed out")
DONE_TITLE = N_("Everybody is signed out of the account")
DONE = N_(
    "We have told the other addresses of the account. Your address was not added again. If the account is not in your "
    "hands any more, get your badges back with the help of two colleagues: choose “I lost my mailbox” where you sign in."
)


@router.get("/way-out/{secret}")
def get_way_out(
    secret: str, session: Reader, now: Now, language: Speaking, doors: DoorsHere, of: CallerAddress
) -> Response:
    """Show the button that signs everybody out; mail scanners open links, so that opening this one changes nothing."""
    try:
        doors.tries.take(of, doors.steady())
        way_out.find(session, secret, now)
    except ServiceError as error:
        return refused(language, NOT_DONE, error)
    return render("way_out.html", language=language, secret=secret)


@router.post("/way-out/{secret}")
def post_way_out(
    secret: str,
    session: Writer,
    now: Now,
    language: Speaking,
    _sent: AnybodysForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Sign everybody out of the account."""
    try:
        doors.tries.take(of, doors.steady())
        way_out.use(session, secret, now)
    except ServiceError as error:
        return refused(language, NOT_DONE, error)
    return render("notice.html", language=language, title=DONE_TITLE, sentence=DONE, values={})
