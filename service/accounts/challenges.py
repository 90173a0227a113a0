"""Challenges to one browser: to use a passkey, or return from OpenID Connect.

The browser gets a secret in a cookie. All that it must show later is derived from the secret, so that the row gives
nothing away, and what is shown in another browser is worth nothing. A challenge is taken up once, well or badly.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, select

from service.accounts.sign_in import BATCH, SECRET_BYTES, digest_of
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage.database import WriteSession
from service.tables import SignInChallenge

Purpose = Literal["passkey", "add-passkey", "openid"]
OPEN_FOR: Final = timedelta(minutes=10)
"""People look for their key, or type a password elsewhere."""


@dataclass(frozen=True)
class Challenge:
    """A challenge that was taken up; `secret` is that of the browser."""

    secret: str
    account_id: UUID | None
    onward: str


def begin(
    session: WriteSession, purpose: Purpose, now: datetime, *, onward: str = "", account_id: UUID | None = None
) -> str:
    """Add a challenge; return the secret for the cookie of its browser."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    row = SignInChallenge(
        purpose=purpose,
        browser_sha256=digest_of(secret),
        account_id=account_id,
        onward=onward,
        expires_at=now + OPEN_FOR,
    )
    session.add(row)
    return secret


def take_up(session: WriteSession, secret: str | None, purpose: Purpose, now: datetime) -> Challenge | None:
    """Return the open challenge of a browser, which is over with that; None if there is none."""
    if secret is None:
        return None
    found = delete(SignInChallenge).where(
        SignInChallenge.browser_sha256 == digest_of(secret), SignInChallenge.purpose == purpose
    )
    rows = found.returning(SignInChallenge.account_id, SignInChallenge.onward, SignInChallenge.expires_at)
    row = session.execute(rows).one_or_none()
    if row is None or now >= row.expires_at:
        return None
    return Challenge(secret, row.account_id, row.onward)


def derived(secret: str, what: str) -> bytes:
    """Return 32 bytes that only somebody with the secret of the browser can know, for one use."""
    return hmac.digest(secret.encode(), what.encode(), hashlib.sha256)


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete challenges that nobody took up in time; return how many."""
    count = 0
    while go_on():
        with runtime.database.read() as session:
            query = select(SignInChallenge.id).where(SignInChallenge.expires_at <= runtime.now()).limit(BATCH)
            found = session.scalars(query).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(SignInChallenge).where(SignInChallenge.id.in_(found)))
        count += len(found)
    return count
