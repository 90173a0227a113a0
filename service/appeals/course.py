"""The course of a case: it is told, left by its mediator, escalated, closed.

`cases` decides who may do that.
"""

from datetime import datetime

from service.access.act import Act
from service.appeals import case_files, holds
from service.awards import appealable
from service.durations import Duration
from service.outbox import events
from service.tables import Case

DECIDED_WITHIN = Duration.parse("P1M")
"""How long a case may wait for its outcome: the time that the GDPR gives to answer a person (Article 12(3))."""
ESCALATED_WITHIN = Duration.parse("P2M")
"""How much longer it may wait once it is escalated: the extension that the same article gives."""


def tell(act: Act, row: Case, kind: str) -> None:
    """Add an event that names the case only: its readers may not know who contests."""
    events.append(act, kind, {"case": str(row.id)})


def leave(act: Act, row: Case) -> None:
    """Take a case from its mediator: it waits for another one, and says that the mediator left."""
    left, row.mediator_id, row.mediator_who = row.mediator_id, None, None
    row.state = "open" if row.state == "mediating" else row.state
    act.session.flush()
    case_files.add_step(act.by_service(), row, "left", "service", subject_id=left)
    tell(act, row, "case.mediator-left")


def escalate(act: Act, row: Case, part: str, text: str | None) -> None:
    """Take a case from its mediator, if it has one, and give it more time for another."""
    row.state, row.mediator_id, row.mediator_who = "escalated", None, None
    row.due_at = _escalated_until(act, row)
    case_files.add_step(act, row, "escalated", part, text)
    tell(act, row, "case.escalated")


def put_off(act: Act, row: Case) -> None:
    """Report that nobody has decided an escalated case in time, and give it a new day on which that is reported again."""
    row.due_at = _escalated_until(act, row)
    case_files.add_step(act, row, "overdue", "service")
    tell(act, row, "case.overdue")


def close(act: Act, row: Case, outcome: str) -> None:
    """Resolve a case with an outcome, and tell of it; awards that it held follow."""
    holds.end_all(act, row, told=False)
    row.state, row.outcome, row.resolved_at = "resolved", outcome, act.now
    act.session.flush()
    tell(act, row, "case.withdrawn" if outcome == "withdrawn" else "case.resolved")


def days(number: int) -> Duration:
    """Return a number of days as a duration."""
    return Duration((0, 0, 0, number, 0, 0, 0))


def _escalated_until(act: Act, row: Case) -> datetime:
    """Return until when the next mediator has time: a disagreement as many days again as the first one had."""
    within = days(row.days["mediation"]) if row.days else ESCALATED_WITHIN
    return appealable.end_of_day(act.network, act.now, within)
