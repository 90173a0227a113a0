"""Find the faults that keep a definition from being published.

A rule that nobody can ever meet is refused if that is certain: by its own numbers (`service.criteria.kinds.rule`),
because the achievement requires itself, or because its window is over and nothing that counts was recorded in it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from service.achievements import definitions, serving
from service.achievements.definitions import RULE
from service.criteria import tree
from service.criteria.kinds.endorsed import Endorsed
from service.criteria.kinds.holds import Holds
from service.criteria.kinds.rule import DefinitionFault, Rule
from service.criteria.kinds.tally import Tally
from service.criteria.queries import numbers, parameters
from service.criteria.windows import Between
from service.errors import ConflictError
from service.suggestions import MOST, Suggestions
from service.tables import Achievement, AchievementVersion, Meeting, Network

NOBODY = definitions.NOBODY


def faults(
    session: OrmSession, network: Network, ref: str, definition: Mapping[str, Any], now: datetime
) -> Iterator[DefinitionFault]:
    """Yield the faults that prevent publication of a definition of `ref`.

    Their pointers are into the definition.

    1. Faults that the definition alone shows (`definitions.faults`).
    2. Sessions, objectives, achievements and versions that do not exist; an achievement that requires itself.
    3. A window that is over, and in which nothing that counts was recorded.
    4. The achievement is retired.
    5. It serves objectives that do not exist, or are retired.
    """
    known = session.scalar(select(Achievement).where(Achievement.network_id == network.id, Achievement.ref == ref))
    if known is not None and known.retired_at is not None:  # (4)
        message = "Expected an achievement that can be earned; this one is retired."
        yield DefinitionFault("achievement-retired", message, "")
    zone = ZoneInfo(network.time_zone)
    said = list(definitions.faults(definition, zone))
    yield from said  # (1)
    yield from serving.faults(session, network, definition)  # (5)
    rule, suggested = definitions.rule_of(definition), Suggestions()
    for place, node in tree.walk(rule, RULE) if rule is not None else ():
        if isinstance(node, Tally):
            yield from _unknown_sessions(session, network, node, place, suggested)  # (2)
            yield from serving.unknown_in(session, network, node, place)
        if isinstance(node, Holds):
            yield from _not_to_be_held(session, network, ref, node, place, suggested)
        if isinstance(node, Endorsed):
            yield from _not_to_be_held_by_endorsers(session, network, node, place, suggested)
        if isinstance(node, Rule) and not said:
            yield from _over(session, network, node, place, now)  # (3)


def related_to_itself(version: AchievementVersion) -> Iterator[DefinitionFault]:
    """Yield a fault for each related achievement that is this version.

    An id that occurs twice lets members be moved between the two without breaking a signature.
    """
    for index, each in enumerate(version.definition.get("related", [])):
        if str(version.id) in each["id"].lower():
            message = "Expected the address of another achievement, got one of this version."
            yield DefinitionFault("related-to-itself", message, f"/related/{index}/id")


def still_earned(achievement: Achievement, pointer: str = "") -> None:
    """Let what awards an achievement pass if it can still be earned.

    Raises:
        ConflictError: it is retired (code "achievement-retired").
    """
    if achievement.retired_at is not None:
        message = (
            f"Expected an achievement that can be earned; this one is retired since {achievement.retired_at:%Y-%m-%d}."
        )
        raise ConflictError("achievement-retired", message, pointer)


def about(version: AchievementVersion) -> dict[str, str]:
    """Return the identifiers that events give for a version of an achievement."""
    return {"achievement": str(version.achievement_id), "achievement_version": str(version.id)}


def newest_published(session: OrmSession, achievement: Achievement) -> AchievementVersion | None:
    """Return the newest published version of an achievement; None if there is none."""
    published = select(AchievementVersion).where(
        AchievementVersion.achievement_id == achievement.id, AchievementVersion.published_at.is_not(None)
    )
    return session.scalar(published.order_by(AchievementVersion.version.desc()).limit(1))


_ITSELF = ("requires-itself", "Expected other achievements: this one would be asked for to earn itself.")


def _unknown_sessions(
    session: OrmSession, network: Network, rule: Tally, place: str, suggested: Suggestions
) -> Iterator[DefinitionFault]:
    named = rule.where.sessions or []
    listed = Meeting.network_id == network.id, Meeting.ref.in_(named)
    known = set(session.scalars(select(Meeting.ref).where(*listed))) if named else set()
    for index, ref in enumerate(named):
        if ref not in known:
            meant = suggested(ref, lambda: _others(session, network, Meeting, ref))  # noqa: B023
            message = f"Expected the ref of a session of this network{meant}; post the session first."
            yield DefinitionFault("session-unknown", message, f"{place}/where/sessions/{index}")


def _not_to_be_held(
    session: OrmSession, network: Network, own: str, rule: Holds, place: str, suggested: Suggestions
) -> Iterator[DefinitionFault]:
    found = [_published(session, network, ref) for ref in rule.achievements]
    for index, (ref, version) in enumerate(zip(rule.achievements, found, strict=True)):
        if _asks_for(session, network, own, ref):
            yield DefinitionFault(*_ITSELF, f"{place}/achievements/{index}")
        elif version is None:
            yield _unknown(session, network, ref, f"{place}/achievements/{index}", suggested)
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


def _not_to_be_held_by_endorsers(
    session: OrmSession, network: Network, rule: Endorsed, place: str, suggested: Suggestions
) -> Iterator[DefinitionFault]:
    if rule.from_achievement is not None and _published(session, network, rule.from_achievement) is None:
        yield _unknown(session, network, rule.from_achievement, f"{place}/from_achievement", suggested)


def _unknown(session: OrmSession, network: Network, ref: str, place: str, suggested: Suggestions) -> DefinitionFault:
    """Return the fault that nobody can hold an achievement."""
    meant = suggested(ref, lambda: _others(session, network, Achievement, ref))
    message = f"Expected the ref of a published achievement of this network{meant}."
    return DefinitionFault("achievement-unknown", message, place)


def _others(session: OrmSession, network: Network, table: type[Achievement | Meeting], ref: str) -> Iterable[str]:
    """Return the refs that may have been meant by one that cannot be used: the newest, if there are many."""
    known = select(table.ref).where(table.network_id == network.id, table.ref != ref)
    return session.scalars(known.order_by(table.id.desc()).limit(MOST))


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
