"""The rule `endorsed`: people in the network vouch for a member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from service.bodies import RoleName
from service.criteria.filters import EvaluationFilter
from service.criteria.kinds.rule import Also, Rule, Stability, number
from service.criteria.parts import Amount, Borne, Most, Name

if TYPE_CHECKING:
    from sqlalchemy import CTE

    from service.criteria.kinds.query import AskedRule, CompiledRule


class Endorsed(Rule):
    """Colleagues who endorsed a skill of the member, each person once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rule": "endorsed", "skill": "facilitation", "gte": 4, "distinct_orgs": 2}]}
    )

    rule: Literal["endorsed"]
    skill: Annotated[Name, Borne("skill")] = Field(description="the skill, as endorsements name it")
    gte: Amount = Field(description="by this many different people, or more")
    distinct_orgs: Amount | None = Field(None, description="from this many different organizations, or more")
    from_role: Annotated[RoleName | None, Borne("role")] = Field(
        None, description="by people who had this role when they endorsed"
    )
    from_achievement: Name | None = Field(
        None, description="by people who held this achievement, by ref, when they endorsed"
    )
    max_reciprocal: Most | None = Field(
        None, description="at most this many count of the people whom the member has endorsed too, for any skill"
    )
    where: EvaluationFilter = Field(EvaluationFilter(), description="which endorsements count; left out: all")

    @field_validator("distinct_orgs")
    @classmethod
    def _within(cls, distinct_orgs: int, info: ValidationInfo) -> int:
        people = info.data.get("gte")
        if people is not None and distinct_orgs > people:
            raise PydanticCustomError(
                "orgs-too-many", "Expected at most {gte}, as so many people are asked for", {"gte": people}
            )
        return distinct_orgs

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        orgs = f" from {self.distinct_orgs} organizations" if self.distinct_orgs else ""
        people = "person" if self.gte == 1 else "people"
        return f"{self.gte} {people}{orgs} who endorsed {self.skill}{self._words}"

    @property
    def _words(self) -> str:
        role = f" as {self.from_role}" if self.from_role else ""
        holding = f" holding {self.from_achievement}" if self.from_achievement else ""
        most = self.max_reciprocal
        mutual = f", at most {most} of them endorsed in return" if most is not None else ""
        return f"{role}{holding}{self.where}{self.window or ''}{mutual}"

    @property
    def stability(self) -> Stability:
        """May change if mutual ones are limited: endorsing in return can lose one."""
        return "may-change" if self.max_reciprocal is not None else super().stability

    @property
    def topics(self) -> set[str]:
        """Endorsements of the skill."""
        return {f"endorsement:{self.skill}"}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `gte`, and the progress towards it."""
        _ = beside
        return self.gte, observed / self.gte

    def also(self, beside: float) -> Also | None:
        """Return the number of organizations that they are from, which is `beside`."""
        if self.distinct_orgs is None:
            return None
        text = (
            f"{number(beside)} of {self.distinct_orgs} {'organization' if self.distinct_orgs == 1 else 'organizations'}"
        )
        return Also("organizations", beside, self.distinct_orgs, "and", text)

    def sentence(self, observed: float, required: float) -> str:
        """Say how many people have endorsed."""
        people = "person" if required == 1 else "people"
        return f"{number(observed)} of {number(required)} {people} who endorsed {self.skill}{self._words}"

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Count the people who endorsed a skill; `beside` are their organizations.

        If mutual endorsements are limited, those people count whom the member has not endorsed, and of the others the
        ones who endorsed last.
        """
        from sqlalchemy import and_, case, distinct, func, or_, select

        from service.criteria.kinds.query import (
            HELD,
            NETWORK,
            CompiledRule,
            evaluations_of,
            figures,
            first_of,
            had_role,
            person_of,
        )
        from service.tables import Achievement

        judge = asked.rows.another_member()
        given = evaluations_of(self.where, self.window, asked, ["endorsement"], self.skill, judge.organization)
        given = given.join(judge, judge.id == asked.rows.evaluation.evaluator_id)
        if self.from_role is not None:
            given = given.where(
                had_role(self.from_role, asked.rows.evaluation.evaluator_id, asked.rows.evaluation.occurred_at, asked)
            )
        if self.from_achievement is not None:
            held = (
                select(asked.rows.award.id)
                .join(Achievement, Achievement.id == asked.rows.award.achievement_id)
                .where(
                    asked.rows.award.member_id == asked.rows.evaluation.evaluator_id,
                    asked.rows.award.awarded_at <= asked.rows.evaluation.occurred_at,
                )
                .where(
                    asked.rows.award.state.in_(HELD),
                    Achievement.ref == self.from_achievement,
                    asked.rows.award.network_id == NETWORK,
                )
            )
            given = given.where(held.exists())
        rows = given.cte()
        newest = first_of(rows, [rows.c.member_id, rows.c.judge], [rows.c.at.desc(), rows.c.record_id.desc()])
        if self.max_reciprocal is not None:
            own, given_back = asked.rows.another_member(), _endorsed_by_themselves(asked)
            back = and_(given_back.c.giver == person_of(own), given_back.c.receiver == newest.c.judge)
            people = (
                select(*newest.c, case((given_back.c.giver.is_(None), 0), else_=1).label("returned"))
                .join(own, own.id == newest.c.member_id)
                .outerjoin(given_back, back)
                .cte()
            )
            order = [people.c.at.desc(), people.c.record_id.desc()]
            place = func.row_number().over(partition_by=[people.c.member_id, people.c.returned], order_by=order)
            ranked = select(*people.c, place.label("place")).cte()
            counts = or_(ranked.c.returned == 0, ranked.c.place <= self.max_reciprocal)
            counted = select(ranked.c.member_id, ranked.c.judge, ranked.c.record_id, ranked.c.at).where(counts).cte()
        else:
            counted = newest
        on_counted = and_(rows.c.member_id == counted.c.member_id, rows.c.judge == counted.c.judge)
        people_of = func.count(distinct(rows.c.judge))
        numbers = figures(rows.c.member_id, people_of, func.count(distinct(rows.c.organization)), func.min(rows.c.at))
        numbers = numbers.select_from(rows).join(counted, on_counted).group_by(rows.c.member_id)
        return CompiledRule(numbers, select(counted.c.member_id, counted.c.record_id, counted.c.at))


def _endorsed_by_themselves(asked: AskedRule) -> CTE:
    """Return whom the members have endorsed for any skill: (giver, receiver).

    Both are persons: what another member who is the same person has given counts too.
    """
    from sqlalchemy import literal_column, or_, select

    from service.criteria.kinds.query import MEMBERS, NETWORK, person_of

    mine, theirs = asked.rows.another_member(), asked.rows.another_member()
    given = asked.rows.another_evaluation()
    query = (
        select(person_of(mine).label("giver"), person_of(theirs).label("receiver"))
        .join_from(given, mine, mine.id == given.evaluator_id)
        .join(theirs, theirs.id == given.member_id)
        .where(given.network_id == NETWORK, given.kind == literal_column("'endorsement'"))
    )
    if asked.of_members:
        # The members, or other members who are the same persons: two conditions, so that each uses its index.
        own, same = asked.rows.another_member(), asked.rows.another_member()
        persons = select(own.person_id).where(own.id.in_(MEMBERS), own.person_id.is_not(None))
        others = select(same.id).where(same.person_id.in_(persons), same.network_id == NETWORK)
        query = query.where(or_(given.evaluator_id.in_(MEMBERS), given.evaluator_id.in_(others)))
    return query.distinct().cte()
