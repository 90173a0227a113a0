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

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session as OrmSession

from service import events, evidence
from service.database import ReadSession, WriteSession
from service.errors import ConflictError, InvalidError, NotFoundError
from service.paging import page
from service.runtime import Runtime
from service.shapes import Body, Did, EmailAddress, Instant, Line, Ref
from service.tables import Identity, Member, Network, Person, Role

RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$", max_length=64)]


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

    name: Line | None = Field(None, examples=["Ana Ruiz"])
    email: EmailAddress | None = Field(
        None, description="badges are sent here; kept lower-case", examples=["ana@example.org"]
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

    ref: Ref = Field(description="the network's own identifier of the member", examples=["ana"])


@dataclass(frozen=True)
class MemberView:
    """A member with what stands about it in other rows."""

    member: Member
    name: str | None = None
    identities: dict[str, str] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()


def put_member(
    session: WriteSession, running: Runtime, network: Network, body: MemberIn, now: datetime, *, settle: bool = True
) -> tuple[Member, bool]:
    """Add or change a member and return it, and whether it is new; evidence that waited for it flows in.

    Args:
        settle: award at once what such evidence earns; otherwise leave it to `awards.settle_pending`.
    Raises:
        ConflictError: its e-mail address and its DID are those of two persons (code "identity-conflict").
        InvalidError: a role twice at one time (code "roles-overlap").
    """
    # One post at a time in a network: two with one e-mail address at the same moment are one person.
    session.execute(select(Network.id).where(Network.id == network.id).with_for_update(key_share=True))
    member = session.scalar(select(Member).where(Member.network_id == network.id, Member.ref == body.ref))
    created = member is None
    if member is None:
        member = Member(network_id=network.id, ref=body.ref, enrolled_at=now)
        session.add(member)
    if "organization" in body.model_fields_set:
        member.organization = body.organization
    changed = session.is_modified(member)
    session.flush()
    changed |= _put_person(session, network, member, body, now)
    if "roles" in body.model_fields_set:
        changed |= _put_roles(session, member, body.roles or [], now)
    if created or changed:
        kind = "member.posted" if created else "member.changed"
        events.append(session, network, kind, {"member": str(member.id)}, now)
    evidence.release_held(session, running, network, member, now, settle=settle)
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


def _put_person(session: WriteSession, network: Network, member: Member, body: MemberIn, now: datetime) -> bool:
    """Find, make or change the person behind a member; return whether anything changed.

    (1) Somebody else in the network has the e-mail address or DID: the member is that person.
    (2) The person is also another member, and nothing that they share is left: they part.
    (3) Otherwise what is said about the person is replaced.
    """
    given = {kind: getattr(body, kind) for kind in ("email", "did") if kind in body.model_fields_set}
    said = any(given.values()) or body.name is not None
    if member.person_id is None and not said:
        return False
    person = session.get_one(Person, member.person_id) if member.person_id else None
    held = _identities(session, person)
    owners = {owner for kind, value in given.items() if value for owner in _owners(session, network, kind, value)}
    kept = held.keys() - given.keys()
    if len(owners) > 1 or (owners and person and person.id not in owners and kept):
        raise ConflictError(
            "identity-conflict",
            "Expected an e-mail address and a DID of one person; in this network they belong to two.",
            "/did" if given.get("did") else "/email",
        )
    before = member.person_id
    alone = person is None or _members_of(session, person) == 1
    if owners:  # (1)
        person = session.get_one(Person, owners.pop())
    elif person is None or (not alone and not kept and given != {kind: held.get(kind) for kind in given}):  # (2)
        person = Person(name=person.name if person else None, created_at=now)
        session.add(person)
        session.flush()
    member.person_id = person.id
    if "name" in body.model_fields_set:  # (3)
        person.name = body.name
    changed = before != person.id or session.is_modified(person)
    held = _identities(session, person)
    for kind, value in given.items():
        if held.get(kind) == value:
            continue
        changed = True
        session.execute(delete(Identity).where(Identity.person_id == person.id, Identity.kind == kind))
        if value is not None:
            session.add(Identity(person_id=person.id, kind=kind, value=value))
    session.flush()
    if before not in {None, person.id} and alone:
        session.execute(delete(Identity).where(Identity.person_id == before))
        session.execute(delete(Person).where(Person.id == before))
    return changed


def _identities(session: WriteSession, person: Person | None) -> dict[str, str]:
    if person is None:
        return {}
    rows = select(Identity.kind, Identity.value).where(Identity.person_id == person.id)
    return dict(session.execute(rows).all())


def _owners(session: WriteSession, network: Network, kind: str, value: str) -> Sequence[UUID]:
    here = select(Member.person_id).where(Member.network_id == network.id)
    return session.scalars(
        select(Identity.person_id).where(Identity.kind == kind, Identity.value == value, Identity.person_id.in_(here))
    ).all()


def _members_of(session: WriteSession, person: Person) -> int:
    return session.scalar(select(func.count()).where(Member.person_id == person.id)) or 0


def _put_roles(session: WriteSession, member: Member, wanted: Sequence[RoleIn], now: datetime) -> bool:
    """Make the roles on record those that are wanted; return whether anything changed."""
    on_record = list(session.scalars(select(Role).where(Role.member_id == member.id).order_by(Role.from_at)))
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
        row = corrected[0] if corrected else Role(member_id=member.id, role=posted.role)
        row.from_at, row.until_at = start, posted.until
        placed.append(row)
        on_record = [other for other in on_record if other not in corrected]
        session.add(row)
        for doubled in corrected[1:]:
            session.delete(doubled)
    for row in on_record:
        if row.from_at >= now:
            session.delete(row)
        elif row.until_at is None or row.until_at > now:
            row.until_at = now
    session.flush()
    after = select(Role.id, Role.from_at, Role.until_at).where(Role.member_id == member.id)
    return before != set(session.execute(after).all())


def _overlaps(row: Role, start: datetime, until: datetime | None) -> bool:
    return (until is None or row.from_at < until) and (row.until_at is None or start < row.until_at)
