"""Cases of a signed-in person.

They contest decisions about them, and say something in a case, also in one that somebody else opened with them. They act
as the member who is a party, by the same functions as the API, with the scope to contest and no other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import CallersAct
from service.appeals import case_files, cases
from service.appeals.case_files import ShownCase
from service.appeals.cases import EscalationIn, StatementIn
from service.appeals.contestable import CaseIn
from service.awards import appealable
from service.awards.appealable import CONTESTABLE_FOR
from service.errors import NotFoundError
from service.evidence import records
from service.sharing import my_badges
from service.signing import issuers
from service.storage.database import WriteSession
from service.tables import Achievement, AchievementVersion, Award, Case, Credential, Member, Network, Person, Review
from service.tables.awards import LIVE
from service.texts.languages import N_

MOST: Final = 100
"""The most decisions, and the most cases, that are listed: the newest."""
LONGEST: Final = timedelta(days=100)
"""Longer than `CONTESTABLE_FOR` and the rest of a day; what is older is not looked at."""
OF_ONESELF: Final = "cases:write"
UNKNOWN: Final = N_("You have no such case.")


@dataclass(frozen=True)
class Appealable:
    """A decision that somebody can contest until the end of a day, by the calendar of the network.

    Args:
        kind: declined, revocation or suspension.
        of: the id of the approval or of the credential.
    """

    kind: str
    of: str
    member_id: UUID
    network: Network
    name: str
    decided_at: datetime
    reason: str | None
    last_day: date


@dataclass(frozen=True)
class OwnCase:
    """A case in the list of a party; `name` is that of the badge, or of the other member of a disagreement."""

    case: Case
    network: Network
    name: str

    @property
    def is_between(self) -> bool:
        """Whether it is a disagreement of two members."""
        return self.case.kind == "disagreement"


def appealable_of(session: OrmSession, account_id: UUID, now: datetime) -> list[Appealable]:
    """Return the decisions of people about the members of an account that can be contested now, the newest first.

    What a case was opened about is left out, unless the case was withdrawn.
    """
    decided = {
        (row.member_id, row.achievement_id, row.contested_at)
        for row in _cases(session, account_id)
        if row.achievement_id is not None and row.contested_at is not None
    }
    found = [*_declined(session, account_id, now, decided), *_ended(session, account_id, now, decided)]
    return sorted(found, key=lambda each: (each.decided_at, each.of), reverse=True)[:MOST]


def list_cases(session: OrmSession, account_id: UUID) -> list[OwnCase]:
    """Return the cases of the members of an account, those that are open first, then the newest."""
    query = (
        select(Case, Member, Network)
        .join(Member, _is_party())
        .join(Network, Network.id == Case.network_id)
        .where(Member.id.in_(_members(account_id)))
        .order_by((Case.state == "resolved"), Case.id.desc())
        .limit(MOST)
    )
    found = session.execute(query).all()
    return [_own_case(session, row, member, network) for row, member, network in found]


def find(session: OrmSession, account_id: UUID, case_id: UUID, now: datetime) -> tuple[ShownCase, OwnCase]:
    """Return a case of a member of an account, with its steps and what was said in them.

    Raises:
        NotFoundError: there is none (code "case-unknown").
    """
    row, member, network = _own(session, account_id, case_id)
    shown = case_files.find(session, network, callers.in_person(member, OF_ONESELF), case_id, now)
    return shown, _own_case(session, row, member, network)


def name_of(session: OrmSession, member: Member, network: Network, matter: Mapping[str, str]) -> str | None:
    """Return the name of the badge that a matter is about; None if there is nothing of it about the member.

    Args:
        matter: the id of an approval or credential, or the ref of an achievement of the network, by what it is.
    """
    query = select(AchievementVersion.name).order_by(AchievementVersion.version.desc()).limit(1)
    if "credential" in matter:
        query = query.join(Award, Award.achievement_version_id == AchievementVersion.id)
        query = query.join(Credential, Credential.award_id == Award.id)
        query = query.where(Credential.id == matter["credential"], Award.member_id == member.id)
    elif "approval" in matter:
        query = query.join(Review, Review.achievement_version_id == AchievementVersion.id)
        query = query.where(Review.id == records.identifier(matter["approval"]), Review.member_id == member.id)
    else:
        query = query.join(Achievement, Achievement.id == AchievementVersion.achievement_id)
        query = query.where(Achievement.network_id == network.id, Achievement.ref == matter.get("achievement"))
        query = query.where(AchievementVersion.published_at.is_not(None))
    found = session.scalar(query)
    return None if found is None else issuers.marked(network, found)


def contest(session: WriteSession, account_id: UUID, member_id: UUID, body: CaseIn, now: datetime) -> Case:
    """Open a case as the member whom the decision is about.

    Raises:
        ConflictError: the network is closed (code "network-closed"), or as `cases.open_case`.
        NotFoundError: the account is no such member (code "member-unknown"), or as `cases.open_case`.
    """
    own = my_badges.membership(session, account_id, member_id)
    return cases.open_case(act_of(session, own, now), body)


def say(session: WriteSession, account_id: UUID, case_id: UUID, text: str, now: datetime) -> None:
    """Add a statement of a party.

    Raises:
        NotFoundError, ConflictError: as `find` and `cases.say`.
    """
    cases.say(act_in(session, account_id, case_id, now), case_id, StatementIn(text=text))


def escalate(session: WriteSession, account_id: UUID, case_id: UUID, now: datetime) -> None:
    """Have somebody else decide a case.

    Raises:
        NotFoundError, ConflictError: as `find` and `cases.escalate`.
    """
    cases.escalate(act_in(session, account_id, case_id, now), case_id, EscalationIn())


def withdraw(session: WriteSession, account_id: UUID, case_id: UUID, now: datetime) -> None:
    """Withdraw a case.

    Raises:
        NotFoundError, ConflictError: as `find` and `cases.withdraw`.
    """
    cases.withdraw(act_in(session, account_id, case_id, now), case_id)


def last_day(network: Network, until: datetime) -> date:
    """Return the last day before an instant, by the calendar of the network."""
    return (until.astimezone(ZoneInfo(network.time_zone)) - timedelta(days=1)).date()


def act_in(session: WriteSession, account_id: UUID, case_id: UUID, now: datetime) -> CallersAct:
    """Return an act of a party in person.

    Raises:
        ConflictError: the network is closed (code "network-closed").
        NotFoundError: as `find`.
    """
    return act_of(session, _own(session, account_id, case_id)[1:], now)


def act_of(session: WriteSession, own: tuple[Member, Network], now: datetime) -> CallersAct:
    """Return an act of a member in person, in a network that must be open.

    Raises:
        ConflictError: it is closed (code "network-closed").
    """
    member, network = own
    return CallersAct(session, callers.still_open(network), callers.in_person(member, OF_ONESELF), now)


def _own(session: OrmSession, account_id: UUID, case_id: UUID) -> tuple[Case, Member, Network]:
    query = (
        select(Case, Member, Network)
        .join(Member, _is_party())
        .join(Network, Network.id == Case.network_id)
        .where(Case.id == case_id, Member.id.in_(_members(account_id)))
    )
    found = session.execute(query.limit(1)).one_or_none()
    if found is None:
        raise NotFoundError("case-unknown", UNKNOWN)
    return found[0], found[1], found[2]


def _is_party() -> ColumnElement[bool]:
    """Return the condition that a member contests, or is one of two who disagree."""
    return or_(Member.id == Case.member_id, and_(Case.kind == "disagreement", Member.id == Case.respondent_id))


def _own_case(session: OrmSession, row: Case, member: Member, network: Network) -> OwnCase:
    if row.achievement_version_id is not None:
        name = session.get_one(AchievementVersion, row.achievement_version_id).name
        return OwnCase(row, network, issuers.marked(network, name))
    other = session.get_one(Member, row.respondent_id if member.id == row.member_id else row.member_id)
    return OwnCase(row, network, other.name or other.ref)


def _cases(session: OrmSession, account_id: UUID) -> Sequence[Case]:
    counting = or_(Case.outcome.is_(None), Case.outcome != "withdrawn")
    return session.scalars(select(Case).where(Case.member_id.in_(_members(account_id)), counting)).all()


def _declined(
    session: OrmSession, account_id: UUID, now: datetime, decided: set[tuple[UUID, UUID, datetime]]
) -> Iterator[Appealable]:
    live = select(Award.id).where(
        Award.member_id == Review.member_id, Award.achievement_id == Review.achievement_id, Award.state.in_(LIVE)
    )
    query = (
        select(Review, Network, AchievementVersion.name)
        .join(Network, Network.id == Review.network_id)
        .join(AchievementVersion, AchievementVersion.id == Review.achievement_version_id)
        .where(Review.member_id.in_(_members(account_id)), Review.kind == "approval", Review.state == "declined")
        .where(Review.closed_at > now - LONGEST, Network.state != "closed", ~live.exists())
        .order_by(Review.closed_at.desc())
        .limit(MOST)
    )
    for row, network, name in session.execute(query):
        if row.closed_at is None:
            continue
        until = appealable.end_of_day(network, row.closed_at, CONTESTABLE_FOR)
        if now < until and (row.member_id, row.achievement_id, row.closed_at) not in decided:
            marked, last = issuers.marked(network, name), last_day(network, until)
            yield Appealable("declined", str(row.id), row.member_id, network, marked, row.closed_at, row.reason, last)


def _ended(
    session: OrmSession, account_id: UUID, now: datetime, decided: set[tuple[UUID, UUID, datetime]]
) -> Iterator[Appealable]:
    since = now - LONGEST
    query = (
        select(Credential, Award, Network, AchievementVersion.name)
        .join(Award, Award.id == Credential.award_id)
        .join(Network, Network.id == Award.network_id)
        .join(AchievementVersion, AchievementVersion.id == Award.achievement_version_id)
        .where(Award.member_id.in_(_members(account_id)), Credential.superseded_by.is_(None))
        .where(or_(Credential.revoked_at > since, Credential.suspended_at > since))
        .order_by(Credential.issued_at.desc())
        .limit(MOST)
    )
    for row, award, network, name in session.execute(query):
        appeal = appealable.of_standing(session, row, now)
        decided_at = row.revoked_at or row.suspended_at
        if appeal is None or decided_at is None or (award.member_id, award.achievement_id, decided_at) in decided:
            continue
        kind, reason = (
            ("revocation", row.revocation_reason) if row.revoked_at else ("suspension", row.suspension_reason)
        )
        marked, last = issuers.marked(network, name), last_day(network, appeal.until)
        yield Appealable(kind, row.id, award.member_id, network, marked, decided_at, reason, last)


def _members(account_id: UUID) -> Select[UUID]:
    person = select(Person.id).where(Person.account_id == account_id)
    return select(Member.id).where(Member.person_id.in_(person), Member.erased_at.is_(None))
