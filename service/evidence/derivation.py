"""Derive from records what rules count: contributions, evaluations, ratings.

Derived rows are never the truth. They are deleted when their record is voided, and can all be made again (`rebuild`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, delete, insert, or_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.access.act import Act
from service.bodies import validated
from service.evidence import adoptions, goals_met
from service.evidence.bodies import Derived, Judgement, Place, References, Someone, Submitted, find_references
from service.evidence.contributions import ContributionIn
from service.evidence.evaluations import EvaluationIn
from service.storage import locks, past
from service.storage.database import WriteSession
from service.tables import (
    Contribution,
    ContributionArtifact,
    ContributionTag,
    Evaluation,
    Member,
    Network,
    Rating,
    Record,
    RecordBody,
    Role,
    Row,
    RubricUse,
    RubricVersion,
)
from service.tables.past import PAST

SHAPES: Mapping[str, TypeAdapter[Any]] = {
    "contribution": TypeAdapter(ContributionIn),
    "evaluation": TypeAdapter(EvaluationIn),
}
"""The bodies of records, by kind; what is evaluated comes before its evaluation."""
ATTESTING = ("facilitator", "assessor")
"""Roles whose word is worth more than another member's."""
BATCH = 500
TABLES: tuple[type[Row], ...] = (
    RecordBody,
    RubricUse,
    Contribution,
    ContributionTag,
    ContributionArtifact,
    Evaluation,
    Rating,
)
"""What hangs on a record, in an order in which no table refers to a later one."""


class Actor(NamedTuple):
    """The member to whom the posting token was bound.

    `attests`: whether this member was a facilitator or assessor then.
    """

    member: Someone
    attests: bool


class FallenRecords(NamedTuple):
    """The records that no longer count, and the members whom they were about."""

    record_ids: Collection[UUID]
    member_ids: Collection[UUID]


def actors(session: OrmSession, moments: Collection[tuple[UUID | None, datetime]]) -> Mapping[Any, Actor]:
    """Return who acted, by member and moment; nobody for a token of the whole network."""
    member_ids = {member_id for member_id, _ in moments if member_id is not None}
    if not member_ids:
        return {}
    people = select(Member.id, Member.person_id).where(Member.id.in_(member_ids))
    members = {member_id: Someone(member_id, person_id) for member_id, person_id in session.execute(people)}
    roles: defaultdict[UUID, list[Role]] = defaultdict(list)
    for role in session.scalars(select(Role).where(Role.member_id.in_(member_ids), Role.role.in_(ATTESTING))):
        roles[role.member_id].append(role)
    return {
        (member_id, at): Actor(members[member_id], any(_holds(role, at) for role in roles[member_id]))
        for member_id, at in moments
        if member_id is not None
    }


def actor_of(session: WriteSession, record: Record) -> Actor | None:
    """Return who posted a record, and whether they attested then; None for a token of the whole network."""
    moment = (record.actor_member_id, record.received_at)
    return actors(session, [moment]).get(moment)


SELF_REPORTED = 0
"""The tier of what members say about themselves."""


def tier(actor: Actor | None, judged: Someone | None, self_report: bool = False) -> int:
    """Return how far a record is from its subject's own word.

    0: by the member's own token, or the member's own answer in a survey, no matter who posts it; 1: by another
    member's; 2: by a facilitator's or assessor's; 3: by the network's.
    """
    if self_report:
        return SELF_REPORTED
    if actor is None:
        return 3
    if judged is not None and judged.is_person(actor.member):
        return SELF_REPORTED
    return 2 if actor.attests else 1


def tier_of(session: WriteSession, record: Record, actor: Actor | None, judgement: Judgement) -> int:
    """Return the tier of a record; a correction has none above that of the word that it corrects.

    That a goal was met is also the word of the peers who confirmed it. What can have no higher tier keeps the one that it
    came with, if that was higher.
    """
    own = tier(actor, judgement.member, judgement.self_report)
    if record.first_id is not None:
        peers = actors(session, goals_met.confirmed_by(session, record.first_id)).values()
        if peers:
            return min(own, max(tier(peer, judgement.member) for peer in peers))
        own = min(own, tier(actor_of(session, session.get_one(Record, record.first_id)), judgement.member))
    return own if judgement.most is None or record.tier else min(own, judgement.most)


def is_late(network: Network, occurred_at: datetime, received_at: datetime) -> bool:
    """Return whether evidence came longer after it happened than the network allows; its history may."""
    long_after = received_at - occurred_at > timedelta(days=network.late_after_days)
    return long_after and not is_history(network, occurred_at, received_at)


def is_history(network: Network, occurred_at: datetime, received_at: datetime) -> bool:
    """Return whether evidence is of the network's history, and came while that could be loaded."""
    until, declared_at, open_until = network.history_until, network.history_declared_at, network.history_open_until
    if until is None or declared_at is None or open_until is None:
        return False
    happened = occurred_at < until and (network.history_from is None or network.history_from <= occurred_at)
    return happened and declared_at <= received_at < open_until


def in_time(session: OrmSession, records: Collection[tuple[Record, UUID | None]]) -> dict[UUID, int]:
    """Return the tier that each record would have if it had come in time; of a member's word only if it came late.

    Args:
        records: each with the member whom it is about; none is a self-report.
    """
    acting = actors(session, [(record.actor_member_id, record.received_at) for record, _ in records])
    found = {record.id: tier(None, None) if record.actor_member_id is None else record.tier for record, _ in records}
    if not acting:
        return found
    people = select(Member.id, Member.person_id).where(Member.id.in_({about for _, about in records if about}))
    someone = {member_id: Someone(member_id, person_id) for member_id, person_id in session.execute(people)}
    for record, about in records:
        actor = acting.get((record.actor_member_id, record.received_at))
        network = session.get_one(Network, record.network_id)
        if actor is not None and is_late(network, record.occurred_at or record.received_at, record.received_at):
            found[record.id] = tier(actor, someone.get(about) if about else None)
    return found


def lowered(found: int) -> int:
    """Return the tier that late evidence has in place of this one.

    It is one lower: nobody remembers so well so long afterwards.
    """
    return max(found - 1, 0)


def look_up(
    session: WriteSession, network: Network, bodies: Sequence[Submitted], replaced: Collection[UUID] = ()
) -> References:
    """Look up what the bodies refer to, and lock sessions and members until the commit.

    Locked are the sessions that the bodies name, and the members whom they are about. If the bodies replace records,
    these are locked too, with the members whom they are about.

    1. If a missing member is posted at the same moment, either that transaction finds what is held here, or this one
       finds the member.
    2. A contribution can be voided while this waits for the lock, so it is looked up again under the lock.
    3. A member can be erased meanwhile.
    4. A session can be deleted while this waits for its lock.
    """
    references = find_references(session, network, bodies)
    if not references.complete:  # (1)
        locks.network(session, network.id, shared=True)
        references = find_references(session, network, bodies)
    if replaced:
        locks.records(session, Record.id.in_(replaced))
    meetings = locks.sessions(session, set(references.sessions.values()))
    judged = {someone.id for body in bodies if (someone := body.judge(references, None).member) is not None}
    locks.members(session, judged | bearing(session, replaced))
    adoptions.hold(session, network, bodies)
    if references.works:  # (2)
        references = find_references(session, network, bodies)
    people = {someone.id for someone in references.members.values()}
    people |= {work.member.id for work in references.works.values() if work.member is not None}
    erased = select(Member.id).where(Member.id.in_(people), Member.erased_at.is_not(None))
    there = {ref: meeting_id for ref, meeting_id in references.sessions.items() if meeting_id in meetings}
    return replace(references, erased=frozenset(session.scalars(erased)), sessions=there)  # (3), (4)


def derive(references: References, judgement: Judgement, record: Record, body: Submitted) -> Derived:
    """Return the rows that derive from a record.

    Days and weeks are those of the network's time zone.
    """
    place = Place(record.id, record.network_id, record.tier, ZoneInfo(references.network.time_zone))
    return body.derive(references, judgement, place)


def add(session: WriteSession, rows: Iterable[tuple[type[Row], dict[str, Any]]]) -> None:
    """Insert rows, those of one table together.

    An evaluation with a posted rubric says by which version it was judged when it came.
    """
    by_table: defaultdict[type[Row], list[dict[str, Any]]] = defaultdict(list)
    for table, values in rows:
        by_table[table].append(values)
    for table in TABLES:
        if table is Evaluation:
            _name_versions(session, by_table[Evaluation])
        if by_table[table]:
            session.execute(insert(table), by_table[table])


def _name_versions(session: WriteSession, rows: Collection[dict[str, Any]]) -> None:
    judged = [row["record_id"] for row in rows if row["kind"] == "rubric"]
    used = versions_used(session, judged)
    for row in rows:
        if row["record_id"] in used:
            row["instrument_version"] = str(used[row["record_id"]])


def versions_used(session: OrmSession, record_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return the numbers of the versions of rubrics against which these evaluations were held, by record."""
    if not record_ids:
        return {}
    query = (
        select(RubricUse.record_id, RubricVersion.version)
        .join(RubricVersion, RubricVersion.id == RubricUse.rubric_version_id)
        .where(RubricUse.record_id.in_(record_ids))
    )
    return dict(session.execute(query).all())


def stored(
    session: WriteSession, *where: ColumnElement[bool], lock: bool = False
) -> Iterator[list[tuple[Record, Submitted]]]:
    """Yield records of one kind with their bodies, in batches, in the order they came.

    A record whose body was erased is left out: nothing can be derived from it, and what was derived before
    cannot be replaced.
    """
    query = select(Record, RecordBody.body).join(RecordBody, RecordBody.record_id == Record.id).where(*where)
    query = query.order_by(Record.id).limit(BATCH)
    if lock:
        query = query.with_for_update(of=Record, key_share=True)
    last = UUID(int=0)
    while rows := session.execute(query.where(Record.id > last)).all():
        yield [(record, validated(SHAPES[record.kind], body)) for record, body in rows]
        last = rows[-1][0].id


def bearing(session: WriteSession, record_ids: Collection[UUID]) -> set[UUID]:
    """Return the members whom these records are about, as far as they count."""
    found: set[UUID] = set()
    for table in (Contribution, Evaluation) if record_ids else ():
        rows = session.scalars(select(table.member_id).where(table.record_id.in_(record_ids)))
        found |= {member_id for member_id in rows if member_id is not None}
    return found


def forget(act: Act, record_ids: Collection[UUID], ended_by: UUID | None = None) -> FallenRecords:
    """Delete what was derived from records, and evaluations of contributions.

    The members whom it was about are locked. What is deleted is archived first, for replays.

    Args:
        ended_by: the record that voids them, if it is one that does.
    """
    member_ids = bearing(act.session, record_ids)
    locks.members(act.session, member_ids)
    resting = or_(Evaluation.record_id.in_(record_ids), _about(record_ids))
    fallen = {*record_ids, *act.session.scalars(select(Evaluation.record_id).where(resting))}
    keep_aside(act, fallen, ended_by)
    drop(act.session, fallen)
    return FallenRecords(fallen, member_ids)


def drop(session: WriteSession, record_ids: Collection[UUID]) -> None:
    """Delete what is derived from these records."""
    for table in (Evaluation, Contribution):
        session.execute(delete(table).where(table.record_id.in_(record_ids)))


def keep_aside(act: Act, record_ids: Collection[UUID], ended_by: UUID | None = None) -> None:
    """Archive what is derived from records, before it changes or is deleted."""
    for derived in TABLES:
        if derived in PAST:
            past.archive(act.session, derived, derived.__table__.c.record_id.in_(record_ids), act.now, ended_by)


def evaluated(session: WriteSession, record_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the evaluations of these contributions, each with its contribution.

    Both are named by the ids of their records.
    """
    query = select(Evaluation.record_id, Evaluation.about_id).where(_about(record_ids))
    return dict(session.execute(query).all())


def _about(record_ids: Collection[UUID]) -> ColumnElement[bool]:
    return (Evaluation.about_kind == "contribution") & Evaluation.about_id.in_(record_ids)


def date_role(role: Role, zone: ZoneInfo) -> None:
    """Write down on which days of the network's calendar a role begins and ends."""
    role.from_date = role.from_at.astimezone(zone).date()
    role.until_date = role.until_at.astimezone(zone).date() if role.until_at is not None else None


def rebuild(session: WriteSession, network: Network) -> int:
    """Derive everything again from a network's records; return how many were read.

    Days and weeks follow the network's time zone as it is now. What was derived from a body that has been erased since
    stays as it is.
    """
    voiding = aliased(Record)
    voided = select(voiding.id).where(voiding.voids == Record.id).exists()
    stands = (Record.network_id == network.id, Record.status == "accepted", ~voided)
    bodied = select(RecordBody.record_id).join(Record, Record.id == RecordBody.record_id).where(*stands)
    for table in (Evaluation, Contribution):
        session.execute(delete(table).where(table.record_id.in_(bodied)))
    count = 0
    for kind in SHAPES:
        for batch in stored(session, *stands, Record.kind == kind):
            references = find_references(session, network, [body for _, body in batch])
            acting = actors(session, [(record.actor_member_id, record.received_at) for record, _ in batch])
            for record, body in batch:
                actor = acting.get((record.actor_member_id, record.received_at))
                judgement = body.judge(references, actor.member if actor else None)
                add(session, derive(references, judgement, record, body))
            count += len(batch)
    members = select(Member.id).where(Member.network_id == network.id)
    for role in session.scalars(select(Role).where(Role.member_id.in_(members))):
        date_role(role, ZoneInfo(network.time_zone))
    return count


def _holds(role: Role, at: datetime) -> bool:
    return role.from_at <= at and (role.until_at is None or at < role.until_at)
