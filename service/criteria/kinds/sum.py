"""The rule `sum`: minutes added up over contributions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field

from service.criteria.kinds.rule import DefinitionFault
from service.criteria.kinds.tally import Tally
from service.criteria.parts import Amount

if TYPE_CHECKING:
    from service.criteria.kinds.query import AskedRule, CompiledRule


class Sum(Tally):
    """The minutes of contributions, added up."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rule": "sum",
                    "where": {"types": ["facilitated"]},
                    "field": "minutes",
                    "gte": 420,
                    "cap_per": {"day": 120},
                }
            ]
        }
    )

    rule: Literal["sum"]
    field: Literal["minutes"] = Field(description="what to add up")
    gte: Amount = Field(description="this much, or more")
    cap_per: dict[Literal["day", "week", "session"], Amount] | None = Field(
        None, min_length=1, max_length=1, description="count at most this much for one day, week or session"
    )

    @property
    def cap(self) -> tuple[str, int] | None:
        """The unit that is capped, and the most that counts for each."""
        return next(iter(self.cap_per.items())) if self.cap_per else None

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        capped = f", counting at most {self.cap[1]} a {self.cap[0]}" if self.cap else ""
        return f"{self.gte} {self.field} of contributions{self.where}{self.window or ''}{capped}"

    def impossible(self, zone: tzinfo) -> Iterator[DefinitionFault]:
        """Yield also a sum for which the caps leave no room."""
        yield from super().impossible(zone)
        if self.cap is None:
            return
        room = self.room(self.cap[0], zone)
        if room is not None and self.gte > room * self.cap[1]:
            yield DefinitionFault(
                "rule-impossible", f"Expected at most {room * self.cap[1]}: the cap allows no more.", "/gte"
            )

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Return the rule as SQL."""
        from sqlalchemy import case, func, literal, select

        from service.criteria.kinds.query import CompiledRule, contributions_of, figures, key_of

        unit, cap = self.cap or ("item", None)
        rows = (
            contributions_of(self.where, self.window, asked, key_of(unit, asked))
            .where(asked.rows.contribution.minutes > 0)
            .subquery()
        )
        amount: Any = func.sum(rows.c.amount)
        # One bucket for each unit that is capped; without a cap one bucket for all.
        buckets = (
            select(
                rows.c.member_id,
                (amount if cap is None else case((amount > cap, cap), else_=amount)).label("amount"),
                func.min(rows.c.at).label("at"),
            )
            .group_by(rows.c.member_id, *([rows.c.key] if cap is not None else []))
            .subquery()
        )
        numbers = figures(buckets.c.member_id, func.sum(buckets.c.amount), literal(0), func.min(buckets.c.at))
        return CompiledRule(
            numbers.group_by(buckets.c.member_id), select(rows.c.member_id, rows.c.record_id, rows.c.at)
        )
