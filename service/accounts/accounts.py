"""Accounts and the addresses that belong to them."""

import unicodedata
from collections.abc import Collection
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.accounts.addresses import normal
from service.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError
from service.outbox import mailbox
from service.storage import locks
from service.storage.database import WriteSession, insert_for
from service.tables import Account, AccountAddress
from service.tables.identifiers import new_id
from service.texts.display_names import one_line
from service.texts.languages import LANGUAGES, N_

MAX_NAME: Final = 300
MOST_ADDRESSES: Final = 10
MAILS_TO_CHOOSE: Final = ("awarded", "expiring", "guidelines")
"""Kinds of messages that somebody can do without; all others say what they must know."""

TAKEN = N_("This address belongs to another account.")
FULL = N_("An account can have up to 10 addresses. Remove one first.")
LAST = N_("This is the only address of your account. Add another one first.")
GONE = N_("Your account does not have this address any more.")
SIGNED_OUT = N_("You are signed out. Sign in and try again. We did not keep what you sent.")
TOO_LONG = N_("A name can have up to 300 characters.")


def with_address(
    session: WriteSession, address: str, now: datetime, *, into: Account | None = None, may_be_taken: bool = False
) -> Account:
    """Return the account that has a proved address; without one, make it.

    Two people who prove one new address at the same moment get one account. The other addresses of an account are told
    that one was added.

    Args:
        address: the caller has proved it.
        into: the account to which it is added.
        may_be_taken: return the account that has it, also if it is another one than `into`.
    Raises:
        ConflictError: it belongs to another account than `into` (code "address-taken"), or that has too many (code
            "addresses-full").
    """
    address = normal(address)
    held = _holder(session, address)
    if held is None:
        held = _added(session, address, now, into)
    if into is None or held.account_id == into.id:
        return locked(session, held.account_id)
    if not may_be_taken:
        raise ConflictError("address-taken", TAKEN)
    # Not locked: two people who add each other's address would wait for each other for ever.
    return session.get_one(Account, held.account_id)


def _added(session: WriteSession, address: str, now: datetime, into: Account | None) -> AccountAddress:
    account = into or new_account(session, now)
    others = _addresses(session, account)
    if len(others) >= MOST_ADDRESSES:
        raise ConflictError("addresses-full", FULL)
    row = {"id": new_id(), "account_id": account.id, "value": address, "proved_at": now, "kept": not others}
    added = insert_for(session)(AccountAddress).values(row).on_conflict_do_nothing(index_elements=["value"])
    session.execute(added)
    held = _holder(session, address)
    assert held is not None  # it was added, or was there
    if held.id == row["id"]:
        for other in others:
            mailbox.queue_notice(session, other.id, "address-added", now)
    elif into is None and held.account_id != account.id:
        session.delete(account)
        session.flush()
    return held


def new_account(session: WriteSession, now: datetime) -> Account:
    """Add an account without addresses."""
    account = Account(id=new_id(), created_at=now)
    session.add(account)
    session.flush()  # before the rows that refer to it, which are not related as objects
    return account


def locked(session: WriteSession, account_id: UUID, *, alone: bool = False) -> Account:
    """Lock an account and return it as it is now; lock it before all other rows.

    Others can still write rows that refer to it. Who joins accounts, or deletes one, waits.

    Args:
        alone: nobody else can write rows that refer to it.
    Raises:
        UnauthenticatedError: it was deleted, or became part of another one, in this moment (code "signed-out").
    """
    row = locks.one_or_none(session, Account, Account.id == account_id, key_share=not alone)
    if row is None:
        raise UnauthenticatedError("signed-out", SIGNED_OUT)
    return row


def addresses_of(session: OrmSession, account: Account) -> list[AccountAddress]:
    """Return the proved addresses of an account, the kept one first."""
    return sorted(_addresses(session, account), key=lambda each: (not each.kept, each.proved_at, each.value))


def tell(session: WriteSession, account: Account, notice: str, now: datetime) -> None:
    """Have all addresses of an account told what happened to it.

    Args:
        notice: a key of `service.notifications.letters.notices`.
    """
    for address in _addresses(session, account):
        mailbox.queue_notice(session, address.id, notice, now)


def keep(session: WriteSession, account: Account, address_id: UUID | None) -> None:
    """Choose the address to which mails go.

    Raises:
        NotFoundError: the account has no such address (code "own-address-unknown").
    """
    chosen = _own(session, account, address_id)
    for each in _addresses(session, account):
        each.kept = False
    session.flush()  # before another one is kept: only one may be
    chosen.kept = True
    mark_behind(account, "address")


def take_away(session: WriteSession, account: Account, address_id: UUID | None, now: datetime) -> str:
    """Remove an address from an account, and return it; the others are told (`way_out.remove` tells it too).

    If mails went to it, they go to the one that was proved first then.

    Raises:
        NotFoundError: the account has no such address (code "own-address-unknown").
        ConflictError: it has no other one (code "address-last").
    """
    gone = _own(session, account, address_id)
    value, was_kept = gone.value, gone.kept
    others = [each for each in addresses_of(session, account) if each.id != gone.id]
    if not others:
        raise ConflictError("address-last", LAST)
    session.delete(gone)
    session.flush()  # before another one is kept: only one may be
    others[0].kept = others[0].kept or was_kept
    if was_kept:
        mark_behind(account, "address")
    tell(session, account, "address-removed", now)
    return value


def rename(account: Account, name: str) -> None:
    """Set the name that somebody wants on their badges; without characters, none.

    Raises:
        InvalidError: it is too long (code "name-too-long").
    """
    clean = one_line(unicodedata.normalize("NFC", name), 2 * MAX_NAME, gap=" ")
    if len(clean) > MAX_NAME:
        raise InvalidError("name-too-long", TOO_LONG, "/name")
    if account.name != (clean or None):
        account.name = clean or None
        mark_behind(account, "name")


def mark_behind(account: Account, what: Literal["name", "address"]) -> None:
    """Note that the badges of an account do not say yet what it says now; they are signed again soon.

    Args:
        what: address: the name is looked at too.
    """
    account.badges_behind = "address" if "address" in (what, account.badges_behind) else what


def choose_mails(account: Account, language: str, wanted: Collection[str]) -> None:
    """Set the language of mails, and which of `MAILS_TO_CHOOSE` somebody wants."""
    account.language = language if language in LANGUAGES else account.language
    account.mails_off = [kind for kind in MAILS_TO_CHOOSE if kind not in wanted]


def _own(session: WriteSession, account: Account, address_id: UUID | None) -> AccountAddress:
    found = next((each for each in _addresses(session, account) if each.id == address_id), None)
    if found is None:
        raise NotFoundError("own-address-unknown", GONE)
    return found


def _addresses(session: OrmSession, account: Account) -> list[AccountAddress]:
    query = select(AccountAddress).where(AccountAddress.account_id == account.id)
    return list(session.scalars(query.order_by(AccountAddress.id)))


def _holder(session: OrmSession, address: str) -> AccountAddress | None:
    return session.scalar(select(AccountAddress).where(AccountAddress.value == address))
