"""Escalate cases whose time is over, and report those that are overdue."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select

from service.access.act import Act
from service.appeals import course, holds
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import locks
from service.tables import Case, CaseHold, Network

BATCH = 100
"""How many cases are escalated or reported in one transaction."""


def pass_deadlines(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Escalate the cases whose time is over; return how many cases there were.

    A case that is escalated already is reported as overdue, and stays open with a new day on which it is reported
    again, until somebody decides; awards that it holds follow, because nobody is to lose them when nobody decides. Cases
    of a closed network wait, because it takes nothing new.
    """
    _end_holds(runtime, go_on)
    count = 0
    while go_on() and (done := _pass_some(runtime)):
        count += done
    return count


def _due(now: datetime) -> Select[Case]:
    return (
        select(Case)
        .join(Network, Network.id == Case.network_id)
        .where(Case.state != "resolved", Case.due_at <= now, Network.state != "closed")
    )


def _end_holds(runtime: Runtime, go_on: GoOn) -> None:
    """End the holds of overdue cases, each in a transaction of its own: the people in it are locked before it."""
    now, last = runtime.now(), UUID(int=0)
    holding = select(CaseHold.id).where(CaseHold.case_id == Case.id, CaseHold.until_at.is_(None))
    overdue = _due(now).where(Case.state == "escalated", holding.exists()).order_by(Case.id).limit(1)
    while go_on():
        with runtime.database.read() as session:
            found = session.scalar(overdue.where(Case.id > last))
        if found is None:
            break
        last = found.id
        with runtime.database.write() as session:
            locks.members(session, holds.same_people(session, [found.member_id, found.respondent_id]))
            row = locks.one(session, Case, Case.id == found.id)
            if row.state == "escalated" and row.due_at <= now:
                holds.end_all(Act(session, session.get_one(Network, row.network_id), None, now), row)


def _pass_some(runtime: Runtime) -> int:
    now = runtime.now()
    due = _due(now)
    with runtime.database.read() as session:
        if session.scalar(due.with_only_columns(Case.id).limit(1)) is None:
            return 0
    with runtime.database.write() as session:
        held = due.order_by(Case.id).limit(BATCH).with_for_update(of=Case, skip_locked=True)
        rows = session.scalars(held).all()
        for row in rows:
            act = Act(session, session.get_one(Network, row.network_id), None, now)
            if row.state == "escalated":
                course.put_off(act, row)
            else:
                course.escalate(act, row, "service", None)
        return len(rows)
