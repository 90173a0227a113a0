"""Where everybody stands on the way to one achievement."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select

from service.errors import ConflictError, InvalidError
from service.progress import progress
from service.progress.progress import MEMBERS_AT_ONCE, Node
from service.storage.database import ReadSession
from service.storage.paging import Window, page
from service.tables import Achievement, AchievementVersion, Award, Enrolment, Member, Network
from service.tables.awards import LIVE

LOOKED_AT = 5_000
"""The most members who are judged for one page; a page can be short, and have a next one."""
SORTED = 10_000
"""The most members who are sorted by their progress: all are judged for each page."""


@dataclass(frozen=True)
class Reached:
    """What a member has reached, by the version that binds them, and their last award.

    `node` has the numbers without records; it is None if the definition has no rule.
    """

    member: Member
    version: AchievementVersion
    enrolled: bool
    node: Node | None
    award: Award | None


@dataclass(frozen=True)
class Chosen:
    """Whose progress is listed: by whether the rule is met now, and whether the achievement is held; None: both."""

    met: bool | None = None
    held: bool | None = None


class Everybody:
    """The members of a network, without those who were erased, and an achievement that they may reach.

    Raises:
        ConflictError: no version of it is published (code "achievement-unpublished").
    """

    def __init__(self, session: ReadSession, network: Network, achievement: Achievement, now: datetime) -> None:
        self._session, self._network, self._achievement, self._now = session, network, achievement, now
        query = select(AchievementVersion).where(
            AchievementVersion.achievement_id == achievement.id, AchievementVersion.published_at.is_not(None)
        )
        self._versions = {row.id: row for row in session.scalars(query.order_by(AchievementVersion.version))}
        if not self._versions:
            message = "Expected a published achievement; this one is a draft, which POST .../dry-run tries."
            raise ConflictError("achievement-unpublished", message)
        *_, self._newest = self._versions.values()

    def page(self, which: Chosen, window: Window) -> tuple[list[Reached], str | None]:
        """Return members in the order in which they were added, and the next cursor."""
        query = self._members(which)
        if which.met is None:
            rows, following = page(self._session, query, window, Member.id)
            return self._reached(rows), following
        found: list[Reached] = []
        [last] = window.last(UUID) or [UUID(int=0)]
        for _ in range(LOOKED_AT // MEMBERS_AT_ONCE):
            batch = self._session.scalars(
                query.where(Member.id > last).order_by(Member.id).limit(MEMBERS_AT_ONCE)
            ).all()
            fit = [each for each in self._reached(batch) if _met(each.node) is which.met]
            taken = fit[: window.limit - len(found)]
            found += taken
            if len(taken) < len(fit):
                return found, window.cursor(taken[-1].member.id if taken else last)
            if len(batch) < MEMBERS_AT_ONCE:
                return found, None
            last = batch[-1].id
        return found, window.cursor(last)

    def nearest(self, which: Chosen, window: Window) -> tuple[list[Reached], str | None]:
        """Return those who have come farthest first, and the next cursor.

        Raises:
            InvalidError: the network is too large to be sorted (code "too-many-to-sort").
        """
        query = self._members(which)
        if (self._session.scalar(select(func.count()).select_from(query.subquery())) or 0) > SORTED:
            message = f"Expected at most {SORTED} members to sort by progress; ask in the order of `enrolled_at`."
            raise InvalidError("too-many-to-sort", message, "sort")
        last = window.last(float, UUID)
        after = (-last[0], last[1]) if last is not None else None
        ordered = sorted(
            place
            for member_id, node in self._all(self._session.scalars(query.with_only_columns(Member.id)).all())
            for place in [(-node.progress if node is not None else 0.0, member_id)]
            if which.met in {None, _met(node)} and (after is None or place > after)
        )
        chosen = ordered[: window.limit]
        rows = self._session.scalars(select(Member).where(Member.id.in_([each for _, each in chosen]))).all()
        reached = {each.member.id: each for each in self._reached(rows)}
        place = chosen[-1] if chosen else (0.0, None)
        following = window.cursor(-place[0], place[1]) if len(chosen) < len(ordered) else None
        return [reached[each] for _, each in chosen], following

    def _members(self, which: Chosen) -> Select[Member]:
        query = select(Member).where(Member.network_id == self._network.id, Member.erased_at.is_(None))
        if which.held is None:
            return query
        award = (Award.member_id == Member.id, Award.achievement_id == self._achievement.id, Award.state.in_(LIVE))
        held = select(Award.id).where(*award).exists()
        return query.where(held if which.held else ~held)

    def _reached(self, rows: Sequence[Member]) -> list[Reached]:
        ids = [row.id for row in rows]
        bound, nodes = self._bound(ids), dict(self._all(ids))
        mine = select(Award).where(Award.member_id.in_(ids), Award.achievement_id == self._achievement.id)
        awards = {award.member_id: award for award in self._session.scalars(mine.order_by(Award.id))}
        return [
            Reached(row, bound.get(row.id, self._newest), row.id in bound, nodes[row.id], awards.get(row.id))
            for row in rows
        ]

    def _all(self, ids: Sequence[UUID]) -> Iterator[tuple[UUID, Node | None]]:
        """Yield the progress of each member, by the version that binds them."""
        bound = self._bound(ids)
        by_version: dict[UUID, list[UUID]] = {}
        for member_id in ids:
            by_version.setdefault(bound.get(member_id, self._newest).id, []).append(member_id)
        for version_id, member_ids in by_version.items():
            version = self._versions[version_id]
            if "rule" in version.definition["criteria"]:
                yield from progress.survey(self._session, self._network, version, member_ids, self._now)
            else:
                yield from ((member_id, None) for member_id in member_ids)

    def _bound(self, ids: Collection[UUID]) -> dict[UUID, AchievementVersion]:
        mine = Enrolment.achievement_id == self._achievement.id
        found: dict[UUID, AchievementVersion] = {}
        for some in _some(list(ids)):
            query = select(Enrolment.member_id, Enrolment.achievement_version_id).where(mine)
            rows = self._session.execute(query.where(Enrolment.member_id.in_(some)))
            found |= {member_id: self._versions[version_id] for member_id, version_id in rows}
        return found


def list_progress(
    session: ReadSession,
    network: Network,
    achievement: Achievement,
    now: datetime,
    which: Chosen,
    *,
    window: Window,
    sort: str | None = None,
) -> tuple[list[Reached], str | None]:
    """Return where members stand on the way to an achievement, each judged by the version that binds them.

    A page costs a bounded number of statements: some for each published version that binds somebody, and for each 500
    members who are judged for it.

    Args:
        sort: "-progress": who has come farthest first; otherwise in the order in which the members were added.
    Raises:
        ConflictError: as `Everybody`.
        InvalidError: as `Everybody.nearest`.
    """
    everybody = Everybody(session, network, achievement, now)
    return everybody.nearest(which, window) if sort == "-progress" else everybody.page(which, window)


def _met(node: Node | None) -> bool:
    return node is not None and node.met


def _some(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), MEMBERS_AT_ONCE):
        yield ids[start : start + MEMBERS_AT_ONCE]
