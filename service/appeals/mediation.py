"""Propose an agreement, accept it, and have new awards of a party wait.

An agreement is one that both parties have accepted, each for themself: then the case ends by itself.
"""

from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from service.access.act import CallersAct
from service.appeals import case_files, cases, course, holds
from service.awards import reviews
from service.bodies import Body, Prose, Ref, Uid
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from service.storage import locks
from service.tables import Achievement, Case, CaseHold, CaseStep, Member


class AgreementIn(Body):
    """What both parties are to agree on."""

    text: Prose


class AgreementAcceptanceIn(Body):
    """Which proposal a party accepts."""

    proposal: Uid = Field(description="id of the step in which it was proposed; there must be no later one")


class HoldIn(Body):
    """Whose new awards wait, and why."""

    member: Ref = Field(description="ref of a party")
    achievement: Ref | None = Field(None, description="its ref; left out: all")
    reason: Prose = Field(description="why; only this party and the mediator read it")


def propose(act: CallersAct, case_id: UUID, body: AgreementIn) -> Case:
    """Propose an agreement as the mediator, and return the case; what was proposed before is no longer open.

    Raises:
        NotFoundError: no such case ("case-unknown").
        ForbiddenError: somebody else than the mediator proposes ("not-the-mediator").
        ConflictError: it is resolved ("case-closed"), no disagreement ("not-a-disagreement"), or the mediator has no
            role that mediates ("role-missing").
    """
    row, part = cases.locked(act, case_id)
    if part != "mediator":
        raise ForbiddenError("not-the-mediator", "Expected the mediator of this case.")
    cases.check_open(row)
    _check_disagreement(row)
    assert row.mediator_id is not None  # `part` says so
    cases.mediating_role(act.session, row.mediator_id, act.now)
    case_files.add_step(act, row, "proposed", "mediator", body.text)
    return row


def accept(act: CallersAct, case_id: UUID, body: AgreementAcceptanceIn) -> Case:
    """Accept an agreement as a party, and return the case; it is resolved once both have accepted.

    What a party has accepted already, they accept again without any change.

    Raises:
        NotFoundError: no such case ("case-unknown").
        ForbiddenError: somebody else than a party accepts ("not-a-party").
        ConflictError: it is resolved otherwise ("case-closed"), or this is not the last proposal, or its text was
            erased ("proposal-other").
    """
    row, part = cases.locked(act, case_id)
    if part not in ("member", "respondent"):
        raise ForbiddenError("not-a-party", "Expected a party: each accepts for themself.")
    steps = act.session.scalars(select(CaseStep).where(CaseStep.case_id == row.id).order_by(CaseStep.id)).all()
    proposed = [step for step in steps if step.kind == "proposed"]
    last = proposed[-1] if proposed else None
    accepted = {step.part for step in steps if last is not None and step.kind == "accepted" and step.id > last.id}
    if last is not None and last.id == body.proposal and part in accepted:
        return row
    cases.check_open(row)
    if last is None or last.id != body.proposal or last.salt is None:
        message = "Expected the last proposal of an agreement, whose text can be read."
        raise ConflictError("proposal-other", message, "/proposal")
    if accepted | {part} != {"member", "respondent"}:
        case_files.add_step(act, row, "accepted", part)
        return row
    case_files.add_step(act, row, "accepted", part, told=False)
    course.close(act, row, "agreed")
    case_files.add_step(act.by_service(), row, "resolved", "service")
    return row


def hold(act: CallersAct, case_id: UUID, body: HoldIn) -> Case:
    """Have new awards of a party wait while the case is open, as the mediator or the network; return the case.

    What they hold already stands. The same again changes nothing.

    Raises:
        NotFoundError: no such case ("case-unknown") or achievement ("achievement-unknown").
        ForbiddenError: the caller is a party ("self-decision").
        InvalidError: the member is no party ("member-not-party").
        ConflictError: it is resolved ("case-closed"), no disagreement ("not-a-disagreement"), or the mediator has no
            role that mediates ("role-missing").
    """
    row, part = _ordered(act, case_id)
    cases.check_open(row)
    _check_disagreement(row)
    named = select(Member.id).where(Member.network_id == act.network.id, Member.ref == body.member)
    member_id = act.session.scalar(named)
    who = reviews.who_is(act.session, [member_id]).get(member_id)
    parties = {row.member_who: row.member_id, row.respondent_who: row.respondent_id}
    party = parties.get(who) if who is not None else None
    if party is None:
        raise InvalidError("member-not-party", "Expected one of the two parties of this case.", "/member")
    achievement_id = None
    if body.achievement is not None:
        mine = (Achievement.network_id == act.network.id, Achievement.ref == body.achievement)
        achievement_id = act.session.scalar(select(Achievement.id).where(*mine))
        if achievement_id is None:
            message = "No achievement of this network has this ref."
            raise NotFoundError("achievement-unknown", message, "/achievement")
    holds.begin(act, row, part, party, achievement_id, body.reason)
    return row


def release(act: CallersAct, case_id: UUID, hold_id: UUID) -> Case:
    """End a hold before the case ends, as the mediator or the network, and return the case.

    Raises:
        NotFoundError: no such case ("case-unknown"), or no such hold in it ("hold-unknown").
        ForbiddenError: the caller is a party ("self-decision").
    """
    row, part = _ordered(act, case_id)
    found = locks.one_or_none(act.session, CaseHold, CaseHold.id == hold_id, CaseHold.case_id == row.id)
    if found is None:
        raise NotFoundError("hold-unknown", "No hold of this case has this id.")
    holds.end(act, row, part, found)
    return row


def _ordered(act: CallersAct, case_id: UUID) -> tuple[Case, str]:
    """Return a locked case and the part of the caller, who may say which awards wait: the mediator or the network."""
    row, part = cases.locked(act, case_id)
    act.decides_on(row.member_id, row.respondent_id)
    if part == "mediator":
        assert row.mediator_id is not None  # `part` says so
        cases.mediating_role(act.session, row.mediator_id, act.now)
    return row, part


def _check_disagreement(row: Case) -> None:
    if row.kind != "disagreement":
        message = "Expected a disagreement: who contests a decision must not lose by it."
        raise ConflictError("not-a-disagreement", message)
