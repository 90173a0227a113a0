"""Tokens over HTTP: an admin creates them for a network, lists and revokes them."""

from datetime import timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access import callers, tokens
from service.access.act import Act
from service.access.callers import NETWORK_SCOPES, SCOPES, Caller
from service.bodies import Body, Instant, Line, Ref, one_of
from service.console import leaked_tokens
from service.console.leaked_tokens import QuarantineIn, SweptToken, TokenRevocationIn
from service.networks import members, networks
from service.runtime.runtime import Runtime
from service.tables import Token
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Now,
    Page,
    Reader,
    Running,
    StrictRoute,
    Windowed,
    Writer,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["tokens"])
Admin = Annotated[Caller, Depends(Needs("admin"))]
LIFETIME = timedelta(days=365)
Scope = Annotated[str, one_of(NETWORK_SCOPES)]


class TokenIn(Body):
    """What a token is created from."""

    name: Line = Field(description="what it is for", examples=["attendance import"])
    scopes: list[Scope] | None = Field(
        None,
        min_length=1,
        max_length=len(SCOPES),
        description="; ".join(f"`{scope}`: {meaning}" for scope, meaning in SCOPES.items() if scope != "admin")
        + ". Left out: `read`, or `read:basic` with a `member`",
        examples=[["evidence:write", "read"]],
    )
    member: Ref | None = Field(
        None, description="ref of the member to whom the token is bound: who acts when it is used"
    )
    expires_at: Instant | None = Field(None, description="left out: a year from now")


class TokenOut(Answer):
    """A token as it is stored: what it may do, never its text."""

    id: UUID
    name: str
    scopes: list[Scope]
    member: str | None = None
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None = None
    last_used_at: Instant | None = None

    @classmethod
    def of(cls, row: Token, member: str | None) -> Self:
        """Return the answer for one row."""
        return cls(
            id=row.id,
            name=row.name,
            scopes=row.scopes,
            member=member,
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=row.last_used_at,
        )


class TokenMade(TokenOut):
    """A new token with its text, which is shown only here."""

    token: str | None = Field(None, description="its text; left out in the answer to a retry")


@router.post("/v1/networks/{slug}/tokens", status_code=201, response_model=TokenMade)
@exactly_once(shown_once="token")
def create_token(slug: str, body: TokenIn, session: Writer, at: Now, admin: Admin) -> Response:
    """Create a token for a network; its text is in this answer and nowhere else.

    A retry with the same `Idempotency-Key` creates no second token and answers without the text, which
    is not stored: if the first answer was lost, revoke the token and create another.
    """
    network = callers.still_open(networks.find_network(session, admin, slug))
    row, text = tokens.create_token(
        session,
        name=body.name,
        scopes=body.scopes or ["read" if body.member is None else "read:basic"],
        network=network,
        member=members.still_known(members.get_member(session, network, body.member), "/member")
        if body.member is not None
        else None,
        now=at,
        expires_at=body.expires_at or at + LIFETIME,
    )
    return reply(201, TokenMade(**TokenOut.of(row, body.member).model_dump(), token=text))


@router.get("/v1/networks/{slug}/tokens")
def list_tokens(
    slug: str,
    session: Reader,
    window: Windowed,
    at: Now,
    admin: Admin,
    active: Annotated[bool | None, Query(description="true: neither revoked nor expired; false: the others")] = None,
    sort: Literal["created_at", "-created_at"] = "created_at",
) -> Page[TokenOut]:
    """List the tokens of a network, without their text."""
    network = networks.find_network(session, admin, slug)
    rows, cursor = tokens.list_tokens(session, network, at, window=window, active=active, sort=sort)
    refs = members.refs(session, [row.member_id for row in rows if row.member_id is not None])
    return Page(items=[TokenOut.of(row, refs.get(row.member_id)) for row in rows], next=cursor)


@router.get("/v1/networks/{slug}/tokens/{token_id}")
def get_token(slug: str, token_id: str, session: Reader, admin: Admin) -> TokenOut:
    """Return one token, without its text."""
    row = tokens.get_token(session, token_id, networks.find_network(session, admin, slug))
    return TokenOut.of(row, members.refs(session, [row.member_id] if row.member_id else []).get(row.member_id))


@router.delete("/v1/networks/{slug}/tokens/{token_id}", response_model=TokenOut)
@exactly_once()
def delete_token(slug: str, token_id: str, session: Writer, at: Now, admin: Admin) -> Response:
    """Revoke a token, at once and for good.

    What was written with it stays. If others had the token, use `POST .../revocation`.
    """
    row = leaked_tokens.withdraw_token(Act(session, networks.find_network(session, admin, slug), admin, at), token_id)
    refs = members.refs(session, [row.member_id] if row.member_id else [])
    return reply(200, TokenOut.of(row, refs.get(row.member_id)))


class SweptOut(TokenOut):
    """A token, and how many of the records posted with it were decided on."""

    records: int

    @classmethod
    def swept(cls, swept: SweptToken, member: str | None) -> Self:
        """Return the answer for one token."""
        return cls(**TokenOut.of(swept.token, member).model_dump(), records=swept.count)


def _swept(runtime: Runtime, swept: SweptToken) -> Response:
    with runtime.database.read() as session:
        refs = members.refs(session, [swept.token.member_id] if swept.token.member_id else [])
    return reply(200, SweptOut.swept(swept, refs.get(swept.token.member_id)))


@router.post("/v1/networks/{slug}/tokens/{token_id}/revocation", response_model=SweptOut)
def revoke_token(
    slug: str, token_id: str, body: TokenRevocationIn, runtime: Running, at: Now, admin: Admin
) -> Response:
    """Revoke a token that others had, and quarantine what was posted with it.

    `quarantine_since` says since when. From the start of this request nothing more is written with the token. Writes
    that were under way are waited for, and quarantined too. Quarantined records stop counting at once, and awards that
    rested on them are decided again. This is done some records at a time; if it breaks off, the same request continues
    it. Events say which records were quarantined. Afterwards release or void each record, or all of them with
    `POST .../quarantine`.
    """
    with runtime.database.read() as session:
        network_id = networks.find_network(session, admin, slug).id
    return _swept(runtime, leaked_tokens.revoke_token(runtime, network_id, token_id, body, at))


@router.post("/v1/networks/{slug}/tokens/{token_id}/quarantine", response_model=SweptOut)
def decide_quarantine(
    slug: str, token_id: str, body: QuarantineIn, runtime: Running, at: Now, admin: Admin
) -> Response:
    """Release, or void, all records that are quarantined because of a token.

    If this breaks off, the same request continues it.
    """
    with runtime.database.read() as session:
        network_id = networks.find_network(session, admin, slug).id
    return _swept(runtime, leaked_tokens.decide_on_token(runtime, network_id, token_id, admin, body, at))
