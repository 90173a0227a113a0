"""End what waits for an erased member, and erase what people wrote about awards.

Awards stand as they stood: the member holds the badges, and others can verify them. Only if the person wants these to end
too, they are taken back (`take_back`).
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.awards import reviews
from service.issuing import credentials, status_lists
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Approval, Award, Credential, Review, StatusList
from service.tables.awards import LIVE

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


def take_back(act: Act, runtime: Runtime, member_ids: Collection[UUID]) -> int:
    """Revoke the badges of erased members, and let their addresses tell only that; return how many there were.

    It is as if their recipient had declined each (`endings.decline`): the network is told by the same event, nobody is
    written to, and nothing is decided again. The members are locked.

    Raises:
        CustodyError: a status list cannot be signed; nothing has changed.
    """
    awards = locks.rows(act.session, Award, Award.member_id.in_(member_ids))
    by_id = {award.id: award for award in awards}
    rows = locks.rows(act.session, Credential, Credential.award_id.in_(by_id))
    lists = {row.status_list_id for row in rows if row.revoked_at is None}
    for row in rows:
        if row.revoked_at is None:
            row.revoked_at = row.declined_at = act.now
            events.append(act, "credential.declined", credentials.about(row, by_id[row.award_id]))
        row.visibility, row.erased_at = "private", act.now
    for award in awards:
        reviews.end(act, award)
        if award.state in LIVE:
            award.state = "revoked"
    act.session.flush()
    for list_id in sorted(lists):
        status_lists.publish(act, runtime, act.session.get_one(StatusList, list_id))
    return len(rows)
