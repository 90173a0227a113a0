"""Open a case about a disagreement between two members.

How many days its steps have stands in the guidelines in force, and stays as it was when the case was opened. Nobody has
a case with themself, also not under another ref, and two people have one open case at a time.
"""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import CallersAct
from service.appeals import cases, course, holds, neutrality
from service.appeals.contestable import CaseIn, DisagreementIn
from service.awards import appealable, reviews
from service.errors import ConflictError, NotFoundError
from service.networks.members import still_known
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Case, Contribution, Evaluation, GuidelineVersion, Meeting, Member, Network, Person, Record

DAYS: Final = {"answer": 7, "mediation": 30}
"""How many days the steps have in a network without guidelines: those to answer, and after them those to mediate."""
MOST_OPEN: Final = 3
"""The most open disagreements that a member has opened."""
MOST_OPENED: Final = 6
"""The most that a member opens within `COUNTED_FOR`, whatever became of them."""
COUNTED_FOR: Final = timedelta(days=30)


def open_case(act: CallersAct, body: CaseIn) -> Case:
    """Open a case about a disagreement, and return it.

    Who mediates for the one what concerns the other leaves those cases.

    Raises:
        NotFoundError: no such member ("member-unknown"), record ("record-unknown") or session ("session-unknown").
        ErasedError: the other member was erased ("member-erased").
        ForbiddenError: the token may not contest for itself ("scope-missing"), or the network opens a case with the
            caller ("self-decision").
        InvalidError: the request does not say who disagrees ("member-missing").
        ConflictError: both are one person ("disagreement-with-oneself"), have an open case ("case-open"; details:
            `case`), or the member has opened too many ("cases-too-many").
    """
    assert body.disagreement is not None  # the route says so
    said = body.disagreement
    member, part = cases.contestant(act, body.member)
    other = _respondent(act, said.respondent)
    locks.members(
        act.session, holds.same_people(act.session, [member.id, other.id]) | {act.caller.member_id or member.id}
    )
    if part == "network":
        act.decides_on(other.id, pointer="/disagreement/respondent")
    still_known(member, "/member")
    still_known(other, "/disagreement/respondent")
    who = reviews.who_is(act.session, [member.id, other.id])
    if who[member.id] == who[other.id] or _of_one_account(act.session, member, other):
        message = "Expected two people: these two members are one."
        raise ConflictError("disagreement-with-oneself", message, "/disagreement/respondent")
    _check_none_open(act.session, act.network, who[member.id], who[other.id])
    if part == "member":
        _check_not_too_many(act, who[member.id])
    days, guidelines = days_of(act.session, act.network)
    within = course.days(days["answer"] + days["mediation"])
    values = {
        "kind": "disagreement",
        "member_id": member.id,
        "respondent_id": other.id,
        "member_who": who[member.id],
        "respondent_who": who[other.id],
        "topic": said.about,
        "record_id": _record(act.session, act.network, said, member, other),
        "session_id": _session(act.session, act.network, said.session),
        "days": days,
        "guidelines": guidelines,
        "answer_due_at": appealable.end_of_day(act.network, act.now, course.days(days["answer"])),
        "due_at": appealable.end_of_day(act.network, act.now, within),
    }
    row = cases.begin(act, part, values, body.statement)
    assert row is not None  # under the locks nobody has opened another one
    neutrality.step_back(act, row)
    return row


def days_of(session: OrmSession, network: Network) -> tuple[dict[str, int], int | None]:
    """Return the days of the steps by the guidelines in force, and the number of their version.

    Without guidelines they are `DAYS`.
    """
    mine = (GuidelineVersion.network_id == network.id, GuidelineVersion.published_at.is_not(None))
    found = session.scalar(select(GuidelineVersion).where(*mine).order_by(GuidelineVersion.number.desc()).limit(1))
    if found is None:
        return dict(DAYS), None
    return {step: int(found.conflict_days.get(step, usual)) for step, usual in DAYS.items()}, found.number


def _respondent(act: CallersAct, ref: str) -> Member:
    other = act.session.scalar(select(Member).where(Member.network_id == act.network.id, Member.ref == ref))
    if other is None:
        message = "No member of this network has this ref; correct it."
        raise NotFoundError("member-unknown", message, "/disagreement/respondent")
    return other


def _of_one_account(session: WriteSession, member: Member, other: Member) -> bool:
    """Return whether one account has claimed both members, whom the network has not yet said to be one person."""
    persons = [each.person_id for each in (member, other) if each.person_id is not None]
    accounts = session.scalars(select(Person.account_id).where(Person.id.in_(persons), Person.account_id.is_not(None)))
    found = accounts.all()
    return len(found) > len(set(found))


def _check_none_open(session: WriteSession, network: Network, one: UUID, other: UUID) -> None:
    query = select(Case.id).where(
        Case.network_id == network.id,
        Case.kind == "disagreement",
        Case.state != "resolved",
        or_(
            and_(Case.member_who == one, Case.respondent_who == other),
            and_(Case.member_who == other, Case.respondent_who == one),
        ),
    )
    there = session.scalar(query.limit(1))
    if there is not None:
        message = "Expected no open case between these two members; there is one."
        raise ConflictError("case-open", message, details={"case": str(there)})


def _check_not_too_many(act: CallersAct, who: UUID) -> None:
    mine = (Case.network_id == act.network.id, Case.kind == "disagreement", Case.member_who == who)
    for most, which in (
        (MOST_OPEN, Case.state != "resolved"),
        (MOST_OPENED, Case.opened_at > act.now - COUNTED_FOR),
    ):
        if (act.session.scalar(select(func.count()).select_from(Case).where(*mine, which)) or 0) >= most:
            message = (
                f"Expected at most {MOST_OPEN} open disagreements that one member has opened, and {MOST_OPENED} in"
                f" {COUNTED_FOR.days} days."
            )
            raise ConflictError("cases-too-many", message)


def _record(
    session: WriteSession, network: Network, said: DisagreementIn, member: Member, other: Member
) -> UUID | None:
    """Return the record that a disagreement concerns.

    It is about or by the member, or something that the other one did: who wrote what others were told without a name
    cannot be found out here.
    """
    if said.record is None:
        return None
    people: list[Any] = [holds.same_people(session, [each.id]) for each in (member, other)]
    did = exists().where(
        Contribution.record_id == Record.id,
        or_(Contribution.member_id.in_(people[0] | people[1]), Contribution.peer_id.in_(people[0])),
    )
    judged = exists().where(
        Evaluation.record_id == Record.id,
        or_(Evaluation.member_id.in_(people[0]), Evaluation.evaluator_id.in_(people[0])),
    )
    query = select(Record.id).where(Record.id == said.record, Record.network_id == network.id, or_(did, judged))
    found = session.scalar(query)
    if found is None:
        message = "No record about or by this member, and nothing that the other one did, has this id."
        raise NotFoundError("record-unknown", message, "/disagreement/record")
    return found


def _session(session: WriteSession, network: Network, ref: str | None) -> UUID | None:
    if ref is None:
        return None
    found = session.scalar(select(Meeting.id).where(Meeting.network_id == network.id, Meeting.ref == ref))
    if found is None:
        raise NotFoundError("session-unknown", "No session of this network has this ref.", "/disagreement/session")
    return found
