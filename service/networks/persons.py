"""Persons behind members, recognised by e-mail address or DID."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import and_, delete, or_, select

from service.access.act import Act
from service.errors import ConflictError
from service.networks.members import MemberIn
from service.storage.database import WriteSession
from service.tables import Identity, Member, Network, Person
from service.tables.identifiers import new_id


def person_for(act: Act, known: Person | None, body: MemberIn) -> tuple[Person | None, bool]:
    """Find, make or change the person behind a member.

    Return the person, and whether anything changed.

    (1) If another person in the network has the e-mail address or DID, the member is that person.
    (2) If the person is also another member, and no identity that they share is left, the two are separated.
    (3) Otherwise what is stored about the person is replaced.

    Args:
        known: the person behind the member until now.
    """
    held = identities_of(act.session, known)
    said: dict[str, str | None] = {
        kind: getattr(body, kind)
        for kind in ("email", "did")
        if kind in body.model_fields_set and getattr(body, kind) != held.get(kind)
    }
    others = owners(act.session, act.network, said)
    kept = held.keys() - said.keys()
    if len(others) > 1 or (others and kept):
        raise ConflictError(
            "identity-conflict",
            "Expected an e-mail address and a DID of one person; in this network they belong to two.",
            "/did" if said.get("did") else "/email",
        )
    person = known
    if others:  # (1)
        person = act.session.get_one(Person, others.pop())
        held = identities_of(act.session, person)
    elif said and known is not None and not kept and is_several_members(act.session, known):  # (2)
        person, held = None, {}
    if person is None:
        if known is None and body.name is None and not any(said.values()):
            return None, False
        person = Person(id=new_id(), name=known.name if known else None, created_at=act.now)
        act.session.add(person)
        act.session.flush()  # before the rows that refer to it, which are not related as objects
    changed = person is not known
    if "name" in body.model_fields_set and person.name != body.name:  # (3)
        person.name, changed = body.name, True
    for kind, value in said.items():
        if held.get(kind) == value:
            continue
        changed = True
        if kind in held:
            act.session.execute(delete(Identity).where(Identity.person_id == person.id, Identity.kind == kind))
        if value is not None:
            act.session.add(Identity(person_id=person.id, kind=kind, value=value))
    return person, changed


def identities_of(session: WriteSession, person: Person | None) -> dict[str, str]:
    """Return the value of each kind of identity that a person has."""
    if person is None:
        return {}
    rows = select(Identity.kind, Identity.value).where(Identity.person_id == person.id)
    return dict(session.execute(rows).all())


def owners(session: WriteSession, network: Network, said: Mapping[str, str | None]) -> set[UUID]:
    """Return the ids of the persons in this network who have one of the identities."""
    wanted = [and_(Identity.kind == kind, Identity.value == value) for kind, value in said.items() if value]
    if not wanted:
        return set()
    query = select(Identity.person_id).join(Member, Member.person_id == Identity.person_id)
    return set(session.scalars(query.where(or_(*wanted), Member.network_id == network.id)))


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
