"""Sessions over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.bodies import Instant, Ref, under
from service.networks import meetings
from service.networks.meetings import SessionFields, SessionIn
from service.web.exactly_once import exactly_once
from service.web.requests import (
    After,
    Answer,
    Limit,
    Needs,
    Page,
    Reader,
    ReadNetwork,
    StrictRoute,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["sessions"])
CanWrite = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs("read"))]


class SessionPut(SessionFields):
    """One session; its `ref` is in the path, and may be repeated here."""

    ref: Ref | None = None


class SessionOut(Answer):
    """A session as it is stored."""

    id: UUID
    ref: str
    series: str | None
    title: str | None
    starts_at: Instant
    ends_at: Instant | None
    mode: str | None
    confidential: bool
    attendance_count: int | None


def _put(act: Act, body: SessionIn) -> Response:
    meeting, created = meetings.put_session(act, body)
    return reply(201 if created else 200, SessionOut.model_validate(meeting))


@router.put("/v1/networks/{slug}/sessions/{ref}", response_model=SessionOut, responses={201: {"model": SessionOut}})
@exactly_once()
def put_session(ref: Ref, body: SessionPut, act: CanWrite) -> Response:
    """Add a session (201) or change one (200).

    Members that are left out stay as they are; null removes one.
    """
    return _put(act, SessionIn(**under(ref, body)))


@router.post("/v1/networks/{slug}/sessions", response_model=SessionOut, responses={201: {"model": SessionOut}})
@exactly_once()
def post_session(body: SessionIn, act: CanWrite) -> Response:
    """Add or change a session as `PUT .../sessions/{ref}` does; `ref` is in the body."""
    return _put(act, body)


@router.get("/v1/networks/{slug}/sessions")
def list_sessions(
    network: ReadNetwork,
    session: Reader,
    _who: CanRead,
    series: Annotated[str | None, Query(max_length=200)] = None,
    starts_from: Annotated[Instant | None, Query(description="RFC 3339; this instant and later")] = None,
    starts_until: Annotated[Instant | None, Query(description="RFC 3339; before this instant")] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[SessionOut]:
    """List sessions, in the order in which they were added."""
    rows, cursor = meetings.list_sessions(
        session,
        network,
        after=after,
        limit=limit,
        series=series,
        starts_from=starts_from,
        starts_until=starts_until,
    )
    return Page(items=[SessionOut.model_validate(row) for row in rows], next=cursor)


@router.get("/v1/networks/{slug}/sessions/{ref}")
def get_session(ref: str, network: ReadNetwork, session: Reader, _who: CanRead) -> SessionOut:
    """Return one session."""
    return SessionOut.model_validate(meetings.get_session(session, network, ref))
