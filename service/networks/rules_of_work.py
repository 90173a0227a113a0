"""Under which rules people work in a network: who leads, toward what, and what everyone has agreed to.

A formal network needs all of it before it issues badges. Readers of its badges see how it was at the time of an award:
numbers, dates and texts of the network, and no names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.tables import (
    Expectation,
    GuidelineVersion,
    Meeting,
    Member,
    Network,
    Objective,
    ObjectiveVersion,
    Role,
)

FACILITATOR: Final = "facilitator"


@dataclass(frozen=True)
class MissingPart:
    """Something that a formal network needs and this one lacks, and the request that adds it."""

    code: str
    detail: str
    request: str


@dataclass(frozen=True)
class RulesOfWork:
    """What was in force in a network at one time.

    Attributes:
        facilitators: how many persons had the role.
        led_since: the first day of the role of the one among them who had it longest; None without facilitators.
        objectives: what it worked toward, each in the version of then.
        guidelines: the version of the guidelines that was in force; None if none was published.
    """

    facilitators: int
    led_since: date | None
    objectives: Sequence[ObjectiveVersion]
    guidelines: GuidelineVersion | None


def at(session: OrmSession, network: Network, moment: datetime) -> RulesOfWork:
    """Return under which rules people worked in a network at a moment."""
    leading = select(func.count(func.coalesce(Member.person_id, Member.id).distinct()), func.min(Role.from_date))
    led, since = session.execute(leading.join(Member, Member.id == Role.member_id).where(_leads(network, moment))).one()
    newest = (
        select(ObjectiveVersion.objective_id, func.max(ObjectiveVersion.version).label("version"))
        .where(ObjectiveVersion.at <= moment)
        .group_by(ObjectiveVersion.objective_id)
        .subquery()
    )
    objectives = (
        select(ObjectiveVersion)
        .join(newest, and_(newest.c.objective_id == ObjectiveVersion.objective_id, _same(newest)))
        .join(Objective, Objective.id == ObjectiveVersion.objective_id)
        .where(Objective.network_id == network.id, or_(Objective.retired_at.is_(None), Objective.retired_at > moment))
        .order_by(Objective.ref)
    )
    guidelines = (
        select(GuidelineVersion)
        .where(GuidelineVersion.network_id == network.id, GuidelineVersion.published_at <= moment)
        .order_by(GuidelineVersion.number.desc())
        .limit(1)
    )
    return RulesOfWork(led, since, session.scalars(objectives).all(), session.scalar(guidelines))


def missing(session: OrmSession, network: Network, now: datetime) -> list[MissingPart]:
    """Return what a network lacks to be formal; nothing if it has all of it."""
    root, found = f"/v1/networks/{network.slug}", at(session, network, now)
    lacks = []
    if not found.facilitators:
        lacks.append(
            MissingPart(
                "facilitator-missing",
                "Nobody leads: one member needs the role facilitator, from now or earlier.",
                f'PUT {root}/members/{{ref}} with "roles": ["{FACILITATOR}"]',
            )
        )
    if not found.objectives:
        lacks.append(
            MissingPart(
                "objective-missing",
                "Nothing says what the network works toward: it needs an objective.",
                f"PUT {root}/objectives/{{ref}}",
            )
        )
    if not _has_a_schedule(session, network, now):
        lacks.append(
            MissingPart(
                "schedule-missing",
                "Nothing says when people work together: it needs a session that is in a series, or an expectation.",
                f'PUT {root}/sessions/{{ref}} with a "series", or PUT {root}/expectations/{{ref}}',
            )
        )
    if found.guidelines is None:
        lacks.append(
            MissingPart(
                "guidelines-missing",
                "Nothing says what everyone agrees to: it needs guidelines that are published.",
                f"PUT {root}/guidelines/draft, then POST {root}/guidelines/draft/publication",
            )
        )
    return lacks


def _leads(network: Network, moment: datetime) -> ColumnElement[bool]:
    in_force = and_(Role.from_at <= moment, or_(Role.until_at.is_(None), Role.until_at > moment))
    return and_(Member.network_id == network.id, Role.role == FACILITATOR, in_force)


def _same(newest: Any) -> ColumnElement[bool]:
    return newest.c.version == ObjectiveVersion.version  # type: ignore[no-any-return]


def _has_a_schedule(session: OrmSession, network: Network, now: datetime) -> bool:
    series = select(Meeting.id).where(Meeting.network_id == network.id, Meeting.series.is_not(None)).limit(1)
    if session.scalar(series) is not None:
        return True
    ended = select(Expectation.id, Expectation.ended_on).where(Expectation.network_id == network.id)
    today = now.date()
    open_ones = ended.where(or_(Expectation.ended_on.is_(None), Expectation.ended_on > today)).limit(1)
    return session.scalar(open_ones) is not None
