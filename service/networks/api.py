"""Networks over HTTP."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from service.access import callers
from service.access.act import Act
from service.access.callers import READ, Caller
from service.bodies import Instant, one_of
from service.networks import confirming, histories, networks
from service.networks.confirming import ConfirmationIn
from service.networks.histories import HistoryIn
from service.networks.networks import NetworkChange, NetworkIn
from service.runtime.settings import Settings
from service.signing import issuers, keyring
from service.tables import Key, Network
from service.web.conditional import TAGGED, UNCHANGED, Given, IfNoneMatch, merge_patch, seen, tagged
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

router = APIRouter(route_class=StrictRoute, tags=["networks"])
Admin = Annotated[Caller, Depends(Needs("admin"))]
ReaderOrAdmin = Annotated[Caller, Depends(Needs(*READ, "admin"))]


class HistoryOut(Answer):
    """The history of a network, as it was declared once."""

    from_: Instant | None = Field(None, alias="from", description="left out: as far back as there are records")
    until: Instant = Field(description="the first instant that is no longer history")
    declared_at: Instant
    open_until: Instant = Field(description="until then its records may be loaded")
    reason: str = Field(description="why, for those who read a badge")

    @classmethod
    def of(cls, network: Network) -> Self | None:
        """Return the answer for one network; None if none was declared."""
        if network.history_declared_at is None:
            return None
        said = {"from": network.history_from, "until": network.history_until, "reason": network.history_reason}
        said |= {"declared_at": network.history_declared_at, "open_until": network.history_open_until}
        return cls.model_validate(said)


class NetworkOut(Answer):
    """A network as it is stored."""

    slug: str
    name: str
    kind: Literal["formal", "informal"]
    url: str
    time_zone: str
    language: Literal["en", "es"] = Field(description="the language in which people get mails")
    late_after_days: int
    same_address: Literal["same-person", "ask"]
    state: Literal["draft", "active", "closed"] = Field(description="a draft is being set up, and issues no badges yet")
    activated_at: Instant | None = Field(
        None, description="when a formal network showed that it has all that one needs; left out if it never did"
    )
    sandbox: bool
    description: str | None = None
    email: str | None = None
    image_url: str | None = None
    did: str
    profile_url: str
    created_at: Instant
    confirmed_at: Instant | None = Field(
        None, description="when the operator confirmed who it is; left out: a check of its badges says that nobody did"
    )
    history: HistoryOut | None = Field(None, description="left out if none was declared")

    @classmethod
    def of(cls, settings: Settings, network: Network) -> Self:
        """Return the answer for one row."""
        return cls(
            slug=network.slug,
            name=network.name,
            kind=network.kind,
            url=network.url,
            time_zone=network.time_zone,
            language=network.language,
            late_after_days=network.late_after_days,
            same_address=network.same_address,
            state=network.state,
            activated_at=network.activated_at,
            sandbox=network.sandbox,
            description=network.description,
            email=network.email,
            image_url=issuers.image_url(settings, network) if network.image_sha256 else None,
            did=issuers.network_did(settings, network),
            profile_url=issuers.network_url(settings, network),
            created_at=network.created_at,
            confirmed_at=network.confirmed_at,
            history=HistoryOut.of(network),
        )


class KeyOut(Answer):
    """The public half of a key, and its dates."""

    kid: str
    algorithm: Annotated[str, one_of(("Ed25519", "P-256", "RSA"))]
    key_url: str
    valid_from: Instant
    retired_at: Instant | None = None
    compromised_at: Instant | None = Field(None, description="since when others may have had it")
    declared_at: Instant | None = Field(None, description="when that was declared")

    @classmethod
    def of(cls, settings: Settings, key: Key) -> Self:
        """Return the answer for one row."""
        return cls(
            kid=key.kid,
            algorithm=key.algorithm,
            key_url=issuers.key_url(settings, key),
            valid_from=key.valid_from,
            retired_at=key.retired_at,
            compromised_at=key.compromised_at,
            declared_at=key.declared_at,
        )


@router.post("/v1/networks", status_code=201, response_model=NetworkOut)
@exactly_once()
def create_network(body: NetworkIn, session: Writer, runtime: Running, at: Now, _admin: Admin) -> Response:
    """Create a network: an issuer with a DID and keys of its own.

    An informal network is active at once. A formal one is a draft: set it up, see with `GET .../activation` what it
    lacks, and have it issue badges with `POST .../activation`. The same body again returns the same network. Afterwards create a token for it with
    `POST /v1/networks/{slug}/tokens`.
    """
    return reply(201, NetworkOut.of(runtime.settings, networks.create_network(session, runtime, body, at)))


@router.get("/v1/networks")
def list_networks(
    session: Reader,
    window: Windowed,
    runtime: Running,
    who: ReaderOrAdmin,
    kind: Literal["formal", "informal"] | None = None,
    state: Literal["draft", "active", "closed"] | None = None,
    sort: Literal["created_at", "-created_at"] = "created_at",
) -> Page[NetworkOut]:
    """List networks: with an admin token all of them, otherwise the token's own."""
    rows, cursor = networks.list_networks(session, who, window=window, kind=kind, state=state, sort=sort)
    return Page(items=[NetworkOut.of(runtime.settings, row) for row in rows], next=cursor)


@router.get("/v1/networks/{slug}", response_model=NetworkOut, responses=UNCHANGED)
def get_network(
    slug: str, session: Reader, runtime: Running, who: ReaderOrAdmin, if_none_match: IfNoneMatch = None
) -> Response:
    """Return one network."""
    return seen(NetworkOut.of(runtime.settings, networks.find_network(session, who, slug)), if_none_match)


@router.patch(
    "/v1/networks/{slug}",
    response_model=NetworkOut,
    responses=TAGGED,
    openapi_extra=merge_patch("NetworkChange"),
)
@exactly_once()
def update_network(
    slug: str, body: NetworkChange, session: Writer, runtime: Running, at: Now, admin: Admin, given: Given
) -> Response:
    """Change a network's name, addresses, description, picture, time zone or the language of its mails.

    Members that are left out stay as they are; null removes an optional one. Badges that are
    already issued do not change.
    """
    act = Act(session, networks.find_network(session, admin, slug), admin, at)
    given.hold(lambda: NetworkOut.of(runtime.settings, networks.held(act)))
    return tagged(200, NetworkOut.of(runtime.settings, networks.change_network(act, runtime, body)))


@router.put("/v1/networks/{slug}/confirmation", response_model=NetworkOut)
@exactly_once()
def confirm_network(
    slug: str, body: ConfirmationIn, session: Writer, runtime: Running, at: Now, admin: Admin
) -> Response:
    """Confirm who a network is, by its present name.

    A check of a badge says only of a confirmed network that its issuer is known. A new name or web site ends the
    confirmation. The same name again changes nothing.
    """
    act = Act(session, networks.find_network(session, admin, slug), admin, at)
    confirming.confirm(act, body)
    return reply(200, NetworkOut.of(runtime.settings, act.network))


@router.delete("/v1/networks/{slug}/confirmation", response_model=NetworkOut)
@exactly_once()
def withdraw_confirmation(slug: str, session: Writer, runtime: Running, at: Now, admin: Admin) -> Response:
    """Take back the confirmation of a network.

    Its badges stay valid; a check says that nobody here has confirmed who their issuer is.
    """
    act = Act(session, networks.find_network(session, admin, slug), admin, at)
    confirming.withdraw(act)
    return reply(200, NetworkOut.of(runtime.settings, act.network))


@router.put(
    "/v1/networks/{slug}/history",
    status_code=201,
    response_model=HistoryOut,
    summary="Declare a network's history",
    responses={200: {"model": HistoryOut, "description": "It was declared so before"}},
)
@exactly_once()
def declare_history(slug: str, body: HistoryIn, session: Writer, at: Now, admin: Admin) -> Response:
    """Declare what a network brings from before it came here; once, and for a limited time (201).

    Evidence that occurred in `[from, until)`, and comes in within `open_days`, is neither flagged late nor lowered in
    tier, whichever way it comes. Badges that rest on it say that it was recorded from the network's earlier records, in
    their evidence and receipts, and the network's page shows the declaration with its reason. It cannot be changed or
    declared a second time; the same body again gets the same answer (200).
    """
    network = callers.still_open(networks.find_network(session, admin, slug))
    created = histories.declare(Act(session, network, admin, at), body)
    declared = HistoryOut.of(network)
    assert declared is not None
    return reply(201 if created else 200, declared)


@router.post("/v1/networks/{slug}/closure", response_model=NetworkOut)
@exactly_once()
def close_network(slug: str, session: Writer, runtime: Running, at: Now, admin: Admin) -> Response:
    """Close a network: it takes nothing new.

    Its badges stay verifiable and can still be revoked.
    """
    network = networks.find_network(session, admin, slug)
    return reply(200, NetworkOut.of(runtime.settings, networks.close_network(Act(session, network, admin, at))))


@router.get("/v1/networks/{slug}/keys")
def list_keys(slug: str, session: Reader, runtime: Running, who: ReaderOrAdmin) -> Page[KeyOut]:
    """List every key that the network ever had, oldest first.

    Private halves are never shown.
    """
    network = networks.find_network(session, who, slug)
    return Page(items=[KeyOut.of(runtime.settings, key) for key in keyring.keys_of(session, network)])


@router.post("/v1/networks/{slug}/keys/rotation", status_code=201, response_model=Page[KeyOut])
@exactly_once()
def rotate_keys(slug: str, session: Writer, runtime: Running, at: Now, admin: Admin) -> Response:
    """Give the network new keys.

    The old ones stay published, so that older badges stay good.
    """
    network = networks.find_network(session, admin, slug)
    fresh = keyring.rotate(Act(session, network, admin, at), runtime)
    return reply(201, Page(items=[KeyOut.of(runtime.settings, key) for key in fresh]))
