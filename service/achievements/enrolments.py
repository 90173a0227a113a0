"""Enrolments: by which version of an achievement a member is judged.

A network enrols a member, or evidence does: when the next version is published, everybody who has evidence that counts
towards the version before stays with that one. Everybody else is judged by the newest published version.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import Uuid, and_, func, literal, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.achievements import definitions, publishing
from service.bodies import Body, Instant
from service.criteria import rejudging, topics
from service.criteria.queries import numbers, parameters
from service.criteria.tree import rules
from service.criteria.windows import Last
from service.errors import ConflictError, InvalidError, NotFoundError
from service.networks.members import still_known
from service.outbox import events
from service.storage import locks, past
from service.storage.database import ReadSession, WriteSession, insert_for, insert_new
from service.storage.paging import Window, page
from service.tables import Achievement, AchievementVersion, Enrolment, Member, Network, columns


class EnrolmentIn(Body):
    """The version by which a member is judged, and since when."""

    version: int | None = Field(None, ge=1, le=1_000_000, description="a published version; left out: the newest")
    at: Instant | None = Field(
        None,
        description="when windows since enrolment begin; left out: now, or unchanged",
        examples=["2026-09-01T00:00:00Z"],
    )


@dataclass(frozen=True)
class ShownEnrolment:
    """An enrolment with its member and its version."""

    enrolment: Enrolment
    member: Member
    version: AchievementVersion


def enrol(act: Act, achievement: Achievement, member: Member, body: EnrolmentIn) -> tuple[ShownEnrolment, bool]:
    """Enrol a member in a published version, or move the enrolment.

    Return the enrolment, and whether it is new.

    Raises:
        ForbiddenError: the caller is the member (code "self-decision").
        ErasedError: the member was erased (code "member-erased").
        NotFoundError: the achievement has no such version (code "version-unknown").
        ConflictError: no version is published, or this one is not (code "version-unpublished").
        InvalidError: a time in the future (code "time-in-future").
    """
    act.decides_on(member.id)
    still_known(member)
    if body.at is not None and body.at > act.now:
        raise InvalidError("time-in-future", "Expected a time that is not in the future.", "/at")
    version = _published(act.session, achievement, body.version)
    values = {"member_id": member.id, "achievement_id": achievement.id, "achievement_version_id": version.id}
    created = insert_new(act.session, Enrolment, values | {"at": body.at or act.now, "known_from": act.now})
    own = Enrolment.__table__.c
    mine = and_(own.member_id == member.id, own.achievement_id == achievement.id)
    enrolment = locks.one(act.session, Enrolment, mine)
    said = version.id, body.at or enrolment.at
    moved = said != (enrolment.achievement_version_id, enrolment.at)
    if moved:
        past.archive(act.session, Enrolment, mine, act.now)
        enrolment.known_from = act.now
        enrolment.achievement_version_id, enrolment.at = said
    if created or moved:
        about = {"achievement_version": str(version.id), "member": str(member.id)}
        events.append(act, "member.enrolled", about)
        rejudging.mark(act, [member.id])
    return ShownEnrolment(enrolment, member, version), created


def enrol_by_evidence(act: Act, version: AchievementVersion) -> None:
    """Enrol everybody who has evidence that counts towards a version.

    They are enrolled from the time of their first such evidence on. Evidence that once counted counts here, even if it
    has left a `last` window since.
    """
    tree = definitions.rule_of(version.definition)
    if tree is None:
        return
    lasting = [
        rule.model_copy(update={"window": None}) if isinstance(rule.window, Last) else rule for rule in rules(tree)
    ]
    asked = parameters(lasting, act.network, version.achievement_id, act.now)
    rows = numbers(lasting, of_members=False).order_by(None).params(asked).subquery()
    first_at = func.min(rows.c.first_at)
    source = (
        select(
            rows.c.member_id,
            literal(version.achievement_id, Uuid()),
            literal(version.id, Uuid()),
            first_at,
            literal(act.now, columns.Instant()),
        )
        .where(rows.c.first_at.is_not(None))
        .group_by(rows.c.member_id)
        .order_by(rows.c.member_id)
    )
    names = ["member_id", "achievement_id", "achievement_version_id", "at", "known_from"]
    act.session.execute(insert_for(act.session)(Enrolment).from_select(names, source).on_conflict_do_nothing())


def find(session: OrmSession, achievement: Achievement, member: Member) -> ShownEnrolment:
    """Return the enrolment of a member.

    Raises:
        NotFoundError: there is none; the member is judged by the newest version (code "enrolment-unknown").
    """
    found = session.get(Enrolment, {"member_id": member.id, "achievement_id": achievement.id})
    if found is None:
        raise NotFoundError("enrolment-unknown", "This member is not enrolled; the newest published version counts.")
    return ShownEnrolment(found, member, session.get_one(AchievementVersion, found.achievement_version_id))


def list_enrolments(
    session: ReadSession, achievement: Achievement, *, window: Window, version: int | None
) -> tuple[list[ShownEnrolment], str | None]:
    """Return the enrolments in the order of the members."""
    enrolled = (
        select(Enrolment.member_id)
        .join(AchievementVersion, AchievementVersion.id == Enrolment.achievement_version_id)
        .where(Enrolment.achievement_id == achievement.id)
    )
    if version is not None:
        enrolled = enrolled.where(AchievementVersion.version == version)
    members, cursor = page(session, select(Member).where(Member.id.in_(enrolled)), window, Member.id)
    rows = session.execute(
        select(Enrolment, AchievementVersion)
        .join(AchievementVersion, AchievementVersion.id == Enrolment.achievement_version_id)
        .where(Enrolment.achievement_id == achievement.id, Enrolment.member_id.in_([member.id for member in members]))
    )
    found = {enrolment.member_id: (enrolment, bound) for enrolment, bound in rows}
    return [ShownEnrolment(found[member.id][0], member, found[member.id][1]) for member in members], cursor


def bindings(
    session: OrmSession, member_ids: Collection[UUID], as_of: datetime | None = None
) -> dict[tuple[UUID, UUID], UUID]:
    """Return the versions in which members are enrolled, by member and achievement.

    Members who are not enrolled are left out.

    Args:
        as_of: as it was at this time; None: as it is now.
    """
    row = past.Sources(replayed=as_of is not None).enrolment
    query = select(row.member_id, row.achievement_id, row.achievement_version_id).where(row.member_id.in_(member_ids))
    rows = session.execute(query, {"now": as_of} if as_of is not None else {})
    return {(member_id, achievement_id): version_id for member_id, achievement_id, version_id in rows}


def _published(session: WriteSession, achievement: Achievement, number: int | None) -> AchievementVersion:
    versions = select(AchievementVersion).where(AchievementVersion.achievement_id == achievement.id)
    if number is None:
        published = versions.where(AchievementVersion.published_at.is_not(None))
        version = session.scalar(published.order_by(AchievementVersion.version.desc()).limit(1))
    else:
        version = session.scalar(versions.where(AchievementVersion.version == number))
        if version is None:
            raise NotFoundError(
                "version-unknown",
                "This achievement has no version with this number; the achievement itself tells its newest.",
                "/version",
            )
    if version is None or version.published_at is None:
        raise ConflictError("version-unpublished", "Expected a published version; this is a draft.", "/version")
    return version


class Versions:
    """The published versions by which members of a network are judged.

    Args:
        heard: only achievements that listen to one of these topics.
    """

    def __init__(
        self, session: OrmSession, network: Network, member_ids: Sequence[UUID], heard: Collection[str] | None = None
    ) -> None:
        query = (
            select(AchievementVersion, Achievement)
            .join(Achievement, Achievement.id == AchievementVersion.achievement_id)
            .where(Achievement.network_id == network.id)
            .order_by(AchievementVersion.version)
        )
        if heard is not None:
            query = query.where(Achievement.id.in_(topics.achievements(network, heard)))
        rows = session.execute(query)
        self._achievements: dict[str, Achievement] = {}
        self._newest: dict[str, AchievementVersion] = {}
        self._by_id: dict[UUID, AchievementVersion] = {}
        for version, achievement in rows:
            self._achievements[achievement.ref] = achievement
            if version.published_at is not None:
                self._newest[achievement.ref] = self._by_id[version.id] = version
        self._member_ids = member_ids
        self._bound = bindings(session, member_ids)

    def for_member(self, member_id: UUID, ref: str) -> AchievementVersion:
        """Return the version of the achievement `ref` by which the member is judged.

        Raises:
            NotFoundError: no such achievement (code "achievement-unknown").
            ConflictError: no version of it is published (code "achievement-unpublished").
        """
        newest = self._newest.get(ref)
        if newest is not None:
            return self._chosen(member_id, newest)
        if ref in self._achievements:
            message = "Expected a published achievement; this one is a draft. Publish it first."
            raise ConflictError("achievement-unpublished", message, "/achievement")
        raise NotFoundError(
            "achievement-unknown",
            "No achievement of this network has this ref; the list of achievements has them all.",
            "/achievement",
        )

    def still_earned(self, ref: str, pointer: str = "/achievement") -> None:
        """Let what awards the achievement `ref`, which is published, pass if it can still be earned.

        Raises:
            ConflictError: it is retired (code "achievement-retired").
        """
        publishing.still_earned(self._achievements[ref], pointer)

    def judged(self) -> list[tuple[AchievementVersion, list[UUID]]]:
        """Return the versions that can be earned, each with the members who are judged by it."""
        groups: dict[UUID, list[UUID]] = {}
        for ref, newest in self._newest.items():
            if self._achievements[ref].retired_at is not None:
                continue
            for member_id in self._member_ids:
                groups.setdefault(self._chosen(member_id, newest).id, []).append(member_id)
        return [(self._by_id[version_id], member_ids) for version_id, member_ids in groups.items()]

    def _chosen(self, member_id: UUID, newest: AchievementVersion) -> AchievementVersion:
        return self._by_id[self._bound.get((member_id, newest.achievement_id), newest.id)]
