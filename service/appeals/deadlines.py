"""Escalate cases whose time is over, and report those that are overdue."""

from sqlalchemy import select

from service.access.act import Act
from service.appeals import case_files, cases
from service.awards import appealable
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.tables import Case, Network

BATCH = 100
"""How many cases are escalated or reported in one transaction."""


def pass_deadlines(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Escalate the cases whose time is over; return how many cases there were.

    A case that is escalated already is reported as overdue, and stays open with a new day on which it is reported
    again, until somebody decides. Cases of a closed network wait, because it takes nothing new.
    """
    count = 0
    while go_on() and (done := _pass_some(runtime)):
        count += done
    return count


def _pass_some(runtime: Runtime) -> int:
    now = runtime.now()
    due = (
        select(Case)
        .join(Network, Network.id == Case.network_id)
        .where(Case.state != "resolved", Case.due_at <= now, Network.state != "closed")
    )
    with runtime.database.read() as session:
        if session.scalar(due.with_only_columns(Case.id).limit(1)) is None:
            return 0
    with runtime.database.write() as session:
        held = due.order_by(Case.id).limit(BATCH).with_for_update(of=Case, skip_locked=True)
        rows = session.scalars(held).all()
        for row in rows:
            act = Act(session, session.get_one(Network, row.network_id), None, now)
            if row.state == "escalated":
                row.due_at = appealable.end_of_day(act.network, now, cases.ESCALATED_WITHIN)
                case_files.add_step(act, row, "overdue", "service")
                cases.tell(act, row, "case.overdue")
            else:
                cases.escalate_now(act, row, "service", None)
        return len(rows)
