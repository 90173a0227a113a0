"""A decision on an award, as it is receipted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

from credentials.strict_json import canonical_json
from service.progress.progress import Node
from service.tables import AchievementVersion, AwardDecider


@dataclass(frozen=True)
class Decider:
    """Somebody who decided: the member to whom the token was bound, if any, and in which role."""

    token_id: UUID | None
    member_id: UUID | None
    role: str | None
    at: datetime

    @classmethod
    def of(cls, row: AwardDecider) -> Self:
        """Return who stands in a row."""
        return cls(row.token_id, row.member_id, row.role, row.at)


@dataclass(frozen=True)
class Written:
    """A receipt before it is kept: its address, the exact public bytes as text, and what those hide."""

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
    """That a member has earned a version of an achievement, on which records that rests, and who decided it.

    Args:
        node: what the member had reached, where the rule was asked.
        child_ids: the awards that a rule `holds` counted.
        waits: nothing is signed yet: "second", for a second person.
        receipt: the one there is already, when the award gets another credential.
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
    receipt: Written | None = None

    @property
    def met(self) -> bool:
        """Whether there is an award: the rule is met, or people decided."""
        return self.node is None or self.node.met

    @property
    def cooling_off(self) -> str | None:
        """How long the award waits before it is signed; what was awarded elsewhere has been told already."""
        chosen: str | None = self.version.definition.get("cooling_off")
        return chosen if self.basis != "recorded" else None

    @property
    def pending(self) -> bool:
        """Whether nothing is signed for the moment."""
        return self.waits is not None or self.cooling_off is not None

    @property
    def purpose(self) -> str:
        """What the published status of the credential tells."""
        chosen: str = self.version.definition.get("status", "revocation")
        return chosen

    @cached_property
    def criteria(self) -> dict[str, Any] | None:
        """What is public of the rules and groups, where the rule was asked."""
        return _criteria(self.node, self.node.to_json()) if self.node is not None else None

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What a credential that was signed for one decision must share with another to do for it."""
        shown = canonical_json(self.criteria) if self.criteria is not None else None
        return (
            *(self.member_id, self.version.id, self.basis, self.awarded_at, self.reason),
            *(frozenset(self.record_ids), self.deciders, frozenset(self.child_ids), shown),
        )


def _criteria(node: Node, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is public of a rule or group: the criteria are published, the member's numbers are what was earned."""
    said = {name: shown[name] for name in ("rule", "met", "observed", "required", "text")}
    if node.children:
        children = zip(node.children, shown["children"], strict=True)
        return said | {"children": [_criteria(child, below) for child, below in children]}
    return said | {"evidence": sorted(str(record_id) for record_id in node.record_ids)}
