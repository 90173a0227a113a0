"""Members over HTTP."""

from contextlib import suppress
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access import callers
from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Did, EmailAddress, Instant, Ref, under
from service.errors import NotFoundError
from service.intake import members as intake_members
from service.intake import persons
from service.intake.persons import PersonIn
from service.networks import members
from service.networks.members import MemberFields, MemberIn, MemberView
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession, WriteSession
from service.tables import Member
from service.web.conditional import TAGGED, UNCHANGED, Given, IfNoneMatch, merge_patch, seen, tagged, written_or_made
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
)

router = APIRouter(route_class=StrictRoute, tags=["members"])
CanWrite = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]


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
    shares_person_with: list[str] | None = Field(
        None, description="refs of the members who are the same person, because they have one e-mail address or DID"
    )
    perhaps_same_as: list[str] | None = Field(
        None,
        description="refs of the members with the same address, while somebody must say whether they are one person",
    )
    erased_at: Instant | None = Field(None, description="when all that was held of the person was erased")

    @classmethod
    def of(cls, view: MemberView) -> Self:
        """Return the answer for one member."""
        return cls(
            id=view.member.id,
            ref=view.member.ref,
            name=view.member.name,
            email=view.identities.get("email"),
            did=view.identities.get("did"),
            organization=view.member.organization,
            roles=[RoleOut(role=row.role, from_=row.from_at, until=row.until_at) for row in view.roles],
            enrolled_at=view.member.enrolled_at,
            shares_person_with=list(view.shares_person_with) or None,
            perhaps_same_as=list(view.perhaps) or None,
            erased_at=view.member.erased_at,
        )


def _put(act: CallersAct, runtime: Runtime, body: MemberIn) -> Response:
    member, created = intake_members.put_member(act, runtime, body)
    return tagged(201 if created else 200, _shown(act.session, act.caller, member))


def _shown(session: ReadSession | WriteSession, caller: Caller, member: Member) -> MemberOut:
    (shown,) = members.view(session, [member], addresses=callers.reads_addresses(caller))
    return MemberOut.of(shown)


def _now(act: CallersAct, ref: str) -> MemberOut:
    return _shown(act.session, act.caller, members.held(act, ref))


def _now_if_there(act: CallersAct, ref: str) -> MemberOut | None:
    with suppress(NotFoundError):
        return _now(act, ref)
    return None


@router.put("/v1/networks/{slug}/members/{ref}", response_model=MemberOut, responses=written_or_made(MemberOut))
@exactly_once(personal=True)
def put_member(ref: Ref, body: MemberPut, act: CanWrite, runtime: Running, given: Given) -> Response:
    """Add a member (201) or change one (200); members need no account here.

    What is left out stays as it is; null removes it. `roles` is the whole list: a role that it leaves out ends now.
    A token that is bound to this member changes the name alone. Within the network a person is recognised by e-mail
    address or DID, so one human under two refs cannot evaluate themself. Evidence that came before the member is no
    longer held.

    Another member with the same e-mail address or DID is the same person, as `shares_person_with` says; a network that
    wants to be asked first (`same_address`) finds it in `perhaps_same_as`. Each keeps the name that it was given.
    """
    given.hold(lambda: _now_if_there(act, ref))
    return _put(act, runtime, MemberIn(**under(ref, body)))


@router.patch(
    "/v1/networks/{slug}/members/{ref}",
    response_model=MemberOut,
    responses=TAGGED,
    summary="Change a member",
    openapi_extra=merge_patch("MemberPut"),
)
@exactly_once(personal=True)
def update_member(ref: Ref, body: MemberPut, act: CanWrite, runtime: Running, given: Given) -> Response:
    """Change some of what is known of a member, by a JSON Merge Patch (RFC 7396).

    As `PUT`, for a member who is there (otherwise 404). What is left out stays as it is; null removes it.
    """
    given.hold(lambda: _now(act, ref))
    members.get_member(act.session, act.network, ref)
    return _put(act, runtime, MemberIn(**under(ref, body)))


@router.put(
    "/v1/networks/{slug}/members/{ref}/person",
    response_model=MemberOut,
    responses=TAGGED,
    summary="Say whose person a member is",
)
@exactly_once(personal=True)
def update_member_person(ref: Ref, body: PersonIn, act: CanWrite, runtime: Running, given: Given) -> Response:
    """Say that a member is the same person as another one, or, with null, as no other.

    This answers the question of a network whose `same_address` is `ask`, and corrects what was taken for granted where
    it is `same-person`: the two are told apart, and both keep the address. Rules that count different people count again.
    Nobody decides for another with the same address, also when the two were told apart.
    """
    given.hold(lambda: _now(act, ref))
    return tagged(200, _shown(act.session, act.caller, persons.tell(act, runtime, ref, body)))


@router.post(
    "/v1/networks/{slug}/members",
    response_model=MemberOut,
    responses={201: {"model": MemberOut}},
)
@exactly_once(personal=True)
def create_member(body: MemberIn, act: CanWrite, runtime: Running) -> Response:
    """Add or change a member as `PUT .../members/{ref}` does; the ref is in the body.

    Many at once: `POST .../members/bulk`.
    """
    return _put(act, runtime, body)


@router.get("/v1/networks/{slug}/members")
def list_members(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    at: Now,
    who: CanRead,
    role: Annotated[str | None, Query(max_length=64, description="only members who have this role now")] = None,
    organization: Annotated[str | None, Query(max_length=200)] = None,
    person: Annotated[
        Literal["asked", "apart"] | None,
        Query(description="asked: somebody must say whether they are the person of another; apart: they are not"),
    ] = None,
    email: Annotated[EmailAddress | None, Query(description="needs the scope read")] = None,
    did: Annotated[Did | None, Query(description="needs the scope read")] = None,
    name: Annotated[
        str | None, Query(min_length=1, max_length=200, description="the name begins so, in upper or lower case")
    ] = None,
    sort: Literal["enrolled_at", "-enrolled_at", "ref", "-ref"] = "enrolled_at",
) -> Page[MemberOut]:
    """List members in the order in which they were added, or in another.

    A token with `read:basic` sees no e-mail addresses and DIDs, and does not find by them.
    """
    if email is not None or did is not None:
        callers.require(who, "read")
    which = members.MemberFilter(role, organization, email, did, name, person)
    rows, cursor = members.list_members(session, network, at, window=window, which=which, sort=sort)
    shown = members.view(session, rows, addresses=callers.reads_addresses(who))
    return Page(items=[MemberOut.of(each) for each in shown], next=cursor)


@router.get("/v1/networks/{slug}/members/{ref}", response_model=MemberOut, responses=UNCHANGED)
def get_member(
    ref: str, network: ReadNetwork, session: Reader, who: CanRead, if_none_match: IfNoneMatch = None
) -> Response:
    """Return one member."""
    return seen(_shown(session, who, members.get_member(session, network, ref)), if_none_match)
