"""The outbox: what happened in a network, in order."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from service.database import ReadSession, WriteSession
from service.paging import page
from service.tables import Event, Network


def append(session: WriteSession, network: Network, kind: str, about: Mapping[str, str], now: datetime) -> None:
    """Add an event to the network's outbox; its position is given at the commit.

    Args:
        kind: dotted name, such as "credential.issued"; part of the interface.
        about: identifiers of what it is about, never names or addresses.
    """
    session.add(Event(network_id=network.id, type=kind, about=dict(about), at=now))


def list_events(
    session: ReadSession, network: Network, *, after: str | None, limit: int, kind: str | None
) -> tuple[Sequence[Event], str | None]:
    """Return committed events in the order of their positions."""
    query = select(Event).where(Event.network_id == network.id, Event.position.is_not(None))
    if kind is not None:
        query = query.where(Event.type == kind)
    return page(session, query, Event.position, after, limit)
