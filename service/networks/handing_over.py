"""Hand the person behind a member to the account of a new address."""

from sqlalchemy import delete, select

from service.access.act import Act
from service.networks import persons
from service.tables import Account, Identity, Member, Person


def members_of(act: Act, member: Member) -> list[Member]:
    """Return the members of the act's network who are handed over together with one.

    They are the same person, or persons of the same account.
    """
    query = select(Member).where(Member.network_id == act.network.id, Member.erased_at.is_(None))
    if member.person_id is None:
        return [member]
    account_id = act.session.get_one(Person, member.person_id).account_id
    if account_id is None:
        query = query.where(Member.person_id == member.person_id)
    else:
        query = query.where(Member.person_id.in_(select(Person.id).where(Person.account_id == account_id)))
    return list(act.session.scalars(query.order_by(Member.id)))


def hand_over(act: Act, members: list[Member], account: Account, address: str) -> None:
    """Give the persons of members to an account; their e-mail address is the one that it proved.

    A member without a person gets one. The old addresses are deleted: a mailbox that was lost may be another's now.
    """
    people = {person.id: person for person in (persons.behind(act, member) for member in members)}
    for person_id, person in sorted(people.items()):
        person.account_id, person.claimed_at = account.id, act.now
        act.session.execute(delete(Identity).where(Identity.person_id == person_id, Identity.kind == "email"))
        act.session.add(Identity(person_id=person_id, kind="email", value=address, proved_at=act.now))
    act.session.flush()
