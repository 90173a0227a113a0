"""Sessions over HTTP."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import Act, CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant, Moment, Ref, under
from service.errors import NotFoundError
from service.networks import meetings
from service.networks.meetings import SessionChange, SessionFields, SessionIn
from service.storage.database import ReadSession, WriteSession
from service.tables import Meeting
from service.web.conditional import TAGGED, UNCHANGED, Given, IfNoneMatch, merge_patch, seen, tagged, written_or_made
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Page,
    Reader,
    ReadNetwork,
    StrictRoute,
    Windowed,
    acting,
)

router = APIRouter(route_class=StrictRoute, tags=["sessions"])
CanWrite = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]


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
    objectives: list[str] | None = Field(None, description="the objectives that it is about, by their codes")

    @classmethod
    def listed(cls, session: ReadSession | WriteSession, rows: Sequence[Meeting]) -> list[Self]:
        """Return the answers for sessions, in the same order."""
        named = meetings.objectives_of(session, rows)
        return [cls.model_validate(row).model_copy(update={"objectives": named.get(row.id)}) for row in rows]

    @classmethod
    def of(cls, session: ReadSession | WriteSession, row: Meeting) -> Self:
        """Return the answer for one session."""
        [answer] = cls.listed(session, [row])
        return answer


def _put(act: Act, body: SessionIn) -> Response:
    meeting, created = meetings.put_session(act, body)
    return tagged(201 if created else 200, SessionOut.of(act.session, meeting))


def _now(act: Act, ref: str) -> SessionOut:
    return SessionOut.of(act.session, meetings.held(act, ref))


def _now_if_there(act: Act, ref: str) -> SessionOut | None:
    with suppress(NotFoundError):
        return _now(act, ref)
    return None


@router.put("/v1/networks/{slug}/sessions/{ref}", response_model=SessionOut, responses=written_or_made(SessionOut))
@exactly_once()
def put_session(ref: Ref, body: SessionPut, act: CanWrite, given: Given) -> Response:
    """Add a session (201) or change one (200).

    Members that are left out stay as they are; null removes one.
    """
    given.hold(lambda: _now_if_there(act, ref))
    return _put(act, SessionIn(**under(ref, body)))


@router.patch(
    "/v1/networks/{slug}/sessions/{ref}",
    response_model=SessionOut,
    responses=TAGGED,
    summary="Change a session",
    openapi_extra=merge_patch("SessionChange"),
)
@exactly_once()
def update_session(ref: Ref, body: SessionChange, act: CanWrite, given: Given) -> Response:
    """Change some of what is known of a session, by a JSON Merge Patch (RFC 7396).

    What is left out stays as it is; null removes it.
    """
    given.hold(lambda: _now(act, ref))
    return tagged(200, SessionOut.of(act.session, meetings.change_session(act, ref, body)))


@router.delete(
    "/v1/networks/{slug}/sessions/{ref}", status_code=204, response_class=Response, summary="Remove a session"
)
@exactly_once()
def delete_session(ref: Ref, act: CanWrite, given: Given) -> Response:
    """Remove a session on which nothing rests.

    If evidence, a published rule or a claim of attendance that waits rests on it, the answer is 409 `session-in-use`, and
    `rests` says how many of each.
    Evidence that was voided counts too: decisions of then are replayed with it.
    """
    given.hold(lambda: _now(act, ref))
    meetings.remove_session(act, ref)
    return Response(status_code=204)


@router.post("/v1/networks/{slug}/sessions", response_model=SessionOut, responses={201: {"model": SessionOut}})
@exactly_once()
def create_session(body: SessionIn, act: CanWrite) -> Response:
    """Add or change a session as `PUT .../sessions/{ref}` does; `ref` is in the body."""
    return _put(act, body)


@router.get("/v1/networks/{slug}/sessions")
def list_sessions(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _who: CanRead,
    series: Annotated[str | None, Query(max_length=200)] = None,
    starts_from: Annotated[Moment | None, Query(description="then or later; a date is one of the network's")] = None,
    starts_until: Annotated[Moment | None, Query(description="before that")] = None,
    sort: Literal["added", "-added", "starts_at", "-starts_at"] = "added",
) -> Page[SessionOut]:
    """List sessions, in the order in which they were added, or in another."""
    rows, cursor = meetings.list_sessions(
        session,
        network,
        window=window,
        series=series,
        starts_from=starts_from,
        starts_until=starts_until,
        sort=sort,
    )
    return Page(items=SessionOut.listed(session, rows), next=cursor)


@router.get("/v1/networks/{slug}/sessions/{ref}", response_model=SessionOut, responses=UNCHANGED)
def get_session(
    ref: str, network: ReadNetwork, session: Reader, _who: CanRead, if_none_match: IfNoneMatch = None
) -> Response:
    """Return one session."""
    return seen(SessionOut.of(session, meetings.get_session(session, network, ref)), if_none_match)
