"""The public list of networks, for everybody: found by name, interest, language and kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session as OrmSession

from service.errors import NotFoundError
from service.networks import listing_labels, listings
from service.storage.paging import Order, Window, page
from service.tables import Listing, ListingLabel, Network

MOST_WORDS = 5
"""Words of a search that are looked up."""
MOST_TERMS = 40
"""Interests that are offered to choose among."""


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for; what is None or empty makes no difference."""

    words: str = ""
    interest: str = ""
    language: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Listed:
    """A network in the list, with what it chose."""

    network: Network
    listing: Listing

    @property
    def languages(self) -> Sequence[str]:
        """In which languages its people work together."""
        return listing_labels.languages_of(self.network, self.listing)

    @property
    def joining(self) -> str:
        """How people ask to join; without an address any more, on the website."""
        gone = self.listing.joining == "email" and self.network.email is None
        return "website" if gone else self.listing.joining


@dataclass(frozen=True)
class Term:
    """An interest or language by which networks are found, and how many are."""

    label: str
    shown: str
    count: int


def search(session: OrmSession, wanted: Wanted, window: Window) -> tuple[list[Listed], str | None]:
    """Return one page of the networks that fit, by their names, and the cursor of the next page."""
    query = select(Network).join(Listing, Listing.network_id == Network.id).where(listings.is_shown())
    if wanted.kind is not None:
        query = query.where(Network.kind == wanted.kind)
    if wanted.language is not None:
        query = query.where(_has("language", ListingLabel.label == wanted.language))
    if interest := listing_labels.folded(wanted.interest.lstrip("# ")):
        query = query.where(_has("interest", ListingLabel.label == interest))
    words = listing_labels.words_of(wanted.words)
    if wanted.words and not words:  # only signs: no name has them
        return [], None
    for word in words[:MOST_WORDS]:
        query = query.where(_has("word", ListingLabel.label.startswith(word, autoescape=True)))
    rows, cursor = page(session, query, window, Order((Network.name, Network.id)))
    chosen = select(Listing).where(Listing.network_id.in_([row.id for row in rows]))
    by_network = {row.network_id: row for row in session.scalars(chosen)}
    return [Listed(row, by_network[row.id]) for row in rows], cursor


def listed(session: OrmSession, slug: str) -> Listed:
    """Return a network that is in the list.

    Raises:
        NotFoundError: there is none with this slug (code "network-unknown").
    """
    found = listed_or_none(session, slug)
    if found is None:
        raise NotFoundError("network-unknown", "No network in the public list has this slug.")
    return found


def listed_or_none(session: OrmSession, slug: str) -> Listed | None:
    """Return a network that is in the list; None if there is none with this slug."""
    query = select(Network).join(Listing, Listing.network_id == Network.id).where(listings.is_shown())
    network = session.scalar(query.where(Network.slug == slug))
    return None if network is None else Listed(network, listings.of(session, network))


def terms(session: OrmSession, kind: str) -> list[Term]:
    """Return by which interests or languages the listed networks are found, the most common first.

    Args:
        kind: interest or language.
    """
    count = func.count(ListingLabel.network_id)
    query = (
        select(ListingLabel.label, func.min(ListingLabel.shown), count)
        .join(Listing, Listing.network_id == ListingLabel.network_id)
        .join(Network, Network.id == ListingLabel.network_id)
        .where(ListingLabel.kind == kind, listings.is_shown())
        .group_by(ListingLabel.label)
        .order_by(count.desc(), ListingLabel.label)
        .limit(MOST_TERMS)
    )
    return [Term(*row) for row in session.execute(query)]


def _has(kind: str, fits: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        select(ListingLabel.network_id)
        .where(ListingLabel.network_id == Network.id, ListingLabel.kind == kind, fits)
        .exists()
    )
