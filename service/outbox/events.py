"""The outbox: what happened in a network, in order."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.outbox.event_types import EventType
from service.storage.paging import Window
from service.tables import Event, Network

NOW: Final = "now"
_POSITION: Final = re.compile("[0-9]{1,18}")


def append(act: Act, kind: str, about: Mapping[str, str]) -> None:
    """Add an event to the network's outbox; it gets its position at the commit.

    Args:
        kind: a type of `EventType`; part of the interface.
        about: identifiers of what the event is about, never names or addresses; those that its type names.
    """
    assert EventType(kind).takes(about), f"{kind}: {', '.join(about)}"
    act.session.add(Event(network_id=act.network.id, type=kind, about=dict(about), at=act.now))


def last_position(session: OrmSession, network: Network) -> int:
    """Return the position of the network's last committed event, 0 before the first."""
    return session.scalar(select(func.max(Event.position)).where(Event.network_id == network.id)) or 0


@dataclass(frozen=True)
class Listed:
    """Committed events, in order.

    Attributes:
        last: the cursor after the last of them, from which their reader goes on when more has happened.
        more: there are more already.
    """

    rows: Sequence[Event]
    last: str
    more: bool

    @property
    def next(self) -> str | None:
        """The cursor of the next page, or None."""
        return self.last if self.more else None


def list_events(session: OrmSession, network: Network, window: Window, kind: str | None = None) -> Listed:
    """Return committed events.

    Args:
        window: in place of a cursor its `after` may be the position of an event, or `now`: what is still to happen.
        kind: only of this type.
    Raises:
        InvalidError: as `Window.last`.
    """
    after = _position(session, network, window)
    query = select(Event).where(Event.network_id == network.id, Event.position > after)
    if kind is not None:
        query = query.where(Event.type == kind)
    found = session.scalars(query.order_by(Event.position).limit(window.limit + 1)).all()
    rows = found[: window.limit]
    return Listed(rows, window.cursor(rows[-1].position if rows else after), len(found) > len(rows))


def _position(session: OrmSession, network: Network, window: Window) -> int:
    if window.after == NOW:
        return last_position(session, network)
    if window.after is not None and _POSITION.fullmatch(window.after):
        return int(window.after)
    [position] = window.last(int) or [0]
    return int(position)
