"""Records over HTTP: read what came in, void it, release it."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import Caller
from service.bodies import Instant
from service.errors import NotFoundError
from service.evidence import records
from service.evidence.records import RecordFilter, ShownRecord
from service.intake import posting, releasing
from service.intake.posting import VoidIn
from service.web.exactly_once import exactly_once
from service.web.requests import (
    After,
    Answer,
    Limit,
    Needs,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["evidence"])
CanWrite = Annotated[CallersAct, acting(Needs("evidence:write"))]
CanRead = Annotated[Caller, Depends(Needs("read"))]
Status = Literal["accepted", "held", "quarantined"]
MemberFilter = Annotated[
    str | None, Query(max_length=200, description="ref of the member whom it is about, or for whom it is held")
]
Since = Annotated[Instant | None, Query(description="RFC 3339; received at this instant or later")]


class SourceOut(Answer):
    """Where a record comes from."""

    system: str
    id: str


class VoidedOut(Answer):
    """The record that voids another one."""

    by: UUID
    at: Instant


class RecordOut(Answer):
    """A record: what came in, when, from whom, and its seal."""

    id: UUID
    position: int | None = Field(None, description="its place in the order of commits, from 1; given at the commit")
    kind: Literal["contribution", "evaluation", "void"]
    status: Status = Field(
        description="held: until a member is posted; quarantined: set aside (see `/v1/networks/{slug}/flags`), or "
        "found to be impossible. Only accepted evidence that is not voided counts"
    )
    ref: str | None = None
    source: SourceOut | None = None
    received_at: Instant
    occurred_at: Instant | None = None
    tier: int = Field(
        description="0 claimed by the member, 1 recorded by another member, 2 by a facilitator or assessor, 3 by the network"
    )
    digest: str = Field(
        description="the seal: SHA-256, in hexadecimal, over the RFC 8785 form of {salt, body}; a credential cites it"
    )
    salt: str | None = Field(None, description="given with the body: what was hashed together with it")
    held_for: str | None = Field(None, description="the ref of the member for whom it waits")
    voids: UUID | None = Field(None, description="of a void: the record that it voids")
    voided: VoidedOut | None = None
    body: dict[str, Any] | None = Field(None, description="as it was posted, with times in UTC; left out in lists")

    @classmethod
    def of(cls, shown: ShownRecord) -> Self:
        """Return the answer for one record."""
        row, void = shown.record, shown.voided_by
        sourced = row.source_system is not None and row.source_id is not None
        return cls(
            id=row.id,
            position=row.position,
            kind=row.kind,
            status=row.status,
            ref=row.ref,
            source=SourceOut(system=row.source_system or "", id=row.source_id or "") if sourced else None,
            received_at=row.received_at,
            occurred_at=row.occurred_at,
            tier=row.tier,
            digest=row.body_digest,
            salt=row.salt if shown.body is not None else None,
            held_for=row.held_for,
            voids=row.voids,
            voided=VoidedOut(by=void.id, at=void.received_at) if void else None,
            body=shown.body,
        )


@router.get("/v1/networks/{slug}/records")
def list_records(
    network: ReadNetwork,
    session: Reader,
    _who: CanRead,
    kind: Literal["contribution", "evaluation", "void"] | None = None,
    member: MemberFilter = None,
    type: Annotated[  # noqa: A002  (the name on the wire)
        str | None, Query(max_length=64, description="type of a contribution, or kind of an evaluation")
    ] = None,
    since: Since = None,
    status: Status | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[RecordOut]:
    """List the records in the order in which they were committed.

    No record is ever inserted in between: a reader who keeps the last `next` misses none.
    """
    which = RecordFilter(kind, member, type, since, status)
    shown, cursor = records.list_records(session, network, which, after=after, limit=limit)
    return Page(items=[RecordOut.of(each) for each in shown], next=cursor)


@router.get("/v1/networks/{slug}/records/{record_id}")
def get_record(record_id: str, network: ReadNetwork, session: Reader, _who: CanRead) -> RecordOut:
    """Return one record with its body and seal."""
    return RecordOut.of(records.get_record(session, network, record_id))


def _identified(record_id: str) -> UUID:
    found = records.identifier(record_id)
    if found is None:
        raise NotFoundError("record-unknown", "No record of this network has this id.")
    return found


@router.post(
    "/v1/networks/{slug}/records/{record_id}/void",
    status_code=201,
    response_model=RecordOut,
    responses={200: {"model": RecordOut, "description": "It was void already"}},
)
@exactly_once(personal=True)
def post_void(record_id: str, body: VoidIn, act: CanWrite, runtime: Running) -> Response:
    """Void a record (201); the second time the answer is the same void (200).

    The record stays, with its date and seal; it no longer counts, nor do evaluations of it. Awards by rule that rested
    on it are decided again: what is no longer earned is revoked, and an event says so. The answer is the record of kind
    `void`. To correct a record, void it and post a new one under a new `ref`.
    """
    row, created = posting.void(act, runtime, _identified(record_id), body)
    return reply(201 if created else 200, RecordOut.of(records.show(act.session, row)))


@router.post("/v1/networks/{slug}/records/{record_id}/release", response_model=RecordOut)
@exactly_once(personal=True)
def post_release(record_id: str, act: CanWrite, runtime: Running) -> Response:
    """Release a quarantined record, so that it counts; one that counts stays as it is.

    A token of the network may do so; a token of a facilitator or assessor may, if the record is somebody else's.
    Evaluations that were set aside with a contribution count again with it, and what all of it earns is awarded. An
    event says so.
    """
    row = releasing.release(act, runtime, _identified(record_id))
    return reply(200, RecordOut.of(records.show(act.session, row)))
