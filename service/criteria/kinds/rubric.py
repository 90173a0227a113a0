"""The rule `rubric`: levels reached in criteria of a rubric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from service.criteria.filters import RubricFilter
from service.criteria.kinds.rule import Rule, number
from service.criteria.parts import Amount, Borne, Name, Names, Number

if TYPE_CHECKING:
    from service.criteria.kinds.query import AskedRule, CompiledRule, Rows


class Rubric(Rule):
    """Levels in the criteria of a rubric, in one and the same piece of work.

    Enough people must find every criterion good enough.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"rule": "rubric", "rubric": "feedback", "criteria": ["specific"], "min_level": 3, "raters": 2}
            ]
        }
    )

    rule: Literal["rubric"]
    rubric: Annotated[Name, Borne("rubric")] = Field(description="the rubric, as evaluations name it")
    criteria: Annotated[
        Annotated[Names, Tag("<some>")] | Annotated[Literal["*"], Tag("<all>")],
        Discriminator(lambda value: "<all>" if isinstance(value, str) else "<some>"),
        Borne("criterion"),
    ] = Field(description='the criteria that must be met; "*": all that the result descriptions declare')
    min_level: Number = Field(ge=0, le=1000, description="this level or better")
    raters: Amount = Field(1, description="by this many different people, or more")
    part: Name | None = Field(None, description="only evaluations of this part of the work")
    unposted: bool | None = Field(
        None,
        description=(
            "false: only evaluations count that were held against the rubric as the network had posted it; true: others "
            "count too. Left out of a new definition it becomes false; definitions published before rubrics could be "
            "posted have neither, and count all"
        ),
    )
    where: RubricFilter = Field(RubricFilter(), description="which evaluations count; left out: all")

    @property
    def people(self) -> int:
        """How many different people must agree; at least two for tier 4."""
        return max(self.raters, 2) if self.where.min_tier == 4 else self.raters

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        some = len(self.criteria) if self.criteria != "*" else 0
        asked = f"{some} {'criterion' if some == 1 else 'criteria'}" if some else "all criteria"
        part = f" (part {self.part})" if self.part else ""
        by = f", found by {self.people} people" if self.people > 1 else ""
        return f"{asked} of rubric {self.rubric}{part} at level {number(self.min_level)} or better{by}{self.where}{self.window or ''}"

    @property
    def topics(self) -> set[str]:
        """Evaluations with the rubric."""
        return {f"rubric:{self.rubric}"}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return the number of criteria, and the progress towards it.

        The progress counts the findings of single people: `beside` is how many people found each criterion good enough,
        at most as many as are needed, summed over the criteria. Where all criteria are asked for and none is declared yet,
        one is missing: such a definition is not published, but it can be tried.
        """
        _ = observed
        asked = max(len(self.criteria), 1)
        return asked, beside / (asked * self.people)

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Take the piece of work with the most criteria that enough people find good.

        `beside` is the number of findings by single people, for the progress.
        """
        from sqlalchemy import and_, case, distinct, func, select

        from service.criteria.kinds.query import CompiledRule, evaluations_of, figures, first_of
        from service.tables import RubricUse

        given = evaluations_of(
            self.where,
            self.window,
            asked,
            ["rubric"],
            self.rubric,
            asked.rows.evaluation.about_id,
            asked.rows.rating.criterion,
        )
        given = given.join(asked.rows.rating, asked.rows.rating.record_id == asked.rows.evaluation.record_id).where(
            asked.rows.rating.criterion.in_(self.criteria),
            asked.rows.rating.level >= self.min_level,
            asked.rows.evaluation.evaluator_id.is_not(None),
        )
        if self.unposted is False:
            used = select(RubricUse.record_id).where(RubricUse.record_id == asked.rows.evaluation.record_id)
            given = given.where(used.exists())
        if self.part is not None:
            given = given.where(asked.rows.evaluation.part == self.part)
        rows = given.subquery()
        people = func.count(distinct(rows.c.judge))
        found = (
            select(
                rows.c.member_id,
                rows.c.about_id,
                case((people >= self.people, 1), else_=0).label("met"),
                case((people > self.people, self.people), else_=people).label("findings"),
                func.min(rows.c.at).label("first_at"),
                func.max(rows.c.at).label("last_at"),
            )
            .group_by(rows.c.member_id, rows.c.about_id, rows.c.criterion)
            .subquery()
        )
        attempts = (
            select(
                found.c.member_id,
                found.c.about_id,
                func.sum(found.c.met).label("met"),
                func.sum(found.c.findings).label("findings"),
                func.min(found.c.first_at).label("first_at"),
                func.max(found.c.last_at).label("last_at"),
            )
            .group_by(found.c.member_id, found.c.about_id)
            .subquery()
        )
        most, findings = func.max(attempts.c.met), func.max(attempts.c.findings)
        numbers = figures(attempts.c.member_id, most, findings, func.min(attempts.c.first_at))
        order = [attempts.c[name].desc() for name in ("met", "findings", "last_at", "about_id")]
        best = first_of(attempts, [attempts.c.member_id], order)
        on_best = and_(best.c.member_id == rows.c.member_id, best.c.about_id == rows.c.about_id)
        records: Rows = select(rows.c.member_id, rows.c.record_id, rows.c.at).join(best, on_best).distinct()
        return CompiledRule(numbers.group_by(attempts.c.member_id), records)
