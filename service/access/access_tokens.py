"""Exchange a token for a short-lived one: the client credentials of OAuth 2.

The client is the token: its id is the client's id, its text the secret. An access token is a row with a digest, as a
token is: the service has no key that all processes share, and a row ends with its token at once.

Spec: RFC 6749, section 4.4.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from service.access import callers
from service.access.callers import SCOPES, Caller
from service.errors import InvalidError, UnauthenticatedError
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage.database import ReadSession, WriteSession
from service.tables import AccessToken, Token
from service.tables.identifiers import ACCESS, new_access_token

LIFETIME = timedelta(hours=1)
LIVE = 100
"""How many access tokens of one token are good at once: one more ends the oldest."""
SWEPT_AT_ONCE = 1000


@dataclass(frozen=True)
class Granted:
    """A new access token: its text, which is shown only this once, its scopes, and for how many seconds it is good."""

    text: str
    scopes: tuple[str, ...]
    seconds: int


def client(session: ReadSession, client_id: str, secret: str, now: datetime) -> Caller:
    """Return the caller that a client is.

    Raises:
        UnauthenticatedError: no token has this id and this text, or it is no longer good (code "token-unknown").
    """
    caller: Caller | None = None
    if not secret.startswith(ACCESS):
        with suppress(UnauthenticatedError):
            caller, _ = callers.authenticate(session, secret, now)
    if caller is None or str(caller.token_id) != client_id.lower():
        message = "Expected a token's id as client id and its text as client secret, neither revoked nor expired."
        raise UnauthenticatedError("token-unknown", message)
    return caller


def grant(session: WriteSession, caller: Caller, scope: str | None, now: datetime) -> Granted:
    """Give out an access token with the scopes that are asked for, or with all that the caller has.

    Raises:
        InvalidError: the caller does not have one of the scopes (code "scope-unknown").
        UnauthenticatedError: its token was revoked meanwhile (code "token-revoked").
    """
    scopes = tuple(sorted(caller.scopes if scope is None else _narrowed(caller, scope)))
    # Of one token one at a time; writes that are made with it go on.
    locked = select(Token).where(Token.id == caller.token_id).with_for_update(key_share=True)
    token = session.scalars(locked.execution_options(populate_existing=True)).one()
    callers.still_good(session, caller)
    expires_at = min(now + LIFETIME, token.expires_at)
    mine = AccessToken.token_id == token.id
    kept = select(AccessToken.sha256).where(mine, AccessToken.expires_at > now)
    kept = kept.order_by(AccessToken.created_at.desc(), AccessToken.sha256).limit(LIVE - 1)
    session.execute(delete(AccessToken).where(mine, AccessToken.sha256.not_in(kept)))
    text = new_access_token()
    digest = callers.digest_of(text)
    row = AccessToken(sha256=digest, token_id=token.id, scopes=list(scopes), created_at=now, expires_at=expires_at)
    session.add(row)
    return Granted(text, scopes, int((expires_at - now).total_seconds()))


def forget_expired(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete access tokens that have expired; return how many."""
    now, count = runtime.now(), 0
    expired = select(AccessToken.sha256).where(AccessToken.expires_at <= now).limit(SWEPT_AT_ONCE)
    while go_on():
        with runtime.database.read() as session:
            if session.scalar(expired.limit(1)) is None:
                break
        with runtime.database.write() as session:
            gone = delete(AccessToken).where(AccessToken.sha256.in_(expired.with_for_update(skip_locked=True)))
            count += len(session.execute(gone.returning(AccessToken.sha256)).all())
    return count


def _narrowed(caller: Caller, scope: str) -> set[str]:
    """Return the scopes that a text names, separated by spaces, as far as the caller has them."""
    asked = set(scope.split(" "))
    has = caller.scopes | ({"read:basic"} if "read" in caller.scopes else set())
    if not asked <= has & SCOPES.keys():
        message = f"Expected scopes out of those of the token: {' '.join(sorted(has))}."
        raise InvalidError("scope-unknown", message)
    return asked
