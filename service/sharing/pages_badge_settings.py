"""The page where a recipient chooses what others see of a badge, or declines it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final, Literal, get_args

from fastapi import APIRouter, Request, Response

from service.accounts.pages_signed_in import Person, PersonalRoute, PersonsForm, refused
from service.accounts.sign_ins import SignedIn
from service.errors import CustodyError, ServiceError
from service.issuing import credentials
from service.issuing.anew import NameShown
from service.issuing.visibility import Visibility
from service.public import documents
from service.runtime.runtime import Runtime
from service.sharing import badge_settings, my_badges, take_away
from service.storage.database import WriteSession
from service.texts.languages import N_, Language
from service.web.costly import in_a_place
from service.web.file_names import disposition
from service.web.rendering import page_headers, render
from service.web.requests import Now, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

NOT_CHANGED = N_("Nothing was changed")
NOT_SURE = N_("Tick the box to say that you know that this cannot be undone.")
Form = Literal["png", "svg", "json", "jwt"]
MEDIA_TYPES: Final[Mapping[Form, str]] = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "json": documents.CREDENTIAL,
    "jwt": "text/plain",
}
HIDDEN: Final = "hide-"
"""What the names of fields for items of evidence begin with."""
WORDS: Final[Mapping[str, str]] = {
    "credential-unknown": N_("You have no such badge."),
    "credential-revoked": N_("This badge was revoked. You cannot change it any more."),
    "credential-declined": N_("You declined this badge. It stays private."),
    "credential-unproven": N_(
        "Others may have had the key that signed this badge. The network has to decide first whether it stands."
    ),
    "visibility-protected": N_("Badges of children and students are never public."),
    "name-protected": N_("Badges of children and students never show a name in plain text."),
    "name-too-long": N_("Your name is too long for a badge. It can have 300 characters."),
    "evidence-item-unknown": N_("The badge has changed since you opened this page. Reload the page."),
    "evidence-item-needed": N_("This part cannot be left out: without it nobody could check the decision."),
}
"""What a refusal means, by its code."""


@router.get("/my-badges/{credential_id}")
def get_settings(credential_id: str, runtime: Running, person: Person, now: Now, language: Speaking) -> Response:
    """Show what others see of a badge, and what its recipient can choose."""
    return _page(runtime, person, credential_id, now, language)


@router.get("/my-badges/{credential_id}/file.{form}")
async def get_file(
    request: Request, credential_id: str, form: Form, runtime: Running, person: Person, now: Now
) -> Response:
    """Give a badge as a file to the one whose it is; a private one, too, which has no public address."""
    return await in_a_place(request, partial(_file, runtime, person, credential_id, form, now))


@router.post("/my-badges/{credential_id}/visibility")
def post_visibility(
    credential_id: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Set who can find a badge."""
    wanted = next((each for each in get_args(Visibility) if each == sent.get("visibility")), None)

    def work(session: WriteSession) -> None:
        if wanted is not None:
            badge_settings.see(session, person.account_id, credential_id, wanted, now)

    return _done(runtime, language, credential_id, work)


@router.post("/my-badges/{credential_id}/name")
def post_name(
    credential_id: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Set whether a badge bears its recipient's name, and how."""
    wanted = next((each for each in get_args(NameShown) if each == sent.get("name")), None)

    def work(session: WriteSession) -> None:
        if wanted is not None:
            badge_settings.name(session, runtime, person.account_id, credential_id, wanted, now)

    return _done(runtime, language, credential_id, work)


@router.post("/my-badges/{credential_id}/evidence")
def post_evidence(
    credential_id: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Set which items of evidence a badge does not show."""
    hidden = {name.removeprefix(HIDDEN) for name in sent if name.startswith(HIDDEN)}

    def work(session: WriteSession) -> None:
        badge_settings.hide(session, runtime, person.account_id, credential_id, hidden, now)

    return _done(runtime, language, credential_id, work)


@router.post("/my-badges/{credential_id}/declining")
def post_declining(
    credential_id: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Decline a badge, for good; who declines says that they know this."""
    if sent.get("sure") != "yes":
        return _page(runtime, person, credential_id, now, language, NOT_SURE)

    def work(session: WriteSession) -> None:
        badge_settings.decline(session, runtime, person.account_id, credential_id, now)

    return _done(runtime, language, credential_id, work)


def _file(runtime: Runtime, person: SignedIn, credential_id: str, form: Form, now: datetime) -> Response:
    with runtime.database.read() as session:
        row = my_badges.badge(session, person.account_id, credential_id, now).row
        if form == "json":
            content = row.signed.encode()
        elif form == "jwt":
            content = row.jwt.encode()
        else:
            content = credentials.baked(session, row, form)
        name = take_away.name(row.signed, form)
    headers = page_headers() | {"Content-Disposition": disposition("attachment", name)}
    return Response(content, headers=headers, media_type=MEDIA_TYPES[form])


def _page(
    runtime: Runtime, person: SignedIn, credential_id: str, now: datetime, language: Language, fault: str | None = None
) -> Response:
    with runtime.database.read() as session:
        found = badge_settings.chosen(session, person.account_id, credential_id, now)
    return render(
        "badge_settings.html",
        language=language,
        status=200 if fault is None else 422,
        back=f"/my-badges/{credential_id}",
        person=person,
        badge=found.badge,
        row=found.badge.row,
        chosen=found,
        fault=fault,
    )


def _done(runtime: Runtime, language: Language, credential_id: str, work: Callable[[WriteSession], None]) -> Response:
    """Carry out a choice in one transaction, and lead back to the page; nothing is left of one that is refused."""
    back = f"/my-badges/{credential_id}"
    try:
        with runtime.database.write() as session:
            work(session)
    except CustodyError:
        raise  # it is no fault of theirs: the service cannot sign now
    except ServiceError as error:
        told = type(error)(error.code, WORDS.get(error.code, error.message), error.pointer, error.details)
        return refused(language, NOT_CHANGED, told, back=back)
    return Response(status_code=303, headers={"Location": back})
