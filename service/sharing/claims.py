"""Ways to claim what a member has earned: a link in a mail, or a code on paper.

A member whom nobody has claimed has at most one that is open. A link goes to the address that the network gave, and works
only as long as the network says the same address; a code is only for a member without one. Anyone who has either may claim,
so that what a network sees of them is their state, never a link.

A code has 16 letters of an alphabet of 18, which is 66 bits. An account may try 10 codes an hour: with 100,000 codes open
for 90 days, a million accounts that try all the time find one of them with a probability below one in 50,000.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.accounts.addresses import normal
from service.accounts.sign_in import BATCH, SECRET_BYTES, digest_of
from service.errors import ConflictError, ForbiddenError, ServiceError, TooManyRequestsError
from service.networks import members
from service.outbox import mailbox
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Award, Claim, Credential, Identity, Member, Message, Network, Person
from service.tables.identifiers import new_id
from service.texts.languages import N_

LINK_FOR: Final = timedelta(days=30)
CODE_FOR: Final = timedelta(days=90)
KEPT_FOR: Final = timedelta(days=365)
"""How long a claim is stored after it is over, so that its page can say what became of it."""
MAILS_A_DAY: Final = 3
MAILS_IN_ALL: Final = 10
"""How many mails one link is sent in because somebody asked for it."""
LETTERS: Final = "BCDFGHJKMNPQRTVWXY"
"""The letters of codes: no vowels, so that they make no words, and none that looks like another or like a digit."""
CODE_LENGTH: Final = 16

SENT_TOO_OFTEN = N_("Too many emails were sent to this address today. Try again tomorrow.")
SENT_ENOUGH = N_("This link was already sent many times. Look for it in your mailbox, and in your spam folder too.")


@dataclass(frozen=True)
class ClaimState:
    """How far the claim of a member is: when it was claimed, the newest way to do it, and the state of the newest mail with it."""

    claimed_at: datetime | None
    newest: Claim | None
    mail: str | None


@dataclass(frozen=True)
class MadeCode:
    """A code on paper, for whom it is, and its row."""

    member: Member
    row: Claim
    code: str


def with_mail(session: WriteSession, runtime: Runtime, message_id: UUID, now: datetime) -> None:
    """Before the mail of a new badge is written, make the link that it bears, if one is needed.

    Raises:
        CustodyError: the link cannot be locked; nothing has changed.
    """
    about = select(Award.member_id, Message.network_id).join(Credential, Credential.award_id == Award.id)
    about = about.join(Message, Message.credential_id == Credential.id)
    found = session.execute(about.where(Message.id == message_id, Message.kind == "awarded")).one_or_none()
    if found is None:
        return
    member_id, network_id = found
    assert network_id is not None  # a message about a badge is of its network
    locks.network(session, network_id)
    act = Act(session, session.get_one(Network, network_id), None, now)
    member = session.get_one(Member, member_id)
    if member.erased_at is None and not is_claimed(session, member) and address_of(session, member) is not None:
        _open_link(act, runtime, member)


def mailed(session: OrmSession, runtime: Runtime, member: Member, now: datetime) -> str | None:
    """Return the secret of a member's open link for a mail, or None.

    Raises:
        CustodyError: it cannot be unlocked.
    """
    row = open_claim(session, member.id, now)
    address = address_of(session, member)
    if row is None or row.locked is None or is_claimed(session, member) or address is None or not is_for(row, address):
        return None
    return unlocked(runtime, row)


def send(act: Act, runtime: Runtime, member: Member) -> Claim:
    """Send a member's link again, or a new one if it is over; return the claim.

    The caller holds the network's lock.

    Raises:
        ConflictError: it was claimed (code "claimed-already"), or the network knows no address ("member-without-address").
        TooManyRequestsError: too many mails were sent (code "claim-sent-too-often").
        CustodyError: the link cannot be locked; nothing has changed.
    """
    _claimable(act, member)
    if address_of(act.session, member) is None:
        message = (
            "Expected a member with an e-mail address; this one has none. Make a code on paper, or post the address."
        )
        raise ConflictError("member-without-address", message)
    day = timedelta(days=1)
    if mailbox.claim_mails_since(act.session, member.id, act.now - day) >= MAILS_A_DAY:
        details = {"retry_after_seconds": int(day.total_seconds())}
        raise TooManyRequestsError("claim-sent-too-often", SENT_TOO_OFTEN, details=details)
    row = _open_link(act, runtime, member)
    if row.sends >= MAILS_IN_ALL:
        raise TooManyRequestsError("claim-sent-too-often", SENT_ENOUGH)
    row.sends += 1
    mailbox.queue_claim(act, row)
    return row


def make_code(act: Act, member: Member) -> tuple[Claim, str]:
    """Make a code on paper for a member without e-mail address, in place of an earlier one; return it too.

    It is shown once. The caller holds the network's lock.

    Raises:
        ConflictError: it was claimed (code "claimed-already"), or the member has an address ("member-has-address").
    """
    _claimable(act, member)
    if address_of(act.session, member) is not None:
        message = "Expected a member without e-mail address; this one has one, to which a link is sent instead."
        raise ConflictError("member-has-address", message)
    replace_open(act.session, [member.id])
    code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    row = _new(act, member, "paper", code, act.now + CODE_FOR)
    return row, as_printed(code)


def make_codes(act: Act, refs: Sequence[str]) -> list[MadeCode]:
    """Make a code on paper for each of several members, in the order of their refs; a ref that came twice counts once.

    Raises:
        NotFoundError: a member is unknown (code "member-unknown"), with a pointer to the ref.
        ConflictError: as `make_code`, with a pointer to the ref.
    """
    made = []
    for place, ref in enumerate(refs):
        if ref in refs[:place]:
            continue
        try:
            member = held(act, ref)
            row, code = make_code(act, member)
        except ServiceError as error:
            error.pointer = f"/members/{place}"
            raise
        made.append(MadeCode(member, row, code))
    return made


def made_by_network(act: Act) -> None:
    """Let a network's own token pass: with a member's, nobody makes a claim for themself or for others.

    Raises:
        ForbiddenError: the token is bound to a member (code "claim-bound-token").
    """
    if act.caller is not None and act.caller.member_id is not None:
        message = "Expected a token that is bound to no member: members do not make claims, for themselves or others."
        raise ForbiddenError("claim-bound-token", message)


def state_of(session: OrmSession, member: Member) -> ClaimState:
    """Return how far the claim of a member is."""
    person = None if member.person_id is None else session.get_one(Person, member.person_id)
    newest = session.scalar(
        select(Claim).where(Claim.member_id == member.id).order_by(Claim.made_at.desc(), Claim.id.desc()).limit(1)
    )
    return ClaimState(None if person is None else person.claimed_at, newest, _newest_mail(session, member))


def _newest_mail(session: OrmSession, member: Member) -> str | None:
    """Return the state of the newest mail that leads a member to what they earned."""
    earned = select(Credential.id).join(Award, Award.id == Credential.award_id).where(Award.member_id == member.id)
    awarded = (Message.kind == "awarded") & Message.credential_id.in_(earned)
    again = (Message.kind == "claim") & (Message.member_id == member.id)
    return session.scalar(select(Message.state).where(awarded | again).order_by(Message.id.desc()).limit(1))


def open_claim(session: OrmSession, member_id: UUID, now: datetime) -> Claim | None:
    """Return the claim of a member that can be used now."""
    return session.scalar(
        select(Claim).where(Claim.member_id == member_id, Claim.state == "open", Claim.expires_at > now)
    )


def is_claimed(session: OrmSession, member: Member) -> bool:
    """Return whether what a member has earned is in an account."""
    found = select(Person.account_id).where(Person.id == member.person_id)
    return session.scalar(found) is not None


def address_of(session: OrmSession, member: Member) -> str | None:
    """Return the e-mail address that the network gave a member."""
    found = select(Identity.value).where(Identity.person_id == member.person_id, Identity.kind == "email")
    return session.scalar(found.order_by(Identity.proved_at.is_(None), Identity.id).limit(1))


def is_for(row: Claim, address: str) -> bool:
    """Return whether the link of a claim was sent to an address."""
    return row.address_sha256 == address_digest(row.id, address)


def unlocked(runtime: Runtime, row: Claim) -> str:
    """Return the secret of a link.

    Raises:
        CustodyError: it cannot be unlocked.
    """
    assert row.locked is not None
    return runtime.custody.unlock(row.locked, _name(row.id)).decode()


def as_printed(code: str) -> str:
    """Return a code in groups of four: BCDF-GHJK-MNPQ-RTVW."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def as_stored(typed: str) -> str:
    """Return the letters of a code that somebody typed, with or without hyphens, in any case."""
    return "".join(letter for letter in typed.upper() if letter in LETTERS)[: CODE_LENGTH + 1]


def credentials_of(session: OrmSession, person_id: UUID | None, member_id: UUID) -> Sequence[Credential]:
    """Return the badges that are claimed together: those of every member who is the person, the newest first."""
    mine = select(Member.id).where((Member.id == member_id) | (Member.person_id == person_id))
    shown = (Credential.superseded_by.is_(None), Credential.revoked_at.is_(None))
    query = select(Credential).join(Award, Award.id == Credential.award_id).where(Award.member_id.in_(mine), *shown)
    return session.scalars(query.order_by(Credential.issued_at.desc(), Credential.id)).all()


def replace_open(session: WriteSession, member_ids: Collection[UUID]) -> None:
    """Have the open claims of members work no longer."""
    for row in session.scalars(select(Claim).where(Claim.member_id.in_(member_ids), Claim.state == "open")):
        row.state, row.locked = "replaced", None
    session.flush()


def forget(session: WriteSession, member_id: UUID) -> None:
    """Delete the claims of a member, with the mails about them."""
    session.execute(delete(Claim).where(Claim.member_id == member_id))


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete claims that were over long ago; return how many."""
    count = 0
    while go_on():
        with runtime.database.read() as session:
            old = Claim.expires_at < runtime.now() - KEPT_FOR
            found = session.scalars(select(Claim.id).where(old).limit(BATCH)).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(Claim).where(Claim.id.in_(found)))
        count += len(found)
    return count


def held(act: Act, ref: str) -> Member:
    """Return a member, and let nobody else change or claim it until the commit.

    Raises:
        NotFoundError: the network has none (code "member-unknown").
        ErasedError: they were erased (code "member-erased").
    """
    return members.still_known(members.held(act, ref))


def _claimable(act: Act, member: Member) -> None:
    if is_claimed(act.session, member):
        raise ConflictError("claimed-already", "Expected a member whom nobody has claimed; this one is in an account.")


def _open_link(act: Act, runtime: Runtime, member: Member) -> Claim:
    """Return the link that is open for the member's address, or make it."""
    address = address_of(act.session, member)
    assert address is not None
    row = open_claim(act.session, member.id, act.now)
    if row is not None and is_for(row, address):
        return row
    replace_open(act.session, [member.id])
    return _new(act, member, "mail", secrets.token_urlsafe(SECRET_BYTES), act.now + LINK_FOR, runtime, address)


def _new(
    act: Act,
    member: Member,
    means: str,
    secret: str,
    expires_at: datetime,
    runtime: Runtime | None = None,
    address: str | None = None,
) -> Claim:
    row_id = new_id()
    row = Claim(
        id=row_id,
        network_id=act.network.id,
        member_id=member.id,
        means=means,
        secret_sha256=digest_of(secret),
        locked=None if runtime is None else runtime.custody.lock(secret.encode(), _name(row_id)),
        address_sha256=None if address is None else address_digest(row_id, address),
        made_at=act.now,
        expires_at=expires_at,
    )
    act.session.add(row)
    act.session.flush()  # before the mail that refers to it
    return row


def address_digest(claim_id: UUID, address: str) -> str:
    """Return what is stored of the address to which a link was sent."""
    return hashlib.sha256(f"{claim_id} {normal(address)}".encode()).hexdigest()


def _name(claim_id: UUID) -> str:
    """Return the name under which the secret of a link is locked: it opens for no other claim."""
    return f"claim {claim_id}"
