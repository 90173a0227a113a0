"""Flags over HTTP: which records deserve a second look, and why."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from service.access.callers import READ, Caller
from service.bodies import Instant, Uid
from service.evidence import flags
from service.evidence.flags import ShownFlag
from service.web.requests import Answer, Needs, Page, Reader, ReadNetwork, StrictRoute, Windowed

router = APIRouter(route_class=StrictRoute, tags=["evidence"])
Kind = Literal["late", "repeated", "overlap", "shared-artifact", "reciprocal", "ring", "token", "contribution"]


class FlagOut(Answer):
    """Why a record deserves a second look."""

    id: UUID
    kind: Kind
    why: str = Field(description="one sentence")
    record: UUID
    member: str | None = Field(None, description="ref of the member whom the record is about")
    other: UUID | None = Field(None, description="the record compared with which this one is odd")
    other_member: str | None = Field(None, description="ref of the member whom the other record is about")
    quarantined: bool = Field(description="whether the record does not count while the flag is open")
    state: Literal["open", "released", "voided"]
    at: Instant
    settled_at: Instant | None = None

    @classmethod
    def of(cls, shown: ShownFlag) -> Self:
        """Return the answer for one flag."""
        row = shown.flag
        return cls(
            id=row.id,
            kind=row.kind,
            why=flags.WHY[row.kind],
            record=row.record_id,
            member=shown.member,
            other=row.other_id,
            other_member=shown.other_member,
            quarantined=row.sets_aside,
            state=row.state,
            at=row.at,
            settled_at=row.settled_at,
        )


@router.get("/v1/networks/{slug}/flags")
def list_flags(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _who: Annotated[Caller, Depends(Needs(*READ))],
    kind: Kind | None = None,
    state: Literal["open", "released", "voided"] | None = None,
    record: Annotated[Uid | None, Query(description="only flags of this record, or of others compared with it")] = None,
    member: Annotated[str | None, Query(max_length=200, description="ref of a member whom a record is about")] = None,
    sort: Literal["at", "-at"] = "at",
) -> Page[FlagOut]:
    """List the flags of the network's records, oldest or newest first.

    A flag says that something is odd, not that somebody did wrong. `POST .../records/{id}/release` lets a quarantined
    record count again; `POST .../records/{id}/void` takes it back for good.
    """
    found, cursor = flags.list_flags(
        session, network, window=window, kind=kind, state=state, record=record, member=member, sort=sort
    )
    return Page(items=[FlagOut.of(each) for each in found], next=cursor)
