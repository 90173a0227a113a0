"""Vouch for somebody who returns: who may, and what they say.

A voucher must have been a member of the network for some time, with an account of their own, and be somebody else than
the person, under all that is known of both. Students and minors do not vouch: nobody should be able to talk children
into it. A person who came back this way does not vouch for a while, so that one stolen account does not bring the next.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from service.accounts import accounts
from service.accounts.sign_in import digest_of
from service.errors import ConflictError, ForbiddenError, NotFoundError, TooManyRequestsError
from service.sharing import returning
from service.storage.database import WriteSession
from service.tables import AccountAddress, Identity, Member, Network, Person, Return, Role, Vouching
from service.tables.identifiers import new_id
from service.texts.languages import N_

MEMBER_FOR: Final = timedelta(days=30)
"""How much older than the request the membership of a voucher must be."""
RETURNED_WITHIN: Final = timedelta(days=90)
MOST_VOUCHED: Final = 5
COUNTED_FOR: Final = timedelta(days=30)
NOT_VOUCHING: Final = ("student", "minor")

NOT_A_MEMBER = N_(
    "Only members of this network can answer here. Sign in with the address that the network has for you."
)
TOO_NEW = N_("You joined this network too recently to answer for somebody else. Ask a colleague who was there before.")
ONESELF = N_("You cannot answer for yourself, under any address. Ask two colleagues.")
NO_ROLE = N_("Students and minors cannot answer for somebody else. Ask a facilitator.")
RETURNED = N_(
    "You recently got your badges back with the help of colleagues, so you cannot answer for somebody else yet."
)
ALREADY = N_("You have already answered. A second person must answer too.")
SAME_PERSON = N_("You and the colleague who answered seem to be one person. Somebody else must answer.")
TOO_OFTEN = N_("You have answered for many people in the last days. Try again in %(minutes)s min.")
ENOUGH = N_("Two people have already answered. If they are wrong, press the other button.")


@dataclass(frozen=True)
class Asked:
    """A return as a voucher sees it: what the person said, and nothing that is known here."""

    name: str
    said: str
    new_address: str
    network: str
    waits: bool
    has_vouched: bool


def shown(session: OrmSession, secret: str, account_id: UUID, now: datetime) -> Asked:
    """Return what somebody with the link may answer.

    Raises:
        NotFoundError: there is no such request, or it is over (code "return-unknown").
        ForbiddenError: they may not answer, as `vouch`.
    """
    row = session.scalar(select(Return).where(Return.vouch_sha256 == digest_of(secret)))
    if row is None or not _runs(row, now):
        raise NotFoundError("return-unknown", returning.UNKNOWN)
    _voucher(session, row, account_id, now)
    kept = session.scalar(
        select(AccountAddress.value).where(AccountAddress.account_id == row.account_id, AccountAddress.kept)
    )
    has_vouched = any(each.account_id == account_id for each in returning.vouched(session, row))
    network = session.get_one(Network, row.network_id).name
    return Asked(row.name, row.said, kept or "", network, row.state == "waiting", has_vouched)


def vouch(session: WriteSession, secret: str, account_id: UUID, now: datetime) -> str:
    """Say that one knows who returns; return the state then: the second who says so begins the seven days.

    Raises:
        NotFoundError: there is no such request, or it is over (code "return-unknown").
        ConflictError: they have vouched (code "vouched-already"), or two others have (code "vouched-enough").
        ForbiddenError: they are no member (code "vouch-not-member"), or a new one (code "vouch-too-new"), a student or
            minor (code "vouch-role"), the person (code "vouch-oneself"), the other voucher (code "vouch-same-person"),
            or have returned so themself (code "vouch-returned").
        TooManyRequestsError: they have vouched for many (code "vouched-too-often").
    """
    accounts.locked(session, account_id, alone=True)  # someone who vouches for several at once is counted
    row, rivals = returning.held(session, Return.vouch_sha256 == digest_of(secret))
    if not _runs(row, now):
        raise NotFoundError("return-unknown", returning.UNKNOWN)
    member = _voucher(session, row, account_id, now)
    before = returning.vouched(session, row)
    if any(each.account_id == account_id for each in before):
        raise ConflictError("vouched-already", ALREADY)
    if row.state == "waiting":
        raise ConflictError("vouched-enough", ENOUGH)
    known = _known(session, account_id)
    if any(known & _known(session, each.account_id) for each in before):
        raise ForbiddenError("vouch-same-person", SAME_PERSON)
    _within_limits(session, account_id, now)
    session.add(Vouching(id=new_id(), return_id=row.id, account_id=account_id, member_id=member.id, at=now))
    session.flush()
    if len(before) + 1 < returning.VOUCHERS:
        return row.state
    returning.begin_silence(session, row, now)
    session.flush()
    waiting = [each for each in rivals if each.state == "waiting"]
    for each in [row, *waiting] if waiting else []:
        returning.end(session, each, "stopped", now)
    return row.state


def refuse(session: WriteSession, secret: str, account_id: UUID, now: datetime) -> None:
    """Say that it is not the person; that ends the request, also after two have vouched.

    Raises:
        NotFoundError: there is no such request, or it is over (code "return-unknown").
        ForbiddenError: they may not answer, as `vouch`.
    """
    row, _ = returning.held(session, Return.vouch_sha256 == digest_of(secret))
    _voucher(session, row, account_id, now)
    returning.end(session, row, "refused", now)


def are_two_people(session: OrmSession, row: Return) -> bool:
    """Return whether those who vouched are still two people, and neither of them is the person."""
    people = [_known(session, each.account_id) for each in returning.vouched(session, row)]
    own = _known_of_return(session, row)
    apart = all(not one & other for place, one in enumerate(people) for other in people[place + 1 :])
    return len(people) >= returning.VOUCHERS and apart and not any(each & own for each in people)


def _runs(row: Return, now: datetime) -> bool:
    return row.state == "waiting" or (row.state == "open" and now < row.due_at)


def _voucher(session: OrmSession, row: Return, account_id: UUID, now: datetime) -> Member:
    """Return the member as whom somebody answers."""
    if _known(session, account_id) & _known_of_return(session, row):
        raise ForbiddenError("vouch-oneself", ONESELF)
    query = select(Member).join(Person, Person.id == Member.person_id)
    query = query.where(
        Person.account_id == account_id, Member.network_id == row.network_id, Member.erased_at.is_(None)
    )
    mine = list(session.scalars(query.order_by(Member.enrolled_at, Member.id)))
    if not mine:
        raise ForbiddenError("vouch-not-member", NOT_A_MEMBER)
    if mine[0].enrolled_at > row.asked_at - MEMBER_FOR:
        raise ForbiddenError("vouch-too-new", TOO_NEW)
    of_children = select(Role.id).where(
        Role.member_id.in_([each.id for each in mine]),
        Role.role.in_(NOT_VOUCHING),
        Role.from_at <= now,
        or_(Role.until_at.is_(None), Role.until_at > now),
    )
    if session.scalars(of_children.limit(1)).first() is not None:
        raise ForbiddenError("vouch-role", NO_ROLE)
    returned = select(Return.id).where(
        Return.account_id == account_id, Return.state == "done", Return.ended_at > now - RETURNED_WITHIN
    )
    if session.scalars(returned.limit(1)).first() is not None:
        raise ForbiddenError("vouch-returned", RETURNED)
    return mine[0]


def _known_of_return(session: OrmSession, row: Return) -> set[tuple[str, str]]:
    """Return what is known of the person who asks, and of the one whom they mean."""
    known = _known(session, row.account_id) | {("email", row.said)}
    if row.old_account_id is not None:
        known |= _known(session, row.old_account_id)
    if row.member_id is not None:
        person_id = session.get_one(Member, row.member_id).person_id
        known |= _identities(session, [person_id] if person_id is not None else [])
        account_id = session.get_one(Person, person_id).account_id if person_id is not None else None
        known |= _known(session, account_id) if account_id is not None else set()
    return known


def _known(session: OrmSession, account_id: UUID) -> set[tuple[str, str]]:
    """Return all by which the person of an account is recognised: the account, its addresses, and those of its persons."""
    persons = session.scalars(select(Person.id).where(Person.account_id == account_id)).all()
    mails = session.scalars(select(AccountAddress.value).where(AccountAddress.account_id == account_id))
    return {("account", str(account_id)), *(("email", mail) for mail in mails)} | _identities(session, persons)


def _identities(session: OrmSession, persons: Collection[UUID]) -> set[tuple[str, str]]:
    query = select(Identity.kind, Identity.value).where(Identity.person_id.in_(persons))
    return {("person", str(each)) for each in persons} | {(kind, value) for kind, value in session.execute(query)}


def _within_limits(session: OrmSession, account_id: UUID, now: datetime) -> None:
    recent = select(Vouching.at).where(Vouching.account_id == account_id, Vouching.at > now - COUNTED_FOR)
    first = session.scalar(recent.order_by(Vouching.at.desc()).offset(MOST_VOUCHED - 1).limit(1))
    if first is not None:
        seconds = int((first + COUNTED_FOR - now).total_seconds()) + 1
        raise TooManyRequestsError("vouched-too-often", TOO_OFTEN, details={"retry_after_seconds": seconds})
