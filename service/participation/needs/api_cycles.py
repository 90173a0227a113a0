"""Cycles of interests and needs over HTTP."""

from contextlib import suppress
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant, Ref, under
from service.errors import NotFoundError
from service.participation.needs import cycles
from service.participation.needs.shapes import (
    CycleState,
    LanguageTag,
    NeedsCycleChange,
    NeedsCycleFields,
    NeedsCycleIn,
    NeedsTopic,
)
from service.tables import NeedsCycle
from service.web.conditional import TAGGED, UNCHANGED, Given, IfNoneMatch, merge_patch, seen, tagged, written_or_made
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Needs, Now, Page, Reader, ReadNetwork, StrictRoute, Windowed, acting, reply

router = APIRouter(route_class=StrictRoute, tags=["needs"])
CanWrite = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
CYCLES = "/v1/networks/{slug}/needs-cycles"


class NeedsCyclePut(NeedsCycleFields):
    """One cycle; its `ref` is in the path, and may be repeated here."""

    ref: Ref | None = None


class NeedsCycleOut(Answer):
    """A cycle as it is stored."""

    MOVING = frozenset({"state"})

    id: UUID
    ref: str
    state: CycleState | None = Field(
        description="planned, open for answers, or closed; people can answer while it is open"
    )
    title: str
    titles: dict[LanguageTag, str] | None = None
    introduction: str | None = None
    topics: list[NeedsTopic]
    free_topics: bool
    opens_at: Instant
    closes_at: Instant

    @classmethod
    def of(cls, row: NeedsCycle, now: Instant) -> Self:
        """Return the answer for one row."""
        held = {"id": row.id, "ref": row.ref, "opens_at": row.opens_at, "closes_at": row.closes_at}
        return cls.model_validate(
            row.said | held | {"state": cycles.state_of(row, now), "topics": cycles.topics_of(row)}
        )


def _now(act: CallersAct, ref: str) -> NeedsCycleOut:
    return NeedsCycleOut.of(cycles.held(act, ref), act.now)


def _now_if_there(act: CallersAct, ref: str) -> NeedsCycleOut | None:
    with suppress(NotFoundError):
        return _now(act, ref)
    return None


@router.put(f"{CYCLES}/{{ref}}", response_model=NeedsCycleOut, responses=written_or_made(NeedsCycleOut))
@exactly_once()
def put_needs_cycle(ref: Ref, body: NeedsCyclePut, act: CanWrite, given: Given) -> Response:
    """Add a cycle in which members say what they want to learn and can offer (201), or change one (200).

    Members that are left out stay as they are; null removes one. While there are answers, topics that they name stay, and
    the cycle does not open later. A later `closes_at` opens a closed cycle again. The token must be bound to no member, or
    to a facilitator or assessor.
    """
    given.hold(lambda: _now_if_there(act, ref))
    row, created = cycles.put_cycle(act, NeedsCycleIn(**under(ref, body)))
    return tagged(201 if created else 200, NeedsCycleOut.of(row, act.now))


@router.patch(
    f"{CYCLES}/{{ref}}",
    response_model=NeedsCycleOut,
    responses=TAGGED,
    summary="Change a needs cycle",
    openapi_extra=merge_patch("NeedsCycleChange"),
)
@exactly_once()
def update_needs_cycle(ref: Ref, body: NeedsCycleChange, act: CanWrite, given: Given) -> Response:
    """Change some of what a cycle asks, by a JSON Merge Patch (RFC 7396).

    What is left out stays as it is; null removes it. A list of topics replaces the one before.
    """
    given.hold(lambda: _now(act, ref))
    return tagged(200, NeedsCycleOut.of(cycles.change_cycle(act, ref, body), act.now))


@router.delete(f"{CYCLES}/{{ref}}", status_code=204, response_class=Response, summary="Remove a needs cycle")
@exactly_once()
def delete_needs_cycle(ref: Ref, act: CanWrite, given: Given) -> Response:
    """Remove a cycle that nobody has answered, with the links to it; one with answers is closed instead."""
    given.hold(lambda: _now(act, ref))
    cycles.remove(act, ref)
    return Response(status_code=204)


@router.post(f"{CYCLES}/{{ref}}/closing", response_model=NeedsCycleOut, summary="Close a needs cycle")
@exactly_once()
def close_needs_cycle(ref: Ref, act: CanWrite) -> Response:
    """Close an open cycle now: nobody answers any more, and what was answered stays, until its member takes it back."""
    return reply(200, NeedsCycleOut.of(cycles.close(act, ref), act.now))


@router.get(CYCLES)
def list_needs_cycles(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    at: Now,
    _who: CanRead,
    state: Annotated[CycleState | None, Query()] = None,
) -> Page[NeedsCycleOut]:
    """List cycles in the order in which they were added."""
    rows, cursor = cycles.list_cycles(session, network, window, state, at)
    return Page(items=[NeedsCycleOut.of(row, at) for row in rows], next=cursor)


@router.get(f"{CYCLES}/{{ref}}", response_model=NeedsCycleOut, responses=UNCHANGED)
def get_needs_cycle(
    ref: str, network: ReadNetwork, session: Reader, at: Now, _who: CanRead, if_none_match: IfNoneMatch = None
) -> Response:
    """Return one cycle."""
    return seen(NeedsCycleOut.of(cycles.get_cycle(session, network, ref), at), if_none_match)
