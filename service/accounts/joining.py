"""Make two accounts of one person one, and delete an account.

Somebody who is signed in to one account and adds an address that another account has, has proved by the mail that both
are theirs: with that mail they could sign in to the other one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.accounts import accounts, belongings, last_words
from service.accounts.sign_in import digest_of
from service.errors import NotFoundError
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.tables import Account, AccountAddress, SignInRequest
from service.texts.languages import ENGLISH, N_

OFFERED_FOR: Final = timedelta(minutes=15)
OVER = N_("This offer has ended. Add the address again to get a new email.")


@dataclass(frozen=True)
class Offer:
    """Two accounts that can become one: the address that was proved, and all that the other account has."""

    address: str
    addresses: list[str]


def offered(session: ReadSession, account_id: UUID, browser: str | None, now: datetime) -> Offer:
    """Return the offer to make the account of who is signed in and another one the same.

    Args:
        browser: the secret of the browser in which the address was proved.
    Raises:
        NotFoundError: the browser has proved no address of another account in the last minutes (code "joining-over").
    """
    request, other = _proved(session, account_id, browser, now)
    return Offer(request.address, [each.value for each in accounts.addresses_of(session, other)])


def join(session: WriteSession, account_id: UUID, browser: str | None, now: datetime) -> None:
    """Make everything of the other account that of this one, delete the other, and tell all addresses.

    It is one transaction, and happens once: the proof is used up. Both accounts are locked in the order of their ids.

    Raises:
        NotFoundError: as `offered`.
        UnauthenticatedError: the account was deleted in this moment (code "signed-out").
    """
    _, other = _proved(session, account_id, browser, now)
    rows = locks.rows(session, Account, Account.id.in_((account_id, other.id)))
    request, still = _proved(session, account_id, browser, now)  # as it is now that both are locked
    if len(rows) < 2 or still.id != other.id:
        raise NotFoundError("joining-over", OVER)
    account = session.get_one(Account, account_id)
    for address in accounts.addresses_of(session, other):
        address.kept = False
    account.name = account.name or other.name
    accounts.mark_behind(account, "name")
    account.language = account.language or other.language
    account.mails_off = sorted({*account.mails_off, *other.mails_off})
    session.delete(request)
    belongings.move(session, other.id, account.id)
    session.expire_all()
    session.delete(session.get_one(Account, other.id))
    session.flush()
    accounts.tell(session, account, "accounts-joined", now)


def delete(
    session: WriteSession,
    account_id: UUID,
    now: datetime,
    notice: str = "account-deleted",
    language: str | None = None,
) -> list[str]:
    """Delete an account with all that is only its own, tell its addresses, and return them.

    Badges stay with their networks. Links to sign in that are on their way work no more.

    Args:
        notice: what the addresses are told, a key of `service.notifications.letters.notices`.
        language: of that mail, if the account has chosen none.
    Raises:
        UnauthenticatedError: as `accounts.locked`.
    """
    account = accounts.locked(session, account_id, alone=True)
    told = [each.value for each in accounts.addresses_of(session, account)]
    language = account.language or language or ENGLISH.code
    session.execute(delete_rows(SignInRequest).where(SignInRequest.address.in_(told)))
    belongings.let_go(session, account.id)
    session.expire_all()
    session.delete(session.get_one(Account, account_id))
    session.flush()
    for address in told:
        last_words.say(session, address, language, notice, now)
    return told


def _proved(session: OrmSession, account_id: UUID, browser: str | None, now: datetime) -> tuple[SignInRequest, Account]:
    """Return the request by which the address of another account was proved, and that account."""
    query = (
        select(SignInRequest, Account)
        .join(AccountAddress, AccountAddress.value == SignInRequest.address)
        .join(Account, Account.id == AccountAddress.account_id)
        .where(
            SignInRequest.browser_sha256 == digest_of(browser or ""),
            SignInRequest.account_id == account_id,
            SignInRequest.used_at > now - OFFERED_FOR,
            Account.id != account_id,
        )
    )
    found = session.execute(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFoundError("joining-over", OVER)
    return found[0], found[1]
