"""Members: persons in a network under its own `ref`, with their roles and dates.

A person is found again by an e-mail address or DID inside the same network, never across networks:
what one network says about somebody is not told to another.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.appeals import cases
from service.awards import reviews, settling
from service.bodies import Body, Did, EmailAddress, Instant, Line, Ref, RoleName
from service.criteria import rejudging
from service.errors import ConflictError, InvalidError, NotFoundError, ServiceError
from service.evidence import derivation, recording
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import past
from service.storage.database import ReadSession, WriteSession
from service.storage.paging import page
from service.tables import Identity, Member, Network, Person, Role
from service.tables.identifiers import new_id


class RoleIn(Body):
    """A role with its dates, `[from, until)`."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    role: RoleName = Field(examples=["facilitator"])
    from_: Instant | None = Field(None, alias="from", description="left out: since it was first posted")
    until: Instant | None = Field(None, description="left out: it goes on")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise PydanticCustomError("role-ends-before-start", "Expected a role that ends after it starts")
        return self


def _role(value: Any) -> Any:
    return {"role": value} if isinstance(value, str) else value


RoleOrName = Annotated[RoleIn, BeforeValidator(_role, json_schema_input_type=RoleIn | RoleName)]


class MemberFields(Body):
    """What a network says about a member. What is left out stays as it is, null takes it away."""

    name: Line | None = Field(None, examples=["Member 11"])
    email: EmailAddress | None = Field(
        None, description="badges are sent here; kept lower-case", examples=["m11@example.org"]
    )
    did: Did | None = Field(None, description="badges are issued to it, if given", examples=["did:key:z6MkexampleAna"])
    organization: Line | None = Field(None, examples=["Lincoln School"])
    roles: list[RoleOrName] | None = Field(
        None,
        max_length=50,
        description=(
            "the whole list. A role that it leaves out ends now and stays on record; one without `from` starts now, "
            "or goes on since it was first posted; one whose dates overlap those on record corrects them"
        ),
        examples=[["facilitator"], [{"role": "facilitator", "from": "2026-01-01T00:00:00Z"}]],
    )


class MemberIn(MemberFields):
    """One member, under the network's own `ref`."""

    ref: Ref = Field(description="the network's own identifier of the member", examples=["m11"])


@dataclass(frozen=True)
class MemberView:
    """A member with what stands about it in other rows."""

    member: Member
    name: str | None = None
    identities: dict[str, str] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()


def put_member(
    session: WriteSession, running: Runtime, network: Network, body: MemberIn, now: datetime
) -> tuple[Member, bool]:
    """Add or change a member and return it, and whether it is new.

    Evidence that waited for it flows in, and what that earns automatically is awarded at once.

    Raises:
        ConflictError: its e-mail address and its DID are those of two persons (code "identity-conflict").
        InvalidError: a role twice at one time (code "roles-overlap").
    """
    member, created = _put(session, network, body, now)
    bearing = recording.release_held(session, network, [member.ref], now)
    if bearing or rejudging.topics_of(session, [member.id]):
        settling.settle(session, running, network, bearing | {member.id}, now)
    return member, created


def put_members(
    session: WriteSession, network: Network, bodies: Sequence[MemberIn], now: datetime
) -> list[tuple[Member, bool] | ServiceError]:
    """Add or change members, and return for each, in order, what `put_member` does, or what it is refused for.

    What evidence that waited for them earns is left to `awards.settle_pending`.
    """
    outcomes: list[tuple[Member, bool] | ServiceError] = []
    for body in bodies:
        try:
            with session.begin_nested():  # what is refused half-way leaves nothing
                outcomes.append(_put(session, network, body, now))
        except ServiceError as error:
            outcomes.append(error)
    recording.release_held(session, network, [each[0].ref for each in outcomes if isinstance(each, tuple)], now)
    return outcomes


def _put(session: WriteSession, network: Network, body: MemberIn, now: datetime) -> tuple[Member, bool]:
    _one_post_at_a_time(session, network)
    member = session.scalar(select(Member).where(Member.network_id == network.id, Member.ref == body.ref))
    created = member is None
    known = session.get(Person, member.person_id) if member and member.person_id else None
    person, changed = _person(session, network, known, body, now)
    if member is None:
        member = Member(id=new_id(), network_id=network.id, ref=body.ref, enrolled_at=now, known_from=now)
        session.add(member)
    said: dict[str, Any] = {"person_id": person.id} if person is not None else {}
    if "organization" in body.model_fields_set:
        said["organization"] = body.organization
    if any(getattr(member, name) != value for name, value in said.items()):
        changed = True
        if not created:
            past.keep(session, Member, Member.__table__.c.id == member.id, now)
        member.known_from = now
        for name, value in said.items():
            setattr(member, name, value)
    session.flush()
    if not created and person is not known:
        cases.relink(session, network, member.id, now)
        reviews.relink(session, network, member.id, now)
    if known is not None and person is not known:
        _forget_without_members(session, known)
    if "roles" in body.model_fields_set and _put_roles(session, network, member, body.roles or [], now, new=created):
        changed = True
        topics = {f"role:{name}" for name in session.scalars(select(Role.role).where(Role.member_id == member.id))}
        rejudging.mark_topics(session, network, {member.id: topics}, now)
    if created or changed:
        kind = "member.posted" if created else "member.changed"
        events.append(session, network, kind, {"member": str(member.id)}, now)
    return member, created


def get_member(session: OrmSession, network: Network, ref: str) -> Member:
    """Return the member with the network's own `ref`.

    Raises:
        NotFoundError: the network has none (code "member-unknown").
    """
    member = session.scalar(select(Member).where(Member.network_id == network.id, Member.ref == ref))
    if member is None:
        raise NotFoundError("member-unknown", "No member of this network has this ref.")
    return member


def list_members(
    session: ReadSession,
    network: Network,
    now: datetime,
    *,
    after: str | None,
    limit: int,
    role: str | None,
    organization: str | None,
) -> tuple[Sequence[Member], str | None]:
    """Return members in the order in which they were added; `role` asks who has it now."""
    query = select(Member).where(Member.network_id == network.id)
    if organization is not None:
        query = query.where(Member.organization == organization)
    if role is not None:
        held = (Role.role == role, Role.from_at <= now, or_(Role.until_at.is_(None), Role.until_at > now))
        query = query.where(Member.id.in_(select(Role.member_id).where(*held)))
    return page(session, query, Member.id, after, limit)


def refs(session: OrmSession, member_ids: Collection[UUID]) -> Mapping[UUID | None, str]:
    """Return the refs of members by their ids."""
    return dict(session.execute(select(Member.id, Member.ref).where(Member.id.in_(member_ids))).all())


def view(session: OrmSession, members: Sequence[Member]) -> list[MemberView]:
    """Return the members with their names, identities and roles, in the same order."""
    person_ids = [member.person_id for member in members if member.person_id is not None]
    names = dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(person_ids))).all())
    identities: defaultdict[UUID | None, dict[str, str]] = defaultdict(dict)
    for identity in session.scalars(select(Identity).where(Identity.person_id.in_(person_ids))):
        identities[identity.person_id][identity.kind] = identity.value
    roles: defaultdict[UUID, list[Role]] = defaultdict(list)
    wanted = select(Role).where(Role.member_id.in_([member.id for member in members]))
    for role in session.scalars(wanted.order_by(Role.from_at, Role.role)):
        roles[role.member_id].append(role)
    return [
        MemberView(
            member,
            names.get(member.person_id) if member.person_id else None,
            identities[member.person_id],
            tuple(roles[member.id]),
        )
        for member in members
    ]


def _one_post_at_a_time(session: WriteSession, network: Network) -> None:
    """Lock the network's row until the commit: two with one e-mail address at the same moment are one person."""
    if session.info.get("members_of") != network.id:
        session.execute(select(Network.id).where(Network.id == network.id).with_for_update(key_share=True))
        session.info["members_of"] = network.id


def _person(
    session: WriteSession, network: Network, known: Person | None, body: MemberIn, now: datetime
) -> tuple[Person | None, bool]:
    """Return the person behind a member, found, made or changed, and whether anything changed.

    (1) Somebody else in the network has the e-mail address or DID: the member is that person.
    (2) The person is also another member, and nothing that they share is left: they part.
    (3) Otherwise what is said about the person is replaced.

    Args:
        known: the person behind the member until now.
    """
    held = _identities(session, known)
    said: dict[str, str | None] = {
        kind: getattr(body, kind)
        for kind in ("email", "did")
        if kind in body.model_fields_set and getattr(body, kind) != held.get(kind)
    }
    others = _owners(session, network, said)
    kept = held.keys() - said.keys()
    if len(others) > 1 or (others and kept):
        raise ConflictError(
            "identity-conflict",
            "Expected an e-mail address and a DID of one person; in this network they belong to two.",
            "/did" if said.get("did") else "/email",
        )
    person = known
    if others:  # (1)
        person = session.get_one(Person, others.pop())
        held = _identities(session, person)
    elif said and known is not None and not kept and _is_several_members(session, known):  # (2)
        person, held = None, {}
    if person is None:
        if known is None and body.name is None and not any(said.values()):
            return None, False
        person = Person(id=new_id(), name=known.name if known else None, created_at=now)
        session.add(person)
        session.flush()  # before what refers to it: the rows are not related as objects
    changed = person is not known
    if "name" in body.model_fields_set and person.name != body.name:  # (3)
        person.name, changed = body.name, True
    for kind, value in said.items():
        if held.get(kind) == value:
            continue
        changed = True
        if kind in held:
            session.execute(delete(Identity).where(Identity.person_id == person.id, Identity.kind == kind))
        if value is not None:
            session.add(Identity(person_id=person.id, kind=kind, value=value))
    return person, changed


def _identities(session: WriteSession, person: Person | None) -> dict[str, str]:
    if person is None:
        return {}
    rows = select(Identity.kind, Identity.value).where(Identity.person_id == person.id)
    return dict(session.execute(rows).all())


def _owners(session: WriteSession, network: Network, said: Mapping[str, str | None]) -> set[UUID]:
    """Return the persons of this network who have one of the identities."""
    wanted = [and_(Identity.kind == kind, Identity.value == value) for kind, value in said.items() if value]
    if not wanted:
        return set()
    query = select(Identity.person_id).join(Member, Member.person_id == Identity.person_id)
    return set(session.scalars(query.where(or_(*wanted), Member.network_id == network.id)))


def _is_several_members(session: WriteSession, person: Person) -> bool:
    return len(session.scalars(select(Member.id).where(Member.person_id == person.id).limit(2)).all()) > 1


def _forget_without_members(session: WriteSession, person: Person) -> None:
    """Delete a person who is no member any more: nothing is kept about whom nobody needs."""
    if session.scalars(select(Member.id).where(Member.person_id == person.id).limit(1)).first() is None:
        session.execute(delete(Identity).where(Identity.person_id == person.id))
        session.delete(person)


def _put_roles(
    session: WriteSession, network: Network, member: Member, wanted: Sequence[RoleIn], now: datetime, *, new: bool
) -> bool:
    """Make the roles on record those that are wanted; return whether anything changed."""
    zone = ZoneInfo(network.time_zone)
    query = select(Role).where(Role.member_id == member.id).order_by(Role.from_at)
    on_record = [] if new else list(session.scalars(query))
    before = {(row.id, row.from_at, row.until_at) for row in on_record}
    placed: list[Role] = []
    for place, posted in enumerate(wanted):
        same = [row for row in on_record if row.role == posted.role]
        running = [row.from_at for row in same if _overlaps(row, now, None) and row.from_at <= now]
        start = posted.from_ or min(running, default=now)
        if posted.until is not None and posted.until <= start:
            raise InvalidError(
                "role-ends-before-start", "Expected a role that ends after it starts.", f"/roles/{place}/until"
            )
        if any(row.role == posted.role and _overlaps(row, start, posted.until) for row in placed):
            raise InvalidError("roles-overlap", "Expected a role once at one time.", f"/roles/{place}")
        corrected = [row for row in same if _overlaps(row, start, posted.until)]
        row = corrected[0] if corrected else Role(id=new_id(), member_id=member.id, role=posted.role)
        _keep_role(session, row, start, posted.until, now)
        row.from_at, row.until_at = start, posted.until
        derivation.date_role(row, zone)
        placed.append(row)
        on_record = [other for other in on_record if other not in corrected]
        session.add(row)
        for doubled in corrected[1:]:
            _keep_role(session, doubled, None, None, now)
            session.delete(doubled)
    for row in on_record:
        if row.from_at >= now:
            _keep_role(session, row, None, None, now)
            session.delete(row)
            continue
        if row.until_at is None or row.until_at > now:
            _keep_role(session, row, row.from_at, now, now)
            row.until_at = now
            derivation.date_role(row, zone)
        placed.append(row)
    return before != {(row.id, row.from_at, row.until_at) for row in placed}


def _keep_role(session: WriteSession, row: Role, start: datetime | None, until: datetime | None, now: datetime) -> None:
    """Keep aside what a role on record says, if from now on it says something else; no start: it goes."""
    if row.from_at is not None and (row.from_at, row.until_at) != (start, until):
        past.keep(session, Role, Role.__table__.c.id == row.id, now)
    if row.from_at is None or (row.from_at, row.until_at) != (start, until):
        row.known_from = now


def _overlaps(row: Role, start: datetime, until: datetime | None) -> bool:
    return (until is None or row.from_at < until) and (row.until_at is None or start < row.until_at)
