"""The ordered outbox of a network over HTTP."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.callers import Caller
from service.bodies import Instant
from service.outbox import events
from service.tables import Event
from service.web.requests import Answer, Limit, Needs, Reader, ReadNetwork, StrictRoute, reply

router = APIRouter(route_class=StrictRoute, tags=["events"])


class EventOut(Answer):
    """Something that happened in the network."""

    id: UUID
    position: int = Field(description="1, 2, 3 ...: the order of commits in the network, without gaps", examples=[42])
    type: str = Field(examples=["credential.issued"])
    about: dict[str, Any] = Field(
        description="identifiers of what it is about", examples=[{"credential": "0f9c…", "award": "0190…"}]
    )
    at: Instant

    @classmethod
    def of(cls, row: Event) -> Self:
        """Return the answer for one row."""
        assert row.position is not None  # only committed events are listed
        return cls(id=row.id, position=row.position, type=row.type, about=row.about, at=row.at)


class EventPage(Answer):
    """Events in order."""

    items: list[EventOut]
    next: int | None = Field(description="`after` of the next page; left out on the last page")
    last: int = Field(description="position of the last event listed: give it as `after` later, to get what is new")


@router.get("/v1/networks/{slug}/events", response_model=EventPage)
def get_events(
    network: ReadNetwork,
    session: Reader,
    _caller: Annotated[Caller, Depends(Needs("read"))],
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="position of the last event that you have")] = 0,
    limit: Limit = 50,
    event_type: Annotated[str | None, Query(alias="type", max_length=64, examples=["award.made"])] = None,
) -> Response:
    """List what has happened in the network, in order.

    Positions are given in the order of commits. No event is ever added before one that has been listed, so that you
    miss none if you go on from the last position.
    """
    rows, more = events.list_events(session, network, after=after, limit=limit, kind=event_type)
    items = [EventOut.of(row) for row in rows]
    last = items[-1].position if items else after
    return reply(200, EventPage(items=items, next=last if more else None, last=last))
