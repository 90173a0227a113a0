"""Cases over HTTP, for the parties, the mediator and the network.

For everybody else a case does not exist.
"""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access import callers
from service.access.act import CallersAct
from service.access.callers import Caller
from service.appeals import case_files, cases, disagreements
from service.appeals.case_files import ShownCase
from service.appeals.cases import EscalationIn, MediatorIn, ResolutionIn, StatementIn
from service.appeals.contestable import CaseIn, Topic
from service.bodies import Instant, Uid
from service.issuing import receipts, unsigned
from service.runtime.runtime import Runtime
from service.runtime.settings import Settings
from service.tables import CaseHold, CaseStep
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
    Writer,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["cases"])
Kind = Literal["refusal", "declined", "revocation", "suspension", "disagreement"]
Outcome = Literal["upheld", "overturned", "withdrawn", "agreed", "decided", "unresolved"]
State = Literal["open", "mediating", "escalated", "resolved"]
StepKind = Literal[
    "opened",
    "statement",
    "assigned",
    "left",
    "escalated",
    "overdue",
    "withdrawn",
    "resolved",
    "proposed",
    "accepted",
    "held",
    "released",
]
Part = Literal["member", "respondent", "mediator", "network", "service"]
Anyone = Annotated[Caller, Depends(Needs("cases:write", "cases:decide", "cases:manage"))]
AnyonesAct = Annotated[CallersAct, acting(Needs("cases:write", "cases:decide", "cases:manage"))]
ContestantsAct = Annotated[CallersAct, acting(Needs("cases:write", "cases:manage"))]


class StepOut(Answer):
    """One step of a case."""

    id: UUID
    kind: StepKind
    part: Part = Field(
        description="the part of the one who took it; network: on the member's behalf; service: the time was over"
    )
    at: Instant
    by: str | None = Field(None, description="ref of the member to whom the token is bound")
    mediator: str | None = Field(None, description="ref of the member who came or left as mediator")
    held: str | None = Field(None, description="ref of the party whose new awards wait, or follow again")
    text: str | None = Field(None, description="what was said; only in the answer to GET, for parties and mediator")
    follows: str | None = Field(None, description="what a decision asks for; where the text is")
    digest: str | None = Field(
        None,
        description=(
            "SHA-256 over RFC 8785 of {salt, body: {text}}, with `follows` in the body if there is one; kept if the "
            "text is erased"
        ),
    )
    erased: bool | None = Field(None, description="true once what was said was erased")

    @classmethod
    def of(cls, step: CaseStep, shown: ShownCase) -> Self:
        """Return the answer for one step."""
        of_hold = step.kind in case_files.OF_HOLDS
        return cls.model_validate(
            {
                "id": step.id,
                "kind": step.kind,
                "part": step.part,
                "at": step.at,
                "by": shown.refs.get(step.author_id),
                "mediator": None if of_hold else shown.refs.get(step.subject_id),
                "held": shown.refs.get(step.subject_id) if of_hold else None,
                "text": (shown.texts or {}).get(step.id),
                "follows": (shown.follows or {}).get(step.id),
                "digest": step.digest,
                "erased": True if step.digest is not None and step.salt is None else None,
            }
        )


class ResultOut(Answer):
    """What the outcome led to."""

    award: UUID
    credential: str | None = Field(
        None, description="public address; left out while the award waits for a second person"
    )
    receipt: str | None = Field(None, description="public address of the decision receipt")


class CaseDaysOut(Answer):
    """How many days the steps of a disagreement have."""

    answer: int = Field(description="those in which the other member is waited for")
    mediation: int = Field(description="those after them, until somebody else is to decide")


class CaseHoldOut(Answer):
    """New awards of a party that wait, or waited, while the case is open."""

    id: UUID
    member: str = Field(description="ref of the party")
    achievement: str | None = Field(None, description="its ref; left out: all")
    since: Instant
    until: Instant | None = Field(None, description="when that ended")

    @classmethod
    def of(cls, hold: CaseHold, achievement: str | None, shown: ShownCase) -> Self:
        """Return the answer for one hold."""
        return cls(
            id=hold.id,
            member=shown.refs[hold.member_id],
            achievement=achievement,
            since=hold.from_at,
            until=hold.until_at,
        )


class CaseOut(Answer):
    """A case: something that a member contests, or a disagreement of two members."""

    id: UUID
    kind: Kind = Field(
        description=(
            "refusal: the rules say not yet; declined: people declined an approval; revocation, suspension: of a "
            "credential; disagreement: between two members"
        )
    )
    state: State
    outcome: Outcome | None = Field(
        None,
        description=(
            "upheld, overturned: of a contested decision; withdrawn; agreed: both parties accepted what was proposed; "
            "decided: by the mediator; unresolved: a disagreement that ended without either"
        ),
    )
    you: Literal["member", "respondent", "mediator", "network"] = Field(description="your part in the case")
    member: str = Field(description="ref of the member who contests, or who opened the disagreement")
    respondent: str | None = Field(
        None, description="ref of the member who decided what is contested, if one did; of the other member"
    )
    mediator: str | None = Field(None, description="ref of the member who decides the case")
    achievement: str | None = Field(None, description="left out of disagreements")
    version: int | None = None
    about: Topic | None = Field(None, description="of a disagreement")
    record: UUID | None = Field(None, description="that it concerns; for parties and mediator")
    session: str | None = Field(None, description="ref of the session that it concerns; for parties and mediator")
    days: CaseDaysOut | None = Field(None, description="of a disagreement: as they were when it was opened")
    guidelines: int | None = Field(None, description="the version of the network's guidelines that says so")
    answer_due_at: Instant | None = Field(
        None, description="the end of the day until which the respondent is waited for, unless they answer before"
    )
    approval: UUID | None = None
    award: UUID | None = None
    credential: str | None = Field(None, description="id of the credential that was revoked or suspended")
    contested_at: Instant | None = Field(
        None, description="when what is contested was decided; left out of disagreements"
    )
    opened_at: Instant
    due_at: Instant = Field(
        description="the end of the day, in the network's time zone, when it is escalated, or if escalated is overdue"
    )
    resolved_at: Instant | None = None
    result: ResultOut | None = None
    progress: dict[str, Any] | None = Field(
        None, description="of a refusal: what the member had reached when it was contested, rule by rule"
    )
    holds: list[CaseHoldOut] | None = Field(
        None, description="awards that wait or waited; not for the other party, who does not know of them"
    )
    steps: list[StepOut] | None = Field(None, description="in order; left out in lists")

    @classmethod
    def of(cls, settings: Settings, shown: ShownCase) -> Self:
        """Return the answer for one case."""
        row, credential, receipt = shown.case, shown.credential, shown.receipt
        inside = shown.part != "network"
        result = None
        if row.result_id is not None:
            result = ResultOut(
                award=row.result_id,
                credential=unsigned.credential_url(settings, credential.id) if credential else None,
                receipt=receipts.receipt_url(settings, receipt.id) if receipt else None,
            )
        return cls.model_validate(
            {
                **{name: getattr(row, name) for name in ("id", "kind", "state", "outcome", "progress")},
                **{name: getattr(row, name) for name in ("contested_at", "opened_at", "due_at", "resolved_at")},
                "you": shown.part,
                "member": shown.refs[row.member_id],
                "respondent": shown.refs.get(row.respondent_id),
                "mediator": shown.refs.get(row.mediator_id),
                "achievement": shown.achievement_ref,
                "version": shown.version,
                "about": row.topic,
                "record": row.record_id if inside else None,
                "session": shown.session_ref if inside else None,
                "days": row.days,
                "guidelines": row.guidelines,
                "answer_due_at": row.answer_due_at,
                "holds": [CaseHoldOut.of(*each, shown) for each in shown.holds] or None,
                "approval": row.review_id,
                "award": row.award_id,
                "credential": row.credential_id,
                "result": result,
                "steps": [StepOut.of(step, shown) for step in shown.steps] or None,
            }
        )


@router.post("/v1/networks/{slug}/cases", status_code=201, response_model=CaseOut)
@exactly_once()
def create_case(body: CaseIn, act: ContestantsAct, runtime: Running) -> Response:
    """Contest a refusal, a declined approval, a revocation or a suspension; or say with whom you disagree.

    A member does so with a token that is bound to them (the scope cases:write), or the network on their behalf
    (cases:manage). Decisions by people can be contested for three months. A member can have one open case about an
    achievement, and one with another member. A disagreement is heard on both sides: how many days the other member has
    to answer, and the mediator after that, stands in the network's guidelines. Only the parties and the mediator see
    what is said in a case, and only in the answer to GET.
    """
    row = disagreements.open_case(act, body) if body.disagreement is not None else cases.open_case(act, body)
    return told(act, runtime, row.id, 201)


@router.get("/v1/networks/{slug}/cases", response_model=Page[CaseOut])
def list_cases(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    runtime: Running,
    now: Now,
    caller: Anyone,
    state: State | None = None,
    kind: Kind | None = None,
    member: Annotated[str | None, Query(max_length=200, description="ref of the member who contests")] = None,
    achievement: Annotated[str | None, Query(max_length=200, description="the achievement's ref")] = None,
    sort: Literal["opened_at", "-opened_at"] = "opened_at",
) -> Response:
    """List the cases in which you have a part, in the order in which they were opened.

    If you act for the network (cases:manage) you see all of them, without what is said in them.
    """
    found, following = case_files.list_cases(
        session,
        network,
        caller,
        now,
        window=window,
        state=state,
        kind=kind,
        member=member,
        achievement=achievement,
        sort=sort,
    )
    return reply(200, Page[CaseOut](items=[CaseOut.of(runtime.settings, each) for each in found], next=following))


@router.get("/v1/networks/{slug}/cases/{case_id}", response_model=CaseOut)
def get_case(
    case_id: Uid, network: ReadNetwork, session: Reader, runtime: Running, now: Now, caller: Anyone
) -> Response:
    """Return a case with its steps.

    The parties and the mediator see what was said in them too.
    """
    return reply(200, CaseOut.of(runtime.settings, case_files.find(session, network, caller, case_id, now)))


@router.put("/v1/networks/{slug}/cases/{case_id}/mediator", response_model=CaseOut)
@exactly_once()
def put_case_mediator(
    case_id: Uid, body: MediatorIn, act: Annotated[CallersAct, acting(Needs("cases:manage"))], runtime: Running
) -> Response:
    """Give a case its mediator: a member with the role mediator, approver or admin.

    The mediator must have no part in the case: nobody who decided what is contested, who opened the case for the
    member, or who mediated it before it was escalated. Two members who are one person count as one. If the case has a
    mediator already, `replaces` names the one to be replaced.
    """
    cases.assign(act, case_id, body)
    return told(act, runtime, case_id)


@router.post("/v1/networks/{slug}/cases/{case_id}/statements", status_code=201, response_model=CaseOut)
@exactly_once()
def create_case_statement(case_id: Uid, body: StatementIn, act: AnyonesAct, runtime: Running) -> Response:
    """Say something in a case. It cannot be changed, only erased."""
    cases.say(act, case_id, body)
    return told(act, runtime, case_id, 201)


@router.post("/v1/networks/{slug}/cases/{case_id}/steps/{step_id}/erasure", response_model=CaseOut)
@exactly_once()
def erase_case_statement(
    slug: str,
    case_id: Uid,
    step_id: Uid,
    session: Writer,
    runtime: Running,
    now: Now,
    caller: Anyone,
) -> Response:
    """Erase what was said in a step.

    The member who said it and the network may do so, even after the network was closed. The step, its date and its
    digest stay. The salt is erased with the text, so that the digest no longer tells anything.
    """
    act = CallersAct(session, callers.network_of(session, caller, slug), caller, now)
    case_files.erase(act, case_id, step_id)
    return told(act, runtime, case_id)


@router.post("/v1/networks/{slug}/cases/{case_id}/escalation", response_model=CaseOut)
@exactly_once()
def escalate_case(case_id: Uid, body: EscalationIn, act: ContestantsAct, runtime: Running) -> Response:
    """Escalate a case, as a party: somebody else is to decide it.

    A case is escalated by itself when its time is over.
    """
    cases.escalate(act, case_id, body)
    return told(act, runtime, case_id)


@router.post("/v1/networks/{slug}/cases/{case_id}/withdrawal", response_model=CaseOut)
@exactly_once()
def withdraw_case(case_id: Uid, act: ContestantsAct, runtime: Running) -> Response:
    """Withdraw a case. The same decision can be contested again while there is time."""
    cases.withdraw(act, case_id)
    return told(act, runtime, case_id)


@router.post("/v1/networks/{slug}/cases/{case_id}/resolution", response_model=CaseOut)
@exactly_once()
def resolve_case(
    case_id: Uid, body: ResolutionIn, act: Annotated[CallersAct, acting(Needs("cases:decide"))], runtime: Running
) -> Response:
    """Decide the case, as its mediator.

    If the decision is overturned, a new one is made at once. A refusal becomes an award, with a receipt that names this
    case. A revoked credential stays revoked in its status list, and a new credential follows it. A suspension ends. An
    award to a member of the network's staff waits for a second person. If the decision is upheld, nothing changes,
    except that the parties can read the reason. A disagreement is decided, with what is to follow, or ends unresolved;
    not before the other member has answered, or the time to answer is over. Both parties read the reason.
    """
    cases.resolve(act, runtime, case_id, body)
    return told(act, runtime, case_id)


def told(act: CallersAct, runtime: Runtime, case_id: UUID, status: int = 200) -> Response:
    """Return the case without what is said in it.

    The answer is stored for a retry, and personal content must not be stored there.
    """
    shown = case_files.find(act.session, act.network, act.caller, case_id, act.now, silent=True)
    return reply(status, CaseOut.of(runtime.settings, shown))
