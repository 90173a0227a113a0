"""Accounts and the addresses that belong to them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.errors import ConflictError, UnauthenticatedError
from service.outbox import mailbox
from service.storage.database import WriteSession, insert_for
from service.tables import Account, AccountAddress
from service.tables.identifiers import new_id
from service.texts.languages import N_

SIGNED_OUT = N_("You are signed out. Sign in and try again. We kept nothing of what you sent.")
TAKEN = N_("This address belongs to another account.")


def with_address(session: WriteSession, address: str, now: datetime, *, into: Account | None = None) -> Account:
    """Return the account that has a proved address; without one, make it.

    Two people who prove one new address at the same moment get one account.

    Args:
        address: in lower case; the caller has proved it.
        into: the account to which it is added.
    Raises:
        ConflictError: it belongs to another account than `into` (code "address-taken").
    """
    held = _holder(session, address)
    if held is None:
        account = into or new_account(session, now)
        first = _addresses(session, account) == []
        row = {"id": new_id(), "account_id": account.id, "value": address, "proved_at": now, "kept": first}
        added = insert_for(session)(AccountAddress).values(row).on_conflict_do_nothing(index_elements=["value"])
        session.execute(added)
        held = _holder(session, address)
        assert held is not None  # it was added, or was there
        if held.account_id != account.id and into is None:
            session.delete(account)
            session.flush()
    if into is not None and held.account_id != into.id:
        raise ConflictError("address-taken", TAKEN)
    return session.get_one(Account, held.account_id)


def new_account(session: WriteSession, now: datetime) -> Account:
    """Add an account without addresses."""
    account = Account(id=new_id(), created_at=now)
    session.add(account)
    session.flush()  # before the rows that refer to it, which are not related as objects
    return account


def locked(session: WriteSession, account_id: UUID) -> Account:
    """Lock an account and return it as it is now; lock it before all other rows.

    Others can still write rows that refer to it. Who joins accounts, or deletes one, waits.

    Raises:
        UnauthenticatedError: it was deleted, or became part of another one, in this moment (code "signed-out").
    """
    query = select(Account).where(Account.id == account_id).with_for_update(key_share=True)
    row = session.scalar(query.execution_options(populate_existing=True))
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


def _addresses(session: OrmSession, account: Account) -> list[AccountAddress]:
    return list(session.scalars(select(AccountAddress).where(AccountAddress.account_id == account.id)))


def _holder(session: OrmSession, address: str) -> AccountAddress | None:
    return session.scalar(select(AccountAddress).where(AccountAddress.value == address))
