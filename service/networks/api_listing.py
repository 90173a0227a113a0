"""How people find a network over HTTP: its own choice, and the operator's word."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from service.access import callers
from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant
from service.networks import listings, networks
from service.networks.listings import Hidden, Joining, ListingIn, RemovalIn
from service.runtime.settings import Settings
from service.signing import issuers
from service.storage.database import WriteSession
from service.tables import Listing, Network
from service.web.conditional import TAGGED, UNCHANGED, Given, IfNoneMatch, seen, tagged
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Needs, Now, Reader, Running, StrictRoute, Writer, reply

router = APIRouter(route_class=StrictRoute, tags=["networks"])
CanRead = Annotated[Caller, Depends(Needs(*READ, "admin"))]
CanWrite = Annotated[Caller, Depends(Needs("achievements:write", "admin"))]
Admin = Annotated[Caller, Depends(Needs("admin"))]


class ListingOut(Answer):
    """How people find a network."""

    listed: bool = Field(description="whether the network wants to be in the public list")
    shown: bool = Field(description="whether it is")
    hidden_because: Hidden | None = Field(None, description="why it is not; left out if it is")
    interests: list[str]
    languages: list[str] = Field(description="none: the language of its mails")
    joining: Joining
    removed_at: Instant | None = Field(None, description="when the operator took it out of the list")
    removed_for: str | None = Field(None, description="why")
    page_url: str = Field(description="its public page, with how to ask to join while it is in the list")

    @classmethod
    def of(cls, settings: Settings, network: Network, row: Listing) -> Self:
        """Return the answer for one network."""
        hidden = listings.hidden_because(network, row)
        return cls.model_validate(
            {
                "listed": row.listed,
                "shown": hidden is None,
                "hidden_because": hidden,
                "interests": row.interests,
                "languages": row.languages,
                "joining": row.joining,
                "removed_at": row.removed_at,
                "removed_for": row.removed_for,
                "page_url": issuers.network_url(settings, network),
            }
        )


def _act(session: WriteSession, slug: str, who: Caller, at: Now) -> CallersAct:
    return CallersAct(session, callers.still_open(networks.find_network(session, who, slug)), who, at)


@router.get(
    "/v1/networks/{slug}/listing",
    response_model=ListingOut,
    responses=UNCHANGED,
    summary="See how people find a network",
)
def get_listing(
    slug: str, session: Reader, runtime: Running, who: CanRead, if_none_match: IfNoneMatch = None
) -> Response:
    """Return what a network chose, whether it is in the public list, and if not, why."""
    network = networks.find_network(session, who, slug)
    return seen(ListingOut.of(runtime.settings, network, listings.of(session, network)), if_none_match)


@router.put(
    "/v1/networks/{slug}/listing",
    response_model=ListingOut,
    responses=TAGGED,
    summary="Choose how people find a network",
)
@exactly_once()
def put_listing(
    slug: str, body: ListingIn, session: Writer, runtime: Running, at: Now, who: CanWrite, given: Given
) -> Response:
    """Choose whether the network is in the public list, by what people find it, and how they ask to join.

    The list is the page `/networks` and, for programs, `GET /v1/directory`. What is left out has its default, so that an empty body takes the network out of the list. Persons are never in it.
    """
    act = _act(session, slug, who, at)
    settings = runtime.settings
    given.hold(lambda: ListingOut.of(settings, networks.held(act), listings.of(session, act.network)))
    return tagged(200, ListingOut.of(settings, act.network, listings.put(act, body)))


@router.put(
    "/v1/networks/{slug}/listing/removal", response_model=ListingOut, summary="Take a network out of the public list"
)
@exactly_once()
def put_listing_removal(slug: str, body: RemovalIn, session: Writer, runtime: Running, at: Now, who: Admin) -> Response:
    """Keep a network out of the public list, whatever it chooses; it sees the reason."""
    act = _act(session, slug, who, at)
    return reply(200, ListingOut.of(runtime.settings, act.network, listings.remove(act, body)))


@router.delete(
    "/v1/networks/{slug}/listing/removal", response_model=ListingOut, summary="Let a network be in the public list"
)
@exactly_once()
def delete_listing_removal(slug: str, session: Writer, runtime: Running, at: Now, who: Admin) -> Response:
    """Let a network be in the public list again, if it wants to."""
    act = _act(session, slug, who, at)
    return reply(200, ListingOut.of(runtime.settings, act.network, listings.restore(act)))
