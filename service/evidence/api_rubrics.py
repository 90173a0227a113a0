"""Rubrics over HTTP."""

from contextlib import suppress
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import Act, CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant, Ref, under
from service.errors import NotFoundError
from service.evidence import rubrics
from service.evidence.rubrics import (
    RubricAlignmentIn,
    RubricCriterionIn,
    RubricFields,
    RubricLevelIn,
    ShownRubric,
)
from service.runtime.settings import Settings
from service.web.conditional import UNCHANGED, Given, IfNoneMatch, seen, tagged, written_or_made
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Needs, Page, Reader, ReadNetwork, Running, StrictRoute, Windowed, acting

router = APIRouter(route_class=StrictRoute, tags=["rubrics"])
CanWrite = Annotated[CallersAct, acting(Needs("achievements:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]


class RubricPut(RubricFields):
    """One rubric; its `ref` is in the path, and may be repeated here."""

    ref: Ref | None = None


class ListedRubric(Answer):
    """A rubric in the list."""

    id: UUID
    ref: str
    name: str
    version: int = Field(description="the newest")
    changed_at: Instant = Field(description="when this version was posted, or changed last")

    @classmethod
    def of(cls, shown: ShownRubric) -> Self:
        """Return the answer for one rubric."""
        rubric, version = shown.rubric, shown.version
        return cls(
            id=rubric.id, ref=rubric.ref, name=version.name, version=version.version, changed_at=version.changed_at
        )


class RubricOut(Answer):
    """A version of a rubric."""

    id: UUID = Field(description="of the rubric; every version has the same")
    ref: str
    version: int
    url: str = Field(description="where everybody may read this version, without what it says to assessors")
    newest_version: int = Field(description="the one against which evaluations are held that name none")
    changed_at: Instant = Field(description="when this version was posted, or changed last")
    name: str
    levels: list[RubricLevelIn]
    criteria: list[RubricCriterionIn]
    for_assessors: str | None
    for_public: str | None
    alignment: list[RubricAlignmentIn] | None

    @classmethod
    def of(cls, shown: ShownRubric, settings: Settings) -> Self:
        """Return the answer for one version."""
        said = RubricFields.model_validate(shown.version.content)
        return cls(
            id=shown.rubric.id,
            ref=shown.rubric.ref,
            version=shown.version.version,
            url=f"{settings.base_url}/rubrics/{shown.version.id}",
            newest_version=shown.rubric.version,
            changed_at=shown.version.changed_at,
            name=said.name,
            levels=said.levels,
            criteria=said.criteria,
            for_assessors=said.for_assessors,
            for_public=said.for_public,
            alignment=said.alignment,
        )


def _now_if_there(act: Act, ref: str, settings: Settings) -> RubricOut | None:
    with suppress(NotFoundError):
        return RubricOut.of(rubrics.newest(act.session, rubrics.held(act, ref)), settings)
    return None


@router.put("/v1/networks/{slug}/rubrics/{ref}", response_model=RubricOut, responses=written_or_made(RubricOut))
@exactly_once()
def put_rubric(ref: Ref, body: RubricPut, act: CanWrite, given: Given, runtime: Running) -> Response:
    """Post a rubric (201) or change one (200); the body is the whole of it.

    Evaluations of the kind `rubric` that name it are held against it from then on: its criteria, and its levels. The
    newest version changes in place until the first evaluation is held against it; after that a change is the next
    version, and evaluations that are there keep theirs.
    """
    given.hold(lambda: _now_if_there(act, ref, runtime.settings))
    said = RubricFields.model_validate({name: value for name, value in under(ref, body).items() if name != "ref"})
    shown, created = rubrics.put(act, ref, said)
    return tagged(201 if created else 200, RubricOut.of(shown, runtime.settings))


@router.get("/v1/networks/{slug}/rubrics")
def list_rubrics(network: ReadNetwork, session: Reader, window: Windowed, _who: CanRead) -> Page[ListedRubric]:
    """List rubrics, each with its newest version, in the order in which they were posted first."""
    found, cursor = rubrics.list_all(session, network, window)
    return Page(items=[ListedRubric.of(shown) for shown in found], next=cursor)


@router.get("/v1/networks/{slug}/rubrics/{ref}", response_model=RubricOut, responses=UNCHANGED)
def get_rubric(
    ref: Ref,
    network: ReadNetwork,
    session: Reader,
    _who: CanRead,
    runtime: Running,
    version: Annotated[int | None, Query(ge=1, le=1_000_000, description="this version; left out: the newest")] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return one rubric, in its newest version or in another."""
    return seen(RubricOut.of(rubrics.get(session, network, ref, version), runtime.settings), if_none_match)
