"""Find the faults that keep a definition from being published.

A rule that nobody can ever meet is refused if that is certain: by its own numbers (`service.criteria.kinds.rule`),
because the achievement requires itself, or because its window is over and nothing that counts was recorded in it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from service.achievements import definitions
from service.achievements.definitions import RULE
from service.criteria import tree
from service.criteria.kinds.endorsed import Endorsed
from service.criteria.kinds.holds import Holds
from service.criteria.kinds.rule import DefinitionFault, Rule
from service.criteria.kinds.tally import Tally
from service.criteria.queries import numbers, parameters
from service.criteria.windows import Between
from service.tables import Achievement, AchievementVersion, Meeting, Network

NOBODY = definitions.NOBODY


def faults(
    session: OrmSession, network: Network, ref: str, definition: Mapping[str, Any], now: datetime
) -> Iterator[DefinitionFault]:
    """Yield the faults that prevent publication of a definition of `ref`.

    Their pointers are into the definition.

    1. Faults that the definition alone shows (`definitions.faults`).
    2. Sessions, achievements and versions that do not exist; an achievement that requires itself.
    3. A window that is over, and in which nothing that counts was recorded.
    """
    zone = ZoneInfo(network.time_zone)
    said = list(definitions.faults(definition, zone))
    yield from said  # (1)
    rule = definitions.rule_of(definition)
    for place, node in tree.walk(rule, RULE) if rule is not None else ():
        if isinstance(node, Tally):
            yield from _unknown_sessions(session, network, node, place)  # (2)
        if isinstance(node, Holds):
            yield from _not_to_be_held(session, network, ref, node, place)
        if isinstance(node, Endorsed) and _are_unknown(session, network, node):
            yield DefinitionFault(*_UNKNOWN, f"{place}/from_achievement")
        if isinstance(node, Rule) and not said:
            yield from _over(session, network, node, place, now)  # (3)


def newest_published(session: OrmSession, achievement: Achievement) -> AchievementVersion | None:
    """Return the newest published version of an achievement; None if there is none."""
    published = select(AchievementVersion).where(
        AchievementVersion.achievement_id == achievement.id, AchievementVersion.published_at.is_not(None)
    )
    return session.scalar(published.order_by(AchievementVersion.version.desc()).limit(1))


_UNKNOWN = ("achievement-unknown", "Expected the ref of a published achievement of this network.")
_ITSELF = ("requires-itself", "Expected other achievements: this one would be asked for to earn itself.")


def _unknown_sessions(session: OrmSession, network: Network, rule: Tally, place: str) -> Iterator[DefinitionFault]:
    named = rule.where.sessions or []
    listed = Meeting.network_id == network.id, Meeting.ref.in_(named)
    known = set(session.scalars(select(Meeting.ref).where(*listed))) if named else set()
    for index, ref in enumerate(named):
        if ref not in known:
            message = "Expected the ref of a session of this network; post the session first."
            yield DefinitionFault("session-unknown", message, f"{place}/where/sessions/{index}")


def _not_to_be_held(
    session: OrmSession, network: Network, own: str, rule: Holds, place: str
) -> Iterator[DefinitionFault]:
    found = [_published(session, network, ref) for ref in rule.achievements]
    for index, (ref, version) in enumerate(zip(rule.achievements, found, strict=True)):
        if _asks_for(session, network, own, ref):
            yield DefinitionFault(*_ITSELF, f"{place}/achievements/{index}")
        elif version is None:
            yield DefinitionFault(*_UNKNOWN, f"{place}/achievements/{index}")
    late_enough = [version for version in found if version is not None and version.version >= (rule.min_version or 1)]
    if None not in found and len(late_enough) < (rule.n or len(found)):
        message = f"Expected a published version: only {len(late_enough)} of the achievements have one as late as this."
        yield DefinitionFault("version-unknown", message, f"{place}/min_version")


def _asks_for(session: OrmSession, network: Network, own: str, ref: str) -> bool:
    """Return whether the achievement `ref` is `own`, or requires it.

    It may require it through any number of other achievements.
    """
    seen: set[str] = set()
    ahead = [ref]
    while ahead:
        at = ahead.pop()
        if at == own:
            return True
        if at in seen:
            continue
        seen.add(at)
        version = _published(session, network, at)
        rule = definitions.rule_of(version.definition) if version is not None else None
        for _, node in tree.walk(rule) if rule is not None else ():
            if isinstance(node, Holds):
                ahead.extend(node.achievements)
    return False


def _are_unknown(session: OrmSession, network: Network, rule: Endorsed) -> bool:
    """Return whether endorsers must hold an achievement that nobody can hold."""
    return rule.from_achievement is not None and _published(session, network, rule.from_achievement) is None


def _published(session: OrmSession, network: Network, ref: str) -> AchievementVersion | None:
    found = session.scalar(select(Achievement).where(Achievement.network_id == network.id, Achievement.ref == ref))
    return newest_published(session, found) if found is not None else None


def _over(session: OrmSession, network: Network, rule: Rule, place: str, now: datetime) -> Iterator[DefinitionFault]:
    """Yield a fault for a window that is over and in which nobody has anything.

    Only evidence with an earlier date could still be in it.
    """
    window = rule.window
    end = window.bounds(now, ZoneInfo(network.time_zone)).end if isinstance(window, Between) else None
    if end is None or end > now:
        return
    rows = numbers([rule], of_members=False).order_by(None).subquery()
    anything = select(rows.c.member_id).where(or_(rows.c.observed != 0, rows.c.beside != 0)).limit(1)
    if session.execute(anything, parameters([rule], network, NOBODY, now)).first() is None:
        message = "Expected a window that is not over; nothing that counts was recorded in this one."
        yield DefinitionFault("window-over", message, f"{place}/window/to")
