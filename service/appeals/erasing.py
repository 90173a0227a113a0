"""Take an erased member out of cases, and erase what was said there."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.appeals import case_files, cases
from service.storage import locks
from service.tables import Case, CaseStep, CaseText


def texts_of(session: OrmSession, member_id: UUID) -> Sequence[UUID]:
    """Return the steps with a text in the cases of a member, and those that the member wrote in other cases."""
    own = or_(Case.member_id == member_id, CaseStep.author_id == member_id)
    query = select(CaseStep.id).join(Case, Case.id == CaseStep.case_id).join(CaseText, CaseText.step_id == CaseStep.id)
    return session.scalars(query.where(own)).all()


def open_cases_of(session: OrmSession, member_id: UUID) -> Sequence[UUID]:
    """Return the cases of a member that are not resolved."""
    return session.scalars(select(Case.id).where(Case.member_id == member_id, Case.state != "resolved")).all()


def leave(act: Act, member_id: UUID) -> None:
    """Withdraw the open cases of a member, and let the cases that the member mediates wait for somebody else."""
    involved = or_(Case.member_id == member_id, Case.mediator_id == member_id)
    for row in locks.rows(act.session, Case, involved, Case.state != "resolved"):
        if row.member_id == member_id:
            cases.close(act, row, "withdrawn")
            case_files.add_step(act.by_service(), row, "withdrawn", "service")
        else:
            row.mediator_id = row.mediator_who = None
            row.state = "open" if row.state == "mediating" else row.state
            act.session.flush()
            case_files.add_step(act.by_service(), row, "left", "service", subject_id=member_id)
            cases.tell(act, row, "case.mediator-left")


def erase_texts(act: Act, step_ids: Collection[UUID]) -> None:
    """Erase what was said in steps, with its salt; the steps and their digests stay."""
    act.session.execute(delete(CaseText).where(CaseText.step_id.in_(step_ids)))
    act.session.execute(update(CaseStep).where(CaseStep.id.in_(step_ids)).values(salt=None))
