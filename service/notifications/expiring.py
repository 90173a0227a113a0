"""Tell people in time that a badge ends, so that they can renew it."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import aliased

from service.access.act import Act
from service.notifications.letters.recipients import addressees
from service.outbox import mailbox
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import locks
from service.tables import Award, Credential, Message, Network

TOLD_BEFORE: Final = timedelta(days=30)
"""How long before its end people are told that a badge ends."""
SHORT: Final = 2 * TOLD_BEFORE
"""Of a badge that lasts no longer than this people are told its end when they get it, and not again."""
BATCH = 100
"""How many badges are looked at in one transaction."""


def tell_of_ends(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Queue a mail for each badge that ends soon, once for each award; return how many.

    A badge that was renewed or replaced, or that does not stand, is left out, and so are those of a closed network,
    where nobody can renew them, and of people who do not want such mails. Only badges that end in the next days are looked at, by an index.
    """
    now = ends_at = runtime.now()
    last, count = "", 0
    while go_on():
        with runtime.database.read() as session:
            rows = session.execute(ending_soon(now, ends_at, last)).all()
            people = addressees(session, [row.member_id for row in rows])
        if not rows:
            break
        ends_at, last = rows[-1].valid_until, rows[-1].id
        lasting = [
            row.id
            for row in rows
            if row.valid_until - row.issued_at > SHORT
            if row.member_id in people and people[row.member_id].wants("expiring")
        ]
        count += _queue(runtime, lasting) if lasting else 0
    return count


def ending_soon(now: datetime, ends_at: datetime, last: str) -> Select[str, UUID, datetime, datetime | None]:
    """Return the query for the next badges of whose end people are to be told: id, member, time of issue, and end.

    They are in the order of their ends.

    Args:
        ends_at: the end of the badge after which to go on, or `now`.
        last: its id, or "".
    """
    following = or_(Credential.valid_until > ends_at, Credential.id > last)
    due = (Credential.valid_until >= ends_at, Credential.valid_until <= now + TOLD_BEFORE, following)
    return (
        select(Credential.id, Award.member_id, Credential.issued_at, Credential.valid_until)
        .join(Award, Award.id == Credential.award_id)
        .join(Network, Network.id == Credential.network_id)
        .where(*due, *_untold(), Award.state == "awarded", Network.state != "closed")
        .order_by(Credential.valid_until, Credential.id)
        .limit(BATCH)
    )


def _untold() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on `Credential` that it stands, and nobody was told that its award ends."""
    told = aliased(Credential)
    of_award = select(Message.id).join(told, told.id == Message.credential_id)
    of_award = of_award.where(told.award_id == Credential.award_id, Message.kind == "expiring")
    stands = (Credential.revoked_at.is_(None), Credential.suspended_at.is_(None), Credential.superseded_by.is_(None))
    return (*stands, ~of_award.exists())


def _queue(runtime: Runtime, credential_ids: list[str]) -> int:
    with runtime.database.write() as session:
        # Of two processes that do this at once, one waits here, and then finds it done.
        locks.rows(session, Credential, Credential.id.in_(credential_ids))
        rows = session.scalars(select(Credential).where(Credential.id.in_(credential_ids), *_untold())).all()
        for row in rows:
            act = Act(session, session.get_one(Network, row.network_id), None, runtime.now())
            mailbox.queue_expiring(act, row)
        return len(rows)
