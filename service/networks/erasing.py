"""Erase who a member is; the ref stays, so that nothing new comes in under it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.networks import persons, same_person
from service.outbox import events
from service.storage import past
from service.tables import Identity, Member, Person
from service.tables.past import PAST


def addresses_of(session: OrmSession, member: Member) -> list[str]:
    """Return the addresses and DIDs of a member that nobody else in the network has; they go with the member."""
    if member.person_id is None or same_person.sharing(session, [member]):
        return []
    return list(session.scalars(select(Identity.value).where(Identity.person_id == member.person_id)))


def is_address(ref: str) -> bool:
    """Return whether a ref is an e-mail address, which does not stay."""
    return "@" in ref


def erase(act: Act, member: Member, told: Mapping[str, Any]) -> None:
    """Erase the name and the addresses of a member.

    1. Of the person an id is left, by which two members stay one; it is in no account any more. If another member is the
       same person, the addresses and the account stay too: they are also that member's.
    2. A ref that is an e-mail address is replaced.

    Args:
        told: how much was erased, to say it again.
    """
    if member.person_id is not None and not same_person.sharing(act.session, [member]):  # (1)
        persons.release(act, act.session.get_one(Person, member.person_id))
        act.session.execute(delete(Identity).where(Identity.person_id == member.person_id))
    if is_address(member.ref):  # (2)
        member.ref = f"erased-{member.id}"
        past.rewrite(act.session, Member, PAST[Member].c.id == member.id, ref=member.ref)
    member.name = member.person_state = None
    member.erased_at, member.erasure = act.now, dict(told)
    act.session.flush()
    events.append(act, "member.erased", {"member": str(member.id)})
