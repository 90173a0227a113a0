"""What contributions and evaluations share: keys, references and the seal.

A body names members, sessions, contributions and files as the network does. `find_references` looks up what those
names stand for, for many bodies at once; a body is then judged by that, and says which rows derive from it.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from credentials import canonical_json
from service.bodies import Body, Instant, Line, LongLine, Ref
from service.errors import ServiceError
from service.evidence.scales import PostedRubric, Scale
from service.tables import Blob, Contribution, Meeting, Member, Network, Record, Row

UNKNOWN = "member-unknown"
"""The code of why evidence is held that names somebody who is not posted yet."""
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
"""The earliest time that evidence may have; it also keeps every calendar's arithmetic in range."""
GREATEST = 2**53 - 1
"""The greatest integer that every JSON reader understands alike."""


def _whole_seconds(value: datetime) -> datetime:
    if value < EARLIEST:
        raise PydanticCustomError("time-too-early", "Expected a time after 1900")
    return value.replace(microsecond=0)


def _sha256(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def finite(value: Any) -> Any:
    """Return a JSON number, as it came, if it can be kept exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -GREATEST <= value <= GREATEST:
        raise PydanticCustomError("number-invalid", "Expected a number between -2^53 and 2^53")
    return value


OccurredAt = Annotated[Instant, AfterValidator(_whole_seconds)]
"""When it happened: a whole second, as it is sealed and derived."""
_AsItMayCome = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
Sha256 = Annotated[
    str, BeforeValidator(_sha256, json_schema_input_type=_AsItMayCome), StringConstraints(pattern=r"^[0-9a-f]{64}$")
]


class Source(Body):
    """The system that a record comes from, and its identifier there."""

    system: Line = Field(examples=["lms.example.org"])
    id: LongLine = Field(examples=["4711"])


class Someone(NamedTuple):
    """A member, and the person behind it if one is known."""

    id: UUID
    person_id: UUID | None

    def is_person(self, other: "Someone") -> bool:
        """Return whether both are one human."""
        return self.id == other.id or (self.person_id is not None and self.person_id == other.person_id)


class Work(NamedTuple):
    """A contribution that an evaluation is about.

    Without a member it does not count, or not yet.
    """

    record_id: UUID
    held_for: str | None
    member: Someone | None
    held_code: str | None = None


class Gap(NamedTuple):
    """A member for whom a body waits, the member of the body that refers to it, and the code of why."""

    ref: str
    pointer: str
    code: str = UNKNOWN


class Owing(NamedTuple):
    """A member, by the ref, who has not accepted the guidelines in force, and since when evidence about them waits."""

    ref: str
    since: datetime


class Mentions(NamedTuple):
    """The names that a body uses; None stands for one that it does not use."""

    members: Collection[str | None] = ()
    sessions: Collection[str | None] = ()
    works: Collection[str | None] = ()
    files: Collection[str | None] = ()


@dataclass(frozen=True)
class References:
    """What the names stand for in a network; a name that is missing is unknown there.

    `complete`: every member mentioned is known, and no contribution mentioned waits for one. `erased`: those of the
    members, also of the contributions, who were erased. `rubrics`: those posted that new evaluations are held against;
    evaluations that are read again are held against none, as they were before. `owing`: those of the members whom the
    bodies are about for whose acceptance evidence waits.
    """

    network: Network
    complete: bool
    members: Mapping[str, Someone]
    sessions: Mapping[str, UUID]
    works: Mapping[str, Work]
    files: Collection[str]
    erased: Collection[UUID] = ()
    rubrics: Mapping[str, PostedRubric] = field(default_factory=dict)
    owing: Mapping[UUID, Owing] = field(default_factory=dict)

    def gap(self, *places: tuple[str | None, str]) -> Gap | None:
        """Return the first of these members, each with its pointer, who is not known yet."""
        return next((Gap(ref, at) for ref, at in places if ref is not None and ref not in self.members), None)


class Judgement(NamedTuple):
    """What was decided on a body: it counts if it has no `refusal` and no `gap`.

    `member` is whom it is about, if that member is known, even if something else is wrong; `evaluator` is who judges.
    `self_report`: a member answers about that same member. `scale`: the version of a posted rubric by which is judged.
    `most`: the highest tier that it can have, no matter whose word it is.
    """

    member: Someone | None
    evaluator: Someone | None = None
    gap: Gap | None = None
    refusal: ServiceError | None = None
    self_report: bool = False
    scale: Scale | None = None
    most: int | None = None


class Place(NamedTuple):
    """Where derived rows belong: to which record, of what tier, on which calendar."""

    record_id: UUID
    network_id: UUID
    tier: int
    zone: ZoneInfo

    def columns(self, occurred_at: datetime) -> dict[str, Any]:
        """Return the columns that every derived row has.

        These are identifiers, the tier, and the day and ISO week in the network's time zone.
        """
        local = occurred_at.astimezone(self.zone)
        year, week, _ = local.isocalendar()
        return {
            "record_id": self.record_id,
            "network_id": self.network_id,
            "tier": self.tier,
            "occurred_at": occurred_at,
            "local_date": local.date(),
            "local_week": f"{year:04}-W{week:02}",
        }


Derived = list[tuple[type[Row], dict[str, Any]]]
"""Rows to insert, each with its table."""


class Submitted(Body):
    """A body of evidence.

    The `actor` of its methods is the member to whom the posting token is bound, if any.
    """

    ref: Ref | None = Field(
        None, description="the network's own identifier; makes a repeated post harmless", examples=["review-17"]
    )
    occurred_at: OccurredAt = Field(description="when it happened; at most five minutes ahead")
    source: Source | None = Field(
        None, description="where it comes from; makes a repeated post harmless, as `ref` does"
    )

    @cached_property
    def kept(self) -> dict[str, Any]:
        """The body as it is stored and sealed: what was said, times in UTC."""
        return self.model_dump(mode="json", exclude_unset=True, exclude_none=True)

    @property
    def natural_keys(self) -> set[tuple[str, ...]]:
        """The keys by which a repeated post is recognised: `(ref,)` and `(system, id)`."""
        keys: set[tuple[str, ...]] = {(self.ref,)} if self.ref is not None else set()
        return keys | ({(self.source.system, self.source.id)} if self.source is not None else set())

    @property
    def mentions(self) -> Mentions:
        """The names that the body uses."""
        raise NotImplementedError

    def judge(self, references: References, actor: Someone | None) -> Judgement:
        """Decide whether the body can be true and the actor may say it, or who is missing.

        1. What it refers to, apart from members, exists, and the actor may say it.
        2. The members to whom it refers are known; otherwise it waits for them.
        3. Those members may appear together in it.
        """
        raise NotImplementedError

    def derive(self, references: References, judgement: Judgement, place: Place) -> Derived:
        """Return the rows that derive from the body.

        There are none if what it is about does not count.
        """
        raise NotImplementedError


def find_references(session: OrmSession, network: Network, bodies: Iterable[Submitted]) -> References:
    """Look up everything that the bodies refer to, in four queries at most."""
    mentions = [body.mentions for body in bodies]
    refs, sessions, names, files = (
        {name for each in mentions for name in each[kind] if name is not None} for kind in range(len(Mentions._fields))
    )
    members = _members(session, network, refs) if refs else {}
    works = _works(session, network, names) if names else {}
    return References(
        network,
        members.keys() == refs and all(work.held_for is None for work in works.values()),
        members,
        _sessions(session, network, sessions) if sessions else {},
        works,
        _files(session, network, files) if files else frozenset(),
    )


def seal(salt: str, body: Mapping[str, Any]) -> str:
    """Return the digest of a record: 64 hexadecimal digits.

    The salt (32 hexadecimal digits) is part of what is hashed: a record is small, and without the salt the digest
    would give its content away to anyone who tries a few hundred guesses.

    Spec: RFC 8785 over `{"salt", "body"}`; SHA-256.
    """
    return hashlib.sha256(canonical_json({"salt": salt, "body": dict(body)})).hexdigest()


def _members(session: OrmSession, network: Network, refs: Collection[str]) -> dict[str, Someone]:
    rows = select(Member.ref, Member.id, Member.person_id).where(Member.network_id == network.id, Member.ref.in_(refs))
    return {ref: Someone(member_id, person_id) for ref, member_id, person_id in session.execute(rows)}


def _sessions(session: OrmSession, network: Network, refs: Collection[str]) -> dict[str, UUID]:
    rows = select(Meeting.ref, Meeting.id).where(Meeting.network_id == network.id, Meeting.ref.in_(refs))
    return dict(session.execute(rows).all())


def _works(session: OrmSession, network: Network, names: Collection[str]) -> dict[str, Work]:
    """Return contributions by their refs or, for a name that is no ref, by the ids of their records.

    A name of a contribution that was corrected stands for its newest correction.
    """
    ids = {name: record_id for name in names if (record_id := _id(name)) is not None}
    named, newest, following = aliased(Record), aliased(Record), aliased(Record)
    first = func.coalesce(named.first_id, named.id)
    corrected = select(following.id).where(following.voids == newest.id, following.kind != "void").exists()
    rows = session.execute(
        select(
            named.id, named.ref, newest.id, newest.held_for, newest.held_code, Contribution.member_id, Member.person_id
        )
        .select_from(named)
        .join(newest, or_(newest.id == first, newest.first_id == first) & ~corrected)
        .outerjoin(Contribution, Contribution.record_id == newest.id)
        .outerjoin(Member, Member.id == Contribution.member_id)
        .where(named.network_id == network.id, named.kind == "contribution")
        .where(or_(named.ref.in_(names), named.id.in_(ids.values())))
    )
    by_ref: dict[str, Work] = {}
    by_id: dict[UUID, Work] = {}
    for record_id, ref, newest_id, held_for, held_code, member_id, person_id in rows:
        # The outer join leaves it empty if the contribution does not count.
        member = Someone(member_id, person_id) if member_id else None
        by_id[record_id] = Work(newest_id, held_for, member, held_code)
        if ref is not None:
            by_ref[ref] = by_id[record_id]
    return {name: by_id[record_id] for name, record_id in ids.items() if record_id in by_id} | by_ref


def _files(session: OrmSession, network: Network, digests: Collection[str]) -> frozenset[str]:
    rows = select(Blob.sha256).where(Blob.network_id == network.id, Blob.sha256.in_(digests))
    return frozenset(session.scalars(rows))


def _id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
