"""Pages of a signed-in person about all their data: download it, or erase it.

Who comes here has signed in lately: who finds a browser open, or has a stolen cookie, gets and erases nothing.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import IO, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from service.accounts.pages_signed_in import (
    PersonalRoute,
    PersonLately,
    PersonsForm,
    drop_cookie,
    refused,
)
from service.checking.api_desk import Address, DeskHere
from service.console.own_data import erasing_everywhere, exporting
from service.errors import InvalidError, ServiceError, TooManyRequestsError, UnauthenticatedError
from service.texts.languages import N_
from service.web.costly import in_a_place
from service.web.file_names import disposition, file_name
from service.web.rendering import render
from service.web.requests import Now, Reader
from service.web.streaming import Streamed
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute, prefix="/account/data")

PAGE: Final = "/account/data"
PIECE_BYTES: Final = 2**16
NOT_MADE: Final = N_("We could not make the file")
NOT_ERASED: Final = N_("Nothing was erased")


@router.get("")
def get_data(session: Reader, person: PersonLately, language: Speaking) -> Response:
    """Show what a person can do with everything about them."""
    return render(
        "own_data.html",
        language=language,
        back=PAGE,
        person=person,
        overview=erasing_everywhere.look(session, person.account_id),
        waiting=erasing_everywhere.waiting(session, person.account_id),
    )


@router.post("/file")
async def post_file(
    request: Request,
    desk: DeskHere,
    address: Address,
    person: PersonLately,
    sent: PersonsForm,
    now: Now,
    language: Speaking,
) -> Response:
    """Give everything about a person as one ZIP file, or what one network holds."""
    runtime, chosen = desk.runtime, sent.get("network", "")

    def made() -> IO[bytes]:
        with desk.fair_use.turn(address, desk.steady):
            return exporting.export(runtime, person.account_id, now, language, _uuid(chosen))

    try:
        spool = await in_a_place(request, made)
    except UnauthenticatedError:
        raise
    except ServiceError as error:
        return refused(language, NOT_MADE, error, back=PAGE)
    name = file_name(language.gettext(N_("Everything about me")), "zip")
    return Streamed(
        _pieces(spool),
        spool.close,
        media_type="application/zip",
        headers={"Content-Disposition": disposition("attachment", name), "X-Content-Type-Options": "nosniff"},
    )


@router.get("/erasure")
def get_erasure(session: Reader, person: PersonLately, language: Speaking) -> Response:
    """Say what an erasure of everything means, and ask."""
    return _asked(session, person, language)


@router.post("/erasure")
async def post_erasure(
    request: Request, desk: DeskHere, person: PersonLately, sent: PersonsForm, now: Now, language: Speaking
) -> Response:
    """Erase everything about a person, if they have said that they mean it; what cannot be erased now is erased later."""
    runtime, account_id = desk.runtime, person.account_id

    def noted() -> None:
        with runtime.database.write() as session:
            erasing_everywhere.ask(session, account_id, sent.get("word", ""), language, now)

    def asked_again(error: ServiceError) -> Response:
        with runtime.database.read() as session:
            return _asked(session, person, language, error)

    try:
        await run_in_threadpool(noted)
    except InvalidError as error:
        return await run_in_threadpool(asked_again, error)
    except UnauthenticatedError:
        raise
    except ServiceError as error:
        return refused(language, NOT_ERASED, error, back=PAGE)
    try:
        done = await in_a_place(request, lambda: erasing_everywhere.carry_out(runtime, account_id))
    except TooManyRequestsError:
        done = False  # the row says that it is wanted: upkeep does it
    if not done:
        return Response(status_code=303, headers={"Location": PAGE})
    await run_in_threadpool(runtime.database.overwrite_log)
    response = render("own_data_erased.html", language=language, back="/")
    for name in ("sign-in", "asking", "known"):
        drop_cookie(response, runtime, name)
    return response


def _asked(session: Reader, person: PersonLately, language: Speaking, error: ServiceError | None = None) -> Response:
    return render(
        "own_data_erase.html",
        language=language,
        back=f"{PAGE}/erasure",
        status=200 if error is None else 422,
        person=person,
        overview=erasing_everywhere.look(session, person.account_id),
        word=language.gettext(erasing_everywhere.WORD),
        fault=error.message if error is not None else None,
    )


def _uuid(text: str) -> UUID | None:
    """Return which network is chosen; None for all, and nobody's for what is none."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _pieces(spool: IO[bytes]) -> Iterator[bytes]:
    with closing(spool):
        while piece := spool.read(PIECE_BYTES):
            yield piece
