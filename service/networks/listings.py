"""How people find a network: whether it is listed, and how they ask to join.

Each network chooses; the default is not to be listed. A practice network, a draft and a closed one are never in the list,
and the operator can take one out.
"""

import unicodedata
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.bodies import Body, Prose
from service.errors import ConflictError, InvalidError
from service.networks import networks
from service.networks.listing_labels import folded, label
from service.outbox import events
from service.tables import Listing, Network
from service.texts.display_names import one_line

MOST_INTERESTS: Final = 12
MOST_LANGUAGES: Final = 10
Hidden = Literal["not-listed", "removed", "sandbox", "draft", "closed"]
Joining = Literal["closed", "email", "website", "form"]


def _tidy(value: Any) -> Any:
    """Return an interest on one line, without the sign and the spaces that people put around tags."""
    if not isinstance(value, str):
        return value
    tidy = one_line(unicodedata.normalize("NFC", value), len(value) + 1, gap=" ").lstrip("# ")
    if value and not tidy:
        raise PydanticCustomError("interest-empty", "Expected letters or digits, got none")
    return tidy


def _different(interests: list[str]) -> list[str]:
    if len({folded(each) for each in interests}) < len(interests):
        raise PydanticCustomError("repeated", "Expected each entry once")
    return interests


Interest = Annotated[str, StringConstraints(min_length=1, max_length=60), BeforeValidator(_tidy)]
SpokenCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$", max_length=3)]


class ListingIn(Body):
    """How people find the network."""

    listed: bool = Field(False, description="whether it is in the public list")
    interests: Annotated[list[Interest], AfterValidator(_different)] = Field(
        default_factory=list,
        max_length=MOST_INTERESTS,
        description="what its people are interested in; capitals and accents make no difference",
        examples=[["writing", "Feedback"]],
    )
    languages: Annotated[list[SpokenCode], AfterValidator(_different)] = Field(
        default_factory=list,
        max_length=MOST_LANGUAGES,
        description="in which its people work together, by ISO 639 codes; none: the language of its mails",
        examples=[["en", "es"]],
    )
    joining: Joining = Field(
        "closed",
        description="how people ask to join: by its e-mail address, on its website, or by a form here, which makes"
        " requests in `GET .../join-requests`; closed: it takes no requests",
    )


class RemovalIn(Body):
    """Why the operator takes a network out of the public list."""

    reason: Prose = Field(examples=["The interests name a product that is for sale."])


def of(session: OrmSession, network: Network) -> Listing:
    """Return what a network chose; one that chose nothing is not listed."""
    found = session.get(Listing, network.id)
    nothing = Listing(network_id=network.id, listed=False, joining="closed", interests=[], languages=[])
    return found if found is not None else nothing


def put(act: Act, body: ListingIn) -> Listing:
    """Choose how people find the act's network; the same again changes nothing.

    Raises:
        ConflictError: a practice network would be listed (code "sandbox-not-listed").
        InvalidError: people would ask by an e-mail address that the network does not have (code "joining-without-email").
    """
    network = networks.held(act)
    if body.listed and network.sandbox:
        message = "Expected a network that is not for practice: its badges are worth nothing, so nobody should find it."
        raise ConflictError("sandbox-not-listed", message, "/listed")
    if body.joining == "email" and network.email is None:
        message = "Expected another way to ask, or a network with a public e-mail address; this one has none."
        raise InvalidError("joining-without-email", message, "/joining")
    row = act.session.get(Listing, network.id)
    values = body.model_dump()
    if row is not None and all(getattr(row, name) == value for name, value in values.items()):
        return row
    if row is None:
        row = Listing(network_id=network.id)
        act.session.add(row)
    for name, value in values.items():
        setattr(row, name, value)
    row.changed_at = act.now
    act.session.flush()
    label(act, network, row)
    events.append(act, "network.listing-changed", {"network": str(network.id)})
    return row


def remove(act: Act, body: RemovalIn) -> Listing:
    """Take the act's network out of the public list; once more changes only the reason.

    Raises:
        ConflictError: it never chose to be listed (code "listing-missing").
    """
    network = networks.held(act)
    row = act.session.get(Listing, network.id)
    if row is None:
        raise ConflictError("listing-missing", "Expected a network that chose how people find it; this one never did.")
    if row.removed_at is None:
        events.append(act, "network.listing-changed", {"network": str(network.id)})
    row.removed_at, row.removed_for = row.removed_at or act.now, body.reason
    act.session.flush()
    return row


def restore(act: Act) -> Listing:
    """Let the act's network be in the public list again, if it wants to; once more changes nothing."""
    network = networks.held(act)
    row = act.session.get(Listing, network.id)
    if row is not None and row.removed_at is not None:
        row.removed_at = row.removed_for = None
        act.session.flush()
        events.append(act, "network.listing-changed", {"network": str(network.id)})
    return of(act.session, network)


def hidden_because(network: Network, row: Listing) -> Hidden | None:
    """Return why a network is not in the public list; None if it is."""
    if row.removed_at is not None:
        return "removed"
    if network.state == "closed":
        return "closed"
    if network.state == "draft":
        return "draft"
    if network.sandbox:
        return "sandbox"
    return None if row.listed else "not-listed"


def is_shown() -> ColumnElement[bool]:
    """Return the condition that a network, joined with its listing, is in the public list (as `hidden_because`)."""
    of_network = (Listing.network_id == Network.id, Network.state == "active", Network.sandbox.is_(False))
    return and_(*of_network, Listing.listed.is_(True), Listing.removed_at.is_(None))
