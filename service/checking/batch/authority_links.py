"""Read links by which people show badges to one authority.

Such a link carries their name and the number of their licence. A batch reads them from our own rows, and asks nobody: each becomes an item for each badge that it leads to. Who has no
such link finds nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from service.checking.batch.batch import Holder, Item
from service.checking.batch.items import GivenItems
from service.checking.desk import Desk
from service.networks import protected
from service.tables import Award, CollectionBadge, Credential, Member, Person, ShownLink
from service.texts.languages import N_, Language
from service.unpacking.found import Problem

PATH: Final = "/shown/"
"""What follows the base URL in such a link, before its secret."""
ENDED: Final = Problem(
    "shown-link-ended",
    N_("The person has ended this link, or its time is over. Ask them for a new one."),
)
EMPTY: Final = Problem("shown-link-empty", N_("This link leads to no badge any more. Ask the person for a new one."))
COLUMNS: Final = (
    N_("Name, as they say"),
    N_("Licence number, as they say"),
    N_("Licence number is that of your table"),
)
SAME: Final = {"passed": N_("Yes"), "failed": N_("No"), "undecided": N_("Could not be compared"), "skipped": ""}


@dataclass(frozen=True)
class Found:
    """What is behind such a link: the row, and ids of the badges that it shows now, in order."""

    row: ShownLink
    credential_ids: Sequence[str]


def find(session: OrmSession, secret: str, now: datetime) -> Found | None:
    """Return what is behind a link for an authority; None if it was ended, its time is over, or all is kept back.

    It shows only badges that are still those of the person, that are not private, and whose holder has not become a child
    or a student since.
    """
    digest = sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
    query = select(ShownLink).where(ShownLink.secret_sha256 == digest, ShownLink.kind == "authority")
    row = session.scalar(query.where(ShownLink.expires_at > now))
    if row is None:
        return None
    badges = select(Credential.id).join(Award, Award.id == Credential.award_id)
    badges = badges.join(Member, Member.id == Award.member_id).join(Person, Person.id == Member.person_id)
    badges = badges.where(Person.account_id == row.account_id, Member.erased_at.is_(None))
    placed = (CollectionBadge.credential_id == Credential.id) & (CollectionBadge.collection_id == row.collection_id)
    badges = badges.outerjoin(CollectionBadge, placed).where(Credential.visibility != "private")
    badges = badges.where(or_(Credential.id == row.credential_id, CollectionBadge.collection_id.is_not(None)))
    found = session.scalars(badges.order_by(CollectionBadge.position, Credential.id)).all()
    kept_back = set(session.scalars(badges.where(Member.id.in_(protected.holders(now)))))
    return (
        None if found and kept_back.issuperset(found) else Found(row, [each for each in found if each not in kept_back])
    )


def opened(desk: Desk, given: GivenItems) -> GivenItems:
    """Return what was given with each link for an authority replaced by the badges that it leads to."""
    begin = f"{desk.runtime.settings.base_url}{PATH}"
    if not any(_is_one(item, begin) for item in given.items):
        return given
    with desk.runtime.database.read() as session:
        items = [
            each
            for item in given.items
            for each in (_of_link(session, desk, item, begin) if _is_one(item, begin) else [item])
        ]
    return replace(given, items=tuple(items))


def columns(given: GivenItems) -> tuple[str, ...]:
    """Return the columns that a table has more where something of it is about licences."""
    return COLUMNS if any(item.holder is not None or item.licence for item in given.items) else ()


def cells(given: GivenItems, item: Item, language: Language) -> tuple[str, ...]:
    """Return the cells of an item under `columns`."""
    if not columns(given):
        return ()
    holder = item.holder or Holder("", "")
    same = SAME[item.licensed]
    return (holder.name, holder.licence_number, language.gettext(same) if same else "")


def _is_one(item: Item, begin: str) -> bool:
    return item.url is not None and item.url.startswith(begin)


def _of_link(session: OrmSession, desk: Desk, item: Item, begin: str) -> list[Item]:
    secret = (item.url or "").removeprefix(begin).partition("?")[0].partition("#")[0].rstrip("/")
    found = find(session, secret, desk.runtime.now())
    if found is None or not found.credential_ids:
        return [replace(item, url=None, problem=ENDED if found is None else EMPTY)]
    holder = Holder(found.row.name or "", found.row.licence_number or "")
    return [
        replace(
            item,
            url=f"{desk.runtime.settings.base_url}/credentials/{each}",
            holder=holder,
            candidate=item.candidate or f"{holder.name} ({holder.licence_number})",
            person=item.person or holder.licence_number,
        )
        for each in found.credential_ids
    ]
