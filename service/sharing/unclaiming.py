"""Undo a claim.

The owner of the address says that it was not them, the person gives back what is not theirs, or the network says that
somebody else used a code on paper.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.accounts import sign_ins, withdrawing
from service.accounts.sign_in import digest_of
from service.errors import ConflictError, NotFoundError
from service.networks import members, persons
from service.outbox import mailbox
from service.runtime.runtime import Runtime
from service.sharing import claims, offers
from service.sharing.claiming import back_name, held, members_of
from service.sharing.offers import Offer, person_of
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Account, AccountAddress, Claim, Identity, Member, Network, Person
from service.texts.languages import N_

BACK_FOR: Final = timedelta(days=7)
"""How long the address can undo a claim."""

PAPER_FOR: Final = timedelta(days=30)
"""How long the network can undo a claim by a code on paper: it cannot take from people what they have had for long."""

BACK_OVER = N_("This link no longer works. It works once, within 7 days. Ask the network that awarded the badge.")


def back(session: OrmSession, secret: str, now: datetime) -> Offer:
    """Return what the link "That was not me" would undo.

    Raises:
        NotFoundError: there is no such link, or it is over (code "claim-back-over").
    """
    return offers.offer_of(session, _by_back(session, secret, now), None, now)


def undo(session: WriteSession, secret: str, now: datetime) -> Network:
    """Undo a claim, as the address says that it was not by its owner; return the network.

    Everything that the account claimed by the address is released, in every network, the sign-ins that began so end, and
    the account loses the address if it got it so. The networks are told by events.

    Raises:
        NotFoundError: there is no such link, or it is over (code "claim-back-over").
    """
    row = _by_back(session, secret, now)
    person, undone = _to_undo(session, row)
    if person is not None:
        locks.one_or_none(session, Account, Account.id == person.account_id, key_share=True)
    networks = {row.network_id, *(each.network_id for each in undone)}
    for network_id in sorted(networks):
        locks.network(session, network_id)
    session.expire_all()
    row = _by_back(session, secret, now)
    person, undone = _to_undo(session, row)
    if person is None or person.account_id is None:
        raise NotFoundError("claim-back-over", BACK_OVER)
    account_id, address = person.account_id, _address_of(session, row, person.account_id)
    undone = [each for each in undone if each.network_id in networks]
    for each in locks.rows(session, Claim, Claim.id.in_({each.id for each in undone})):
        holder = person_of(session, each)
        if each.state == "used" and holder is not None and holder.account_id == account_id:
            act = Act(session, session.get_one(Network, each.network_id), None, now)
            for one in _claimed_with(session, each, holder):
                _release(act, one)
        if each.sign_in_id is not None:
            sign_ins.end(session, account_id, each.sign_in_id)
        if each.address_added and address is not None:
            withdrawing.withdraw(session, account_id, address)
    return session.get_one(Network, row.network_id)


def give_back(session: WriteSession, account_id: UUID, member_id: UUID, now: datetime) -> None:
    """Take what a member has earned out of the account of the person who asks.

    Raises:
        NotFoundError: it is not in their account (code "claim-unknown").
    """
    found = session.get(Member, member_id)
    if found is None:
        raise NotFoundError("claim-unknown", offers.UNKNOWN)
    act, member = held(session, found.network_id, member_id, now)
    person = None if member.person_id is None else session.get_one(Person, member.person_id)
    if person is None or person.account_id != account_id:
        raise NotFoundError("claim-unknown", offers.UNKNOWN)
    _release(act, person)


def undo_paper(act: Act, runtime: Runtime, ref: str, reason: str) -> None:
    """Undo a claim by a code on paper, which somebody else than the member has used; tell that person, with the reason.

    Raises:
        NotFoundError: the network has no such member (code "member-unknown").
        ConflictError: nobody has claimed it (code "claim-unused"), it was claimed by its address ("claim-not-on-paper"),
            or too long ago ("claim-stands").
        CustodyError: the reason cannot be locked; nothing has changed.
    """
    seen = members.get_member(act.session, act.network, ref)
    if (account_id := _account_of(act.session, seen)) is not None:
        locks.one_or_none(act.session, Account, Account.id == account_id, key_share=True)
    member = held(act.session, act.network.id, seen.id, act.now)[1]
    if account_id is None or _account_of(act.session, member) != account_id:
        raise ConflictError("claim-unused", "Expected a member whom somebody has claimed with a code; nobody has.")
    person = act.session.get_one(Person, member.person_id)
    row = _on_paper(act.session, person)
    if row is None or _has_proved_theirs(act.session, person):
        message = "Expected a claim by a code on paper; this one is by somebody who has proved the member's address."
        raise ConflictError("claim-not-on-paper", message)
    if row.used_at is None or row.used_at + PAPER_FOR <= act.now:
        message = f"Expected a claim of the last {PAPER_FOR.days} days; this one is older, and stands."
        raise ConflictError("claim-stands", message)
    for one in _claimed_with(act.session, row, person):
        _release(act, one)
    row.locked = runtime.custody.lock(reason.encode(), _reason_name(row.id))
    kept = select(AccountAddress.id).where(AccountAddress.account_id == account_id, AccountAddress.kept)
    if (address_id := act.session.scalar(kept)) is not None:
        mailbox.queue_unclaimed(act, row, address_id)


def reason_of(runtime: Runtime, row: Claim) -> str:
    """Return why a network undid a claim, for its mail.

    Raises:
        CustodyError: it cannot be unlocked.
    """
    assert row.locked is not None  # as `undo_paper` left it
    return runtime.custody.unlock(row.locked, _reason_name(row.id)).decode()


def back_secret(runtime: Runtime, row: Claim) -> str | None:
    """Return the secret of the way back of a claim, for its mail; None if there is none.

    Raises:
        CustodyError: it cannot be unlocked.
    """
    return None if row.back_locked is None else runtime.custody.unlock(row.back_locked, back_name(row.id)).decode()


def told_address(session: OrmSession, row: Claim) -> str | None:
    """Return the address that is told about a claim: the one to which its link was sent."""
    person = person_of(session, row)
    return None if person is None else _address_of(session, row, person.account_id)


def _on_paper(session: OrmSession, person: Person) -> Claim | None:
    """Return the code on paper by which a person was claimed, or None."""
    used = (Claim.member_id.in_(members_of(session, person)), Claim.state == "used", Claim.means == "paper")
    return session.scalar(select(Claim).where(*used, Claim.used_at == person.claimed_at).with_for_update())


def _has_proved_theirs(session: OrmSession, person: Person) -> bool:
    """Return whether the account that claimed a person has proved an address of that person."""
    proved = select(AccountAddress.value).where(AccountAddress.account_id == person.account_id)
    theirs = select(Identity.id).where(Identity.person_id == person.id, Identity.kind == "email")
    return session.scalars(theirs.where(Identity.value.in_(proved)).limit(1)).first() is not None


def _account_of(session: OrmSession, member: Member) -> UUID | None:
    return None if member.person_id is None else session.get_one(Person, member.person_id).account_id


def _reason_name(claim_id: UUID) -> str:
    """Return the name under which the reason is locked for which a claim was undone."""
    return f"claim undone {claim_id}"


def _release(act: Act, person: Person) -> None:
    """Release a person, and have every claim of it that was used be over."""
    persons.release(act, person)
    used = (Claim.member_id.in_(members_of(act.session, person)), Claim.state == "used")
    for each in act.session.scalars(select(Claim).where(*used)):
        each.state, each.back_sha256, each.back_locked = "released", None, None
    act.session.flush()


def _claimed_with(session: OrmSession, row: Claim, person: Person) -> Sequence[Person]:
    """Return a person, and those who were the same one when it was claimed and were told apart since."""
    here = select(Member.person_id).where(Member.network_id == row.network_id)
    at_once = (Person.account_id == person.account_id, Person.claimed_at == person.claimed_at, Person.id.in_(here))
    return session.scalars(select(Person).where(*at_once).order_by(Person.id)).all()


def _by_back(session: OrmSession, secret: str, now: datetime) -> Claim:
    row = session.scalar(select(Claim).where(Claim.back_sha256 == digest_of(secret), Claim.state == "used"))
    if row is None or row.used_at is None or row.used_at + BACK_FOR <= now:
        raise NotFoundError("claim-back-over", BACK_OVER)
    return row


def _to_undo(session: OrmSession, row: Claim) -> tuple[Person | None, list[Claim]]:
    """Return who was claimed, and all claims of the account that were by the same address."""
    person = person_of(session, row)
    if person is None or person.account_id is None:
        return person, []
    address = _address_of(session, row, person.account_id)
    used = _used_by(session, person.account_id)
    return person, [
        each for each in used if each.id == row.id or (address is not None and claims.is_for(each, address))
    ]


def _used_by(session: OrmSession, account_id: UUID) -> Sequence[Claim]:
    """Return the claims with which an account has what it has."""
    of = select(Member.id).join(Person, Person.id == Member.person_id).where(Person.account_id == account_id)
    return session.scalars(select(Claim).where(Claim.member_id.in_(of), Claim.state == "used")).all()


def _address_of(session: OrmSession, row: Claim, account_id: UUID | None) -> str | None:
    """Return the address to which the link of a claim was sent: of the account, or of the member."""
    of_member = select(Identity.value).join(Member, Member.person_id == Identity.person_id)
    of_member = of_member.where(Member.id == row.member_id, Identity.kind == "email")
    of_account = select(AccountAddress.value).where(AccountAddress.account_id == account_id)
    known = [*session.scalars(of_account), *session.scalars(of_member)]
    return next((address for address in known if claims.is_for(row, address)), None)
