"""The rule `approval`: people in a role have decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field

from service.bodies import RoleName
from service.criteria.kinds.rule import Rule, Stability
from service.criteria.parts import Amount, Borne

if TYPE_CHECKING:
    from service.criteria.kinds.query import AskedRule, CompiledRule, Rows


class Approved(Rule):
    """People in a role who approved the award; nobody can approve their own award."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rule": "approval", "by_role": "site_director", "n": 1}]}
    )

    rule: Literal["approval"]
    by_role: Annotated[RoleName, Borne("role")] = Field(
        description="the role that they must have in the network when they approve"
    )
    n: Amount = Field(1, description="as many different people as this, or more")
    not_conflicted: bool = Field(
        True, description="true: an approval by somebody whom the member has approved in turn does not count"
    )

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        people = "person" if self.n == 1 else "people"
        return f"{self.n} {people} with the role {self.by_role} who approved{self.window or ''}"

    @property
    def stability(self) -> Stability:
        """May change: an approval can be withdrawn, or turn out to be mutual."""
        return "may-change"

    @property
    def topics(self) -> set[str]:
        """None: the request that approves decides on the award at once."""
        return set()

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `n`, and the progress towards it."""
        _ = beside
        return self.n, observed / self.n

    def compiled(self, asked: AskedRule) -> CompiledRule:
        """Count the people whose approvals of this achievement count now."""
        from sqlalchemy import distinct, func, literal, or_, select
        from sqlalchemy.orm import aliased

        from service.criteria.kinds.query import ACHIEVEMENT, NETWORK, NOW, CompiledRule, figures, within
        from service.tables import Approval

        counts = [
            Approval.outcome == "approved",
            Approval.at <= NOW,
            or_(Approval.ended_at.is_(None), Approval.ended_at > NOW),
        ]
        query: Rows = select(Approval.member_id, Approval.approver_who, Approval.at).where(
            asked.own(Approval, Approval.member_id),
            Approval.achievement_id == ACHIEVEMENT,
            Approval.role == self.by_role,
            *counts,
        )
        if self.not_conflicted:
            back = aliased(Approval)
            in_turn = select(back.id).where(
                back.network_id == NETWORK,
                back.outcome == "approved",
                back.at <= NOW,
                or_(back.ended_at.is_(None), back.ended_at > NOW),
                back.approver_who == Approval.recipient_who,
                back.recipient_who == Approval.approver_who,
            )
            query = query.where(~in_turn.exists())
        rows = within(query, self.window, Approval.at, Approval.member_id, asked).subquery()
        number = func.count(distinct(rows.c.approver_who))
        numbers = figures(rows.c.member_id, number, literal(0), func.min(rows.c.at))
        return CompiledRule(numbers.group_by(rows.c.member_id), None)
