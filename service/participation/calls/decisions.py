"""What people decide on applications, and what applicants ask about that.

Nobody is accepted or declined by a number: a person in a role decides, by name, and says why. A decision can be changed;
the former ones stay on record.
"""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import func, or_, select

from service.access import callers
from service.access.act import Act, CallersAct
from service.accounts import accounts
from service.bodies import Body, Prose, Ref
from service.errors import ConflictError, ErasedError, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from service.intake import members as intake_members
from service.intake.attendance_claims import members_of
from service.networks import persons
from service.networks.members import MemberIn, RoleIn
from service.outbox import events, mailbox
from service.participation.calls import applications, calls
from service.runtime.runtime import Runtime
from service.tables import (
    Call,
    CallApplication,
    CallApplicationText,
    CallDecision,
    CallQuestion,
    Member,
    Role,
)
from service.tables.identifiers import new_id
from service.texts.languages import N_

MOST_QUESTIONS: Final = 3
"""How often an applicant can ask why."""
Outcome = Literal["accepted", "waiting", "declined"]

NOTHING_DECIDED: Final = N_(
    "You can ask why once the network has declined the application, or put it on the waiting list."
)
ASKED_ENOUGH: Final = N_("You have asked three times. That is as often as you can ask here.")


class CallDecisionIn(Body):
    """A decision on an application."""

    outcome: Outcome = Field(description="accepted, on the waiting list, or declined")
    reason: Prose | None = Field(
        None, description="needed to decline; the applicant reads it", examples=["Two others know this topic better."]
    )
    ref: Ref | None = Field(
        None, description="of an accepted person who is no member yet: the ref under which they become one"
    )


class CallQuestionIn(Body):
    """A question why it was decided so."""

    question: Prose = Field(examples=["What could I do to be chosen next year?"])


class CallAnswerIn(Body):
    """The network's answer to a question."""

    answer: Prose = Field(examples=["We looked for people from a second school this time."])


def decide(act: CallersAct, runtime: Runtime, application_id: UUID, body: CallDecisionIn) -> CallApplication:
    """Decide on an application; the same again stays as it is.

    An accepted person who is no member becomes one, in their own account, and an accepted member gets the role that the call
    names. A role that was given stays if the decision is changed: end it as any other.

    Raises:
        NotFoundError: there is no such application (code "application-unknown").
        ForbiddenError: the caller is the applicant ("self-decision"), has no role that decides ("call-role"), or has a token
            that is bound to no member ("decider-unbound").
        ConflictError: it was withdrawn ("application-withdrawn"), all places are taken ("call-full"), there is a member with
            the ref already ("member-there"), or the applicant was erased ("member-erased").
        InvalidError: it is declined without a reason (code "decision-reason-missing").
    """
    row = _locked(act, application_id)
    applications.decides_on(act, row)
    if act.caller.member_id is None:
        message = "Expected a token that is bound to a member: a person decides on an application, and is named."
        raise ForbiddenError("decider-unbound", message)
    calls.by_who_decides(act.session, act.caller, act.now)
    last = act.session.scalar(
        select(CallDecision).where(CallDecision.application_id == row.id).order_by(CallDecision.id.desc()).limit(1)
    )
    if last is not None and (last.outcome, last.reason) == (body.outcome, body.reason):
        return row
    if row.state == "withdrawn":
        raise ConflictError("application-withdrawn", "Expected an application that stands; this one was withdrawn.")
    text = act.session.get(CallApplicationText, row.id)
    if text is None:
        raise ErasedError
    if body.outcome == "declined" and not body.reason:
        message = "Expected a reason: the applicant reads why they were declined."
        raise InvalidError("decision-reason-missing", message, "/reason")
    call = act.session.get_one(Call, row.call_id)
    if body.outcome == "accepted":
        _check_places(act, call, row)
        _let_in(act, runtime, call, row, text, body.ref)
    decision = CallDecision(id=new_id(), application_id=row.id, outcome=body.outcome, reason=body.reason)
    decision.decided_at, decision.token_id, decision.actor_member_id = (
        act.now,
        act.caller.token_id,
        act.caller.member_id,
    )
    act.session.add(decision)
    row.state = body.outcome
    act.session.flush()
    events.append(act, "application.decided", applications.about(row))
    mailbox.queue_application(act, row, "decided")
    return row


def ask(act: Act, row: CallApplication, question: str) -> CallQuestion:
    """Ask why an application, which is locked, was decided so; the same question again is asked once.

    Raises:
        ConflictError: nothing was decided against it ("question-too-early"), or they have asked as often as they can
            ("questions-too-many").
    """
    before = act.session.scalars(select(CallQuestion).where(CallQuestion.application_id == row.id)).all()
    same = next((each for each in before if each.question == question), None)
    if same is not None:
        return same
    if row.state not in ("declined", "waiting"):
        raise ConflictError("question-too-early", NOTHING_DECIDED)
    if len(before) >= MOST_QUESTIONS:
        raise ConflictError("questions-too-many", ASKED_ENOUGH)
    asked = CallQuestion(id=new_id(), application_id=row.id, question=question, asked_at=act.now)
    act.session.add(asked)
    act.session.flush()
    events.append(act, "application.question-asked", applications.about(row))
    return asked


def answer(act: CallersAct, application_id: UUID, question_id: UUID, text: str) -> CallQuestion:
    """Answer a question of an applicant, for the network; the same answer again stays as it is.

    Raises:
        NotFoundError: there is no such application ("application-unknown") or question ("applicant-question-unknown").
        ForbiddenError: the caller is the applicant ("self-decision"), or a member without a role that decides ("call-role").
        ConflictError: it was answered otherwise (code "question-answered").
    """
    callers.still_good(act.session, act.caller)
    row = applications.held(act, application_id)
    applications.decides_on(act, row)
    calls.by_who_decides(act.session, act.caller, act.now)
    mine = (CallQuestion.id == question_id, CallQuestion.application_id == row.id)
    found = act.session.scalar(select(CallQuestion).where(*mine))
    if found is None:
        raise NotFoundError(
            "applicant-question-unknown", "No question about this application has this id; the application gives it."
        )
    if found.answer == text:
        return found
    if found.answer is not None:
        raise ConflictError(
            "question-answered", "Expected a question without an answer; this one has one, which stays."
        )
    found.answer, found.answered_at = text, act.now
    found.token_id, found.actor_member_id = act.caller.token_id, act.caller.member_id
    act.session.flush()
    events.append(act, "application.question-answered", applications.about(row))
    mailbox.queue_application(act, row, "answered")
    return found


def _locked(act: CallersAct, application_id: UUID) -> CallApplication:
    """Lock the applicant's account, if they are no member, then the network; return the application as it is then."""
    mine = (CallApplication.id == application_id, CallApplication.network_id == act.network.id)
    account_id = act.session.scalar(select(CallApplication.account_id).where(*mine))
    if account_id is not None:
        try:
            accounts.locked(act.session, account_id)
        except UnauthenticatedError:  # deleted in this moment, and the application with it
            act.session.expire_all()
    callers.still_good(act.session, act.caller)
    return applications.held(act, application_id)


def _check_places(act: CallersAct, call: Call, row: CallApplication) -> None:
    taken = select(func.count()).select_from(CallApplication)
    others = (CallApplication.call_id == call.id, CallApplication.state == "accepted", CallApplication.id != row.id)
    if (act.session.scalar(taken.where(*others)) or 0) >= call.places:
        message = (
            f"Expected a call with a free place; all {call.places} are taken. Give it more places, put the application on"
            " the waiting list, or change another decision first."
        )
        raise ConflictError("call-full", message)


def _let_in(
    act: CallersAct, runtime: Runtime, call: Call, row: CallApplication, text: CallApplicationText, ref: str | None
) -> None:
    """Make a member of an accepted person who is none, and give the role that the call names."""
    if row.member_id is None:
        assert row.account_id is not None  # an application has one of the two
        own = members_of(act.session, row.account_id, act.network.id)
        member = own[0] if own else _new_member(act, runtime, row, text, ref)
        row.member_id, row.account_id, text.name = member.id, None, None
        act.session.flush()
    if call.gives_role is not None:
        _give_role(act, runtime, act.session.get_one(Member, row.member_id), call.gives_role)


def _new_member(
    act: CallersAct, runtime: Runtime, row: CallApplication, text: CallApplicationText, ref: str | None
) -> Member:
    ref = ref or f"applicant-{row.id.hex[-12:]}"
    if act.session.scalar(select(Member.id).where(Member.network_id == act.network.id, Member.ref == ref)) is not None:
        message = "Expected a ref that no member has: the applicant is a new member. Choose another one."
        raise ConflictError("member-there", message, "/ref")
    assert row.account_id is not None
    account = accounts.locked(act.session, row.account_id)
    address = accounts.addresses_of(act.session, account)[0].value
    said: dict[str, Any] = {"ref": ref, "name": text.name, "email": address, "organization": text.organization}
    member, _ = intake_members.put_member(act, runtime, MemberIn(**said))
    persons.claim(act, member, account.id, address)
    return member


def _give_role(act: CallersAct, runtime: Runtime, member: Member, given: dict[str, Any]) -> None:
    """Give a member a role with its dates, beside those that they have; one that they have then is not given twice."""
    start, end = (datetime.fromisoformat(given[name]) if name in given else None for name in ("starts_at", "ends_at"))
    begins = max(start or act.now, act.now)
    if end is not None and end <= begins:
        return
    lasting = (Role.member_id == member.id, or_(Role.until_at.is_(None), Role.until_at > act.now))
    held = act.session.scalars(select(Role).where(*lasting).order_by(Role.from_at)).all()
    if any(
        row.role == given["role"]
        and (end is None or row.from_at < end)
        and (row.until_at is None or begins < row.until_at)
        for row in held
    ):
        return
    roles = [RoleIn(role=row.role, from_=row.from_at, until=row.until_at) for row in held]
    roles.append(RoleIn(role=given["role"], from_=begins, until=end))
    intake_members.put_member(act, runtime, MemberIn(ref=member.ref, roles=list(roles)))
