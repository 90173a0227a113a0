"""The queue of what people decide about awards, over HTTP."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.awards import approvals
from service.awards.approvals import ApprovalAsked, ApprovalIn, RefusalIn, Waiting
from service.awards.reviews import Cause
from service.bodies import Body, Instant, Prose, Uid
from service.errors import ServiceError
from service.progress.api import NodeOut
from service.storage.database import ReadSession, WriteSession
from service.tables import Network, Review
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Now,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    Windowed,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["approvals"])
State = Literal["waiting", "approved", "declined", "withdrawn"]
Kind = Literal["approval", "second", "standing"]
ApproversAct = Annotated[CallersAct, acting(Needs("awards:approve"))]
CanRead = Annotated[Caller, Depends(Needs(*READ, "awards:approve"))]


class WantedOut(Answer):
    """A role that can decide it."""

    role: str
    n: int = Field(description="how many different people must approve in this role")


class GivenOut(Answer):
    """An approval or a refusal by one member."""

    member: str = Field(description="ref of the member who decided")
    role: str = Field(description="the role that they had then")
    outcome: Literal["approved", "declined"]
    at: Instant
    note: str | None = None
    counts: bool = Field(description="false once it was withdrawn, or the award that it led to has ended")


class ApprovalOut(Answer):
    """A question about an award that people decide, with what the award would rest on."""

    id: UUID
    kind: Kind = Field(
        description=(
            "approval: the criteria lack only approval; second: an award to staff that needs a second person; "
            "standing: an award that lost something on which it rested, or was signed while others may have had the key"
        )
    )
    cause: Cause = Field(description="why it was opened", examples=["criteria"])
    state: State
    member: str
    achievement: str
    version: int
    award: UUID | None = None
    opened_at: Instant
    closed_at: Instant | None = None
    reason: str | None = Field(None, description="why it was declined")
    wanted: list[WantedOut]
    given: list[GivenOut]
    criteria: NodeOut | None = Field(
        None, description="while it waits: what the member has reached now, rule by rule, with the records that count"
    )

    @classmethod
    def of(cls, waiting: Waiting) -> Self:
        """Return the answer for one review."""
        row = waiting.review
        given = [
            GivenOut(
                member=ref,
                role=each.role,
                outcome="approved" if each.outcome == "approved" else "declined",
                at=each.at,
                note=each.note,
                counts=each.ended_at is None,
            )
            for each, ref in waiting.given
        ]
        return cls.model_validate(
            {
                "id": row.id,
                "kind": row.kind,
                "cause": row.cause,
                "state": row.state,
                "member": waiting.member_ref,
                "achievement": waiting.achievement_ref,
                "version": waiting.version.version,
                "award": row.award_id,
                "opened_at": row.opened_at,
                "closed_at": row.closed_at,
                "reason": row.reason,
                "wanted": [WantedOut(role=role, n=n) for role, n in sorted(waiting.wanted.items())],
                "given": given,
                "criteria": waiting.node.to_json() if waiting.node is not None else None,
            }
        )


class ManyIn(Body):
    """Several that are to be approved at once."""

    approve: list[Uid] = Field(min_length=1, max_length=100, description="ids from the queue")
    note: Prose | None = None


class OneOfMany(Answer):
    """What became of one of several."""

    id: UUID
    state: State | None = None
    award: UUID | None = None
    code: str | None = Field(None, description="code of the problem, if it was refused")
    detail: str | None = None


class ManyOut(Answer):
    """What became of each, in the order of the request."""

    items: list[OneOfMany]


@router.get("/v1/networks/{slug}/approvals", response_model=Page[ApprovalOut])
def list_approvals(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    now: Now,
    _caller: CanRead,
    state: State | None = None,
    kind: Kind | None = None,
    member: Annotated[str | None, Query(max_length=200, description="the member's ref")] = None,
    achievement: Annotated[str | None, Query(max_length=200, description="the achievement's ref")] = None,
    sort: Literal["opened_at", "-opened_at"] = "opened_at",
) -> Response:
    """List what people decide, in the order in which it was put before them.

    With `state=waiting` this is the queue.
    """
    found, following = approvals.queue(
        session,
        network,
        now,
        window=window,
        state=state,
        kind=kind,
        member=member,
        achievement=achievement,
        sort=sort,
    )
    return reply(200, Page[ApprovalOut](items=[ApprovalOut.of(each) for each in found], next=following))


@router.post(
    "/v1/networks/{slug}/approvals",
    status_code=201,
    response_model=ApprovalOut,
    responses={200: {"model": ApprovalOut}},
)
@exactly_once()
def create_approval(body: ApprovalAsked, act: Annotated[CallersAct, acting(Needs("awards:write"))]) -> Response:
    """Ask people to approve an award whose criteria lack only their approval.

    If the achievement is awarded automatically, this happens by itself. Ask for it if the achievement is `reviewed`, if
    its criteria ask for nothing but approval, and again after it was declined. If it waits already, that is the answer,
    with 200.
    """
    row, created = approvals.ask(act, body)
    return _shown(act.session, act.network, row, act.now, 201 if created else 200)


@router.get("/v1/networks/{slug}/approvals/{approval_id:uuid}", response_model=ApprovalOut)
def get_approval(approval_id: Uid, network: ReadNetwork, session: Reader, now: Now, _caller: CanRead) -> Response:
    """Return one question about an award, waiting or closed, with what was said in it."""
    return reply(200, ApprovalOut.of(approvals.find(session, network, approval_id, now)))


@router.post("/v1/networks/{slug}/approvals/{approval_id}/approval", response_model=ApprovalOut)
@exactly_once()
def give_approval(approval_id: Uid, body: ApprovalIn, act: ApproversAct, runtime: Running) -> Response:
    """Approve as the member to whom the token is bound, in the roles they have now.

    The last approval that is needed makes the award. Neither the recipient can approve nor the one who asked, not even
    as another member. If two approve at the same moment, one makes the award, and the other gets that award in the
    answer.
    """
    row = approvals.approve(act, runtime, approval_id, body)
    return _shown(act.session, act.network, row, act.now)


@router.post("/v1/networks/{slug}/approvals/{approval_id}/refusal", response_model=ApprovalOut)
@exactly_once()
def decline_approval(approval_id: Uid, body: RefusalIn, act: ApproversAct, runtime: Running) -> Response:
    """Decline, with a reason.

    An award that waited for a second person is given up; one under review is revoked.
    """
    row = approvals.decline(act, runtime, approval_id, body)
    return _shown(act.session, act.network, row, act.now)


@router.post("/v1/networks/{slug}/approvals/several", response_model=ManyOut)
@exactly_once()
def approve_several(body: ManyIn, act: ApproversAct, runtime: Running) -> Response:
    """Approve several at once; one that is refused does not affect the others."""
    outcomes = approvals.approve_many(act, runtime, body.approve, ApprovalIn(note=body.note))
    items = [
        OneOfMany(id=asked, code=outcome.code, detail=outcome.message)
        if isinstance(outcome, ServiceError)
        else OneOfMany.model_validate({"id": asked, "state": outcome.state, "award": outcome.award_id})
        for asked, outcome in zip(body.approve, outcomes, strict=True)
    ]
    return reply(200, ManyOut(items=items))


def _shown(session: ReadSession | WriteSession, network: Network, row: Review, now: Now, status: int = 200) -> Response:
    return reply(status, ApprovalOut.of(approvals.find(session, network, row.id, now)))
