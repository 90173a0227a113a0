"""Events as webhooks are sent them, for those who ask instead of being called."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from service.notifications import payloads
from service.notifications.api import Sender
from service.outbox import events
from service.outbox.api import EventsPage
from service.web.requests import Answer, Reader, ReadNetwork, Running, StrictRoute, Windowed

router = APIRouter(route_class=StrictRoute, tags=["events"])


class RenderedEvent(Answer):
    """An event, and what a webhook is sent for it."""

    id: UUID = Field(description="the `webhook-id`, the same whenever and wherever the event is sent")
    position: int = Field(examples=[42])
    body: dict[str, Any] = Field(description="`{type, timestamp, data}`")


@router.get("/v1/networks/{slug}/events/rendered", summary="List events as webhooks are sent them")
def list_rendered_events(
    network: ReadNetwork,
    session: Reader,
    runtime: Running,
    window: Windowed,
    _who: Sender,
) -> EventsPage[RenderedEvent]:
    """List what has happened in the network, in order, each as a webhook would be sent it now.

    `after`, `next` and `last` are as in the list of events. It is what `laurel listen` asks for. The token needs the
    scopes that a webhook needs.
    """
    listed = events.list_events(session, network, window)
    items = [
        RenderedEvent(id=row.id, position=row.position or 0, body=payloads.message(session, runtime, network, row))
        for row in listed.rows
    ]
    return EventsPage(items=items, next=listed.next, last=listed.last)
