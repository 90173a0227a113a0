"""How far evidence that a goal was met is from the member's own word.

1. A goal that is kept here is met by the member's word (tier 0), and by that of a peer once one confirms it: the peer
   corrects the record, and from then on it is their word too.
2. What a network posts of goals that it keeps elsewhere is the member's own word, unless it says when there was a
   check-in before, and who confirmed it. What came before this was asked for keeps its tier.
"""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.bodies import Body, LongLine, Ref
from service.evidence.bodies import OccurredAt, Someone
from service.tables import Contribution, Goal, GoalAnswer, Record

UNCONFIRMED = 0
"""The highest tier of a goal that was met without a check-in before, or that no peer confirmed."""


class GoalElsewhere(Body):
    """A goal that a network keeps in another system."""

    id: LongLine | None = Field(None, description="how that system calls the goal", examples=["goal-17"])
    checked_in_at: OccurredAt = Field(description="when there was a check-in, before it was met")
    confirmed_by: Ref | None = Field(
        None,
        description=(
            "the member who confirms that it was met; may be posted later. Without one it is the member's own word"
            " (tier 0), unless the token is bound to another member"
        ),
        examples=["m12"],
    )

    def is_confirmed(self, member: Someone | None, actor: Someone | None) -> bool:
        """Return whether a peer stands for it: the one who is named, or who posts it."""
        return self.confirmed_by is not None or (
            actor is not None and member is not None and not actor.is_person(member)
        )


def confirmed_by(session: OrmSession, first_id: UUID) -> list[tuple[UUID | None, datetime]]:
    """Return who confirmed the goal of which a record was the first to say that it was met, and when."""
    query = (
        select(GoalAnswer.member_id, GoalAnswer.answered_at)
        .join(Goal, Goal.id == GoalAnswer.goal_id)
        .where(Goal.record_id == first_id, GoalAnswer.met)
    )
    return [(member_id, at) for member_id, at in session.execute(query)]


def counting(session: OrmSession, first_id: UUID) -> Record | None:
    """Return the record that counts now of what one was the first to say; None if none does."""
    line = (Record.id == first_id) | (Record.first_id == first_id)
    return session.scalar(select(Record).join(Contribution, Contribution.record_id == Record.id).where(line))
