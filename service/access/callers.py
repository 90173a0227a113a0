"""Who is calling, what they may do, and whose rows they may see."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session as OrmSession

from service.errors import ConflictError, ForbiddenError, NotFoundError, UnauthenticatedError
from service.tables import Network, Token

SCOPES = {
    "read": "read what the network has posted and what has been awarded",
    "members:write": "post members and sessions",
    "evidence:write": "post contributions, evaluations and files, and void records",
    "achievements:write": "define and publish achievements",
    "awards:write": "award by rule, revoke",
    "awards:override": "award where the rules do not (with a reason)",
    "awards:approve": "approve or decline what waits for a person; needs a token bound to a member",
    "awards:record": "record awards made earlier or elsewhere (with a reason)",
    "cases:write": "contest a refusal or a revocation, and speak in one's cases; needs a token bound to a member",
    "cases:decide": "decide the cases that one mediates; needs a token bound to a member",
    "cases:manage": (
        "see that there are cases, never what is said in them, give them mediators, and speak for members; needs a token"
        " that is bound to no member, or to one with the role admin"
    ),
    "webhooks:write": "have events sent to addresses; together with read",
    "admin": "create networks and their tokens; needs a token without a network",
}
USE_NOTED_EVERY = timedelta(minutes=10)
NETWORK_SCOPES = tuple(scope for scope in SCOPES if scope != "admin")

RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Caller:
    """The one who acts: the token, its network, and the member it is bound to, if any."""

    token_id: UUID
    network_id: UUID | None
    member_id: UUID | None
    scopes: frozenset[str]


def require_shared(secret: str, given: str | None) -> None:
    """Let a machine pass if it has the one token that the settings name.

    Raises:
        UnauthenticatedError: none was given (code "token-missing"), or another ("token-invalid").
    """
    if given is None:
        raise UnauthenticatedError("token-missing", "Expected the header `Authorization: Bearer <token>`.")
    if not hmac.compare_digest(secret.encode(), given.encode()):
        raise UnauthenticatedError("token-invalid", "Expected the token of the settings, got another one.")


def authenticate(session: OrmSession, secret: str, now: datetime) -> tuple[Caller, bool]:
    """Return the caller behind a bearer token, and whether to note its use again.

    Raises:
        UnauthenticatedError: unknown, expired or revoked (one code each, so that a programmer knows what to do).
    """
    token = session.scalar(select(Token).where(Token.sha256 == digest_of(secret)))
    if token is None:
        raise UnauthenticatedError("token-unknown", "Expected a token that this service has given out.")
    if token.revoked_at is not None:
        raise UnauthenticatedError("token-revoked", "Expected a valid token; this one was revoked.")
    if token.expires_at <= now:
        raise UnauthenticatedError("token-expired", "Expected a valid token; this one has expired.")
    stale = token.last_used_at is None or now - token.last_used_at > USE_NOTED_EVERY
    return Caller(token.id, token.network_id, token.member_id, frozenset(token.scopes)), stale


def still_good(session: OrmSession, caller: Caller) -> None:
    """Let a write pass if its token was not revoked since the request began.

    The token is locked until the commit: someone who revokes it (`revoke_token`) waits for the writes that are being
    made with it, and afterwards nothing is written with it.

    Raises:
        UnauthenticatedError: it was revoked (code "token-revoked").
    """
    held = select(Token.revoked_at).where(Token.id == caller.token_id).with_for_update(read=True, key_share=True)
    if session.scalar(held) is not None:
        raise UnauthenticatedError("token-revoked", "Expected a valid token; this one was revoked.")


def note_use(session: OrmSession, caller: Caller, now: datetime) -> None:
    """Write down when the token was last used."""
    session.execute(update(Token).where(Token.id == caller.token_id).values(last_used_at=now))


def require(caller: Caller, *scopes: str) -> None:
    """Let the caller pass if it has one of the scopes.

    Raises:
        ForbiddenError: it has none of them (code "scope-missing").
    """
    if caller.scopes.isdisjoint(scopes):
        raise ForbiddenError("scope-missing", f"Expected a token with the scope {' or '.join(scopes)}.")


def network_of(session: OrmSession, caller: Caller, slug: str) -> Network:
    """Return the caller's network if its slug is `slug`.

    Raises:
        NotFoundError: another network's slug, which looks exactly like one that does not exist.
    """
    network = session.scalar(select(Network).where(Network.slug == slug))
    if network is None or caller.network_id != network.id:
        raise NotFoundError("network-unknown", "No network of this token has this slug.")
    return network


def own_network(session: OrmSession, caller: Caller) -> Network:
    """Return the network to which the caller's token is bound.

    Raises:
        NotFoundError: it is bound to none, like an admin token.
    """
    if caller.network_id is None:
        raise NotFoundError("network-unknown", "Expected the token of a network.")
    return session.get_one(Network, caller.network_id)


def still_open(network: Network) -> Network:
    """Return the network if it accepts anything new.

    Raises:
        ConflictError: it is closed (code "network-closed").
    """
    if network.state == "closed":
        raise ConflictError("network-closed", "Expected an open network; this one was closed and takes nothing new.")
    return network


def owned(session: OrmSession, caller: Caller, row: type[RowT], *where: Any, noun: str | None = None) -> RowT:
    """Return the one row that fits, if it is in the caller's network.

    Args:
        row: a table with `network_id`.
        where: conditions on it.
        noun: what to call it in the error; the table's name by default.
    Raises:
        NotFoundError: none fits, or it is another network's.
    """
    table: Any = row
    found: RowT | None = session.scalar(select(row).where(table.network_id == caller.network_id, *where))
    if found is None:
        name = noun or table.__name__.lower()
        raise NotFoundError(f"{name}-unknown", f"No {name} of this network fits.")
    return found


def digest_of(secret: str) -> str:
    """Return what is stored of a token: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
