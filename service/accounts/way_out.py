"""Let an address that was removed from an account sign everybody out of it.

It does not come back: the one who reads the mailbox now may be the one because of whom it was removed. Somebody who lost
their account so gets their badges back with the help of colleagues.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.accounts import accounts, last_words, sign_ins
from service.accounts.sign_in import SECRET_BYTES, digest_of
from service.errors import NotFoundError
from service.runtime.runtime import Runtime
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Account, SignInRequest
from service.texts.languages import ENGLISH, N_

OPEN_FOR: Final = timedelta(days=7)
OVER = N_("This link no longer works. It works once, within 7 days.")


def remove(session: WriteSession, runtime: Runtime, account: Account, address_id: UUID | None, now: datetime) -> None:
    """Remove an address from an account, and send it the way out.

    The way out stands in the request in which the address is kept. No other request to sign in names an account.

    Raises:
        NotFoundError, ConflictError: as `accounts.take_away`.
        CustodyError: the secret of the link cannot be locked; nothing has changed.
    """
    address, secret = accounts.take_away(session, account, address_id, now), secrets.token_urlsafe(SECRET_BYTES)
    row = last_words.say(session, address, account.language or ENGLISH.code, "address-removed", now)
    row.account_id, row.expires_at, row.link_sha256 = account.id, now + OPEN_FOR, digest_of(secret)
    row.locked = runtime.custody.lock(secret.encode(), _locked_as(row.id))


def secret_of(runtime: Runtime, row: SignInRequest) -> str | None:
    """Return the secret of a way out, for its mail; None if the request has none.

    Raises:
        CustodyError: it cannot be unlocked.
    """
    is_one = row.purpose == "sign-in" and row.account_id is not None
    return runtime.custody.unlock(row.locked, _locked_as(row.id)).decode() if is_one else None


def find(session: OrmSession, secret: str, now: datetime) -> SignInRequest:
    """Return the way out that a link is.

    Raises:
        NotFoundError: there is none, or it is over (code "way-out-over").
    """
    query = select(SignInRequest).where(SignInRequest.link_sha256 == digest_of(secret), SignInRequest.expires_at > now)
    row = session.scalar(query.where(SignInRequest.purpose == "sign-in", SignInRequest.account_id.is_not(None)))
    if row is None:
        raise NotFoundError("way-out-over", OVER)
    return row


def use(session: WriteSession, secret: str, now: datetime) -> None:
    """Sign everybody out of the account from which an address was removed, and tell its other addresses.

    Raises:
        NotFoundError: as `find`.
        UnauthenticatedError: as `accounts.locked`.
    """
    seen = find(session, secret, now)
    assert seen.account_id is not None  # as `find` asks
    account = accounts.locked(session, seen.account_id)
    row = locks.one_or_none(session, SignInRequest, SignInRequest.id == seen.id, SignInRequest.expires_at > now)
    if row is None or row.account_id != account.id:
        raise NotFoundError("way-out-over", OVER)
    row.expires_at = now
    sign_ins.end_all(session, account.id)
    accounts.tell(session, account, "way-out-used", now)


def _locked_as(request_id: UUID) -> str:
    """Return the name under which the secret of a way out is locked: it opens for no other one."""
    return f"way out {request_id}"
