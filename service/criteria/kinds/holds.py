"""The rule `holds`: achievements that the member has been awarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from service.criteria.kinds.rule import Rule, Stability, no_more_than, number
from service.criteria.parts import Amount, Names

if TYPE_CHECKING:
    from service.criteria.kinds.query import AskedRule, CompiledRule, Rows


class Holds(Rule):
    """Achievements of the same network that the member has been awarded.

    The window is about when they were awarded.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"rule": "holds", "achievements": ["generous-reader", "writing-fellow"], "n": 1}]
        }
    )

    rule: Literal["holds"]
    achievements: Names = Field(description="the achievements, by ref")
    n: Amount | None = Field(None, description="this many of them, or more; left out: all")
    valid_on_award: bool = Field(False, description="true: they must be valid now: not expired and not suspended")
    min_version: Amount | None = Field(None, description="awarded in this version or a later one")

    @field_validator("n")
    @classmethod
    def _within(cls, n: int, info: ValidationInfo) -> int:
        return no_more_than(n, info.data.get("achievements"))

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        held = "held and valid" if self.valid_on_award else "held"
        version = f" in version {self.min_version} or later" if self.min_version else ""
        named = ", ".join(self.achievements)
        return f"{self.n or len(self.achievements)} of the achievements {named} {held}{version}{self.window or ''}"

    @property
    def stability(self) -> Stability:
        """May change if the awards must be valid now: they can expire."""
        return "may-change" if self.valid_on_award else super().stability

    @property
    def topics(self) -> set[str]:
        """Awards of the achievements."""
        return {f"award:{ref}" for ref in self.achievements}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return how many are needed, and the progress towards that."""
        _ = beside
        required = self.n or len(self.achievements)
        return required, observed / required

    def sentence(self, observed: float, required: float) -> str:
        """Say how many achievements are held."""
        _ = required
        return f"{number(observed)} held, needed {self.requirement}"

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Return the rule as SQL."""
        from sqlalchemy import distinct, func, literal, select

        from service.criteria.kinds.query import HELD, CompiledRule, figures, within
        from service.tables import Achievement, AchievementVersion

        states = ["awarded"] if self.valid_on_award else HELD
        query: Rows = (
            select(asked.rows.award.member_id, asked.rows.award.achievement_id, asked.rows.award.awarded_at)
            .join(Achievement, Achievement.id == asked.rows.award.achievement_id)
            .where(
                asked.own(asked.rows.award, asked.rows.award.member_id),
                asked.rows.award.state.in_(states),
                Achievement.ref.in_(self.achievements),
            )
        )
        if self.min_version is not None:
            query = query.join(AchievementVersion, AchievementVersion.id == asked.rows.award.achievement_version_id)
            query = query.where(AchievementVersion.version >= self.min_version)
        if self.valid_on_award:
            query = query.where(~asked.rows.lapsed().exists())
        rows = within(query, self.window, asked.rows.award.awarded_at, asked.rows.award.member_id, asked).subquery()
        number = func.count(distinct(rows.c.achievement_id))
        numbers = figures(rows.c.member_id, number, literal(0), func.min(rows.c.awarded_at))
        return CompiledRule(numbers.group_by(rows.c.member_id), None)
