"""Let go of an account whose person has another one now."""

from uuid import UUID

from sqlalchemy import delete

from service.accounts import sign_ins
from service.storage.database import WriteSession
from service.tables import Account, AccountAddress, SignInRequest


def let_go(session: WriteSession, account_id: UUID, into: Account) -> None:
    """Leave an account empty: it has no address and no sign-in, and gets none by a mail that was asked for.

    Who proves one of its addresses later gets an account of their own.

    Args:
        into: the account of the person now; it takes the name and the language that it lacks.
    """
    old = session.get_one(Account, account_id)
    into.name, into.language, old.name = into.name or old.name, into.language or old.language, None
    sign_ins.end_all(session, account_id)
    session.execute(delete(SignInRequest).where(SignInRequest.account_id == account_id))
    session.execute(delete(AccountAddress).where(AccountAddress.account_id == account_id))
