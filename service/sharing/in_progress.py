"""Progress of a member in one network.

It says what is met, what is missing, and what waits for people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select

from service.achievements import definitions
from service.awards import reviews
from service.criteria.tree import Criterion
from service.progress import progress
from service.progress.progress import Node, Standing
from service.sharing import own_disagreements, views
from service.sharing.rules.told import Names
from service.signing import issuers
from service.storage.database import ReadSession
from service.storage.paging import Window
from service.tables import Achievement, Award, Case, Member, Network, Review

ACHIEVEMENTS_ON_A_PAGE: Final = 20
"""How many achievements are judged for one page: each takes a few statements."""
TOLD: Final = ("awarded", "suspended")
"""States in which a member knows that they have an award; a pending one is told as a rule that is met."""


@dataclass(frozen=True)
class OnTheWay:
    """An achievement that a member has begun, or is enrolled in, and does not hold.

    `waits_since` is since when people are asked to approve it; `case` is the open case about it, and `held_by` the one while
    which the badge waits.
    """

    achievement: Achievement
    version_id: str
    name: str
    rule: Criterion | None
    names: Names
    node: Node | None
    enrolled: bool
    waits_since: datetime | None
    case: Case | None
    held_by: UUID | None

    @property
    def picture(self) -> str:
        """The path of the picture."""
        return f"/achievements/{self.version_id}/image.png"

    @property
    def percent(self) -> int:
        """How far the member has come: 100 only if the rule is met."""
        return 0 if self.node is None else int(self.node.progress * 100)

    @property
    def is_met(self) -> bool:
        """Whether the rule is met now."""
        return self.node is not None and self.node.met

    @property
    def can_be_contested(self) -> bool:
        """Whether the "not yet" of the rules can be contested now, as `contestable.of_refusal` says."""
        refused = self.node is not None and not self.node.met and not reviews.waits_for_people(self.node)
        return refused and self.case is None and self.achievement.retired_at is None


@dataclass(frozen=True)
class Untouched:
    """An achievement that a member can still begin."""

    version_id: str
    name: str


@dataclass(frozen=True)
class Progress:
    """One page of a member's progress; `next` is the cursor of the page that follows."""

    begun: Sequence[OnTheWay]
    untouched: Sequence[Untouched]
    next: str | None


def of_member(session: ReadSession, network: Network, member: Member, now: datetime, window: Window) -> Progress:
    """Return what a member is on the way to, judged as the API's progress is; without what they hold.

    Raises:
        InvalidError: as `Window.last`.
    """
    found, following = progress.of_member(session, network, member, now, achievement=None, window=window)
    ids = [each.achievement.id for each in found]
    mine = _members_of(member)
    held = set(
        session.scalars(
            select(Award.achievement_id).where(
                Award.member_id.in_(mine), Award.achievement_id.in_(ids), Award.state.in_(TOLD)
            )
        )
    )
    waiting = select(Review.achievement_id, func.min(Review.opened_at)).where(
        Review.member_id.in_(mine), Review.kind == "approval", Review.state == "waiting", Review.achievement_id.in_(ids)
    )
    waits = dict(session.execute(waiting.group_by(Review.achievement_id)).all())
    open_cases = select(Case).where(Case.member_id.in_(mine), Case.state != "resolved", Case.achievement_id.in_(ids))
    cases = {row.achievement_id: row for row in session.scalars(open_cases)}
    everybody = session.scalars(select(Member).where(Member.id.in_(mine))).all()
    holds = own_disagreements.holds_of(session, everybody)
    begun, untouched = [], []
    for each in found:
        if each.achievement.id in held:
            continue
        if _is_begun(each) or each.achievement.id in waits or each.achievement.id in cases:
            rule = definitions.rule_of(each.version.definition)
            begun.append(
                OnTheWay(
                    each.achievement,
                    str(each.version.id),
                    issuers.marked(network, each.version.name),
                    rule,
                    views.names_of(session, network, each.version, rule),
                    each.node,
                    each.enrolled,
                    waits.get(each.achievement.id),
                    cases.get(each.achievement.id),
                    holds.get(each.achievement.id, holds.get(None)),
                )
            )
        elif each.achievement.retired_at is None:
            untouched.append(Untouched(str(each.version.id), issuers.marked(network, each.version.name)))
    return Progress(begun, untouched, following)


def _is_begun(standing: Standing) -> bool:
    """Return whether there is anything to tell: an enrolment, or evidence that counts for a rule."""
    return standing.enrolled or (standing.node is not None and _counts(standing.node))


def _counts(node: Node) -> bool:
    return node.observed > 0 if not node.children else any(_counts(child) for child in node.children)


def _members_of(member: Member) -> Select[UUID]:
    """Return the members who are the same person in the same network."""
    same = Member.person_id == member.person_id if member.person_id is not None else Member.id == member.id
    return select(Member.id).where(Member.network_id == member.network_id, same)
