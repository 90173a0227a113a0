"""Pages that ask whether a badge is the candidate's, and take the answer.

Only the secret in its address opens a page. The asker's page shows the state and cannot answer; the page in the mail
answers by POST only, since mail scanners fetch every link. Caches keep neither, and other sites learn neither.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from service.checking import confirmations
from service.checking.api_desk import Address, DeskHere
from service.checking.confirmations import ConfirmationState, ShownConfirmation
from service.errors import ForbiddenError, InvalidError, ServiceError
from service.texts.languages import N_, Language
from service.web.problems import STATUS
from service.web.rendering import render
from service.web.requests import Answer, Now, Reader, Writer, reply
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False)

COST = 12
"""What a question costs, in checks: it sends a mail, and someone who asks about single candidates needs few."""
FROM_HERE = (None, "same-origin", "none")
FROM_ELSEWHERE = N_(
    "This question came from another site. Check the badge here, and ask from the page with the result."
)
TOO_FAST = N_("You asked too many questions in a short time. Try again in %(seconds)s s.")
PRESS_ONE = N_("Answer yes or no. Go back and press one of the buttons.")


class StateOf(Answer):
    """The state of a question, for the script of the asker's page."""

    state: ConfirmationState
    answered_at: str | None = None


async def _fields(request: Request) -> dict[str, str]:
    """Return the fields of a small form."""
    async with request.form(max_files=0, max_fields=3) as form:
        return {name: value.strip() for name, value in form.items() if isinstance(value, str)}


Fields = Annotated[dict[str, str], Depends(_fields)]


@router.post("/verify/confirmations")
def post_question(
    desk: DeskHere,
    address: Address,
    session: Writer,
    now: Now,
    language: Speaking,
    sent: Fields,
    site: Annotated[str | None, Header(alias="Sec-Fetch-Site")] = None,
) -> Response:
    """Ask the recipient of the badge at `url`, and redirect to the page that will show the answer."""
    try:
        if site not in FROM_HERE:  # other sites would use up the allowance of their visitors
            raise ForbiddenError("question-from-elsewhere", FROM_ELSEWHERE)
        desk.fair_use.take(address, desk.steady(), COST)
        secret = confirmations.ask(session, desk.runtime, sent.get("url", ""), now)
    except ServiceError as error:
        return _refused(language, N_("The candidate was not asked"), error, back="/verify")
    return _private(Response(status_code=303, headers={"Location": f"/confirmations/{secret}"}))


@router.get("/confirmations/{secret}.json")
def get_state(secret: str, session: Reader, now: Now) -> Response:
    """Give the state of a question to the script of its page."""
    asked = confirmations.of_asker(session, secret, now)
    at = asked.answered_at.isoformat() if asked.answered_at and asked.state in {"confirmed", "denied"} else None
    return _private(reply(200, StateOf(state=asked.state, answered_at=at)))


@router.get("/confirmations/{secret}")
def get_question(secret: str, session: Reader, now: Now, language: Speaking) -> Response:
    """Show the asker the state of the question."""
    try:
        asked = confirmations.of_asker(session, secret, now)
    except ServiceError as error:
        return _refused(language, N_("No question at this address"), error)
    return _page(language, "confirmation.html", asked, f"/confirmations/{secret}")


@router.get("/confirm/{secret}")
def get_answer(secret: str, session: Reader, now: Now, language: Speaking) -> Response:
    """Show the recipient the question, with a button for each answer.

    Opening the page answers nothing.
    """
    try:
        asked = confirmations.of_recipient(session, secret, now)
    except ServiceError as error:
        return _refused(language, N_("No question at this address"), error)
    return _page(language, "confirm.html", asked, f"/confirm/{secret}")


@router.post("/confirm/{secret}")
def post_answer(secret: str, session: Writer, now: Now, language: Speaking, sent: Fields) -> Response:
    """Store the recipient's answer, and show the page again."""
    try:
        if sent.get("answer") not in {"yes", "no"}:
            raise InvalidError("answer-unknown", PRESS_ONE)
        confirmations.answer(session, secret, yes=sent["answer"] == "yes", now=now)
    except ServiceError as error:
        return _refused(language, N_("We could not take your answer"), error)
    return _private(Response(status_code=303, headers={"Location": f"/confirm/{secret}"}))


def _page(language: Language, template: str, asked: ShownConfirmation, address: str) -> Response:
    return _private(render(template, language=language, asked=asked, address=address))


def _refused(language: Language, title: str, error: ServiceError, back: str | None = None) -> Response:
    status = next(number for kind, number in STATUS.items() if isinstance(error, kind))
    seconds = error.details.get("retry_after_seconds")
    sentence = TOO_FAST if error.code == "too-many-requests" else error.message  # whose message is for programs
    values = {"seconds": seconds} if sentence is TOO_FAST else {}
    page = render(
        "notice.html", language=language, status=status, back=back, title=title, sentence=sentence, values=values
    )
    if seconds is not None:
        page.headers["Retry-After"] = str(seconds)
    return _private(page)


def _private(answer: Response) -> Response:
    """Keep a response out of every cache, and its address from other sites."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
