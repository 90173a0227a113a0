"""Take an address from an account that got it without being its owner."""

from uuid import UUID

from sqlalchemy import select

from service.accounts import sign_ins
from service.accounts.addresses import normal
from service.storage.database import WriteSession
from service.tables import AccountAddress


def withdraw(session: WriteSession, account_id: UUID, address: str) -> bool:
    """Take an address from an account; return whether it had it.

    Mails go to the address that was proved first then, if they went to this one. Where none is left, nobody stays signed
    in with the account.
    """
    query = select(AccountAddress).where(AccountAddress.account_id == account_id).with_for_update()
    rows = {row.value: row for row in session.scalars(query.order_by(AccountAddress.proved_at, AccountAddress.id))}
    taken = rows.pop(normal(address), None)
    if taken is None:
        return False
    was_kept = taken.kept
    session.delete(taken)
    session.flush()
    if not rows:
        sign_ins.end_all(session, account_id)
    elif was_kept:
        next(iter(rows.values())).kept = True
        session.flush()
    return True
