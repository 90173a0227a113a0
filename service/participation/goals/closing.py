"""Close a goal; one that was met becomes evidence, as the member's own word."""

from typing import Final
from uuid import UUID

from service.access.act import CallersAct
from service.errors import ConflictError, InvalidError
from service.evidence.bodies import Source
from service.evidence.contributions import ContributionIn
from service.intake import posting
from service.outbox import events
from service.participation.goals import check_ins, goals
from service.participation.goals.shapes import GoalClosingIn
from service.runtime.runtime import Runtime
from service.tables import Goal, GoalText, Member
from service.tables.identifiers import new_id
from service.texts.languages import N_

SYSTEM: Final = "goal"
"""The source of the evidence that comes of goals; its id there is made for it, and says nothing."""
CLOSED: Final = N_("This goal is closed already.")
NOT_BEGUN: Final = N_("This goal has not begun. Change its first day, or delete it.")
NO_CHECK_IN: Final = N_("Write a check-in first: a goal counts as met only with one before it.")
NOT_MET: Final = N_("Only a goal that was met counts as evidence.")


def close(act: CallersAct, runtime: Runtime, goal_id: UUID, body: GoalClosingIn) -> Goal:
    """Close a goal for good, as met, partly, or dropped; the evidence that it was met is posted at once.

    Raises:
        ForbiddenError, NotFoundError: as `goals.own`.
        ConflictError: it was closed before (code "goal-closed"), has not begun (code "goal-not-begun"), or would count
            without a check-in (code "goal-without-check-in").
        InvalidError: it was not met, and is to count (code "goal-evidence-not-met").
    """
    row = goals.own(act, goal_id)
    if row.closed_as is not None:
        raise ConflictError("goal-closed", CLOSED)
    if goals.today(act.network, act) < row.begun_on:
        raise ConflictError("goal-not-begun", NOT_BEGUN)
    if body.evidence and body.closed_as != "met":
        raise InvalidError("goal-evidence-not-met", NOT_MET, "/evidence")
    counts = row.shared_with != "nobody" if body.evidence is None else body.evidence
    if counts and body.closed_as == "met" and not check_ins.has_any(act.session, row):
        raise ConflictError("goal-without-check-in", NO_CHECK_IN)
    row.closed_as, row.closed_at = body.closed_as, act.now
    act.session.get_one(GoalText, row.id).outcome = body.outcome
    act.session.flush()
    if row.shared_with == "network":
        events.append(act, "goal.closed", goals.about(row))
    if counts and body.closed_as == "met":
        _post(act, runtime, row)
    return row


def _post(act: CallersAct, runtime: Runtime, row: Goal) -> None:
    """Post that the goal was met, with nothing of what it says."""
    body = ContributionIn(
        member=act.session.get_one(Member, row.member_id).ref,
        type="goal_met",
        occurred_at=act.now,
        source=Source(system=SYSTEM, id=str(new_id())),
    )
    made = posting.submit(act, runtime, "contribution", body)
    row.record_id = made.record.id
    act.session.flush()
