"""The public list of networks over HTTP, for programs, without a token."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query, Response
from pydantic import Field

from service.accounts.pages_signed_in import CallerAddress, DoorsHere
from service.networks import directory
from service.networks.directory import Listed, Wanted
from service.networks.listings import Joining
from service.runtime.settings import Settings
from service.signing import issuers
from service.web.conditional import UNCHANGED, IfNoneMatch, seen
from service.web.openapi import also
from service.web.requests import Answer, Page, Reader, Running, StrictRoute, Windowed

router = APIRouter(route_class=StrictRoute, tags=["networks"])
Words = Annotated[str, Query(max_length=100, description="words of its name, or their beginnings")]
InterestAsked = Annotated[str, Query(max_length=60, description="capitals and accents make no difference")]
SpokenAsked = Annotated[str | None, Query(pattern="^[a-z]{2,3}$", description="an ISO 639 code")]


class JoiningOut(Answer):
    """How people ask to join a network."""

    by: Joining = Field(description="closed: it takes no requests; form: a page of this service, for people")
    url: str | None = Field(None, description="where; left out if it takes no requests")


class ListedNetwork(Answer):
    """A network that wants to be found."""

    slug: str
    name: str
    kind: Literal["formal", "informal"]
    description: str | None = None
    interests: list[str]
    languages: list[str] = Field(description="in which its people work together, by ISO 639 codes")
    url: str = Field(description="the network's own site")
    page_url: str = Field(description="its page here; also its Open Badges profile")
    image_url: str | None = None
    confirmed: bool = Field(description="whether the operator confirmed who it is")
    joining: JoiningOut

    @classmethod
    def of(cls, settings: Settings, found: Listed) -> Self:
        """Return the answer for one network."""
        network = found.network
        return cls(
            slug=network.slug,
            name=network.name,
            kind=network.kind,
            description=network.description,
            interests=found.listing.interests,
            languages=list(found.languages),
            url=network.url,
            page_url=issuers.network_url(settings, network),
            image_url=issuers.image_url(settings, network) if network.image_sha256 else None,
            confirmed=network.confirmed_at is not None,
            joining=JoiningOut(by=found.joining, url=where_to_ask(settings, found)),
        )


def where_to_ask(settings: Settings, found: Listed) -> str | None:
    """Return the address at which people ask to join; None if the network takes no requests."""
    network = found.network
    where = {
        "email": f"mailto:{network.email}",
        "website": network.url,
        "form": f"{issuers.network_url(settings, network)}/join",
    }
    return where.get(found.joining)


@router.get("/v1/directory", responses=also(429), summary="Find a network")
def list_directory(
    session: Reader,
    runtime: Running,
    window: Windowed,
    doors: DoorsHere,
    of: CallerAddress,
    words: Words = "",
    interest: InterestAsked = "",
    language: SpokenAsked = None,
    kind: Literal["formal", "informal"] | None = None,
) -> Page[ListedNetwork]:
    """List the networks that want to be found, by their names; without a token.

    No person is named here. Practice networks, drafts and closed networks are never in the list.
    """
    doors.searches.take(of, doors.steady())
    rows, cursor = directory.search(session, Wanted(words, interest, language, kind), window)
    return Page(items=[ListedNetwork.of(runtime.settings, row) for row in rows], next=cursor)


@router.get("/v1/directory/{slug}", response_model=ListedNetwork, responses=UNCHANGED | also(429))
def get_listed_network(
    slug: str,
    session: Reader,
    runtime: Running,
    doors: DoorsHere,
    of: CallerAddress,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return one network that wants to be found; another is 404, as if there were none."""
    doors.searches.take(of, doors.steady())
    return seen(ListedNetwork.of(runtime.settings, directory.listed(session, slug)), if_none_match)
