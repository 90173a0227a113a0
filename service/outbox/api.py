"""The ordered outbox of a network over HTTP."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.callers import READ, Caller
from service.bodies import Instant
from service.outbox import events
from service.outbox.event_types import EventType, KnownType
from service.outbox.refs import Refs, refs_of
from service.tables import Event
from service.web.requests import Answer, ModelT, Needs, Page, Reader, ReadNetwork, StrictRoute, Windowed, reply

router = APIRouter(route_class=StrictRoute, tags=["events"])


class EventSource(Answer):
    """The system in which a record was kept first, and its id there."""

    system: str = Field(examples=["lms"])
    id: str = Field(examples=["1817"])


class RecordNames(Answer):
    """What the network itself calls a record."""

    ref: str | None = Field(None, examples=["review-7"])
    source: EventSource | None = None


class EventRefs(Answer):
    """What the network itself calls the things that an event is about, as they are now."""

    member: str | None = Field(None, description="ref of the member", examples=["m11"])
    achievement: str | None = Field(None, description="ref of the achievement", examples=["formative-feedback"])
    session: str | None = Field(None, description="ref of the session", examples=["2026-03-01"])
    record: RecordNames | None = Field(None, description="ref and source of the record, as it was posted")
    objective: str | None = Field(None, description="ref of the objective, its code", examples=["FEEDBACK-1"])
    expectation: str | None = Field(None, description="ref of the expectation", examples=["attendance"])

    @classmethod
    def of(cls, found: Refs) -> Self | None:
        """Return the refs of one event; None if it has none."""
        row, names = found.record, None
        if row is not None and row.source_system is not None and row.source_id is not None:
            names = RecordNames(ref=row.ref, source=EventSource(system=row.source_system, id=row.source_id))
        elif row is not None and row.ref is not None:
            names = RecordNames(ref=row.ref)
        made = cls(
            member=found.member,
            achievement=found.achievement,
            session=found.session,
            record=names,
            objective=found.objective,
            expectation=found.expectation,
        )
        return made if made.model_dump(exclude_none=True) else None


class EventOut(Answer):
    """Something that happened in the network."""

    id: UUID
    position: int = Field(description="1, 2, 3 ...: the order of commits in the network, without gaps", examples=[42])
    type: EventType = Field(examples=["credential.issued"])
    about: dict[str, Any] = Field(
        description="identifiers of what it is about", examples=[{"credential": "0f9c…", "award": "0190…"}]
    )
    refs: EventRefs | None = Field(None, description="your own names of these things")
    at: Instant

    @classmethod
    def of(cls, row: Event, refs: Refs) -> Self:
        """Return the answer for one row."""
        assert row.position is not None  # only committed events are listed
        return cls(
            id=row.id,
            position=row.position,
            type=EventType(row.type),
            about=row.about,
            refs=EventRefs.of(refs),
            at=row.at,
        )


class EventsPage(Page[ModelT]):
    """One page of events, in order; from `last` one goes on when more has happened."""

    last: str = Field(description="cursor after the last event listed: give it as `after` later, to get what is new")


@router.get("/v1/networks/{slug}/events", response_model=EventsPage[EventOut])
def list_events(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _caller: Annotated[Caller, Depends(Needs(*READ))],
    event_type: Annotated[
        KnownType | None, Query(alias="type", description="only events of this type", examples=["award.made"])
    ] = None,
) -> Response:
    """List what has happened in the network, in order.

    Positions are given in the order of commits. No event is ever added before one that has been listed, so that you
    miss none if you go on from `last`. `after` also takes the position of an event, or `now`: begin with what is still
    to happen. The types, and which identifiers each has: `/docs/events`.
    """
    listed = events.list_events(session, network, window, event_type)
    refs = refs_of(session, listed.rows)
    items = [EventOut.of(row, of_row) for row, of_row in zip(listed.rows, refs, strict=True)]
    return reply(200, EventsPage(items=items, next=listed.next, last=listed.last))
