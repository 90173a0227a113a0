"""Try a definition: who would earn it today, and who is one step away.

Nothing is written. A step is a rule that is not met yet. A member is as many steps away as the least number of rules
that they would have to meet to meet the whole: for `all` the sum, for `any` the least, for `at_least` the sum of the
n least.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.achievements import achievements, publishing, unborne
from service.achievements.definitions import NOBODY, AchievementFields
from service.bodies import Body, Ref
from service.criteria.kinds.rule import DefinitionFault
from service.errors import NotFoundError
from service.networks import members
from service.progress import progress
from service.progress.progress import MEMBERS_AT_ONCE, Node
from service.storage.database import ReadSession
from service.storage.paging import Window
from service.tables import AchievementVersion, Award, Member, Network
from service.tables.awards import LIVE

LOOKED_AT = 5_000
"""The most members looked at for one page; a page can be empty, and have a next one."""


class DryRunIn(Body):
    """What to try, and for whom."""

    definition: AchievementFields | None = Field(
        None, description="a definition to try, which is not stored; left out: try a version"
    )
    version: int | None = Field(
        None, ge=1, le=1_000_000, description="the version to try, draft or published; left out: the newest"
    )
    member: Ref | None = Field(None, description="only this member, at any distance, with the evidence that counts")
    count: bool = Field(
        False, description="count how many of all members would earn it; takes seconds in a very large network"
    )
    steps: int = Field(
        1,
        ge=0,
        le=100,
        description="list members who are this many rules away, or fewer; 0: only those who would earn it today",
    )

    @model_validator(mode="after")
    def _one(self) -> "DryRunIn":
        if self.definition is not None and self.version is not None:
            raise PydanticCustomError("dry-run-two", "Expected `definition` or `version`, not both")
        return self


@dataclass(frozen=True)
class Outlook:
    """How far a member is from the achievement.

    `missing` are the fewest rules that are still to be met, those with the most progress first. `held`: whether the
    member has the achievement already, in any version.
    """

    member: Member
    node: Node
    missing: tuple[Node, ...]
    held: bool


@dataclass(frozen=True)
class DryRun:
    """The result of a dry run.

    It has the outlooks of members, in the order in which these were added, the faults that would keep the definition
    from being published, and the warnings with which it would be.
    """

    version: AchievementVersion
    faults: tuple[DefinitionFault, ...]
    warnings: tuple[DefinitionFault, ...]
    outlooks: tuple[Outlook, ...]
    looked_at: int
    following: str | None
    count: int | None = None


def run(session: ReadSession, network: Network, ref: str, body: DryRunIn, now: datetime, *, window: Window) -> DryRun:
    """Return who would earn an achievement now, and who is near.

    All members are judged by one version, enrolled or not.

    Raises:
        NotFoundError: no such achievement, version or member; or there is no rule to try (code "rule-missing").
        InvalidError: the definition is not valid, or the cursor is not one of ours.
    """
    tried = _run(session, network, ref, body, now, window)
    if not body.count:
        return tried
    gone = set(session.scalars(select(Member.id).where(Member.network_id == network.id, Member.erased_at.is_not(None))))
    meeting = progress.who_meets(session, network, tried.version, now)
    return replace(tried, count=sum(1 for member_id in meeting if member_id not in gone))


def _run(session: ReadSession, network: Network, ref: str, body: DryRunIn, now: datetime, window: Window) -> DryRun:
    version = _version(session, network, ref, body)
    if "rule" not in version.definition["criteria"]:
        raise NotFoundError("rule-missing", "Expected a definition with a rule; this one is awarded by decision alone.")
    faults = tuple(publishing.faults(session, network, ref, version.definition, now))
    warnings = tuple(unborne.warnings(session, network, version.definition))
    if body.member is not None:
        member = members.get_member(session, network, body.member)
        node = progress.explain(session, network, version, member.id, now)
        return DryRun(
            version, faults, warnings, tuple(_outlooks(session, version, [member], {member.id: node})), 1, None
        )
    [last] = window.last(UUID) or [NOBODY]
    there = (Member.network_id == network.id, Member.erased_at.is_(None))
    query = select(Member).where(*there).order_by(Member.id).limit(MEMBERS_AT_ONCE)
    found: list[Outlook] = []
    looked_at = 0
    while looked_at < LOOKED_AT:
        batch = session.scalars(query.where(Member.id > last)).all()
        nodes = dict(progress.survey(session, network, version, [member.id for member in batch], now))
        near = [member for member in batch if len(missing(nodes[member.id])) <= body.steps]
        taken = near[: window.limit - len(found)]
        found += _outlooks(session, version, taken, nodes)
        if len(taken) < len(near) or (taken and len(found) == window.limit):
            last = taken[-1].id
            looked_at += 1 + next(n for n, member in enumerate(batch) if member.id == last)
            return DryRun(version, faults, warnings, tuple(found), looked_at, window.cursor(last))
        looked_at += len(batch)
        if len(batch) < MEMBERS_AT_ONCE:
            return DryRun(version, faults, warnings, tuple(found), looked_at, None)
        last = batch[-1].id
    return DryRun(version, faults, warnings, tuple(found), looked_at, window.cursor(last))


def missing(node: Node) -> list[Node]:
    """Return the fewest rules that still have to be met for the node to be met.

    If several sets are as small, it is the one with the most progress.
    """
    if node.met:
        return []
    if not node.children:
        return [node]
    ways = sorted((missing(child) for child in node.children), key=_effort)
    return [rule for way in islice(ways, int(node.required)) for rule in way]


def _effort(way: Sequence[Node]) -> tuple[int, float]:
    return len(way), -sum(rule.progress for rule in way)


def _outlooks(
    session: OrmSession, version: AchievementVersion, found: Sequence[Member], nodes: dict[UUID, Node]
) -> list[Outlook]:
    having = select(Award.member_id).where(
        Award.member_id.in_([member.id for member in found]),
        Award.achievement_id == version.achievement_id,
        Award.state.in_(LIVE),
    )
    held = set(session.scalars(having)) if found else set()
    return [
        Outlook(member, node, tuple(sorted(missing(node), key=_progress, reverse=True)), member.id in held)
        for member in found
        for node in [nodes[member.id]]
    ]


def _progress(node: Node) -> float:
    return node.progress


def _version(session: ReadSession, network: Network, ref: str, body: DryRunIn) -> AchievementVersion:
    if body.definition is not None:
        return achievements.to_try(session, network, ref, body.definition)
    achievement = achievements.get_achievement(session, network, ref)
    if body.version is not None:
        return achievements.get_version(session, achievement, body.version)
    [shown] = achievements.show(session, [achievement])
    return shown.newest
