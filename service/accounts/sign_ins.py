"""Browsers in which people are signed in.

Each has a secret in a cookie; its SHA-256 is stored. A sign-in ends a month after it was last used, or half a year after
it began.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from service.accounts import accounts
from service.accounts.sign_in import BATCH, SECRET_BYTES, digest_of
from service.errors import UnauthenticatedError
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage.database import WriteSession
from service.tables import Account, SignIn

UNUSED_FOR: Final = timedelta(days=30)
LONGEST: Final = timedelta(days=180)
LATELY: Final = timedelta(hours=1)
"""How long ago somebody signed in who may change who can sign in to their account."""
NOTED_EVERY: Final = timedelta(hours=1)
"""How exactly is known when a sign-in was last used."""


@dataclass(frozen=True)
class SignedIn:
    """Somebody who is signed in: their account, and the sign-in of this browser.

    `form_secret` is a secret of the sign-in that stands in every form, so that no other site can send one.
    """

    account_id: UUID
    sign_in_id: UUID
    began_at: datetime
    form_secret: str
    is_stale: bool

    def is_lately(self, now: datetime) -> bool:
        """Return whether the person signed in in the last hour, and did not only go on."""
        return now - self.began_at < LATELY

    def account(self, session: OrmSession) -> Account:
        """Return the row of the account; to write, it is locked (`accounts.locked`).

        Raises:
            UnauthenticatedError: it was deleted in this moment (code "signed-out").
        """
        if isinstance(session, WriteSession):
            return accounts.locked(session, self.account_id)
        row = session.get(Account, self.account_id)
        if row is None:
            raise UnauthenticatedError("signed-out", accounts.SIGNED_OUT)
        return row


def begin(
    session: WriteSession,
    account: Account,
    *,
    means: str,
    browser: str,
    now: datetime,
    instead_of: str | None = None,
) -> str:
    """Sign somebody in; return the secret for the cookie, which is always a new one.

    Args:
        means: link, code, passkey, openid, claim or return.
        browser: what to call the browser in the list of sign-ins.
        instead_of: the secret that the browser had until now; that sign-in, of whichever account, ends.
    """
    if instead_of:
        session.execute(delete(SignIn).where(SignIn.secret_sha256 == digest_of(instead_of)))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    row = SignIn(
        account_id=account.id,
        secret_sha256=digest_of(secret),
        means=means,
        browser=browser[:100],
        began_at=now,
        used_at=now,
        expires_at=now + UNUSED_FOR,
    )
    session.add(row)
    return secret


def find(session: OrmSession, secret: str, now: datetime) -> SignedIn | None:
    """Return who is signed in with the secret of a cookie; None if nobody is."""
    row = session.scalar(select(SignIn).where(SignIn.secret_sha256 == digest_of(secret), SignIn.expires_at > now))
    if row is None:
        return None
    form_secret = hmac.digest(secret.encode(), b"forms", "sha256").hex()
    return SignedIn(row.account_id, row.id, row.began_at, form_secret, now - row.used_at >= NOTED_EVERY)


def note_use(session: WriteSession, sign_in_id: UUID, now: datetime) -> None:
    """Write down that a sign-in is used; it ends later then."""
    row = session.get(SignIn, sign_in_id)
    if row is not None:
        row.used_at, row.expires_at = now, min(now + UNUSED_FOR, row.began_at + LONGEST)


def end(session: WriteSession, account_id: UUID, sign_in_id: UUID) -> bool:
    """End one sign-in of an account; return whether there was one."""
    found = delete(SignIn).where(SignIn.account_id == account_id, SignIn.id == sign_in_id).returning(SignIn.id)
    return session.scalar(found) is not None


def end_all(session: WriteSession, account_id: UUID, *, but: UUID | None = None) -> int:
    """End every sign-in of an account, except one; return how many."""
    ended = delete(SignIn).where(SignIn.account_id == account_id, SignIn.id != but if but else SignIn.id.is_not(None))
    return len(session.scalars(ended.returning(SignIn.id)).all())


def list_of(session: OrmSession, account_id: UUID, now: datetime) -> list[SignIn]:
    """Return the sign-ins of an account that have not ended, the one used last first."""
    query = select(SignIn).where(SignIn.account_id == account_id, SignIn.expires_at > now)
    return list(session.scalars(query.order_by(SignIn.used_at.desc(), SignIn.id)))


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete sign-ins that have ended; return how many."""
    count = 0
    while go_on():
        with runtime.database.read() as session:
            query = select(SignIn.id).where(SignIn.expires_at <= runtime.now()).limit(BATCH)
            found = session.scalars(query).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(SignIn).where(SignIn.id.in_(found)))
        count += len(found)
    return count
