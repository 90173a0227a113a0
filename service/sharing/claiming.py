"""Claim what a member has earned.

The ways are a mailed link, a code on paper, and an address that the account has proved.

Someone who has a mailed link could read the mailbox, or was forwarded the mail. So (1) a link signs nobody in to an account
that was there before, and adds no address to another one; (2) the address is told that it was used, and for some days a
link in that mail undoes all of it. What is in an account is never claimed by another one.

Everything here locks the account, if there is one, and then the network, as posts of members do: two who claim at once do
it one after the other.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session as OrmSession

from credentials.recipient import matches
from service.access.act import Act
from service.accounts import accounts, sign_ins
from service.accounts.sign_in import SECRET_BYTES, digest_of
from service.appeals import neutrality
from service.awards import reviews
from service.errors import ConflictError, NotFoundError
from service.issuing import anew
from service.networks import persons
from service.networks.persons import CLAIMED_ALREADY
from service.outbox import mailbox
from service.runtime.runtime import Runtime
from service.sharing import claims, offers
from service.sharing.offers import Offer
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Account, AccountAddress, Award, Claim, Credential, Identity, Member, Network, Person
from service.tables.identifiers import new_id
from service.texts.languages import N_

OTHER_ACCOUNT = N_("This address belongs to another account. Sign in with it first.")


@dataclass(frozen=True)
class Claimed:
    """A claim that was used, and by which account."""

    row: Claim
    account: Account


def by_link(session: WriteSession, runtime: Runtime, link: str, account_id: UUID | None, now: datetime) -> Claimed:
    """Claim with a mailed link; without an account, one is made.

    Args:
        account_id: of who is signed in; the address is added to it.
    Raises:
        NotFoundError: there is no such link (code "claim-unknown").
        ConflictError: it does not work any more (code "claim-over"), the address belongs to another account
            ("claim-other-account"), or somebody else has claimed it ("claimed-already").
        CustodyError: the secret of the way back cannot be locked; nothing has changed.
    """
    into = None if account_id is None else accounts.locked(session, account_id)
    act, row, member = _locked(session, offers.claim_by_link(session, link), now)
    offer = _still_open(session, row, account_id, now)
    address = claims.address_of(session, member)
    assert address is not None  # otherwise it were not open
    if offer.hindrance is not None:  # (1)
        raise ConflictError("claim-other-account", OTHER_ACCOUNT)
    held = offers.holder_of(session, address)
    # An account is always given, so that who proves the address at this moment elsewhere is not the one signed in here.
    account = accounts.with_address(session, address, now, into=into or accounts.new_account(session, now))
    row.address_added = held is None
    _take(act, row, member, account, address)
    back = secrets.token_urlsafe(SECRET_BYTES)
    row.back_sha256, row.back_locked = digest_of(back), runtime.custody.lock(back.encode(), back_name(row.id))
    mailbox.queue_claimed(act, row)  # (2)
    return Claimed(row, account)


def by_code(session: WriteSession, typed: str, account_id: UUID, now: datetime) -> Claimed:
    """Claim with a code on paper.

    Raises:
        NotFoundError: there is no such code (code "claim-code-unknown").
        ConflictError: as `by_link`.
    """
    account = accounts.locked(session, account_id)
    act, row, member = _locked(session, offers.claim_by_code(session, typed), now)
    _still_open(session, row, account_id, now)
    _take(act, row, member, account, None)
    return Claimed(row, account)


def began(session: WriteSession, row: Claim, sign_in_secret: str, now: datetime) -> None:
    """Note the sign-in that began with a claim, which ends if the claim is undone."""
    session.flush()
    found = sign_ins.find(session, sign_in_secret, now)
    row.sign_in_id = None if found is None else found.sign_in_id


def pending_of(session: OrmSession, account_id: UUID) -> Sequence[Member]:
    """Return the members with badges that an account can claim, because it has proved their addresses."""
    proved = select(AccountAddress.value).where(AccountAddress.account_id == account_id)
    badges = select(Award.member_id).join(Credential, Credential.award_id == Award.id)
    badges = badges.where(Credential.revoked_at.is_(None), Credential.superseded_by.is_(None))
    query = (
        select(Member)
        .join(Person, Person.id == Member.person_id)
        .where(Person.account_id.is_(None), Member.erased_at.is_(None), Member.id.in_(badges))
        .where(exists().where(Identity.person_id == Person.id, Identity.kind == "email", Identity.value.in_(proved)))
    )
    return session.scalars(query.order_by(Member.id)).all()


def take_pending(session: WriteSession, account_id: UUID, member_id: UUID, now: datetime) -> Claimed:
    """Claim what a member has earned with an account that has proved the member's address.

    Raises:
        NotFoundError: there is no such member, or the address is not the account's (code "claim-unknown").
        ConflictError: somebody else has claimed it (code "claimed-already").
    """
    account = accounts.locked(session, account_id)
    found = session.get(Member, member_id)
    if found is None:
        raise NotFoundError("claim-unknown", offers.UNKNOWN)
    act, member = held(session, found.network_id, member_id, now)
    address = claims.address_of(session, member)
    if address is None or member.erased_at is not None or offers.holder_of(session, address) != account_id:
        raise NotFoundError("claim-unknown", offers.UNKNOWN)
    row = Claim(
        id=new_id(), network_id=member.network_id, member_id=member.id, means="account", made_at=now, expires_at=now
    )
    row.state, row.address_sha256 = "used", claims.address_digest(row.id, address)
    session.add(row)
    _take(act, row, member, account, address)
    return Claimed(row, account)


def ask_again(session: WriteSession, runtime: Runtime, link: str, now: datetime) -> None:
    """Send a new link to the address to which a link that is over was sent; never to another one.

    Raises:
        NotFoundError: there is no such link (code "claim-unknown").
        ConflictError: the network has another address now, or somebody has claimed it (code "claim-over").
        TooManyRequestsError: too many mails were sent (code "claim-sent-too-often").
    """
    act, row, member = _locked(session, offers.claim_by_link(session, link), now)
    offer = offers.offer_of(session, row, None, now)
    if not offer.again:
        raise ConflictError("claim-over", offers.SAID[offer.standing])
    claims.send(act, runtime, member)


def _take(act: Act, row: Claim, member: Member, account: Account, address: str | None) -> None:
    was_nobody = member.person_id is None
    person = persons.claim(act, member, account.id, address)
    row.state, row.used_at, row.locked = "used", act.now, None
    act.session.flush()
    badges = anew.of_person(act.session, person.id)
    if any(each.name_shown not in {None, "none"} for each in badges):  # of who had them before
        accounts.mark_behind(account, "name")
    if _name_another(act.session, badges, account, address):
        accounts.mark_behind(account, "address")
    claims.replace_open(act.session, members_of(act.session, person))
    if was_nobody:
        neutrality.relink(act, member.id)
        reviews.relink(act, member.id)


def _name_another(session: OrmSession, badges: Sequence[Credential], account: Account, address: str | None) -> bool:
    """Return whether badges do not name the address by which they are claimed, which the account keeps.

    Somebody who claimed them before, and did not own them, may have had them name another one.
    """
    if address is None or accounts.addresses_of(session, account)[0].value != address:
        return False
    subjects = [json.loads(each.signed)["credentialSubject"] for each in badges]
    return any(matches(subject, address) is not True for subject in subjects)


def _still_open(session: WriteSession, row: Claim, account_id: UUID | None, now: datetime) -> Offer:
    offer = offers.offer_of(session, row, account_id, now)
    if offer.standing == "used" and row.state != "used":  # by another way, for example of a member who is the same
        raise ConflictError("claimed-already", CLAIMED_ALREADY)
    if offer.standing != "open":
        raise ConflictError("claim-over", offers.SAID[offer.standing])
    return offer


def _locked(session: WriteSession, found: Claim, now: datetime) -> tuple[Act, Claim, Member]:
    """Lock the network of a claim; return the claim and its member as they are then."""
    act, member = held(session, found.network_id, found.member_id, now)
    return act, locks.one(session, Claim, Claim.id == found.id), member


def held(session: WriteSession, network_id: UUID, member_id: UUID, now: datetime) -> tuple[Act, Member]:
    """Lock a network; return an act of the service in it, and a member as it is then."""
    locks.network(session, network_id)
    member = session.get_one(Member, member_id, populate_existing=True)
    if member.person_id is not None:
        session.get_one(Person, member.person_id, populate_existing=True)
    return Act(session, session.get_one(Network, network_id), None, now), member


def members_of(session: OrmSession, person: Person) -> Sequence[UUID]:
    """Return the ids of the members who are a person."""
    return session.scalars(select(Member.id).where(Member.person_id == person.id)).all()


def back_name(claim_id: UUID) -> str:
    """Return the name under which the way back of a claim is locked: it opens for no other claim."""
    return f"claim back {claim_id}"
