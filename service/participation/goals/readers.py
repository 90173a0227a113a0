"""Who learns that a goal exists, and in which part.

1. The member whose goal it is, under any ref of theirs.
2. Their buddy, while the goal is shared with a buddy who is asked or has accepted. Who has declined, was erased, or has
   left sees it no longer.
3. If it is shared with the network: the network's program, and each member who has not left.

For everybody else a goal does not exist. Somebody has left if they had roles in the network and each of them has ended.
A token that is bound to a member is in a part of 1 and 2 only with the scope to write goals: one that was made to read
what the network has must not read what a member keeps to themself.
"""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import CallersAct
from service.access.callers import Caller
from service.errors import NotFoundError
from service.storage import locks
from service.tables import Goal, Member, Network, Role
from service.texts.languages import N_

SCOPE: Final = "goals:write"
SEES: Final = ("asked", "accepted")
"""What a buddy has answered who may see the goal."""
UNKNOWN: Final = N_("There is no goal of yours, or that is shared with you, at this address.")
Part = Literal["member", "buddy", "network"]


def find(session: OrmSession, network: Network, caller: Caller, goal_id: UUID, now: datetime) -> tuple[Goal, Part]:
    """Return a goal, and the part in which the caller sees it.

    Raises:
        NotFoundError: the caller sees none with this id (code "goal-unknown").
    """
    row = session.scalar(select(Goal).where(Goal.id == goal_id, Goal.network_id == network.id))
    part = None if row is None else part_in(session, caller, row, now)
    if row is None or part is None:
        raise NotFoundError("goal-unknown", UNKNOWN)
    return row, part


def locked(act: CallersAct, goal_id: UUID) -> tuple[Goal, Part]:
    """Return as `find` does, after locking the network: who is who, and who writes goals, changes under that lock."""
    locks.network(act.session, act.network.id)
    row, part = find(act.session, act.network, act.caller, goal_id, act.now)
    act.session.refresh(row)
    return row, part


def part_in(session: OrmSession, caller: Caller, row: Goal, now: datetime) -> Part | None:
    """Return in which part somebody of the network sees a goal; None if they do not."""
    mine = same_person(session, caller.member_id) if caller.member_id is not None and SCOPE in caller.scopes else set()
    if row.member_id in mine:
        return "member"
    here = caller.member_id is None or not has_left(session, caller.member_id, now)
    if row.shared_with == "buddy" and row.buddy_state in SEES and row.buddy_id in mine and here:
        return "buddy"
    return "network" if row.shared_with == "network" and here else None


def seen_by(session: OrmSession, network: Network, caller: Caller, part: Part | None, now: datetime) -> Select[Goal]:
    """Return the query of the goals that somebody of the network sees.

    Args:
        part: only those that they see in this part.
    """
    mine = same_person(session, caller.member_id) if caller.member_id is not None and SCOPE in caller.scopes else set()
    here = caller.member_id is None or not has_left(session, caller.member_id, now)
    parts: dict[Part, ColumnElement[bool]] = {"member": Goal.member_id.in_(mine)}
    if here:
        asked = and_(Goal.shared_with == "buddy", Goal.buddy_state.in_(SEES), Goal.buddy_id.in_(mine))
        parts["buddy"] = and_(asked, Goal.member_id.not_in(mine))
        parts["network"] = and_(Goal.shared_with == "network", Goal.member_id.not_in(mine))
    wanted = list(parts.values()) if part is None else [parts[part]] if part in parts else []
    return select(Goal).where(Goal.network_id == network.id, or_(*wanted, Goal.id.is_(None)))


def same_person(session: OrmSession, member_id: UUID) -> set[UUID]:
    """Return the ids of the members of the network who are the person of one of them, with that one's own."""
    own = session.get_one(Member, member_id)
    if own.person_id is None:
        return {own.id}
    same = select(Member.id).where(Member.person_id == own.person_id, Member.network_id == own.network_id)
    return {own.id, *session.scalars(same)}


def has_left(session: OrmSession, member_id: UUID, now: datetime) -> bool:
    """Return whether a member was erased, or had roles in the network and each of them has ended.

    Who is the same person under another ref with a role that lasts has not left; nor has who never had a role.
    """
    people = same_person(session, member_id)
    erased = select(Member.id).where(Member.id.in_(people), Member.erased_at.is_(None))
    if session.scalar(erased.limit(1)) is None:
        return True
    lasts = or_(Role.until_at.is_(None), Role.until_at > now)
    had = exists().where(Role.member_id.in_(people))
    has = exists().where(Role.member_id.in_(people), lasts)
    return bool(session.scalar(select(and_(had, ~has))))
