"""Pages on which a person puts badges together into collections."""

from collections.abc import Callable
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Response

from service.accounts.pages_signed_in import Person, PersonalRoute, PersonsForm, refused
from service.errors import ServiceError
from service.sharing import badge_collections
from service.sharing.badge_collections import Chosen
from service.storage.database import WriteSession
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

HOME: Final = "/my-badges/collections"
ADDED: Final = "add-"
"""What the names of fields for badges to be added begin with."""
NOT_CHANGED = N_("Nothing was changed")
NOT_SURE = N_("Tick that you know that the link then leads to nothing.")


class Collecting:
    """What somebody who is signed in does with a collection: each change is one transaction, and leads to a page."""

    def __init__(self, runtime: Running, person: Person, language: Speaking) -> None:
        self.runtime, self.account_id, self.language = runtime, person.account_id, language

    def done(self, work: Callable[[WriteSession], None], onward: str) -> Response:
        """Carry out a change, and lead onward; nothing is left of one that is refused."""
        try:
            with self.runtime.database.write() as session:
                work(session)
        except ServiceError as error:
            return _refused(self.language, error, onward)
        return Response(status_code=303, headers={"Location": onward})


Collector = Annotated[Collecting, Depends()]


@router.get("/my-badges/collections")
def get_collections(session: Reader, person: Person, language: Speaking) -> Response:
    """Show the collections, and the form for another one."""
    found = badge_collections.list_of(session, person.account_id)
    most = badge_collections.MAX_COLLECTIONS
    return render("my_collections.html", language=language, person=person, collections=found, most=most)


@router.post("/my-badges/collections")
def post_collection(runtime: Running, person: Person, now: Now, language: Speaking, sent: PersonsForm) -> Response:
    """Make an empty collection."""
    try:
        with runtime.database.write() as session:
            made = badge_collections.create(session, person.account_id, sent.get("title", ""), now)
    except ServiceError as error:
        return _refused(language, error, HOME)
    return Response(status_code=303, headers={"Location": f"{HOME}/{made}"})


@router.get("/my-badges/collections/{collection_id}")
def get_own_collection(
    collection_id: str, session: Reader, runtime: Running, person: Person, now: Now, language: Speaking
) -> Response:
    """Show what is in a collection, and what can be changed."""
    try:
        found = badge_collections.own(session, person.account_id, collection_id, now)
    except ServiceError as error:
        return refused(language, N_("No such collection"), error, back=HOME)
    return render(
        "my_collection.html",
        language=language,
        person=person,
        own=found,
        row=found.row,
        link=f"{runtime.settings.base_url}/collections/{found.row.id}",
        most=badge_collections,
    )


@router.post("/my-badges/collections/{collection_id}")
def post_words(collection_id: str, who: Collector, now: Now, sent: PersonsForm) -> Response:
    """Set title, note, name and who can find it."""
    wanted = Chosen(
        sent.get("title", ""),
        sent.get("note", ""),
        sent.get("named") == "yes",
        badge_collections.openness(sent.get("visibility")),
    )
    return who.done(
        lambda session: badge_collections.change(session, who.account_id, collection_id, wanted, now),
        f"{HOME}/{collection_id}",
    )


@router.post("/my-badges/collections/{collection_id}/badges")
def post_badges(collection_id: str, who: Collector, sent: PersonsForm) -> Response:
    """Add badges."""
    added = [name.removeprefix(ADDED) for name in sent if name.startswith(ADDED)]
    return who.done(
        lambda session: badge_collections.add(session, who.account_id, collection_id, added),
        f"{HOME}/{collection_id}#badges",
    )


@router.post("/my-badges/collections/{collection_id}/badges/{credential_id}/{way}")
def post_place(
    collection_id: str, credential_id: str, way: Literal["up", "down", "out"], who: Collector, _sent: PersonsForm
) -> Response:
    """Move a badge up or down, or take it out."""

    def work(session: WriteSession) -> None:
        if way == "out":
            badge_collections.take_out(session, who.account_id, collection_id, credential_id)
        else:
            badge_collections.move(session, who.account_id, collection_id, credential_id, way)

    return who.done(work, f"{HOME}/{collection_id}#badges")


@router.post("/my-badges/collections/{collection_id}/removal")
def post_removal(collection_id: str, who: Collector, sent: PersonsForm) -> Response:
    """Remove a collection; who removes it says that they know what this means."""
    if sent.get("sure") != "yes":
        title, back = NOT_CHANGED, f"{HOME}/{collection_id}#remove"
        return render("notice.html", language=who.language, status=422, back=back, title=title, sentence=NOT_SURE)
    return who.done(lambda session: badge_collections.remove(session, who.account_id, collection_id), HOME)


def _refused(language: Language, error: ServiceError, back: str) -> Response:
    return refused(language, NOT_CHANGED, error, back=back)
