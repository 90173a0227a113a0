"""Proposals of people for a call over HTTP, with their reasons."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant, Ref, Uid, one_of
from service.participation.calls import proposals, wording
from service.participation.calls.choosing import Method
from service.participation.calls.proposals import CallProposalIn, Proposal
from service.tables import Network
from service.texts.languages import LANGUAGES, Language
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Now,
    Page,
    Reader,
    ReadNetwork,
    StrictRoute,
    Windowed,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["calls"])
CanPropose = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
PROPOSALS = "/v1/networks/{slug}/calls/{ref}/proposals"


class CallReasonOut(Answer):
    """A reason, or something that a set lacks: as a code, and in the network's language."""

    code: Annotated[str, one_of(wording.CODES)]
    text: str


class CallProposedOut(Answer):
    """Somebody in a proposal, or who would be next, and why."""

    application: UUID
    member: str | None = Field(None, description="ref of the member; left out: the person is none yet")
    name: str | None = Field(None, description="what a person calls themself who is no member yet")
    reasons: list[CallReasonOut]


class CallLockOut(Answer):
    """Somebody whom people put in a proposal, or left out of it."""

    application: UUID
    kind: Literal["include", "exclude"]
    reason: str | None = None


class CallDiversityOut(Answer):
    """Blau's index of a set: 0 if all are alike."""

    discipline: float
    role: float
    organization: float


class CallProposalOut(Answer):
    """A set of people that is proposed for a call; it decides nothing."""

    id: UUID
    call: str = Field(description="ref of the call")
    made_at: Instant
    k: int
    considered: int = Field(description="how many people could be proposed")
    method: Method = Field(
        description="everybody: there are no more people than places; exact: no set is better; exchange: there were too many"
        " sets to compare all"
    )
    found: str = Field(description="how it was found, in words")
    coverage: int = Field(description="the sum over all objectives, and topics without one, of the highest level")
    coverage_at_most: int = Field(description="no set of this size covers more than this")
    coverage_of_all: int = Field(description="what it would be if somebody could teach each")
    diversity: CallDiversityOut
    readiness: float | None = Field(None, description="the mean answer of the whole set; left out: nothing was asked")
    people: list[CallProposedOut]
    lacks: list[CallReasonOut]
    next: list[CallProposedOut] = Field(description="who would be next, the first one first")
    locks: list[CallLockOut]

    @classmethod
    def of(cls, network: Network, found: Proposal) -> Self:
        """Return the answer for one proposal."""
        row, language = found.row, LANGUAGES[network.language]
        result = row.result
        found_by = wording.METHODS[result["method"]]
        numbers = ("method", "considered", "coverage", "coverage_at_most", "coverage_of_all", "diversity", "readiness")
        return cls.model_validate(
            {name: result[name] for name in numbers}
            | {"id": row.id, "call": found.call.ref, "made_at": row.made_at, "k": row.k}
            | {
                "found": language.gettext(found_by),
                "people": [_person(language, found, each) for each in result["chosen"]],
                "lacks": [_reason(language, found, each) for each in result["lacks"]],
                "next": [_person(language, found, each) for each in result["next"]],
                "locks": [CallLockOut.model_validate(each, from_attributes=False) for each in _locks(found)],
            }
        )


def _locks(found: Proposal) -> list[dict[str, Any]]:
    return [{"application": each.application_id, "kind": each.kind, "reason": each.reason} for each in found.locks]


def _person(language: Language, found: Proposal, each: Mapping[str, Any]) -> CallProposedOut:
    _, member, text = found.people.get(each["application"], (None, None, None))
    return CallProposedOut(
        application=UUID(each["application"]),
        member=None if member is None else member.ref,
        name=None if text is None else text.name,
        reasons=[_reason(language, found, part) for part in each["parts"]],
    )


def _reason(language: Language, found: Proposal, part: Mapping[str, Any]) -> CallReasonOut:
    return CallReasonOut(code=part["code"], text=wording.sentence(language, part, found.row.result["targets"]))


@router.post(
    PROPOSALS,
    response_model=CallProposalOut,
    responses={201: {"model": CallProposalOut}},
    summary="Propose people for a call",
)
@exactly_once(personal=True)
def create_call_proposal(ref: Ref, body: CallProposalIn, act: CanPropose) -> Response:
    """Propose k people who together cover the objectives best, then are the most diverse, then the most ready.

    For each objective, and each topic that serves none, the highest level of somebody in the set counts. Of sets that
    cover as much, the one is proposed whose disciplines, roles and organizations are the most diverse (Blau's index), then
    the one whose answers about readiness are the highest, then the one that applied first. Small sets are compared with
    all others; `coverage_at_most` says how far the best can be from a larger one.

    It is a proposal: nobody is accepted or declined by it. Who is accepted already is in it; who was declined or has
    withdrawn is not. The same request again is answered with the proposal that is there (200).

    The token must be bound to no member, or to a facilitator, admin or approver.
    """
    row, created = proposals.propose(act, ref, body)
    shown = proposals.show(act.session, row)
    return reply(201 if created else 200, CallProposalOut.of(act.network, shown))


@router.get(PROPOSALS, summary="List the proposals for a call")
def list_call_proposals(
    ref: str, network: ReadNetwork, session: Reader, at: Now, window: Windowed, who: CanRead
) -> Page[CallProposalOut]:
    """List the proposals for a call, the newest first, for the callers who can make them."""
    rows, cursor = proposals.list_proposals(session, network, who, ref, window, at)
    return Page(items=[CallProposalOut.of(network, row) for row in rows], next=cursor)


@router.get("/v1/networks/{slug}/call-proposals/{proposal_id}", summary="See a proposal for a call")
def get_call_proposal(
    proposal_id: Uid, network: ReadNetwork, session: Reader, at: Now, who: CanRead
) -> CallProposalOut:
    """Return one proposal, for the callers who can make them."""
    return CallProposalOut.of(network, proposals.find(session, network, who, proposal_id, at))
