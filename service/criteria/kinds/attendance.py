"""The rule `attendance`: meetings of the network attended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from service.criteria.kinds.rule import Rule, Stability, number
from service.criteria.parts import Amount, Borne, Name, Number, either
from service.criteria.windows import SinceEnrolment

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from service.criteria.kinds.query import AskedRule, CompiledRule, Rows


class Attendance(Rule):
    """Sessions of a series that a member attended.

    The window is about when sessions begin.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"rule": "attendance", "series": "writing-group", "min_sessions": 6, "min_minutes": 45}],
            **either("min_sessions", "min_rate"),
        }
    )

    rule: Literal["attendance"]
    series: Annotated[Name, Borne("series")] = Field(description="the series of sessions")
    min_sessions: Amount | None = Field(None, description="as many sessions as this, or more")
    min_rate: Number | None = Field(
        None,
        gt=0,
        le=1,
        description="this part of the sessions that have begun, or more; may fall with each new session",
    )
    min_minutes: Amount | None = Field(None, description="minutes in a session that are needed for it to count")

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.min_sessions is None and self.min_rate is None:
            raise PydanticCustomError("attendance-unbounded", "Expected min_sessions, min_rate or both")
        return self

    @property
    def requirement(self) -> str:
        """What the rule asks for, without the number of sessions that there are."""
        asked = [
            f"{self.min_sessions} {'session' if self.min_sessions == 1 else 'sessions'}" if self.min_sessions else "",
            f"{number(round(self.min_rate * 100, 6))} % of the sessions" if self.min_rate is not None else "",
        ]
        return f"{' and '.join(filter(None, asked))}{self._words}"

    @property
    def _words(self) -> str:
        long_enough = f" for {self.min_minutes} minutes or more" if self.min_minutes else ""
        return f" of series {self.series} attended{long_enough}{self.window or ''}"

    @property
    def stability(self) -> Stability:
        """May change if it has a rate, which falls with every session that is missed."""
        return "may-change" if self.min_rate is not None else super().stability

    @property
    def topics(self) -> set[str]:
        """Contributions of type attended."""
        return {"did:attended"}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return how many sessions are needed, and the progress towards that.

        `beside` is how many sessions have begun. At least one is needed.
        """
        required = max(self.min_sessions or 0, 1)
        if self.min_rate is not None and beside:
            # Round the quotient as the written rate is rounded, so that 6 of 8 is 0.75 and 3 of 30 is 0.1.
            share = int(self.min_rate * beside) - 1
            while share / beside < self.min_rate:
                share += 1
            required = max(required, share)
        return required, observed / required

    def sentence(self, observed: float, required: float) -> str:
        """Say how many of the sessions that are needed now were attended."""
        return f"{number(observed)} of {number(required)} {'session' if required == 1 else 'sessions'}{self._words}"

    def is_met(self, observed: Any, beside: Any) -> ColumnElement[bool]:
        """Return the condition that numbers in SQL meet the rule.

        The rate is the quotient of the two numbers.
        """
        from sqlalchemy import and_, func, or_

        if self.min_rate is None:
            return super().is_met(observed, beside)
        rate = or_(beside == 0, observed / func.nullif(beside, 0) >= self.min_rate)
        return and_(observed >= max(self.min_sessions or 0, 1), rate)

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Count the sessions that were attended; `beside` is how many have begun.

        Contributions of type attended must have enough minutes in all. With a rate only sessions that have begun
        count, in both numbers.
        """
        from sqlalchemy import and_, func, literal, or_, select

        from service.criteria.kinds.query import ACHIEVEMENT, NETWORK, NOW, CompiledRule, bounded, figures, within
        from service.tables import Meeting

        series = [Meeting.network_id == NETWORK, Meeting.series == self.series]
        begun = [Meeting.starts_at <= NOW] if self.min_rate is not None else []
        attended: Rows = (
            select(asked.rows.contribution.member_id, asked.rows.contribution.session_id, Meeting.starts_at.label("at"))
            .join(Meeting, Meeting.id == asked.rows.contribution.session_id)
            .where(
                asked.own(asked.rows.contribution, asked.rows.contribution.member_id),
                asked.rows.contribution.type == "attended",
                *series,
                *begun,
            )
            .group_by(asked.rows.contribution.member_id, asked.rows.contribution.session_id, Meeting.starts_at)
        )
        attended = within(attended, self.window, Meeting.starts_at, asked.rows.contribution.member_id, asked)
        if self.min_minutes is not None:
            attended = attended.having(func.sum(asked.rows.contribution.minutes) >= self.min_minutes)
        met = attended.subquery()
        records: Rows = (
            select(
                asked.rows.contribution.member_id,
                asked.rows.contribution.record_id,
                asked.rows.contribution.occurred_at.label("at"),
            )
            .join(
                met,
                and_(
                    met.c.member_id == asked.rows.contribution.member_id,
                    met.c.session_id == asked.rows.contribution.session_id,
                ),
            )
            .where(
                asked.own(asked.rows.contribution, asked.rows.contribution.member_id),
                asked.rows.contribution.type == "attended",
            )
        )
        number, first = func.count(met.c.session_id), func.min(met.c.at)
        if self.min_rate is None:
            return CompiledRule(figures(met.c.member_id, number, literal(0), first).group_by(met.c.member_id), records)
        held = select(func.count(Meeting.id)).where(*series, *begun)
        since = isinstance(self.window, SinceEnrolment)
        if since:
            held = held.where(
                or_(asked.rows.enrolment.at.is_(None), Meeting.starts_at >= asked.rows.enrolment.at)
            ).correlate(asked.rows.enrolment)
        else:
            held = held.where(*bounded(self.window, Meeting.starts_at, asked))
        numbers = figures(asked.rows.member.id, number, held.scalar_subquery(), first).outerjoin(
            met, met.c.member_id == asked.rows.member.id
        )
        if since:
            enrolled = and_(
                asked.rows.enrolment.member_id == asked.rows.member.id,
                asked.rows.enrolment.achievement_id == ACHIEVEMENT,
            )
            numbers = numbers.outerjoin(asked.rows.enrolment, enrolled).group_by(asked.rows.enrolment.at)
        return CompiledRule(
            numbers.where(asked.own(asked.rows.member, asked.rows.member.id)).group_by(asked.rows.member.id),
            records,
        )
