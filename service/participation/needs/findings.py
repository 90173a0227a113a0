"""What follows from the answers of a cycle.

To the network: which needs nobody serves. To a member: who could help.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.networks import erasing as networks_erasing
from service.networks import protected
from service.participation.needs import matching, survey
from service.participation.needs.matching import Assigned, Need, Peer, Someone
from service.participation.needs.shapes import LEVELS, SLOTS
from service.participation.needs.survey import Survey, Topic
from service.tables import Member, NeedsCycle, Network

MOST_PEERS: Final = 5
"""How many peers a member is shown for each need."""
MOST_ON_A_PAGE: Final = 200
"""For how many people it is searched who gets whom when one of them looks; the network's report searches further."""
MOST_CYCLES: Final = 12
"""How many cycles a trend goes back."""

Standing = Literal["unserved", "short", "served", "unneeded", "untouched"]
"""Of a topic: nobody serves its needs; too few do; all are served; it is offered and nobody needs it; nobody chose it."""


@dataclass(frozen=True)
class TopicFinding:
    """How a topic stands: how many need it, how many offer it, and for how many of the needs there is somebody."""

    topic: Topic
    needs: int
    most_important: int
    offers: Mapping[str, int]
    served: int
    standing: Standing


@dataclass(frozen=True)
class Report:
    """What a network sees of a cycle."""

    people: int
    answers: int
    topics: Sequence[TopicFinding]
    needs: int
    served: int
    readiness: Mapping[int, int]
    times: Mapping[str, int]


@dataclass(frozen=True)
class Proposal:
    """A need, and whom the network could introduce; None: nobody is left."""

    need: Need
    topic: Topic
    peer: Peer | None


@dataclass(frozen=True)
class Help:
    """A need of a member, and who could help; `found` says whether anybody at all could."""

    need: Need
    topic: Topic
    peers: Sequence[Peer]
    found: bool


@dataclass(frozen=True)
class Trend:
    """How a topic moved over cycles: needs and offers, by the refs of the cycles that had it.

    What people once added in their own words is the topic that the network made of it.
    """

    topic: Topic
    points: Mapping[str, tuple[int, int]]


def report(session: OrmSession, network: Network, cycle: NeedsCycle, now: datetime) -> Report:
    """Return what the network sees of a cycle: the needs that nobody serves first."""
    found = survey.read(session, cycle, now)
    assigned = matching.assign(found.people)
    topics = [_finding(topic, found, assigned) for topic in found.topics.values()]
    return Report(
        people=survey.count_people(session, network),
        answers=len(found.people),
        topics=sorted(topics, key=_urgency),
        needs=sum(each.needs for each in topics),
        served=len(assigned),
        readiness=dict(sorted(Counter(who.readiness for who in found.people if who.readiness is not None).items())),
        times=_in_order(Counter(slot for who in found.people for slot in who.times), SLOTS),
    )


def proposals(session: OrmSession, cycle: NeedsCycle, now: datetime) -> list[Proposal]:
    """Return for each need whom the network could introduce, in the order of the members' refs and the topics."""
    found = survey.read(session, cycle, now)
    assigned = matching.assign(found.people)
    made = []
    for need in matching.needs_of(found.people):
        who = assigned.get(need.key)
        peer = None if who is None else matching.peer_for(need, who)
        made.append(Proposal(need, found.topics[need.topic], peer))
    return sorted(made, key=lambda each: (each.need.who.ref, each.need.topic))


def help_for(session: OrmSession, cycle: NeedsCycle, member: Member, now: datetime) -> list[Help]:
    """Return who could help a member with each need, the most important first.

    Only people are named who said that peers may see their offer, and no children or students. Children and students
    are shown nobody: their network introduces them. The peer who is proposed so that all get somebody comes first.
    """
    found = survey.read(session, cycle, now)
    who = found.by_member.get(_answered_as(session, found, member))
    if who is None:
        return []
    offers = matching.offering(found.people, is_shown)
    assigned = matching.assign(found.people, is_shown, most_searched=MOST_ON_A_PAGE)
    load = matching.load_of(assigned)
    sees = not protected.is_protected(session, member.id, now)
    made = []
    for need in matching.needs_of([who]):
        peers = matching.ranked(need, offers, load)
        first = assigned.get(need.key)
        peers.sort(key=lambda peer: peer.who != first)
        made.append(Help(need, found.topics[need.topic], peers[:MOST_PEERS] if sees else [], found=bool(peers)))
    return made


def is_shown(who: Someone) -> bool:
    """Return whether peers are shown somebody's offer: by consent, never of children and students, and by a name."""
    return who.shares and not who.protected and shown_name(who) is not None


def shown_name(who: Someone) -> str | None:
    """Return by what peers know somebody: the name that the network gave, or the ref, unless that is an address."""
    return who.name or (None if networks_erasing.is_address(who.ref) else who.ref)


def trends(session: OrmSession, network: Network, now: datetime) -> tuple[list[NeedsCycle], list[Trend]]:
    """Return the newest cycles that have opened, the oldest first, and how each of their topics moved."""
    query = select(NeedsCycle).where(NeedsCycle.network_id == network.id, NeedsCycle.opens_at <= now)
    rows = session.scalars(query.order_by(NeedsCycle.opens_at.desc(), NeedsCycle.id.desc()).limit(MOST_CYCLES)).all()
    read = [survey.read(session, row, now) for row in reversed(rows)]
    became = {survey.words_of(each): each.key for found in read for each in found.topics.values() if each.code}
    topics: dict[str, Topic] = {}
    points: dict[str, dict[str, tuple[int, int]]] = {}
    for found in read:
        needs, offers = _counts(found)
        for topic in found.topics.values():
            key = topic.key if topic.code else became.get(survey.words_of(topic), topic.key)
            if topic.code or key not in topics:
                topics[key] = topic  # as the network called it last
            before = points.setdefault(key, {}).get(found.cycle.ref, (0, 0))
            points[key][found.cycle.ref] = (before[0] + needs[topic.key], before[1] + offers[topic.key])
    return list(reversed(rows)), [Trend(topics[key], points[key]) for key in sorted(topics, key=_by_list(topics))]


def _by_list(topics: Mapping[str, Topic]) -> Callable[[str], tuple[bool, str]]:
    """Return the order in which trends are told: topics of networks before those of people, each by their names."""
    return lambda key: (topics[key].code is None, topics[key].label.casefold())


def _counts(found: Survey) -> tuple[Counter[str], Counter[str]]:
    needs = Counter(topic for who in found.people for topic in who.learn)
    return needs, Counter(topic for who in found.people for topic in who.offer)


def _finding(topic: Topic, found: Survey, assigned: Assigned) -> TopicFinding:
    needs = [who for who in found.people if topic.key in who.learn]
    offers = [who for who in found.people if topic.key in who.offer]
    served = sum(1 for who in needs if (who.id, topic.key) in assigned)
    standing: Standing = "served"
    if not needs:
        standing = "unneeded" if offers else "untouched"
    elif not any(who.id != peer.id for who in needs for peer in offers):
        standing = "unserved"
    elif served < len(needs):
        standing = "short"
    return TopicFinding(
        topic,
        needs=len(needs),
        most_important=sum(1 for who in needs if who.learn[topic.key] == 3),
        offers=_in_order(Counter(who.offer[topic.key] for who in offers), LEVELS),
        served=served,
        standing=standing,
    )


def _urgency(found: TopicFinding) -> tuple[int, int, int, str]:
    return get_args(Standing).index(found.standing), found.served - found.needs, -found.most_important, found.topic.key


def _in_order(counts: Counter[str], names: Sequence[str]) -> dict[str, int]:
    return {name: counts[name] for name in names if counts[name]}


def _answered_as(session: OrmSession, found: Survey, member: Member) -> UUID:
    """Return the member under whose ref a person answered."""
    if member.id in found.by_member or member.person_id is None:
        return member.id
    same = select(Member.id).where(Member.person_id == member.person_id, Member.network_id == member.network_id)
    return next((each for each in session.scalars(same) if each in found.by_member), member.id)
