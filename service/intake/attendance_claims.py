"""Claims of attendance: what people say by the code of a session.

A claim that is accepted becomes evidence, a contribution of type `attended`, and nothing else: which awards follow is for
the published rules alone. It is the member's own word (tier 0) if it counts at once, and the word of who approved it
otherwise. A claim never says whose account a member is in: what a member has earned is claimed only by an address, a link
or a code that was made for them (`sharing`). So who says that they are somebody else gets nothing of theirs.

Everything here locks the account, if somebody claims, and then the network: two at once do it one after the other.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import Select, and_, delete, exists, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import Act, CallersAct
from service.accounts import accounts
from service.errors import ConflictError, InvalidError, NotFoundError
from service.evidence.bodies import Source
from service.evidence.contributions import ContributionIn
from service.intake import attendance_codes, posting
from service.intake.attendance_codes import Standing
from service.networks import members, protected
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks
from service.storage.database import WriteSession
from service.storage.paging import Window, page
from service.tables import (
    AccountAddress,
    AttendanceClaim,
    AttendanceCode,
    Contribution,
    Identity,
    Meeting,
    Member,
    Network,
    Person,
    Record,
)
from service.texts.display_names import one_line
from service.texts.languages import N_

SYSTEM: Final = "attendance-claim"
"""The source of the evidence that comes of claims; its id there is that of the claim."""
MAX_NAME: Final = 100
Outcome = Literal["waiting", "refused", "accepted", "held", "set-aside", "voided"]
"""What became of a claim, as its person sees it; three of them are about the evidence that came of it."""

NAME_MISSING: Final = N_("Enter the name by which the network knows you.")
NAME_TOO_LONG: Final = N_("A name can have up to 100 characters here.")
NOT_YOURS: Final = N_("Choose one of the members that are you.")


@dataclass(frozen=True)
class Invitation:
    """What a code invites somebody to: to say that they were in a session.

    `own` are the members of the network who are the account's, or have an address that it proved. `claim` is what the
    person said before.
    """

    code: AttendanceCode
    meeting: Meeting
    network: Network
    standing: Standing
    own: Sequence[Member]
    claim: AttendanceClaim | None

    @property
    def title(self) -> str:
        """The title of the session, "" if it has none or the session is confidential."""
        return "" if self.meeting.confidential else self.meeting.title or ""


@dataclass(frozen=True)
class OwnClaim:
    """A claim in the list of its person."""

    claim: AttendanceClaim
    meeting: Meeting
    network: Network
    outcome: Outcome


@dataclass(frozen=True)
class ClaimWithRef:
    """A claim in the list of the network, with the ref of its member."""

    row: AttendanceClaim
    member: str | None


def look(session: OrmSession, typed: str, account_id: UUID, now: datetime) -> Invitation:
    """Return what a code invites to.

    Raises:
        NotFoundError: there is no such code (code "attendance-code-unknown").
    """
    code = attendance_codes.find(session, typed)
    network = session.get_one(Network, code.network_id)
    mine = (AttendanceClaim.session_id == code.session_id, AttendanceClaim.account_id == account_id)
    return Invitation(
        code,
        session.get_one(Meeting, code.session_id),
        network,
        attendance_codes.standing_of(session, code, network, now),
        members_of(session, account_id, network.id),
        session.scalar(select(AttendanceClaim).where(*mine)),
    )


def claim(
    session: WriteSession,
    runtime: Runtime,
    typed: str,
    account_id: UUID,
    now: datetime,
    *,
    member_id: UUID | None = None,
    name: str = "",
) -> AttendanceClaim:
    """Say that the person of an account was in the session of a code; who has said so before gets the same claim.

    Args:
        member_id: of the members who are the person, the one as whom they were there; if there is one, it is that.
        name: who they are, if the network knows no member with an address of theirs.
    Raises:
        NotFoundError: there is no such code (code "attendance-code-unknown"), or the member is somebody else
            ("attendance-member-unknown").
        ConflictError: it cannot be used (code "attendance-early", "attendance-late", "attendance-full",
            "attendance-replaced", "attendance-closed" or "network-closed").
        InvalidError: the name is missing (code "attendance-name-missing") or too long ("attendance-name-long").
    """
    accounts.locked(session, account_id)
    found = attendance_codes.find(session, typed)
    locks.network(session, found.network_id)
    session.refresh(session.get_one(Network, found.network_id))
    if not locks.sessions(session, {found.session_id}):
        raise NotFoundError("attendance-code-unknown", attendance_codes.UNKNOWN)
    session.refresh(found)
    seen = look(session, typed, account_id, now)
    if seen.claim is not None:
        return seen.claim
    if seen.standing != "open":
        raise attendance_codes.refusal(seen.standing)
    member = _chosen(seen.own, member_id)
    row = AttendanceClaim(
        network_id=seen.network.id,
        session_id=seen.meeting.id,
        code_id=seen.code.id,
        account_id=account_id,
        member_id=None if member is None else member.id,
        name=_name(name) if member is None else "",
        state="waiting",
        claimed_at=now,
    )
    session.add(row)
    session.flush()
    act = Act(session, seen.network, None, now)
    known = None if member is None else _on_record(session, seen.meeting, member)
    if known is not None:
        _accepted(row, known, now)
    elif member is None or seen.code.approval or protected.is_protected(session, member.id, now):
        events.append(act, "attendance.waiting", _about(row))
    else:
        _accept(
            CallersAct(session, seen.network, callers.in_person(member, "evidence:write"), now), runtime, row, member
        )
    return row


def approve(act: CallersAct, runtime: Runtime, claim_id: UUID, ref: str | None) -> AttendanceClaim:
    """Confirm that somebody was in a session; one that was accepted before is returned as it is.

    Args:
        ref: whose attendance it is, if the claim names a member only by what the person calls themself.
    Raises:
        NotFoundError: there is no such claim (code "attendance-claim-unknown"), or no such member ("member-unknown").
        ForbiddenError: the caller is the person ("self-decision"), or a member who is neither facilitator nor assessor
            ("attendance-role").
        ConflictError: it was refused (code "attendance-decided"), the member is in another account
            ("attendance-other-account"), somebody else's claim for the member was accepted ("attendance-taken"), or the
            member was erased ("member-erased").
        InvalidError: it must be said whose attendance it is ("attendance-member-missing"), or another member is named than
            the one whose address was proved ("attendance-member-differs").
    """
    row = _to_decide(act, claim_id)
    if row.state == "accepted":
        return row
    if row.state == "refused":
        message = "Expected a claim that was not refused. Post the attendance as a contribution if it was."
        raise ConflictError("attendance-decided", message)
    member = _whose(act, row, ref)
    meeting = act.session.get_one(Meeting, row.session_id)
    known = _on_record(act.session, meeting, member)
    if known is not None:
        _accepted(row, known, act.now)
    else:
        _accept(act, runtime, row, member)
    row.member_id, row.decided_by = member.id, act.caller.token_id
    act.session.flush()
    return row


def refuse(act: CallersAct, claim_id: UUID, reason: str) -> AttendanceClaim:
    """Say that somebody was not in a session, and why; one that was refused before is returned as it is.

    Raises:
        NotFoundError, ForbiddenError: as `approve`.
        ConflictError: it was accepted (code "attendance-decided").
    """
    row = _to_decide(act, claim_id)
    if row.state == "accepted":
        message = "Expected a claim that was not accepted. Void its record if it was wrong."
        raise ConflictError("attendance-decided", message)
    if row.state == "waiting":
        row.state, row.reason, row.name = "refused", reason, ""
        row.decided_at, row.decided_by = act.now, act.caller.token_id
        act.session.flush()
        events.append(act, "attendance.refused", _about(row))
    return row


def list_claims(
    session: OrmSession, meeting: Meeting, window: Window, state: str | None
) -> tuple[Sequence[ClaimWithRef], str | None]:
    """Return the claims for a session, in the order in which they came."""
    query = select(AttendanceClaim).where(AttendanceClaim.session_id == meeting.id)
    if state is not None:
        query = query.where(AttendanceClaim.state == state)
    rows, cursor = page(session, query, window, AttendanceClaim.id)
    refs = members.refs(session, {row.member_id for row in rows if row.member_id is not None})
    return [ClaimWithRef(row, refs.get(row.member_id)) for row in rows], cursor


def with_ref(session: OrmSession, row: AttendanceClaim) -> ClaimWithRef:
    """Return a claim with the ref of its member."""
    member = None if row.member_id is None else session.get_one(Member, row.member_id)
    return ClaimWithRef(row, None if member is None else member.ref)


def own_claims(session: OrmSession, account_id: UUID) -> list[OwnClaim]:
    """Return what somebody claimed, the newest first."""
    query = (
        select(AttendanceClaim, Meeting, Network)
        .join(Meeting, Meeting.id == AttendanceClaim.session_id)
        .join(Network, Network.id == AttendanceClaim.network_id)
        .where(AttendanceClaim.account_id == account_id)
        .order_by(AttendanceClaim.claimed_at.desc(), AttendanceClaim.id.desc())
    )
    return [OwnClaim(*row, outcome_of(session, row[0])) for row in session.execute(query)]


def outcome_of(session: OrmSession, row: AttendanceClaim) -> Outcome:
    """Return what became of a claim: whether the evidence that came of it counts, too."""
    if row.state == "waiting":
        return "waiting"
    if row.state == "refused":
        return "refused"
    record = None if row.record_id is None else session.get_one(Record, row.record_id)
    if record is not None and record.status != "accepted":
        return "set-aside" if record.status == "quarantined" else "held"
    by_void = select(Record.id).where(Record.voids == row.record_id, Record.kind == "void")
    return "voided" if session.scalar(by_void) is not None else "accepted"


def members_of(session: OrmSession, account_id: UUID, network_id: UUID | None = None) -> Sequence[Member]:
    """Return the members who are the person of an account, or have an address that it proved and are in no account.

    Args:
        network_id: only those of this network.
    """
    proved = select(AccountAddress.value).where(AccountAddress.account_id == account_id)
    by_address = exists().where(Identity.person_id == Person.id, Identity.kind == "email", Identity.value.in_(proved))
    mine = or_(Person.account_id == account_id, and_(Person.account_id.is_(None), by_address))
    query = select(Member).join(Person, Person.id == Member.person_id).where(mine, Member.erased_at.is_(None))
    if network_id is not None:
        query = query.where(Member.network_id == network_id)
    return session.scalars(query.order_by(Member.ref, Member.id)).all()


def forget(session: WriteSession, member: Member) -> None:
    """Delete what is claimed for a member, and what the member's account claims in the network."""
    account = select(Person.account_id).where(Person.id == member.person_id).scalar_subquery()
    theirs = and_(AttendanceClaim.network_id == member.network_id, AttendanceClaim.account_id == account)
    session.execute(delete(AttendanceClaim).where(or_(AttendanceClaim.member_id == member.id, theirs)))


def _chosen(own: Sequence[Member], member_id: UUID | None) -> Member | None:
    if not own:
        return None
    if len(own) == 1 and member_id is None:
        return own[0]
    found = next((each for each in own if each.id == member_id), None)
    if found is None:
        raise NotFoundError("attendance-member-unknown", NOT_YOURS)
    return found


def _name(typed: str) -> str:
    clean = one_line(unicodedata.normalize("NFC", typed), 2 * MAX_NAME, gap=" ")
    if not clean:
        raise InvalidError("attendance-name-missing", NAME_MISSING, "/name")
    if len(clean) > MAX_NAME:
        raise InvalidError("attendance-name-long", NAME_TOO_LONG, "/name")
    return clean


def _to_decide(act: CallersAct, claim_id: UUID) -> AttendanceClaim:
    """Lock the network; return a claim of it, if the caller may decide on that."""
    callers.still_good(act.session, act.caller)
    locks.network(act.session, act.network.id)
    row = locks.one_or_none(
        act.session, AttendanceClaim, AttendanceClaim.id == claim_id, AttendanceClaim.network_id == act.network.id
    )
    if row is None:
        message = "No claim of attendance of this network has this id; the list of the session gives it."
        raise NotFoundError("attendance-claim-unknown", message)
    act.decides_on(row.member_id, *(each.id for each in members_of(act.session, row.account_id)))
    attendance_codes.by_who_attests(act)
    return row


def _whose(act: CallersAct, row: AttendanceClaim, ref: str | None) -> Member:
    """Return the member whose attendance a claim is, if it can be theirs."""
    if row.member_id is None and ref is None:
        message = (
            "Expected the ref of the member whose attendance it is: the claim gives only a name. Post them if needed."
        )
        raise InvalidError("attendance-member-missing", message, "/member")
    member = act.session.get_one(Member, row.member_id) if ref is None else members.held(act, ref)
    members.still_known(member, "" if ref is None else "/member")
    act.decides_on(member.id, pointer="/member")
    if row.member_id is not None and member.id != row.member_id:
        message = "Expected no member, or the one whose address the person proved."
        raise InvalidError("attendance-member-differs", message, "/member")
    person = None if member.person_id is None else act.session.get_one(Person, member.person_id)
    if person is not None and person.account_id not in (None, row.account_id):
        message = "Expected a claim from the account in which the member is; this one came from another."
        raise ConflictError("attendance-other-account", message, "" if ref is None else "/member")
    taken = select(AttendanceClaim.id).where(
        AttendanceClaim.session_id == row.session_id,
        AttendanceClaim.state == "accepted",
        AttendanceClaim.member_id.in_(_refs_of(member)),
    )
    if act.session.scalar(taken.limit(1)) is not None:
        message = "Expected a member for whom no claim was accepted in this session; somebody else's was."
        raise ConflictError("attendance-taken", message, "" if ref is None else "/member")
    return member


def _refs_of(member: Member) -> Select[UUID]:
    same = Member.person_id == member.person_id if member.person_id is not None else Member.id == member.id
    return select(Member.id).where(or_(Member.id == member.id, same))


def _on_record(session: OrmSession, meeting: Meeting, member: Member) -> UUID | None:
    """Return the evidence that a member, or the same person, attended a session."""
    query = select(Contribution.record_id).where(
        Contribution.session_id == meeting.id,
        Contribution.type == "attended",
        Contribution.member_id.in_(_refs_of(member)),
    )
    return session.scalar(query.order_by(Contribution.record_id).limit(1))


def _accept(act: CallersAct, runtime: Runtime, row: AttendanceClaim, member: Member) -> None:
    """Record that a member attended, as the word of the caller; the awards that follow are made at once."""
    meeting = act.session.get_one(Meeting, row.session_id)
    body = ContributionIn(
        member=member.ref,
        type="attended",
        session=meeting.ref,
        occurred_at=min(meeting.starts_at, row.claimed_at),
        source=Source(system=SYSTEM, id=str(row.id)),
    )
    made = posting.submit(act, runtime, "contribution", body)
    _accepted(row, made.record.id, act.now)
    act.session.flush()


def _accepted(row: AttendanceClaim, record_id: UUID, now: datetime) -> None:
    row.state, row.record_id, row.decided_at, row.name = "accepted", record_id, now, ""


def _about(row: AttendanceClaim) -> dict[str, str]:
    about = {"session": str(row.session_id)}
    return about if row.member_id is None else about | {"member": str(row.member_id)}
