"""A member's pages for what they want to learn and can offer.

They also show who could help.
"""

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Response

from service.access import callers
from service.access.act import CallersAct
from service.accounts.pages_signed_in import Person, PersonalRoute, PersonsForm, refused
from service.accounts.sign_ins import SignedIn
from service.bodies import Uid
from service.errors import InvalidError, ServiceError
from service.networks import protected
from service.participation.needs import answers, cycles, findings, forms, own_needs, words
from service.runtime.runtime import Runtime
from service.sharing import my_badges
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.tables import Member, NeedsCycle
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

NOT_KEPT: Final = N_("We did not keep your answer")
NOT_SHOWN: Final = N_("There is nothing to answer")
NOT_DELETED: Final = N_("Nothing was deleted")
NEEDS: Final = "/my-badges/members/{member_id}/needs"


@router.get(NEEDS)
def get_surveys(member_id: Uid, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show the surveys of a network that a member can answer, will be able to answer, or has answered."""
    member, network = my_badges.membership(session, person.account_id, member_id)
    found = own_needs.surveys(session, network, member, now, language.code)
    return render("my_surveys.html", language=language, person=person, member=member, network=network, surveys=found)


@router.get(f"{NEEDS}/{{cycle}}")
def get_survey(member_id: Uid, cycle: str, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show the survey with what the member answered, and who could help them."""
    member, network = my_badges.membership(session, person.account_id, member_id)
    try:
        row = cycles.get_cycle(session, network, cycle)
    except ServiceError as error:
        return _refused(language, NOT_SHOWN, error, _path(member))
    fields = forms.fields_of(answers.own(session, row, member))
    return _page(session, language, person, member, row, fields, now)


@router.post(f"{NEEDS}/{{cycle}}")
def post_survey(
    member_id: Uid, cycle: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Keep what the member answers."""
    try:
        with runtime.database.write() as session:
            act, member, row = _entered(session, person, member_id, cycle, now)
            answers.record(act, row, member, forms.body_of(row, sent), "page")
            path = _path(member, row)
    except InvalidError as error:
        return _again(runtime, language, person, member_id, cycle, sent, now, error)
    except ServiceError as error:
        return _refused(language, NOT_KEPT, error, f"/my-badges/members/{member_id}/needs")
    return Response(status_code=303, headers={"Location": path})


@router.post(f"{NEEDS}/{{cycle}}/withdrawal")
def post_withdrawal(
    member_id: Uid, cycle: str, runtime: Running, person: Person, now: Now, language: Speaking, _sent: PersonsForm
) -> Response:
    """Delete what the member answered."""
    try:
        with runtime.database.write() as session:
            act, member, row = _entered(session, person, member_id, cycle, now)
            answers.remove(act, row, member)
            path = _path(member)
    except ServiceError as error:
        return _refused(language, NOT_DELETED, error, f"/my-badges/members/{member_id}/needs")
    return Response(status_code=303, headers={"Location": path})


def _entered(
    session: WriteSession, person: SignedIn, member_id: Uid, cycle: str, now: datetime
) -> tuple[CallersAct, Member, NeedsCycle]:
    """Lock the account, then the network; return the act of the member in person, and the cycle."""
    person.account(session)
    member, network = my_badges.membership(session, person.account_id, member_id)
    locks.network(session, network.id)
    session.expire_all()
    member, network = my_badges.membership(session, person.account_id, member_id)
    act = CallersAct(session, callers.still_open(network), callers.in_person(member, "evidence:write"), now)
    return act, member, cycles.get_cycle(session, network, cycle)


def _again(
    runtime: Runtime,
    language: Language,
    person: SignedIn,
    member_id: Uid,
    cycle: str,
    sent: dict[str, str],
    now: datetime,
    error: InvalidError,
) -> Response:
    """Show the form again, as it was filled in, with what is wrong."""
    with runtime.database.read() as session:
        member, network = my_badges.membership(session, person.account_id, member_id)
        row = cycles.get_cycle(session, network, cycle)
        return _page(session, language, person, member, row, sent, now, words.of_refusal(error.code))


def _page(
    session: ReadSession,
    language: Language,
    person: SignedIn,
    member: Member,
    row: NeedsCycle,
    fields: dict[str, str],
    now: datetime,
    fault: str | None = None,
) -> Response:
    shown = own_needs.survey(session, member, row, now, language)
    return render(
        "my_needs.html",
        language=language,
        status=200 if fault is None else 422,
        back=_path(member, row),
        person=person,
        member=member,
        shown=shown,
        form=forms.form_of(row, fields, language.code),
        said=None if shown.answer is None else own_needs.told(row, shown.answer, language),
        path=_path(member, row),
        fault=fault,
        words=words,
        named_as=own_needs.named_as(member),
        is_protected=protected.is_protected(session, member.id, now),
        help=findings.help_for(session, row, member, now),
        name_of=findings.shown_name,
        reasons=words.reasons,
    )


def _path(member: Member, row: NeedsCycle | None = None) -> str:
    return own_needs.path_of(member, row)


def _refused(language: Language, title: str, error: ServiceError, back: str) -> Response:
    told = type(error)(error.code, words.of_refusal(error.code), error.pointer, error.details)
    return refused(language, title, told, back=back)
