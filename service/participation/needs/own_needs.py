"""A survey as its member sees it: on their own page, and by a link."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from service.networks import erasing as networks_erasing
from service.participation.needs import answers, cycles, words
from service.participation.needs.shapes import CycleState, NeedsOffer, NeedsWish
from service.tables import Member, NeedsAnswer, NeedsCycle, Network
from service.texts.languages import Language

MOST = 50
"""How many surveys are listed: the newest."""


@dataclass(frozen=True)
class Listed:
    """A survey in the list of a member."""

    path: str
    title: str
    state: CycleState
    opens_at: datetime
    closes_at: datetime
    answered: bool


@dataclass(frozen=True)
class Shown:
    """A survey as it is shown: with its times as clocks show them where the network is."""

    network: Network
    title: str
    introduction: str | None
    state: CycleState
    opens: str
    closes: str
    answer: NeedsAnswer | None


@dataclass(frozen=True)
class ToldTopic:
    """A topic that a member chose, and how."""

    label: str
    word: str


@dataclass(frozen=True)
class ToldAnswer:
    """What a member answered, in words."""

    learn: list[ToldTopic]
    offer: list[ToldTopic]
    times: list[str]
    readiness: str | None
    shared: bool
    note: str | None


def surveys(session: OrmSession, network: Network, member: Member, now: datetime, language: str) -> list[Listed]:
    """Return the surveys that a member can answer, will be able to, or has answered, the newest first."""
    mine = select(NeedsAnswer.cycle_id).where(answers.of_person(member))
    answered = set(session.scalars(mine))
    query = select(NeedsCycle).where(
        NeedsCycle.network_id == network.id, or_(NeedsCycle.closes_at > now, NeedsCycle.id.in_(mine))
    )
    rows = session.scalars(query.order_by(NeedsCycle.opens_at.desc(), NeedsCycle.id.desc()).limit(MOST))
    return [
        Listed(
            path_of(member, row),
            _title(row, language),
            cycles.state_of(row, now),
            row.opens_at,
            row.closes_at,
            row.id in answered,
        )
        for row in rows
    ]


def survey(session: OrmSession, member: Member, row: NeedsCycle, now: datetime, language: Language) -> Shown:
    """Return a survey with what a member answered in it."""
    network = session.get_one(Network, row.network_id)
    return Shown(
        network,
        _title(row, language.code),
        row.said.get("introduction"),
        cycles.state_of(row, now),
        language.local_moment(row.opens_at, network.time_zone),
        language.local_moment(row.closes_at, network.time_zone),
        answers.own(session, row, member),
    )


def told(row: NeedsCycle, answer: NeedsAnswer, language: Language) -> ToldAnswer:
    """Return what a member answered, in words."""
    labels = {each.code: cycles.in_language(each.label, each.labels, language.code) for each in cycles.topics_of(row)}
    said = answers.fields_of(answer)

    def part(chosen: Sequence[NeedsWish | NeedsOffer]) -> list[ToldTopic]:
        return [
            ToldTopic(
                each.own or labels.get(each.topic or "", each.topic or ""),
                language.gettext(
                    words.IMPORTANCE[each.importance] if isinstance(each, NeedsWish) else words.LEVELS[each.level]
                ),
            )
            for each in chosen
        ]

    return ToldAnswer(
        part(said.learn),
        part(said.offer),
        [language.gettext(words.SLOTS[slot]) for slot in said.times],
        None if said.readiness is None else language.gettext(words.READINESS[said.readiness]),
        said.share_offer,
        said.note,
    )


def path_of(member: Member, row: NeedsCycle | None = None) -> str:
    """Return the path of a member's page for a survey, or of that which lists them."""
    there = f"/my-badges/members/{member.id}/needs"
    return there if row is None else f"{there}/{quote(row.ref, safe='')}"


def named_as(member: Member) -> str | None:
    """Return by what peers know a member; None if the network gave no name that can be shown."""
    return member.name or (None if networks_erasing.is_address(member.ref) else member.ref)


def _title(row: NeedsCycle, language: str) -> str:
    return cycles.in_language(row.said["title"], row.said.get("titles"), language)
