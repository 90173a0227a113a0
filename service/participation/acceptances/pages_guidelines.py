"""Pages about guidelines: for everybody, and for a member who is to accept them."""

from typing import Final

from fastapi import APIRouter, Response

from service.accounts.pages_signed_in import Person, PersonalRoute, PersonsForm, refused
from service.bodies import Uid
from service.errors import ConflictError, ServiceError
from service.networks.guidelines import documents, reading
from service.participation.acceptances import accepting, who
from service.sharing import my_badges
from service.signing import issuers
from service.storage.database import ReadSession
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Reader, Running, StrictRoute
from service.web.visitor_language import Speaking

public = APIRouter(include_in_schema=False, route_class=StrictRoute)
router = APIRouter(include_in_schema=False, route_class=PersonalRoute)
NOT_ACCEPTED: Final = N_("We could not record that you accept")
CLOSED: Final = N_("This network is closed, and takes nothing new.")
NO_GUIDELINES: Final = N_("No guidelines at this address")
NOTHING: Final = N_("Check the link. Perhaps the network has not published any yet.")


@public.get("/networks/{slug}/guidelines")
def get_guidelines(slug: str, session: Reader, language: Speaking) -> Response:
    """Show the guidelines that are in force."""
    return _published(session, language, slug, None)


@public.get("/networks/{slug}/guidelines/{number}")
def get_version(slug: str, number: str, session: Reader, language: Speaking) -> Response:
    """Show one version of the guidelines."""
    return _published(session, language, slug, number)


@router.get("/my-badges/members/{member_id}/guidelines")
def get_own_guidelines(member_id: Uid, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show a member the guidelines in force, and what changed since the version that they accepted."""
    return _own(session, language, person, member_id, now)


@router.post("/my-badges/members/{member_id}/guidelines")
def post_own_guidelines(
    member_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Accept the guidelines as the member."""
    back = f"/my-badges/members/{member_id}/guidelines"
    number = sent.get("version", "")
    try:
        with runtime.database.write() as session:
            account = person.account(session)
            chosen = int(number) if number.isdecimal() and len(number) < 7 else 0
            accepting.accept_in_person(session, runtime, account.id, member_id, chosen, now)
    except ConflictError as error:
        if error.code != "guidelines-replaced":
            return refused(language, NOT_ACCEPTED, ConflictError(error.code, CLOSED), back=back)
        with runtime.database.read() as session:
            return _own(session, language, person, member_id, now, error.message)
    except ServiceError as error:
        return refused(language, NOT_ACCEPTED, error, back=back)
    return Response(status_code=303, headers={"Location": back})


def _published(session: ReadSession, language: Language, slug: str, number: str | None) -> Response:
    """Return the page of a version that was published; without a number of the one in force."""
    network, versions = documents.of_slug(session, slug)
    version = next((each for each in versions if number in (None, str(each.number))), None)
    if network is None or version is None:
        return render("notice.html", language=language, status=404, title=NO_GUIDELINES, sentence=NOTHING)
    return render(
        "guidelines.html",
        language=language,
        indexed=not network.sandbox and versions[0].number == version.number,
        network=network,
        name=issuers.marked(network, network.name),
        version=version,
        sections=reading.sections(version),
        versions=versions,
    )


def _own(
    session: ReadSession, language: Language, person: Person, member_id: Uid, now: Now, fault: str | None = None
) -> Response:
    member, network = my_badges.membership(session, person.account_id, member_id)
    versions = documents.published(session, network)
    version = versions[0] if versions else None
    asked = who.of_member(session, network, member, now)
    known = next((each for each in versions if each.number == asked.standing.number), None)
    return render(
        "my_guidelines.html",
        language=language,
        status=200 if fault is None else 409,
        person=person,
        member=member,
        network=network,
        version=version,
        known=known,
        asked=asked,
        sections=reading.sections(version, known) if version is not None else [],
        gone=reading.gone(version, known) if version is not None else [],
        changes=reading.changes(versions, known.number) if known is not None else [],
        fault=fault,
    )
