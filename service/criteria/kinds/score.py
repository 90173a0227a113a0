"""The rule `score`: a score reached in an instrument."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field

from service.criteria.filters import EvaluationFilter
from service.criteria.kinds.rule import OWN_ANSWERS, DefinitionFault, Rule, Stability, number, unfit_tier
from service.criteria.parts import Borne, Name, Number

if TYPE_CHECKING:
    from service.criteria.kinds.query import AskedRule, CompiledRule


class Score(Rule):
    """A score in an assessment, scaled to 0..1; if the rule accepts self-reports, also in a survey of that name."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rule": "score", "assessment": "final-quiz", "stat": "best", "gte": 0.9}]}
    )

    rule: Literal["score"]
    assessment: Annotated[Name, Borne("assessment")] = Field(description="the assessment, as evaluations name it")
    stat: Literal["best", "last", "first"] = Field("best", description="which score counts if there are several")
    gte: Number = Field(gt=0, le=1, description="this scaled score or better")
    self_report: bool = Field(
        False, description="true: what members answer in a survey about themselves counts too; it has tier 0"
    )
    where: EvaluationFilter = Field(EvaluationFilter(), description="which evaluations count; left out: all")

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        return f"{self._words} of {number(self.gte)} or better"

    @property
    def _words(self) -> str:
        own = OWN_ANSWERS if self.self_report else ""
        return f"a {self.stat} score in assessment {self.assessment}{own}{self.where}{self.window or ''}"

    @property
    def stability(self) -> Stability:
        """May change unless the best score counts.

        The last score can be worse, and late evidence can come before the first.
        """
        return super().stability if self.stat == "best" else "may-change"

    @property
    def topics(self) -> set[str]:
        """Scores in the assessment, and answers to the survey if they count."""
        return {f"score:{self.assessment}"} | ({f"survey:{self.assessment}"} if self.self_report else set())

    def impossible(self, zone: tzinfo) -> Iterator[DefinitionFault]:
        """Yield also a tier that self-reports never have."""
        yield from super().impossible(zone)
        yield from unfit_tier(self.self_report, self.where)

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `gte`, and the progress towards it."""
        _ = beside
        return self.gte, observed / self.gte

    def sentence(self, observed: float, required: float) -> str:
        """Say what the score is and what it must be."""
        return f"{self._words}: {number(observed)}, needed {number(required)}"

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Return the rule as SQL."""
        from sqlalchemy import func, literal, select

        from service.criteria.kinds.query import CompiledRule, evaluations_of, figures, first_of

        scaled = asked.rows.evaluation.scaled
        given = evaluations_of(
            self.where, self.window, asked, ["score"], self.assessment, scaled, self_report=self.self_report
        )
        rows = given.where(asked.rows.evaluation.scaled.is_not(None)).subquery()
        first = select(*rows.c, func.min(rows.c.at).over(partition_by=rows.c.member_id).label("first_at")).subquery()
        late, early = [first.c.at.desc(), first.c.record_id.desc()], [first.c.at, first.c.record_id]
        orders: dict[str, list[Any]] = {"best": [first.c.scaled.desc(), *late], "last": late, "first": early}
        chosen = first_of(first, [first.c.member_id], orders[self.stat])
        numbers = figures(chosen.c.member_id, chosen.c.scaled, literal(0), chosen.c.first_at)
        return CompiledRule(numbers, select(chosen.c.member_id, chosen.c.record_id, chosen.c.at))
