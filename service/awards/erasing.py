"""End what waits for an erased member, and erase what people wrote about awards.

Awards stand as they stood: the member holds the badges, and others can verify them.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.awards import reviews
from service.storage import locks
from service.tables import Approval, Award, Review

WRITTEN = (Award.reason, Award.end_reason, Review.reason, Approval.note)
"""What people wrote about a member, beside decisions."""


def reasons_of(session: OrmSession, member_id: UUID) -> int:
    """Return how many reasons and notes people wrote about a member."""
    counts = (
        select(func.count()).where(column.class_.member_id == member_id, column.is_not(None)) for column in WRITTEN
    )
    return sum(session.scalar(count) or 0 for count in counts)


def waiting_of(session: OrmSession, member_id: UUID) -> Sequence[UUID]:
    """Return the awards of a member that are not signed yet."""
    return session.scalars(select(Award.id).where(Award.member_id == member_id, Award.state == "pending")).all()


def end_waiting(act: Act, member_id: UUID) -> None:
    """End the pending awards of a member, and what waits for people to decide."""
    for row in locks.rows(act.session, Award, Award.member_id == member_id, Award.state == "pending"):
        reviews.end(act, row)
        row.state, row.ended_by = "revoked", act.caller.token_id if act.caller else None
    for review in locks.rows(act.session, Review, Review.member_id == member_id, Review.state == "waiting"):
        award = act.session.get(Award, review.award_id) if review.award_id is not None else None
        if award is not None:
            award.review_since = None
        reviews.close(act, review, "withdrawn", None)


def erase_reasons(act: Act, member_id: UUID) -> None:
    """Erase the reasons and notes that people wrote about a member."""
    for column in WRITTEN:
        rows = update(column.class_).where(column.class_.member_id == member_id)
        act.session.execute(rows.values({column: None}))
