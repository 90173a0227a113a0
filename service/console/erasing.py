"""Erase what a network holds of a person, and say what stays and why.

Everything happens in one transaction. What is signed stays signed, and what others have earned stays right: of the
person remain ids, dates, numbers and digests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from service.access import tokens
from service.access.act import Act
from service.appeals import erasing as cases_erasing
from service.awards import erasing as awards_erasing
from service.awards import reviews
from service.criteria import rejudging
from service.errors import ForbiddenError
from service.evidence import erasing as evidence_erasing
from service.files import blobs
from service.intake import attendance_claims
from service.intake import members as intake_members
from service.issuing import erasing as issuing_erasing
from service.networks import erasing as networks_erasing
from service.networks import members, same_person
from service.notifications import deliveries, mail
from service.outbox import mailbox
from service.participation.calls import erasing as calls_erasing
from service.participation.goals import erasing as goals_erasing
from service.participation.joining import join_requests
from service.participation.needs import answers as needs_answers
from service.runtime.runtime import Runtime
from service.sharing import claims, returned
from service.sharing import erasing as sharing_erasing
from service.storage import locks
from service.tables import Award, Contribution, Credential, Evaluation, Member, Network, Record
from service.web import idempotency


@dataclass(frozen=True)
class Inventory:
    """What is there of a member to be erased; a ref that is an e-mail address is among the addresses."""

    addresses: Sequence[str]
    records: frozenset[UUID]
    texts: Sequence[UUID]
    files: frozenset[str]
    mails: Sequence[UUID]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Staying:
    """Something that stays of an erased member, how much of it, and why."""

    what: str
    why: str
    count: int | None = None


@dataclass(frozen=True)
class Erasure:
    """What is erased of a member, or would be, and what stays; `counts` says how much, by its kind."""

    member: Member
    counts: Mapping[str, int]
    stays: Sequence[Staying]


def look(session: OrmSession, network: Network, ref: str, now: datetime) -> Erasure:
    """Return what would be erased of a member, or what was.

    Raises:
        NotFoundError: the network has no such member (code "member-unknown").
    """
    member = members.get_member(session, network, ref)
    counts = member.erasure if member.erased_at is not None else _found(session, network, member, now).counts
    return Erasure(member, counts or {}, _staying(session, member))


def erase(act: Act, runtime: Runtime, ref: str) -> Erasure:
    """Erase what the network holds of a member; return what that was and what stays.

    Who was erased before stays so, and the answer is the same. An act without caller is the operator's.

    Raises:
        NotFoundError: the network has no such member (code "member-unknown").
        ForbiddenError: the token is bound to another member (code "member-not-own").
        CustodyError: a credential that bears the name cannot be signed without it; nothing has changed.
    """
    member = members.held(act, ref)
    _check_own(act, member)
    if member.erased_at is not None:
        return Erasure(member, member.erasure or {}, _staying(act.session, member))
    _lock(act, [member])
    return _erase(act, runtime, member)


def erase_with_badges(act: Act, runtime: Runtime, person: Sequence[Member]) -> int:
    """Erase what the network holds of members who are one person, and take their badges back; return how many.

    The person wants that (`console.own_data`). The caller holds the network's lock.

    Raises:
        CustodyError: a text or a status list cannot be signed; nothing has changed.
    """
    _lock(act, person)
    for member in person:
        _erase(act, runtime, member)
    return awards_erasing.take_back(act, runtime, [member.id for member in person])


def _lock(act: Act, person: Sequence[Member]) -> None:
    """Lock members who are to be erased, after all records about them."""
    records = {each for member in person for each in _found(act.session, act.network, member, act.now).records}
    for part in evidence_erasing.parts(sorted(records)):
        locks.records(act.session, Record.id.in_(part))
    endorsed = {each for member in person for each in issuing_erasing.endorsed_by(act.session, member.id)}
    others = {each for member in person for each in cases_erasing.others_in_cases_of(act.session, member.id)}
    locks.members(act.session, {member.id for member in person} | endorsed | others)


def _erase(act: Act, runtime: Runtime, member: Member) -> Erasure:
    """Erase what the network holds of a locked member.

    1. What waits for the member, or for people to decide about the member, ends.
    2. The member's tokens are worth nothing any more.
    3. Mails that the end of cases would send to the member are not sent.
    """
    rejudging.clear(act.session, [member.id])
    found = _found(act.session, act.network, member, act.now)  # nobody adds to it any more
    intake_members.end_roles(act, member)
    cases_erasing.leave(act, member.id)  # (1)
    awards_erasing.end_waiting(act, member.id)
    cases_erasing.erase_texts(act, found.texts)
    awards_erasing.erase_reasons(act, member.id)
    issuing_erasing.erase_reasons(act, member.id)
    issuing_erasing.erase_endorsements(act, runtime, member.id)
    issuing_erasing.erase_names(act, runtime, member.id)
    sharing_erasing.erase(act, member.id)
    evidence_erasing.erase_bodies(act, found.records)
    evidence_erasing.erase_addresses(act, found.addresses)
    blobs.remove(act, found.files)
    tokens.revoke_bound(act.session, member.id, act.now)  # (2)
    mailbox.forget(act.session, mailbox.mails_of(act.session, member.id, found.addresses))  # (3)
    needs_answers.erase(act, member.id)
    claims.forget(act.session, member.id)
    attendance_claims.forget(act.session, member)
    join_requests.forget(act.session, member)
    goals_erasing.erase(act, member.id)
    calls_erasing.erase(act, member.id)
    deliveries.forget_answers_about(act.session, member.id)
    idempotency.forget_answers(act.session, act.network.id, found.addresses)
    returned.forget(act.session, member.id)
    networks_erasing.erase(act, member, found.counts)
    mail.forget_mails_to(runtime.settings, found.addresses)
    return Erasure(member, found.counts, _staying(act.session, member))


def _check_own(act: Act, member: Member) -> None:
    """Let a token that is bound to a member pass if that member is the person."""
    caller = act.caller.member_id if act.caller is not None else None
    if caller is not None:
        who = reviews.who_is(act.session, [caller, member.id])
        if who[caller] != who[member.id]:
            message = "Expected the member to whom this token is bound: with it, nobody else is erased."
            raise ForbiddenError("member-not-own", message)


def _found(session: OrmSession, network: Network, member: Member, now: datetime) -> Inventory:
    addresses = networks_erasing.addresses_of(session, member)
    named = [*addresses, *([member.ref] if networks_erasing.is_address(member.ref) else [])]
    records = evidence_erasing.bodies_of(session, network, member, named)
    texts = cases_erasing.texts_of(session, member.id)
    files = evidence_erasing.files_of(session, network, records)
    mails = mailbox.mails_of(session, member.id, addresses)
    reasons = awards_erasing.reasons_of(session, member.id) + issuing_erasing.reasons_of(session, member.id)
    counts = {
        "names": int(member.name is not None) + len(issuing_erasing.named_of(session, member.id)),
        "addresses": len(addresses),
        "record_bodies": len(records),
        "case_texts": len(texts),
        "reasons": reasons,
        "endorsements": len(issuing_erasing.endorsements_of(session, member.id)),
        "goals": goals_erasing.goals_of(session, member.id),
        "applications": calls_erasing.applications_of(session, member.id),
        "files": len(files),
        "mails": len(mails),
        "tokens": len(tokens.bound_to(session, member.id, now)),
        "open_cases": len(cases_erasing.open_cases_of(session, member.id)),
        "pending_awards": len(awards_erasing.waiting_of(session, member.id)),
    }
    return Inventory(named, frozenset(records), texts, frozenset(files), mails, counts)


def _staying(session: OrmSession, member: Member) -> list[Staying]:
    """Return what stays, with the reasons that a person who asks is given."""
    mine = select(func.count()).select_from(Award).where(Award.member_id == member.id)
    signed = select(func.count()).select_from(Credential).join(Award, Award.id == Credential.award_id)
    credentials = session.scalar(signed.where(Award.member_id == member.id)) or 0
    shared = same_person.sharing(session, [member]).get(member.id, [])
    counted = sum(
        session.scalar(select(func.count()).where(table.member_id == member.id)) or 0
        for table in (Contribution, Evaluation)
    )
    stays = [
        Staying("ref", "it is the network's own; nothing new is kept under it"),
        Staying("records", "their dates and seals, without what they say: decisions rest on them", counted),
        Staying("numbers", "kinds, dates, numbers and ids of evidence: what others have earned rests on them too"),
        Staying("roles", "their dates, and the organization: who decided what, and in which role, stays answerable"),
        Staying("awards", "that they were decided, without the reasons", session.scalar(mine) or 0),
        Staying(
            "credentials",
            "the person holds them, and anyone can verify them: in them stand no name, and the address as a salted "
            "digest; a DID stands in them as it is; copies that were given out before keep what they say",
            credentials,
        ),
        Staying("receipts", "they name nobody: whom they are about stands in them as a salted digest"),
        Staying("events", "they hold identifiers only"),
    ]
    if shared:
        listed = ", ".join(shared)
        stays.append(Staying("addresses", f"they are also those of {listed}, who is the same person: erase these too"))
    return stays
