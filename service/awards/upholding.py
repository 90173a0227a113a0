"""Decide again on awards whose evidence was corrected.

What is still earned stands, and people decide on the rest.
An award is still earned if its criteria are met on the corrected evidence, now or at the time of the decision, or if no
rule that was met before has become one that is not: then something else than the correction keeps it from being met.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, select

from service.access.act import Act
from service.awards import decisions, reviews
from service.progress import progress
from service.progress.progress import Node
from service.storage import locks
from service.tables import AchievementVersion, Award, AwardEvidence
from service.tables.awards import LIVE

CORRECTED: Final = "evidence-corrected"
"""The cause of a review: with the corrected evidence the criteria are not met."""

Outcome = Literal["kept", "under-review", "to-lapse"]
"""What becomes of an award: it stands; people decide; or nobody is told of it, unless it is earned again by then."""


@dataclass(frozen=True)
class Resting:
    """An award that rests on what is corrected, and the progress with which it did.

    `at_stake`: it rests on the record itself, or on what was judged of it; an award that does not rested on an earlier
    word of the record, and lost that.
    """

    award: Award
    before: Node
    at_stake: bool


def resting_on(act: Act, record_ids: Collection[UUID], line: Collection[UUID]) -> list[Resting]:
    """Lock and return the awards by rule, with or without approval, that rest on what will be corrected.

    The members whom the records are about are locked.

    Args:
        record_ids: what will be corrected, and what was judged of it.
        line: every record that said before what the corrected one says.
    """
    on = AwardEvidence.record_id.in_({*record_ids, *line})
    rested = select(AwardEvidence.award_id).where(on)
    rows = locks.rows(
        act.session, Award, Award.id.in_(rested), Award.state.in_(LIVE), Award.basis.in_(("rule", "approval"))
    )
    direct = select(AwardEvidence.award_id).where(AwardEvidence.record_id.in_(record_ids))
    at_stake = set(act.session.scalars(direct.where(AwardEvidence.award_id.in_([row.id for row in rows]))))
    return [Resting(row, _progress(act, row, at_decision=True), row.id in at_stake) for row in rows]


def decide_again(act: Act, resting: Sequence[Resting]) -> list[tuple[Award, Outcome]]:
    """Decide again on awards, once the correction counts; return what becomes of those that were at stake.

    A kept award rests on the evidence that there is now. One that people were to decide on because of an earlier
    correction, and that is earned again, is left to nobody's decision.
    """
    outcomes: list[tuple[Award, Outcome]] = []
    for each in resting:
        row = each.award
        then, now = _progress(act, row, at_decision=True), _progress(act, row, at_decision=False)
        met = then if then.met else now
        if met.met:
            act.session.execute(delete(AwardEvidence).where(AwardEvidence.award_id == row.id))
            decisions.rest_on(act.session, row, met.record_ids)
            reviews.answer(act, row, CORRECTED)
            outcomes.append((row, "kept"))
        elif not each.at_stake:
            continue
        elif not _some_turned(each.before, then):
            outcomes.append((row, "kept"))
        elif row.state == "pending":
            outcomes.append((row, "to-lapse"))
        else:
            reviews.question(act.by_service(), row, CORRECTED)
            outcomes.append((row, "under-review"))
    act.session.flush()
    return outcomes


def _progress(act: Act, row: Award, *, at_decision: bool) -> Node:
    """Return how far the member of an award has come; windows are counted back from the decision, or from now."""
    version = act.session.get_one(AchievementVersion, row.achievement_version_id)
    at = row.decided_at if at_decision else act.now
    return progress.evaluate(act.session, act.network, version, [row.member_id], at)[row.member_id]


def _some_turned(before: Node, after: Node) -> bool:
    """Return whether a rule that was met is not met any more."""
    if before.children:
        return any(map(_some_turned, before.children, after.children))
    return before.met and not after.met
