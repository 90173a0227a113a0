"""Give, change and withdraw endorsements, and choose which of them a badge shows.

1. A member gives one for each skill of a badge, never for a badge of their own. Nobody but the recipient sees it until
   they show it, and until then nothing is signed.
2. One that the network posts with the name of a member waits until that member agrees to be named.
3. What a peer changes is a new statement: the recipient decides about it again. If the one before was shown, it is
   withdrawn, so that nobody holds two that differ.
4. What is withdrawn vanishes from the page at once, is revoked, and the badge is signed again without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from service.access.act import Act
from service.access.callers import in_person, require_other
from service.errors import ConflictError, ErasedError, ForbiddenError, InvalidError, NotFoundError
from service.issuing import anew, endorsements, own, reissuing, status_lists
from service.issuing.endorsements import MOST_EMBEDDED, SHOWN, Choice
from service.networks import protected
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Award, Credential, Endorsement, Member, Person, StatusList
from service.texts.display_names import one_line

MAX_COMMENT: Final = 500
MOST_FOR_A_SKILL: Final = 50
MOST_FOR_A_BADGE: Final = 100


@dataclass(frozen=True)
class Wanted:
    """What a peer says of a badge.

    Args:
        skill: its place, as in `endorsements.skills`.
        named: they are to be named.
        by_peer: they say so themself; otherwise the network does for them.
        account_id: the account with which they do; None with a token.
    """

    skill: int
    comment: str
    named: bool
    by_peer: bool
    account_id: UUID | None = None


def give(act: Act, runtime: Runtime, credential_id: str, peer: Member, wanted: Wanted) -> Endorsement:
    """Endorse a skill of a badge as a member; return the endorsement.

    The same words again change nothing; other words replace those before.

    Raises:
        NotFoundError: the badge is not of this network (code "credential-unknown").
        ForbiddenError: it is the caller's own (code "self-decision"), or the peer's (code "endorsement-oneself").
        ErasedError: the peer was erased (code "member-erased").
        ConflictError: the badge is private (code "endorsement-private") or not in force ("endorsement-ended"), the peer
            is a child or a student and is to be named ("name-protected"), they wrote theirs in person and the network
            says something else for them ("endorsement-in-person"), or there are too many ("endorsements-full").
        InvalidError: the badge has no such skill ("skill-unknown"), or the comment is too long ("comment-too-long").
        CustodyError: what it replaces cannot be withdrawn; nothing has changed.
    """
    row, award = _lock(act, credential_id, peer)
    act.decides_on(award.member_id)
    if peer.erased_at is not None:
        raise ErasedError("/member")
    if _is_one(act, peer, award):
        message = "Expected somebody else's badge: nobody endorses themself, under any ref."
        raise ForbiddenError("endorsement-oneself", message, "/member")
    _check_open(act, row)
    if wanted.skill not in {each.place for each in endorsements.skills(row)}:
        raise InvalidError("skill-unknown", "Expected a skill of this badge's achievement, got another.", "/skill")
    comment = clean_comment(wanted.comment)
    _check_name(act, peer, named=wanted.named)
    mine = _of_peer(act, row, peer, wanted.skill)
    if mine is not None:
        if (
            mine.consented_at is not None
            and not wanted.by_peer
            and (mine.comment, mine.named) != (comment, wanted.named)
        ):
            message = "Expected no change: the member wrote this endorsement in person, and only they change it."
            raise ConflictError("endorsement-in-person", message)
        if (mine.comment, mine.named) == (comment, wanted.named):
            if wanted.by_peer:
                mine.consented_at, mine.account_id = mine.consented_at or act.now, wanted.account_id
            act.session.flush()
            return mine
        if mine.status_index is None:
            mine.comment, mine.named, mine.given_at = comment, wanted.named, act.now
            mine.consented_at, mine.account_id = (act.now if wanted.by_peer else None), wanted.account_id
            act.session.flush()
            return mine
        withdraw(act, runtime, mine)
    _check_room(act, row, wanted.skill)
    made = Endorsement(
        network_id=act.network.id,
        credential_id=row.id,
        member_id=peer.id,
        skill=wanted.skill,
        comment=comment,
        named=wanted.named,
        consented_at=act.now if wanted.by_peer else None,
        account_id=wanted.account_id,
        given_at=act.now,
    )
    act.session.add(made)
    act.session.flush()
    return made


def agree(act: Act, endorsement: Endorsement, account_id: UUID, *, named: bool) -> None:
    """Have a peer agree to what the network posted for them, with their name or without; they are known to be the peer.

    Raises:
        NotFoundError: it was withdrawn (code "endorsement-unknown").
        ConflictError: they are a child or a student and would be named (code "name-protected").
    """
    _lock_of(act, endorsement)
    _check_name(act, act.session.get_one(Member, endorsement.member_id), named=named)
    endorsement.named, endorsement.consented_at, endorsement.account_id = named, act.now, account_id
    act.session.flush()


def withdraw(act: Act, runtime: Runtime, endorsement: Endorsement) -> None:
    """Withdraw an endorsement for good; nothing of what it said stays in a row.

    The badge is signed again without it, if it was in there, whatever the badge's own state is.

    Raises:
        NotFoundError: it was withdrawn before (code "endorsement-unknown").
        CustodyError: it cannot be revoked, or the badge not be signed; nothing has changed.
    """
    row, award = _lock_of(act, endorsement)
    was_in = endorsement.choice == "badge"
    endorsement.withdrawn_at, endorsement.comment, endorsement.choice = act.now, "", "hidden"
    act.session.flush()
    if was_in:
        anew.store(act, runtime, award, row, reissuing.unsigned_document(row))
    if endorsement.status_list_id is not None:
        status_lists.publish(act, runtime, act.session.get_one(StatusList, endorsement.status_list_id))


def choose(act: Act, runtime: Runtime, credential_id: str, wanted: Mapping[str, Choice]) -> Credential:
    """Set which endorsements a badge shows and which it holds, and return it.

    It is signed again if that changes what it holds. That the caller is its recipient is checked before.

    Args:
        wanted: by the id of each endorsement that changes.
    Raises:
        NotFoundError: it is not of this network (code "credential-unknown"), or an endorsement is not of this badge, or
            was withdrawn since (code "endorsement-unknown").
        InvalidError: the badge would hold too many (code "endorsements-too-many-in-badge").
        ConflictError: as `check_signable`.
        CustodyError: it cannot be signed; nothing has changed.
    """
    row, award = own.lock(act, credential_id)
    anew.check_signable(act, row)
    known = {each.id: each for each in endorsements.standing(act.session, row)}
    before = {each.id for each in known.values() if each.choice == "badge"}
    for endorsement_id in wanted:
        if endorsement_id not in known:
            raise _unknown()
    for endorsement_id, choice in wanted.items():
        known[endorsement_id].choice = choice
    within = {each.id for each in known.values() if each.choice == "badge"}
    if len(within) > MOST_EMBEDDED:
        message = f"Expected at most {MOST_EMBEDDED} endorsements in the badge, got more."
        raise InvalidError("endorsements-too-many-in-badge", message)
    act.session.flush()
    if within != before:
        anew.store(act, runtime, award, row, reissuing.unsigned_document(row))
    _give_places(act, runtime, [each for each in known.values() if each.choice in SHOWN and each.status_index is None])
    act.session.flush()
    return row


def clean_comment(text: str) -> str:
    """Return a comment as it is kept: on one line, without what cannot be seen.

    Raises:
        InvalidError: it is too long (code "comment-too-long").
    """
    if len(text) > MAX_COMMENT:
        message = f"Expected a comment of at most {MAX_COMMENT} characters, got {len(text)}."
        raise InvalidError("comment-too-long", message, "/comment")
    return one_line(text, limit=MAX_COMMENT, gap=" ")


def is_in_force(row: Credential, now: datetime) -> bool:
    """Return whether a badge can be endorsed: it was neither revoked nor suspended, and has not expired."""
    lasting = row.valid_until is None or row.valid_until > now
    return row.revoked_at is None and row.suspended_at is None and lasting


def _lock(act: Act, credential_id: str, peer: Member) -> tuple[Credential, Award]:
    """Lock both members, the award and the badge, in this order."""
    row = act.session.get(Credential, credential_id)
    if row is not None and row.network_id == act.network.id:
        locks.members(act.session, [act.session.get_one(Award, row.award_id).member_id, peer.id])
        act.session.refresh(peer)
    return own.lock(act, credential_id)


def _lock_of(act: Act, endorsement: Endorsement) -> tuple[Credential, Award]:
    row, award = own.lock(act, endorsement.credential_id)
    locks.again(act.session, endorsement)
    if endorsement.withdrawn_at is not None:
        raise _unknown()
    return row, award


def _unknown() -> NotFoundError:
    return NotFoundError("endorsement-unknown", "No endorsement of this badge that stands has this id.")


def _is_one(act: Act, peer: Member, award: Award) -> bool:
    """Return whether the peer is the recipient, by whatever the network and accounts know of both."""
    try:
        require_other(act.session, in_person(peer), [award.member_id])
    except ForbiddenError:
        return True
    return False


def _check_open(act: Act, row: Credential) -> None:
    if row.visibility == "private":
        message = "Expected a badge that others can see; its recipient keeps this one private."
        raise ConflictError("endorsement-private", message)
    if not is_in_force(row, act.now):
        message = "Expected a badge in force: one that was revoked or suspended, or has expired, takes no endorsement."
        raise ConflictError("endorsement-ended", message)


def _check_name(act: Act, peer: Member, *, named: bool) -> None:
    if named and protected.is_protected(act.session, peer.id, act.now):
        message = "Expected an endorsement without a name: children and students are never named."
        raise ConflictError("name-protected", message)


def _of_peer(act: Act, row: Credential, peer: Member, skill: int) -> Endorsement | None:
    """Return what a peer said of a skill before, as any of the members who are that person."""
    other, person = aliased(Member), aliased(Person)
    mine = select(Person.account_id).where(Person.id == peer.person_id, Person.account_id.is_not(None))
    query = select(Endorsement).join(other, other.id == Endorsement.member_id)
    query = query.outerjoin(person, person.id == other.person_id).where(
        Endorsement.credential_id == row.id, Endorsement.skill == skill, Endorsement.withdrawn_at.is_(None)
    )
    same = or_(
        other.id == peer.id,
        and_(other.person_id.is_not(None), other.person_id == peer.person_id),
        person.account_id.in_(mine),
    )
    return act.session.scalars(query.where(same).order_by(Endorsement.given_at.desc(), Endorsement.id)).first()


def _check_room(act: Act, row: Credential, skill: int) -> None:
    of_badge = select(Endorsement.skill).where(Endorsement.credential_id == row.id, Endorsement.withdrawn_at.is_(None))
    held = act.session.scalars(of_badge).all()
    if len(held) >= MOST_FOR_A_BADGE or sum(each == skill for each in held) >= MOST_FOR_A_SKILL:
        message = (
            f"Expected a badge with fewer than {MOST_FOR_A_BADGE} endorsements, and {MOST_FOR_A_SKILL} for a skill; "
            "this one takes no more."
        )
        raise ConflictError("endorsements-full", message)


def _give_places(act: Act, runtime: Runtime, rows: Sequence[Endorsement]) -> None:
    """Give endorsements a place in the network's status list, each a place of its own."""
    if not rows:
        return
    status_list = locks.status_list(act.session, StatusList, status_lists.open_list(act, runtime).id)
    for row, index in zip(rows, status_lists.draw(act.session, status_list, len(rows)), strict=True):
        row.status_list_id, row.status_index = status_list.id, index
