"""Retire a published achievement: nobody new earns it, and who has it keeps it.

Nothing is awarded any more: not by rule, not on request, not for a further term. What was earned before is carried out:
an award that waits is signed when it is due, and what waits for people they decide.
"""

from pydantic import Field

from service.access.act import Act
from service.achievements import achievements, publishing
from service.bodies import Body, Prose
from service.criteria import rejudging, topics
from service.errors import ConflictError
from service.outbox import events
from service.tables import Achievement


class RetirementIn(Body):
    """Why nobody new earns an achievement any more."""

    reason: Prose = Field(
        description="kept by the network, and not shown in public", examples=["The programme has ended."]
    )


def retire(act: Act, ref: str, body: RetirementIn) -> Achievement:
    """Retire an achievement, and return it; one that is retired stays as it is.

    Raises:
        NotFoundError: no such achievement (code "achievement-unknown").
        ConflictError: it was never published (code "achievement-unpublished").
    """
    achievement = achievements.held(act, ref)
    newest = publishing.newest_published(act.session, achievement)
    if newest is None:
        message = "Expected a published achievement; this one is a draft, and can be deleted."
        raise ConflictError("achievement-unpublished", message)
    if achievement.retired_at is None:
        achievement.retired_at, achievement.retirement_reason = act.now, body.reason
        events.append(act, "achievement.retired", publishing.about(newest))
    act.session.flush()
    return achievement


def reinstate(act: Act, ref: str) -> Achievement:
    """Let an achievement be earned again, and return it; one that is not retired stays as it is.

    All members with evidence are marked, so that what they have earned meanwhile is decided right after the commit.

    Raises:
        NotFoundError: no such achievement (code "achievement-unknown").
    """
    achievement = achievements.held(act, ref)
    newest = publishing.newest_published(act.session, achievement)
    if achievement.retired_at is not None and newest is not None:
        achievement.retired_at = achievement.retirement_reason = None
        events.append(act, "achievement.reinstated", publishing.about(newest))
        rejudging.mark_all(act, topics.published(achievement))
    act.session.flush()
    return achievement
