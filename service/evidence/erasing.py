"""Erase what records say of a member.

The records stay, with their dates and their seals. So does what was derived from them: kinds, dates, numbers and ids, on which also stands what others have earned.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, delete, false, func, or_, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.storage import past
from service.tables import (
    AchievementVersion,
    Blob,
    Contribution,
    ContributionArtifact,
    ContributionTag,
    Evaluation,
    Member,
    Network,
    Record,
    RecordBody,
)
from service.tables.past import PAST

PartT = TypeVar("PartT", UUID, str)
PART = 5_000
"""How many ids stand in one statement."""


def bodies_of(session: OrmSession, network: Network, member: Member, addresses: Collection[str]) -> set[UUID]:
    """Return the records whose bodies are about a member, or name one of these addresses.

    1. What counts, or counted once, with the voids that say why it does not.
    2. What waits for the member, or was set aside.
    3. What has one of the addresses anywhere in it.
    """
    own = _counted(session, member)
    mine = Record.network_id == network.id
    bodied = select(Record.id).join(RecordBody, RecordBody.record_id == Record.id).where(mine)
    found: set[UUID] = set()
    works: set[str] = set()
    for part in parts(own):  # (1)
        found |= set(session.scalars(bodied.where(or_(Record.id.in_(part), Record.voids.in_(part)))))
        named = select(Record.id, Record.ref).where(Record.id.in_(part), Record.kind == "contribution")
        works |= {str(name) for row in session.execute(named) for name in row if name is not None}
    body = RecordBody.body
    about = [body[path].as_string() == member.ref for path in ("member", ("about", "member"))]
    aside = (
        select(Record.id, body[("about", "contribution")].as_string(), or_(Record.held_for == member.ref, *about))
        .join(RecordBody, RecordBody.record_id == Record.id)
        .where(mine, Record.status != "accepted")
    )
    found |= {record_id for record_id, work, theirs in session.execute(aside) if theirs or work in works}  # (2)
    if addresses:
        found |= set(session.scalars(bodied.where(_holds(cast(body, Text), addresses))))  # (3)
    return found


def _counted(session: OrmSession, member: Member) -> set[UUID]:
    """Return the records that count, or counted once, of what a member did and of what others judged of it.

    So are those in which the member judged a session or the network.
    """
    found: set[UUID] = set()
    for table in (Contribution, Evaluation):
        for rows in (table.__table__.c, PAST[table].c):
            mine: ColumnElement[bool] = rows.member_id == member.id
            if table is Evaluation:
                mine = or_(mine, and_(rows.member_id.is_(None), rows.evaluator_id == member.id))
            found |= set(session.scalars(select(rows.record_id).where(mine)))
    return found


def files_of(session: OrmSession, network: Network, record_ids: Collection[UUID]) -> set[str]:
    """Return the digests of the network's files that no contribution names but these, and that are no picture."""
    named: set[str] = set()
    for part in parts(record_ids):
        bodies = session.scalars(select(RecordBody.body).where(RecordBody.record_id.in_(part)))
        named |= {piece["blob"] for body in bodies for piece in body.get("artifacts", ()) if piece.get("blob")}
    found: set[str] = set()
    for digests in parts(named):
        works = select(ContributionArtifact.sha256, ContributionArtifact.record_id).where(
            ContributionArtifact.network_id == network.id, ContributionArtifact.sha256.in_(digests)
        )
        others = {sha256 for sha256, record_id in session.execute(works) if record_id not in record_ids}
        pictures = select(AchievementVersion.image_sha256).where(AchievementVersion.image_sha256.in_(digests))
        there = select(Blob.sha256).where(Blob.network_id == network.id, Blob.sha256.in_(digests))
        found |= set(session.scalars(there)) - others - set(session.scalars(pictures)) - {network.image_sha256}
    return found


def erase_bodies(act: Act, record_ids: Collection[UUID]) -> None:
    """Erase the bodies of records, with their salts; what waited for a member waits no more."""
    for part in parts(record_ids):
        act.session.execute(delete(RecordBody).where(RecordBody.record_id.in_(part)))
        erased = update(Record).where(Record.id.in_(part))
        act.session.execute(erased.values(salt=None))
        act.session.execute(
            erased.where(Record.status == "held").values(status="quarantined", held_for=None, held_code=None)
        )


def erase_addresses(act: Act, addresses: Collection[str]) -> None:
    """Erase addresses from the names that a network gave to records, resources and tags."""
    if not addresses:
        return
    mine = Record.network_id == act.network.id
    for column in (Record.ref, Record.source_id):
        act.session.execute(update(Record).where(mine, _holds(column, addresses)).values({column: None}))
    own, gone, tags = select(Record.id).where(mine), PAST[Contribution].c, PAST[ContributionTag].c
    here = (Contribution.network_id == act.network.id, _holds(Contribution.resource, addresses))
    act.session.execute(update(Contribution).where(*here).values(resource=None))
    there = and_(gone.network_id == act.network.id, _holds(gone.resource, addresses))
    past.rewrite(act.session, Contribution, there, resource=None)
    tagged = (ContributionTag.record_id.in_(own), _holds(ContributionTag.tag, addresses))
    act.session.execute(delete(ContributionTag).where(*tagged))
    past.rewrite(act.session, ContributionTag, and_(tags.record_id.in_(own), _holds(tags.tag, addresses)), tag=None)


def parts(ids: Collection[PartT]) -> Iterator[Sequence[PartT]]:
    """Yield ids in parts that fit into one statement."""
    listed = list(ids)
    for start in range(0, len(listed), PART):
        yield listed[start : start + PART]


def _holds(column: Any, addresses: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that one of the addresses stands in a text, as it is or as JSON writes it."""
    return or_(false(), *(func.lower(column).contains(form, autoescape=True) for form in _forms(addresses)))


def _forms(addresses: Collection[str]) -> Iterator[str]:
    for address in addresses:
        yield from {address.lower(), json.dumps(address.lower())[1:-1]}
