"""A decision on an award, and its receipt before it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

from credentials.strict_json import canonical_json
from service.issuing.choices import Choices
from service.progress.progress import Node
from service.tables import AchievementVersion, AwardDecider


@dataclass(frozen=True)
class Decider:
    """Someone who decided.

    `member_id` is the member to whom the token was bound, if any, and `role` the role in which they decided.
    """

    token_id: UUID | None
    member_id: UUID | None
    role: str | None
    at: datetime

    @classmethod
    def of(cls, row: AwardDecider) -> Self:
        """Return the decider in a row."""
        return cls(row.token_id, row.member_id, row.role, row.at)


@dataclass(frozen=True)
class UnstoredReceipt:
    """A receipt before it is stored.

    It has its address, the exact public bytes as text, and what those hide.
    """

    id: str
    public: str
    full: dict[str, Any]
    as_of: datetime
    position: int

    @property
    def sha256(self) -> str:
        """The digest of the public bytes: 64 hexadecimal digits."""
        return sha256(self.public.encode()).hexdigest()


@dataclass(frozen=True)
class Decision:
    """A decision that a member has earned a version of an achievement.

    It also says on which records that rests, and who decided it.

    Args:
        node: the member's progress, if the rule was evaluated.
        child_ids: the awards that a rule `holds` counted.
        waits: why nothing is signed yet: "second", the award waits for a second person.
        held: nothing is signed before a hold on it ends.
        receipt: the existing receipt, if the award gets another credential.
        chosen: what the recipient chose about the credential in whose place this one stands.
    """

    member_id: UUID
    version: AchievementVersion
    basis: str
    awarded_at: datetime
    record_ids: tuple[UUID, ...] = ()
    reason: str | None = None
    deciders: tuple[Decider, ...] = ()
    node: Node | None = None
    child_ids: tuple[UUID, ...] = ()
    waits: str | None = None
    held: bool = False
    receipt: UnstoredReceipt | None = None
    chosen: Choices | None = None

    @property
    def met(self) -> bool:
        """Whether there is an award: the rule is met, or people decided."""
        return self.node is None or self.node.met

    @property
    def cooling_off(self) -> str | None:
        """How long the award waits before it is signed.

        An award made elsewhere does not wait, because people know of it already.
        """
        chosen: str | None = self.version.definition.get("cooling_off")
        return chosen if self.basis != "recorded" else None

    @property
    def pending(self) -> bool:
        """Whether nothing is signed yet."""
        return self.waits is not None or self.held or self.cooling_off is not None

    @property
    def purpose(self) -> str:
        """What the published status of the credential states: its status purpose."""
        chosen: str = self.version.definition.get("status", "revocation")
        return chosen

    @cached_property
    def criteria(self) -> dict[str, Any] | None:
        """The public part of the rules and groups, if the rule was evaluated."""
        return _criteria(self.node, self.node.to_json()) if self.node is not None else None

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """A key of what the credential states.

        A credential that was signed for one decision can be used for another if their keys are equal.
        """
        shown = canonical_json(self.criteria) if self.criteria is not None else None
        return (
            *(self.member_id, self.version.id, self.basis, self.awarded_at, self.reason),
            *(frozenset(self.record_ids), self.deciders, frozenset(self.child_ids), shown),
        )


def _criteria(node: Node, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public part of a rule or group.

    The criteria are published anyway, and the member's numbers are what was earned.
    """
    said = {name: shown[name] for name in ("rule", "met", "observed", "required", "text")}
    if node.children:
        children = zip(node.children, shown["children"], strict=True)
        return said | {"children": [_criteria(child, below) for child, below in children]}
    return said | {"evidence": sorted(str(record_id) for record_id in node.record_ids)}
