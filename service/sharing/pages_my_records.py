"""Pages of a signed-in person: their records, and the decisions they contest."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import ValidationError

from service.accounts.pages_signed_in import Person, PersonalRoute, PersonsForm, refused
from service.accounts.sign_ins import SignedIn
from service.appeals.contestable import CaseIn
from service.bodies import Uid
from service.errors import InvalidError, NotFoundError, ServiceError
from service.sharing import about_oneself, appeal_words, my_badges, own_cases, own_disagreements
from service.sharing.about_oneself import RECORDS_ON_A_PAGE, Kind
from service.sharing.pages_my_badges import HOME, After
from service.storage.database import ReadSession
from service.storage.paging import Window
from service.tables import Member, Network
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

MOST_CHARACTERS: Final = 10_000
EMPTY = N_("Write why you disagree.")
TOO_LONG = N_("Write at most 10,000 characters.")
NOT_DONE = N_("That did not work")
Matter = Annotated[str, Query(max_length=200)]


@router.get("/my-badges/members/{member_id}/records")
def get_records(
    member_id: Uid,
    session: Reader,
    person: Person,
    language: Speaking,
    kind: Kind = "evaluation",
    after: After = None,
) -> Response:
    """Show what a network holds about a member: what others said, or what they did."""
    member, network = my_badges.membership(session, person.account_id, member_id)
    window = Window(after, RECORDS_ON_A_PAGE, f"records-{member.id}-{kind}")
    found, following = about_oneself.list_held(session, network, member, kind, window)
    return render(
        "my_records.html",
        language=language,
        member=member,
        network=network,
        kind=kind,
        records=found,
        next=following,
        first=after is None,
    )


@router.get("/my-badges/members/{member_id}/appeal")
def get_appeal(
    member_id: Uid,
    session: Reader,
    person: Person,
    language: Speaking,
    achievement: Matter = "",
    approval: Matter = "",
    credential: Matter = "",
) -> Response:
    """Show the form with which a decision is contested."""
    member, network = my_badges.membership(session, person.account_id, member_id)
    return _form(session, language, person, member, network, _chosen(achievement, approval, credential))


@router.post("/my-badges/members/{member_id}/appeal")
def post_appeal(
    member_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Contest a decision: open a case as the member whom it is about."""
    matter = _chosen(*(sent.get(name, "") for name in ("achievement", "approval", "credential")))
    statement = sent.get("statement", "")
    fault = _fault(statement)
    if fault is not None:
        with runtime.database.read() as session:
            member, network = my_badges.membership(session, person.account_id, member_id)
            return _form(session, language, person, member, network, matter, statement, fault)
    try:
        body = CaseIn.model_validate(matter | {"statement": statement})
        with runtime.database.write() as session:
            case_id = own_cases.contest(session, person.account_id, member_id, body, now).id
    except ValidationError:
        return _refused(language, InvalidError("matter-ambiguous", appeal_words.NOTHING), HOME)
    except ServiceError as error:
        return _refused(language, error, HOME)
    return Response(status_code=303, headers={"Location": f"/my-badges/cases/{case_id}"})


@router.get("/my-badges/cases/{case_id}")
def get_case(case_id: Uid, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show a case of a party, with its steps and what was said."""
    return _case(session, case_id, person, now, language)


@router.post("/my-badges/cases/{case_id}/statements")
def post_statement(
    case_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Add a statement to a case."""
    text, back = sent.get("statement", ""), f"/my-badges/cases/{case_id}"
    fault = _fault(text)
    if fault is not None:
        with runtime.database.read() as session:
            return _case(session, case_id, person, now, language, text, fault)
    try:
        with runtime.database.write() as session:
            own_cases.say(session, person.account_id, case_id, text, now)
    except ServiceError as error:
        return _refused(language, error, back)
    return Response(status_code=303, headers={"Location": back})


@router.post("/my-badges/cases/{case_id}/escalation")
def post_escalation(
    case_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, _sent: PersonsForm
) -> Response:
    """Ask that somebody else decides a case."""
    back = f"/my-badges/cases/{case_id}"
    try:
        with runtime.database.write() as session:
            own_cases.escalate(session, person.account_id, case_id, now)
    except ServiceError as error:
        return _refused(language, error, back)
    return Response(status_code=303, headers={"Location": back})


@router.post("/my-badges/cases/{case_id}/withdrawal")
def post_withdrawal(
    case_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, _sent: PersonsForm
) -> Response:
    """Withdraw a case."""
    back = f"/my-badges/cases/{case_id}"
    try:
        with runtime.database.write() as session:
            own_cases.withdraw(session, person.account_id, case_id, now)
    except ServiceError as error:
        return _refused(language, error, back)
    return Response(status_code=303, headers={"Location": back})


def _fault(statement: str) -> str | None:
    """Return what is wrong with a statement as it was typed; None: nothing."""
    if not statement:
        return EMPTY
    return TOO_LONG if len(statement) > MOST_CHARACTERS else None


def _case(
    session: ReadSession,
    case_id: UUID,
    person: SignedIn,
    now: datetime,
    language: Language,
    statement: str = "",
    fault: str | None = None,
) -> Response:
    shown, own = own_cases.find(session, person.account_id, case_id, now)
    return render(
        "my_case.html",
        language=language,
        status=200 if fault is None else 422,
        back=f"/my-badges/cases/{case_id}",
        person=person,
        shown=shown,
        case=shown.case,
        network=own.network,
        name=own.name,
        due=own_cases.last_day(own.network, shown.case.due_at),
        proposal=own_disagreements.proposal_of(shown),
        answered=own_disagreements.answered(shown),
        answer_due=own_cases.last_day(own.network, shown.case.answer_due_at or now),
        answer_over=shown.case.answer_due_at is not None and shown.case.answer_due_at <= now,
        words=appeal_words,
        statement=statement,
        fault=fault,
    )


def _chosen(achievement: str, approval: str, credential: str) -> dict[str, str]:
    given = {"achievement": achievement, "approval": approval, "credential": credential}
    return {name: value for name, value in given.items() if value}


def _form(
    session: ReadSession,
    language: Language,
    person: SignedIn,
    member: Member,
    network: Network,
    matter: dict[str, str],
    statement: str = "",
    fault: str | None = None,
) -> Response:
    name = own_cases.name_of(session, member, network, matter)
    if name is None:
        raise NotFoundError("approval-unknown", appeal_words.NOTHING)
    return render(
        "my_appeal.html",
        language=language,
        status=200 if fault is None else 422,
        name=name,
        person=person,
        member=member,
        network=network,
        matter=matter,
        statement=statement,
        fault=fault,
        back=None if fault is None else f"/my-badges/members/{member.id}/progress",
    )


def _refused(language: Language, error: ServiceError, back: str) -> Response:
    """Return the page that says why something was refused, in words for people."""
    told = type(error)(error.code, appeal_words.of(error), error.pointer, error.details)
    return refused(language, NOT_DONE, told, back=back)
