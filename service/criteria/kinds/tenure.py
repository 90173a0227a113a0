"""The rule `tenure`: days in a role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from service.bodies import RoleName
from service.criteria.kinds.rule import Also, DefinitionFault, Rule, in_days, number
from service.criteria.parts import Amount, Borne, either
from service.criteria.windows import Between, Last, SinceEnrolment, most_days

if TYPE_CHECKING:
    from service.criteria.kinds.query import AskedRule, CompiledRule, Rows


class Tenure(Rule):
    """How long a member has had a role, and how many sessions they led in it.

    Days are those of the network's calendar: from the day on which the role began up to, but not including, the day on
    which it ended, or today. A day in two periods counts once. A session is led by a contribution of type facilitated.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"rule": "tenure", "role": "facilitator", "min_days": 56, "min_sessions_led": 7}],
            **either("min_days", "min_sessions_led"),
        }
    )

    rule: Literal["tenure"]
    role: Annotated[RoleName, Borne("role")] = Field(description="the role")
    min_days: Amount | None = Field(None, description="this many days in the role, or more")
    min_sessions_led: Amount | None = Field(
        None, description="this many different sessions led while in the role, or more"
    )

    @field_validator("window")
    @classmethod
    def _of_the_calendar(cls, window: Any) -> Any:
        if isinstance(window, SinceEnrolment):
            raise PydanticCustomError("window-unfit", 'Expected {"from", "to"} or {"last": "P1Y"}')
        return window

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.min_days is None and self.min_sessions_led is None:
            raise PydanticCustomError("tenure-unbounded", "Expected min_days, min_sessions_led or both")
        return self

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        days = f"{self.min_days} {in_days(self.min_days)} as {self.role}" if self.min_days else ""
        asked = [days, f"{self.min_sessions_led} {self._led}" if self.min_sessions_led else ""]
        return f"{' and '.join(filter(None, asked))}{self.window or ''}"

    @property
    def _led(self) -> str:
        return f"{'session' if self.min_sessions_led == 1 else 'sessions'} led as {self.role}"

    @property
    def topics(self) -> set[str]:
        """The role, and contributions of type facilitated."""
        return {f"role:{self.role}"} | ({"did:facilitated"} if self.min_sessions_led else set())

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return the days asked for, or else the sessions, and the progress towards it."""
        _ = beside
        required = self.min_days or self.min_sessions_led or 1
        return required, observed / required

    def also(self, beside: float) -> Also | None:
        """Return how many sessions were led, which is `beside`.

        None if the rule does not ask for both days and sessions.
        """
        if self.min_days is None or self.min_sessions_led is None:
            return None
        text = f"{number(beside)} of {self.min_sessions_led} {self._led}{self.window or ''}"
        return Also("sessions_led", beside, self.min_sessions_led, "and", text)

    def sentence(self, observed: float, required: float) -> str:
        """Say how many days, or sessions, the member has."""
        what = f"{in_days(self.min_days)} as {self.role}" if self.min_days else self._led
        return f"{number(observed)} of {number(required)} {what}{self.window or ''}"

    def impossible(self, zone: tzinfo) -> Iterator[DefinitionFault]:
        """Yield also `min_days` that are more than the window has."""
        yield from super().impossible(zone)
        days = most_days(self.window, zone)
        if days is not None and self.min_days is not None and self.min_days > days:
            yield DefinitionFault(
                "rule-impossible", f"Expected at most {days}: the window has no more days.", "/min_days"
            )

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Add up the days on which the member had the role, each day once.

        `beside` is how many sessions the member led in it.

        1. A period reaches to today at most, and only the part of it that is in the window counts.
        2. If a period overlaps earlier ones, only its days after their last one count.
        3. A member who has the role, but no day in it yet, has 0 days.
        """
        from sqlalchemy import case, distinct, func, literal, select

        from service.criteria.kinds.query import (
            NOW,
            TODAY,
            CompiledRule,
            DayNumber,
            bounded,
            earlier,
            figures,
            first_of,
            had_role,
            later,
        )

        held: Rows = (
            select(
                asked.rows.role.member_id,
                asked.rows.role.from_at,
                DayNumber(asked.rows.role.from_date).label("start"),
            )
            .add_columns(func.coalesce(DayNumber(asked.rows.role.until_date), TODAY).label("end"))
            .join(asked.rows.member, asked.rows.member.id == asked.rows.role.member_id)
            .where(
                asked.own(asked.rows.member, asked.rows.role.member_id),
                asked.rows.role.role == self.role,
                asked.rows.role.from_at <= NOW,
            )
        )
        periods = held.cte()
        starts = isinstance(self.window, Last) or (isinstance(self.window, Between) and self.window.from_ is not None)
        ends = isinstance(self.window, Between) and self.window.to is not None
        start = later(periods.c.start, asked.start_day) if starts else periods.c.start  # (1)
        end = earlier(periods.c.end, TODAY)
        end = earlier(end, asked.end_day) if ends else end
        spans = select(periods.c.member_id, periods.c.from_at, start.label("start"), end.label("end")).cte()
        before = func.max(spans.c.end).over(
            partition_by=spans.c.member_id, order_by=[spans.c.start, spans.c.end, spans.c.from_at], rows=(None, -1)
        )
        ordered = select(*spans.c, before.label("before")).cte()
        first = later(ordered.c.start, ordered.c.before)  # (2)
        days = func.sum(case((ordered.c.end > first, ordered.c.end - first), else_=0))
        sums = (
            select(ordered.c.member_id, days.label("days"), func.min(ordered.c.from_at).label("first_at"))  # (3)
            .group_by(ordered.c.member_id)
            .cte()
        )
        if self.min_sessions_led is None:
            return CompiledRule(figures(sums.c.member_id, sums.c.days, literal(0), sums.c.first_at), None)
        led: Rows = select(
            asked.rows.contribution.member_id,
            asked.rows.contribution.session_id,
            asked.rows.contribution.record_id,
            asked.rows.contribution.occurred_at.label("at"),
        ).where(
            asked.own(asked.rows.contribution, asked.rows.contribution.member_id),
            asked.rows.contribution.type == "facilitated",
            asked.rows.contribution.session_id.is_not(None),
            had_role(self.role, asked.rows.contribution.member_id, asked.rows.contribution.occurred_at, asked),
            *bounded(self.window, asked.rows.contribution.occurred_at, asked),
        )
        meetings = led.cte()
        counts = (
            select(meetings.c.member_id, func.count(distinct(meetings.c.session_id)).label("sessions"))
            .group_by(meetings.c.member_id)
            .cte()
        )
        sessions = func.coalesce(counts.c.sessions, 0)
        observed = sums.c.days if self.min_days is not None else sessions
        numbers = figures(sums.c.member_id, observed, sessions, sums.c.first_at)
        numbers = numbers.outerjoin(counts, counts.c.member_id == sums.c.member_id)
        newest = first_of(
            meetings, [meetings.c.member_id, meetings.c.session_id], [meetings.c.at.desc(), meetings.c.record_id.desc()]
        )
        return CompiledRule(numbers, select(newest.c.member_id, newest.c.record_id, newest.c.at))
