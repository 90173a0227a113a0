"""Who may not mediate a case.

That is who has a part in it, or an open disagreement with a party.
Persons are compared, not members, because two members can be one person. Who becomes a party later leaves the case by
itself, and the case says so.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.appeals import case_files, course
from service.awards import holding, reviews
from service.storage import locks
from service.tables import Case


def involved(session: OrmSession, row: Case) -> set[UUID]:
    """Return who has a part in a case: the parties, and the one who opened it."""
    return set(reviews.who_is(session, [row.member_id, row.respondent_id, row.opened_by]).values())


def at_odds(session: OrmSession, row: Case) -> set[UUID]:
    """Return who has another open disagreement with a party of a case."""
    parties = {row.member_who, row.respondent_who} - {None}
    query = select(Case.member_who, Case.respondent_who).where(
        Case.network_id == row.network_id,
        Case.kind == "disagreement",
        Case.state != "resolved",
        Case.id != row.id,
        or_(Case.member_who.in_(parties), Case.respondent_who.in_(parties)),
    )
    return {who for pair in session.execute(query) for who in pair if who is not None} - parties


def step_back(act: Act, row: Case) -> None:
    """Have those who now disagree with each other leave what one of them mediates for the other."""
    one, other = row.member_who, row.respondent_who
    mediated = (Case.network_id == row.network_id, Case.state != "resolved", Case.id != row.id)
    for each in locks.rows(
        act.session,
        Case,
        *mediated,
        or_(
            (Case.mediator_who == one) & or_(Case.member_who == other, Case.respondent_who == other),
            (Case.mediator_who == other) & or_(Case.member_who == one, Case.respondent_who == one),
        ),
    ):
        course.leave(act, each)


def relink(act: Act, member_id: UUID) -> None:
    """Store again who is who in the cases of a member whose person has changed.

    A mediator who is now known to be a party, to have opened the case, or to disagree with a party, leaves it, and it
    waits for another one. A disagreement of somebody with themself ends. To be called before approvals and awards are
    checked again.
    """
    act.session.flush()
    mine = or_(
        *(column == member_id for column in (Case.member_id, Case.respondent_id, Case.mediator_id, Case.opened_by))
    )
    rows = locks.rows(act.session, Case, mine)
    for row in rows:
        _store_who(act, row)
    for row in rows:
        if row.kind == "disagreement" and row.state != "resolved":
            step_back(act, row)
        if row.state != "resolved" and row.mediator_who is not None:
            _leave_if(act, row, at_odds(act.session, row))
    if holding.any_hold(act.session, act.network):
        holding.look_again(act)


def _store_who(act: Act, row: Case) -> None:
    who = reviews.who_is(act.session, [row.member_id, row.respondent_id, row.mediator_id, row.opened_by])
    mediator_who, parties = who.get(row.mediator_id), involved(act.session, row)
    if row.state != "resolved":
        if row.kind == "disagreement" and who[row.member_id] == who.get(row.respondent_id):
            case_files.add_step(act.by_service(), row, "withdrawn", "service")
            course.close(act, row, "withdrawn")
        elif mediator_who in parties:
            course.leave(act, row)
            mediator_who = None
    row.member_who, row.respondent_who, row.mediator_who = who[row.member_id], who.get(row.respondent_id), mediator_who
    act.session.flush()


def _leave_if(act: Act, row: Case, others: Collection[UUID]) -> None:
    if row.mediator_who in others:
        course.leave(act, row)
