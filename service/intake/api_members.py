"""Members over HTTP."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.bodies import Instant, Ref, under
from service.intake import api_bulk
from service.intake import members as intake_members
from service.networks import members
from service.networks.members import MemberFields, MemberIn, MemberView
from service.runtime.runtime import Runtime
from service.web.exactly_once import exactly_once
from service.web.requests import (
    After,
    Answer,
    Limit,
    Needs,
    Now,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["members"])
CanWrite = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs("read"))]


class MemberPut(MemberFields):
    """One member; its `ref` is in the path, and may be repeated here."""

    ref: Ref | None = None


class RoleOut(Answer):
    """A role with its dates, `[from, until)`."""

    role: str
    from_: Instant = Field(serialization_alias="from")
    until: Instant | None = None


class MemberOut(Answer):
    """A member as it is stored."""

    id: UUID
    ref: str
    name: str | None = None
    email: str | None = None
    did: str | None = None
    organization: str | None = None
    roles: list[RoleOut]
    enrolled_at: Instant

    @classmethod
    def of(cls, view: MemberView) -> Self:
        """Return the answer for one member."""
        return cls(
            id=view.member.id,
            ref=view.member.ref,
            name=view.name,
            email=view.identities.get("email"),
            did=view.identities.get("did"),
            organization=view.member.organization,
            roles=[RoleOut(role=row.role, from_=row.from_at, until=row.until_at) for row in view.roles],
            enrolled_at=view.member.enrolled_at,
        )


def _put(act: Act, runtime: Runtime, body: MemberIn) -> Response:
    member, created = intake_members.put_member(act, runtime, body)
    (shown,) = members.view(act.session, [member])
    return reply(201 if created else 200, MemberOut.of(shown))


@router.put("/v1/networks/{slug}/members/{ref}", response_model=MemberOut, responses={201: {"model": MemberOut}})
@exactly_once(personal=True)
def put_member(ref: Ref, body: MemberPut, act: CanWrite, runtime: Running) -> Response:
    """Add a member (201) or change one (200); members need no account here.

    What is left out stays as it is; null removes it. `roles` is the whole list: a role that it leaves out ends now.
    Within the network a person is recognised by e-mail address or DID, so one human under two refs cannot evaluate
    themself. Evidence that came before the member is no longer held.
    """
    return _put(act, runtime, MemberIn(**under(ref, body)))


@router.post(
    "/v1/networks/{slug}/members",
    response_model=MemberOut,
    responses={201: {"model": MemberOut}},
    openapi_extra=api_bulk.DOCUMENTED,
)
@exactly_once(personal=True)
def post_member(body: MemberIn, act: CanWrite, runtime: Running) -> Response:
    """Add or change a member as `PUT .../members/{ref}` does; the ref is in the body.

    With `Content-Type: application/x-ndjson` the body holds many, one JSON object a line, and so does the answer.
    """
    return _put(act, runtime, body)


@router.get("/v1/networks/{slug}/members")
def list_members(
    network: ReadNetwork,
    session: Reader,
    at: Now,
    _who: CanRead,
    role: Annotated[str | None, Query(max_length=64, description="only members who have this role now")] = None,
    organization: Annotated[str | None, Query(max_length=200)] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[MemberOut]:
    """List members in the order in which they were added."""
    rows, cursor = members.list_members(
        session, network, at, after=after, limit=limit, role=role, organization=organization
    )
    return Page(items=[MemberOut.of(shown) for shown in members.view(session, rows)], next=cursor)


@router.get("/v1/networks/{slug}/members/{ref}")
def get_member(ref: str, network: ReadNetwork, session: Reader, _who: CanRead) -> MemberOut:
    """Return one member."""
    (shown,) = members.view(session, [members.get_member(session, network, ref)])
    return MemberOut.of(shown)
