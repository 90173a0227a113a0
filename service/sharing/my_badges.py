"""What a signed-in person has in all networks.

That is memberships, badges, and what waits to be claimed. What belongs to another account looks as if it did not exist.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.errors import NotFoundError
from service.issuing import reissuing
from service.sharing import views
from service.sharing.views import CredentialState
from service.signing import issuers
from service.storage.paging import Order, Window, page
from service.tables import (
    AccountAddress,
    AchievementVersion,
    Award,
    Credential,
    Identity,
    Member,
    Network,
    Person,
)

BADGES_ON_A_PAGE: Final = 24
ENDED_ON_THE_FIRST_PAGE: Final = 6


@dataclass(frozen=True)
class Membership:
    """A member who is the person of an account, in one network; `badges` are those that were ever issued to them."""

    member: Member
    network: Network
    badges: int


@dataclass(frozen=True)
class OwnBadge:
    """A badge in the list of its recipient.

    `follower` is the id of the one that replaced it, or renewed it.
    """

    row: Credential
    award: Award
    version: AchievementVersion
    network: Network
    name: str
    state: CredentialState

    @property
    def picture(self) -> str:
        """The path of the picture of the achievement, which is public even if the badge is private."""
        return f"/achievements/{self.version.id}/image.png"

    @property
    def follower(self) -> str | None:
        """The id of the badge that follows it, if it has one."""
        return self.row.superseded_by


@dataclass(frozen=True)
class Claimable:
    """A person in a network who has an address of the account, and whom nobody has claimed.

    `member_id` is one of the members who are the person, and `members` are the names under which the network knows
    them; `address` is the one that was proved, and `badges` how many were issued.
    """

    member_id: UUID
    address: str
    network: Network
    members: tuple[str, ...]
    badges: int


def memberships(session: OrmSession, account_id: UUID) -> list[Membership]:
    """Return the members who are the person of an account, by the names of their networks."""
    issued = (select(func.count()).select_from(Credential).join(Award, Award.id == Credential.award_id)).where(
        Award.member_id == Member.id
    )
    query = select(Member, Network, issued.correlate(Member).scalar_subquery()).where(_mine(account_id))
    query = query.join(Network, Network.id == Member.network_id).order_by(Network.name, Member.ref, Member.id)
    return [Membership(*row) for row in session.execute(query)]


def membership(session: OrmSession, account_id: UUID, member_id: UUID) -> tuple[Member, Network]:
    """Return a member who is the person of an account, with the network.

    Raises:
        NotFoundError: there is none, or it is somebody else (code "member-unknown").
    """
    query = select(Member, Network).join(Network, Network.id == Member.network_id)
    found = session.execute(query.where(Member.id == member_id, _mine(account_id))).one_or_none()
    if found is None:
        raise NotFoundError("member-unknown", "You are not this member.")
    return found[0], found[1]


def badges(
    session: OrmSession, account_id: UUID, now: datetime, window: Window, *, in_force: bool
) -> tuple[list[OwnBadge], str | None]:
    """Return badges of an account, the newest first, and the cursor of those that follow.

    Args:
        in_force: those that are in force; otherwise those that are revoked, declined, suspended or expired.
    Raises:
        InvalidError: as `Window.last`.
    """
    standing = _in_force(now)
    of_account = select(Award.id).join(Member, Member.id == Award.member_id).where(_mine(account_id))
    query = select(Credential).where(Credential.award_id.in_(of_account), standing if in_force else not_(standing))
    rows, following = page(session, query, window, Order((Credential.issued_at, Credential.id), falling=True))
    return with_names(session, rows, now), following


def count_ended(session: OrmSession, account_id: UUID, now: datetime) -> int:
    """Return how many badges of an account are not in force."""
    of_account = select(Award.id).join(Member, Member.id == Award.member_id).where(_mine(account_id))
    ended = (
        select(func.count()).select_from(Credential).where(Credential.award_id.in_(of_account), not_(_in_force(now)))
    )
    return session.scalar(ended) or 0


def badge(session: OrmSession, account_id: UUID, credential_id: str, now: datetime) -> OwnBadge:
    """Return a badge that was issued to the person of an account; a private one, too.

    Raises:
        NotFoundError: there is none, or it is somebody else's (code "credential-unknown").
    """
    query = select(Credential).join(Award, Award.id == Credential.award_id).join(Member, Member.id == Award.member_id)
    row = session.scalar(query.where(Credential.id == credential_id, _mine(account_id)))
    if row is None:
        raise NotFoundError("credential-unknown", "No badge of yours has this id.")
    unproven = reissuing.compromised_key_of(session, row) is not None
    return with_names(session, [row], now, unproven={row.id} if unproven else ())[0]


def claimable(session: OrmSession, account_id: UUID) -> list[Claimable]:
    """Return persons with a proved address of an account whom nobody has claimed, by the names of their networks."""
    issued = (select(func.count()).select_from(Credential).join(Award, Award.id == Credential.award_id)).where(
        Award.member_id == Member.id
    )
    query = (
        select(Identity.value, Member, Network, issued.correlate(Member).scalar_subquery())
        .join(AccountAddress, AccountAddress.value == Identity.value)
        .join(Person, Person.id == Identity.person_id)
        .join(Member, Member.person_id == Person.id)
        .join(Network, Network.id == Member.network_id)
        .where(AccountAddress.account_id == account_id, Identity.kind == "email")
        .where(Person.account_id.is_(None), Member.erased_at.is_(None))
        .order_by(Network.name, Person.id, Member.ref, Member.id)
    )
    found: dict[UUID | None, Claimable] = {}
    for address, member, network, count in session.execute(query):
        before = found.get(member.person_id) or Claimable(member.id, address, network, (), 0)
        names = (*before.members, member.name or member.ref)
        found[member.person_id] = replace(before, members=names, badges=before.badges + count)
    return list(found.values())


def _mine(account_id: UUID) -> ColumnElement[bool]:
    """Return the condition that a member is the person of an account, and was not erased."""
    person = select(Person.id).where(Person.account_id == account_id)
    return and_(Member.person_id.in_(person), Member.erased_at.is_(None))


def _in_force(now: datetime) -> ColumnElement[bool]:
    lasting = or_(Credential.valid_until.is_(None), Credential.valid_until > now)
    return and_(Credential.revoked_at.is_(None), Credential.suspended_at.is_(None), lasting)


def with_names(
    session: OrmSession, rows: Sequence[Credential], now: datetime, *, unproven: Collection[str] = ()
) -> list[OwnBadge]:
    """Return badges with their names and states, in the same order."""
    query = (
        select(Award, AchievementVersion, Network)
        .join(AchievementVersion, AchievementVersion.id == Award.achievement_version_id)
        .join(Network, Network.id == Award.network_id)
        .where(Award.id.in_([row.award_id for row in rows]))
    )
    known = {award.id: (award, version, network) for award, version, network in session.execute(query)}
    after = select(Credential.id, Credential.award_id).where(Credential.id.in_([row.superseded_by for row in rows]))
    followers: dict[str | None, UUID] = dict(session.execute(after).all())
    found = []
    for row in rows:
        award, version, network = known[row.award_id]
        replaced = followers.get(row.superseded_by) == row.award_id
        state = views.state_of(row, now, replaced=replaced, unproven=row.id in unproven)
        found.append(OwnBadge(row, award, version, network, issuers.marked(network, version.name), state))
    return found
