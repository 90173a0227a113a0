"""Endorse a badge as somebody who is signed in, and choose what one's own show.

Who may endorse a badge is a member of its network, as the account's person there. What belongs to others looks as if it
did not exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import Act, CallersAct
from service.accounts import accounts
from service.errors import ForbiddenError, NotFoundError, TooManyRequestsError
from service.issuing import endorsements, endorsing
from service.issuing.endorsements import SHOWN, Choice, Skill
from service.issuing.endorsing import Wanted
from service.networks import protected
from service.runtime.runtime import Runtime
from service.sharing import my_badges
from service.sharing.my_badges import OwnBadge
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Account, Award, Credential, Endorsement, Member, Network, Person
from service.texts.languages import N_

MOST_GIVEN: Final = 30
COUNTED_FOR: Final = timedelta(days=1)
MOST_LISTED: Final = 200
NOT_A_MEMBER = N_(
    "Only members of this network can endorse its badges. Sign in with the address that the network has for you."
)
TOO_OFTEN = N_("You have endorsed many badges today. Try again in %(minutes)s min.")
OF_PEERS: Final = "evidence:write"


@dataclass(frozen=True)
class Endorsable:
    """A badge as a peer sees it before they endorse it.

    `given` is what they said so far, by the place of the skill. `named_as` is the name that would be shown; None if they
    have none, or are a child or a student (`protected`).
    """

    badge: OwnBadge
    skills: Sequence[Skill]
    given: Mapping[int, Endorsement]
    protected: bool
    named_as: str | None


@dataclass(frozen=True)
class Given:
    """An endorsement that somebody gave, or that a network posted for them; `waits`: they must agree to be named."""

    row: Endorsement
    badge: str
    network: Network
    skill: str
    url: str | None
    waits: bool
    protected: bool


@dataclass(frozen=True)
class Received:
    """An endorsement of one's badge; `name` is that of the peer, as far as they consent."""

    row: Endorsement
    skill: str
    name: str | None


def open_to(session: OrmSession, account_id: UUID, credential_id: str, now: datetime) -> Endorsable:
    """Return a badge that somebody may endorse, with what they said of it.

    Raises:
        NotFoundError: there is no badge that others see (code "credential-unknown").
        ForbiddenError: they are no member of its network (code "endorser-not-member"), or it is their own
            (code "endorsement-oneself").
    """
    row = _visible(session, credential_id)
    peer = _peer(session, account_id, row)
    award = session.get_one(Award, row.award_id)
    if award.member_id in {each.id for each in _members(session, account_id, row)}:
        raise ForbiddenError("endorsement-oneself", "Expected somebody else's badge: nobody endorses themself.")
    mine = select(Endorsement).where(
        Endorsement.credential_id == row.id,
        Endorsement.member_id.in_([each.id for each in _members(session, account_id, row)]),
        Endorsement.withdrawn_at.is_(None),
    )
    given = {each.skill: each for each in session.scalars(mine.order_by(Endorsement.given_at))}
    is_protected = protected.is_protected(session, peer.id, now)
    name = None if is_protected else session.get_one(Account, account_id).name or peer.name
    shown = my_badges.with_names(session, [row], now)[0]
    return Endorsable(shown, endorsements.skills(row), given, is_protected, name)


def give(
    session: WriteSession,
    runtime: Runtime,
    account_id: UUID,
    credential_id: str,
    said: tuple[int, str, bool],
    now: datetime,
) -> Endorsement:
    """Endorse a skill of a badge.

    Args:
        said: the place of the skill, the comment, and whether the peer is named.
    Raises:
        NotFoundError, ServiceError: as `open_to` and `endorsing.give`.
        ConflictError: the network is closed (code "network-closed").
        TooManyRequestsError: they have endorsed many badges today (code "endorsed-too-often").
    """
    accounts.locked(session, account_id, alone=True)  # someone who endorses several at once is counted
    row = _visible(session, credential_id)
    locks.network(session, row.network_id)
    peer = _peer(session, account_id, row)
    _within_limits(session, account_id, now)
    network = callers.still_open(session.get_one(Network, row.network_id))
    act = CallersAct(session, network, callers.in_person(peer, OF_PEERS), now)
    skill, comment, named = said
    wanted = Wanted(skill, comment, named, by_peer=True, account_id=account_id)
    return endorsing.give(act, runtime, credential_id, peer, wanted)


def given(session: OrmSession, account_id: UUID, runtime: Runtime, now: datetime) -> list[Given]:
    """Return what somebody endorsed in all networks, what waits for them first, then the newest; no more than a page."""
    query = select(Endorsement).where(_of_account(account_id), Endorsement.withdrawn_at.is_(None))
    waits = (Endorsement.named & Endorsement.consented_at.is_(None)).desc()
    rows = session.scalars(query.order_by(waits, Endorsement.given_at.desc(), Endorsement.id).limit(MOST_LISTED)).all()
    badges = my_badges.with_names(session, [session.get_one(Credential, each.credential_id) for each in rows], now)
    found = []
    for row, badge in zip(rows, badges, strict=True):
        credential = badge.row
        skill = next(each.name for each in endorsements.skills(credential) if each.place == row.skill)
        is_out = row.choice in SHOWN and credential.visibility != "private" and row.status_index is not None
        url = endorsements.endorsement_url(runtime.settings, row.id) if is_out else None
        is_waiting = row.named and row.consented_at is None
        is_protected = is_waiting and protected.is_protected(session, row.member_id, now)
        found.append(Given(row, badge.name, badge.network, skill, url, is_waiting, is_protected))
    return found


def agree(session: WriteSession, account_id: UUID, endorsement_id: str, now: datetime, *, named: bool) -> None:
    """Agree to what a network posted in one's name, with the name or without.

    Raises:
        NotFoundError, ConflictError: it is not theirs (code "endorsement-unknown"), or as `endorsing.agree`.
    """
    act, row = _own(session, account_id, endorsement_id, now)
    endorsing.agree(act, row, account_id, named=named)


def withdraw(session: WriteSession, runtime: Runtime, account_id: UUID, endorsement_id: str, now: datetime) -> None:
    """Withdraw what one gave.

    Raises:
        NotFoundError: it is not theirs, or was withdrawn (code "endorsement-unknown").
        CustodyError: as `endorsing.withdraw`; nothing has changed.
    """
    act, row = _own(session, account_id, endorsement_id, now)
    endorsing.withdraw(act, runtime, row)


def received(session: OrmSession, row: Credential, now: datetime) -> list[Received]:
    """Return the endorsements of a badge for its recipient: those that wait for them first."""
    names = {each.place: each.name for each in endorsements.skills(row)}
    found = sorted(endorsements.standing(session, row), key=lambda each: each.choice != "waiting")
    return [Received(each, names[each.skill], endorsements.name_of(session, each, now)) for each in found]


def badges_waiting(session: OrmSession, account_id: UUID, now: datetime) -> list[tuple[OwnBadge, int]]:
    """Return one's badges with endorsements that wait for one's choice, and how many these are."""
    query = (
        select(Endorsement.credential_id, func.count())
        .join(Credential, Credential.id == Endorsement.credential_id)
        .join(Award, Award.id == Credential.award_id)
        .join(Member, Member.id == Award.member_id)
        .join(Person, Person.id == Member.person_id)
        .where(Person.account_id == account_id, Member.erased_at.is_(None), Credential.revoked_at.is_(None))
        .where(Endorsement.choice == "waiting", Endorsement.withdrawn_at.is_(None))
        .where(~Endorsement.named | Endorsement.consented_at.is_not(None))
        .group_by(Endorsement.credential_id)
        .order_by(Endorsement.credential_id)
    )
    counts = dict(session.execute(query).all())
    rows = [session.get_one(Credential, credential_id) for credential_id in counts]
    return list(zip(my_badges.with_names(session, rows, now), counts.values(), strict=True))


def choose(
    session: WriteSession,
    runtime: Runtime,
    account_id: UUID,
    credential_id: str,
    wanted: Mapping[str, Choice],
    now: datetime,
) -> None:
    """Set which endorsements one's badge shows and holds.

    Raises:
        NotFoundError, ServiceError: it is not theirs (code "credential-unknown"), or as `endorsing.choose`.
    """
    network_id = session.scalar(select(Credential.network_id).where(Credential.id == credential_id))
    if network_id is not None:
        locks.network(session, network_id)
    found = my_badges.badge(session, account_id, credential_id, now)
    endorsing.choose(Act(session, found.network, None, now), runtime, credential_id, wanted)


def _visible(session: OrmSession, credential_id: str) -> Credential:
    row = session.get(Credential, credential_id)
    if row is None or row.visibility == "private":
        raise NotFoundError("credential-unknown", "No badge that others can see has this id.")
    return row


def _members(session: OrmSession, account_id: UUID, row: Credential) -> Sequence[Member]:
    query = select(Member).join(Person, Person.id == Member.person_id)
    query = query.where(
        Person.account_id == account_id, Member.network_id == row.network_id, Member.erased_at.is_(None)
    )
    return session.scalars(query.order_by(Member.enrolled_at, Member.id)).all()


def _peer(session: OrmSession, account_id: UUID, row: Credential) -> Member:
    """Return the member as whom somebody endorses."""
    mine = _members(session, account_id, row)
    if not mine:
        raise ForbiddenError("endorser-not-member", NOT_A_MEMBER)
    return mine[0]


def _of_account(account_id: UUID) -> ColumnElement[bool]:
    members = select(Member.id).join(Person, Person.id == Member.person_id).where(Person.account_id == account_id)
    return Endorsement.member_id.in_(members)


def _own(session: WriteSession, account_id: UUID, endorsement_id: str, now: datetime) -> tuple[Act, Endorsement]:
    """Return an act in the network of an endorsement, once it is known to be of the account.

    The network stays locked: who is who changes under the same lock.
    """
    row = session.get(Endorsement, endorsement_id)
    if row is not None:
        locks.network(session, row.network_id)
    found = session.scalar(select(Endorsement).where(Endorsement.id == endorsement_id, _of_account(account_id)))
    if found is None or found.withdrawn_at is not None:
        raise NotFoundError("endorsement-unknown", "No endorsement of yours has this id.")
    return Act(session, session.get_one(Network, found.network_id), None, now), found


def _within_limits(session: OrmSession, account_id: UUID, now: datetime) -> None:
    recent = select(Endorsement.given_at).where(_of_account(account_id), Endorsement.given_at > now - COUNTED_FOR)
    recent = recent.where(Endorsement.account_id == account_id)
    first = session.scalar(recent.order_by(Endorsement.given_at.desc()).offset(MOST_GIVEN - 1).limit(1))
    if first is not None:
        seconds = int((first + COUNTED_FOR - now).total_seconds()) + 1
        raise TooManyRequestsError("endorsed-too-often", TOO_OFTEN, details={"retry_after_seconds": seconds})
