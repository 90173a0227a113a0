"""Where everybody stands on the way to an achievement, over HTTP."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from service.access.callers import READ, Caller
from service.achievements import achievements
from service.achievements.api_expanded import Expanded, ExpandMember, expanded
from service.bodies import Ref
from service.progress import everybody
from service.progress.api import NodeOut
from service.progress.everybody import Chosen, Reached
from service.web.openapi import also
from service.web.requests import Answer, Needs, Now, Page, Reader, ReadNetwork, Running, StrictRoute, Windowed

router = APIRouter(route_class=StrictRoute, tags=["achievements"])


class ReachedOut(Answer):
    """Where a member stands on the way to the achievement."""

    member: str = Field(description="ref of the member", examples=["m11"])
    member_id: UUID
    version: int = Field(description="the version by which the member is judged")
    enrolled: bool = Field(description="whether the member is enrolled in that version; if not, it is the newest")
    met: bool = Field(description="whether the rule is met now, awarded or not")
    progress: float = Field(description="0 to 1, and 1 only if it is met")
    text: str = Field(examples=["3 of 4 contributions of type reviewed"])
    award: UUID | None = Field(None, description="the member's last award of the achievement")
    award_state: Literal["pending", "awarded", "suspended", "revoked", "expired"] | None = None
    criteria: NodeOut | None = Field(None, description="progress rule by rule; left out if there is no rule")
    expanded: Expanded | None = None

    @classmethod
    def of(cls, reached: Reached, more: Expanded | None) -> Self:
        """Return the answer for one member."""
        node, award = reached.node, reached.award
        return cls.model_validate(
            {
                "member": reached.member.ref,
                "member_id": reached.member.id,
                "version": reached.version.version,
                "enrolled": reached.enrolled,
                "met": node is not None and node.met,
                "progress": node.progress if node is not None else 0,
                "text": node.text if node is not None else "awarded by a person's decision; there is no rule",
                "award": award.id if award is not None else None,
                "award_state": award.state if award is not None else None,
                "criteria": _numbers(node.to_json()) if node is not None else None,
                "expanded": more,
            }
        )


@router.get(
    "/v1/networks/{slug}/achievements/{ref}/progress", summary="Say where everybody stands", responses=also(409)
)
def list_achievement_progress(
    ref: Ref,
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    runtime: Running,
    at: Now,
    who: Annotated[Caller, Depends(Needs(*READ))],
    met: Annotated[bool | None, Query(description="only those who meet the rule now, or who do not")] = None,
    awarded: Annotated[bool | None, Query(description="only those who hold it now, or who do not")] = None,
    sort: Annotated[
        Literal["enrolled_at", "-progress"], Query(description="-progress: who has come farthest first")
    ] = "enrolled_at",
    expand: ExpandMember = None,
) -> Page[ReachedOut]:
    """Say of each member how far they are on the way to an achievement, rule by rule, awarded or not.

    Each is judged by the version that binds them, on the evidence of this moment; the records that count are in
    `GET .../members/{ref}/progress`. Who was erased is left out. With `met` a page looks at 5,000 members at most, and can be short or empty
    although there is a next one. Up to 10,000 members are sorted by progress.
    """
    achievement = achievements.get_achievement(session, network, ref)
    which = Chosen(met, awarded)
    found, cursor = everybody.list_progress(session, network, achievement, at, which, window=window, sort=sort)
    more = expanded(session, runtime.settings, who, expand, [(each.member.id, None) for each in found])
    return Page(items=[ReachedOut.of(each, extra) for each, extra in zip(found, more, strict=True)], next=cursor)


def _numbers(node: dict[str, Any]) -> dict[str, Any]:
    """Return a node without records, which are not looked up for many."""
    said = {name: value for name, value in node.items() if name not in {"records", "record_ids"}}
    return said | ({"children": [_numbers(each) for each in node["children"]]} if "children" in node else {})
