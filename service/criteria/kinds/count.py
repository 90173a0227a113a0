"""The rule `count`: how many contributions of a kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from service.criteria.kinds.rule import DefinitionFault, Stability
from service.criteria.kinds.tally import Tally
from service.criteria.parts import Amount
from service.evidence.vocabulary import TAKEN_UP

if TYPE_CHECKING:
    from sqlalchemy import FromClause

    from service.criteria.kinds.query import AskedRule, CompiledRule


class Count(Tally):
    """A number of contributions, or of the different things that they have."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"rule": "count", "where": {"types": ["reviewed"], "tags_any": ["peer-writing"]}, "gte": 4}]
        }
    )

    rule: Literal["count"]
    distinct: Literal["item", "session", "day", "week", "peer", "resource"] = Field(
        "item", description="what to count: contributions, or their different sessions, days, weeks, peers or resources"
    )
    credit: Literal["member", "sharer"] = Field(
        "member",
        description=(
            "whose contributions count: the member's own; or, with sharer, those of others who took up (`adopted`) what the"
            " member was the first to share. Then `where` is about what they did, a person counts once for a resource, and"
            " `distinct` is item, peer (different people) or resource"
        ),
    )
    gte: Amount = Field(description="this many, or more")

    _NOUNS: ClassVar = {
        "item": ("contribution", "contributions"),
        "session": ("session with contributions", "sessions with contributions"),
        "day": ("day with contributions", "days with contributions"),
        "week": ("week with contributions", "weeks with contributions"),
        "peer": ("peer in contributions", "peers in contributions"),
        "resource": ("resource in contributions", "resources in contributions"),
    }

    _CREDITED: ClassVar = {
        "item": ("time that others took up what the member shared", "times that others took up what the member shared"),
        "peer": ("peer who took up what the member shared", "peers who took up what the member shared"),
        "resource": ("resource of the member that others took up", "resources of the member that others took up"),
    }

    @model_validator(mode="after")
    def _creditable(self) -> Self:
        if self.credit == "sharer" and self.where.types != ["adopted"]:
            raise PydanticCustomError(
                "credit-types", "Expected the types adopted, and no others, with the credit sharer"
            )
        if self.credit == "sharer" and self.distinct not in self._CREDITED:
            raise PydanticCustomError(
                "credit-distinct", "Expected item, peer or resource to count, with the credit sharer"
            )
        return self

    @property
    def stability(self) -> Stability:
        """As for every rule; with the credit sharer, somebody may turn out to have shared it before."""
        return super().stability if self.credit == "member" else "may-change"

    @property
    def topics(self) -> set[str]:
        """Contributions of the types; with the credit sharer, what the member shares, and what others take up of it."""
        if self.credit == "member":
            return super().topics
        roles = {topic for topic in self.where.topics if topic.startswith("role:")}
        return roles | {"did:shared", TAKEN_UP}

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        if self.credit == "sharer":
            others = self.where.model_copy(update={"types": None})
            return f"{self.gte} {self._CREDITED[self.distinct][self.gte > 1]}{others}{self.window or ''}"
        return f"{self.gte} {self._NOUNS[self.distinct][self.gte > 1]}{self.where}{self.window or ''}"

    def impossible(self, zone: tzinfo) -> Iterator[DefinitionFault]:
        """Yield also a number for which the window or the listed sessions have no room."""
        yield from super().impossible(zone)
        room = self.room(self.distinct, zone)
        if room is not None and self.gte > room:
            yield DefinitionFault("rule-impossible", f"Expected at most {room}: there are no more to count.", "/gte")

    @property
    def rests_on(self) -> int | None:
        """`gte`: no more records are needed; with the credit sharer all, and those with which it was shared."""
        return self.gte if self.credit == "member" else None

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Return the rule as SQL."""
        from sqlalchemy import distinct, func, literal, select

        from service.criteria.kinds import credited
        from service.criteria.kinds.query import CompiledRule, contributions_of, figures, first_of, key_of, person_of

        if self.credit == "sharer":
            return credited.compiled(self.where, self.window, self.distinct, asked)
        if self.distinct == "peer":
            peer, own = asked.rows.another_member(), asked.rows.another_member()
            query = contributions_of(self.where, self.window, asked, person_of(peer))
            query = query.join(peer, peer.id == asked.rows.contribution.peer_id).join(
                own, own.id == asked.rows.contribution.member_id
            )
            rows = query.where(person_of(peer) != person_of(own)).subquery()
        else:
            rows = contributions_of(self.where, self.window, asked, key_of(self.distinct, asked)).subquery()
        number = func.count() if self.distinct == "item" else func.count(distinct(rows.c.key))
        numbers = figures(rows.c.member_id, number, literal(0), func.min(rows.c.at)).group_by(rows.c.member_id)
        counted: FromClause = rows
        if self.distinct != "item":
            counted = first_of(rows, [rows.c.member_id, rows.c.key], [rows.c.at.desc(), rows.c.record_id.desc()])
        return CompiledRule(numbers, select(counted.c.member_id, counted.c.record_id, counted.c.at))
