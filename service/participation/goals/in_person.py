"""Members act on goals in person, signed in, with the scope to write goals and what closing one needs."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import CallersAct
from service.bodies import Body, validated
from service.errors import InvalidError
from service.networks import objectives
from service.participation.goals import showing
from service.participation.goals.readers import SCOPE
from service.participation.goals.showing import ShownGoal
from service.sharing import my_badges
from service.storage.database import WriteSession
from service.storage.paging import Window
from service.tables import Member, Network
from service.texts.languages import N_

MOST_LISTED: Final = 100
COURSE: Final = {
    "not-begun": N_("Has not begun yet"),
    "no-check-in": N_("No check-in yet"),
    "reached": N_("Reached. You can close it."),
    "overdue": N_("The last day has passed"),
    "ahead": N_("Ahead of the time"),
    "on-course": N_("On course"),
    "behind": N_("Behind the time"),
}
"""How far a goal is, in words."""
CLOSED: Final = {"met": N_("Met"), "partly": N_("Met in part"), "dropped": N_("Dropped")}
FAULTS: Final = {
    "/title": N_("Write what you want to reach, in one line of at most 200 characters."),
    "/measure": N_("Write at most 2,000 characters."),
    "/why": N_("Write at most 2,000 characters."),
    "/comment": N_("Write at most 2,000 characters."),
    "/obstacle": N_("Write at most 2,000 characters."),
    "/outcome": N_("Write at most 2,000 characters."),
    "/begun_on": N_("Choose a day."),
    "/due_on": N_("Choose a day."),
    "/on": N_("Choose a day."),
    "/progress": N_("Enter a number from 0 to 100."),
    "/objective": N_("Choose an objective of the network."),
    "/buddy": N_("Enter the name, as the network lists it."),
    "/shared_with": N_("Choose with whom to share it."),
    "/closed_as": N_("Choose how it ended."),
}
"""What is wrong with a field, if it cannot be what it should be; what people decide on says it by itself."""


def acting(session: WriteSession, account_id: UUID, member_id: UUID, now: datetime) -> CallersAct:
    """Return the act of a member who is signed in; the account is locked by then.

    Raises:
        NotFoundError: they are not this member (code "member-unknown").
        ConflictError: the network is closed (code "network-closed").
    """
    member, network = my_badges.membership(session, account_id, member_id)
    return CallersAct(session, callers.still_open(network), callers.in_person(member, SCOPE), now)


def goals_of(session: OrmSession, member: Member, network: Network, now: datetime) -> dict[str, list[ShownGoal]]:
    """Return the goals that a member sees: own ones open and closed, those of which they are the buddy, and others'."""
    found: dict[str, list[ShownGoal]] = {"open": [], "closed": [], "buddy": [], "network": []}
    caller = callers.in_person(member, SCOPE)
    for part in ("member", "buddy", "network"):
        window = Window(None, MOST_LISTED, f"goals-{member.id}-{part}")
        for each in showing.list_goals(session, network, caller, now, window=window, part=part)[0]:
            own = "open" if each.row.closed_as is None else "closed"
            found[own if part == "member" else part].append(each)
    return found


def one(session: OrmSession, account_id: UUID, member_id: UUID, goal_id: UUID, now: datetime) -> tuple[Any, ...]:
    """Return a goal as a member sees it, with the member, the network and the newest check-ins that they may read.

    Raises:
        NotFoundError: they are not this member, or see no such goal (codes "member-unknown", "goal-unknown").
    """
    member, network = my_badges.membership(session, account_id, member_id)
    caller = callers.in_person(member, SCOPE)
    found = showing.find(session, network, caller, goal_id, now)
    window = Window(None, MOST_LISTED, f"check-ins-{goal_id}")
    listed = []
    if found.reads_check_ins:
        listed = showing.list_check_ins(session, network, caller, goal_id, now, window)[0]
    return member, network, found, listed


def objectives_of(session: OrmSession, network: Network, chosen: str | None) -> dict[str, str]:
    """Return the objectives that a goal can serve, by code: their texts; also the one that was chosen before."""
    found = {each.objective.ref: str(each.version.content["text"]) for each in objectives.in_force(session, network)}
    return found | ({chosen: chosen} if chosen and chosen not in found else {})


def read(shape: type[Body], sent: dict[str, str], *names: str, **more: bool | None) -> Any:
    """Return the body for the fields of a form; a field that is empty is left out.

    Args:
        more: what was chosen with yes or no, and what is emptied.
    Raises:
        InvalidError: it cannot be, with a sentence for the person, and the field as pointer.
    """
    said: dict[str, Any] = {name: sent[name].replace("\r\n", "\n") for name in names if sent.get(name)}
    if "progress" in said:
        said["progress"] = _part_of_one(said["progress"])
    try:
        return validated(TypeAdapter(shape), said | more)
    except InvalidError as error:
        raise InvalidError(error.code, FAULTS.get(error.pointer, error.message), error.pointer) from error


def today_in(network: Network, now: datetime) -> date:
    """Return which day it is in a network."""
    return now.astimezone(ZoneInfo(network.time_zone)).date()


def _part_of_one(typed: str) -> Any:
    try:
        return float(typed.replace(",", ".").rstrip("%").strip()) / 100
    except ValueError:
        return typed
