"""Applications to calls: one for each person and call, until the call closes.

A member applies under a ref of theirs. Somebody who is no member applies with their account; whom the network knows by an
address that the account has proved is that member.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from service.intake.attendance_claims import members_of
from service.networks import members, protected
from service.outbox import events
from service.participation.calls import answers, calls
from service.participation.calls.answers import CallApplicationIn
from service.storage import locks
from service.storage.database import ReadSession
from service.storage.paging import Window, page
from service.tables import (
    Call,
    CallApplication,
    CallApplicationText,
    CallDecision,
    CallQuestion,
    Member,
    Network,
    Person,
)
from service.tables.identifiers import new_id
from service.texts.languages import N_

State = Literal["applied", "withdrawn", "accepted", "waiting", "declined"]

NOT_OPEN: Final = N_("This call is not open. You can neither apply nor change an application now.")
DECIDED: Final = N_("The network has decided on this application already. Ask it if something must change.")
MEMBERS_ONLY: Final = N_("This call is for members of the network only.")


@dataclass(frozen=True)
class Application:
    """An application with what was said in it, decided on it and asked about it.

    `text` is None once it was erased. `protected` says that the applicant is a child or a student.
    """

    row: CallApplication
    call: Call
    member: Member | None
    text: CallApplicationText | None
    decisions: tuple[CallDecision, ...] = ()
    questions: tuple[CallQuestion, ...] = ()
    protected: bool = False

    @property
    def decision(self) -> CallDecision | None:
        """The decision that counts."""
        return self.decisions[-1] if self.decisions else None


def apply_as_member(
    act: CallersAct, ref: str, member_ref: str, body: CallApplicationIn
) -> tuple[CallApplication, bool]:
    """Apply for a member, or change what was said; return the application and whether it is new.

    Raises:
        NotFoundError: there is no such call ("call-unknown") or member ("member-unknown").
        ForbiddenError: the token is that of another member (code "application-not-own").
        ConflictError: the call is not open ("call-not-open"), the network decided already ("application-decided"), the
            call takes no children and students ("application-protected"), or the person has applied under another ref
            ("application-other-ref").
        InvalidError: what is said does not fit the call (`answers.fitting`).
    """
    call = calls.held(act, ref)
    member = members.still_known(members.held(act, member_ref))
    check_own(act.session, act.caller, member)
    return _put(act, call, member, None, None, body)


def apply_with_account(
    act: Act, ref: str, account_id: UUID, name: str, body: CallApplicationIn
) -> tuple[CallApplication, bool]:
    """Apply as the person of an account, which is locked; who is a member applies as that.

    Args:
        name: what they call themself; a member has the name that the network knows.
    Raises:
        ForbiddenError: the call is for members only (code "call-for-members").
        NotFoundError, ConflictError, InvalidError: as `apply_as_member`.
        InvalidError: who is no member gives no name (code "application-name-missing").
    """
    call = calls.held(act, ref)
    own = members_of(act.session, account_id, act.network.id)
    if own:
        return _put(act, call, _applied_as(act.session, call, own), account_id, None, body)
    if call.open_to != "anybody":
        raise ForbiddenError("call-for-members", MEMBERS_ONLY)
    return _put(act, call, None, account_id, name, body)


def withdraw(act: Act, row: CallApplication) -> CallApplication:
    """Withdraw an application that is locked; one that was withdrawn stays so.

    Raises:
        ConflictError: the call is not open, or the network decided already (as `apply_as_member`).
    """
    if row.state != "withdrawn":
        _check_changeable(act, act.session.get_one(Call, row.call_id), row)
        row.state, row.changed_at = "withdrawn", act.now
        act.session.flush()
        events.append(act, "application.withdrawn", about(row))
    return row


def held(act: Act, application_id: UUID) -> CallApplication:
    """Lock the network; return an application of it.

    Raises:
        NotFoundError: there is none (code "application-unknown").
    """
    locks.network(act.session, act.network.id)
    mine = (CallApplication.id == application_id, CallApplication.network_id == act.network.id)
    return _there(act.session.scalar(select(CallApplication).where(*mine).execution_options(populate_existing=True)))


def own_held(act: CallersAct, application_id: UUID) -> CallApplication:
    """Lock the network; return an application if the caller may speak for the applicant.

    Raises:
        NotFoundError: there is none, or it is another member's (code "application-unknown").
    """
    row = held(act, application_id)
    if act.caller.member_id is not None and not is_own(act.session, act.caller, row):
        raise _unknown()
    return row


def find(session: OrmSession, network: Network, caller: Caller, application_id: UUID, now: datetime) -> Application:
    """Return an application to a caller who may read it: who decides, or the applicant.

    Raises:
        NotFoundError: there is none, or it is another member's (code "application-unknown").
    """
    mine = (CallApplication.id == application_id, CallApplication.network_id == network.id)
    row = _there(session.scalar(select(CallApplication).where(*mine)))
    if (
        caller.member_id is not None
        and not is_own(session, caller, row)
        and not calls.decides(session, caller.member_id, now)
    ):
        raise _unknown()
    return show(session, [row], now)[0]


def list_applications(
    session: ReadSession,
    network: Network,
    caller: Caller,
    ref: str,
    window: Window,
    state: str | None,
    now: datetime,
) -> tuple[Sequence[Application], str | None]:
    """Return the applications to a call in the order in which they came; a member who does not decide sees their own.

    Raises:
        NotFoundError: there is no such call (code "call-unknown").
    """
    call = calls.get_call(session, network, ref)
    query = select(CallApplication).where(CallApplication.call_id == call.id)
    if state is not None:
        query = query.where(CallApplication.state == state)
    if caller.member_id is not None and not calls.decides(session, caller.member_id, now):
        query = query.where(CallApplication.member_id.in_(_same_person(session, caller.member_id)))
    rows, cursor = page(session, query, window, CallApplication.id)
    return show(session, rows, now), cursor


def show(session: OrmSession, rows: Sequence[CallApplication], now: datetime) -> list[Application]:
    """Return applications with what belongs to them, in the same order."""
    ids = [row.id for row in rows]
    texts = {
        each.application_id: each
        for each in session.scalars(select(CallApplicationText).where(CallApplicationText.application_id.in_(ids)))
    }
    known = select(Member).where(Member.id.in_({row.member_id for row in rows if row.member_id is not None}))
    people = {each.id: each for each in session.scalars(known)}
    asked = {each.id: each for each in session.scalars(select(Call).where(Call.id.in_({row.call_id for row in rows})))}
    decided = session.scalars(
        select(CallDecision).where(CallDecision.application_id.in_(ids)).order_by(CallDecision.id)
    ).all()
    questions = session.scalars(
        select(CallQuestion).where(CallQuestion.application_id.in_(ids)).order_by(CallQuestion.id)
    ).all()
    young = set(session.scalars(protected.holders(now))) if people else set()
    return [
        Application(
            row,
            asked[row.call_id],
            people.get(row.member_id) if row.member_id is not None else None,
            texts.get(row.id),
            tuple(each for each in decided if each.application_id == row.id),
            tuple(each for each in questions if each.application_id == row.id),
            row.member_id in young,
        )
        for row in rows
    ]


def of_account(session: OrmSession, call: Call, account_id: UUID) -> CallApplication | None:
    """Return what the person of an account has said in a call, as a member or not."""
    own = [each.id for each in members_of(session, account_id, call.network_id)]
    mine = or_(CallApplication.account_id == account_id, CallApplication.member_id.in_(own))
    query = select(CallApplication).where(CallApplication.call_id == call.id, mine)
    return session.scalar(query.order_by(CallApplication.id).limit(1))


def of_member(session: OrmSession, call: Call, member: Member) -> CallApplication | None:
    """Return what a member, or the same person under another ref, has said in a call."""
    mine: ColumnElement[bool] = CallApplication.member_id.in_(_same_person(session, member.id))
    if member.person_id is not None:
        account = session.get_one(Person, member.person_id).account_id
        mine = mine if account is None else or_(mine, CallApplication.account_id == account)
    query = select(CallApplication).where(CallApplication.call_id == call.id, mine)
    return session.scalar(query.order_by(CallApplication.id).limit(1))


def counts(session: OrmSession, call_ids: Sequence[UUID]) -> Mapping[UUID, dict[str, int]]:
    """Return how many applications calls have, by their state."""
    query = select(CallApplication.call_id, CallApplication.state, func.count())
    found: dict[UUID, dict[str, int]] = {call_id: {} for call_id in call_ids}
    for call_id, state, count in session.execute(
        query.where(CallApplication.call_id.in_(call_ids)).group_by(CallApplication.call_id, CallApplication.state)
    ):
        found[call_id][state] = count
    return found


def about(row: CallApplication) -> dict[str, str]:
    """Return the identifiers of the events about an application."""
    ids = {"call": str(row.call_id), "application": str(row.id)}
    return ids if row.member_id is None else ids | {"member": str(row.member_id)}


def decides_on(act: CallersAct, row: CallApplication, pointer: str = "") -> None:
    """Refuse a caller who is the applicant, as a member or with the account.

    Raises:
        ForbiddenError: nobody decides for themself (code "self-decision").
    """
    own = [] if row.account_id is None else members_of(act.session, row.account_id)
    act.decides_on(row.member_id, *(each.id for each in own), pointer=pointer)


def is_own(session: OrmSession, caller: Caller, row: CallApplication) -> bool:
    """Return whether the caller is the member who applied, or the same person."""
    assert caller.member_id is not None
    return row.member_id in _same_person(session, caller.member_id)


def check_own(session: OrmSession, caller: Caller, member: Member) -> None:
    """Let a token of the whole network pass, and that of the member.

    Raises:
        ForbiddenError: it is another member's (code "application-not-own").
    """
    if caller.member_id is not None and member.id not in _same_person(session, caller.member_id):
        message = "Expected the member to whom this token is bound, or a token that is bound to no member."
        raise ForbiddenError("application-not-own", message)


def _same_person(session: OrmSession, member_id: UUID) -> set[UUID]:
    person = select(Member.person_id).where(Member.id == member_id).scalar_subquery()
    return set(session.scalars(select(Member.id).where(or_(Member.id == member_id, Member.person_id == person))))


def _applied_as(session: OrmSession, call: Call, own: Sequence[Member]) -> Member:
    """Return the one of somebody's members as whom they applied, or the first."""
    ids = [each.id for each in own]
    query = select(CallApplication.member_id).where(CallApplication.call_id == call.id)
    before = session.scalar(query.where(CallApplication.member_id.in_(ids)).limit(1))
    return next((each for each in own if each.id == before), own[0])


def _put(
    act: Act, call: Call, member: Member | None, account_id: UUID | None, name: str | None, body: CallApplicationIn
) -> tuple[CallApplication, bool]:
    row = (
        of_member(act.session, call, member)
        if member is not None
        else None
        if account_id is None
        else of_account(act.session, call, account_id)
    )
    _check_changeable(act, call, row)
    if member is not None:
        _check_takes(act, call, member)
        if row is not None and row.member_id not in (None, member.id):
            message = "Expected the ref under which the person has applied before: each person applies once."
            raise ConflictError("application-other-ref", message)
    said = answers.fitting(call, body) | {"name": None if member is not None else _name(name)}
    new = row is None or row.state == "withdrawn"
    if row is None:
        row = CallApplication(id=new_id(), network_id=act.network.id, call_id=call.id)
        act.session.add(row)
    row.member_id, row.account_id = (None, account_id) if member is None else (member.id, None)
    row.state, row.changed_at, row.applied_at = "applied", act.now, act.now if new else row.applied_at
    act.session.flush()
    text = act.session.get(CallApplicationText, row.id)
    if text is None:
        act.session.add(CallApplicationText(application_id=row.id, **said))
    else:
        for field, value in said.items():
            setattr(text, field, value)
    act.session.flush()
    events.append(act, "application.received" if new else "application.changed", about(row))
    return row, new


def _check_changeable(act: Act, call: Call, row: CallApplication | None) -> None:
    if calls.standing_of(call, act.now) != "open":
        raise ConflictError("call-not-open", NOT_OPEN)
    if row is not None and row.state not in ("applied", "withdrawn"):
        raise ConflictError("application-decided", DECIDED)


def _check_takes(act: Act, call: Call, member: Member) -> None:
    if call.protected_reason is not None and protected.is_protected(act.session, member.id, act.now):
        message = f"Expected a call that takes children and students; this one does not: {call.protected_reason}"
        raise ConflictError("application-protected", message)


def _name(name: str | None) -> str:
    if not name:
        raise InvalidError("application-name-missing", N_("Enter your name."), "/name")
    return name


def _there(row: CallApplication | None) -> CallApplication:
    if row is None:
        raise _unknown()
    return row


def _unknown() -> NotFoundError:
    message = "No application that you may see has this id; the list of the call's applications gives it."
    return NotFoundError("application-unknown", message)
