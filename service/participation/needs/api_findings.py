"""What follows from the answers of a cycle, over HTTP."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends
from pydantic import Field

from service.access.callers import READ, Caller
from service.bodies import Instant
from service.participation.needs import answers, cycles, findings, words
from service.participation.needs.findings import Help, Proposal, Report, Standing, TopicFinding, Trend
from service.participation.needs.matching import Peer
from service.participation.needs.shapes import Level, Slot
from service.participation.needs.survey import Topic
from service.tables import NeedsCycle, Network
from service.texts.languages import LANGUAGES, Language
from service.web.requests import Answer, Needs, Now, Page, Reader, ReadNetwork, StrictRoute, Windowed

router = APIRouter(route_class=StrictRoute, tags=["needs"])
CanRead = Annotated[Caller, Depends(Needs(*READ))]
CYCLE = "/v1/networks/{slug}/needs-cycles/{ref}"


class NeedsTopicShown(Answer):
    """A topic of a cycle, or one that people added."""

    topic: str | None = Field(None, description="its code; left out where people added it in their own words")
    label: str = Field(description="in the network's language, or in the words of the first who added it")
    objective: str | None = None

    @classmethod
    def told(cls, topic: Topic, language: Language) -> Self:
        """Return the answer for one topic."""
        label = topic.in_language(language.code)
        return cls.model_validate({"topic": topic.code, "label": label, "objective": topic.objective})


class NeedsTopicReport(Answer):
    """How a topic stands in a cycle."""

    topic: NeedsTopicShown
    needs: int = Field(description="how many people want to learn it")
    most_important: int = Field(description="to how many of them it is most important")
    offers: int = Field(description="how many people offer it")
    levels: dict[Level, int]
    served: int = Field(description="for how many of the needs there is somebody who has room for them")
    standing: Standing = Field(
        description=(
            "unserved: nobody else offers it; short: there are fewer people with room than needs; served; unneeded: it is"
            " offered and nobody wants to learn it; untouched: nobody chose it"
        )
    )

    @classmethod
    def of(cls, found: TopicFinding, language: Language) -> Self:
        """Return the answer for one topic."""
        counts = {name: getattr(found, name) for name in ("needs", "most_important", "served", "standing")}
        shown = NeedsTopicShown.told(found.topic, language)
        return cls.model_validate(
            counts | {"topic": shown, "offers": sum(found.offers.values()), "levels": found.offers}
        )


class NeedsReportOut(Answer):
    """What a network sees of a cycle: the needs that nobody serves first."""

    cycle: str
    people: int = Field(description="how many people are members, each counted once")
    answers: int
    needs: int = Field(description="how many needs there are: a person can have several")
    served: int = Field(
        description="how many of them can be served together. Up to 1,000 answers no assignment serves more important "
        "ones; beyond, at least half as much is served as could be"
    )
    topics: list[NeedsTopicReport]
    readiness: dict[str, int] = Field(description="how many said 1 to 5", examples=[{"3": 4, "5": 2}])
    times: dict[Slot, int] = Field(description="how many have time, in the network's time zone")

    @classmethod
    def of(cls, cycle: NeedsCycle, found: Report, language: Language) -> Self:
        """Return the answer for one cycle."""
        counts = {name: getattr(found, name) for name in ("people", "answers", "needs", "served", "times")}
        topics = [NeedsTopicReport.of(each, language) for each in found.topics]
        readiness = {str(number): count for number, count in found.readiness.items()}
        return cls.model_validate(counts | {"cycle": cycle.ref, "topics": topics, "readiness": readiness})


class NeedsPeerOut(Answer):
    """Somebody who could help, and why."""

    member: str
    name: str | None
    level: Level
    common_times: list[Slot]
    full: bool = Field(description="as many people as they help are led to them already")
    why: list[str] = Field(description="as sentences for who wants to learn, in the network's language")

    @classmethod
    def of(cls, peer: Peer, language: Language) -> Self:
        """Return the answer for one peer."""
        return cls(
            member=peer.who.ref,
            name=peer.who.name,
            level=peer.level,
            common_times=list(peer.common),
            full=peer.full,
            why=words.reasons(peer, language),
        )


class NeedsProposalOut(Answer):
    """A need, and whom the network could introduce."""

    member: str = Field(description="who wants to learn")
    topic: NeedsTopicShown
    importance: int
    peer: NeedsPeerOut | None = Field(None, description="left out: nobody with room is left for this need")
    peer_shares: bool | None = Field(
        None, description="the peer agreed that others see the offer; if not, ask them before you name them"
    )

    @classmethod
    def of(cls, made: Proposal, language: Language) -> Self:
        """Return the answer for one need."""
        return cls(
            member=made.need.who.ref,
            topic=NeedsTopicShown.told(made.topic, language),
            importance=made.need.importance,
            peer=None if made.peer is None else NeedsPeerOut.of(made.peer, language),
            peer_shares=None if made.peer is None else findings.is_shown(made.peer.who),
        )


class NeedsHelpOut(Answer):
    """A need of a member, and who could help."""

    topic: NeedsTopicShown
    importance: int
    found: bool = Field(description="somebody who lets peers see their offer could help")
    peers: list[NeedsPeerOut] = Field(description="up to 5, the best first; nobody is named to children and students")

    @classmethod
    def of(cls, made: Help, language: Language) -> Self:
        """Return the answer for one need."""
        peers = [NeedsPeerOut.of(each, language) for each in made.peers]
        shown = NeedsTopicShown.told(made.topic, language)
        return cls(topic=shown, importance=made.need.importance, found=made.found, peers=peers)


class NeedsPeersOut(Answer):
    """Who could help a member in a cycle."""

    member: str
    cycle: str
    needs: list[NeedsHelpOut]


class NeedsTrendPoint(Answer):
    """How many needed and offered a topic in a cycle."""

    cycle: str
    needs: int
    offers: int


class NeedsTopicTrend(Answer):
    """How a topic moved from cycle to cycle."""

    topic: NeedsTopicShown
    direction: Literal["more", "fewer", "same"] | None = Field(
        None, description="how needs moved between the last two cycles that had the topic; left out after only one"
    )
    points: list[NeedsTrendPoint]

    @classmethod
    def of(cls, found: Trend, language: Language) -> Self:
        """Return the answer for one topic."""
        points = [
            NeedsTrendPoint(cycle=ref, needs=needs, offers=offers) for ref, (needs, offers) in found.points.items()
        ]
        step = points[-1].needs - points[-2].needs if len(points) > 1 else None
        direction = None if step is None else "more" if step > 0 else "fewer" if step < 0 else "same"
        shown = NeedsTopicShown.told(found.topic, language)
        return cls.model_validate({"topic": shown, "direction": direction, "points": points})


class NeedsCycleShown(Answer):
    """A cycle of a trend."""

    ref: str
    title: str
    opens_at: Instant
    closes_at: Instant


class NeedsTrendsOut(Answer):
    """How needs and offers moved over the newest 12 cycles."""

    cycles: list[NeedsCycleShown]
    topics: list[NeedsTopicTrend]


@router.get(f"{CYCLE}/report", summary="See which needs nobody serves")
def get_needs_report(ref: str, network: ReadNetwork, session: Reader, at: Now, who: CanRead) -> NeedsReportOut:
    """Return what members need and offer, topic by topic: first what nobody serves, then what too few do.

    A need is served if a peer offers the topic and has room for it. Counts are exact, also small ones: the token must be
    bound to no member, or to a facilitator or assessor.
    """
    cycle = cycles.get_cycle(session, network, ref)
    cycles.for_network(session, who, at)
    return NeedsReportOut.of(cycle, findings.report(session, network, cycle, at), _language(network))


@router.get(f"{CYCLE}/proposals")
def list_needs_proposals(
    ref: str, network: ReadNetwork, session: Reader, window: Windowed, at: Now, who: CanRead
) -> Page[NeedsProposalOut]:
    """List each need with the peer whom the network could introduce, or with nobody.

    Up to 1,000 answers no assignment serves more important needs, and beyond at least half as much is served as could be.
    No peer is proposed to more people than they said they can help. It proposes, and people decide. The token must be bound to no member, or to a facilitator or assessor.
    """
    cycle = cycles.get_cycle(session, network, ref)
    cycles.for_network(session, who, at)
    last = window.last(str, str)
    found = findings.proposals(session, cycle, at)
    rest = [each for each in found if last is None or (each.need.who.ref, each.need.topic) > last]
    shown = rest[: window.limit]
    more = len(rest) > len(shown)
    cursor = window.cursor(shown[-1].need.who.ref, shown[-1].need.topic) if more else None
    return Page(items=[NeedsProposalOut.of(each, _language(network)) for each in shown], next=cursor)


@router.get(f"{CYCLE}/members/{{member}}/peers", summary="See who could help a member")
def get_needs_peers(
    ref: str, member: str, network: ReadNetwork, session: Reader, at: Now, who: CanRead
) -> NeedsPeersOut:
    """Return for each need of a member who could help, as the member sees it.

    Only people are named who said that peers may see their offer; never children or students. That of somebody else is not
    there for a plain member's token.
    """
    cycle = cycles.get_cycle(session, network, ref)
    found = answers.get_answer(session, who, network, cycle, member, at)
    one = answers.member_of(session, found.row)
    made = findings.help_for(session, cycle, one, at)
    needs = [NeedsHelpOut.of(each, _language(network)) for each in made]
    return NeedsPeersOut(member=member, cycle=ref, needs=needs)


@router.get("/v1/networks/{slug}/needs-trends", summary="Compare needs over cycles")
def get_needs_trends(network: ReadNetwork, session: Reader, at: Now, who: CanRead) -> NeedsTrendsOut:
    """Return how many people needed and offered each topic, over the newest 12 cycles that have opened.

    Topics are the same if they have the same code, or the same words. The token must be bound to no member, or to a
    facilitator or assessor.
    """
    cycles.for_network(session, who, at)
    rows, found = findings.trends(session, network, at)
    shown = [
        NeedsCycleShown(ref=row.ref, title=row.said["title"], opens_at=row.opens_at, closes_at=row.closes_at)
        for row in rows
    ]
    return NeedsTrendsOut(cycles=shown, topics=[NeedsTopicTrend.of(each, _language(network)) for each in found])


def _language(network: Network) -> Language:
    return LANGUAGES[network.language]
