"""Case visibility: who sees a case, and who sees what is said in it.

The parties and the mediator see everything, the network sees that the case exists and its steps. For everybody else,
of this network or another, it does not exist. The texts are in rows of their own (`case_texts`), so that they can be
erased while the steps, their dates and their sealed digests stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.awards import reviews
from service.errors import NotFoundError
from service.evidence.bodies import seal
from service.issuing import receipts
from service.outbox import mailbox
from service.storage import filters
from service.storage.database import ReadSession
from service.storage.paging import Window, order, page
from service.tables import (
    Achievement,
    AchievementVersion,
    Award,
    Case,
    CaseHold,
    CaseStep,
    CaseText,
    Credential,
    Meeting,
    Member,
    Network,
    Receipt,
)
from service.tables.identifiers import new_id, new_salt

OF_HOLDS: Final = ("held", "released")
"""Steps that the other party does not know."""


@dataclass(frozen=True)
class ShownCase:
    """A case with the names that it is shown with, and the caller's part in it.

    `refs` are those of all members in it. `texts` are what was said, by the ids of the steps; None if they are
    left out; `follows` is what decisions ask for, in the same way. `credential` is the newest that the outcome led to,
    `receipt` that of its award. `holds` are those that the caller may know, each with the ref of its achievement.
    """

    case: Case
    part: str
    refs: Mapping[UUID | None, str]
    achievement_ref: str | None
    version: int | None
    credential: Credential | None
    receipt: Receipt | None
    steps: tuple[CaseStep, ...] = ()
    texts: Mapping[UUID, str] | None = None
    follows: Mapping[UUID, str] | None = None
    holds: tuple[tuple[CaseHold, str | None], ...] = ()
    session_ref: str | None = None


def manages(session: OrmSession, caller: Caller, now: datetime) -> bool:
    """Return whether the caller acts for the network.

    The token is bound to no member, or to one who has the role admin now.
    """
    if "cases:manage" not in caller.scopes:
        return False
    return caller.member_id is None or "admin" in reviews.roles_at(session, caller.member_id, now)


def part_of(session: OrmSession, caller: Caller, row: Case, now: datetime) -> str:
    """Return the caller's part: "member", "respondent", "mediator" or "network".

    Raises:
        NotFoundError: they have none; the answer is the same as for a case that does not exist (code "case-unknown").
    """
    if caller.network_id == row.network_id:
        who = reviews.who_is(session, [caller.member_id]).get(caller.member_id)
        parts = {row.mediator_who: "mediator", row.respondent_who: "respondent", row.member_who: "member"}
        if who is not None and who in parts:
            return parts[who]
        if manages(session, caller, now):
            return "network"
    raise NotFoundError("case-unknown", "No case of yours has this id.")


def find(
    session: OrmSession, network: Network, caller: Caller, case_id: UUID, now: datetime, *, silent: bool = False
) -> ShownCase:
    """Return a case with its steps.

    For its parties and its mediator it has what is said in them.

    Args:
        silent: leave out what is said.
    Raises:
        NotFoundError: there is none that the caller may see (code "case-unknown").
    """
    row = session.scalar(select(Case).where(Case.id == case_id, Case.network_id == network.id))
    if row is None:
        raise NotFoundError("case-unknown", "No case of yours has this id.")
    part = part_of(session, caller, row, now)
    everything = session.scalars(select(CaseStep).where(CaseStep.case_id == row.id).order_by(CaseStep.id)).all()
    steps = [step for step in everything if step.kind not in OF_HOLDS or _may_know(row, part, step.subject_id)]
    said: Sequence[CaseText] = ()
    if part != "network" and not silent:
        said = session.scalars(select(CaseText).where(CaseText.step_id.in_([step.id for step in steps]))).all()
    shown = _show(session, row, part, steps)
    if part == "network" or silent:
        return shown
    return replace(
        shown,
        texts={each.step_id: each.text for each in said},
        follows={each.step_id: each.follows for each in said if each.follows is not None},
    )


def list_cases(
    session: ReadSession,
    network: Network,
    caller: Caller,
    now: datetime,
    *,
    window: Window,
    state: str | None,
    kind: str | None,
    member: str | None,
    achievement: str | None,
    sort: str | None = None,
) -> tuple[list[ShownCase], str | None]:
    """Return the cases that the caller may see, without what is said in them.

    They are in the order in which they were opened; with the sort "-opened_at" the newest come first.

    Raises:
        InvalidError: a filter names nothing in the network (code "member-unknown", "achievement-unknown").
    """
    query: Select[Case] = select(Case).where(
        Case.network_id == network.id, *filters.of(session, network, Case, member, achievement)
    )
    if not manages(session, caller, now):
        who = reviews.who_is(session, [caller.member_id]).get(caller.member_id)
        if who is None:  # a person who is nobody must not match the empty columns
            return [], None
        query = query.where(or_(Case.member_who == who, Case.respondent_who == who, Case.mediator_who == who))
    if state is not None:
        query = query.where(Case.state == state)
    if kind is not None:
        query = query.where(Case.kind == kind)
    rows, following = page(session, query, window, order(sort, opened_at=(Case.id,)))
    return [_show(session, row, part_of(session, caller, row, now)) for row in rows], following


def add_step(
    act: Act,
    row: Case,
    kind: str,
    part: str,
    text: str | None = None,
    *,
    follows: str | None = None,
    subject_id: UUID | None = None,
    told: bool = True,
) -> CaseStep:
    """Add a step to a case; the others in the case who may know of it get a mail.

    The text is stored in a row of its own, and the step has its salted digest.

    Args:
        told: False: nobody gets a mail.
    """
    salt = new_salt() if text is not None else None
    step = CaseStep(
        id=new_id(),
        case_id=row.id,
        kind=kind,
        part=part,
        at=act.now,
        token_id=act.caller.token_id if act.caller else None,
        author_id=act.caller.member_id if act.caller else None,
        subject_id=subject_id,
        salt=salt,
        digest=seal(salt, {"text": text} | ({"follows": follows} if follows else {})) if salt is not None else None,
    )
    act.session.add(step)
    act.session.flush()  # before the rows that refer to it, which are not related as objects
    if text is not None:
        act.session.add(CaseText(step_id=step.id, text=text, follows=follows))
    people = {subject_id} if kind in OF_HOLDS else {row.member_id, row.respondent_id, row.mediator_id}
    others = people - {None, step.author_id} if told else set()
    mailbox.queue_step(act.session, row.network_id, step, {each for each in others if each is not None})
    return step


def erase(act: CallersAct, case_id: UUID, step_id: UUID) -> CaseStep:
    """Erase what is said in a step, with its salt; the step and its digest stay.

    The member who said it and the network may do so.

    Raises:
        NotFoundError: no such case ("case-unknown"), or in it no step with a text of theirs ("step-unknown").
    """
    shown = find(act.session, act.network, act.caller, case_id, act.now)
    step = next((each for each in shown.steps if each.id == step_id and each.digest is not None), None)
    who = reviews.who_is(act.session, [act.caller.member_id, step.author_id if step else None])
    mine = step is not None and step.author_id is not None and who[step.author_id] == who.get(act.caller.member_id)
    if step is None or not (mine or shown.part == "network"):
        raise NotFoundError("step-unknown", "No text of yours in this case has this id.")
    act.session.execute(delete(CaseText).where(CaseText.step_id == step.id))
    step.salt = None
    return step


def _may_know(row: Case, part: str, subject_id: UUID | None) -> bool:
    """Return whether somebody may know of a hold on a party: not the other party."""
    return {"member": row.member_id, "respondent": row.respondent_id}.get(part, subject_id) == subject_id


def _show(session: OrmSession, row: Case, part: str, steps: Sequence[CaseStep] = ()) -> ShownCase:
    holds = tuple(
        (hold, ref)
        for hold, ref in session.execute(
            select(CaseHold, Achievement.ref)
            .outerjoin(Achievement, Achievement.id == CaseHold.achievement_id)
            .where(CaseHold.case_id == row.id)
            .order_by(CaseHold.id)
        )
        if _may_know(row, part, hold.member_id)
    )
    people = {row.member_id, row.respondent_id, row.mediator_id, *(step.author_id for step in steps)}
    people |= {step.subject_id for step in steps} | {hold.member_id for hold, _ in holds}
    refs: dict[UUID | None, str] = dict(
        session.execute(select(Member.id, Member.ref).where(Member.id.in_(people - {None}))).all()
    )
    achievement = session.get(Achievement, row.achievement_id) if row.achievement_id else None
    version = session.get(AchievementVersion, row.achievement_version_id) if row.achievement_version_id else None
    meeting = session.get(Meeting, row.session_id) if row.session_id is not None else None
    award = session.get(Award, row.result_id) if row.result_id is not None else None
    newest = select(Credential).where(Credential.award_id == row.result_id, Credential.superseded_by.is_(None))
    credential = session.scalars(newest.order_by(Credential.issued_at.desc())).first() if award else None
    return ShownCase(
        row,
        part,
        refs,
        achievement.ref if achievement else None,
        version.version if version else None,
        credential,
        receipts.of_award(session, award) if award else None,
        tuple(steps),
        holds=holds,
        session_ref=meeting.ref if meeting else None,
    )
