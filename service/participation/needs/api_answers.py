"""Answers about interests and needs over HTTP.

Also links for those without an account.
"""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant, Ref
from service.participation.needs import answers, cycles, links
from service.participation.needs.answers import AnswerWithRef
from service.participation.needs.shapes import (
    NeedsAnswerFields,
    NeedsAnswersIn,
    NeedsLinksIn,
    NeedsOffer,
    NeedsWish,
    Slot,
    Via,
)
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

router = APIRouter(route_class=StrictRoute, tags=["needs"])
CanAnswer = Annotated[CallersAct, acting(Needs("evidence:write"))]
CanInvite = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
ANSWERS = "/v1/networks/{slug}/needs-cycles/{ref}/answers"


class NeedsAnswerOut(Answer):
    """What a member answered in a cycle."""

    member: str
    cycle: str
    learn: list[NeedsWish]
    offer: list[NeedsOffer]
    readiness: int | None
    times: list[Slot]
    can_help: int
    share_offer: bool
    note: str | None
    via: Via = Field(
        description="how it came last: by a token of the member, a token of the network, the member's page, or a link"
    )
    answered_at: Instant
    changed_at: Instant

    @classmethod
    def of(cls, found: AnswerWithRef) -> Self:
        """Return the answer for one row."""
        said = answers.fields_of(found.row).model_dump()
        held = {name: getattr(found.row, name) for name in ("via", "answered_at", "changed_at")}
        return cls.model_validate(said | held | {"member": found.member, "cycle": found.cycle})


class NeedsAnswersOut(Answer):
    """What several members answered, in the order in which it was sent."""

    items: list[NeedsAnswerOut]


class NeedsLinkOut(Answer):
    """A link by which a member answers without an account."""

    member: str
    url: str = Field(examples=["https://badges.example.org/needs/uJ3d8s0Kq1"])


class NeedsLinksOut(Answer):
    """Links that were made."""

    expires_at: Instant = Field(description="when the cycle closes; if that changes, the links follow")
    links: list[NeedsLinkOut] | None = Field(None, description="shown only now; left out in the answer to a retry")


@router.put(
    f"{ANSWERS}/{{member}}",
    response_model=NeedsAnswerOut,
    responses={201: {"model": NeedsAnswerOut}},
    summary="Answer a needs cycle",
)
@exactly_once(personal=True)
def put_needs_answer(ref: Ref, member: Ref, body: NeedsAnswerFields, act: CanAnswer) -> Response:
    """Say what a member wants to learn and can offer; it replaces what the person answered before in this cycle.

    It is the member's own survey: with a token that is bound to a member only of that member. A token of the network answers
    for members, and `via` says so. A person with several refs has one answer. Somebody may want to learn what they also
    offer; they are never matched with themself. No rule counts an answer.
    """
    found, new = answers.give(act, ref, member, body)
    return reply(201 if new else 200, NeedsAnswerOut.of(found))


@router.post(ANSWERS, response_model=NeedsAnswersOut, summary="Answer a needs cycle for several members")
@exactly_once(personal=True)
def create_needs_answers(ref: Ref, body: NeedsAnswersIn, act: CanAnswer) -> Response:
    """Answer for up to 200 members, as `PUT .../answers/{member}` does; if one is refused, none is taken."""
    found = answers.give_many(act, ref, body.answers)
    return reply(200, NeedsAnswersOut(items=[NeedsAnswerOut.of(each) for each in found]))


@router.delete(
    f"{ANSWERS}/{{member}}", status_code=204, response_class=Response, summary="Take back an answer to a needs cycle"
)
@exactly_once()
def delete_needs_answer(ref: Ref, member: Ref, act: CanAnswer) -> Response:
    """Delete what a person answered, also when the cycle is closed."""
    answers.withdraw(act, ref, member)
    return Response(status_code=204)


@router.get(ANSWERS)
def list_needs_answers(
    ref: str, network: ReadNetwork, session: Reader, window: Windowed, at: Now, who: CanRead
) -> Page[NeedsAnswerOut]:
    """List what members answered, in the order in which they did so.

    With a token that is bound to a member who is neither facilitator nor assessor: only their own.
    """
    cycle = cycles.get_cycle(session, network, ref)
    rows, cursor = answers.list_answers(session, who, cycle, window, at)
    return Page(items=[NeedsAnswerOut.of(row) for row in rows], next=cursor)


@router.get(f"{ANSWERS}/{{member}}")
def get_needs_answer(
    ref: str, member: str, network: ReadNetwork, session: Reader, at: Now, who: CanRead
) -> NeedsAnswerOut:
    """Return what a person answered; that of somebody else is not there for a plain member's token."""
    cycle = cycles.get_cycle(session, network, ref)
    return NeedsAnswerOut.of(answers.get_answer(session, who, network, cycle, member, at))


@router.post("/v1/networks/{slug}/needs-cycles/{ref}/links", response_model=NeedsLinksOut, status_code=201)
@exactly_once(shown_once="links")
def create_needs_links(ref: Ref, body: NeedsLinksIn, act: CanInvite, runtime: Running) -> Response:
    """Make links by which members answer without an account; send each to its member yourself.

    Who has a link can answer as that member, and sees nothing of others. A link works while the cycle is open, until a new
    one is made for the member, the member is erased, or the token that made it is revoked. The token must be bound to no
    member, or to a facilitator or assessor.
    """
    cycle, made = links.make(act, runtime, ref, body.members)
    listed = [NeedsLinkOut(member=each.member, url=each.url) for each in made]
    return reply(201, NeedsLinksOut(expires_at=cycle.closes_at, links=listed))
