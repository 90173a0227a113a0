"""What becomes of a case when nobody acts: nothing is lost, somebody else is to decide, and it is said again."""

from sqlalchemy import select

from service.appeals import case_files, cases, contestable
from service.runtime.runtime import Runtime
from service.tables import Case, Network

BATCH = 100
"""Cases whose time is over, in one transaction."""


def pass_deadlines(running: Runtime) -> int:
    """Escalate the cases whose time is over, and say of those that are escalated already that they are overdue.

    Returns how many there were. An escalated case stays open, with a new day on which it is said again, until
    somebody decides. Those of a closed network wait: it takes nothing new.
    """
    count = 0
    while done := _pass_some(running):
        count += done
    return count


def _pass_some(running: Runtime) -> int:
    now = running.now()
    due = (
        select(Case)
        .join(Network, Network.id == Case.network_id)
        .where(Case.state != "resolved", Case.due_at <= now, Network.state != "closed")
    )
    with running.database.read() as session:
        if session.scalar(due.with_only_columns(Case.id).limit(1)) is None:
            return 0
    with running.database.write() as session:
        held = due.order_by(Case.id).limit(BATCH).with_for_update(of=Case, skip_locked=True)
        rows = session.scalars(held).all()
        for row in rows:
            network = session.get_one(Network, row.network_id)
            if row.state == "escalated":
                row.due_at = contestable.end_of_day(network, now, cases.ESCALATED_WITHIN)
                case_files.add_step(session, row, "overdue", "service", None, now)
                cases.tell(session, network, row, "case.overdue", now)
            else:
                cases.escalate_now(session, network, row, "service", None, None, now)
        return len(rows)
