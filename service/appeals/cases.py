"""Cases: open one, give it a mediator, say something, escalate, withdraw, resolve.

A case is open, then mediating once it has a mediator (who has no part in it), escalated when its time is over or a
party asks for it, and at last resolved. If two people act at the same moment, the second sees what the first did: the
people in a case are locked first, in the order of their identifiers, then the case, and then what its outcome changes.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import func, select

from service.access import callers
from service.access.act import CallersAct
from service.appeals import case_files, contestable, course, hearing, holds, neutrality, outcomes
from service.appeals.contestable import CaseIn
from service.awards import appealable, reviews
from service.bodies import Body, Prose, Ref
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from service.runtime.runtime import Runtime
from service.storage import locks
from service.storage.database import WriteSession, insert_new
from service.tables import Case, CaseStep, Member
from service.tables.identifiers import new_id

MEDIATING = ("admin", "approver", "mediator")
"""Roles whose holders can be mediators."""
MOST_STATEMENTS = 50
"""The most statements of one person in one case; the length of each is limited, too."""


class MediatorIn(Body):
    """Who mediates."""

    member: Ref
    replaces: Ref | None = Field(None, description="the mediator whom the case has now, if it has one")


class StatementIn(Body):
    """What somebody says in a case."""

    text: Prose


class EscalationIn(Body):
    """Why a case is escalated."""

    statement: Prose | None = None


class ResolutionIn(Body):
    """How a case ends."""

    outcome: Literal["upheld", "overturned", "decided", "unresolved"] = Field(
        description=(
            "upheld: the decision stands; overturned: a new decision is made. Of a disagreement decided: the mediator "
            "decides; unresolved: it ends without an agreement or a decision"
        )
    )
    basis: Literal["override", "rule"] | None = Field(
        None,
        description=(
            "basis of the award, if a refusal is overturned. override: the criteria are not met, the mediator decides; "
            "rule: evidence was missing, and the criteria are met now. Left out: override"
        ),
    )
    reason: Prose = Field(description="why; the parties read it")
    follows: Prose | None = Field(
        None, description="what is to follow; needed if a disagreement is decided, refused otherwise"
    )

    @model_validator(mode="after")
    def _basis_of_an_award(self) -> Self:
        if self.basis is not None and self.outcome != "overturned":
            raise PydanticCustomError("basis-misplaced", "Expected a basis with the outcome overturned only")
        return self


def open_case(act: CallersAct, body: CaseIn) -> Case:
    """Open a case and return it.

    Raises:
        NotFoundError: no such member, or they have no such achievement, approval or credential.
        ForbiddenError: the token may not contest for itself ("scope-missing").
        InvalidError: the request does not say who contests ("member-missing").
        ConflictError: there is nothing to contest, or no longer (see `service.appeals.contestable`), or the member has
            an open case about this achievement (code "case-open"; details: `case`).
    """
    member, part = contestant(act, body.member)
    matter = contestable.find(act, member, body)
    locks.members(act.session, {matter.member_id, matter.respondent_id, act.caller.member_id})
    matter = contestable.find(act, member, body)
    contestable.check_not_decided(act.session, matter)
    who = reviews.who_is(act.session, [matter.member_id, matter.respondent_id])
    values = {
        "kind": matter.kind,
        "member_id": matter.member_id,
        "achievement_id": matter.achievement_id,
        "achievement_version_id": matter.version_id,
        "award_id": matter.award_id,
        "credential_id": matter.credential_id,
        "review_id": matter.review_id,
        "respondent_id": matter.respondent_id,
        "member_who": who[matter.member_id],
        "respondent_who": who.get(matter.respondent_id),
        "progress": matter.progress,
        "contested_at": matter.at,
        "due_at": appealable.end_of_day(act.network, act.now, course.DECIDED_WITHIN),
    }
    row = begin(act, part, values, body.statement)
    if row is None:
        found = select(Case.id).where(Case.member_id == matter.member_id, Case.achievement_id == matter.achievement_id)
        there = act.session.scalars(found.where(Case.state != "resolved")).one()
        message = "Expected no open case of this member about this achievement; there is one."
        raise ConflictError("case-open", message, details={"case": str(there)})
    return row


def begin(act: CallersAct, part: str, values: Mapping[str, Any], statement: str) -> Case | None:
    """Store a case that is opened now, with its first step, and return it; None if there is an open one like it."""
    opened = {
        "id": new_id(),
        "network_id": act.network.id,
        "state": "open",
        "opened_at": act.now,
        "opened_by_token": act.caller.token_id,
        "opened_by": act.caller.member_id,
    }
    if not insert_new(act.session, Case, opened | dict(values)):
        return None
    row = act.session.get_one(Case, opened["id"])
    case_files.add_step(act, row, "opened", part, statement)
    course.tell(act, row, "case.opened")
    return row


def assign(act: CallersAct, case_id: UUID, body: MediatorIn) -> Case:
    """Give a case its mediator, and return it.

    The caller may be the mediator. A mediator whom the case has already changes nothing.

    Raises:
        NotFoundError: no such case ("case-unknown") or member ("member-unknown").
        ForbiddenError: the caller is a party ("self-decision"), or does not act for the network ("not-the-network").
        ConflictError: the case is resolved ("case-closed"), has another mediator than `replaces` says
            ("mediator-other"), or this one is a party or opened it ("mediator-is-party"), has no role that
            mediates ("role-missing"), mediated the case before it was escalated ("mediator-again"), or has an open
            disagreement with a party ("mediator-at-odds").
    """
    mediator = act.session.scalar(select(Member).where(Member.network_id == act.network.id, Member.ref == body.member))
    row, part = locked(act, case_id, {mediator.id} if mediator else set())
    act.decides_on(row.member_id, row.respondent_id)
    if not case_files.manages(act.session, act.caller, act.now):
        raise ForbiddenError("not-the-network", "Expected the network: it says who mediates.")
    if mediator is None:
        raise NotFoundError(
            "member-unknown", "No member of this network has this ref; post the member first, or correct it.", "/member"
        )
    check_open(row)
    if row.mediator_id == mediator.id:
        return row
    present = act.session.get_one(Member, row.mediator_id).ref if row.mediator_id is not None else None
    if body.replaces != present:
        message = f"Expected `replaces` to name the present mediator, {present or 'nobody'}."
        raise ConflictError("mediator-other", message, "/replaces")
    who = reviews.who_is(act.session, [mediator.id])[mediator.id]
    if who in neutrality.involved(act.session, row):
        message = "Expected somebody who is neither a party nor opened the case."
        raise ConflictError("mediator-is-party", message, "/member")
    if who in neutrality.at_odds(act.session, row):
        message = "Expected somebody who has no open disagreement with a party."
        raise ConflictError("mediator-at-odds", message, "/member")
    mediating_role(act.session, mediator.id, act.now)
    if row.state == "escalated" and who in _until_escalated(act.session, row):
        message = "Expected somebody who did not mediate before the case was escalated."
        raise ConflictError("mediator-again", message, "/member")
    row.mediator_id, row.mediator_who = mediator.id, who
    row.state = "mediating" if row.state == "open" else row.state
    case_files.add_step(act, row, "assigned", _as(part), subject_id=mediator.id)
    course.tell(act, row, "case.mediator-assigned")
    return row


def say(act: CallersAct, case_id: UUID, body: StatementIn) -> CaseStep:
    """Add a statement to a case; it cannot be changed.

    A party makes it, or the mediator, or the network on the member's behalf.

    Raises:
        NotFoundError: no such case (code "case-unknown").
        ConflictError: it is resolved ("case-closed"), or has `MOST_STATEMENTS` of this person ("case-full").
    """
    row, part = locked(act, case_id)
    check_open(row)
    said = select(func.count()).select_from(CaseStep).where(CaseStep.case_id == row.id, CaseStep.part == part)
    if (act.session.scalar(said.where(CaseStep.kind == "statement")) or 0) >= MOST_STATEMENTS:
        raise ConflictError("case-full", f"Expected at most {MOST_STATEMENTS} statements of one party.")
    return case_files.add_step(act, row, "statement", part, body.text)


def escalate(act: CallersAct, case_id: UUID, body: EscalationIn) -> Case:
    """Escalate a case because a party asks for it, and return it.

    Somebody else is to decide it. A case that is escalated already does not change.

    Raises:
        NotFoundError: no such case (code "case-unknown").
        ForbiddenError: the mediator asks ("not-a-party").
        ConflictError: it is resolved ("case-closed").
    """
    row, part = locked(act, case_id)
    if part == "mediator":
        raise ForbiddenError("not-a-party", "Expected a party: the mediator decides, or is replaced.")
    check_open(row)
    if row.state != "escalated":
        course.escalate(act, row, part, body.statement)
    return row


def withdraw(act: CallersAct, case_id: UUID) -> Case:
    """Withdraw a case, as the member who opened it or the network on their behalf.

    A case that was withdrawn already does not change.

    Raises:
        NotFoundError: no such case (code "case-unknown").
        ForbiddenError: somebody else asks ("not-the-contestant").
        ConflictError: it was decided ("case-closed").
    """
    row, part = locked(act, case_id)
    if part not in ("member", "network"):
        raise ForbiddenError("not-the-contestant", "Expected the member who contests.")
    if row.outcome == "withdrawn":
        return row
    check_open(row)
    course.close(act, row, "withdrawn")
    case_files.add_step(act, row, "withdrawn", part)
    return row


def resolve(act: CallersAct, runtime: Runtime, case_id: UUID, body: ResolutionIn) -> Case:
    """Decide a case as its mediator, carry out the outcome, and return the case.

    The same outcome again changes nothing. A mediator can decide until the case is escalated, even after the day on
    which it was due. If the member is one of the network's staff, the award waits for a second person, like every award
    that people decide.

    Raises:
        NotFoundError: no such case (code "case-unknown").
        ForbiddenError: the caller is a party ("self-decision"), or is not the mediator ("not-the-mediator").
        ConflictError: it is resolved otherwise ("case-closed"), the mediator no longer has a role that mediates
            ("role-missing"), the criteria are not met ("criteria-not-met"), or
            what was suspended has been revoked since ("credential-revoked"), or the respondent of a disagreement has
            not answered and still has time ("not-heard-yet").
        InvalidError: the body has a basis, but no award is made ("basis-misplaced"), or as `hearing.check_outcome`.
        CustodyError: a key cannot be used; nothing has changed.
    """
    row, part = locked(act, case_id)
    act.decides_on(row.member_id, row.respondent_id)
    if part != "mediator":
        raise ForbiddenError("not-the-mediator", "Expected the mediator of this case.")
    hearing.check_outcome(row, body.outcome, body.follows)
    if row.outcome == body.outcome:
        return row
    check_open(row)
    assert act.caller.member_id is not None  # `part` says so
    assert row.mediator_id is not None
    who = reviews.who_is(act.session, [act.caller.member_id, row.opened_by])
    if who[act.caller.member_id] == who.get(row.opened_by):
        raise ForbiddenError("not-the-mediator", "Expected somebody who did not open the case.")
    role = mediating_role(act.session, row.mediator_id, act.now)
    hearing.check_heard(act, row)
    if body.outcome == "overturned":
        award = outcomes.overturn(act, runtime, row, role, body.basis)
        row.result_id = award.id
    course.close(act, row, body.outcome)
    case_files.add_step(act, row, "resolved", "mediator", body.reason, follows=body.follows)
    return row


def contestant(act: CallersAct, ref: str | None) -> tuple[Member, str]:
    """Return who contests, and the caller's part in it: "member" or "network"."""
    if ref is None and act.caller.member_id is None:
        message = "Expected the member who contests, or a token that is bound to them."
        raise InvalidError("member-missing", message, "/member")
    named = Member.id == act.caller.member_id if ref is None else Member.ref == ref
    member = act.session.scalar(select(Member).where(Member.network_id == act.network.id, named))
    who = reviews.who_is(act.session, [act.caller.member_id, member.id if member else None])
    if member is not None and act.caller.member_id is not None and who[member.id] == who[act.caller.member_id]:
        callers.require(act.caller, "cases:write")
        return member, "member"
    if member is None or not case_files.manages(act.session, act.caller, act.now):
        raise NotFoundError("member-unknown", "No member for whom this token may contest has this ref.", "/member")
    return member, "network"


def locked(act: CallersAct, case_id: UUID, more: Collection[UUID] = ()) -> tuple[Case, str]:
    """Return a case, locked after the people in it, and the caller's part in it."""
    mine = (Case.id == case_id, Case.network_id == act.network.id)
    row = act.session.scalar(select(Case).where(*mine))
    if row is None:
        raise NotFoundError("case-unknown", "No case of yours has this id.")
    people = {row.member_id, row.respondent_id, row.mediator_id, row.opened_by, act.caller.member_id, *more}
    if row.kind == "disagreement":  # awards of the parties may wait or follow, under whatever ref
        people |= holds.same_people(act.session, [row.member_id, row.respondent_id])
    locks.members(act.session, people)
    row = locks.one(act.session, Case, *mine)
    return row, case_files.part_of(act.session, act.caller, row, act.now)


def check_open(row: Case) -> None:
    """Refuse a case that is resolved.

    Raises:
        ConflictError: it is (code "case-closed").
    """
    if row.outcome is not None:
        raise ConflictError("case-closed", f"Expected an open case; this one was {row.outcome}.")


def _until_escalated(session: WriteSession, row: Case) -> set[UUID]:
    """Return who mediated a case before it was escalated."""
    steps = session.scalars(select(CaseStep).where(CaseStep.case_id == row.id).order_by(CaseStep.id)).all()
    last = next(step.id for step in steps if step.kind == "escalated")
    before = [step.subject_id for step in steps if step.kind == "assigned" and step.id < last]
    return set(reviews.who_is(session, before).values())


def mediating_role(session: WriteSession, member_id: UUID, now: datetime) -> str:
    """Return the role in which a member mediates now.

    Raises:
        ConflictError: they have none (code "role-missing").
    """
    held = reviews.roles_at(session, member_id, now)
    role = next((each for each in MEDIATING if each in held), None)
    if role is None:
        raise ConflictError("role-missing", f"Expected a mediator with the role {' or '.join(MEDIATING)} now.")
    return role


def _as(part: str) -> str:
    """Return the part to record; a mediator who names the next one acts as admin."""
    return "network" if part == "mediator" else part
