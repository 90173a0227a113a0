"""What a mailed link or a code on paper offers, and what became of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.accounts.addresses import normal
from service.accounts.sign_in import digest_of
from service.errors import NotFoundError
from service.sharing import claims
from service.tables import AccountAddress, Claim, Credential, Member, Network, Person
from service.texts.languages import N_

Standing = Literal["open", "yours", "used", "expired", "replaced", "released", "moved"]
"""What became of a link or code. `yours`: in the account of who asks; `moved`: the network has another address now."""
Hindrance = Literal["sign-in", "other-account"]

UNKNOWN = N_("This link is not complete, or it was deleted. Open the link in the newest email about your badge.")
WRONG_CODE = N_("There is no such code. Check each letter: a code has 16 letters.")
SAID = {
    "used": N_("This was already used. If it was not you, look for an email that tells you how to undo it."),
    "expired": N_("This has expired."),
    "released": N_("It was used, and that was undone. The badges are not in any account now."),
    "replaced": N_("There is a newer one. Use that one."),
    "moved": N_("The network that awarded the badge now has a different address for you, or none."),
    "yours": N_("You have claimed this already."),
}


@dataclass(frozen=True)
class NamedBadge:
    """A badge as a list of badges shows it."""

    id: str
    name: str


@dataclass(frozen=True)
class Offer:
    """What can be claimed, as its page shows it before anything happens.

    `address` is masked, or "" for a code. `hindrance` is what somebody must do first; `again`: a new link can be sent.
    """

    network: Network
    badges: Sequence[Credential]
    address: str
    standing: Standing
    hindrance: Hindrance | None
    again: bool

    @property
    def said(self) -> str:
        """What became of it, in a sentence; "" while it is open."""
        return SAID.get(self.standing, "")

    @property
    def named(self) -> list[NamedBadge]:
        """The badges with their names."""
        return [NamedBadge(each.id, _name(each)) for each in self.badges]


def _name(row: Credential) -> str:
    return str(json.loads(row.signed)["credentialSubject"]["achievement"]["name"])


def offered_by_link(session: OrmSession, link: str, account_id: UUID | None, now: datetime) -> Offer:
    """Return what a mailed link offers.

    Args:
        account_id: of who is signed in, if anybody is.
    Raises:
        NotFoundError: there is no such link (code "claim-unknown").
    """
    return offer_of(session, claim_by_link(session, link), account_id, now)


def offered_by_code(session: OrmSession, typed: str, account_id: UUID, now: datetime) -> Offer:
    """Return what a code on paper offers to somebody who is signed in.

    Raises:
        NotFoundError: there is no such code (code "claim-code-unknown").
    """
    return offer_of(session, claim_by_code(session, typed), account_id, now)


def masked(address: str) -> str:
    """Return an address in a form that only its owner recognises: m**@river.example.org."""
    local, _, host = address.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}**@{host}"


def offer_of(session: OrmSession, row: Claim, account_id: UUID | None, now: datetime) -> Offer:
    """Return what a claim offers to an account, or to somebody who is not signed in."""
    member = session.get_one(Member, row.member_id)
    address = claims.address_of(session, member)
    fits = claims.is_for(row, address) if address is not None and row.means != "paper" else False
    person = person_of(session, row)
    claimed_by = None if person is None else person.account_id
    standing: Standing
    if claimed_by is not None:
        standing = "yours" if claimed_by == account_id else "used"
    elif (row.means == "mail" and not fits) or (row.means == "paper" and address is not None):
        standing = "moved"
    elif row.state != "open":
        standing = "replaced" if row.state == "replaced" else "released"
    else:
        standing = "open" if now < row.expires_at else "expired"
    hindrance: Hindrance | None = None
    holder = holder_of(session, address) if address is not None and fits else None
    if holder not in (None, account_id):
        hindrance = "sign-in" if account_id is None else "other-account"
    return Offer(
        network=session.get_one(Network, row.network_id),
        badges=claims.credentials_of(session, member.person_id, member.id),
        address=masked(address) if address is not None and fits else "",
        standing=standing,
        hindrance=hindrance,
        again=fits and claimed_by is None and standing != "open",
    )


def claim_by_link(session: OrmSession, link: str) -> Claim:
    """Return the claim behind a mailed link.

    Raises:
        NotFoundError: there is none (code "claim-unknown").
    """
    row = session.scalar(select(Claim).where(Claim.secret_sha256 == digest_of(link), Claim.means == "mail"))
    if row is None:
        raise NotFoundError("claim-unknown", UNKNOWN)
    return row


def claim_by_code(session: OrmSession, typed: str) -> Claim:
    """Return the claim behind a code that somebody typed.

    Raises:
        NotFoundError: there is none (code "claim-code-unknown").
    """
    secret = digest_of(claims.as_stored(typed))
    row = session.scalar(select(Claim).where(Claim.secret_sha256 == secret, Claim.means == "paper"))
    if row is None:
        raise NotFoundError("claim-code-unknown", WRONG_CODE)
    return row


def holder_of(session: OrmSession, address: str) -> UUID | None:
    """Return the account to which an address belongs."""
    return session.scalar(select(AccountAddress.account_id).where(AccountAddress.value == normal(address)))


def person_of(session: OrmSession, row: Claim) -> Person | None:
    """Return the person behind the member of a claim."""
    of = select(Member.person_id).where(Member.id == row.member_id).scalar_subquery()
    return session.scalar(select(Person).where(Person.id == of))
