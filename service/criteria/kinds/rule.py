"""The class that every kind of rule in `criteria/1` inherits.

A kind says what it asks for in parameters, in words and in SQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field
from pydantic_core import PydanticCustomError

from service.criteria.filters import EvaluationFilter
from service.criteria.parts import Part
from service.criteria.windows import Between, Last, Window

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from service.criteria.kinds.query import AskedRule, CompiledRule


Stability = Literal["grows", "may-change"]
"""`grows`: more evidence never lowers it. `may-change`: evidence or time can raise or lower it."""


OWN_ANSWERS = ", their own answers included"
"""What follows the name of an instrument if self-reports count."""


class DefinitionFault(NamedTuple):
    """A fault that keeps a definition from being published.

    The pointer begins at the criterion that was looked at.
    """

    code: str
    message: str
    pointer: str


class Also(NamedTuple):
    """A second number of a rule, which is met at `required`.

    `joined`: "and" if both numbers are needed, "or" if one of them is enough.
    """

    name: str
    observed: float
    required: float
    joined: Literal["and", "or"]
    text: str

    @property
    def met(self) -> bool:
        """Whether the number is reached."""
        return self.observed >= self.required


class Reached(NamedTuple):
    """How far a member has come with a rule; `progress` can be above 1."""

    observed: float
    required: float
    progress: float
    met: bool
    also: Also | None


class Rule(Part):
    """One condition on a member's evidence."""

    rule: str
    window: Window | None = Field(None, description="when the evidence must have occurred; left out: at any time")

    @property
    def kind(self) -> str:
        """The name of the rule."""
        return self.rule

    @property
    def requirement(self) -> str:
        """What the rule asks for, in words that follow "0 of"."""
        raise NotImplementedError

    @property
    def stability(self) -> Stability:
        """Whether evidence and time can only add to the rule's number."""
        return "may-change" if isinstance(self.window, Last) else "grows"

    @property
    def topics(self) -> set[str]:
        """The topics on which the rule's number can grow (`service.criteria.topics`)."""
        raise NotImplementedError

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Return the rule as SQL.

        All values are bound parameters; the values of some come from `queries.parameters`.
        """
        raise NotImplementedError

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return the number at which the rule is met, and the progress towards it.

        Args:
            observed: the member's number.
            beside: a second number that some kinds need; each kind says which.
        """
        raise NotImplementedError

    def is_met(self, observed: Any, beside: Any) -> ColumnElement[bool]:
        """Return the condition that numbers in SQL meet the rule.

        It decides as `reached` does for the numbers of one member.
        """
        from sqlalchemy import and_, or_

        required, _ = self.measure(0, 0)
        met: ColumnElement[bool] = observed >= required
        also = self.also(0)
        if also is None:
            return met
        return (or_ if also.joined == "or" else and_)(met, beside >= also.required)

    @property
    def rests_on(self) -> int | None:
        """How many of the records that count are enough to meet the rule; None: all."""
        return None

    def also(self, beside: float) -> Also | None:
        """Return the second number of the rule; None for kinds that have one only."""
        _ = beside
        return None

    def exact(self, observed: float) -> float:
        """Return the member's number without the error of floating-point arithmetic."""
        return observed

    def reached(self, observed: float, beside: float) -> Reached:
        """Return how far a member has come, with both numbers if the rule has two."""
        observed = self.exact(observed)
        required, progress = self.measure(observed, beside)
        also = self.also(beside)
        if also is None:
            return Reached(observed, required, progress, observed >= required, None)
        parts = min(max(progress, 0), 1), min(also.observed / also.required, 1)
        if also.joined == "or":
            return Reached(observed, required, max(parts), observed >= required or also.met, also)
        return Reached(observed, required, sum(parts) / 2, observed >= required and also.met, also)

    def sentence(self, observed: float, required: float) -> str:
        """Say how far a member has come."""
        _ = required
        return f"{number(observed)} of {self.requirement}"

    def impossible(self, zone: tzinfo) -> Iterator[DefinitionFault]:
        """Yield what makes the rule one that nobody can ever meet."""
        if isinstance(self.window, Between):
            bounds = self.window.bounds(None, zone)
            if bounds.start is not None and bounds.end is not None and bounds.end <= bounds.start:
                yield DefinitionFault(
                    "window-empty", "Expected `to` after `from`: the window is [from, to).", "/window/to"
                )


def unfit_tier(self_report: bool, where: EvaluationFilter) -> Iterator[DefinitionFault]:
    """Yield a fault if a rule accepts self-reports, but only of a tier that they never have."""
    if self_report and where.min_tier:
        message = "Expected no `min_tier` above 0, or no `self_report`: what members say of themselves has tier 0."
        yield DefinitionFault("self-report-tier", message, "/where/min_tier")


def no_more_than(n: int, choice: Sequence[Any] | None) -> int:
    """Refuse an `n` that is greater than the number of choices; else return it.

    Args:
        choice: what to choose from; None if the choice itself was refused.
    """
    if choice is not None and n > len(choice):
        raise PydanticCustomError(
            "n-too-large", "Expected at most {count}, as there are no more", {"count": len(choice)}
        )
    return n


def number(value: float) -> str:
    """Return a number as people write it: without a fraction if it has none."""
    return f"{value:.10g}"


def in_days(count: int) -> str:
    """Return the word that follows a number of days: "day" or "days"."""
    return "day" if count == 1 else "days"
