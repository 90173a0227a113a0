"""The page of all types of events, for people, and as JSON for programs."""

from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from service.notifications.samples import sample
from service.outbox.event_types import EventType
from service.web.rendering import HTML, render, wanted
from service.web.requests import Answer, Running, reply
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False)


class TypeOut(Answer):
    """A type of event."""

    type: EventType
    meaning: str
    about: list[str] = Field(description="identifiers that every such event has")
    maybe: list[str] = Field(description="identifiers that it may have")
    sample: dict[str, Any] = Field(description="what a webhook is sent: `{type, timestamp, data}`")


class TypesOut(Answer):
    """All types of events."""

    types: list[TypeOut]


@router.get("/docs/events")
def get_event_types(request: Request, language: Speaking, runtime: Running) -> Response:
    """Show which events there are, what each means, and which identifiers it has."""
    if wanted(request.headers.get("Accept"), ("application/json", HTML)) != HTML:
        types = [
            TypeOut(
                type=each, meaning=each.meaning, about=list(each.about), maybe=list(each.maybe), sample=sample(each)
            )
            for each in EventType
        ]
        return reply(200, TypesOut(types=types), {"Vary": "Accept"})
    nouns = [(noun, list(types)) for noun, types in groupby(sorted(EventType), lambda each: each.partition(".")[0])]
    return render("events.html", language=language, indexed=True, nouns=nouns, local=runtime.settings.local)
