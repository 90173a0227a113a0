"""Pages for claims of attendance, which people reach by a QR code.

They also show what became of the claims. Opening the address of a code says nothing: its button does. All of them are for somebody who is signed in.
"""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from service.accounts.pages_signed_in import DoorsHere, Person, PersonalRoute, PersonsForm, refused
from service.errors import InvalidError, NotFoundError, ServiceError
from service.intake import attendance_claims, attendance_codes
from service.intake.attendance_claims import Invitation
from service.texts.languages import N_
from service.web.rendering import render
from service.web.requests import Now, Reader, Running, Writer
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

MINE: Final = "/my-badges/attendance"
NOT_SAID = N_("We could not take your claim")


@router.get("/attend")
def get_attendance_form(language: Speaking, person: Person) -> Response:
    """Show the form that takes the letters of a code."""
    return render("attend_code.html", language=language, person=person, typed="", fault=None)


@router.post("/attend")
def post_attendance_code(
    session: Reader, language: Speaking, person: Person, sent: PersonsForm, doors: DoorsHere
) -> Response:
    """Lead to the page of a code."""
    typed = sent.get("code", "")[:100]
    try:
        _count_try(doors, person)
        attendance_codes.find(session, typed)
    except NotFoundError as error:
        values: dict[str, Any] = {"language": language, "person": person, "typed": typed}
        return render("attend_code.html", status=422, fault=error.message, **values)
    except ServiceError as error:
        return refused(language, NOT_SAID, error, back="/attend")
    return Response(status_code=303, headers={"Location": f"/attend/{attendance_codes.as_stored(typed)}"})


@router.get("/attend/{code}")
def get_attendance(
    code: str, session: Reader, now: Now, language: Speaking, person: Person, doors: DoorsHere
) -> Response:
    """Show the session of a code, and the button that says that one is there."""
    try:
        _count_try(doors, person)
        found = attendance_claims.look(session, code, person.account_id, now)
    except ServiceError as error:
        return refused(language, NOT_SAID, error, back="/attend")
    return _page(session, language, person, code, found)


@router.post("/attend/{code}")
def post_attendance(
    code: str,
    session: Writer,
    runtime: Running,
    now: Now,
    language: Speaking,
    person: Person,
    sent: PersonsForm,
    doors: DoorsHere,
) -> Response:
    """Say that one is there."""
    typed = sent.get("name", "")[:1000]
    try:
        _count_try(doors, person)
        member_id = _uuid(sent.get("member"))
        attendance_claims.claim(session, runtime, code, person.account_id, now, member_id=member_id, name=typed)
    except InvalidError as error:
        found = attendance_claims.look(session, code, person.account_id, now)
        return _page(session, language, person, code, found, typed, error.message)
    except ServiceError as error:
        return refused(language, NOT_SAID, error, back=f"/attend/{attendance_codes.as_stored(code)}")
    return Response(status_code=303, headers={"Location": MINE})


@router.get(MINE)
def get_own_attendance(session: Reader, language: Speaking, person: Person) -> Response:
    """Show what somebody claimed, and what became of it."""
    claims = attendance_claims.own_claims(session, person.account_id)
    return render("my_attendance.html", language=language, person=person, claims=claims)


def _page(
    session: Reader | Writer,
    language: Speaking,
    person: Person,
    code: str,
    found: Invitation,
    typed: str = "",
    fault: str | None = None,
) -> Response:
    outcome = None if found.claim is None else attendance_claims.outcome_of(session, found.claim)
    usable = found.standing == "open" or found.claim is not None
    return render(
        "attend.html",
        language=language,
        person=person,
        status=422 if fault else 200 if usable else 409,
        code=attendance_codes.as_stored(code),
        found=found,
        outcome=outcome,
        begin=language.local_moment(found.code.opens_at, found.network.time_zone),
        end=language.local_moment(found.code.closes_at, found.network.time_zone),
        said=attendance_codes.SAID.get(found.standing, ""),
        typed=typed,
        fault=fault,
    )


def _count_try(doors: DoorsHere, person: Person) -> None:
    """Count a code that is tried, of one account: a room full of people is behind one connection.

    Raises:
        TooManyRequestsError: it tried too many (code "too-many-requests").
    """
    doors.tries.take(f"account {person.account_id}", doors.steady())


def _uuid(value: str | None) -> UUID | None:
    try:
        return None if value is None else UUID(value)
    except ValueError:
        return UUID(int=0)
