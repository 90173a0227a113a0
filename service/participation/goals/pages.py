"""Pages of a signed-in member: their goals, and those that others share with them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from service.access.act import CallersAct
from service.accounts.pages_signed_in import DoorsHere, Person, PersonalRoute, PersonsForm, refused
from service.accounts.sign_ins import SignedIn
from service.bodies import Uid
from service.errors import InvalidError, ServiceError
from service.participation.goals import answers, check_ins, closing, goals, in_person, showing
from service.participation.goals.in_person import CLOSED, COURSE, read
from service.participation.goals.shapes import CheckInIn, GoalAnswerIn, GoalChange, GoalClosingIn, GoalIn
from service.runtime.runtime import Runtime
from service.sharing import my_badges
from service.storage.database import ReadSession
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

GOALS: Final = "/my-badges/members/{member_id}/goals"
GOAL: Final = f"{GOALS}/{{goal_id}}"
WRITTEN: Final = ("title", "measure", "why", "begun_on", "due_on", "objective")
SHARED: Final = ("shared_with", "buddy")
NOT_DONE = N_("That did not work")


@router.get(GOALS)
def get_goals(member_id: Uid, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show the goals of a member, and those that others share with them."""
    member, network = my_badges.membership(session, person.account_id, member_id)
    found = in_person.goals_of(session, member, network, now)
    return render(
        "my_goals.html", language=language, person=person, member=member, network=network, goals=found, **_words()
    )


@router.get(f"{GOALS}/new")
def get_new_goal(member_id: Uid, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show the form with which a goal is set."""
    _, network = my_badges.membership(session, person.account_id, member_id)
    typed = {"begun_on": in_person.today_in(network, now).isoformat(), "shared_with": "nobody"}
    return _form(session, language, person, member_id, typed)


@router.post(GOALS)
def post_goal(
    member_id: Uid,
    runtime: Running,
    person: Person,
    now: Now,
    language: Speaking,
    sent: PersonsForm,
    doors: DoorsHere,
) -> Response:
    """Set a goal."""
    try:
        _count_try(doors, person, sent)
        with runtime.database.write() as session:
            person.account(session)
            act = in_person.acting(session, person.account_id, member_id, now)
            goal_id = goals.make(act, read(GoalIn, _with_ref(act, sent), *WRITTEN, *SHARED)).id
    except InvalidError as error:
        with runtime.database.read() as reading:
            return _form(reading, language, person, member_id, sent, error)
    except ServiceError as error:
        return refused(language, NOT_DONE, error, back=f"/my-badges/members/{member_id}/goals")
    return _to(member_id, goal_id)


@router.get(GOAL)
def get_goal(member_id: Uid, goal_id: Uid, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show a goal, with what the one who looks can do with it."""
    return _page(session, language, person, (member_id, goal_id), now)


@router.get(f"{GOAL}/edit")
def get_edit(member_id: Uid, goal_id: Uid, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show the form with which a goal is changed."""
    _, _, found, _ = in_person.one(session, person.account_id, member_id, goal_id, now)
    row, text = found.row, found.text
    if found.part != "member" or row.closed_as is not None:
        return _to(member_id, goal_id)
    typed = {
        "title": text.title,
        "measure": text.measure or "",
        "why": text.why or "",
        "begun_on": row.begun_on.isoformat(),
        "due_on": row.due_on.isoformat(),
        "objective": row.objective or "",
    }
    return _form(session, language, person, member_id, typed, goal_id=goal_id)


@router.post(f"{GOAL}/edit")
def post_edit(
    member_id: Uid, goal_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Change a goal."""
    try:
        with runtime.database.write() as session:
            person.account(session)
            act = in_person.acting(session, person.account_id, member_id, now)
            read(GoalIn, sent, *WRITTEN)  # what is missing is said as for a new one
            emptied = {name: None for name in ("measure", "why", "objective") if not sent.get(name)}
            goals.change(act, goal_id, read(GoalChange, sent, *WRITTEN, **emptied))
    except InvalidError as error:
        with runtime.database.read() as reading:
            return _form(reading, language, person, member_id, sent, error, goal_id=goal_id)
    except ServiceError as error:
        return refused(language, NOT_DONE, error, back=_path(member_id, goal_id))
    return _to(member_id, goal_id)


@router.post(f"{GOAL}/sharing")
def post_sharing(
    member_id: Uid,
    goal_id: Uid,
    runtime: Running,
    person: Person,
    now: Now,
    language: Speaking,
    sent: PersonsForm,
    doors: DoorsHere,
) -> Response:
    """Share a goal with a buddy, the network, or nobody."""

    def share(act: CallersAct) -> None:
        wanted = _with_ref(act, sent) if sent.get("shared_with") == "buddy" else sent | {"buddy": ""}
        goals.change(act, goal_id, read(GoalChange, wanted, *SHARED))

    try:
        _count_try(doors, person, sent)
    except ServiceError as error:
        return refused(language, NOT_DONE, error, back=_path(member_id, goal_id))
    return _done(runtime, language, person, (member_id, goal_id), now, sent, share)


@router.post(f"{GOAL}/check-ins")
def post_check_in(
    member_id: Uid, goal_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Check in."""

    def check_in(act: CallersAct) -> None:
        check_ins.add(act, goal_id, read(CheckInIn, sent, "progress", "on", "comment", "obstacle"))

    return _done(runtime, language, person, (member_id, goal_id), now, sent, check_in)


@router.post(f"{GOAL}/check-ins/{{check_in_id}}/removal")
def post_check_in_removal(
    member_id: Uid,
    goal_id: Uid,
    check_in_id: Uid,
    runtime: Running,
    person: Person,
    now: Now,
    language: Speaking,
    sent: PersonsForm,
) -> Response:
    """Delete a check-in."""
    where = (member_id, goal_id)
    return _done(runtime, language, person, where, now, sent, lambda act: check_ins.remove(act, goal_id, check_in_id))


@router.post(f"{GOAL}/closing")
def post_closing(
    member_id: Uid, goal_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Close a goal."""

    def close(act: CallersAct) -> None:
        counts = {"evidence": bool(sent.get("evidence"))} if sent.get("closed_as") == "met" else {}
        closing.close(act, runtime, goal_id, read(GoalClosingIn, sent, "closed_as", "outcome", **counts))

    return _done(runtime, language, person, (member_id, goal_id), now, sent, close)


@router.post(f"{GOAL}/removal")
def post_removal(
    member_id: Uid, goal_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Delete a goal."""
    there = _done(runtime, language, person, (member_id, goal_id), now, sent, lambda act: goals.remove(act, goal_id))
    return _to(member_id) if there.status_code == 303 else there


@router.post(f"{GOAL}/buddy")
def post_buddy(
    member_id: Uid, goal_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Say whether one is the buddy for somebody's goal."""
    accepts = sent.get("accepts") == "yes"

    def say(act: CallersAct) -> None:
        answers.answer_as_buddy(act, goal_id, accepts=accepts)

    there = _done(runtime, language, person, (member_id, goal_id), now, sent, say)
    return _to(member_id) if there.status_code == 303 and not accepts else there


@router.post(f"{GOAL}/answer")
def post_answer(
    member_id: Uid, goal_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Say whether somebody's goal was met."""

    def say(act: CallersAct) -> None:
        answers.answer(act, runtime, goal_id, read(GoalAnswerIn, sent, "comment", met=sent.get("met") == "yes"))

    return _done(runtime, language, person, (member_id, goal_id), now, sent, say)


def _done(
    runtime: Runtime,
    language: Language,
    person: SignedIn,
    where: tuple[UUID, UUID],
    now: datetime,
    sent: dict[str, str],
    work: Callable[[CallersAct], None],
) -> Response:
    """Do something with a goal in person; show its page again, with what was typed if that cannot be."""
    member_id, goal_id = where
    try:
        with runtime.database.write() as session:
            person.account(session)
            work(in_person.acting(session, person.account_id, member_id, now))
    except InvalidError as error:
        with runtime.database.read() as reading:
            return _page(reading, language, person, where, now, sent, error)
    except ServiceError as error:
        return refused(language, NOT_DONE, error, back=_path(member_id, goal_id))
    return _to(member_id, goal_id)


def _page(
    session: ReadSession,
    language: Language,
    person: SignedIn,
    where: tuple[UUID, UUID],
    now: datetime,
    typed: dict[str, str] | None = None,
    fault: InvalidError | None = None,
) -> Response:
    member, network, found, listed = in_person.one(session, person.account_id, *where, now)
    return render(
        "my_goal.html",
        language=language,
        status=200 if fault is None else 422,
        person=person,
        member=member,
        network=network,
        found=found,
        check_ins=listed,
        today=in_person.today_in(network, now).isoformat(),
        typed=typed or {},
        fault=fault,
        back=None if fault is None else _path(*where),
        **_words(),
    )


def _form(
    session: ReadSession,
    language: Language,
    person: SignedIn,
    member_id: UUID,
    typed: dict[str, str],
    fault: InvalidError | None = None,
    goal_id: UUID | None = None,
) -> Response:
    member, network = my_badges.membership(session, person.account_id, member_id)
    return render(
        "my_goal_form.html",
        language=language,
        status=200 if fault is None else 422,
        person=person,
        member=member,
        network=network,
        goal_id=goal_id,
        objectives=in_person.objectives_of(session, network, typed.get("objective")),
        typed=typed,
        fault=fault,
        back=None if fault is None else f"/my-badges/members/{member_id}/goals",
    )


def _with_ref(act: CallersAct, sent: dict[str, str]) -> dict[str, str]:
    """Return the fields with the ref of the buddy who is named; no other sharing has one."""
    if sent.get("shared_with") != "buddy" or not sent.get("buddy"):
        return sent | {"buddy": ""}
    return sent | {"buddy": showing.ref_of(act.session, act.network, sent["buddy"], act.now)}


def _count_try(doors: DoorsHere, person: SignedIn, sent: dict[str, str]) -> None:
    """Count a name that is tried: nobody finds out here who else is in a network.

    Raises:
        TooManyRequestsError: they tried too many (code "too-many-requests").
    """
    if sent.get("shared_with") == "buddy":
        doors.tries.take(f"account {person.account_id}", doors.steady())


def _words() -> dict[str, Any]:
    return {"course": COURSE, "closed": CLOSED}


def _path(member_id: UUID, goal_id: UUID | None = None) -> str:
    return f"/my-badges/members/{member_id}/goals" + (f"/{goal_id}" if goal_id is not None else "")


def _to(member_id: UUID, goal_id: UUID | None = None) -> Response:
    return Response(status_code=303, headers={"Location": _path(member_id, goal_id)})
