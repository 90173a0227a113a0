"""The page where a recipient chooses which endorsements a badge shows and holds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Response

from service.accounts.pages_signed_in import Person, PersonalRoute, PersonsForm, refused
from service.accounts.sign_ins import SignedIn
from service.errors import CustodyError, ServiceError
from service.issuing.endorsements import MOST_EMBEDDED, Choice
from service.runtime.runtime import Runtime
from service.sharing import endorsing, my_badges
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

FIELD: Final = "endorsement-"
CHOICES: Final[Mapping[str, Choice]] = {"hidden": "hidden", "page": "page", "badge": "badge"}
NOT_CHANGED = N_("Nothing was changed")
TOO_MANY = N_("A badge can hold %(most)s endorsements. Show the others on the page only.")
WORDS: Final[Mapping[str, str]] = {
    "credential-unknown": N_("You have no such badge."),
    "credential-revoked": N_("This badge was revoked. You cannot change it any more."),
    "credential-unproven": N_(
        "Others may have had the key that signed this badge. The network has to decide first whether it stands."
    ),
    "endorsement-unknown": N_("An endorsement was withdrawn since you opened this page. Reload the page."),
    "endorsements-too-many-in-badge": TOO_MANY,
}
"""What a refusal means, by its code."""


@router.get("/my-badges/{credential_id}/endorsements")
def get_endorsements(credential_id: str, runtime: Running, person: Person, now: Now, language: Speaking) -> Response:
    """Show the endorsements of a badge, and what its recipient can choose."""
    return _page(runtime, person, credential_id, now, language)


@router.post("/my-badges/{credential_id}/endorsements")
def post_endorsements(
    credential_id: str, runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm
) -> Response:
    """Set which endorsements a badge shows and holds."""
    back = f"/my-badges/{credential_id}/endorsements"
    wanted = {
        name.removeprefix(FIELD): CHOICES[value]
        for name, value in sent.items()
        if name.startswith(FIELD) and value in CHOICES
    }
    try:
        with runtime.database.write() as session:
            endorsing.choose(session, runtime, person.account_id, credential_id, wanted, now)
    except CustodyError:
        raise  # it is no fault of theirs: the service cannot sign now
    except ServiceError as error:
        details = {**error.details, "words": {"most": MOST_EMBEDDED}}
        told = type(error)(error.code, WORDS.get(error.code, error.message), error.pointer, details)
        return refused(language, NOT_CHANGED, told, back=back)
    return Response(status_code=303, headers={"Location": back})


def _page(runtime: Runtime, person: SignedIn, credential_id: str, now: datetime, language: Language) -> Response:
    with runtime.database.read() as session:
        badge = my_badges.badge(session, person.account_id, credential_id, now)
        items = endorsing.received(session, badge.row, now)
    return render(
        "my_badge_endorsements.html",
        language=language,
        back=f"/my-badges/{credential_id}/endorsements",
        person=person,
        badge=badge,
        items=items,
        can_change=badge.row.revoked_at is None,
        most=MOST_EMBEDDED,
    )
