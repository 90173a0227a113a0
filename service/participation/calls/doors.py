"""The two doors to a call: a member's own page, and the page for anybody."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import Act, CallersAct
from service.accounts import accounts
from service.errors import NotFoundError, UnauthenticatedError
from service.intake.attendance_claims import members_of
from service.networks import protected
from service.participation.calls import applications, calls, decisions, forms, waiting
from service.participation.calls.applications import Application
from service.participation.calls.forms import Typed
from service.runtime.runtime import Runtime
from service.sharing import my_badges
from service.storage.database import WriteSession
from service.tables import Account, Call, CallApplication, Member, Network
from service.texts.languages import N_

NO_CALL = N_("There is no such call, or it is not for you.")


@dataclass(frozen=True)
class Door:
    """A call, and who visits it.

    `member` is who they are in the network; None is somebody who is no member, or not signed in. `account_id` is None for
    who is not signed in.
    """

    path: str
    network: Network
    call: Call
    member: Member | None
    account_id: UUID | None


@dataclass(frozen=True)
class Seen:
    """A call as its page shows it: with the application of the visitor, and whether they can apply or change it now."""

    door: Door
    standing: str
    application: Application | None
    refused: bool
    can_write: bool

    @property
    def can_ask(self) -> bool:
        """Return whether the applicant can ask why."""
        found = self.application
        return (
            found is not None
            and self.door.network.state != "closed"
            and found.row.state in ("declined", "waiting")
            and len(found.questions) < decisions.MOST_QUESTIONS
        )


Opens = Callable[[OrmSession], Door]
"""Finds the door of a request in a session."""


def of_member(account_id: UUID, member_id: UUID, ref: str) -> Opens:
    """Return the door on a member's own page.

    It raises NotFoundError: they are not this member ("member-unknown"), or there is no such call ("call-unknown").
    """

    def opens(session: OrmSession) -> Door:
        member, network = my_badges.membership(session, account_id, member_id)
        call = _call(session, network, ref)
        path = f"/my-badges/members/{member.id}/calls/{quote(call.ref, safe='')}"
        return Door(path, network, call, member, account_id)

    return opens


def of_anybody(account_id: UUID | None, slug: str, ref: str) -> Opens:
    """Return the door on the page of a call.

    It raises UnauthenticatedError: who is not signed in sees a public call only (code "signed-out"); and NotFoundError:
    there is no such call, or it is for members and they are none (code "call-unknown").
    """

    def opens(session: OrmSession) -> Door:
        network = session.scalar(select(Network).where(Network.slug == slug))
        call = None if network is None else _perhaps(session, network, ref)
        if account_id is None and (call is None or not call.public):  # whether there is one is not told either
            raise UnauthenticatedError("signed-out", accounts.SIGNED_OUT)
        own = [] if network is None or account_id is None else members_of(session, account_id, network.id)
        if network is None or call is None or (call.open_to == "members" and not own):
            raise NotFoundError("call-unknown", NO_CALL)
        path = f"/calls/{network.slug}/{quote(call.ref, safe='')}"
        return Door(path, network, call, own[0] if own else None, account_id)

    return opens


def look(session: OrmSession, door: Door, now: datetime) -> Seen:
    """Return a call as its page shows it."""
    row = _application(session, door)
    found = None if row is None else applications.show(session, [row], now)[0]
    standing = calls.standing_of(door.call, now)
    young = door.member is not None and protected.is_protected(session, door.member.id, now)
    refused = young and door.call.protected_reason is not None
    open_now = standing == "open" and door.network.state != "closed" and not refused
    can_write = open_now and (found is None or found.row.state in ("applied", "withdrawn"))
    return Seen(door, standing, found, refused, can_write)


def form(session: OrmSession, seen: Seen) -> Typed:
    """Return the form as somebody finds it: with what they said, or what is known of them."""
    found, door = seen.application, seen.door
    if found is not None and found.row.state != "withdrawn":
        return forms.stored(door.call, found)
    account = None if door.account_id is None else session.get(Account, door.account_id)
    name = "" if account is None or account.name is None else account.name
    organization = "" if door.member is None else door.member.organization or ""
    return forms.empty(door.call, name, organization)


def apply(runtime: Runtime, opens: Opens, account_id: UUID, typed: Typed, now: datetime) -> None:
    """Apply as the visitor, or change what they said.

    Raises:
        ServiceError: as the door and `applications.apply_with_account`.
    """
    with runtime.database.write() as session:
        door, act = _writing(session, opens, account_id, now)
        if door.member is not None and door.path.startswith("/my-badges/"):
            own = callers.in_person(door.member, "evidence:write")
            acting = CallersAct(session, door.network, own, now)
            applications.apply_as_member(acting, door.call.ref, door.member.ref, forms.body(typed))
        else:
            applications.apply_with_account(act, door.call.ref, account_id, typed.name, forms.body(typed))


def withdraw(runtime: Runtime, opens: Opens, account_id: UUID, now: datetime) -> None:
    """Withdraw the visitor's application.

    Raises:
        ServiceError: as the door and `applications.withdraw`.
        NotFoundError: they have none (code "application-unknown").
    """
    with runtime.database.write() as session:
        door, act = _writing(session, opens, account_id, now)
        applications.withdraw(act, _held(act, door))


def ask(runtime: Runtime, opens: Opens, account_id: UUID, question: str, now: datetime) -> None:
    """Ask why the visitor's application was decided so.

    Raises:
        ServiceError: as the door and `decisions.ask`.
        NotFoundError: they have none (code "application-unknown").
    """
    with runtime.database.write() as session:
        door, act = _writing(session, opens, account_id, now)
        decisions.ask(act, _held(act, door), question)


def calls_of(session: OrmSession, network: Network, member: Member, now: datetime) -> list[Seen]:
    """Return the calls to which a member can apply or has applied, those that are open first, then the newest."""
    applied = select(CallApplication.call_id).where(CallApplication.member_id == member.id)
    mine = session.scalars(select(Call).where(Call.id.in_(applied)).order_by(Call.id.desc())).all()
    found = {each.id: each for each in (*waiting.open_calls(session, network, now), *mine)}
    base = f"/my-badges/members/{member.id}/calls"
    return [
        look(session, Door(f"{base}/{quote(each.ref, safe='')}", network, each, member, None), now)
        for each in found.values()
    ]


def _writing(session: WriteSession, opens: Opens, account_id: UUID, now: datetime) -> tuple[Door, Act]:
    """Lock the account, then the network; return the door as it is then, and an act of the service."""
    accounts.locked(session, account_id)
    network = opens(session).network
    act = Act(session, network, None, now)
    calls.lock(act)
    session.expire_all()
    door = opens(session)
    callers.still_open(door.network)
    return door, Act(session, door.network, None, now)


def _held(act: Act, door: Door) -> CallApplication:
    row = _application(act.session, door)
    if row is None:
        raise NotFoundError("application-unknown", N_("You have not applied to this call."))
    return applications.held(act, row.id)


def _application(session: OrmSession, door: Door) -> CallApplication | None:
    if door.member is not None:
        return applications.of_member(session, door.call, door.member)
    return None if door.account_id is None else applications.of_account(session, door.call, door.account_id)


def _call(session: OrmSession, network: Network, ref: str) -> Call:
    found = _perhaps(session, network, ref)
    if found is None:
        raise NotFoundError("call-unknown", NO_CALL)
    return found


def _perhaps(session: OrmSession, network: Network, ref: str) -> Call | None:
    return session.scalar(select(Call).where(Call.network_id == network.id, Call.ref == ref))
