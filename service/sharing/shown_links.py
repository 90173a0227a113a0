"""Secret links by which people show badges to one authority.

A link carries the name of the person and the number of their licence. The secret is told once, when the link is made. What belongs to another account looks as if it did not exist.
"""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session as OrmSession

from service.checking.batch.authority_links import PATH
from service.errors import ConflictError, InvalidError, NotFoundError
from service.networks import protected
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.sharing import badge_collections, my_badges
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Account, Collection, ShownLink
from service.texts.display_names import one_line
from service.texts.languages import N_

MAX_LINKS: Final = 100
BATCH: Final = 500
MAX_TO, MAX_NAME, MAX_LICENCE = 120, 300, 60
DAYS: Final = (7, 30, 90, 365)
"""For how long a link may be made."""

NO_RECIPIENT: Final = N_("Say for whom the link is.")
NO_NAME: Final = N_("Type your name as the authority knows it.")
NO_LICENCE: Final = N_("Type the number of your licence.")
TOO_LONG: Final = N_(
    "What you typed is too long: whom it is for can have 120 characters, your name 300, the number 60."
)
NO_DAYS: Final = N_("Choose how long the link shall work.")
TOO_MANY: Final = N_("You have 100 links. End one before you make another.")
PRIVATE: Final = N_("A private badge cannot be shown by this link. First choose that who has the link can see it.")
EMPTY: Final = N_("There is no badge in this collection that others can see.")
PROTECTED: Final = N_("There are no such links for badges of children and students.")
UNKNOWN: Final = N_("You have no such link. It may have ended.")


@dataclass(frozen=True)
class Wanted:
    """A link to be made: for whom, who shows it, for how many days, and what: a badge or a collection."""

    shown_to: str
    name: str
    licence_number: str
    days: int
    credential_id: str | None = None
    collection_id: str | None = None


@dataclass(frozen=True)
class Listed:
    """A link in the list of the person who made it, with the name of what it shows."""

    row: ShownLink
    of: str


def list_of(session: OrmSession, account_id: UUID, now: datetime) -> list[Listed]:
    """Return the links of an account that work, the newest first."""
    query = select(ShownLink).where(ShownLink.account_id == account_id, ShownLink.expires_at > now)
    rows = session.scalars(query.order_by(ShownLink.created_at.desc(), ShownLink.id.desc())).all()
    return [Listed(row, _name_of(session, row, now)) for row in rows]


def subject(session: OrmSession, account_id: UUID, wanted: Wanted, now: datetime) -> str:
    """Return the name of the badge or collection that a link is to show.

    Raises:
        NotFoundError: it is not theirs (codes "credential-unknown", "collection-unknown").
        InvalidError: others see nothing in the collection (code "shown-link-empty").
        ConflictError: the badge is private (code "shown-link-private"), or of a child or a student (code
            "shown-link-protected").
    """
    if wanted.collection_id is not None:
        own = badge_collections.own(session, account_id, wanted.collection_id, now)
        if own.protected:
            raise ConflictError("shown-link-protected", PROTECTED)
        if own.hidden == len(own.badges):
            raise InvalidError("shown-link-empty", EMPTY)
        return own.row.title
    badge = my_badges.badge(session, account_id, wanted.credential_id or "", now)
    if protected.is_protected(session, badge.award.member_id, now):
        raise ConflictError("shown-link-protected", PROTECTED)
    if badge.row.visibility == "private":
        raise ConflictError("shown-link-private", PRIVATE)
    return badge.name


def create(session: WriteSession, account_id: UUID, wanted: Wanted, now: datetime) -> str:
    """Make a link, and return its path, which holds the secret and is not told again.

    Raises:
        InvalidError: something is missing or too long (codes "shown-link-for-missing", "shown-link-name-missing",
            "shown-link-licence-missing", "shown-link-text-too-long", "shown-link-days-unknown").
        NotFoundError, ConflictError: as `subject`; there are too many links (code "shown-links-too-many").
    """
    shown_to, name = _text(wanted.shown_to, MAX_TO), _text(wanted.name, MAX_NAME)
    number = _text(wanted.licence_number, MAX_LICENCE)
    if not shown_to:
        raise InvalidError("shown-link-for-missing", NO_RECIPIENT, "/for")
    if not name:
        raise InvalidError("shown-link-name-missing", NO_NAME, "/name")
    if not number:
        raise InvalidError("shown-link-licence-missing", NO_LICENCE, "/licence")
    if wanted.days not in DAYS:
        raise InvalidError("shown-link-days-unknown", NO_DAYS, "/days")
    locks.one(session, Account, Account.id == account_id)
    subject(session, account_id, wanted, now)
    mine = select(func.count()).select_from(ShownLink)
    if (session.scalar(mine.where(ShownLink.account_id == account_id, ShownLink.expires_at > now)) or 0) >= MAX_LINKS:
        raise ConflictError("shown-links-too-many", TOO_MANY)
    secret = secrets.token_urlsafe(24)
    session.add(
        ShownLink(
            kind="authority",
            account_id=account_id,
            secret_sha256=sha256(secret.encode()).hexdigest(),
            shown_to=shown_to,
            name=name,
            licence_number=number,
            credential_id=wanted.credential_id if wanted.collection_id is None else None,
            collection_id=wanted.collection_id,
            created_at=now,
            expires_at=now + timedelta(days=wanted.days),
        )
    )
    return f"{PATH}{secret}"


def end(session: WriteSession, account_id: UUID, link_id: UUID) -> None:
    """End a link at once; nothing of it stays.

    Raises:
        NotFoundError: there is none, or it is somebody else's (code "shown-link-unknown").
    """
    row = locks.one_or_none(session, ShownLink, ShownLink.id == link_id, ShownLink.account_id == account_id)
    if row is None:
        raise NotFoundError("shown-link-unknown", UNKNOWN)
    session.delete(row)


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete links whose time is over, with the names and numbers in them; return how many."""
    count = 0
    while go_on():
        with runtime.database.read() as session:
            found = session.scalars(
                select(ShownLink.id).where(ShownLink.expires_at <= runtime.now()).limit(BATCH)
            ).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(ShownLink).where(ShownLink.id.in_(found)))
        count += len(found)
    return count


def _name_of(session: OrmSession, row: ShownLink, now: datetime) -> str:
    if row.collection_id is not None:
        return session.get_one(Collection, row.collection_id).title
    try:
        return my_badges.badge(session, row.account_id, row.credential_id or "", now).name
    except NotFoundError:
        return ""


def _text(given: str, most: int) -> str:
    """Return a text on one line; "" if nothing of it can be seen."""
    text = one_line(unicodedata.normalize("NFC", given), 2 * most, " ")
    if len(text) > most:
        raise InvalidError("shown-link-text-too-long", TOO_LONG)
    return text
