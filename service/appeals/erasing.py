"""Take an erased member out of cases, and erase what was said there."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.appeals import case_files, course, holds
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Case, CaseStep, CaseText


def texts_of(session: OrmSession, member_id: UUID) -> Sequence[UUID]:
    """Return the steps with a text in the cases of a member, and those that the member wrote in other cases."""
    own = or_(_of(member_id), CaseStep.author_id == member_id)
    query = select(CaseStep.id).join(Case, Case.id == CaseStep.case_id).join(CaseText, CaseText.step_id == CaseStep.id)
    return session.scalars(query.where(own)).all()


def open_cases_of(session: OrmSession, member_id: UUID) -> Sequence[UUID]:
    """Return the cases of a member that are not resolved."""
    return session.scalars(select(Case.id).where(_of(member_id), Case.state != "resolved")).all()


def others_in_cases_of(session: WriteSession, member_id: UUID) -> set[UUID]:
    """Return the members who are to be locked with one who leaves the open cases: awards of theirs may follow."""
    rows = session.execute(
        select(Case.member_id, Case.respondent_id).where(
            Case.kind == "disagreement", _of(member_id), Case.state != "resolved"
        )
    )
    return holds.same_people(session, {each for pair in rows for each in pair})


def leave(act: Act, member_id: UUID) -> None:
    """Withdraw the open cases of a member, and let the cases that the member mediates wait for somebody else."""
    involved = or_(_of(member_id), Case.mediator_id == member_id)
    for row in locks.rows(act.session, Case, involved, Case.state != "resolved"):
        if row.mediator_id != member_id:
            course.close(act, row, "withdrawn")
            case_files.add_step(act.by_service(), row, "withdrawn", "service")
        else:
            course.leave(act, row)


def _of(member_id: UUID) -> ColumnElement[bool]:
    """Return the condition that a case is one of a member: what they contest, or a disagreement on either side."""
    return or_(Case.member_id == member_id, and_(Case.kind == "disagreement", Case.respondent_id == member_id))


def erase_texts(act: Act, step_ids: Collection[UUID]) -> None:
    """Erase what was said in steps, with its salt; the steps and their digests stay."""
    act.session.execute(delete(CaseText).where(CaseText.step_id.in_(step_ids)))
    act.session.execute(update(CaseStep).where(CaseStep.id.in_(step_ids)).values(salt=None))
