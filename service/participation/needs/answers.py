"""Answers: what a member wants to learn and can offer in a cycle.

It is the member's own survey, once for each person. Who gave it last is noted beside it: a token of the member, the network
for them, their page, or a link. A member who is known under several refs has one answer, under the ref of the first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, ServiceError
from service.networks import members
from service.outbox import events
from service.participation.needs import cycles, own_topics
from service.participation.needs.shapes import (
    MAX_OWN,
    SLOTS,
    NeedsAnswerFields,
    NeedsAnswerOf,
    NeedsOffer,
    NeedsWish,
    Via,
)
from service.storage import locks
from service.storage.paging import Window, page
from service.tables import Member, NeedsAnswer, NeedsCycle, NeedsLink, Network
from service.texts.languages import N_

WAITING: Final = N_("Say what you want to learn and what you can offer.")
_FIELDS: Final = TypeAdapter(NeedsAnswerFields)
ChosenT = TypeVar("ChosenT", NeedsWish, NeedsOffer)


@dataclass(frozen=True)
class AnswerWithRef:
    """An answer with the ref of its member and of its cycle."""

    row: NeedsAnswer
    member: str
    cycle: str


def give(act: CallersAct, ref: str, member_ref: str, body: NeedsAnswerFields) -> tuple[AnswerWithRef, bool]:
    """Answer as a member, or for one; return the answer and whether the person had none before.

    Raises:
        NotFoundError: the network has no such cycle (code "needs-cycle-unknown") or member ("member-unknown").
        ForbiddenError: the token is bound to somebody else (code "needs-answer-others").
        ConflictError: the cycle has not opened (code "needs-early") or is closed ("needs-over"), or the member was erased
            ("member-erased").
        InvalidError: nothing is chosen (code "needs-answer-empty"), a topic is unknown ("needs-topic-unknown"), twice
            there ("needs-topic-twice"), or in the person's own words where the cycle takes none ("needs-own-topic"), or
            too many ("needs-own-topics-many").
    """
    cycle, member = _entered(act, ref, member_ref)
    row, new = record(act, cycle, member, body, "network" if act.caller.member_id is None else "member")
    return with_ref(act.session, row, cycle), new


def give_many(act: CallersAct, ref: str, bodies: Sequence[NeedsAnswerOf]) -> list[AnswerWithRef]:
    """Answer for several members: all answers are taken, or none.

    Raises:
        InvalidError: a member is there twice (code "needs-member-twice"); otherwise as `give`, with a pointer to the answer.
        NotFoundError, ForbiddenError, ConflictError: as `give`.
    """
    given, seen = [], set()
    for place, body in enumerate(bodies):
        try:
            cycle, member = _entered(act, ref, body.member)
            oneself = _key(member)
            if oneself in seen:
                raise InvalidError(
                    "needs-member-twice", "Expected each person once, under one of their refs.", "/member"
                )
            seen.add(oneself)
            row, _ = record(act, cycle, member, body, "network" if act.caller.member_id is None else "member")
        except ServiceError as error:
            if error.code != "needs-cycle-unknown":
                error.pointer = f"/answers/{place}{error.pointer or ''}"
            raise
        given.append(with_ref(act.session, row, cycle))
    return given


def record(
    act: CallersAct, cycle: NeedsCycle, member: Member, body: NeedsAnswerFields, via: Via
) -> tuple[NeedsAnswer, bool]:
    """Keep what a member answers in place of what they answered before; return it and whether they had not.

    That the caller may answer for the member is decided before, and the network is locked.

    Raises:
        ConflictError, InvalidError: as `give`.
    """
    members.still_known(member)
    state = cycles.state_of(cycle, act.now)
    if state == "planned":
        raise ConflictError("needs-early", "Expected a cycle that has opened; this one has not yet.")
    if state == "closed":
        raise ConflictError("needs-over", "Expected a cycle that is open; this one is closed, and takes no answers.")
    said = _said(cycle, body)
    before = _rows(act.session, cycle.id, member)
    row = before[0] if before else None
    if before[1:]:  # of two members who turned out to be one person
        act.session.execute(delete(NeedsAnswer).where(NeedsAnswer.id.in_([each.id for each in before[1:]])))
    same = row is not None and row.said == said and row.share_offer == body.share_offer
    if row is not None and same and (row.via != "network" or via == "network"):
        return row, False  # what the network said becomes the member's own word once they say the same
    if row is None:
        row = NeedsAnswer(network_id=cycle.network_id, cycle_id=cycle.id, member_id=member.id, answered_at=act.now)
        act.session.add(row)
    row.said, row.share_offer, row.via, row.changed_at = said, body.share_offer, via, act.now
    row.token_id, row.actor_member_id = act.caller.token_id, act.caller.member_id
    act.session.flush()
    events.append(act, "needs.answered", _about(row))
    return row, not before


def withdraw(act: CallersAct, ref: str, member_ref: str) -> None:
    """Delete what a person answered in a cycle, also when it is closed.

    Raises:
        NotFoundError: as `give`, or there is no answer (code "needs-answer-unknown").
        ForbiddenError: as `give`.
    """
    cycle, member = _entered(act, ref, member_ref)
    remove(act, cycle, member)


def remove(act: CallersAct, cycle: NeedsCycle, member: Member) -> None:
    """Delete what a person answered; the network is locked.

    Raises:
        NotFoundError: there is no answer (code "needs-answer-unknown").
    """
    rows = _rows(act.session, cycle.id, member)
    if not rows:
        raise _unknown()
    for row in rows:
        events.append(act, "needs.withdrawn", _about(row))
    act.session.execute(delete(NeedsAnswer).where(NeedsAnswer.id.in_([row.id for row in rows])))
    act.session.flush()


def list_answers(
    session: OrmSession, caller: Caller, cycle: NeedsCycle, window: Window, now: datetime
) -> tuple[list[AnswerWithRef], str | None]:
    """Return the answers in a cycle in the order in which they came; to a member only their own."""
    query = select(NeedsAnswer).where(NeedsAnswer.cycle_id == cycle.id)
    if caller.member_id is not None and not cycles.is_for_network(session, caller, now):
        query = query.where(NeedsAnswer.member_id.in_(_refs_of(session.get_one(Member, caller.member_id))))
    rows, cursor = page(session, query, window, NeedsAnswer.id)
    refs = members.refs(session, {row.member_id for row in rows})
    return [AnswerWithRef(row, refs[row.member_id], cycle.ref) for row in rows], cursor


def get_answer(
    session: OrmSession, caller: Caller, network: Network, cycle: NeedsCycle, member_ref: str, now: datetime
) -> AnswerWithRef:
    """Return what a person answered in a cycle.

    Raises:
        NotFoundError: there is no such member (code "member-unknown"), or no answer, or it is not the caller's to see
            ("needs-answer-unknown").
    """
    member = members.get_member(session, network, member_ref)
    if not may_see(session, caller, member, now):
        raise _unknown()
    row = own(session, cycle, member)
    if row is None:
        raise _unknown()
    return with_ref(session, row, cycle)


def may_see(session: OrmSession, caller: Caller, member: Member, now: datetime) -> bool:
    """Return whether the caller sees what a member answers: the person, and who acts for the network."""
    return is_oneself(session, caller, member) or cycles.is_for_network(session, caller, now)


def own(session: OrmSession, cycle: NeedsCycle, member: Member) -> NeedsAnswer | None:
    """Return what a person answered in a cycle, under whichever ref; of several the newest."""
    return next(iter(_rows(session, cycle.id, member)), None)


def with_ref(session: OrmSession, row: NeedsAnswer, cycle: NeedsCycle) -> AnswerWithRef:
    """Return an answer with the refs that its readers know."""
    return AnswerWithRef(row, session.get_one(Member, row.member_id).ref, cycle.ref)


def member_of(session: OrmSession, row: NeedsAnswer) -> Member:
    """Return the member under whose ref an answer stands."""
    return session.get_one(Member, row.member_id)


def fields_of(row: NeedsAnswer) -> NeedsAnswerFields:
    """Return an answer in the shape in which it is sent."""
    return _FIELDS.validate_python(row.said | {"share_offer": row.share_offer})


def waits(session: OrmSession, network: Network, member: Member, now: datetime) -> str | None:
    """Return what a member has still to answer, as a sentence to translate; None if nothing."""
    if network.state == "closed" or member.erased_at is not None:
        return None
    answered = select(NeedsAnswer.cycle_id).where(NeedsAnswer.member_id.in_(_refs_of(member)))
    left = select(NeedsCycle.id).where(NeedsCycle.network_id == network.id, NeedsCycle.id.not_in(answered))
    found = session.scalar(left.where(NeedsCycle.opens_at <= now, NeedsCycle.closes_at > now).limit(1))
    return None if found is None else WAITING


def erase(act: Act, member_id: UUID) -> None:
    """Delete what a member who is erased has answered, and the links by which they could."""
    for table in (NeedsAnswer, NeedsLink):
        act.session.execute(delete(table).where(table.member_id == member_id))


def is_oneself(session: OrmSession, caller: Caller, member: Member) -> bool:
    """Return whether the caller is a member, under whichever ref."""
    if caller.member_id is None:
        return False
    return session.scalar(_refs_of(member).where(Member.id == caller.member_id)) is not None


def of_person(member: Member) -> ColumnElement[bool]:
    """Return the condition that a row is about the person of a member, under whichever ref."""
    return NeedsAnswer.member_id.in_(_refs_of(member))


def _refs_of(member: Member) -> Select[UUID]:
    same = Member.id == member.id
    if member.person_id is not None:
        same = or_(same, Member.person_id == member.person_id)
    return select(Member.id).where(same, Member.network_id == member.network_id)


def _key(member: Member) -> UUID:
    return member.person_id or member.id


def _rows(session: OrmSession, cycle_id: UUID, member: Member) -> Sequence[NeedsAnswer]:
    query = select(NeedsAnswer).where(NeedsAnswer.cycle_id == cycle_id, of_person(member))
    return session.scalars(query.order_by(NeedsAnswer.changed_at.desc(), NeedsAnswer.id.desc())).all()


def _entered(act: CallersAct, ref: str, member_ref: str) -> tuple[NeedsCycle, Member]:
    """Lock token and network; return the cycle and the member for whom the caller may answer."""
    callers.still_good(act.session, act.caller)
    locks.network(act.session, act.network.id)
    cycle = cycles.get_cycle(act.session, act.network, ref)
    member = members.get_member(act.session, act.network, member_ref)
    if act.caller.member_id is not None and not is_oneself(act.session, act.caller, member):
        message = "Expected your own ref, or a token that is bound to no member: it is each member's own survey."
        raise ForbiddenError("needs-answer-others", message)
    return cycle, member


def _said(cycle: NeedsCycle, body: NeedsAnswerFields) -> dict[str, Any]:
    if not body.learn and not body.offer:
        message = "Expected something to learn or to offer. To take an answer back, delete it."
        raise InvalidError("needs-answer-empty", message)
    said = body.model_dump(exclude={"share_offer", "member"}, exclude_none=True)
    parts = {"learn": list(_judged(cycle, body.learn, "learn")), "offer": list(_judged(cycle, body.offer, "offer"))}
    own = {own_topics.key_of(each["own"]) for part in parts.values() for each in part if "own" in each}
    if len(own) > MAX_OWN:
        raise InvalidError("needs-own-topics-many", f"Expected at most {MAX_OWN} topics in one's own words.")
    return said | parts | {"times": [slot for slot in SLOTS if slot in body.times]}


def _judged(cycle: NeedsCycle, chosen: Sequence[ChosenT], part: str) -> Iterator[dict[str, Any]]:
    """Yield what is chosen, with a topic of the cycle in place of the same in somebody's own words."""
    codes = {topic.code for topic in cycles.topics_of(cycle)}
    by_key = {own_topics.key_of(topic.label): topic.code for topic in cycles.topics_of(cycle)}
    seen: set[str] = set()
    for place, each in enumerate(chosen):
        said, pointer = each.model_dump(exclude_none=True), f"/{part}/{place}"
        if each.own is not None:
            words = own_topics.cleaned(each.own)
            known = by_key.get(own_topics.key_of(words))
            if known is not None:
                del said["own"]
                said["topic"] = known
            elif not cycle.said.get("free_topics"):
                message = "Expected a topic of the cycle: this one takes none in one's own words."
                raise InvalidError("needs-own-topic", message, f"{pointer}/own")
            elif not words:
                raise InvalidError("needs-own-topic-empty", "Expected a topic that can be read.", f"{pointer}/own")
            else:
                said["own"] = words
        elif each.topic not in codes:
            message = f"Expected a topic of the cycle: {', '.join(sorted(codes)) or 'it has none'}."
            raise InvalidError("needs-topic-unknown", message, f"{pointer}/topic")
        key = f"topic {said['topic']}" if "topic" in said else f"own {own_topics.key_of(said['own'])}"
        if key in seen:
            raise InvalidError("needs-topic-twice", "Expected each topic once.", pointer)
        seen.add(key)
        yield said


def _about(row: NeedsAnswer) -> dict[str, str]:
    return {"needs_cycle": str(row.cycle_id), "member": str(row.member_id)}


def _unknown() -> NotFoundError:
    return NotFoundError("needs-answer-unknown", "There is no answer of this member in this cycle.")
