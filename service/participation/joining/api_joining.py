"""Requests to join a network over HTTP: the network sees them and decides."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access import callers
from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Body, Instant, Prose, Ref, Uid
from service.participation.joining import join_requests
from service.participation.joining.join_requests import RequestWithRef
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

router = APIRouter(route_class=StrictRoute, tags=["members"])
CanWrite = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
REQUESTS = "/v1/networks/{slug}/join-requests"
JoinState = Literal["asked", "accepted", "declined", "withdrawn"]


class JoinRequestOut(Answer):
    """Somebody asks whether they may join."""

    id: UUID
    state: JoinState
    name: str | None = Field(None, description="what they call themself; left out once it is over")
    address: str | None = Field(
        None, description="an e-mail address that they proved; left out once it is over, and without the scope `read`"
    )
    message: str | None = Field(None, description="who they are and why; left out once it is over")
    asked_at: Instant
    decided_at: Instant | None = None
    member: str | None = Field(None, description="ref of the member that they became")
    reason: str | None = Field(None, description="why it was declined; the person sees it")

    @classmethod
    def of(cls, found: RequestWithRef, who: Caller) -> Self:
        """Return the answer for one request."""
        row = found.row
        return cls.model_validate(
            {
                "id": row.id,
                "state": row.state,
                "name": row.name or None,
                "address": (row.address or None) if callers.reads_addresses(who) else None,
                "message": row.message or None,
                "asked_at": row.asked_at,
                "decided_at": row.decided_at,
                "member": found.member,
                "reason": row.reason,
            }
        )


class JoinAcceptanceIn(Body):
    """Under which ref the person is a member."""

    ref: Ref = Field(description="the network's own; no other member has it", examples=["m31"])


class JoinRefusalIn(Body):
    """Why the person does not join."""

    reason: Prose = Field(examples=["Our circle is full until the summer. Ask us again in September."])


@router.get(REQUESTS, summary="List requests to join")
def list_join_requests(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    who: CanRead,
    state: Annotated[JoinState | None, Query()] = None,
) -> Page[JoinRequestOut]:
    """List who asked to join by the form on the network's page, in the order in which they asked.

    The form is there while the network is in the public list with `joining` as `form` (`PUT .../listing`). Each request
    makes an event `join.asked`; nobody gets a mail.
    """
    rows, cursor = join_requests.list_requests(session, network, window, state)
    return Page(items=[JoinRequestOut.of(row, who) for row in rows], next=cursor)


@router.get(f"{REQUESTS}/{{request_id}}")
def get_join_request(request_id: Uid, network: ReadNetwork, session: Reader, who: CanRead) -> JoinRequestOut:
    """Return one request to join."""
    return JoinRequestOut.of(join_requests.find(session, network, request_id), who)


@router.post(f"{REQUESTS}/{{request_id}}/acceptance", response_model=JoinRequestOut, summary="Accept a request to join")
@exactly_once(personal=True)
def accept_join_request(request_id: Uid, body: JoinAcceptanceIn, act: CanWrite, runtime: Running) -> Response:
    """Take the person in as a member under a ref of your own, with the name and the address of the request.

    What they earn is in their account from the beginning. Who became a member in another way since is accepted under the
    ref of that member. The same ref again gets the same answer.
    """
    join_requests.accept(act, runtime, request_id, body.ref)
    return reply(200, JoinRequestOut.of(join_requests.find(act.session, act.network, request_id), act.caller))


@router.post(f"{REQUESTS}/{{request_id}}/refusal", response_model=JoinRequestOut, summary="Decline a request to join")
@exactly_once(personal=True)
def decline_join_request(request_id: Uid, body: JoinRefusalIn, act: CanWrite) -> Response:
    """Say that the person does not join, and why; the person sees the reason. They can ask again after 30 days."""
    join_requests.decline(act, request_id, body.reason)
    return reply(200, JoinRequestOut.of(join_requests.find(act.session, act.network, request_id), act.caller))
