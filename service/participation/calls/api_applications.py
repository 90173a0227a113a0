"""Applications to calls over HTTP, with decisions and questions."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant, Ref, Uid
from service.participation.calls import applications, decisions
from service.participation.calls.answers import CallApplicationIn
from service.participation.calls.applications import Application, State
from service.participation.calls.decisions import CallAnswerIn, CallDecisionIn, CallQuestionIn, Outcome
from service.tables import CallApplication, CallDecision, CallQuestion
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

router = APIRouter(route_class=StrictRoute, tags=["calls"])
CanApply = Annotated[CallersAct, acting(Needs("members:write", "evidence:write"))]
CanDecide = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
APPLICATIONS = "/v1/networks/{slug}/calls/{ref}/applications"
APPLICATION = "/v1/networks/{slug}/call-applications/{application_id}"


class CallExpertiseOut(Answer):
    """How much an applicant knows about a topic, as they say."""

    topic: str
    level: int


class CallDecisionOut(Answer):
    """What a person decided on an application."""

    outcome: Outcome
    reason: str | None = Field(None, description="the applicant reads it")
    decided_at: Instant

    @classmethod
    def of(cls, row: CallDecision) -> Self:
        """Return the answer for one decision."""
        return cls.model_validate(row)


class CallQuestionOut(Answer):
    """A question why it was decided so, and the network's answer."""

    id: UUID
    question: str
    asked_at: Instant
    answer: str | None = None
    answered_at: Instant | None = None

    @classmethod
    def of(cls, row: CallQuestion) -> Self:
        """Return the answer for one question."""
        return cls.model_validate(row)


class CallApplicationOut(Answer):
    """An application to a call."""

    id: UUID
    call: str = Field(description="ref of the call")
    state: State
    member: str | None = Field(None, description="ref of the member who applied; left out: the person is none yet")
    name: str | None = Field(None, description="what a person calls themself who is no member yet")
    protected: bool = Field(
        description="whether the applicant is a child or a student: lists leave their statement out"
    )
    applied_at: Instant
    changed_at: Instant
    statement: str | None = Field(None, description="left out where it was erased")
    expertise: list[CallExpertiseOut]
    role: str | None = None
    organization: str | None = None
    discipline: str | None = None
    readiness: list[int]
    decisions: list[CallDecisionOut] = Field(description="oldest first; the last one counts")
    questions: list[CallQuestionOut]

    @classmethod
    def of(cls, found: Application, *, listed: bool = False) -> Self:
        """Return the answer for one application.

        Args:
            listed: among others: what a child or a student wrote is left out.
        """
        row, text = found.row, found.text
        said = {name: getattr(text, name, None) for name in ("statement", "role", "organization", "discipline")}
        if listed and found.protected:
            said["statement"] = None
        levels = {} if text is None else text.expertise
        return cls.model_validate(
            said
            | {
                "id": row.id,
                "call": found.call.ref,
                "state": row.state,
                "member": None if found.member is None else found.member.ref,
                "name": None if text is None else text.name,
                "protected": found.protected,
                "applied_at": row.applied_at,
                "changed_at": row.changed_at,
                "expertise": [{"topic": topic, "level": level} for topic, level in levels.items()],
                "readiness": [] if text is None else text.readiness,
                "decisions": [CallDecisionOut.of(each) for each in found.decisions],
                "questions": [CallQuestionOut.of(each) for each in found.questions],
            }
        )


def _shown(act: CallersAct, row: CallApplication, status: int = 200) -> Response:
    return reply(status, CallApplicationOut.of(applications.show(act.session, [row], act.now)[0]))


@router.put(
    f"{APPLICATIONS}/{{member}}",
    response_model=CallApplicationOut,
    responses={201: {"model": CallApplicationOut}},
    summary="Apply to a call",
)
@exactly_once(personal=True)
def put_call_application(ref: Ref, member: Ref, body: CallApplicationIn, act: CanApply) -> Response:
    """Apply for a member (201), or change what was said (200), while the call is open.

    The whole application is sent each time. One application is one person: under another ref of the same person it is
    refused. With a token that is bound to a member one applies only for oneself. People also apply on a page, where those
    who are no members yet do.
    """
    row, created = applications.apply_as_member(act, ref, member, body)
    return _shown(act, row, 201 if created else 200)


@router.get(APPLICATIONS, summary="List the applications to a call")
def list_call_applications(
    ref: str,
    network: ReadNetwork,
    session: Reader,
    at: Now,
    window: Windowed,
    who: CanRead,
    state: Annotated[State | None, Query()] = None,
) -> Page[CallApplicationOut]:
    """List applications in the order in which they came; a member who does not decide sees their own only."""
    rows, cursor = applications.list_applications(session, network, who, ref, window, state, at)
    return Page(items=[CallApplicationOut.of(row, listed=True) for row in rows], next=cursor)


@router.get(APPLICATION, summary="See an application")
def get_call_application(
    application_id: Uid, network: ReadNetwork, session: Reader, at: Now, who: CanRead
) -> CallApplicationOut:
    """Return one application: to the applicant, a facilitator, admin or approver, and a token of the whole network."""
    return CallApplicationOut.of(applications.find(session, network, who, application_id, at))


@router.post(f"{APPLICATION}/withdrawal", response_model=CallApplicationOut, summary="Withdraw an application")
@exactly_once(personal=True)
def withdraw_call_application(application_id: Uid, act: CanApply) -> Response:
    """Withdraw an application while the call is open and nothing is decided; who withdrew can apply again."""
    row = applications.own_held(act, application_id)
    return _shown(act, applications.withdraw(act, row))


@router.post(f"{APPLICATION}/decisions", response_model=CallApplicationOut, summary="Decide on an application")
@exactly_once(personal=True)
def decide_call_application(application_id: Uid, body: CallDecisionIn, act: CanDecide, runtime: Running) -> Response:
    """Accept an application, put it on the waiting list, or decline it with a reason, which the applicant reads.

    A person decides: the token must be bound to a facilitator, admin or approver who is not the applicant. No proposal
    and no number decides. A later decision counts in the place of the former, which stays on record.

    An accepted person who is no member becomes one, under `ref`, with the name that they gave and the address that they
    proved. An accepted member gets the role that the call names.
    """
    return _shown(act, decisions.decide(act, runtime, application_id, body))


@router.post(
    f"{APPLICATION}/questions",
    response_model=CallQuestionOut,
    status_code=201,
    summary="Ask why it was decided so",
)
@exactly_once(personal=True)
def create_call_question(application_id: Uid, body: CallQuestionIn, act: CanApply) -> Response:
    """Ask why an application was declined, or put on the waiting list: at most three times.

    The token must be bound to the applicant, or to no member, on the applicant's behalf.
    """
    row = applications.own_held(act, application_id)
    return reply(201, CallQuestionOut.of(decisions.ask(act, row, body.question)))


@router.post(
    f"{APPLICATION}/questions/{{question_id}}/answer",
    response_model=CallQuestionOut,
    summary="Answer an applicant",
)
@exactly_once(personal=True)
def answer_call_question(application_id: Uid, question_id: Uid, body: CallAnswerIn, act: CanDecide) -> Response:
    """Answer the question of an applicant for the network; they read it on the page of their application.

    The token must be bound to no member, or to a facilitator, admin or approver who is not the applicant.
    """
    return reply(200, CallQuestionOut.of(decisions.answer(act, application_id, question_id, body.answer)))
