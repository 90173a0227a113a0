"""Set goals, change them, and take them back: what a member does with their own.

Everything that writes locks the network, as whoever is who is decided under that lock too.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select

from service.access import callers
from service.access.act import Act, CallersAct
from service.errors import ConflictError, ForbiddenError, InvalidError, ServiceError
from service.networks import objectives
from service.outbox import events
from service.participation.goals import readers
from service.participation.goals.shapes import GoalChange, GoalIn
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Goal, GoalAnswer, GoalCheckIn, GoalCheckInText, GoalText, Member, Network
from service.tables.identifiers import new_id
from service.texts.languages import N_

MOST_OPEN: Final = 50
"""How many goals of a member can be open at once."""
TEXTS: Final = ("title", "measure", "why")
SHARING: Final = ("shared_with", "buddy")
"""What can change also of a goal that is closed."""

NOT_OWN: Final = N_("Expected a goal of your own: only the member whose goal it is does this.")
DUE_EARLY: Final = N_("Choose a last day that is not before the first day.")
BEGINS_LATE: Final = N_("Choose a first day that is not after your first check-in.")
CLOSED: Final = N_("This goal is closed. You can only change with whom it is shared.")
TOO_MANY: Final = N_("You have 50 open goals. Close one first.")
BUDDY_MISSING: Final = N_("Name the member whom you want to ask.")
BUDDY_UNKNOWN: Final = N_("The network has no member under this name. Ask them how the network lists them.")
BUDDY_GONE: Final = N_("This member has left the network. Ask somebody else.")
BUDDY_ONESELF: Final = N_("Ask somebody else: you cannot be your own buddy.")
BUDDY_UNNEEDED: Final = N_("Name a buddy only if you share the goal with one.")
COUNTS: Final = N_("This goal counts as evidence. Ask the network to void that record first.")


def today(network: Network, act: Act) -> date:
    """Return which day it is in the network."""
    return act.now.astimezone(ZoneInfo(network.time_zone)).date()


def member_of(act: CallersAct) -> Member:
    """Return the member who acts, while nobody else in the network changes who is who.

    Raises:
        UnauthenticatedError: the token was revoked since the request began (code "token-revoked").
    """
    callers.still_good(act.session, act.caller)
    locks.network(act.session, act.network.id)
    return act.session.get_one(Member, act.caller.member_id)  # nobody else has the scope


def own(act: CallersAct, goal_id: UUID) -> Goal:
    """Lock a goal of the member who acts, and return it.

    Raises:
        ForbiddenError: it is somebody else's who shares it with them (code "goal-not-own").
        NotFoundError: as `readers.find`.
    """
    member_of(act)
    row, part = readers.locked(act, goal_id)
    if part != "member":
        raise ForbiddenError("goal-not-own", NOT_OWN)
    return row


def make(act: CallersAct, body: GoalIn) -> Goal:
    """Set a goal.

    Raises:
        ConflictError: too many are open (code "goals-too-many").
        InvalidError: it ends before it begins (code "goal-due-before-start"), its objective is unknown or retired (codes
            "objective-unknown", "objective-retired"), or its buddy is missing, unknown, gone,
            the member, or not needed (codes "buddy-missing", "buddy-unknown", "buddy-gone", "buddy-oneself",
            "buddy-unneeded").
    """
    member = member_of(act)
    people = readers.same_person(act.session, member.id)
    still_open = select(func.count()).select_from(Goal).where(Goal.member_id.in_(people), Goal.closed_as.is_(None))
    if (act.session.scalar(still_open) or 0) >= MOST_OPEN:
        raise ConflictError("goals-too-many", TOO_MANY)
    begun_on = body.begun_on or today(act.network, act)
    _in_order(begun_on, body.due_on)
    _serve(act, body.objective)
    row = Goal(
        id=new_id(),
        network_id=act.network.id,
        member_id=member.id,
        begun_on=begun_on,
        due_on=body.due_on,
        objective=body.objective,
        shared_with="nobody",
        made_at=act.now,
    )
    act.session.add(row)
    act.session.flush()
    act.session.add(GoalText(goal_id=row.id, title=body.title, measure=body.measure, why=body.why))
    share(act, row, body.shared_with, body.buddy)
    act.session.flush()
    return row


def change(act: CallersAct, goal_id: UUID, body: GoalChange) -> Goal:
    """Change a goal; of one that is closed only with whom it is shared.

    Raises:
        ForbiddenError, NotFoundError: as `own`.
        ConflictError: it is closed (code "goal-closed").
        InvalidError: as `make`, or it would begin after a check-in (code "goal-begins-after-check-in").
    """
    row, said = own(act, goal_id), body.model_dump(exclude_unset=True)
    if row.closed_as is not None and not said.keys() <= set(SHARING):
        raise ConflictError("goal-closed", CLOSED)
    if said.get("objective") != row.objective:
        _serve(act, said.get("objective"))
    _write(act.session, row, said)
    _in_order(row.begun_on, row.due_on)
    first = act.session.scalar(select(func.min(GoalCheckIn.on_date)).where(GoalCheckIn.goal_id == row.id))
    if first is not None and row.begun_on > first:
        raise InvalidError("goal-begins-after-check-in", BEGINS_LATE, "/begun_on")
    if not said.keys().isdisjoint(SHARING):
        shared_with = said.get("shared_with", row.shared_with)
        kept = _ref_of(act.session, row) if shared_with == row.shared_with and "buddy" not in said else None
        share(act, row, shared_with, said.get("buddy", kept))
    act.session.flush()
    return row


def remove(act: CallersAct, goal_id: UUID) -> None:
    """Delete a goal with its check-ins and all that was said of it.

    Raises:
        ForbiddenError, NotFoundError: as `own`.
        ConflictError: it counts as evidence (code "goal-counts").
    """
    row = own(act, goal_id)
    if row.record_id is not None:
        raise ConflictError("goal-counts", COUNTS)
    erase(act.session, [row.id])


def share(act: CallersAct, row: Goal, shared_with: str, buddy: str | None) -> None:
    """Share a goal with a buddy, the network or nobody; a buddy who is new to it is asked first.

    Raises:
        InvalidError: as `make`.
    """
    if shared_with != "buddy" and buddy is not None:
        raise InvalidError("buddy-unneeded", BUDDY_UNNEEDED, "/buddy")
    member = _buddy(act, row, buddy) if shared_with == "buddy" else None
    if shared_with == "network" != row.shared_with:
        events.append(act, "goal.shared", about(row))
    row.shared_with = shared_with
    if member is None:
        row.buddy_id = row.buddy_state = None
    elif member.id != row.buddy_id or row.buddy_state == "declined":
        row.buddy_id, row.buddy_state = member.id, "asked"


def about(row: Goal) -> dict[str, str]:
    """Return what an event about a goal names."""
    return {"goal": str(row.id), "member": str(row.member_id)}


def erase(session: WriteSession, goal_ids: Any) -> None:
    """Delete goals with everything that hangs on them.

    Args:
        goal_ids: their ids, or a query of them.
    """
    session.flush()
    check_ins = select(GoalCheckIn.id).where(GoalCheckIn.goal_id.in_(goal_ids))
    session.execute(delete(GoalCheckInText).where(GoalCheckInText.check_in_id.in_(check_ins)))
    for table in (GoalCheckIn, GoalAnswer, GoalText):
        session.execute(delete(table).where(table.goal_id.in_(goal_ids)))
    session.execute(delete(Goal).where(Goal.id.in_(goal_ids)))


def _in_order(begun_on: date, due_on: date) -> None:
    if due_on < begun_on:
        raise InvalidError("goal-due-before-start", DUE_EARLY, "/due_on")


def _serve(act: CallersAct, code: str | None) -> None:
    """Let a goal name an objective that the network has and has not retired.

    Raises:
        InvalidError: it has none with this code (code "objective-unknown"), or has retired it ("objective-retired").
    """
    found = objectives.known(act.session, act.network, [code] if code is not None else [])
    fault = objectives.fault_of(act.session, act.network, code, found.get(code)) if code is not None else None
    if fault is not None:
        raise InvalidError(*fault, "/objective")


def _write(session: WriteSession, row: Goal, said: Mapping[str, Any]) -> None:
    text = session.get_one(GoalText, row.id)
    for name, value in said.items():
        if name in TEXTS:
            setattr(text, name, value)
        elif name not in SHARING:
            setattr(row, name, value)


def _ref_of(session: WriteSession, row: Goal) -> str | None:
    return None if row.buddy_id is None else session.get_one(Member, row.buddy_id).ref


def _buddy(act: CallersAct, row: Goal, named: str | None) -> Member:
    """Return the member whom somebody asks to be their buddy.

    Raises:
        InvalidError: as `make`.
    """
    if named is None:
        raise InvalidError("buddy-missing", BUDDY_MISSING, "/buddy")
    query = select(Member).where(Member.network_id == act.network.id, Member.ref == named)
    member = act.session.scalar(query)
    if member is None:
        raise InvalidError("buddy-unknown", BUDDY_UNKNOWN, "/buddy")
    try:
        callers.require_other(act.session, callers.in_person(act.session.get_one(Member, row.member_id)), [member.id])
    except ServiceError as error:
        raise InvalidError("buddy-oneself", BUDDY_ONESELF, "/buddy") from error
    if readers.has_left(act.session, member.id, act.now):
        raise InvalidError("buddy-gone", BUDDY_GONE, "/buddy")
    return member
