"""Which objectives an achievement serves, and in which versions.

They are those that its definition names. Publishing pins the newest version of each. So who is enrolled in a version of the achievement is judged by the objectives
as they were then. A badge states the alignments of those versions beside the definition's own; a definition that names no
objectives gives the very same badge as before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.criteria.kinds.rule import DefinitionFault
from service.criteria.kinds.tally import Tally
from service.networks import objectives
from service.tables import Achievement, AchievementVersion, Network


@dataclass(frozen=True)
class Served:
    """An objective as a published version serves it, or as a draft would."""

    ref: str
    version: int
    text: str
    measure: str | None
    alignment: tuple[dict[str, Any], ...] = ()


def faults(session: OrmSession, network: Network, definition: Mapping[str, Any]) -> Iterator[DefinitionFault]:
    """Yield a fault for each named objective that is unknown or retired."""
    codes = definition.get("objectives", [])
    found = objectives.known(session, network, codes)
    for index, code in enumerate(codes):
        fault = objectives.fault_of(session, network, code, found.get(code))
        if fault is not None:
            yield DefinitionFault(*fault, f"/objectives/{index}")


def unknown_in(session: OrmSession, network: Network, rule: Tally, place: str) -> Iterator[DefinitionFault]:
    """Yield a fault if the filter of a rule names an objective that the network does not have; a retired one counts on."""
    code = rule.where.objective
    if code is None:
        return
    fault = objectives.fault_of(
        session, network, code, objectives.known(session, network, [code]).get(code), kept=[code]
    )
    if fault is not None:
        yield DefinitionFault(*fault, f"{place}/where/objective")


def pins(session: OrmSession, network: Network, definition: Mapping[str, Any]) -> dict[str, int]:
    """Return the newest version of each objective that a definition names, by code."""
    found = objectives.known(session, network, definition.get("objectives", []))
    return {code: row.version for code, row in found.items()}


def is_behind(session: OrmSession, network: Network, version: AchievementVersion) -> bool:
    """Return whether a published version serves an objective that has a newer version."""
    pinned = version.pinned_objectives
    return bool(pinned) and version.published_at is not None and pins(session, network, version.definition) != pinned


def served(session: OrmSession, version: AchievementVersion) -> list[Served]:
    """Return the objectives that a version serves, in the order of its definition."""
    if not version.definition.get("objectives"):
        return []
    network = session.scalars(
        select(Network)
        .join(Achievement, Achievement.network_id == Network.id)
        .where(Achievement.id == version.achievement_id)
    ).one()
    pinned = (
        version.pinned_objectives if version.published_at is not None else pins(session, network, version.definition)
    )
    found = objectives.pinned(session, network, pinned)
    return [
        Served(
            code,
            found[code].version,
            found[code].content["text"],
            found[code].content.get("measure"),
            tuple(found[code].content.get("alignment", ())),
        )
        for code in version.definition["objectives"]
        if code in found
    ]


def alignments(session: OrmSession, version: AchievementVersion) -> list[dict[str, Any]]:
    """Return to what an achievement is aligned: by its definition, then by its objectives, each address once."""
    own: list[dict[str, Any]] = list(version.definition.get("alignment", []))
    known = {each["target_url"] for each in own}
    for objective in served(session, version):
        for each in objective.alignment:
            if each["target_url"] not in known:
                known.add(each["target_url"])
                own.append(each)
    return own
