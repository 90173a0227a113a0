"""What pages of signed-in people need: who it is, and that a form is ours.

`PersonalRoute` is the class of their routes: without a sign-in it leads to the page where one signs in, and back. What
such a page shows is kept by no cache, and its address is told to no other site.
"""

import hmac
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, Header, Request, Response

from service.accounts import sign_ins
from service.accounts.accounts import SIGNED_OUT
from service.accounts.browsers import name_of
from service.accounts.limits import Doors
from service.accounts.sign_ins import SignedIn
from service.errors import CustodyError, ForbiddenError, StorageError, UnauthenticatedError
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.tables import Account
from service.texts.languages import N_, Language
from service.web.problems import STATUS
from service.web.rendering import render
from service.web.requests import StrictRoute, address_of, look_up
from service.web.visitor_language import path_of_ours, speaking

MAX_FIELDS = 120
"""The most fields of a form: a badge can have a hundred items of evidence to choose among."""
FROM_HERE = (None, "same-origin", "none")
FROM_ELSEWHERE = N_("This form is too old, or came from another site. Go back, reload the page and try again.")
AGAIN = N_("Sign in again to make this change. We did not keep what you sent.")
NOT_NOW = N_("The service cannot do this at the moment. We did not keep what you sent. Try again in a few minutes.")
HALF_YEAR_SECONDS = 180 * 24 * 3600


def cookie_name(runtime: Runtime, name: str) -> str:
    """Return the name of a cookie; over https the browser takes it only from this host, and only encrypted."""
    return name if runtime.settings.local else f"__Host-{name}"


def set_cookie(response: Response, runtime: Runtime, name: str, value: str, seconds: int) -> None:
    """Give a browser a secret that no script can read, and that other sites' forms do not carry."""
    response.set_cookie(
        cookie_name(runtime, name),
        value,
        max_age=seconds,
        path="/",
        samesite="lax",
        httponly=True,
        secure=not runtime.settings.local,
    )


def drop_cookie(response: Response, runtime: Runtime, name: str) -> None:
    """Take a secret from a browser."""
    secure = not runtime.settings.local
    response.delete_cookie(cookie_name(runtime, name), path="/", samesite="lax", httponly=True, secure=secure)


def cookie(request: Request, name: str) -> str | None:
    """Return the value of a cookie of ours, or None."""
    return request.cookies.get(cookie_name(request.app.state.runtime, name))


def welcome(
    request: Request, response: Response, session: WriteSession, account: Account, means: str, now: datetime
) -> str:
    """Sign somebody in in this browser, and return the new secret; a sign-in that it had before ends.

    Args:
        means: as in `sign_ins.begin`.
    """
    runtime: Runtime = request.app.state.runtime
    browser, before = name_of(request.headers.get("User-Agent", "")), cookie(request, "sign-in")
    secret = sign_ins.begin(session, account, means=means, browser=browser, now=now, instead_of=before)
    set_cookie(response, runtime, "sign-in", secret, HALF_YEAR_SECONDS)
    return secret


class _PerhapsSomebody:
    """Finds out who is signed in before the body is read, once for each request.

    By then the request has no session: one that holds the lock of SQLite could not note that the sign-in is in use.
    """

    async def before_the_body(self, request: Request) -> None:
        """Look up who is signed in."""
        await self(request)

    async def __call__(self, request: Request) -> SignedIn | None:
        """Return who is signed in, or None."""
        if not hasattr(request.state, "signed_in"):
            secret = cookie(request, "sign-in")
            request.state.signed_in = await look_up(request.app.state.runtime, secret, _found) if secret else None
        found: SignedIn | None = request.state.signed_in
        return found


def _found(runtime: Runtime, secret: str) -> SignedIn | None:
    now = runtime.now()
    with runtime.database.read() as session:
        found = sign_ins.find(session, secret, now)
    if found is not None and found.is_stale:
        with runtime.database.write() as session:
            sign_ins.note_use(session, found.sign_in_id, now)
    return found


_perhaps = _PerhapsSomebody()


class _SomebodySignedIn:
    """Finds out who is signed in before the body is read.

    Args:
        lately: only somebody who signed in in the last hour passes: who finds a browser open, or has a stolen cookie,
            cannot take the account from its owner.
    """

    def __init__(self, *, lately: bool = False) -> None:
        self._lately = lately

    async def before_the_body(self, request: Request) -> None:
        """Let only somebody who is signed in pass."""
        await self(request)

    async def __call__(self, request: Request) -> SignedIn:
        """Return who is signed in.

        Raises:
            UnauthenticatedError: nobody is (code "signed-out"), or not lately (code "sign-in-again"); `PersonalRoute`
                then leads to the sign-in.
        """
        found = await _perhaps(request)
        if found is None:
            raise UnauthenticatedError("signed-out", SIGNED_OUT)
        if self._lately and not found.is_lately(request.app.state.runtime.now()):
            raise UnauthenticatedError("sign-in-again", AGAIN)
        return found


async def form_of(request: Request, person: Annotated[SignedIn, Depends(_SomebodySignedIn())]) -> dict[str, str]:
    """Return the fields of a form of somebody who is signed in; it must come from a page of ours.

    Raises:
        ForbiddenError: it lacks the secret of the sign-in, or another site sent it (code "form-from-elsewhere").
    """
    fields = await plain_form_of(request, request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin"))
    if not hmac.compare_digest(fields.pop("form", "").encode(errors="replace"), person.form_secret.encode()):
        raise ForbiddenError("form-from-elsewhere", FROM_ELSEWHERE)
    return fields


async def plain_form_of(
    request: Request,
    site: Annotated[str | None, Header(alias="Sec-Fetch-Site")] = None,
    origin: Annotated[str | None, Header(alias="Origin")] = None,
) -> dict[str, str]:
    """Return the fields of a form without files; of several values of one name the last.

    A body in another form has no fields.

    Raises:
        ForbiddenError: another site sent it (code "form-from-elsewhere").
    """
    if site not in FROM_HERE or (site is None and not _is_ours(request, origin)):
        raise ForbiddenError("form-from-elsewhere", FROM_ELSEWHERE)
    async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
        return {name: value.strip() for name, value in form.items() if isinstance(value, str)}


def _is_ours(request: Request, origin: str | None) -> bool:
    """Return whether an older browser, without Sec-Fetch-Site, may send a form from there.

    Our own pages send "null", because they tell no site where somebody comes from.

    Spec: Fetch, "append a request Origin header".
    """
    runtime: Runtime = request.app.state.runtime
    ours = urlsplit(runtime.settings.base_url)
    return origin in (None, "null", f"{ours.scheme}://{ours.netloc}")


async def doors(request: Request) -> Doors:
    """Return the limits on those who are not signed in yet."""
    found: Doors = request.app.state.doors
    return found


async def caller_address(request: Request) -> str:
    """Return the caller's address for the fair limits."""
    return address_of(request)


Person = Annotated[SignedIn, Depends(_SomebodySignedIn())]
"""Who is signed in; for routes of `PersonalRoute`."""
PersonLately = Annotated[SignedIn, Depends(_SomebodySignedIn(lately=True))]
"""Who signed in in the last hour; for what gives an account to somebody else, or ends it."""
PerhapsPerson = Annotated[SignedIn | None, Depends(_perhaps)]
"""Who is signed in, or None; for pages that anybody may see."""
PersonsForm = Annotated[dict[str, str], Depends(form_of)]
"""The fields of a form of somebody who is signed in, which came from a page of ours."""
AnybodysForm = Annotated[dict[str, str], Depends(plain_form_of)]
"""The fields of a form of somebody who need not be signed in, which no other site sent."""
DoorsHere = Annotated[Doors, Depends(doors)]
CallerAddress = Annotated[str, Depends(caller_address)]


class PersonalRoute(StrictRoute):
    """A route of somebody's own page: without a sign-in it leads there first, and nothing of it is kept elsewhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handler = super().get_route_handler()

        async def personal(request: Request) -> Response:
            try:
                response = await handler(request)
            except UnauthenticatedError as error:
                if error.code not in {"signed-out", "sign-in-again"}:
                    raise
                if error.code == "sign-in-again":
                    onward = request.scope["path"] if request.method == "GET" else "/account"
                    response = Response(status_code=303, headers={"Location": again_path(onward)})
                elif request.method == "GET":
                    response = Response(status_code=303, headers={"Location": sign_in_path(request)})
                else:
                    response = refused(speaking(request), N_("You are signed out"), error)
            except ForbiddenError as error:
                response = refused(speaking(request), N_("We could not accept this form"), error)
            return private(response)

        return personal


def again_path(onward: str) -> str:
    """Return the path of the page where somebody signs in again, which leads on to a path of ours."""
    return f"/sign-in?again=yes&onward={quote(path_of_ours(onward), safe='/')}"


def sign_in_path(request: Request) -> str:
    """Return the path of the page where one signs in, which leads back to the page that was asked for."""
    query = request.scope["query_string"].decode("latin-1")
    onward = path_of_ours(quote(request.scope["path"]) + (f"?{query}" if query else ""))
    return f"/sign-in?onward={quote(onward, safe='/')}"


def refused(language: Language, title: str, error: Any, back: str | None = None) -> Response:
    """Return the page that tells a person why something was refused.

    Args:
        title: a msgid.
        back: the path of ours to which its button leads.
    """
    status = next(number for kind, number in STATUS.items() if isinstance(error, kind))
    seconds = error.details.get("retry_after_seconds")
    values = {} if seconds is None else {"minutes": language.number(-(-seconds // 60)), "seconds": seconds}
    values |= error.details.get("words", {})
    # Messages of these are for programs.
    sentence = TOO_FAST if error.code == "too-many-requests" else error.message
    sentence = NOT_NOW if isinstance(error, CustodyError | StorageError) else sentence
    page = render(
        "refused.html",
        language=language,
        status=status,
        back=back,
        title=title,
        sentence=sentence,
        values=values,
        leads_to=back,
    )
    if seconds is not None:
        page.headers["Retry-After"] = str(seconds)
    return private(page)


TOO_FAST = N_("There were too many tries from your connection. Try again in %(minutes)s min.")


def private(response: Response) -> Response:
    """Keep a response out of every cache, and its address from other sites."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
