"""Networks over HTTP."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Response

from service.access.act import Act
from service.access.callers import Caller
from service.bodies import Instant
from service.networks import networks
from service.networks.networks import NetworkChange, NetworkIn
from service.runtime.settings import Settings
from service.signing import issuers, keyring
from service.tables import Key, Network
from service.web.exactly_once import exactly_once
from service.web.requests import (
    After,
    Answer,
    Limit,
    Needs,
    Now,
    Page,
    Reader,
    Running,
    StrictRoute,
    Writer,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["networks"])
Admin = Annotated[Caller, Depends(Needs("admin"))]
ReaderOrAdmin = Annotated[Caller, Depends(Needs("read", "admin"))]


class NetworkOut(Answer):
    """A network as it is stored."""

    slug: str
    name: str
    kind: Literal["formal", "informal"]
    url: str
    time_zone: str
    late_after_days: int
    state: Literal["draft", "active", "closed"]
    sandbox: bool
    description: str | None = None
    email: str | None = None
    image_url: str | None = None
    did: str
    profile_url: str
    created_at: Instant

    @classmethod
    def of(cls, settings: Settings, network: Network) -> Self:
        """Return the answer for one row."""
        return cls(
            slug=network.slug,
            name=network.name,
            kind=network.kind,
            url=network.url,
            time_zone=network.time_zone,
            late_after_days=network.late_after_days,
            state=network.state,
            sandbox=network.sandbox,
            description=network.description,
            email=network.email,
            image_url=issuers.image_url(settings, network) if network.image_sha256 else None,
            did=issuers.network_did(settings, network),
            profile_url=issuers.network_url(settings, network),
            created_at=network.created_at,
        )


class KeyOut(Answer):
    """The public half of a key, and its dates."""

    kid: str
    algorithm: str
    key_url: str
    valid_from: Instant
    retired_at: Instant | None = None
    compromised_at: Instant | None = None

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
        )


@router.post("/v1/networks", status_code=201, response_model=NetworkOut)
@exactly_once()
def post_network(body: NetworkIn, session: Writer, runtime: Running, at: Now, _admin: Admin) -> Response:
    """Create a network: an issuer with a DID and keys of its own.

    The same body again returns the same network. Afterwards create a token for it with
    `POST /v1/networks/{slug}/tokens`.
    """
    return reply(201, NetworkOut.of(runtime.settings, networks.create_network(session, runtime, body, at)))


@router.get("/v1/networks")
def list_networks(
    session: Reader,
    runtime: Running,
    who: ReaderOrAdmin,
    kind: Literal["formal", "informal"] | None = None,
    state: Literal["active", "closed"] | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[NetworkOut]:
    """List networks: with an admin token all of them, otherwise the token's own."""
    rows, cursor = networks.list_networks(session, who, after=after, limit=limit, kind=kind, state=state)
    return Page(items=[NetworkOut.of(runtime.settings, row) for row in rows], next=cursor)


@router.get("/v1/networks/{slug}")
def get_network(slug: str, session: Reader, runtime: Running, who: ReaderOrAdmin) -> NetworkOut:
    """Return one network."""
    return NetworkOut.of(runtime.settings, networks.find_network(session, who, slug))


@router.patch("/v1/networks/{slug}", response_model=NetworkOut)
@exactly_once()
def patch_network(slug: str, body: NetworkChange, session: Writer, runtime: Running, at: Now, admin: Admin) -> Response:
    """Change a network's name, addresses, description, picture or time zone.

    Members that are left out stay as they are; null removes an optional one. Badges that are
    already issued do not change.
    """
    network = networks.find_network(session, admin, slug)
    return reply(
        200, NetworkOut.of(runtime.settings, networks.change_network(Act(session, network, admin, at), runtime, body))
    )


@router.post("/v1/networks/{slug}/closure", response_model=NetworkOut)
@exactly_once()
def post_closure(slug: str, session: Writer, runtime: Running, at: Now, admin: Admin) -> Response:
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


@router.post("/v1/networks/{slug}/keys/rotation", status_code=201)
@exactly_once()
def post_rotation(slug: str, session: Writer, runtime: Running, at: Now, admin: Admin) -> Response:
    """Give the network new keys.

    The old ones stay published, so that older badges stay good.
    """
    network = networks.find_network(session, admin, slug)
    fresh = keyring.rotate(Act(session, network, admin, at), runtime)
    return reply(201, Page(items=[KeyOut.of(runtime.settings, key) for key in fresh]))
