"""Networks: each is an issuer with its own DID and keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import Act
from service.access.callers import Caller
from service.bodies import Body, EmailAddress, HttpsUrl, Line, Prose, TimeZone
from service.errors import ConflictError, NotFoundError
from service.files import blobs
from service.files.blobs import Picture
from service.networks import confirming, listing_labels
from service.outbox import events
from service.runtime.runtime import Runtime
from service.signing import keyring
from service.storage import locks
from service.storage.database import ReadSession, WriteSession, insert_new
from service.storage.paging import Window, order, page
from service.tables import Network

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", max_length=63)]

LateAfterDays = Annotated[
    int,
    Field(
        ge=1,
        le=36_500,
        description="evidence that arrives more than this many days after it happened is late: it is flagged, and "
        "counts a tier lower, until somebody releases it",
    ),
]


SameAddress = Annotated[
    Literal["same-person", "ask"],
    Field(
        description="what it means if a second member has the e-mail address or DID of another: same-person, the two are "
        "one person; ask, they are two until somebody says otherwise with `PUT .../members/{ref}/person`"
    ),
]


MailLanguage = Annotated[
    Literal["en", "es"], Field(description="the language in which people get mails: en, English; es, Spanish")
]


class NetworkIn(Body):
    """What a network is created from."""

    slug: Slug = Field(
        description="name in the network's addresses and DID; never changes: lower-case letters, digits, hyphens",
        examples=["river-writers"],
    )
    name: Line = Field(description="the name on badges", examples=["River Writers"])
    kind: Literal["formal", "informal"] = Field(
        description="formal: with a facilitator, objectives, a schedule and guidelines; it begins as a draft, and issues"
        " badges once it has them and is activated. informal: active at once"
    )
    url: HttpsUrl = Field(description="the network's own site", examples=["https://river.example.org"])
    time_zone: TimeZone = Field(
        description="time zone in which its days and weeks are counted", examples=["America/Chicago"]
    )
    language: MailLanguage = "en"
    late_after_days: LateAfterDays = 90
    same_address: SameAddress = "same-person"
    sandbox: bool = Field(False, description="badges say TEST in name, picture and page")
    description: Prose | None = Field(None, description="what the network is, for the reader of a badge")
    email: EmailAddress | None = Field(
        None, description="a public address for questions; answers to mails about badges go there"
    )
    image: Picture | None = None


class NetworkChange(Body):
    """What may change about a network.

    A member that is left out stays; null removes an optional one.
    """

    name: Line = Field(default_factory=str)
    url: HttpsUrl = Field(default_factory=str)
    time_zone: TimeZone = Field(default_factory=str, description="applies to what is recorded from now on")
    language: MailLanguage = "en"
    late_after_days: LateAfterDays = 90
    same_address: SameAddress = "same-person"
    description: Prose | None = None
    email: EmailAddress | None = None
    image: Picture | None = None


def create_network(session: WriteSession, runtime: Runtime, body: NetworkIn, now: datetime) -> Network:
    """Create a network with an Ed25519 and a P-256 key; a formal one is a draft.

    The same body again returns the same network.

    Raises:
        ConflictError: the slug belongs to another network (code "slug-taken").
        CustodyError: its keys cannot be kept (code "custody-unavailable").
    """
    values = body.model_dump(exclude={"image"})
    state = "draft" if body.kind == "formal" else "active"
    created = insert_new(session, Network, values | {"created_at": now, "state": state})
    network = session.scalars(select(Network).where(Network.slug == body.slug)).one()
    act = Act(session, network, None, now)
    values["image_sha256"] = blobs.store_picture(act, runtime, body.image) if body.image else None
    if created:
        network.image_sha256 = values["image_sha256"]
        for algorithm in keyring.ALGORITHMS:
            keyring.create_key(act, runtime, algorithm)
        events.append(act, "network.created", {"network": str(network.id)})
    elif any(getattr(network, name) != value for name, value in values.items()):
        raise ConflictError("slug-taken", "Expected a slug that no network has; another network has this one.", "/slug")
    return network


def by_slug(session: OrmSession, slug: str) -> Network:
    """Return the network with this slug, for the operator.

    Raises:
        NotFoundError: there is none (code "network-unknown").
    """
    network = session.scalar(select(Network).where(Network.slug == slug))
    if network is None:
        raise NotFoundError("network-unknown", "No network has this slug.")
    return network


def find_network(session: OrmSession, caller: Caller, slug: str) -> Network:
    """Return the network, for its own tokens and for an admin token.

    Raises:
        NotFoundError: there is none, or it is not the caller's.
    """
    if "admin" not in caller.scopes:
        return callers.network_of(session, caller, slug)
    return by_slug(session, slug)


def list_networks(
    session: ReadSession,
    caller: Caller,
    *,
    window: Window,
    kind: str | None,
    state: str | None,
    sort: str | None = None,
) -> tuple[Sequence[Network], str | None]:
    """Return networks in the order of their creation; with the sort "-created_at" the newest first.

    An admin token gets all of them, another token its own.
    """
    query = select(Network)
    if "admin" not in caller.scopes:
        query = query.where(Network.id == caller.network_id)
    if kind is not None:
        query = query.where(Network.kind == kind)
    if state is not None:
        query = query.where(Network.state == state)
    return page(session, query, window, order(sort, created_at=(Network.id,)))


def held(act: Act) -> Network:
    """Return the network as it is now, and let nobody else change it until the commit."""
    locks.network(act.session, act.network.id)
    act.session.refresh(act.network)
    return act.network


def change_network(act: Act, runtime: Runtime, body: NetworkChange) -> Network:
    """Change a network; badges that are already issued do not change.

    A new name or web site ends the operator's confirmation.
    """
    named, language = (act.network.name, act.network.url), act.network.language
    for name, value in body.model_dump(exclude_unset=True, exclude={"image"}).items():
        setattr(act.network, name, value)
    if "image" in body.model_fields_set:
        act.network.image_sha256 = blobs.store_picture(act, runtime, body.image) if body.image else None
    if act.session.is_modified(act.network):
        events.append(act, "network.changed", {"network": str(act.network.id)})
    if named != (act.network.name, act.network.url):
        confirming.lapse(act)
    if (named[0], language) != (act.network.name, act.network.language):
        listing_labels.label(act, act.network)
    return act.network


def close_network(act: Act) -> Network:
    """Close a network for good: it takes nothing new.

    What it issued stays verifiable, and can still be revoked.
    """
    if held(act).state != "closed":
        act.network.state = "closed"
        events.append(act, "network.closed", {"network": str(act.network.id)})
    return act.network
