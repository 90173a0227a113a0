"""The outbox: what happened in a network, in order."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from service.database import ReadSession, WriteSession
from service.tables import Event, Network


def append(session: WriteSession, network: Network, kind: str, about: Mapping[str, str], now: datetime) -> None:
    """Add an event to the network's outbox; its position is given at the commit.

    Args:
        kind: dotted name, such as "credential.issued"; part of the interface.
        about: identifiers of what it is about, never names or addresses.
    """
    session.add(Event(network_id=network.id, type=kind, about=dict(about), at=now))


def list_events(
    session: ReadSession, network: Network, *, after: int, limit: int, kind: str | None
) -> tuple[Sequence[Event], bool]:
    """Return committed events behind the position `after`, in order, and whether there are more."""
    query = select(Event).where(Event.network_id == network.id, Event.position > after)
    if kind is not None:
        query = query.where(Event.type == kind)
    rows = session.scalars(query.order_by(Event.position).limit(limit + 1)).all()
    return rows[:limit], len(rows) > limit
