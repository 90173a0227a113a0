"""Collections of badges, which people put together from all networks.

Each has a page and a link of its own. What belongs to another account looks as if it did not exist. A private badge is in no collection: it cannot be added, and
one that becomes private is left out until it is private no more. A revoked one stays, and is shown as revoked.
"""

import unicodedata
from collections.abc import Collection as Several
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session as OrmSession

from service.errors import ConflictError, InvalidError, NotFoundError
from service.networks import protected
from service.sharing import my_badges
from service.sharing.my_badges import OwnBadge
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Account, Award, Collection, CollectionBadge, Credential, Member, Person
from service.texts.display_names import one_line
from service.texts.languages import N_

Openness = Literal["public", "unlisted"]
MAX_COLLECTIONS: Final = 50
MAX_BADGES: Final = 50
MAX_TITLE, MAX_NOTE = 120, 1000
OFFERED: Final = 50
"""How many badges are offered at once to be added."""

UNKNOWN: Final = N_("You have no such collection. It may have been removed.")
NO_TITLE: Final = N_("Give the collection a title.")
TITLE_TOO_LONG: Final = N_("The title is too long. It can have 120 characters.")
NOTE_TOO_LONG: Final = N_("The note is too long. It can have 1,000 characters.")
TOO_MANY: Final = N_("You have 50 collections. Remove one before you make another.")
FULL: Final = N_("A collection can have 50 badges. Take some out, or make another collection.")
BADGE_UNKNOWN: Final = N_("You have no such badge.")
BADGE_PRIVATE: Final = N_("A private badge cannot be in a collection. First choose that who has the link can see it.")
PROTECTED: Final = N_("Collections with badges of children and students are never public, and never show a name.")
NO_NAME: Final = N_("Say in your account what your name is. Then come back and put it on the collection.")


@dataclass(frozen=True)
class Chosen:
    """What a person chose for the page of a collection; `named`: it shows the name of the account."""

    title: str
    note: str = ""
    named: bool = False
    visibility: Openness = "unlisted"


@dataclass(frozen=True)
class Listed:
    """A collection in the list of the person whose it is, with the number of badges that were put into it."""

    row: Collection
    badges: int


@dataclass(frozen=True)
class OwnCollection:
    """A collection as the person sees it whose it is.

    `badges` are those in it, in order; of `hidden` ones, which are private, the page shows nothing. `offered` are those
    that can be added. `name` is that of the account. `protected`: a badge in it is that of a child or a student.
    """

    row: Collection
    badges: list[OwnBadge]
    offered: list[OwnBadge]
    name: str | None
    protected: bool

    @property
    def hidden(self) -> int:
        """How many of its badges are private."""
        return sum(each.row.visibility == "private" for each in self.badges)


@dataclass(frozen=True)
class PublicCollection:
    """What others may see of a collection: ids of its badges, in order, and a name if the person wants it."""

    row: Collection
    credential_ids: Sequence[str]
    name: str | None
    indexed: bool


def list_of(session: OrmSession, account_id: UUID) -> list[Listed]:
    """Return the collections of an account, the newest first."""
    count = select(func.count()).select_from(CollectionBadge).where(CollectionBadge.collection_id == Collection.id)
    query = select(Collection, count.correlate(Collection).scalar_subquery())
    query = query.where(Collection.account_id == account_id).order_by(Collection.created_at.desc(), Collection.id)
    return [Listed(*row) for row in session.execute(query)]


def own(session: OrmSession, account_id: UUID, collection_id: str, now: datetime) -> OwnCollection:
    """Return a collection of an account.

    Raises:
        NotFoundError: there is none, or it is somebody else's (code "collection-unknown").
    """
    row = session.scalar(select(Collection).where(_own(account_id, collection_id)))
    if row is None:
        raise NotFoundError("collection-unknown", UNKNOWN)
    rows = session.scalars(_in_it(row)).all()
    within = select(CollectionBadge.credential_id).where(CollectionBadge.collection_id == row.id)
    more = _badges_of(account_id).where(Credential.visibility != "private", Credential.revoked_at.is_(None))
    more = more.where(Credential.id.not_in(within)).order_by(Credential.issued_at.desc(), Credential.id.desc())
    offered = session.scalars(more.limit(OFFERED)).all()
    return OwnCollection(
        row,
        my_badges.with_names(session, rows, now),
        my_badges.with_names(session, offered, now),
        session.get_one(Account, account_id).name,
        _is_protected(session, row, now),
    )


def shown(session: OrmSession, collection_id: str, now: datetime) -> PublicCollection | None:
    """Return what others may see of a collection; None where there is none.

    Only badges count that are still those of the person, and that are not private. Who has a badge of a child or a
    student in it, or no badge that is shown, is not named, and search engines do not list the page.
    """
    row = session.get(Collection, collection_id)
    if row is None:
        return None
    ids = session.scalars(_in_it(row).where(Credential.visibility != "private").with_only_columns(Credential.id)).all()
    kept_back = not ids or _is_protected(session, row, now)
    name = session.get_one(Account, row.account_id).name if row.named and not kept_back else None
    return PublicCollection(row, ids, name, row.visibility == "public" and not kept_back)


def create(session: WriteSession, account_id: UUID, title: str, now: datetime) -> str:
    """Make an empty collection, and return its id.

    Raises:
        InvalidError: the title is missing (code "collection-title-missing") or too long ("collection-text-too-long").
        ConflictError: the account has too many (code "collections-too-many").
    """
    cleaned = _title(title)
    locks.one(session, Account, Account.id == account_id)
    if len(list_of(session, account_id)) >= MAX_COLLECTIONS:
        raise ConflictError("collections-too-many", TOO_MANY)
    row = Collection(account_id=account_id, title=cleaned, note="", named=False, visibility="unlisted", created_at=now)
    session.add(row)
    session.flush()
    return row.id


def change(session: WriteSession, account_id: UUID, collection_id: str, chosen: Chosen, now: datetime) -> None:
    """Set what the page of a collection says, and who can find it.

    Raises:
        NotFoundError: as `own`.
        InvalidError: as `create`; the account has no name to be shown (code "collection-name-missing").
        ConflictError: it has a badge of a child or a student (code "collection-protected").
    """
    row = _held(session, account_id, collection_id)
    title, note = _title(chosen.title), _note(chosen.note)
    if chosen.named and not session.get_one(Account, account_id).name:
        raise InvalidError("collection-name-missing", NO_NAME, "/named")
    if (chosen.named or chosen.visibility == "public") and _is_protected(session, row, now):
        raise ConflictError("collection-protected", PROTECTED)
    row.title, row.note, row.named, row.visibility = title, note, chosen.named, chosen.visibility


def add(session: WriteSession, account_id: UUID, collection_id: str, credential_ids: Several[str]) -> None:
    """Add badges at the end of a collection; what is in it already stays where it is.

    Raises:
        NotFoundError: as `own`; or a badge is not theirs (code "collection-badge-unknown").
        ConflictError: a badge is private (code "collection-badge-private"), or there are too many ("collection-full").
    """
    row = _held(session, account_id, collection_id)
    places = _places(session, row)
    new = [each for each in dict.fromkeys(credential_ids) if each not in places]
    found = {each.id: each for each in session.scalars(_badges_of(account_id).where(Credential.id.in_(new)))}
    for credential_id in new:
        if credential_id not in found:
            raise NotFoundError("collection-badge-unknown", BADGE_UNKNOWN)
        if found[credential_id].visibility == "private":
            raise ConflictError("collection-badge-private", BADGE_PRIVATE)
    if len(places) + len(new) > MAX_BADGES:
        raise ConflictError("collection-full", FULL)
    last = max((each.position for each in places.values()), default=0)
    for number, credential_id in enumerate(new, start=1):
        session.add(CollectionBadge(collection_id=row.id, credential_id=credential_id, position=last + number))


def move(
    session: WriteSession, account_id: UUID, collection_id: str, credential_id: str, way: Literal["up", "down"]
) -> None:
    """Change the places of a badge and the one before or after it; at the end of the list nothing changes.

    Raises:
        NotFoundError: as `own`; or the badge is not in it (code "collection-badge-unknown").
    """
    row = _held(session, account_id, collection_id)
    seen = set(session.scalars(_in_it(row).with_only_columns(Credential.id)))
    places = [each for each in _places(session, row).values() if each.credential_id in seen]
    index = next((n for n, each in enumerate(places) if each.credential_id == credential_id), None)
    if index is None:
        raise NotFoundError("collection-badge-unknown", BADGE_UNKNOWN)
    other = index - 1 if way == "up" else index + 1
    if 0 <= other < len(places):
        mine, theirs = places[index], places[other]
        mine.position, theirs.position = theirs.position, mine.position


def take_out(session: WriteSession, account_id: UUID, collection_id: str, credential_id: str) -> None:
    """Take a badge out of a collection; one that is not in it is out already.

    Raises:
        NotFoundError: as `own`.
    """
    row = _held(session, account_id, collection_id)
    where = (CollectionBadge.collection_id == row.id, CollectionBadge.credential_id == credential_id)
    session.execute(delete(CollectionBadge).where(*where))


def remove(session: WriteSession, account_id: UUID, collection_id: str) -> None:
    """Remove a collection; its link then leads to nothing. The badges stay.

    Raises:
        NotFoundError: as `own`.
    """
    row = _held(session, account_id, collection_id)
    session.execute(delete(CollectionBadge).where(CollectionBadge.collection_id == row.id))
    session.execute(delete(Collection).where(Collection.id == row.id))


def _own(account_id: UUID, collection_id: str) -> ColumnElement[bool]:
    return (Collection.account_id == account_id) & (Collection.id == collection_id)


def _held(session: WriteSession, account_id: UUID, collection_id: str) -> Collection:
    row = locks.one_or_none(session, Collection, _own(account_id, collection_id))
    if row is None:
        raise NotFoundError("collection-unknown", UNKNOWN)
    return row


def _badges_of(account_id: UUID) -> Select[Credential]:
    """Return the query of all badges that an account has now, private ones too."""
    query = select(Credential).join(Award, Award.id == Credential.award_id).join(Member, Member.id == Award.member_id)
    query = query.join(Person, Person.id == Member.person_id)
    return query.where(Person.account_id == account_id, Member.erased_at.is_(None))


def _in_it(row: Collection) -> Select[Credential]:
    """Return the query of the badges in a collection that are still those of its person, in order."""
    query = _badges_of(row.account_id).join(CollectionBadge, CollectionBadge.credential_id == Credential.id)
    query = query.where(CollectionBadge.collection_id == row.id)
    return query.order_by(CollectionBadge.position, CollectionBadge.credential_id)


def _places(session: OrmSession, row: Collection) -> dict[str, CollectionBadge]:
    query = select(CollectionBadge).where(CollectionBadge.collection_id == row.id)
    found = session.scalars(query.order_by(CollectionBadge.position, CollectionBadge.credential_id))
    return {each.credential_id: each for each in found}


def _is_protected(session: OrmSession, row: Collection, now: datetime) -> bool:
    members = session.scalars(_in_it(row).with_only_columns(Award.member_id).order_by(None).distinct()).all()
    return any(protected.is_protected(session, member_id, now) for member_id in members)


def _title(given: str) -> str:
    text = one_line(unicodedata.normalize("NFC", given), 2 * MAX_TITLE, " ")
    if not text:
        raise InvalidError("collection-title-missing", NO_TITLE, "/title")
    if len(text) > MAX_TITLE:
        raise InvalidError("collection-text-too-long", TITLE_TOO_LONG, "/title")
    return text


def _note(given: str) -> str:
    """Return a note with its lines; no sign in it changes how the rest of the page is read."""
    if len(given) > 2 * MAX_NOTE:
        raise InvalidError("collection-text-too-long", NOTE_TOO_LONG, "/note")
    lines = [one_line(line, 2 * MAX_NOTE, " ") for line in unicodedata.normalize("NFC", given).splitlines()]
    text = "\n".join(lines).strip()
    if len(text) > MAX_NOTE:
        raise InvalidError("collection-text-too-long", NOTE_TOO_LONG, "/note")
    return text


def openness(given: str | None) -> Openness:
    """Return who can find a collection, as a form says it; unlisted if it says nothing that is known."""
    return next((each for each in get_args(Openness) if each == given), "unlisted")
