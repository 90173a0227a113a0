"""Release an account whose person has another one now.

They lost the mailbox of the old account.
"""

from typing import Final
from uuid import UUID

from service.accounts import belongings
from service.storage.database import WriteSession
from service.tables import Account

WAYS_IN: Final = (
    "account_addresses",
    "openid_identities",
    "passkeys",
    "sign_in_challenges",
    "sign_in_requests",
    "sign_ins",
)
"""The tables of what somebody signs in with, and where they are signed in."""


def let_go(session: WriteSession, account_id: UUID, into: Account) -> None:
    """Make everything of an account that of another one, but for the ways to sign in, and delete the account.

    Someone who has the old mailbox or an old device cannot sign in. The caller has locked both accounts.

    Args:
        into: the account of the person now; it takes the name and the language that it lacks.
    """
    old = session.get_one(Account, account_id)
    into.name, into.language = into.name or old.name, into.language or old.language
    into.mails_off = sorted({*into.mails_off, *old.mails_off})
    belongings.delete_from(session, account_id, WAYS_IN)
    belongings.move(session, account_id, into.id)
    session.expire_all()
    session.delete(session.get_one(Account, account_id))
    session.flush()
