"""Make, list and revoke tokens."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, not_, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.callers import OF_MEMBERS, SCOPES, digest_of
from service.errors import InvalidError, NotFoundError
from service.faults import wrong_word
from service.storage import locks
from service.storage.database import WriteSession
from service.storage.paging import Window, order, page
from service.tables import Member, Network, Token
from service.tables.identifiers import new_token


def create_token(
    session: OrmSession,
    *,
    name: str,
    scopes: Collection[str],
    network: Network | None,
    member: Member | None = None,
    now: datetime,
    expires_at: datetime,
) -> tuple[Token, str]:
    """Add a token and return its row and its text.

    The text is shown only this once and never stored.

    Raises:
        InvalidError: unknown scope, "admin" with a network or another scope without one, a scope that needs a member
            without one, expiry in the past.
    """
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        got = wrong_word(min(unknown), SCOPES) if unknown else "none"
        raise InvalidError("scope-unknown", f"Expected scopes out of {', '.join(SCOPES)}; got {got}.", "/scopes")
    if ("admin" in scopes) != (network is None) or (network is None and set(scopes) != {"admin"}):
        raise InvalidError(
            "scope-misplaced", "Expected the scope admin alone without a network, or other scopes with one.", "/scopes"
        )
    lost = [scope for scope in OF_MEMBERS if scope in scopes]
    if lost and member is None:
        message = (
            f"Expected a member for {', '.join(lost)}: only somebody can do that. Say whose token it is"
            " (`member`, or --member), or leave the scope out."
        )
        raise InvalidError("scope-needs-member", message, "/scopes")
    if expires_at <= now:
        raise InvalidError("expiry-past", "Expected an expiry in the future.", "/expires_at")
    secret = new_token()
    token = Token(
        name=name,
        sha256=digest_of(secret),
        scopes=sorted(scopes),
        network_id=network.id if network else None,
        member_id=member.id if member else None,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()
    return token, secret


def list_tokens(
    session: OrmSession,
    network: Network,
    now: datetime,
    *,
    window: Window,
    active: bool | None,
    sort: str | None = None,
) -> tuple[Sequence[Token], str | None]:
    """Return the network's tokens, never their text.

    `active` selects those that are (or are not) valid now; with the sort "-created_at" the newest come first.
    """
    query = select(Token).where(Token.network_id == network.id)
    if active is not None:
        good = and_(Token.revoked_at.is_(None), Token.expires_at > now)
        query = query.where(good if active else not_(good))
    return page(session, query, window, order(sort, created_at=(Token.id,)))


def get_token(session: OrmSession, token_id: str, network: Network | None = None) -> Token:
    """Return a token's row; of this network only, if one is given.

    Raises:
        NotFoundError: there is none (code "token-unknown").
    """
    try:
        token = session.get(Token, UUID(token_id))
    except ValueError:
        token = None
    if token is None or (network is not None and token.network_id != network.id):
        raise NotFoundError("token-unknown", "No token has this id.")
    return token


def bound_to(session: OrmSession, member_id: UUID, now: datetime) -> Sequence[UUID]:
    """Return the good tokens that are bound to a member."""
    mine = (Token.member_id == member_id, Token.revoked_at.is_(None), Token.expires_at > now)
    return session.scalars(select(Token.id).where(*mine)).all()


def revoke_bound(session: WriteSession, member_id: UUID, now: datetime) -> None:
    """Revoke the tokens of a member who is erased, and erase their names, which may be the member's."""
    mine = Token.member_id == member_id
    session.execute(update(Token).where(mine, Token.revoked_at.is_(None)).values(revoked_at=now))
    session.execute(update(Token).where(mine).values(name="of an erased member"))


def revoke_token(session: WriteSession, token_id: str, now: datetime, network: Network | None = None) -> Token:
    """Revoke a token at once and for good; a second time changes nothing.

    It waits for writes that are being made with the token now.

    Raises:
        NotFoundError: there is none (code "token-unknown").
    """
    token = get_token(session, token_id, network)
    locks.again(session, token)
    if token.revoked_at is None:
        token.revoked_at = now
    return token
