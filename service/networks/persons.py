"""Persons behind members, recognised by e-mail address or DID.

A network chooses what a second member with the address of another means (`networks.same_address`): the same person, or
a question that somebody answers.

A person may be claimed by an account. What is claimed stays with that account, whatever the network says afterwards:
nothing here but `release` ever takes it away, and nothing moves it to another account.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.accounts.addresses import normal
from service.errors import ConflictError
from service.networks.members import MemberIn
from service.outbox import events
from service.storage import past
from service.storage.database import WriteSession
from service.tables import AccountAddress, Identity, Member, Network, Person
from service.tables.identifiers import new_id
from service.texts.languages import N_

KINDS = ("email", "did")
CLAIMED_ALREADY = N_("Somebody else has already claimed this.")
MEMBER_CLAIMED = (
    "Expected two members whom one account has claimed, or none; one of the two is in an account that has not claimed the"
    " other. Make a claim for the other, so that the person can say that both are theirs."
)


def person_for(act: Act, known: Person | None, body: MemberIn) -> tuple[Person | None, bool, bool]:
    """Find, make or change the person behind a member.

    Return the person, whether anything changed, and whether somebody must say if it is the person of another member.

    (1) If another person in the network has the e-mail address or DID, the member is that person; where the network asks
        first, the member gets a person of its own.
    (2) If the person is also another member, and no identity that they share is left, the two are separated. Both stay
        claimed, if they were.
    (3) Otherwise what is stored about the person is replaced.
    (4) Where (1) would take something from an account, or give it to one that did not prove the address, somebody is
        asked too.

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
    asked = bool(found) and (act.network.same_address == "ask" or not _may_be(act.session, known, said, found))  # (4)
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
        person = new_person(act, like=known)
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


def new_person(act: Act, identities: Mapping[str, str] | None = None, like: Person | None = None) -> Person:
    """Add a person, with identities by their kinds.

    Args:
        like: who they were until now; what that one's account has claimed stays claimed.
    """
    person = Person(id=new_id(), created_at=act.now)
    proved: dict[tuple[str, str], datetime | None] = {}
    if like is not None:
        person.account_id, person.claimed_at = like.account_id, like.claimed_at
        proved = {(row.kind, row.value): row.proved_at for row in _rows(act.session, like)}
    act.session.add(person)
    act.session.flush()  # before the rows that refer to it, which are not related as objects
    act.session.add_all(
        Identity(person_id=person.id, kind=kind, value=value, proved_at=proved.get((kind, value)))
        for kind, value in (identities or {}).items()
    )
    return person


def behind(act: Act, member: Member) -> Person:
    """Return the person behind a member, who gets one if none was known."""
    if member.person_id is not None:
        return act.session.get_one(Person, member.person_id)
    person = new_person(act)
    past.archive(act.session, Member, Member.__table__.c.id == member.id, act.now)
    member.person_id, member.known_from = person.id, act.now
    act.session.flush()
    return person


def claim(act: Act, member: Member, account_id: UUID, address: str | None) -> Person:
    """Have what a member has earned belong to an account; return the person.

    The caller holds the network's lock.

    Args:
        address: the e-mail address of the member, if the account has proved it.
    Raises:
        ConflictError: another account has claimed it (code "claimed-already").
    """
    person = behind(act, member)
    if person.account_id not in (None, account_id):
        raise ConflictError("claimed-already", CLAIMED_ALREADY)
    for row in _rows(act.session, person):
        if row.kind == "email" and row.value == address:
            row.proved_at = row.proved_at or act.now
    if person.account_id is None:
        person.account_id, person.claimed_at = account_id, act.now
        _tell(act, person, "member.claimed")
    return person


def release(act: Act, person: Person) -> bool:
    """Have what a person has earned belong to no account any more; return whether it did.

    The caller holds the network's lock.
    """
    if person.account_id is None:
        return False
    person.account_id = person.claimed_at = None
    for row in _rows(act.session, person):
        row.proved_at = None
    _tell(act, person, "member.released")
    return True


def stay_with_their_account(one: Person | None, other: Person | None) -> None:
    """Refuse to make two persons one, if that would move what one of them has earned to or from an account.

    Raises:
        ConflictError: one account has claimed one of them and not the other (code "member-claimed").
    """
    accounts = {None if each is None else each.account_id for each in (one, other)}
    if len(accounts) > 1:
        raise ConflictError("member-claimed", MEMBER_CLAIMED, "/same_as")


def _may_be(
    session: WriteSession, known: Person | None, said: Mapping[str, str | None], found: Mapping[str, set[UUID]]
) -> bool:
    """Return whether a member can become one of the persons found without anything changing hands.

    Who is in no account becomes a person who is in one only by an address that this account has proved, and still has.
    """
    account_id = None if known is None else known.account_id
    for person_id in set().union(*found.values()):
        other = session.get_one(Person, person_id)
        if other.account_id == account_id:
            continue
        proved = (
            AccountAddress.account_id == other.account_id,
            AccountAddress.value == normal(said.get("email") or ""),
        )
        if account_id is not None or session.scalar(select(AccountAddress.id).where(*proved)) is None:
            return False
    return True


def _rows(session: WriteSession, person: Person) -> list[Identity]:
    return list(session.scalars(select(Identity).where(Identity.person_id == person.id)))


def _tell(act: Act, person: Person, kind: str) -> None:
    of = (Member.person_id == person.id, Member.erased_at.is_(None))
    for member_id in act.session.scalars(select(Member.id).where(*of).order_by(Member.id)):
        events.append(act, kind, {"member": str(member_id)})


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
