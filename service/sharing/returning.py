"""Return after a mailbox was lost.

1. The person who lost their mailbox signs in with a new address, and says in which network they were, under which old address or
   with which badge. Nothing tells them whether that fits anybody: they get a link either way.
2. They give the link to two colleagues, who vouch for them (`vouching`) or refuse; one refusal ends it.
3. Then every old address is told, with a link that stops it. Old sign-ins and the network can stop it too.
4. After seven days in which nobody did, what they earned in that network is theirs (`returned`). Two people of a network
   speak for that network only: what the old account has in others stays where it is.
5. Two returns of one person that wait at the same time stop each other: somebody is not who they say.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.accounts import accounts
from service.accounts.sign_in import SECRET_BYTES, digest_of
from service.bodies import EmailAddress
from service.errors import ConflictError, InvalidError, NotFoundError, TooManyRequestsError
from service.networks import members
from service.outbox import events, mailbox
from service.public import addresses
from service.runtime.runtime import Runtime
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import (
    Account,
    AccountAddress,
    Award,
    Credential,
    Identity,
    Member,
    Network,
    Person,
    Return,
    ReturnAddress,
    Vouching,
)
from service.tables.identifiers import new_id
from service.texts.display_names import one_line
from service.texts.languages import N_

VOUCHERS: Final = 2
OPEN_FOR: Final = timedelta(days=14)
"""How long vouchers are waited for."""
SILENCE: Final = timedelta(days=7)
REMINDED_AFTER: Final = timedelta(days=5)
MOST_ASKED: Final = 3
COUNTED_FOR: Final = timedelta(days=30)
RUNNING: Final = ("open", "waiting")
MAX_NAME: Final = 300
_ADDRESS: TypeAdapter[str] = TypeAdapter(EmailAddress)
_BADGE: Final = re.compile(r"/credentials/([A-Za-z0-9_-]{1,100})")

NO_NETWORK = N_(
    "No network here has this name, or more than one does. Write it as it is on your badges, or ask the network."
)
NO_NAME = N_("Enter your name, so that your colleagues know who asks.")
UNCLEAR = N_("Enter your old email address, such as name@example.org, or the link to one of your badges.")
OWN_ADDRESS = N_("You have just signed in with this address. Enter the one that you lost.")
RUNS = N_("You have already asked. Continue with that request, or end it first.")
OWN = N_("These badges are already in your account.")
TOO_OFTEN = N_("You have asked several times in the last days. Try again in %(minutes)s min, or ask the network.")
UNKNOWN = N_("There is no such request, or it has ended.")


@dataclass(frozen=True)
class Shown:
    """A return as the person who asked sees it; `link` is for the vouchers."""

    row: Return
    network: str
    link: str
    vouched: int


def ask(session: WriteSession, runtime: Runtime, account_id: UUID, said: dict[str, str], now: datetime) -> Return:
    """Ask for what somebody earned in a network; nothing tells whether they did.

    Args:
        account_id: of the new address.
        said: `network` (its name, or its slug), `lost` (an address, or the address of a badge) and `name`.
    Raises:
        InvalidError: one of them cannot be read (codes "network-unnamed", "name-missing", "return-unclear").
        ConflictError: the account has asked already (code "return-running"), or has it all (code "return-own").
        TooManyRequestsError: it has asked too often (code "returns-too-often").
        CustodyError: the secrets cannot be locked; nothing has changed.
    """
    account = accounts.locked(session, account_id, alone=True)
    network = _network(session, said.get("network", ""))
    name = one_line(said.get("name", ""), MAX_NAME)
    if not name:
        raise InvalidError("name-missing", NO_NAME, "/name")
    lost = _lost(runtime, session, account, said.get("lost", ""))
    _within_limits(session, account, now)
    row_id, vouch, stop = new_id(), secrets.token_urlsafe(SECRET_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    found = _member(session, network, lost)
    if found is not None and _account_of(session, found) == account.id:
        raise ConflictError("return-own", OWN)
    row = Return(
        id=row_id,
        account_id=account.id,
        network_id=network.id,
        member_id=None if found is None else found.id,
        name=name,
        said=lost,
        vouch_sha256=digest_of(vouch),
        stop_sha256=digest_of(stop),
        locked=runtime.custody.lock(f"{vouch} {stop}".encode(), _locked_as(row_id)),
        state="open",
        asked_at=now,
        due_at=now + OPEN_FOR,
    )
    session.add(row)
    session.flush()
    return row


def secrets_of(runtime: Runtime, row: Return) -> tuple[str, str]:
    """Return the secret of the vouchers' link, and that of the link which stops a return.

    Raises:
        CustodyError: they cannot be unlocked.
    """
    vouch, stop = runtime.custody.unlock(row.locked, _locked_as(row.id)).decode().split(" ")
    return vouch, stop


def last_of(session: OrmSession, runtime: Runtime, account_id: UUID) -> Shown | None:
    """Return the newest return for which an account asked, or None.

    Raises:
        CustodyError: its link cannot be unlocked.
    """
    query = select(Return).where(Return.account_id == account_id).order_by(Return.asked_at.desc(), Return.id.desc())
    row = session.scalars(query.limit(1)).first()
    if row is None:
        return None
    link = f"{runtime.settings.base_url}/vouch/{secrets_of(runtime, row)[0]}" if row.state == "open" else ""
    return Shown(row, session.get_one(Network, row.network_id).name, link, len(vouched(session, row)))


def about(session: OrmSession, account_id: UUID) -> list[tuple[Return, str]]:
    """Return what waits to take over from an account, each with the name of its network."""
    query = select(Return, Network.name).join(Network, Network.id == Return.network_id)
    query = query.where(Return.old_account_id == account_id, Return.state == "waiting").order_by(Return.id)
    return [(row, name) for row, name in session.execute(query)]


def vouched(session: OrmSession, row: Return) -> list[Vouching]:
    """Return who has vouched, in order."""
    return list(session.scalars(select(Vouching).where(Vouching.return_id == row.id).order_by(Vouching.at)))


def held(session: WriteSession, *where: ColumnElement[bool]) -> tuple[Return, list[Return]]:
    """Lock a return that has not ended, and the others of the same person, in one order.

    Raises:
        NotFoundError: there is none (code "return-unknown").
    """
    found = session.execute(select(Return.id, Return.member_id).where(*where)).one_or_none()
    if found is None:
        raise NotFoundError("return-unknown", UNKNOWN)
    row_id, member_id = found
    alike = Return.id == row_id
    if member_id is not None:
        alike = or_(alike, Return.member_id.in_(_same_person(session, member_id)))
    rows = {row.id: row for row in locks.rows(session, Return, alike, Return.state.in_(RUNNING))}
    row = rows.pop(row_id, None)
    if row is None:
        raise NotFoundError("return-unknown", UNKNOWN)
    return row, list(rows.values())


def begin_silence(session: WriteSession, row: Return, now: datetime) -> None:
    """Tell the old addresses and the new one that seven days begin."""
    row.state, row.due_at = "waiting", now + SILENCE
    told = dict.fromkeys(addresses_of(session, row.account_id), True)
    if row.member_id is not None:
        member = session.get_one(Member, row.member_id)
        row.old_account_id = _account_of(session, member)
        told = dict.fromkeys(_old_addresses(session, member), False) | told
        events.append(_act(session, row, now), "member.returning", {"member": str(member.id)})
    for value, is_new in sorted(told.items()):
        address = ReturnAddress(id=new_id(), return_id=row.id, value=value, is_new=is_new)
        session.add(address)
        session.flush()
        mailbox.queue_return(session, address.id, "waiting" if is_new else "asked", now)
        if not is_new:
            mailbox.queue_return(session, address.id, "soon", now + REMINDED_AFTER)


def end(session: WriteSession, row: Return, state: str, now: datetime) -> None:
    """End a return, and tell those who were told that it runs.

    What the person said about themself is forgotten.

    Args:
        state: done, stopped, refused or over.
    """
    was, row.state, row.ended_at, row.name, row.said = row.state, state, now, "", ""
    if was != "waiting":
        return
    for address in session.scalars(select(ReturnAddress).where(ReturnAddress.return_id == row.id)):
        mailbox.queue_return(session, address.id, "done" if state == "done" else "over", now)
    if row.member_id is not None:
        kind = "member.returned" if state == "done" else "member.return-stopped"
        events.append(_act(session, row, now), kind, {"member": str(row.member_id)})


def stop_by_mail(session: WriteSession, secret: str, now: datetime) -> None:
    """Stop a return with the link that an old address was sent.

    Raises:
        NotFoundError: there is none, or it is over (code "return-unknown").
    """
    row, _ = held(session, Return.stop_sha256 == digest_of(secret))
    end(session, row, "stopped", now)


def stop_as(session: WriteSession, return_id: UUID, account_id: UUID, now: datetime) -> None:
    """Stop a return as somebody who is signed in: the one who asked, or the one from whom it takes.

    Raises:
        NotFoundError: it is none of theirs, or is over (code "return-unknown").
    """
    theirs = or_(Return.account_id == account_id, Return.old_account_id == account_id)
    row, _ = held(session, Return.id == return_id, theirs)
    end(session, row, "stopped", now)


def stop_for_network(act: Act, ref: str) -> None:
    """Stop the return of a member that waits.

    Raises:
        NotFoundError: the network has no such member (code "member-unknown"), or none waits (code "return-unknown").
    """
    member = members.held(act, ref)
    query = select(Return.id).where(
        Return.member_id.in_(_same_person(act.session, member.id)), Return.state == "waiting"
    )
    waiting = act.session.scalars(query.order_by(Return.id).limit(1)).first()
    if waiting is None:
        raise NotFoundError("return-unknown", "Expected a member whose return waits; none does, or it is over.")
    row, rivals = held(act.session, Return.id == waiting)
    for each in (row, *rivals):
        end(act.session, each, "stopped", act.now)


def can_be_stopped(session: OrmSession, secret: str) -> tuple[Return, str]:
    """Return what a link of a mail would stop, and the name of its network.

    Raises:
        NotFoundError: there is none, or it is over (code "return-unknown").
    """
    row = session.scalar(select(Return).where(Return.stop_sha256 == digest_of(secret), Return.state.in_(RUNNING)))
    if row is None:
        raise NotFoundError("return-unknown", UNKNOWN)
    return row, session.get_one(Network, row.network_id).name


def _act(session: WriteSession, row: Return, now: datetime) -> Act:
    return Act(session, session.get_one(Network, row.network_id), None, now)


def _network(session: OrmSession, said: str) -> Network:
    """Return the one network with a name or slug; of several with one name none, because one would be guessed."""
    wanted = one_line(said).casefold()
    named = or_(Network.slug == wanted, func.lower(Network.name) == wanted.lower(), Network.name == one_line(said))
    found = session.scalars(select(Network).where(named).limit(10)).all()
    exact = [each for each in found if each.slug == wanted] or list(found)
    if not wanted or len(exact) != 1:
        raise InvalidError("network-unnamed", NO_NETWORK, "/network")
    return exact[0]


def _lost(runtime: Runtime, session: OrmSession, account: Account, said: str) -> str:
    """Return the old address in lower case, or the address of a badge here."""
    text = said.strip()[:2000]
    if "/" not in text:
        try:
            address = _ADDRESS.validate_python(text)
        except ValidationError as error:
            raise InvalidError("return-unclear", UNCLEAR, "/lost") from error
        if address in addresses_of(session, account.id):
            raise InvalidError("return-unclear", OWN_ADDRESS, "/lost")
        return address
    badge = _BADGE.match(urlsplit(text).path) if addresses.is_ours(runtime.settings, text) else None
    if badge is None:
        raise InvalidError("return-unclear", UNCLEAR, "/lost")
    return f"{runtime.settings.base_url}/credentials/{badge[1]}"


def _member(session: OrmSession, network: Network, lost: str) -> Member | None:
    """Return the member of a network whom an address or a badge fits; None if it fits nobody, or several people."""
    query = select(Member).where(Member.network_id == network.id, Member.erased_at.is_(None))
    if "/" in lost:
        of_badge = select(Award.member_id).join(Credential, Credential.award_id == Award.id)
        query = query.where(Member.id.in_(of_badge.where(Credential.id == lost.rpartition("/")[2])))
    else:
        known = select(Identity.person_id).where(Identity.kind == "email", Identity.value == lost)
        proved = select(Person.id).join(AccountAddress, AccountAddress.account_id == Person.account_id)
        proved = proved.where(AccountAddress.value == lost)
        query = query.where(or_(Member.person_id.in_(known), Member.person_id.in_(proved)))
    found = list(session.scalars(query.order_by(Member.enrolled_at, Member.id).limit(50)))
    people = {_account_of(session, member) or member.person_id for member in found}
    return found[0] if len(people) == 1 else None


def _within_limits(session: OrmSession, account: Account, now: datetime) -> None:
    asked = select(Return).where(Return.account_id == account.id)
    if session.scalars(asked.where(Return.state.in_(RUNNING)).limit(1)).first() is not None:
        raise ConflictError("return-running", RUNS)
    recent = asked.where(Return.asked_at > now - COUNTED_FOR).order_by(Return.asked_at.desc())
    first = session.scalars(recent.offset(MOST_ASKED - 1).limit(1)).first()
    if first is not None:
        seconds = int((first.asked_at + COUNTED_FOR - now).total_seconds()) + 1
        raise TooManyRequestsError("returns-too-often", TOO_OFTEN, details={"retry_after_seconds": seconds})


def _same_person(session: OrmSession, member_id: UUID) -> list[UUID]:
    """Return the ids of the members who are the same person, or persons of the same account in the same network."""
    member = session.get_one(Member, member_id)
    if member.person_id is None:
        return [member_id]
    account_id = _account_of(session, member)
    alike = Person.id == member.person_id if account_id is None else Person.account_id == account_id
    query = select(Member.id).join(Person, Person.id == Member.person_id)
    return list(session.scalars(query.where(alike, Member.network_id == member.network_id)))


def _account_of(session: OrmSession, member: Member) -> UUID | None:
    return session.get_one(Person, member.person_id).account_id if member.person_id is not None else None


def addresses_of(session: OrmSession, account_id: UUID) -> list[str]:
    """Return the proved addresses of an account, the kept one first."""
    return [each.value for each in accounts.addresses_of(session, session.get_one(Account, account_id))]


def _old_addresses(session: OrmSession, member: Member) -> set[str]:
    """Return every address at which the person may still be: the network's, and those of the account."""
    same = select(Member.person_id).where(Member.id.in_(_same_person(session, member.id)))
    query = select(Identity.value).where(Identity.person_id.in_(same), Identity.kind == "email")
    account_id = _account_of(session, member)
    return {*session.scalars(query), *(addresses_of(session, account_id) if account_id is not None else ())}


def _locked_as(return_id: UUID) -> str:
    """Return the name under which the secrets of a return are locked: they open for no other one."""
    return f"return {return_id}"
