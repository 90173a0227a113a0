"""Which achievements must be asked again when something new is known: topics, and who listens to them.

A rule names the topics on which its number can grow (`Rule.topics`), evidence names those that it is about
(`heard`). A new piece of evidence then costs as many rules as it touches, and not as many as the network has.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select

from service.criteria.tree import Criterion, rules
from service.evidence.bodies import Derived
from service.storage.database import WriteSession
from service.tables import Achievement, Contribution, Evaluation, Listener, Network

ALWAYS = "*"
"""The topic of whoever listens to everything."""

Topics = Mapping[UUID, Collection[str]]
"""What is new, by member."""


def heard(derived: Derived) -> dict[UUID, set[str]]:
    """Return what derived rows are about, by the member on whom they bear."""
    found: defaultdict[UUID, set[str]] = defaultdict(set)
    for table, row in derived:
        if table is Contribution:
            found[row["member_id"]] |= {f"did:{row['type']}", "did:*"}
        elif table is Evaluation and row["member_id"] is not None:
            found[row["member_id"]].add(f"{row['kind']}:{row['instrument'] or ''}")
    return dict(found)


def published(achievement: Achievement) -> str:
    """Return the topic that is heard when a version of the achievement is published."""
    return f"published:{achievement.id}"


def awarded(session: WriteSession, achievement_ids: Collection[UUID]) -> set[str]:
    """Return the topics that are heard when achievements are awarded."""
    refs = session.scalars(select(Achievement.ref).where(Achievement.id.in_(achievement_ids)))
    return {f"award:{ref}" for ref in refs}


def index(session: WriteSession, network: Network, achievement: Achievement, tree: Criterion) -> None:
    """Add what a version that is published now listens to; members can still be bound to those before it."""
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
