"""Pages of a signed-in person: with whom they disagree, and what they accept."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter, ValidationError

from service.accounts.pages_signed_in import DoorsHere, Person, PersonalRoute, PersonsForm, refused
from service.accounts.sign_ins import SignedIn
from service.appeals import disagreements
from service.appeals.contestable import CaseIn
from service.bodies import Uid
from service.errors import NotFoundError, ServiceError
from service.sharing import appeal_words, my_badges, own_disagreements
from service.sharing.pages_my_records import MOST_CHARACTERS, NOT_DONE, TOO_LONG
from service.storage.database import ReadSession
from service.tables import Member, Network
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

LONGEST: Final = 320
"""Characters of the longest ref or address."""
NO_NAME = N_("Write the name or the email address by which the network knows the other person.")
NO_TOPIC = N_("Choose what it is about.")
NO_WORDS = N_("Write what happened.")
_UID: Final[TypeAdapter[UUID]] = TypeAdapter(Uid)


@router.get("/my-badges/members/{member_id}/disagreement")
def get_disagreement(
    member_id: Uid,
    session: Reader,
    person: Person,
    language: Speaking,
    record: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show the form with which somebody says with whom they disagree."""
    member, network = my_badges.membership(session, person.account_id, member_id)
    return _form(session, language, person, member, network, {"record": record}, {})


@router.post("/my-badges/members/{member_id}/disagreement")
def post_disagreement(
    member_id: Uid,
    runtime: Running,
    person: Person,
    now: Now,
    language: Speaking,
    sent: PersonsForm,
    doors: DoorsHere,
) -> Response:
    """Open a case with another member."""
    with runtime.database.read() as session:
        member, network = my_badges.membership(session, person.account_id, member_id)
        faults = _faults(sent)
        if not faults:
            doors.names.take(f"account {person.account_id}", doors.steady())
            try:
                ref = own_disagreements.named(session, network, sent["other"])
            except NotFoundError as error:
                faults["other"] = error.message
        if faults:
            return _form(session, language, person, member, network, sent, faults)
    between = {"respondent": ref, "about": sent["about"]} | ({"record": sent["record"]} if sent.get("record") else {})
    try:
        body = CaseIn.model_validate({"disagreement": between, "statement": sent["statement"]})
        with runtime.database.write() as session:
            case_id = own_disagreements.disagree(session, person.account_id, member_id, body, now).id
    except ValidationError:
        return _refused(language, NotFoundError("record-unknown", appeal_words.REFUSED["record-unknown"]), "/my-badges")
    except ServiceError as error:
        return _refused(language, error, f"/my-badges/members/{member_id}/disagreement")
    return Response(status_code=303, headers={"Location": f"/my-badges/cases/{case_id}"})


@router.post("/my-badges/cases/{case_id}/agreement")
def post_agreement(
    case_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Accept the agreement that the mediator proposed."""
    back = f"/my-badges/cases/{case_id}"
    try:
        proposal = _UID.validate_python(sent.get("proposal", ""))
        with runtime.database.write() as session:
            own_disagreements.accept(session, person.account_id, case_id, proposal, now)
    except ValidationError:
        return _refused(language, NotFoundError("step-unknown", appeal_words.REFUSED["proposal-other"]), back)
    except ServiceError as error:
        return _refused(language, error, back)
    return Response(status_code=303, headers={"Location": back})


def _faults(sent: dict[str, str]) -> dict[str, str]:
    """Return what is wrong with the fields as they were typed, by their names."""
    faults = {}
    if not 0 < len(sent.get("other", "")) <= LONGEST:
        faults["other"] = NO_NAME
    if sent.get("about") not in appeal_words.TOPICS:
        faults["about"] = NO_TOPIC
    if not sent.get("statement"):
        faults["statement"] = NO_WORDS
    elif len(sent["statement"]) > MOST_CHARACTERS:
        faults["statement"] = TOO_LONG
    return faults


def _form(
    session: ReadSession,
    language: Language,
    person: SignedIn,
    member: Member,
    network: Network,
    sent: dict[str, str],
    faults: dict[str, str],
) -> Response:
    days, guidelines = disagreements.days_of(session, network)
    return render(
        "my_disagreement.html",
        language=language,
        status=422 if faults else 200,
        person=person,
        member=member,
        network=network,
        sent=sent,
        faults=faults,
        topics=appeal_words.TOPICS,
        days=days,
        guidelines=guidelines,
        back=f"/my-badges/members/{member.id}/disagreement" if faults else None,
    )


def _refused(language: Language, error: ServiceError, back: str) -> Response:
    """Return the page that says why something was refused, in words for people."""
    told = type(error)(error.code, appeal_words.of(error, between=True), error.pointer, error.details)
    return refused(language, NOT_DONE, told, back=back)
