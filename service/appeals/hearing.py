"""Hear both sides before a disagreement ends, and let it end as one.

A contested decision has other outcomes.
"""

from typing import Final

from sqlalchemy import select

from credentials.instants import write_instant
from service.access.act import Act
from service.errors import ConflictError, InvalidError
from service.tables import Case, CaseStep

OF_DECISIONS: Final = ("upheld", "overturned")
OF_DISAGREEMENTS: Final = ("decided", "unresolved")
"""How a mediator ends a case; that both parties agree is said by them (`mediation.accept`)."""
ANSWERS: Final = ("statement", "accepted")
"""Steps of the respondent that are an answer."""


def check_outcome(row: Case, outcome: str, follows: str | None) -> None:
    """Refuse an outcome that a case of this kind does not have.

    Raises:
        InvalidError: it is one of the other kind ("outcome-misplaced"), or what follows is missing ("follows-missing")
            or given where nothing is decided between two members ("follows-misplaced").
    """
    fitting = OF_DISAGREEMENTS if row.kind == "disagreement" else OF_DECISIONS
    if outcome not in fitting:
        message = f"Expected one of the outcomes {' and '.join(fitting)}: the case is about a {row.kind}."
        raise InvalidError("outcome-misplaced", message, "/outcome")
    if outcome == "decided" and follows is None:
        message = "Expected what is to follow: the parties must be able to read what is asked of them."
        raise InvalidError("follows-missing", message, "/follows")
    if outcome != "decided" and follows is not None:
        raise InvalidError(
            "follows-misplaced", "Expected `follows` with the outcome decided, and only there.", "/follows"
        )


def check_heard(act: Act, row: Case) -> None:
    """Refuse to end a disagreement before the respondent has answered, or had time to.

    Raises:
        ConflictError: they have not, and still have time (code "not-heard-yet"; details: `until`).
    """
    if row.answer_due_at is None or row.answer_due_at <= act.now:
        return
    answered = select(CaseStep.id).where(
        CaseStep.case_id == row.id, CaseStep.part == "respondent", CaseStep.kind.in_(ANSWERS)
    )
    if act.session.scalar(answered.limit(1)) is None:
        message = "Expected both sides to be heard: the other member has not answered, and still has time."
        raise ConflictError("not-heard-yet", message, details={"until": write_instant(row.answer_due_at)})
