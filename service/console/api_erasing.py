"""Erasing a person over HTTP: what would go, and its erasure."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, BackgroundTasks, Depends, Response
from pydantic import Field

from service.access import callers
from service.access.act import Act
from service.access.callers import Caller
from service.bodies import Instant
from service.console import erasing
from service.console.erasing import Erasure
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Needs, Now, Reader, ReadNetwork, Running, StrictRoute, Writer, reply

router = APIRouter(route_class=StrictRoute, tags=["members"])
CanErase = Annotated[Caller, Depends(Needs("members:erase"))]
CanLook = Annotated[Caller, Depends(Needs("read", "members:erase"))]


class ErasedCounts(Answer):
    """How much is erased, or would be."""

    names: int = Field(0, description="the one that the network gave, and those in credentials")
    addresses: int = Field(0, description="e-mail addresses and DIDs")
    record_bodies: int = Field(0, description="what records say; records that name an address are among them")
    case_texts: int = 0
    goals: int = Field(0, description="goals of the member, with their check-ins")
    applications: int = Field(
        0, description="applications to calls whose texts go: what the person wrote in them, and others of them"
    )
    reasons: int = Field(0, description="what people wrote about awards, approvals and credentials of the person")
    endorsements: int = Field(
        0, description="what the person said of others' badges, and others of theirs, which are withdrawn"
    )
    files: int = Field(0, description="files that no other contribution names")
    mails: int = Field(0, description="sent, or waiting to be sent")
    tokens: int = Field(0, description="tokens bound to the member, which are revoked")
    open_cases: int = Field(0, description="cases of the member, which are withdrawn")
    pending_awards: int = Field(0, description="awards that are not signed yet, which are given up")


class StaysOut(Answer):
    """Something that stays, and why."""

    what: Literal["ref", "records", "numbers", "roles", "awards", "credentials", "receipts", "events", "addresses"]
    count: int | None = None
    why: str


class ErasureOut(Answer):
    """What was erased of a person, or would be, and what stays."""

    member: str = Field(description="the ref; one that was an e-mail address is replaced when it is erased")
    erased_at: Instant | None = Field(None, description="left out while nothing is erased")
    erases: ErasedCounts
    stays: list[StaysOut]

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """Return the answer for one member."""
        return cls.model_validate(
            {
                "member": erasure.member.ref,
                "erased_at": erasure.member.erased_at,
                "erases": dict(erasure.counts),
                "stays": [StaysOut.model_validate(each) for each in erasure.stays],
            }
        )


@router.get(
    "/v1/networks/{slug}/members/{ref}/erasure", response_model=ErasureOut, summary="See what an erasure takes away"
)
def get_erasure(ref: str, network: ReadNetwork, session: Reader, at: Now, _who: CanLook) -> Response:
    """Return what an erasure of this person would take away, and what would stay; nothing changes.

    For a person who was erased it is what went, and when.
    """
    return reply(200, ErasureOut.of(erasing.look(session, network, ref, at)))


def overwrite_afterwards(runtime: Running, tasks: BackgroundTasks) -> None:
    """Have nothing of what was erased in the database's log, once the response was sent."""
    tasks.add_task(runtime.database.overwrite_log)


@router.delete(
    "/v1/networks/{slug}/members/{ref}",
    response_model=ErasureOut,
    summary="Erase a person",
    dependencies=[Depends(overwrite_afterwards)],
)
@exactly_once()
def delete_member(slug: str, ref: str, session: Writer, runtime: Running, at: Now, who: CanErase) -> Response:
    """Erase what this network holds of a person, at once and for good.

    `GET .../erasure` shows before what goes. What stays is in the answer, with the reason. Badges that were given out
    stay valid: the person holds them. Nothing new is kept under the ref afterwards (409 `member-erased`): if the person
    comes back, they get a new one. Tokens of the member are revoked. With a token that is bound to a member, only that
    member is erased. A second request is answered the same. This works for a closed network too.
    """
    act = Act(session, callers.network_of(session, who, slug), who, at)
    return reply(200, ErasureOut.of(erasing.erase(act, runtime, ref)))
