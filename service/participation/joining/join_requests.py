"""Requests to join a network: somebody who is signed in asks, the network decides.

What the person says is kept only while nobody has decided. Nobody is written to: the network is told by an event, and the
person sees in My badges what became of it.

Everything here locks the account and then the network: two at once do it one after the other.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import Act, CallersAct
from service.accounts import accounts
from service.errors import ConflictError, InvalidError, NotFoundError, TooManyRequestsError, UnauthenticatedError
from service.intake import attendance_claims
from service.intake import members as intake_members
from service.networks import directory, members
from service.networks.directory import Listed
from service.networks.members import MemberIn
from service.outbox import events
from service.runtime.runtime import Runtime
from service.sharing import claiming
from service.storage import locks
from service.storage.database import WriteSession
from service.storage.paging import Window, page
from service.tables import AccountAddress, JoinRequest, Member, Network, Person
from service.texts.display_names import one_line
from service.texts.languages import N_

MAX_NAME: Final = 100
MAX_MESSAGE: Final = 1000
A_DAY: Final = timedelta(days=1)
MOST_A_DAY: Final = 5
MOST_OPEN: Final = 500
"""Requests that wait in one network: more are not taken until it has decided on some."""
AGAIN_AFTER: Final = timedelta(days=30)
"""Who was declined can ask again after so long."""

NAME_MISSING: Final = N_("Enter a name by which the network can call you.")
NAME_TOO_LONG: Final = N_("A name can have up to 100 characters here.")
MESSAGE_MISSING: Final = N_("Write a few words: who you are, and why you want to join.")
MESSAGE_TOO_LONG: Final = N_("A message can have up to 1,000 characters.")
ADDRESS_UNPROVED: Final = N_("Choose an address of your account.")
NOT_LISTED: Final = N_("This network is not in the public list, so nobody can ask to join it here.")
TAKES_NONE: Final = N_("This network takes no requests.")
ELSEWHERE: Final = N_("This network takes no requests here. Its page says how to ask.")
MEMBER: Final = N_("You are a member of this network already.")
ASKED: Final = N_("You have asked this network already. It has not decided yet.")
TOO_SOON: Final = N_("This network declined your request. You can ask again 30 days after that.")
TOO_MANY: Final = N_("You can ask up to 5 networks a day. Try again tomorrow.")
FULL: Final = N_("Too many people wait for this network to decide. Try again in a few weeks.")
UNKNOWN: Final = N_("You have no request with this address.")
DECIDED: Final = N_("The network has decided already.")


@dataclass(frozen=True)
class Place:
    """A network that can be asked, as the person who asks sees it.

    `standing` is why it cannot be asked now, a sentence; None if it can.
    """

    network: Network
    standing: str | None
    waiting: JoinRequest | None


@dataclass(frozen=True)
class OwnRequest:
    """A request in the list of its person."""

    row: JoinRequest
    network: Network


@dataclass(frozen=True)
class RequestWithRef:
    """A request in the list of the network, with the ref of the member that came of it."""

    row: JoinRequest
    member: str | None


def look(session: OrmSession, slug: str, account_id: UUID, now: datetime) -> Place:
    """Return a network that somebody may want to join.

    Raises:
        NotFoundError: there is none in the public list (code "network-unknown").
    """
    found = directory.listed(session, slug)
    fault = _fault(session, found, account_id, now)
    return Place(found.network, None if fault is None else fault.message, _open_one(session, found.network, account_id))


def ask(session: WriteSession, slug: str, account_id: UUID, said: Mapping[str, str], now: datetime) -> JoinRequest:
    """Ask a network whether the person of an account may join.

    Args:
        said: name, message, and the address of the account at which the network shall know the person.
    Raises:
        NotFoundError: the network is not in the public list (code "network-unknown").
        ConflictError: it takes no requests ("joining-closed") or takes them elsewhere ("joining-elsewhere"), the person is
            a member ("member-already"), has asked ("join-asked-already") or was declined lately ("join-declined-lately"),
            or too many wait ("joining-full").
        TooManyRequestsError: the account asked too many networks within a day (code "join-too-many").
        InvalidError: a name, a message or an address is missing, too long or not the person's ("join-name-missing",
            "join-name-long", "join-message-missing", "join-message-long", "join-address-unknown").
    """
    accounts.locked(session, account_id)
    found = directory.listed(session, slug)
    locks.network(session, found.network.id)
    session.refresh(found.network)
    found = directory.listed(session, slug)
    fault = _fault(session, found, account_id, now)
    if fault is not None:
        raise fault
    name = one_line(unicodedata.normalize("NFC", said.get("name", "")), 2 * MAX_NAME, gap=" ")
    message = unicodedata.normalize("NFC", said.get("message", "").replace("\r\n", "\n")).replace("\0", "").strip()
    address = said.get("address", "")
    if not name:
        raise InvalidError("join-name-missing", NAME_MISSING, "/name")
    if len(name) > MAX_NAME:
        raise InvalidError("join-name-long", NAME_TOO_LONG, "/name")
    if not message:
        raise InvalidError("join-message-missing", MESSAGE_MISSING, "/message")
    if len(message) > MAX_MESSAGE:
        raise InvalidError("join-message-long", MESSAGE_TOO_LONG, "/message")
    if not _is_theirs(session, account_id, address):
        raise InvalidError("join-address-unknown", ADDRESS_UNPROVED, "/address")
    row = JoinRequest(
        network_id=found.network.id,
        account_id=account_id,
        state="asked",
        name=name,
        address=address,
        message=message,
        asked_at=now,
    )
    session.add(row)
    session.flush()
    _tell(Act(session, found.network, None, now), row, "join.asked")
    return row


def withdraw(session: WriteSession, request_id: UUID, account_id: UUID, now: datetime) -> JoinRequest:
    """Take a request of one's own back; one that was taken back before is returned as it is.

    Raises:
        NotFoundError: the account has none with this id (code "join-request-unknown").
        ConflictError: the network has decided (code "join-decided").
    """
    accounts.locked(session, account_id)
    row = session.scalar(select(JoinRequest).where(JoinRequest.id == request_id, JoinRequest.account_id == account_id))
    if row is None:
        raise NotFoundError("join-request-unknown", UNKNOWN)
    locks.network(session, row.network_id)
    session.refresh(row)
    if row.state == "withdrawn":
        return row
    if row.state != "asked":
        raise ConflictError("join-decided", DECIDED)
    _end(row, "withdrawn", now)
    session.flush()
    _tell(Act(session, session.get_one(Network, row.network_id), None, now), row, "join.withdrawn")
    return row


def accept(act: CallersAct, runtime: Runtime, request_id: UUID, ref: str) -> JoinRequest:
    """Take the person in as a member under a ref of the network's own; what they earn is in their account.

    Who became a member in another way since is named by the ref of that member, and nothing else is made.

    Raises:
        NotFoundError: the network has no such request (code "join-request-unknown").
        ForbiddenError: the caller is the person (code "self-decision").
        ConflictError: it was declined, withdrawn or accepted under another ref ("join-decided"), the ref is that of
            somebody else ("join-ref-taken"), or the person is a member under another ref ("member-already").
    """
    row = _to_decide(act, request_id)
    own = _members_of(act.session, act.network, row.account_id)
    if row.state == "accepted" and _ref_of(act.session, row) == ref:
        return row
    if row.state != "asked":
        message = "Expected a request on which nobody has decided; this one is over. The list says what became of it."
        raise ConflictError("join-decided", message)
    there = act.session.scalar(select(Member).where(Member.network_id == act.network.id, Member.ref == ref))
    mine = next((each for each in own if each.ref == ref), None)
    if own and mine is None:
        refs = ", ".join(each.ref for each in own)
        message = f"Expected the ref under which the person is a member already: {refs}."
        raise ConflictError("member-already", message, "/ref")
    if there is not None and mine is None:
        message = "Expected a ref that no member has; this one is somebody else's."
        raise ConflictError("join-ref-taken", message, "/ref")
    if mine is None:
        address = row.address if _is_theirs(act.session, row.account_id, row.address) else _address(act.session, row)
        body = MemberIn(ref=ref, name=row.name, email=address)
        mine, _ = intake_members.put_member(act, runtime, body)
        claiming.take_pending(act.session, row.account_id, mine.id, act.now)
    _end(row, "accepted", act.now)
    row.member_id, row.decided_by = mine.id, act.caller.token_id
    act.session.flush()
    _tell(act, row, "join.accepted")
    return row


def decline(act: CallersAct, request_id: UUID, reason: str) -> JoinRequest:
    """Say that the person does not join, and why; one that was declined before is returned as it is.

    Raises:
        NotFoundError, ForbiddenError: as `accept`.
        ConflictError: it was accepted or withdrawn (code "join-decided").
    """
    row = _to_decide(act, request_id)
    if row.state == "declined":
        return row
    if row.state != "asked":
        message = "Expected a request on which nobody has decided; this one is over. The list says what became of it."
        raise ConflictError("join-decided", message)
    _end(row, "declined", act.now)
    row.reason, row.decided_by = reason, act.caller.token_id
    act.session.flush()
    _tell(act, row, "join.declined")
    return row


def find(session: OrmSession, network: Network, request_id: UUID) -> RequestWithRef:
    """Return a request to join a network.

    Raises:
        NotFoundError: it has none with this id (code "join-request-unknown").
    """
    row = session.scalar(select(JoinRequest).where(JoinRequest.id == request_id, JoinRequest.network_id == network.id))
    if row is None:
        raise _unknown()
    return RequestWithRef(row, _ref_of(session, row))


def list_requests(
    session: OrmSession, network: Network, window: Window, state: str | None
) -> tuple[Sequence[RequestWithRef], str | None]:
    """Return the requests to join a network, in the order in which they came."""
    query = select(JoinRequest).where(JoinRequest.network_id == network.id)
    if state is not None:
        query = query.where(JoinRequest.state == state)
    rows, cursor = page(session, query, window, JoinRequest.id)
    refs = members.refs(session, {row.member_id for row in rows if row.member_id is not None})
    return [RequestWithRef(row, refs.get(row.member_id)) for row in rows], cursor


def own_requests(session: OrmSession, account_id: UUID) -> list[OwnRequest]:
    """Return what somebody asked, the newest first."""
    query = (
        select(JoinRequest, Network)
        .join(Network, Network.id == JoinRequest.network_id)
        .where(JoinRequest.account_id == account_id)
        .order_by(JoinRequest.asked_at.desc(), JoinRequest.id.desc())
    )
    return [OwnRequest(*row) for row in session.execute(query)]


def forget(session: WriteSession, member: Member) -> None:
    """Delete the requests from which a member came, and what the member's account asked the network."""
    account = select(Person.account_id).where(Person.id == member.person_id).scalar_subquery()
    theirs = (JoinRequest.network_id == member.network_id) & (JoinRequest.account_id == account)
    session.execute(delete(JoinRequest).where(or_(JoinRequest.member_id == member.id, theirs)))


def _fault(
    session: OrmSession, found: Listed, account_id: UUID, now: datetime
) -> ConflictError | TooManyRequestsError | None:
    """Return why the person of an account cannot ask a network now; None if they can."""
    if found.joining == "closed":
        return ConflictError("joining-closed", TAKES_NONE)
    if found.joining != "form":
        return ConflictError("joining-elsewhere", ELSEWHERE)
    if _members_of(session, found.network, account_id):
        return ConflictError("member-already", MEMBER)
    if _open_one(session, found.network, account_id) is not None:
        return ConflictError("join-asked-already", ASKED)
    mine = JoinRequest.account_id == account_id
    declined = (mine, JoinRequest.network_id == found.network.id, JoinRequest.state == "declined")
    if _there(session, *declined, JoinRequest.decided_at > now - AGAIN_AFTER):
        return ConflictError("join-declined-lately", TOO_SOON)
    asked = select(func.count()).select_from(JoinRequest).where(mine, JoinRequest.asked_at > now - A_DAY)
    if (session.scalar(asked) or 0) >= MOST_A_DAY:
        details = {"retry_after_seconds": int(A_DAY.total_seconds())}
        return TooManyRequestsError("join-too-many", TOO_MANY, details=details)
    waiting = select(func.count()).select_from(JoinRequest)
    waiting = waiting.where(JoinRequest.network_id == found.network.id, JoinRequest.state == "asked")
    if (session.scalar(waiting) or 0) >= MOST_OPEN:
        return ConflictError("joining-full", FULL)
    return None


def _there(session: OrmSession, *where: ColumnElement[bool]) -> bool:
    return bool(session.scalar(select(exists().where(*where))))


def _open_one(session: OrmSession, network: Network, account_id: UUID) -> JoinRequest | None:
    mine = (JoinRequest.network_id == network.id, JoinRequest.account_id == account_id, JoinRequest.state == "asked")
    return session.scalar(select(JoinRequest).where(*mine))


def _members_of(session: OrmSession, network: Network, account_id: UUID) -> Sequence[Member]:
    return attendance_claims.members_of(session, account_id, network.id)


def _is_theirs(session: OrmSession, account_id: UUID, address: str) -> bool:
    return _there(session, AccountAddress.account_id == account_id, AccountAddress.value == address)


def _address(session: WriteSession, row: JoinRequest) -> str:
    account = accounts.locked(session, row.account_id)
    return accounts.addresses_of(session, account)[0].value


def _to_decide(act: CallersAct, request_id: UUID) -> JoinRequest:
    """Lock the account that asks, and the network; return a request of it, if the caller may decide on that."""
    found = act.session.scalar(
        select(JoinRequest.account_id).where(JoinRequest.id == request_id, JoinRequest.network_id == act.network.id)
    )
    if found is None:
        raise _unknown()
    try:
        accounts.locked(act.session, found)
    except UnauthenticatedError:  # the account was deleted in this moment, and its requests with it
        raise _unknown() from None
    callers.still_good(act.session, act.caller)
    locks.network(act.session, act.network.id)
    row = locks.one_or_none(
        act.session, JoinRequest, JoinRequest.id == request_id, JoinRequest.network_id == act.network.id
    )
    if row is None:
        raise _unknown()
    act.decides_on(row.member_id, *(each.id for each in attendance_claims.members_of(act.session, row.account_id)))
    return row


def _unknown() -> NotFoundError:
    message = "No request to join this network has this id; the list of requests gives it."
    return NotFoundError("join-request-unknown", message)


def _ref_of(session: OrmSession, row: JoinRequest) -> str | None:
    return None if row.member_id is None else session.get_one(Member, row.member_id).ref


def _end(row: JoinRequest, state: str, now: datetime) -> None:
    row.state, row.decided_at = state, now
    row.name = row.address = row.message = ""


def _tell(act: Act, row: JoinRequest, kind: str) -> None:
    about: dict[str, Any] = {"join_request": str(row.id)}
    events.append(act, kind, about if row.member_id is None else about | {"member": str(row.member_id)})
