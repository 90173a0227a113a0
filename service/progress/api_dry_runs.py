"""Dry runs of a definition over HTTP."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends
from pydantic import Field

from service.access.callers import READ, Caller
from service.achievements.api import WarningOut, warning
from service.bodies import Ref, one_of
from service.criteria import tree
from service.progress import dry_run
from service.progress.api import AlsoOut, NodeOut
from service.progress.dry_run import DryRun, DryRunIn, Outlook
from service.web.requests import Answer, Needs, Now, Reader, ReadNetwork, StrictRoute, Windowed

router = APIRouter(route_class=StrictRoute, tags=["achievements"])
CanRead = Annotated[Caller, Depends(Needs(*READ))]


class FaultOut(Answer):
    """A fault that would keep the definition from being published."""

    code: str
    detail: str
    pointer: str = Field(description="into the definition")


class MissingOut(Answer):
    """A rule that the member still has to meet."""

    rule: Annotated[str, one_of(tree.KINDS)]
    observed: int | float
    required: int | float
    progress: float
    text: str = Field(examples=["3 of 4 contributions of type reviewed"])
    also: AlsoOut | None = None


class OutlookOut(Answer):
    """How far a member is from the achievement."""

    member: str
    met: bool = Field(description="whether the member would earn it today")
    held: bool = Field(description="whether the member has it already, in any version")
    steps: int = Field(description="the least number of rules that are still to be met")
    progress: float
    missing: list[MissingOut] = Field(description="those rules; if there is a choice, the ones with the most progress")
    criteria: NodeOut | None = Field(
        None, description="progress rule by rule, with evidence, if the request names one member"
    )

    @classmethod
    def of(cls, outlook: Outlook, *, whole: bool) -> Self:
        """Return the answer for one member."""
        node = outlook.node
        return cls(
            member=outlook.member.ref,
            met=node.met,
            held=outlook.held,
            steps=len(outlook.missing),
            progress=node.progress,
            missing=[MissingOut.model_validate(_rule(each.to_json())) for each in outlook.missing],
            criteria=NodeOut.model_validate(node.to_json()) if whole else None,
        )


class DryRunOut(Answer):
    """Who would earn the achievement today, and who is near."""

    version: int | None = Field(
        None, description="the version that was tried; left out for a definition in the request"
    )
    faults: list[FaultOut] = Field(description="faults that would keep it from being published")
    warnings: list[WarningOut] | None = Field(
        None, description="names in the definition that nothing in the network has borne yet; it can be published so"
    )
    items: list[OutlookOut]
    looked_at: int = Field(description="how many members were looked at for this page")
    count: int | None = Field(
        None, description="how many of all members would earn it today, if the request asks for it"
    )
    next: str | None = Field(None, description="cursor of the next page; left out if all members were looked at")

    @classmethod
    def of(cls, tried: DryRun, *, whole: bool) -> Self:
        """Return the answer for one page."""
        faults = [FaultOut(code=code, detail=detail, pointer=pointer) for code, detail, pointer in tried.faults]
        items = [OutlookOut.of(each, whole=whole) for each in tried.outlooks]
        version = tried.version.version or None
        return cls(
            version=version,
            faults=faults,
            warnings=[warning(each) for each in tried.warnings] or None,
            items=items,
            looked_at=tried.looked_at,
            next=tried.following,
            count=tried.count,
        )


@router.post("/v1/networks/{slug}/achievements/{ref}/dry-run", response_model_exclude_none=True)
def rehearse_achievement(
    ref: Ref,
    body: DryRunIn,
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    at: Now,
    _who: CanRead,
) -> DryRunOut:
    """Return who would earn an achievement today, and who is one step away.

    Nothing is written, and nobody is told. The definition that is tried is the newest version (also a draft), the
    version that the request names, or the definition in the request; for the last the achievement need not exist. All
    members are judged by it, whichever version they are enrolled in. A step is a rule that is still to be met; somebody
    is as many steps away as the least number of rules that they still have to meet. Members come in the order in which
    they were added. A page looks at 5,000 of them at most, and can be empty although there is a next one.
    """
    tried = dry_run.run(session, network, ref, body, at, window=window)
    return DryRunOut.of(tried, whole=body.member is not None)


def _rule(node: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in node.items() if name in MissingOut.model_fields}
