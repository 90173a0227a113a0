"""The class that `count` and `sum` inherit: rules that ask for an amount."""

from datetime import tzinfo
from typing import TYPE_CHECKING

from pydantic import Field

from service.criteria.filters import ContributionFilter
from service.criteria.kinds.rule import Rule
from service.criteria.windows import most_days


class Tally(Rule):
    """An amount of contributions, which must be `gte` or more."""

    where: ContributionFilter = Field(ContributionFilter(), description="which contributions count; left out: all")
    if TYPE_CHECKING:  # each kind describes its own, after its other parameters, as the published schema has them
        gte: int

    @property
    def topics(self) -> set[str]:
        """Contributions of the types, and the role in which they must be made."""
        return self.where.topics

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `gte`, and the progress towards it."""
        _ = beside
        return self.gte, observed / self.gte

    def room(self, unit: str, zone: tzinfo) -> int | None:
        """Return the most days, weeks or sessions that can count.

        None if there is no limit, and for other units.
        """
        days = most_days(self.window, zone)
        if unit == "day":
            return days
        if unit == "week" and days is not None:
            return (days + 5) // 7 + 1
        if unit == "session" and self.where.sessions is not None:
            return len(self.where.sessions)
        return None
