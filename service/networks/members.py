"""Members: persons in a network under its own `ref`, with their roles and dates.

A person is recognised by an e-mail address or DID inside the same network, never across networks:
what one network says about somebody is not told to another.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.bodies import Body, Did, EmailAddress, Instant, Line, Ref, RoleName
from service.errors import ErasedError, NotFoundError
from service.networks import same_person
from service.storage import locks
from service.storage.database import ReadSession
from service.storage.paging import Window, order, page
from service.tables import Identity, Member, Network, Role
from service.tables.identifiers import new_id


class RoleIn(Body):
    """A role with its dates, `[from, until)`."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    role: RoleName = Field(examples=["facilitator"])
    from_: Instant | None = Field(None, alias="from", description="left out: its start on record, or now")
    until: Instant | None = Field(None, description="left out: the role has no end")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise PydanticCustomError("role-ends-before-start", "Expected a role that ends after it starts")
        return self


def _role(value: Any) -> Any:
    return {"role": value} if isinstance(value, str) else value


RoleOrName = Annotated[RoleIn, BeforeValidator(_role, json_schema_input_type=RoleIn | RoleName)]


class MemberFields(Body):
    """What a network says about a member.

    Members of the body that are left out stay as they are; null removes one.
    """

    name: Line | None = Field(None, examples=["Member 11"])
    email: EmailAddress | None = Field(
        None, description="badges are sent to it; stored in lower case", examples=["m11@example.org"]
    )
    did: Did | None = Field(
        None, description="badges are issued to it, if it is given", examples=["did:key:z6MkexampleAna"]
    )
    organization: Line | None = Field(None, examples=["Lincoln School"])
    roles: list[RoleOrName] | None = Field(
        None,
        max_length=50,
        description=(
            "the whole list. A role that is left out ends now and stays on record; one without `from` keeps its "
            "start on record, or starts now; one whose dates overlap those on record corrects them"
        ),
        examples=[["facilitator"], [{"role": "facilitator", "from": "2026-01-01T00:00:00Z"}]],
    )


class MemberIn(MemberFields):
    """One member, under the network's own `ref`."""

    ref: Ref = Field(description="the network's own identifier of the member", examples=["m11"])


@dataclass(frozen=True)
class MemberFilter:
    """Which members are listed.

    Attributes:
        role: who have this role now.
        name: whose name begins so, in upper or lower case.
        person: with this `person_state`.
    """

    role: str | None = None
    organization: str | None = None
    email: str | None = None
    did: str | None = None
    name: str | None = None
    person: str | None = None


@dataclass(frozen=True)
class MemberView:
    """A member with what other rows say about it.

    `shares_person_with` are the refs of members who are the same person; `perhaps` those of members who have the same
    address, while somebody must say whether they are.
    """

    member: Member
    identities: dict[str, str] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()
    shares_person_with: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()


def new_member(act: Act, ref: str) -> Member:
    """Add a member under the network's own `ref`; it has no person yet."""
    member = Member(id=new_id(), network_id=act.network.id, ref=ref, enrolled_at=act.now, known_from=act.now)
    act.session.add(member)
    return member


def new_role(member: Member, role: str) -> Role:
    """Return a new role of a member, to be given its dates and added."""
    return Role(id=new_id(), member_id=member.id, role=role)


def get_member(session: OrmSession, network: Network, ref: str) -> Member:
    """Return the member with the network's own `ref`.

    Raises:
        NotFoundError: the network has none (code "member-unknown").
    """
    member = session.scalar(select(Member).where(Member.network_id == network.id, Member.ref == ref))
    if member is None:
        raise unknown()
    return member


def unknown() -> NotFoundError:
    """Return the refusal of a ref that no member has, and of one of somebody whom the caller may not ask for."""
    message = "No member of this network has this ref; post the member first, or correct it."
    return NotFoundError("member-unknown", message)


def held(act: Act, ref: str) -> Member:
    """Return a member, and let nobody else change it until the commit.

    Raises:
        NotFoundError: as `get_member`.
    """
    locks.network(act.session, act.network.id)
    return get_member(act.session, act.network, ref)


def list_members(
    session: ReadSession,
    network: Network,
    now: datetime,
    *,
    window: Window,
    which: MemberFilter,
    sort: str | None = None,
) -> tuple[Sequence[Member], str | None]:
    """Return members in the order in which they were added, unless another is asked for.

    Args:
        sort: enrolled_at or ref, with `-` before it for the falling order.
    """
    query = select(Member).where(Member.network_id == network.id)
    if which.organization is not None:
        query = query.where(Member.organization == which.organization)
    for kind, value in (("email", which.email), ("did", which.did)):
        if value is not None:
            known = select(Identity.person_id).where(Identity.kind == kind, Identity.value == value)
            query = query.where(Member.person_id.in_(known), Member.erased_at.is_(None))
    if which.name is not None:
        query = query.where(func.lower(Member.name).startswith(which.name.lower(), autoescape=True))
    if which.person is not None:
        query = query.where(Member.person_state == which.person)
    if which.role is not None:
        held = (Role.role == which.role, Role.from_at <= now, or_(Role.until_at.is_(None), Role.until_at > now))
        query = query.where(Member.id.in_(select(Role.member_id).where(*held)))
    return page(session, query, window, order(sort, enrolled_at=(Member.id,), ref=(Member.ref,)))


def by_ids(session: OrmSession, member_ids: Collection[UUID], addresses: bool) -> list[MemberView]:
    """Return members as `view` does, by their ids."""
    rows = session.scalars(select(Member).where(Member.id.in_(member_ids))).all()
    return view(session, rows, addresses=addresses)


def refs(session: OrmSession, member_ids: Collection[UUID]) -> Mapping[UUID | None, str]:
    """Return the refs of members by their ids."""
    return dict(session.execute(select(Member.id, Member.ref).where(Member.id.in_(member_ids))).all())


def view(session: OrmSession, members: Sequence[Member], *, addresses: bool = True) -> list[MemberView]:
    """Return the members with their names, identities and roles, in the same order.

    Args:
        addresses: whether those who see it may read e-mail addresses and DIDs; otherwise there are no identities.
    """
    person_ids = [member.person_id for member in members if member.person_id is not None]
    identities: defaultdict[UUID | None, dict[str, str]] = defaultdict(dict)
    shown = select(Identity).where(Identity.person_id.in_(person_ids if addresses else []))
    for identity in session.scalars(shown):
        identities[identity.person_id][identity.kind] = identity.value
    roles: defaultdict[UUID, list[Role]] = defaultdict(list)
    wanted = select(Role).where(Role.member_id.in_([member.id for member in members]))
    for role in session.scalars(wanted.order_by(Role.from_at, Role.role)):
        roles[role.member_id].append(role)
    shared, perhaps = same_person.sharing(session, members), same_person.perhaps(session, members)
    return [
        MemberView(
            member,
            identities[member.person_id] if member.erased_at is None else {},
            tuple(roles[member.id]),
            tuple(shared.get(member.id, ())),
            tuple(perhaps.get(member.id, ())),
        )
        for member in members
    ]


def still_known(member: Member, pointer: str = "") -> Member:
    """Return the member if they were not erased.

    Raises:
        ErasedError: they were, and nothing new is kept under their ref (code "member-erased").
    """
    if member.erased_at is not None:
        raise ErasedError(pointer)
    return member
