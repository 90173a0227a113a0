"""Open a private badge, or hidden evidence, to a named employer for a time.

Each viewing is noted for the recipient. Only viewings by such a link are noted, and the employer is told so before anything is shown. The secret of a link is told
once, when it is made. What belongs to another account looks as if it did not exist.
"""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.errors import ConflictError, InvalidError, NotFoundError
from service.issuing import shown_evidence
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.sharing import my_badges
from service.sharing.my_badges import OwnBadge
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Account, Award, Credential, Member, Opening, OpeningView, Person
from service.texts.display_names import one_line
from service.texts.languages import N_

PATH: Final = "/opened/"
MAX_OPEN: Final = 100
MAX_TO: Final = 120
DAYS: Final = (7, 30, 90)
MAX_VIEWS: Final = 200
"""The newest are kept."""
AGAIN: Final = timedelta(minutes=1)
"""Who loads the page again within it is not noted again."""
KEPT: Final = timedelta(days=365)
"""How long an opening that has ended, and its viewings, are kept for the recipient."""
BATCH: Final = 500

NO_EMPLOYER: Final = N_("Say to whom you open it.")
TOO_LONG: Final = N_("The name is too long. It can have 120 characters.")
NO_DAYS: Final = N_("Choose for how long you open it.")
TOO_MANY: Final = N_("You have opened 100 badges at once. End one before you open another.")
NEEDLESS: Final = N_("Who has the link of this badge sees all of it already. Share that link.")
DECLINED: Final = N_("You declined this badge. It cannot be opened to anybody.")
UNKNOWN: Final = N_("You have opened no such badge.")


@dataclass(frozen=True)
class Wanted:
    """A badge to be opened: to whom, for how many days, and whether with the evidence that it hides."""

    credential_id: str
    shown_to: str = ""
    days: int = 30
    evidence: bool = False


@dataclass(frozen=True)
class Openable:
    """A badge that can be opened, with the number of items of evidence that it hides."""

    badge: OwnBadge
    hidden: int


@dataclass(frozen=True)
class Listed:
    """An opening in the list of the recipient, with when it was looked at, the newest first."""

    row: Opening
    badge: str
    views: Sequence[datetime]
    is_open: bool


@dataclass(frozen=True)
class Opened:
    """An opening as the employer finds it; `is_open`: it was not ended, and its time is not over."""

    row: Opening
    is_open: bool


def openable(session: OrmSession, account_id: UUID, credential_id: str, now: datetime) -> Openable:
    """Return a badge that its recipient can open.

    Raises:
        NotFoundError: it is not theirs (code "credential-unknown").
        ConflictError: others see all of it already (code "opening-needless"); it was declined ("credential-declined").
    """
    badge = my_badges.badge(session, account_id, credential_id, now)
    if badge.row.declined_at is not None:
        raise ConflictError("credential-declined", DECLINED)
    hidden = sum(each.hidden for each in shown_evidence.items(session, badge.row))
    if badge.row.visibility != "private" and not hidden:
        raise ConflictError("opening-needless", NEEDLESS)
    return Openable(badge, hidden)


def create(session: WriteSession, account_id: UUID, wanted: Wanted, now: datetime) -> str:
    """Open a badge, and return the path of the link, which holds the secret and is not told again.

    Raises:
        InvalidError: the employer is missing (code "opening-for-missing") or too long ("opening-text-too-long"), or the
            time is none that is offered ("opening-days-unknown").
        NotFoundError, ConflictError: as `openable`; too many are open (code "openings-too-many").
    """
    shown_to = one_line(unicodedata.normalize("NFC", wanted.shown_to), 2 * MAX_TO, " ")
    if not shown_to:
        raise InvalidError("opening-for-missing", NO_EMPLOYER, "/for")
    if len(shown_to) > MAX_TO:
        raise InvalidError("opening-text-too-long", TOO_LONG, "/for")
    if wanted.days not in DAYS:
        raise InvalidError("opening-days-unknown", NO_DAYS, "/days")
    locks.one(session, Account, Account.id == account_id)
    found = openable(session, account_id, wanted.credential_id, now)
    mine = select(func.count()).select_from(Opening).where(Opening.account_id == account_id)
    if (session.scalar(mine.where(Opening.ended_at.is_(None), Opening.expires_at > now)) or 0) >= MAX_OPEN:
        raise ConflictError("openings-too-many", TOO_MANY)
    secret = secrets.token_urlsafe(24)
    session.add(
        Opening(
            account_id=account_id,
            credential_id=found.badge.row.id,
            secret_sha256=_digest(secret),
            shown_to=shown_to,
            evidence=wanted.evidence and found.hidden > 0,
            created_at=now,
            expires_at=now + timedelta(days=wanted.days),
        )
    )
    return f"{PATH}{secret}"


def list_of(session: OrmSession, account_id: UUID, now: datetime) -> list[Listed]:
    """Return the openings of an account, also those that have ended, the newest first."""
    query = select(Opening).where(Opening.account_id == account_id)
    rows = session.scalars(query.order_by(Opening.created_at.desc(), Opening.id.desc())).all()
    viewed = select(OpeningView.opening_id, OpeningView.viewed_at).order_by(OpeningView.viewed_at.desc())
    views: dict[UUID, list[datetime]] = {row.id: [] for row in rows}
    for opening_id, at in session.execute(viewed.where(OpeningView.opening_id.in_(views))):
        views[opening_id].append(at)
    badges = session.scalars(select(Credential).where(Credential.id.in_({row.credential_id for row in rows}))).all()
    names = {each.row.id: each.name for each in my_badges.with_names(session, badges, now)}
    return [Listed(row, names[row.credential_id], views[row.id], _is_open(row, now)) for row in rows]


def end(session: WriteSession, account_id: UUID, opening_id: UUID, now: datetime) -> None:
    """End an opening at once; when it was looked at stays in the recipient's list.

    Raises:
        NotFoundError: there is none, or it is somebody else's (code "opening-unknown").
    """
    row = _held(session, account_id, opening_id)
    row.ended_at = row.ended_at or now


def remove(session: WriteSession, account_id: UUID, opening_id: UUID) -> None:
    """Remove an opening with its viewings; its link leads to nothing then.

    Raises:
        NotFoundError: as `end`.
    """
    row = _held(session, account_id, opening_id)
    session.execute(delete(OpeningView).where(OpeningView.opening_id == row.id))
    session.execute(delete(Opening).where(Opening.id == row.id))


def find(session: OrmSession, secret: str, now: datetime) -> Opened | None:
    """Return what a link opens; None if no link has the secret, or the badge is no longer the person's.

    It tells nothing of the badge yet.
    """
    row = session.scalar(_by_secret(secret))
    return Opened(row, _is_open(row, now)) if row is not None else None


def look(session: WriteSession, secret: str, now: datetime) -> Opened | None:
    """Note that the employer looks, and return what is opened; nothing is noted if it is open no more."""
    found = session.scalar(_by_secret(secret))
    row = locks.one_or_none(session, Opening, Opening.id == found.id) if found is not None else None
    if row is None or not _is_open(row, now):
        return Opened(row, is_open=False) if row is not None else None
    views = select(OpeningView.id).where(OpeningView.opening_id == row.id)
    if session.scalar(views.where(OpeningView.viewed_at > now - AGAIN).limit(1)) is None:
        session.add(OpeningView(opening_id=row.id, viewed_at=now))
        session.flush()
        newest = session.scalars(views.order_by(OpeningView.id.desc()).limit(MAX_VIEWS)).all()
        session.execute(delete(OpeningView).where(OpeningView.opening_id == row.id, OpeningView.id.not_in(newest)))
    return Opened(row, is_open=True)


def hidden_items(session: OrmSession, credential_id: str) -> list[dict[str, Any]]:
    """Return the items of evidence that a badge hides."""
    row = session.get_one(Credential, credential_id)
    return [each.item for each in shown_evidence.items(session, row) if each.hidden]


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete openings, with their viewings, a year after they ended; return how many."""
    count = 0
    while go_on():
        before = runtime.now() - KEPT
        with runtime.database.read() as session:
            over = or_(Opening.expires_at <= before, Opening.ended_at <= before)
            found = session.scalars(select(Opening.id).where(over).limit(BATCH)).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(OpeningView).where(OpeningView.opening_id.in_(found)))
            session.execute(delete(Opening).where(Opening.id.in_(found)))
        count += len(found)
    return count


def _by_secret(secret: str) -> Select[Opening]:
    """Return the query of the opening with a secret, as long as the badge is still that of the person who opened it."""
    query = select(Opening).join(Credential, Credential.id == Opening.credential_id)
    query = query.join(Award, Award.id == Credential.award_id).join(Member, Member.id == Award.member_id)
    query = query.join(Person, Person.id == Member.person_id).where(Person.account_id == Opening.account_id)
    query = query.where(Member.erased_at.is_(None), Credential.declined_at.is_(None))
    return query.where(Opening.secret_sha256 == _digest(secret))


def _held(session: WriteSession, account_id: UUID, opening_id: UUID) -> Opening:
    row = locks.one_or_none(session, Opening, Opening.id == opening_id, Opening.account_id == account_id)
    if row is None:
        raise NotFoundError("opening-unknown", UNKNOWN)
    return row


def _is_open(row: Opening, now: datetime) -> bool:
    return row.ended_at is None and row.expires_at > now


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
