"""Pages of a peer: endorse a skill of a badge, agree to it, withdraw it."""

from collections.abc import Callable, Mapping
from typing import Final

from fastapi import APIRouter, Response

from service.accounts.pages_signed_in import Person, PersonalRoute, PersonsForm, refused
from service.errors import CustodyError, ServiceError
from service.issuing.endorsing import MAX_COMMENT
from service.runtime.runtime import Runtime
from service.sharing import endorsing
from service.storage.database import WriteSession
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

HOME: Final = "/my-endorsements"
NOT_POSSIBLE = N_("You cannot endorse this badge")
NOT_ENDORSED = N_("We did not keep your endorsement")
NOT_CHANGED = N_("Nothing was changed")
WORDS: Final[Mapping[str, str]] = {
    "credential-unknown": N_("There is no badge at this link, or the person keeps it private."),
    "endorsement-oneself": N_("This is your own badge. Ask a colleague to endorse it."),
    "self-decision": N_("This is your own badge. Ask a colleague to endorse it."),
    "endorsement-private": N_("There is no badge at this link, or the person keeps it private."),
    "endorsement-ended": N_("This badge is not in force any more, so nobody can endorse it."),
    "endorsements-full": N_("This badge has as many endorsements as it can have."),
    "skill-unknown": N_("Choose one of the skills of this badge."),
    "comment-too-long": N_("Your comment is too long. It can have 500 characters."),
    "name-protected": N_("Children and students are never named. Endorse the badge without your name."),
    "network-closed": N_("This network is closed. Nothing in it can change."),
    "member-erased": N_("You are no member of this network any more."),
    "endorsement-unknown": N_("You have no such endorsement, or you withdrew it."),
}
"""What a refusal means, by its code."""


@router.get("/credentials/{credential_id}/endorse")
def get_form(credential_id: str, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show the skills of a badge, and what follows from endorsing one."""
    back = f"/credentials/{credential_id}"
    try:
        found = endorsing.open_to(session, person.account_id, credential_id, now)
    except ServiceError as error:
        return _refused(language, NOT_POSSIBLE, error, back)
    path = f"{back}/endorse"
    return render("endorse.html", language=language, back=path, person=person, found=found, most=MAX_COMMENT)


@router.post("/credentials/{credential_id}/endorse")
def post_endorsement(
    credential_id: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Endorse a skill of a badge."""
    skill = sent.get("skill", "")
    place = int(skill) if skill.isascii() and skill.isdigit() and len(skill) < 4 else -1
    said = (place, sent.get("comment", "").replace("\r\n", "\n"), sent.get("named") == "yes")

    def work(session: WriteSession) -> None:
        endorsing.give(session, runtime, person.account_id, credential_id, said, now)

    return _done(runtime, language, NOT_ENDORSED, work, f"/credentials/{credential_id}/endorse")


@router.get("/my-endorsements")
def get_endorsements(session: Reader, runtime: Running, person: Person, now: Now, language: Speaking) -> Response:
    """Show what somebody endorsed, and what waits for them."""
    found = endorsing.given(session, person.account_id, runtime, now)
    waiting = endorsing.badges_waiting(session, person.account_id, now)
    return render("my_endorsements.html", language=language, person=person, given=found, waiting=waiting)


@router.post("/my-endorsements/{endorsement_id}/consent")
def post_consent(
    endorsement_id: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Agree to what a network posted in one's name, with the name or without."""

    def work(session: WriteSession) -> None:
        endorsing.agree(session, person.account_id, endorsement_id, now, named=sent.get("named") == "yes")

    return _done(runtime, language, NOT_CHANGED, work, HOME)


@router.post("/my-endorsements/{endorsement_id}/withdrawal")
def post_withdrawal(
    endorsement_id: str, runtime: Running, person: Person, now: Now, language: Speaking, _sent: PersonsForm
) -> Response:
    """Withdraw an endorsement."""

    def work(session: WriteSession) -> None:
        endorsing.withdraw(session, runtime, person.account_id, endorsement_id, now)

    return _done(runtime, language, NOT_CHANGED, work, HOME)


def _done(
    runtime: Runtime, language: Language, title: str, work: Callable[[WriteSession], None], back: str
) -> Response:
    """Do something in one transaction, and lead to the list; nothing is left of what is refused."""
    try:
        with runtime.database.write() as session:
            work(session)
    except CustodyError:
        raise  # it is no fault of theirs: the service cannot sign now
    except ServiceError as error:
        return _refused(language, title, error, back)
    return Response(status_code=303, headers={"Location": HOME})


def _refused(language: Language, title: str, error: ServiceError, back: str) -> Response:
    told = type(error)(error.code, WORDS.get(error.code, error.message), error.pointer, error.details)
    return refused(language, title, told, back=back)
