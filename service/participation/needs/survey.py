"""All answers of a cycle, read once.

With their topics, by what these are known again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from service.networks import protected
from service.participation.needs import cycles, own_topics
from service.participation.needs.matching import Someone
from service.participation.needs.shapes import CAN_HELP
from service.tables import Member, NeedsAnswer, NeedsCycle, Network

OF_CYCLE: Final = "topic "
"""How the key of a topic of the cycle begins; its code follows."""
OF_PEOPLE: Final = "own "
"""How the key of a topic in the words of people begins."""


@dataclass(frozen=True)
class Topic:
    """A topic of the cycle, by its code, or one that people added, in the words of the first of them."""

    key: str
    label: str
    labels: Mapping[str, str]
    code: str | None = None
    objective: str | None = None

    def in_language(self, language: str) -> str:
        """Return how people read it in a language."""
        return cycles.in_language(self.label, self.labels, language)


@dataclass(frozen=True)
class Survey:
    """What people answered in a cycle, one for each person, in the order in which they first did so."""

    cycle: NeedsCycle
    topics: Mapping[str, Topic]
    people: tuple[Someone, ...]
    by_member: Mapping[UUID, Someone]


def read(session: OrmSession, cycle: NeedsCycle, now: datetime) -> Survey:
    """Return what was answered in a cycle, as of now.

    If two members turned out to be one person, the newer answer is the person's.
    """
    topics = {
        f"{OF_CYCLE}{each.code}": Topic(
            f"{OF_CYCLE}{each.code}", each.label, each.labels or {}, each.code, each.objective
        )
        for each in cycles.topics_of(cycle)
    }
    by_words = {own_topics.key_of(topic.label): key for key, topic in topics.items()}
    query = select(NeedsAnswer, Member).join(Member, Member.id == NeedsAnswer.member_id)
    rows = session.execute(query.where(NeedsAnswer.cycle_id == cycle.id, Member.erased_at.is_(None)))
    guard = select(NeedsAnswer.member_id).where(NeedsAnswer.member_id.in_(protected.holders(now)))
    guarded = set(session.scalars(guard.where(NeedsAnswer.cycle_id == cycle.id)))
    newest: dict[UUID, Someone] = {}
    by_member: dict[UUID, Someone] = {}
    oneself: dict[UUID, UUID] = {}
    for row, member in sorted(rows, key=lambda each: (each[0].changed_at, each[0].id)):
        person = member.person_id or member.id
        newest[person] = _someone(row, member, topics, by_words, is_protected=member.id in guarded)
        oneself[member.id] = person
    for member_id, person in oneself.items():
        by_member[member_id] = newest[person]
    people = sorted(newest.values(), key=lambda who: who.ref)
    return Survey(cycle, topics, tuple(people), by_member)


def words_of(topic: Topic) -> str:
    """Return by which words a topic is known again in other cycles."""
    return own_topics.key_of(topic.label)


def count_people(session: OrmSession, network: Network) -> int:
    """Return how many people are members of a network, each counted once."""
    oneself = func.coalesce(Member.person_id, Member.id)
    query = select(func.count(func.distinct(oneself))).where(
        Member.network_id == network.id, Member.erased_at.is_(None)
    )
    return session.scalar(query) or 0


def _someone(
    row: NeedsAnswer, member: Member, topics: dict[str, Topic], by_words: Mapping[str, str], *, is_protected: bool
) -> Someone:
    said = row.said
    return Someone(
        id=member.person_id or member.id,
        ref=member.ref,
        name=member.name,
        learn={_key(each, topics, by_words): each["importance"] for each in said["learn"]},
        offer={_key(each, topics, by_words): each["level"] for each in said["offer"]},
        readiness=said.get("readiness"),
        times=tuple(said["times"]),
        can_help=said.get("can_help", CAN_HELP),
        shares=row.share_offer and row.via != "network",  # who agrees says so in person
        protected=is_protected,
    )


def _key(chosen: Mapping[str, Any], topics: dict[str, Topic], by_words: Mapping[str, str]) -> str:
    """Return by what a topic is known; one in people's own words is added to the topics."""
    if "topic" in chosen:
        return f"{OF_CYCLE}{chosen['topic']}"
    words = own_topics.key_of(chosen["own"])
    if words in by_words:  # the network has made it a topic of the cycle since
        return by_words[words]
    key = f"{OF_PEOPLE}{words}"
    topics.setdefault(key, Topic(key, chosen["own"], {}))
    return key
