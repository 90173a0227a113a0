"""Who is calling, what they may do, and whose rows they may see."""

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import null, or_, select, tuple_, update
from sqlalchemy.orm import Session as OrmSession

from service.errors import ConflictError, ForbiddenError, NotFoundError, UnauthenticatedError
from service.storage import latest_time
from service.tables import AccessToken, Identity, Member, Network, Person, ServiceFact, Token
from service.tables.identifiers import ACCESS

SCOPES = {
    "read": "read what the network has posted and what has been awarded",
    "read:basic": "read the same without the e-mail addresses and DIDs of members; a token bound to a member has it in place of read, unless another is asked for",
    "members:write": "post members and sessions",
    "members:erase": (
        "erase what the network holds of a person, for good; with a token that is bound to a member, only of that member"
    ),
    "evidence:write": "post contributions, evaluations and files, and void records",
    "achievements:write": "define and publish achievements",
    "awards:write": "award by rule, revoke",
    "awards:override": "award where the rules do not (with a reason)",
    "awards:approve": "approve or decline what waits for a person; needs a token bound to a member",
    "awards:record": "record awards made earlier or elsewhere (with a reason)",
    "cases:write": "contest a refusal or a revocation, and speak in one's cases; needs a token bound to a member",
    "goals:write": (
        "set one's goals, check in, close them, and say of the goals of others whether they were met; needs a token bound to"
        " a member"
    ),
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
READ = ("read", "read:basic")
"""Scopes, each enough to read."""
OF_MEMBERS = ("awards:approve", "cases:write", "cases:decide", "goals:write")
"""Scopes that are worth nothing without a member."""
BY_NAME = ("members:erase",)
"""Scopes that a token gets only if they are asked for by name: what they do cannot be undone."""

RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Caller:
    """The one who acts: the token, its network, and the member it is bound to, if any.

    `token_id` is None for a member who acts in person: signed in, on a page (see `in_person`).
    """

    token_id: UUID | None
    network_id: UUID | None
    member_id: UUID | None
    scopes: frozenset[str]


def in_person(member: Member, *scopes: str) -> Caller:
    """Return a member as the caller, who is signed in and acts on a page.

    It may do what a token that is bound to the member may do with the same scopes, and nothing else: what is refused to
    the member's own token, such as to decide for themself, is refused to the member. That the person signed in is this
    member is decided before.
    """
    return Caller(None, member.network_id, member.id, frozenset(scopes))


def require_shared(secret: str, given: str) -> None:
    """Let a machine pass if it has the one token that the settings name.

    Raises:
        UnauthenticatedError: it gave another one (code "token-invalid").
    """
    if not hmac.compare_digest(secret.encode(), given.encode()):
        raise UnauthenticatedError("token-invalid", "Expected the token of the settings, got another one.")


def authenticate(session: OrmSession, secret: str, now: datetime) -> tuple[Caller, bool]:
    """Return the caller behind a bearer token, and whether to note its use again.

    An access token is the token it was given for, with scopes of its own.

    A token that has expired stays so when the clock is put back: the latest time seen counts.

    Raises:
        UnauthenticatedError: unknown, expired or revoked (one code each, so that a programmer knows what to do).
    """
    latest = select(ServiceFact.value).where(ServiceFact.name == latest_time.NAME).scalar_subquery()
    query = select(Token, null(), latest).where(Token.sha256 == digest_of(secret))
    if secret.startswith(ACCESS):
        of_token = AccessToken.token_id == Token.id
        query = select(Token, AccessToken, latest).join(AccessToken, of_token)
        query = query.where(AccessToken.sha256 == digest_of(secret))
    found = session.execute(query).one_or_none()
    if found is None:
        raise UnauthenticatedError(
            "token-unknown", "Expected a token that this service has given out; this one is none, or was cut off."
        )
    token, short, seen = found
    if token.revoked_at is not None:
        raise UnauthenticatedError("token-revoked", "Expected a valid token; this one was revoked. Make a new one.")
    expires_at = min(token.expires_at, short.expires_at) if short else token.expires_at
    if expires_at <= max(now, latest_time.read(seen) or now):
        raise UnauthenticatedError("token-expired", "Expected a valid token; this one has expired. Make a new one.")
    stale = token.last_used_at is None or now - token.last_used_at > USE_NOTED_EVERY
    scopes = short.scopes if short else token.scopes
    return Caller(token.id, token.network_id, token.member_id, frozenset(scopes)), stale


def still_good(session: OrmSession, caller: Caller) -> None:
    """Let a write pass if its token was not revoked since the request began.

    The token is locked until the commit: someone who revokes it (`revoke_token`) waits for the writes that are being
    made with it, and afterwards nothing is written with it.

    Raises:
        UnauthenticatedError: it was revoked (code "token-revoked").
    """
    if caller.token_id is None:  # in person: the sign-in was looked up for this request
        return
    held = select(Token.revoked_at).where(Token.id == caller.token_id).with_for_update(read=True, key_share=True)
    if session.scalar(held) is not None:
        raise UnauthenticatedError("token-revoked", "Expected a valid token; this one was revoked. Make a new one.")


def note_use(session: OrmSession, caller: Caller, now: datetime) -> None:
    """Write down when the token was last used."""
    session.execute(update(Token).where(Token.id == caller.token_id).values(last_used_at=now))


def default_scopes(*, bound: bool) -> list[str]:
    """Return all that a token of a network may do, but read no addresses if it is bound to a member."""
    left_out = {*BY_NAME, "read"} if bound else {*BY_NAME, "read:basic", *OF_MEMBERS}
    return [scope for scope in NETWORK_SCOPES if scope not in left_out]


def reads_addresses(caller: Caller) -> bool:
    """Return whether the caller may read the e-mail addresses and DIDs of members.

    This is the only place that says so.
    """
    return "read" in caller.scopes


def require(caller: Caller, *scopes: str) -> None:
    """Let the caller pass if it has one of the scopes.

    Raises:
        ForbiddenError: it has none of them (code "scope-missing"), or is an admin token where the token of a network is
            needed (code "admin-token").
    """
    if caller.network_id is None and "admin" not in scopes:
        message = (
            "Expected a token of the network; an admin token creates networks and their tokens. Make one with"
            " `laurel token create --network SLUG` or POST /v1/networks/{slug}/tokens."
        )
        raise ForbiddenError("admin-token", message)
    if caller.scopes.isdisjoint(scopes):
        raise ForbiddenError(
            "scope-missing",
            f"Expected a token with the scope {' or '.join(scopes)}; this one has {', '.join(sorted(caller.scopes))}.",
        )


def require_other(
    session: OrmSession, caller: Caller | None, member_ids: Collection[UUID | None], pointer: str = ""
) -> None:
    """Let the caller pass if it decides on somebody else: nobody decides for themself.

    This is the only place that says so. Two members are one human if they have one person behind them, or persons (each
    network has its own) with an e-mail address or DID in common, or whom one account has claimed.

    Args:
        caller: None is the service or the operator; a token that is bound to no member is nobody's own.
        member_ids: on whom it decides; None is nobody.
    Raises:
        ForbiddenError: one of them is the caller (code "self-decision").
    """
    if caller is None or caller.member_id is None:
        return
    own = select(Member.person_id).where(Member.id == caller.member_id).scalar_subquery()
    known = select(Identity.kind, Identity.value).where(Identity.person_id == own)
    alike = select(Identity.person_id).where(tuple_(Identity.kind, Identity.value).in_(known))
    account = select(Person.account_id).where(Person.id == own).scalar_subquery()
    claimed = select(Person.id).where(Person.account_id == account)
    by_person = (Member.person_id == own, Member.person_id.in_(alike), Member.person_id.in_(claimed))
    oneself = or_(Member.id == caller.member_id, *by_person)
    asked = {each for each in member_ids if each is not None}
    if session.scalar(select(Member.id).where(Member.id.in_(asked), oneself).limit(1)) is not None:
        message = "Expected somebody else, or a token that is bound to no member: nobody decides for themself."
        raise ForbiddenError("self-decision", message, pointer)


def network_of(session: OrmSession, caller: Caller, slug: str) -> Network:
    """Return the caller's network if its slug is `slug`.

    Raises:
        NotFoundError: another network's slug, which looks exactly like one that does not exist.
    """
    network = session.scalar(select(Network).where(Network.slug == slug))
    if network is None or caller.network_id != network.id:
        raise NotFoundError(
            "network-unknown",
            "Expected the slug of the network to which the token belongs; no network of this token has this one.",
        )
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


def past_draft(network: Network) -> Network:
    """Return the network if it issues badges.

    Raises:
        ConflictError: it is a draft (code "network-draft").
    """
    if network.state == "draft":
        message = (
            f"Expected an active network; this one is a draft and issues no badges yet."
            f" `GET /v1/networks/{network.slug}/activation` lists what it lacks."
        )
        raise ConflictError("network-draft", message)
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
        raise NotFoundError(
            f"{name}-unknown", f"No {name} of this network has this id; lists and earlier answers give it."
        )
    return found


def digest_of(secret: str) -> str:
    """Return what is stored of a token: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
