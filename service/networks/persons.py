"""Persons behind members, recognised by e-mail address or DID.

A network chooses what a second member with the address of another means (`networks.same_address`): the same person, or
a question that somebody answers.
"""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.errors import ConflictError
from service.networks.members import MemberIn
from service.storage.database import WriteSession
from service.tables import Identity, Member, Network, Person
from service.tables.identifiers import new_id

KINDS = ("email", "did")


def person_for(act: Act, known: Person | None, body: MemberIn) -> tuple[Person | None, bool, bool]:
    """Find, make or change the person behind a member.

    Return the person, whether anything changed, and whether somebody must say if it is the person of another member.

    (1) If another person in the network has the e-mail address or DID, the member is that person; where the network asks
        first, the member gets a person of its own.
    (2) If the person is also another member, and no identity that they share is left, the two are separated.
    (3) Otherwise what is stored about the person is replaced.

    Args:
        known: the person behind the member until now.
    """
    held = identities_of(act.session, known)
    said: dict[str, str | None] = {
        kind: getattr(body, kind)
        for kind in KINDS
        if kind in body.model_fields_set and getattr(body, kind) != held.get(kind)
    }
    found = owners(act.session, act.network, said)
    kept = held.keys() - said.keys()
    asked = bool(found) and act.network.same_address == "ask"
    person = known
    if found and not asked:  # (1)
        common = set.intersection(*found.values())
        if not common or kept:
            raise _conflict("/did" if said.get("did") else "/email")
        person = act.session.get_one(Person, min(common))
        held = identities_of(act.session, person)
    elif said and known is not None and not kept and is_several_members(act.session, known):  # (2)
        person, held = None, {}
    if person is None:
        if not any(said.values()):
            return None, known is not None, False
        person = new_person(act)
    changed = person is not known
    for kind, value in said.items():  # (3)
        if held.get(kind) == value:
            continue
        changed = True
        if kind in held:
            act.session.execute(delete(Identity).where(Identity.person_id == person.id, Identity.kind == kind))
        if value is not None:
            act.session.add(Identity(person_id=person.id, kind=kind, value=value))
    return person, changed, asked


def new_person(act: Act, identities: Mapping[str, str] | None = None) -> Person:
    """Add a person, with identities by their kinds."""
    person = Person(id=new_id(), created_at=act.now)
    act.session.add(person)
    act.session.flush()  # before the rows that refer to it, which are not related as objects
    act.session.add_all(
        Identity(person_id=person.id, kind=kind, value=value) for kind, value in (identities or {}).items()
    )
    return person


def give(act: Act, person: Person, identities: Mapping[str, str]) -> None:
    """Add identities to a person who lacks them.

    Raises:
        ConflictError: the person has another of the same kind (code "identity-conflict").
    """
    held = identities_of(act.session, person)
    for kind, value in identities.items():
        if held.get(kind, value) != value:
            raise _conflict("/same_as")
        if kind not in held:
            act.session.add(Identity(person_id=person.id, kind=kind, value=value))


def identities_of(session: OrmSession, person: Person | None) -> dict[str, str]:
    """Return the value of each kind of identity that a person has."""
    if person is None:
        return {}
    rows = select(Identity.kind, Identity.value).where(Identity.person_id == person.id)
    return dict(session.execute(rows).all())


def owners(session: WriteSession, network: Network, said: Mapping[str, str | None]) -> dict[str, set[UUID]]:
    """Return the ids of the persons in this network who have an identity, by its kind; those that nobody has are left out."""
    found: defaultdict[str, set[UUID]] = defaultdict(set)
    for kind, value in said.items():
        mine = select(Identity.person_id).join(Member, Member.person_id == Identity.person_id)
        named = (Identity.kind == kind, Identity.value == value, Member.network_id == network.id)
        for person_id in session.scalars(mine.where(*named)) if value else ():
            found[kind].add(person_id)
    return dict(found)


def is_several_members(session: WriteSession, person: Person) -> bool:
    """Return whether several members are this one person."""
    return len(session.scalars(select(Member.id).where(Member.person_id == person.id).limit(2)).all()) > 1


def forget_without_members(session: WriteSession, person: Person) -> None:
    """Delete a person who is no longer a member.

    Nothing is stored about a person whom nobody needs.
    """
    if session.scalars(select(Member.id).where(Member.person_id == person.id).limit(1)).first() is None:
        session.execute(delete(Identity).where(Identity.person_id == person.id))
        session.delete(person)


def _conflict(pointer: str) -> ConflictError:
    return ConflictError(
        "identity-conflict",
        "Expected an e-mail address and a DID of one person; in this network they belong to two.",
        pointer,
    )
