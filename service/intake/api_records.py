"""Records over HTTP: read what came in, void it, release it."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.achievements.api_expanded import Expanded
from service.bodies import Instant, Moment, one_of
from service.errors import NotFoundError
from service.evidence import listing, records, tiers
from service.evidence.acceptances import NOT_ACCEPTED
from service.evidence.bodies import UNKNOWN
from service.evidence.listing import RecordFilter
from service.evidence.records import ShownRecord
from service.intake import posting, releasing
from service.intake.posting import VoidIn
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    Windowed,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["evidence"])
CanWrite = Annotated[CallersAct, acting(Needs("evidence:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
Status = Literal["accepted", "held", "quarantined"]
MemberFilter = Annotated[
    str | None, Query(max_length=200, description="ref of the member whom it is about, or for whom it is held")
]
Since = Annotated[Instant | None, Query(description="RFC 3339; received at this instant or later")]
Tier = Annotated[int | None, Query(ge=0, le=3)]
OccurredFrom = Annotated[Moment | None, Query(description="it happened then or later; a date is one of the network's")]
OccurredUntil = Annotated[Moment | None, Query(description="it happened before that")]
Sort = Literal["received_at", "-received_at", "occurred_at", "-occurred_at"]


HeldCode = Annotated[str, one_of((UNKNOWN, NOT_ACCEPTED))]


class SourceOut(Answer):
    """Where a record comes from."""

    system: str
    id: str


class VoidedOut(Answer):
    """The record that voids or corrects another one."""

    by: UUID
    at: Instant


class AboutOut(Answer):
    """What an evaluation is about, as the network names it."""

    member: str | None = None
    contribution: str | None = Field(None, description="its ref; its id if it has none")
    session: str | None = None
    network: str | None = None


class RecordOut(Answer):
    """A record: what came in, when, from whom, and its seal."""

    id: UUID
    position: int | None = Field(None, description="its place in the order of commits, from 1; given at the commit")
    kind: Literal["contribution", "evaluation", "void"]
    status: Status = Field(
        description="held: until a member is posted, or accepts the guidelines; quarantined: set aside (see `/v1/networks/{slug}/flags`), or "
        "found to be impossible. Only accepted evidence that is not voided counts"
    )
    ref: str | None = None
    source: SourceOut | None = None
    received_at: Instant
    occurred_at: Instant | None = None
    type: str | None = Field(
        None, description="of a contribution its type, of an evaluation its kind", examples=["reviewed"]
    )
    member: str | None = Field(None, description="ref of the member whom it is about", examples=["m11"])
    member_id: UUID | None = Field(None, description="left out while the member is not posted")
    minutes: int | None = None
    session: str | None = Field(None, description="ref of the session in which it was done, or which is evaluated")
    resource: str | None = None
    tags: list[str] | None = None
    peer: str | None = Field(None, description="ref of the member with or for whom it was done")
    evaluator: str | None = Field(None, description="ref of the member who judges")
    evaluator_id: UUID | None = None
    about: AboutOut | None = Field(None, description="what is evaluated: one of these")
    instrument: str | None = Field(
        None, description="with what it is evaluated: a rubric, assessment, questionnaire or skill"
    )
    rubric_version: int | None = Field(
        None, description="the version of the posted rubric against which it was held when it came"
    )
    self_report: Literal[True] | None = Field(
        None, description="true: the member's own answer in a survey about themself; only rules that say so count it"
    )
    scaled: float | None = Field(None, description="the score of an evaluation that counts, from 0 to 1")
    flags: list[str] | None = Field(
        None, description="what is odd about it and not settled, see `/v1/networks/{slug}/flags`", examples=[["late"]]
    )
    tier: int = Field(description=tiers.listed(3))
    digest: str = Field(
        description="the seal: SHA-256, in hexadecimal, over the RFC 8785 form of {salt, body}; a credential cites it"
    )
    salt: str | None = Field(None, description="given with the body: what was hashed together with it")
    held_for: str | None = Field(None, description="the ref of the member for whom it waits")
    held_code: HeldCode | None = Field(
        None, description="why it waits: until the member is posted, or until they accept the guidelines in force"
    )
    voids: UUID | None = Field(None, description="of a void: the record that it voids")
    voided: VoidedOut | None = None
    corrects: UUID | None = Field(None, description="of a correction: the record in whose place it counts")
    corrected_by: VoidedOut | None = Field(None, description="the record that counts in its place, and since when")
    reason: str | None = Field(None, description="of a correction: why; given with the body")
    body: dict[str, Any] | None = Field(None, description="as it was posted, with times in UTC; left out in lists")
    expanded: Expanded | None = Field(None, description="in lists, what `expand` asks for")

    @classmethod
    def of(cls, shown: ShownRecord) -> Self:
        """Return the answer for one record."""
        row, named, after, said = shown.record, shown.first or shown.record, shown.voided_by, shown.said
        since = VoidedOut(by=after.id, at=after.received_at) if after is not None else None
        taken_back = after is not None and after.kind == "void"
        sourced = named.source_system is not None and named.source_id is not None
        return cls(
            id=row.id,
            position=row.position,
            kind=row.kind,
            status=row.status,
            ref=named.ref,
            source=SourceOut(system=named.source_system or "", id=named.source_id or "") if sourced else None,
            received_at=row.received_at,
            occurred_at=row.occurred_at,
            type=said.type,
            member=said.member,
            member_id=said.member_id,
            minutes=said.minutes,
            session=said.session,
            resource=said.resource,
            tags=list(said.tags) or None,
            peer=said.peer,
            evaluator=said.evaluator,
            evaluator_id=said.evaluator_id,
            about=AboutOut.model_validate(said.about) if said.about else None,
            instrument=said.instrument,
            rubric_version=said.rubric_version,
            self_report=said.self_report or None,
            scaled=said.scaled,
            flags=list(dict.fromkeys(flag.kind for flag in shown.flags)) or None,
            tier=row.tier,
            digest=row.body_digest,
            salt=row.salt if shown.body is not None else None,
            held_for=row.held_for,
            held_code=row.held_code,
            voids=row.voids if row.kind == "void" else None,
            voided=since if taken_back else None,
            corrects=row.voids if row.kind != "void" else None,
            corrected_by=since if not taken_back else None,
            reason=shown.reason,
            body=shown.body,
        )


@router.get("/v1/networks/{slug}/records")
def list_records(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _who: CanRead,
    kind: Literal["contribution", "evaluation", "void"] | None = None,
    member: MemberFilter = None,
    type: Annotated[  # noqa: A002  (the name on the wire)
        str | None, Query(max_length=64, description="type of a contribution, or kind of an evaluation")
    ] = None,
    since: Since = None,
    status: Status | None = None,
    sort: Annotated[Literal["received_at", "-received_at"], Query()] = "received_at",
) -> Page[RecordOut]:
    """List the records in the order in which they were committed, or the newest first.

    No record is ever inserted in between: a reader who keeps the last `next` misses none.
    """
    which = RecordFilter(kind=kind, member=member, type=type, since=since, status=status)
    shown, cursor = listing.list_records(session, network, which, window=window, sort=sort)
    return Page(items=[RecordOut.of(each) for each in shown], next=cursor)


@router.get("/v1/networks/{slug}/records/{record_id}")
def get_record(record_id: str, network: ReadNetwork, session: Reader, _who: CanRead) -> RecordOut:
    """Return one record with its body and seal."""
    return RecordOut.of(records.get_record(session, network, record_id))


def identified(record_id: str) -> UUID:
    """Return a record's id from an address.

    Raises:
        NotFoundError: it is no id (code "record-unknown").
    """
    found = records.identifier(record_id)
    if found is None:
        raise NotFoundError(
            "record-unknown", "No record of this network has this id; lists and earlier answers give it."
        )
    return found


@router.post(
    "/v1/networks/{slug}/records/{record_id}/void",
    status_code=201,
    response_model=RecordOut,
    responses={200: {"model": RecordOut, "description": "It was void already"}},
)
@exactly_once(personal=True)
def void_record(record_id: str, body: VoidIn, act: CanWrite, runtime: Running) -> Response:
    """Void a record (201); the second time the answer is the same void (200).

    The record stays, with its date and seal; it no longer counts, nor do evaluations of it. Awards by rule that rested
    on it are decided again: what is no longer earned is revoked, and an event says so. The answer is the record of kind
    `void`. What is only wrong in part is better corrected (`POST .../correction`): then what is still earned stands.
    """
    row, created = posting.void(act, runtime, identified(record_id), body)
    return reply(201 if created else 200, RecordOut.of(records.show(act.session, row)))


@router.post("/v1/networks/{slug}/records/{record_id}/release", response_model=RecordOut)
@exactly_once(personal=True)
def release_record(record_id: str, act: CanWrite, runtime: Running) -> Response:
    """Release a quarantined record, so that it counts; one that counts stays as it is.

    A token of the network may do so; a token of a facilitator or assessor may, if the record is somebody else's.
    Evaluations that were set aside with a contribution count again with it, and what all of it earns is awarded. An
    event says so.
    """
    row = releasing.release(act, runtime, identified(record_id))
    return reply(200, RecordOut.of(records.show(act.session, row)))
