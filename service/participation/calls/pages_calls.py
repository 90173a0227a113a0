"""Pages of calls: the application, what was decided on it, and why."""

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Response

from service.accounts.pages_signed_in import PerhapsPerson, Person, PersonalRoute, PersonsForm, private, refused
from service.accounts.sign_ins import SignedIn
from service.bodies import Uid
from service.errors import ServiceError
from service.participation.calls import doors, forms
from service.participation.calls.answers import LEVELS
from service.participation.calls.doors import Opens
from service.participation.calls.forms import Typed
from service.runtime.runtime import Runtime
from service.sharing import my_badges
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

NOT_DONE: Final = N_("That did not work")
OF_MEMBER: Final = "/my-badges/members/{member_id}/calls"
OF_ANYBODY: Final = "/calls/{slug}/{ref}"
STATES: Final = {
    "applied": N_("You have applied. Nobody has decided yet."),
    "withdrawn": N_("You withdrew your application."),
    "accepted": N_("You were accepted."),
    "waiting": N_("You are on the waiting list."),
    "declined": N_("You were not chosen."),
}
"""What became of an application, for the applicant."""
OUTCOMES: Final = {
    "accepted": N_("Accepted"),
    "waiting": N_("On the waiting list"),
    "declined": N_("Not chosen"),
}
AGREEMENT: Final = {
    1: N_("not at all"),
    2: N_("rather not"),
    3: N_("partly"),
    4: N_("mostly"),
    5: N_("fully"),
}
"""How far somebody agrees with a statement."""


@router.get(OF_MEMBER)
def get_calls(member_id: Uid, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show the calls to which a member can apply, or has applied."""
    member, network = my_badges.membership(session, person.account_id, member_id)
    found = doors.calls_of(session, network, member, now)
    return render(
        "my_calls.html",
        language=language,
        network=network,
        member=member,
        calls=[(each, language.local_moment(each.door.call.closes_at, network.time_zone)) for each in found],
        states=STATES,
    )


@router.get(f"{OF_MEMBER}/{{ref}}")
def get_call(member_id: Uid, ref: str, runtime: Running, person: Person, now: Now, language: Speaking) -> Response:
    """Show a call to a member, with their application."""
    return _page(runtime, doors.of_member(person.account_id, member_id, ref), person, now, language)


@router.post(f"{OF_MEMBER}/{{ref}}")
def post_call(
    member_id: Uid, ref: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Apply as a member, or change what one said."""
    opens = doors.of_member(person.account_id, member_id, ref)
    return _applied(runtime, opens, person, now, language, sent)


@router.post(f"{OF_MEMBER}/{{ref}}/withdrawal")
def post_withdrawal(
    member_id: Uid, ref: str, runtime: Running, person: Person, now: Now, language: Speaking, _sent: PersonsForm
) -> Response:
    """Withdraw a member's application."""
    return _withdrawn(runtime, doors.of_member(person.account_id, member_id, ref), person, now, language)


@router.post(f"{OF_MEMBER}/{{ref}}/questions")
def post_question(
    member_id: Uid, ref: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Ask why a member's application was decided so."""
    opens = doors.of_member(person.account_id, member_id, ref)
    return _asked(runtime, opens, person, now, language, sent.get("question", ""))


@router.get(OF_ANYBODY)
def get_open_call(
    slug: str, ref: str, runtime: Running, person: PerhapsPerson, now: Now, language: Speaking
) -> Response:
    """Show a call to anybody who is signed in, or to everybody if it is public."""
    account_id = None if person is None else person.account_id
    return _page(runtime, doors.of_anybody(account_id, slug, ref), person, now, language)


@router.post(OF_ANYBODY)
def post_open_call(
    slug: str, ref: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Apply with an account, or change what one said."""
    opens = doors.of_anybody(person.account_id, slug, ref)
    return _applied(runtime, opens, person, now, language, sent)


@router.post(f"{OF_ANYBODY}/withdrawal")
def post_open_withdrawal(
    slug: str, ref: str, runtime: Running, person: Person, now: Now, language: Speaking, _sent: PersonsForm
) -> Response:
    """Withdraw what one applied for with an account."""
    return _withdrawn(runtime, doors.of_anybody(person.account_id, slug, ref), person, now, language)


@router.post(f"{OF_ANYBODY}/questions")
def post_open_question(
    slug: str, ref: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Ask why what one applied for with an account was decided so."""
    opens = doors.of_anybody(person.account_id, slug, ref)
    return _asked(runtime, opens, person, now, language, sent.get("question", ""))


def _page(
    runtime: Runtime,
    opens: Opens,
    person: SignedIn | None,
    now: datetime,
    language: Language,
    typed: Typed | None = None,
    question: str = "",
    fault: str | None = None,
) -> Response:
    with runtime.database.read() as session:
        door = opens(session)
        seen = doors.look(session, door, now)
        wrong = fault is not None or (typed is not None and bool(typed.faults))
        return private(
            render(
                "call.html",
                language=language,
                status=422 if wrong else 200,
                person=person,
                seen=seen,
                call=door.call,
                network=door.network,
                typed=typed or doors.form(session, seen),
                question=question,
                fault=fault,
                states=STATES,
                outcomes=OUTCOMES,
                levels=LEVELS,
                agreement=AGREEMENT,
                opens=language.local_moment(door.call.opens_at, door.network.time_zone),
                closes=language.local_moment(door.call.closes_at, door.network.time_zone),
            )
        )


def _applied(
    runtime: Runtime, opens: Opens, person: SignedIn, now: datetime, language: Language, sent: dict[str, str]
) -> Response:
    with runtime.database.read() as session:
        door = opens(session)
    typed = forms.read(door.call, sent, named=door.member is None)
    if typed.faults:
        return _page(runtime, opens, person, now, language, typed)
    try:
        doors.apply(runtime, opens, person.account_id, typed, now)
    except ServiceError as error:
        return refused(language, NOT_DONE, error, back=door.path)
    return Response(status_code=303, headers={"Location": door.path})


def _withdrawn(runtime: Runtime, opens: Opens, person: SignedIn, now: datetime, language: Language) -> Response:
    with runtime.database.read() as session:
        path = opens(session).path
    try:
        doors.withdraw(runtime, opens, person.account_id, now)
    except ServiceError as error:
        return refused(language, NOT_DONE, error, back=path)
    return Response(status_code=303, headers={"Location": path})


def _asked(
    runtime: Runtime, opens: Opens, person: SignedIn, now: datetime, language: Language, question: str
) -> Response:
    fault = forms.question_fault(question)
    if fault is not None:
        return _page(runtime, opens, person, now, language, question=question, fault=fault)
    with runtime.database.read() as session:
        path = opens(session).path
    try:
        doors.ask(runtime, opens, person.account_id, question, now)
    except ServiceError as error:
        return refused(language, NOT_DONE, error, back=path)
    return Response(status_code=303, headers={"Location": path})
