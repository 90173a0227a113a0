"""The rule `count`: how many contributions of a kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import ConfigDict, Field

from service.criteria.kinds.rule import DefinitionFault
from service.criteria.kinds.tally import Tally
from service.criteria.parts import Amount

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
    gte: Amount = Field(description="this many, or more")

    _NOUNS: ClassVar = {
        "item": ("contribution", "contributions"),
        "session": ("session with contributions", "sessions with contributions"),
        "day": ("day with contributions", "days with contributions"),
        "week": ("week with contributions", "weeks with contributions"),
        "peer": ("peer in contributions", "peers in contributions"),
        "resource": ("resource in contributions", "resources in contributions"),
    }

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        return f"{self.gte} {self._NOUNS[self.distinct][self.gte > 1]}{self.where}{self.window or ''}"

    def impossible(self, zone: tzinfo) -> Iterator[DefinitionFault]:
        """Yield also a number for which the window or the listed sessions have no room."""
        yield from super().impossible(zone)
        room = self.room(self.distinct, zone)
        if room is not None and self.gte > room:
            yield DefinitionFault("rule-impossible", f"Expected at most {room}: there are no more to count.", "/gte")

    @property
    def rests_on(self) -> int:
        """`gte`: no more records are needed."""
        return self.gte

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Return the rule as SQL."""
        from sqlalchemy import distinct, func, literal, select

        from service.criteria.kinds.query import CompiledRule, contributions_of, figures, first_of, key_of, person_of

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
