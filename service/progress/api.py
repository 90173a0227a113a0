"""Progress of members, and the JSON Schema of the rule language, over HTTP."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from service.access.callers import READ, Caller
from service.achievements import achievements
from service.bodies import Instant, Ref, one_of
from service.criteria import tree
from service.networks import members
from service.progress import progress
from service.progress.progress import SHOWN_RECORDS, Standing
from service.web.openapi import given_as
from service.web.requests import Answer, Needs, Now, Page, Reader, ReadNetwork, Running, StrictRoute, Windowed

router = APIRouter(route_class=StrictRoute)
CanRead = Annotated[Caller, Depends(Needs(*READ))]


class RuleSchema(BaseModel):
    """The JSON Schema (draft 2020-12) of the language of rules."""

    model_config = ConfigDict(extra="allow")


class AlsoOut(Answer):
    """The second number of a rule that has two."""

    name: Literal["post", "organizations", "sessions_led"]
    joined: Literal["and", "or"] = Field(description="and: both numbers are needed; or: one of them is enough")
    met: bool
    observed: int | float
    required: int | float
    text: str = Field(examples=["5 of 7 sessions led as facilitator"])


class NodeOut(Answer):
    """A member's progress in a rule, or in a group of criteria."""

    rule: Annotated[str, one_of(tree.NAMES)] = Field(description="the kind of the rule or group", examples=["count"])
    met: bool
    observed: int | float = Field(description="the member's number; in a group, how many criteria are met")
    required: int | float = Field(description="the number that is needed")
    progress: float = Field(description="0 to 1, and 1 only if it is met")
    text: str = Field(examples=["3 of 4 contributions of type reviewed with tag peer-writing"])
    stability: Literal["grows", "may-change"] = Field(
        description="grows: more evidence never lowers it; may-change: evidence or time can raise or lower it"
    )
    also: AlsoOut | None = Field(None, description="the second number, of a rule that needs two")
    records: int | None = Field(None, description="how many records count, for a rule")
    record_ids: list[UUID] | None = Field(
        None, description=f"the newest {SHOWN_RECORDS} of them, for a rule (with `distinct` the newest of each)"
    )
    children: "list[NodeOut] | None" = Field(None, description="the criteria, for a group")


class StandingOut(Answer):
    """A member's progress towards one achievement."""

    achievement: str
    name: str
    version: int = Field(description="the version by which the member is judged")
    retired_since: Instant | None = Field(
        None, description="since when nobody new earns it; who has it keeps it, and a progress of 1 is not awarded"
    )
    enrolled: bool = Field(description="whether the member is enrolled in that version; if not, it is the newest")
    award: Literal["automatic", "reviewed"]
    met: bool
    progress: float
    text: str
    erased_record_ids: list[UUID] | None = Field(
        None, description="in a replay: shown records whose content was erased since; what they said is no longer known"
    )
    criteria: NodeOut | None = Field(None, description="progress rule by rule; left out if there is no rule")

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """Return the answer for one achievement."""
        node = standing.node
        return cls(
            achievement=standing.achievement.ref,
            name=standing.version.name,
            version=standing.version.version,
            retired_since=standing.achievement.retired_at,
            enrolled=standing.enrolled,
            award="automatic" if standing.version.award == "automatic" else "reviewed",
            met=node is not None and node.met,
            progress=node.progress if node is not None else 0,
            text=node.text if node is not None else "awarded by a person's decision; there is no rule",
            erased_record_ids=list(standing.erased) or None,
            criteria=NodeOut.model_validate(node.to_json()) if node is not None else None,
        )


@router.get("/v1/networks/{slug}/members/{ref}/progress", tags=["members"])
def list_member_progress(
    ref: Ref,
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    at: Now,
    _who: CanRead,
    achievement: Annotated[str | None, Query(max_length=200, description="only this achievement, by ref")] = None,
    as_of: Annotated[Instant | None, Query(description="replay as of this time, in the past")] = None,
    position: Annotated[
        int | None,
        Query(ge=0, le=2**53, description="replay on the evidence up to this position of the network's records"),
    ] = None,
) -> Page[StandingOut]:
    """Return a member's progress towards each published achievement.

    The answer goes rule by rule, with the evidence that counts. Evidence that is held, quarantined or void never
    counts. The numbers are those of this moment. `GET .../awards` tells whether an award was made.

    With `as_of`, `position` or both the progress is replayed as it was then: whatever was posted, voided, merged or
    changed since is left out of account. Without `position` it is the position of the last record received by `as_of`.
    Sessions are an exception: they are taken as they are now.
    """
    member = members.get_member(session, network, ref)
    only = achievements.get_achievement(session, network, achievement) if achievement is not None else None
    found, cursor = progress.of_member(
        session,
        network,
        member,
        at,
        achievement=only,
        window=window,
        as_of=as_of,
        position=position,
    )
    return Page(items=[StandingOut.of(standing) for standing in found], next=cursor)


@router.get(
    "/schemas/criteria/1",
    tags=["public documents"],
    response_class=Response,
    responses=given_as({"application/schema+json": RuleSchema}),
)
def get_criteria_schema(runtime: Running) -> JSONResponse:
    """Return the JSON Schema (draft 2020-12) of `criteria/1`, the language of rules.

    No token is needed. The service also checks what the schema cannot: `n` above the number of entries, an empty
    window, dates that do not exist, the size, and what a definition refers to.
    """
    schema = tree.json_schema(f"{runtime.settings.base_url}/schemas/criteria/1")
    return JSONResponse(schema, media_type="application/schema+json", headers={"Cache-Control": "public, max-age=3600"})
