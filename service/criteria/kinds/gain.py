"""The rule `gain`: how much a score grew from one occasion to another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from service.criteria.filters import EvaluationFilter
from service.criteria.kinds.rule import OWN_ANSWERS, Also, DefinitionFault, Rule, Stability, number, unfit_tier
from service.criteria.parts import Amount, Borne, Name, Number
from service.criteria.windows import most_days

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from service.criteria.kinds.query import AskedRule, CompiledRule, Rows


class Gain(Rule):
    """The gain of a member from the first score before to the best score after.

    All scores are scaled to 0..1. The first score before counts, so that nobody gains by doing worse in a second one.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"rule": "gain", "instrument": "quiz", "metric": "change", "gte": 0.3, "min_days": 60}]
        }
    )

    rule: Literal["gain"]
    instrument: Annotated[Name, Borne("instrument")] = Field(
        description="the assessment or survey, as evaluations name it"
    )
    metric: Literal["normalized", "change", "raw"] = Field(
        description=(
            "raw: post - pre; normalized: (post - pre) / (1 - pre), the part of what was left to gain; "
            "change: the same, but a loss is divided by pre, which is what there was to lose"
        )
    )
    gte: Number = Field(gt=0, le=1, description="a gain of this or better")
    or_post_gte: Number | None = Field(
        None, gt=0, le=1, description="or any score after of this or better, whatever the score before"
    )
    min_days: Amount | None = Field(None, description="this many days between before and after, or more")
    same_form: bool | None = Field(
        None, description="true: both on the same form; false: on two different forms; left out: on any"
    )
    self_report: bool = Field(
        False, description="true: what members answer in a survey about themselves counts too; it has tier 0"
    )
    where: EvaluationFilter = Field(EvaluationFilter(), description="which evaluations count; left out: all")

    ROUNDED: ClassVar = 1e-9

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        other = f" or {self._after} of {number(self.or_post_gte)} or better" if self.or_post_gte is not None else ""
        return f"{self._words} of {number(self.gte)} or better{other}"

    @property
    def _words(self) -> str:
        kinds = {"normalized": "normalized gain", "change": "normalized change", "raw": "gain"}
        days = f" over {self.min_days} days or more" if self.min_days else ""
        own = OWN_ANSWERS if self.self_report else ""
        forms = {None: "", True: " on the same form", False: " on another form"}[self.same_form]
        return f"a {kinds[self.metric]} in {self.instrument}{own}{days}{forms}{self.where}{self.window or ''}"

    @property
    def _after(self) -> str:
        return f"a score after in {self.instrument}"

    @property
    def stability(self) -> Stability:
        """May change: an earlier score before can still be posted."""
        return "may-change"

    @property
    def topics(self) -> set[str]:
        """Scores in the assessment or survey."""
        return {f"score:{self.instrument}", f"survey:{self.instrument}"}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `gte`, and the progress towards it."""
        _ = beside
        return self.gte, max(observed, 0) / self.gte

    def also(self, beside: float) -> Also | None:
        """Return the best score after, which is `beside`."""
        if self.or_post_gte is None:
            return None
        text = f"{self._after}: {number(beside)}, needed {number(self.or_post_gte)}"
        return Also("post", beside, self.or_post_gte, "or", text)

    def exact(self, observed: float) -> float:
        """Return the gain; `gte` if it differs from that only by rounding."""
        return self.gte if abs(observed - self.gte) < self.ROUNDED else observed

    def sentence(self, observed: float, required: float) -> str:
        """Say what the gain is and what it must be."""
        return f"{self._words}: {number(observed)}, needed {number(required)}"

    def impossible(self, zone: tzinfo) -> Iterator[DefinitionFault]:
        """Yield also `min_days` that are more than the window has, and a tier that self-reports never have."""
        yield from super().impossible(zone)
        yield from unfit_tier(self.self_report, self.where)
        days = most_days(self.window, zone)
        if days is not None and self.min_days is not None and self.min_days >= days:
            yield DefinitionFault(
                "rule-impossible", f"Expected at most {days - 1}: the window has {days} days.", "/min_days"
            )

    def is_met(self, observed: Any, beside: Any) -> ColumnElement[bool]:
        """Return the condition that numbers in SQL meet the rule.

        It tolerates as much rounding as `exact`.
        """
        from sqlalchemy import or_

        required, _ = self.measure(0, 0)
        met: ColumnElement[bool] = observed > required - self.ROUNDED
        return met if self.or_post_gte is None else or_(met, beside >= self.or_post_gte)

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Compare each score after with the first score before, and take the best gain.

        `beside` is the best score after.

        1. A normalized gain is not defined if the score before is 1, nor is a change if both scores are 0 or
           both are 1.
        2. A member who has only a score before has gained 0.
        """
        from sqlalchemy import Float, case, cast, func, select, union

        from service.criteria.kinds.query import CompiledRule, DayNumber, evaluations_of, figures, first_of

        columns = (
            asked.rows.evaluation.occasion,
            asked.rows.evaluation.form,
            asked.rows.evaluation.scaled,
            DayNumber(asked.rows.evaluation.local_date).label("day"),
        )
        kinds = ["score", "survey"]
        given = evaluations_of(
            self.where, self.window, asked, kinds, self.instrument, *columns, self_report=self.self_report
        )
        rows = given.where(
            asked.rows.evaluation.scaled.is_not(None), asked.rows.evaluation.occasion.in_(("pre", "post"))
        ).cte()
        all_before = select(rows).where(rows.c.occasion == "pre").cte()
        before = first_of(all_before, [all_before.c.member_id], [all_before.c.at, all_before.c.record_id])
        after = select(rows).where(rows.c.occasion == "post").cte()
        pre, post = before.c.scaled, after.c.scaled
        left = case((pre < 1, 1 - pre), else_=None)
        gains: dict[str, Any] = {
            "raw": post - pre,
            "normalized": (post - pre) / left,  # (1)
            "change": case(
                (post > pre, (post - pre) / left), (post < pre, (post - pre) / pre), (pre.in_((0, 1)), None), else_=0
            ),
        }
        pairs: Rows = select(
            after.c.member_id,
            cast(gains[self.metric], Float).label("gain"),
            after.c.at,
            after.c.record_id,
            before.c.record_id.label("before_id"),
            before.c.at.label("before_at"),
        ).join(before, before.c.member_id == after.c.member_id)
        pairs = pairs.where(after.c.at > before.c.at)
        if self.min_days is not None:
            pairs = pairs.where(after.c.day - before.c.day >= self.min_days)
        if self.same_form is not None:
            forms = after.c.form == before.c.form if self.same_form else after.c.form != before.c.form
            pairs = pairs.where(forms)
        paired = pairs.cte()
        defined = select(paired).where(paired.c.gain.is_not(None)).cte()
        best = first_of(
            defined, [defined.c.member_id], [defined.c.gain.desc(), defined.c.at.desc(), defined.c.record_id.desc()]
        )
        top = first_of(after, [after.c.member_id], [post.desc(), after.c.at.desc(), after.c.record_id.desc()])
        first = select(rows.c.member_id, func.min(rows.c.at).label("at")).group_by(rows.c.member_id).cte()
        numbers = (
            figures(first.c.member_id, func.coalesce(best.c.gain, 0), func.coalesce(top.c.scaled, 0), first.c.at)  # (2)
            .outerjoin(best, best.c.member_id == first.c.member_id)
            .outerjoin(top, top.c.member_id == first.c.member_id)
        )
        found = [
            select(best.c.member_id, best.c.record_id, best.c.at),
            select(best.c.member_id, best.c.before_id.label("record_id"), best.c.before_at.label("at")),
        ]
        if self.or_post_gte is not None:
            found.append(select(top.c.member_id, top.c.record_id, top.c.at))
        records = union(*found).cte()
        return CompiledRule(numbers, select(records))
