"""Topics: which achievements to evaluate again when something new is known.

A rule names the topics on which its number can grow (`Rule.topics`), and evidence names those that it is about
(`service.evidence.topics.heard`). So a new piece of evidence costs as many rules as it touches, and not as many as the
network has.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select

from service.criteria.tree import Criterion, rules
from service.storage.database import WriteSession
from service.tables import Achievement, Listener, Network

ALWAYS = "*"
"""The topic of an achievement that listens to everything."""

Topics = Mapping[UUID, Collection[str]]
"""What is new, by member."""


def published(achievement: Achievement) -> str:
    """Return the topic of the publication of a version of the achievement."""
    return f"published:{achievement.id}"


def awarded(session: WriteSession, achievement_ids: Collection[UUID]) -> set[str]:
    """Return the topics of awards of these achievements."""
    refs = session.scalars(select(Achievement.ref).where(Achievement.id.in_(achievement_ids)))
    return {f"award:{ref}" for ref in refs}


def index(session: WriteSession, network: Network, achievement: Achievement, tree: Criterion) -> None:
    """Add the topics to which a version that is published now listens.

    Those of earlier versions stay, because members can still be bound to these versions.
    """
    wanted = {published(achievement)}.union(*(rule.topics for rule in rules(tree)))
    mine = Listener.network_id == network.id, Listener.achievement_id == achievement.id
    fresh = wanted - set(session.scalars(select(Listener.topic).where(*mine)))
    rows: list[dict[str, Any]] = [
        {"network_id": network.id, "topic": topic, "achievement_id": achievement.id} for topic in sorted(fresh)
    ]
    if rows:
        session.execute(insert(Listener), rows)


def achievements(network: Network, topics: Collection[str]) -> Select[UUID]:
    """Return the query of the achievements that listen to one of the topics."""
    wanted = Listener.topic.in_({ALWAYS, *topics})
    return select(Listener.achievement_id).where(Listener.network_id == network.id, wanted)
