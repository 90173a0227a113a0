"""The rule `sum`: minutes added up over contributions."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import case, func, literal, select

from service.criteria.filters import ContributionFilter
from service.criteria.kinds.query import Asked, Compiled, contributions_of, figures, key_of
from service.criteria.kinds.rule import Fault, Rule
from service.criteria.parts import Amount
from service.criteria.windows import most_days


class Sum(Rule):
    """The minutes of contributions, added up."""

    rule: Literal["sum"]
    where: ContributionFilter = Field(ContributionFilter(), description="which contributions count; left out: all")
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

    @property
    def topics(self) -> set[str]:
        """Contributions of the types, and the role in which they must be made."""
        return self.where.topics

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `gte`, and the progress towards it."""
        _ = beside
        return self.gte, observed / self.gte

    def impossible(self, zone: tzinfo) -> Iterator[Fault]:
        """Yield also a sum for which the caps leave no room."""
        yield from super().impossible(zone)
        if self.cap is None:
            return
        days = most_days(self.window, zone)
        units: dict[str, int | None] = {
            "day": days,
            "week": None if days is None else (days + 5) // 7 + 1,
            "session": len(self.where.sessions) if self.where.sessions is not None else None,
        }
        room = units[self.cap[0]]
        if room is not None and self.gte > room * self.cap[1]:
            yield Fault("rule-impossible", f"Expected at most {room * self.cap[1]}: the cap allows no more.", "/gte")

    def compiled(self, asked: Asked) -> Compiled:
        """Return the rule as SQL."""
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
        return Compiled(numbers.group_by(buckets.c.member_id), select(rows.c.member_id, rows.c.record_id, rows.c.at))
