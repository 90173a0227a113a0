"""Holds: new awards of a party that wait while a disagreement is open.

The party is told, and why; the other one is not. Nothing that was awarded before is touched (`awards.holding`).
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from service.access.act import Act
from service.appeals import case_files
from service.awards import holding, reviews
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Case, CaseHold, Member
from service.tables.identifiers import new_id


def same_people(session: WriteSession, member_ids: Collection[UUID | None]) -> set[UUID]:
    """Return these members, with all in their networks who are the same persons."""
    known = set(reviews.who_is(session, member_ids).values())
    networks = select(Member.network_id).where(Member.id.in_(set(member_ids) - {None}))
    same = Member.id.in_(known) | Member.person_id.in_(known)
    return set(session.scalars(select(Member.id).where(same, Member.network_id.in_(networks))))


def begin(act: Act, row: Case, part: str, member_id: UUID, achievement_id: UUID | None, reason: str) -> CaseHold:
    """Hold new awards of a party; one hold on the same awards is enough.

    The case and everybody who is a person in it are locked.

    Args:
        part: the part of the one who orders it.
        achievement_id: which awards; None: all.
    """
    mine = (CaseHold.case_id == row.id, CaseHold.member_id == member_id, CaseHold.until_at.is_(None))
    for each in act.session.scalars(select(CaseHold).where(*mine)):
        if each.achievement_id == achievement_id:
            return each
    step = case_files.add_step(act, row, "held", part, reason, subject_id=member_id)
    made = CaseHold(
        id=new_id(),
        case_id=row.id,
        step_id=step.id,
        member_id=member_id,
        achievement_id=achievement_id,
        from_at=act.now,
    )
    act.session.add(made)
    holding.look_again(act, same_people(act.session, [member_id]))
    return made


def end(act: Act, row: Case, part: str, hold: CaseHold, *, told: bool = True) -> None:
    """End a hold: the awards follow on which there is no other one; a hold that has ended stays as it is.

    Args:
        told: whether the party gets a mail.
    """
    if hold.until_at is not None:
        return
    hold.until_at = act.now
    case_files.add_step(act, row, "released", part, subject_id=hold.member_id, told=told)
    holding.look_again(act, same_people(act.session, [hold.member_id]))


def end_all(act: Act, row: Case, *, told: bool = True) -> None:
    """End the holds of a case by itself."""
    for hold in locks.rows(act.session, CaseHold, CaseHold.case_id == row.id, CaseHold.until_at.is_(None)):
        end(act.by_service(), row, "service", hold, told=told)
