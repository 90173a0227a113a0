"""What others say of a goal: the buddy whether they are one, a peer whether it was met.

Who confirms is never the member, under whatever ref. The evidence that a goal was met is the member's own word (tier 0)
until then; it is corrected by the peer, and so is the peer's word from then on (`evidence.goals_met`). The awards that
follow are made at once.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import CallersAct
from service.errors import ConflictError, ForbiddenError
from service.evidence import derivation, goals_met, recording
from service.intake import correcting
from service.intake.correcting import CorrectionIn
from service.outbox import events
from service.participation.goals import goals, readers
from service.participation.goals.shapes import GoalAnswerIn
from service.runtime.runtime import Runtime
from service.tables import Goal, GoalAnswer, Member
from service.texts.languages import N_

NOT_ASKED: Final = N_("Nobody asks you to be their buddy for this goal.")
NOT_ACCEPTED: Final = N_("Say first that you are their buddy.")
NOT_MET: Final = N_("This goal was not closed as met, so there is nothing to confirm.")
CONFIRMED: Final = N_(
    "You have confirmed that this goal was met. Ask the network to void the record if that was wrong."
)
NOT_COUNTING: Final = N_("The evidence of this goal does not count now, so you cannot confirm it. Ask the network why.")
REASON: Final = "A peer confirmed that the goal was met."


def answer_as_buddy(act: CallersAct, goal_id: UUID, *, accepts: bool) -> Goal:
    """Say whether one is somebody's buddy; who has accepted can still say no.

    Raises:
        NotFoundError: as `readers.find`.
        ForbiddenError: nobody asks them (code "buddy-not-asked").
    """
    goals.member_of(act)
    row, part = readers.locked(act, goal_id)
    if part != "buddy":
        raise ForbiddenError("buddy-not-asked", NOT_ASKED)
    row.buddy_state = "accepted" if accepts else "declined"
    act.session.flush()
    return row


def answer(act: CallersAct, runtime: Runtime, goal_id: UUID, body: GoalAnswerIn) -> GoalAnswer:
    """Say whether a goal that was closed as met was met; what one said before is replaced.

    Raises:
        NotFoundError: as `readers.find`.
        ForbiddenError: it is their own (code "self-decision").
        ConflictError: they have not said that they are the buddy (code "buddy-not-accepted"), it was not closed as met
            (code "goal-not-met"), they have confirmed it (code "goal-confirmed"), or the evidence does not count now
            (code "goal-evidence-set-aside").
    """
    member = goals.member_of(act)
    row, part = readers.locked(act, goal_id)
    act.decides_on(row.member_id)
    if part == "buddy" and row.buddy_state != "accepted":
        raise ConflictError("buddy-not-accepted", NOT_ACCEPTED)
    if row.closed_as != "met":
        raise ConflictError("goal-not-met", NOT_MET)
    said = _own_answer(act, row, member) or GoalAnswer(goal_id=row.id, member_id=member.id, met=False)
    if said.met and not body.met:
        raise ConflictError("goal-confirmed", CONFIRMED)
    is_new = body.met and not said.met
    said.met, said.comment, said.answered_at = body.met, body.comment, act.now
    act.session.add(said)
    act.session.flush()
    if is_new:
        _confirm(act, runtime, row, member)
    return said


def answers_of(session: OrmSession, goal: Goal) -> Sequence[GoalAnswer]:
    """Return what peers said of a goal, in the order in which they did."""
    query = select(GoalAnswer).where(GoalAnswer.goal_id == goal.id)
    return session.scalars(query.order_by(GoalAnswer.answered_at, GoalAnswer.member_id)).all()


def _own_answer(act: CallersAct, row: Goal, member: Member) -> GoalAnswer | None:
    people = readers.same_person(act.session, member.id)
    query = select(GoalAnswer).where(GoalAnswer.goal_id == row.id, GoalAnswer.member_id.in_(people))
    return act.session.scalar(query.order_by(GoalAnswer.answered_at, GoalAnswer.member_id).limit(1))


def _confirm(act: CallersAct, runtime: Runtime, row: Goal, member: Member) -> None:
    """Have the evidence of a goal be the word of a peer, unless it is somebody's whose word is worth as much."""
    if row.shared_with == "network":
        events.append(act, "goal.confirmed", goals.about(row))
    if row.record_id is None:
        return
    newest = goals_met.counting(act.session, row.record_id)
    if newest is None:
        raise ConflictError("goal-evidence-set-aside", NOT_COUNTING)
    if newest.tier < derivation.tier(recording.actor_of(act), None):
        said = CorrectionIn(changes={"peer": member.ref}, reason=REASON)
        correcting.confirm(act, runtime, newest.id, said)
