"""Objectives over HTTP."""

from contextlib import suppress
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import Act, CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant, Ref, under
from service.errors import NotFoundError
from service.networks import objectives
from service.networks.alignments import AlignmentIn
from service.networks.objectives import ObjectiveChange, ObjectiveFields, ShownObjective
from service.storage.database import ReadSession, WriteSession
from service.tables import ObjectiveVersion
from service.web.conditional import TAGGED, UNCHANGED, Given, IfNoneMatch, merge_patch, seen, tagged, written_or_made
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Needs, Page, Reader, ReadNetwork, StrictRoute, Windowed, acting

router = APIRouter(route_class=StrictRoute, tags=["objectives"])
CanWrite = Annotated[CallersAct, acting(Needs("achievements:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]


class ObjectivePut(ObjectiveFields):
    """One objective; its `ref` is in the path, and may be repeated here."""

    ref: Ref | None = None


class ObjectiveVersionOut(Answer):
    """A version of an objective."""

    version: int
    text: str
    measure: str | None
    alignment: list[AlignmentIn] | None
    changes: str | None = Field(None, description="what is other than in the version before")
    at: Instant = Field(description="when this version was posted")

    @classmethod
    def of(cls, version: ObjectiveVersion) -> Self:
        """Return the answer for one version."""
        return cls.model_validate(cls.said(version))

    @staticmethod
    def said(version: ObjectiveVersion) -> dict[str, object]:
        """Return the members that every version has."""
        content = {"measure": None, "alignment": None} | version.content
        return content | {"version": version.version, "changes": version.changes, "at": version.at}


class ListedObjective(ObjectiveVersionOut):
    """An objective in its newest version."""

    id: UUID
    ref: str = Field(description="the network's own code of the objective", examples=["FEEDBACK-1"])
    created_at: Instant
    retired_at: Instant | None = Field(None, description="since when nothing new may name it")

    @classmethod
    def shown(cls, shown: ShownObjective) -> Self:
        """Return the answer for one objective."""
        return cls.model_validate(cls.said(shown.version) | cls.own(shown))

    @staticmethod
    def own(shown: ShownObjective) -> dict[str, object]:
        """Return the members that only the objective has."""
        row = shown.objective
        return {"id": row.id, "ref": row.ref, "created_at": row.created_at, "retired_at": row.retired_at}


class ObjectiveOut(ListedObjective):
    """An objective in its newest version, with all versions."""

    versions: list[ObjectiveVersionOut] = Field(description="oldest first; none of them ever changes")


def _out(session: ReadSession | WriteSession, shown: ShownObjective) -> ObjectiveOut:
    every = [ObjectiveVersionOut.of(each) for each in objectives.versions(session, shown.objective)]
    return ObjectiveOut.model_validate(ObjectiveOut.said(shown.version) | ObjectiveOut.own(shown) | {"versions": every})


def _now(act: Act, ref: str) -> ObjectiveOut:
    return _out(act.session, objectives.held(act, ref))


def _now_if_there(act: Act, ref: str) -> ObjectiveOut | None:
    with suppress(NotFoundError):
        return _now(act, ref)
    return None


@router.put(
    "/v1/networks/{slug}/objectives/{ref}", response_model=ObjectiveOut, responses=written_or_made(ObjectiveOut)
)
@exactly_once()
def put_objective(ref: Ref, body: ObjectivePut, act: CanWrite, given: Given) -> Response:
    """Post an objective (201), or a new version of it (200); the body is the whole of it.

    A version never changes: what differs is the next one, and what says the same changes nothing. Where a session, an
    expectation or a published achievement names the objective, `changes` says what is other than before (422
    `changes-missing`). An achievement that is published keeps the version that was the newest then; publish its next
    version for others to be judged by the new one.
    """
    given.hold(lambda: _now_if_there(act, ref))
    said = ObjectiveFields.model_validate({name: value for name, value in under(ref, body).items() if name != "ref"})
    shown, created = objectives.put(act, ref, said)
    return tagged(201 if created else 200, _out(act.session, shown))


@router.patch(
    "/v1/networks/{slug}/objectives/{ref}",
    response_model=ObjectiveOut,
    responses=TAGGED,
    summary="Change an objective",
    openapi_extra=merge_patch("ObjectiveChange"),
)
@exactly_once()
def update_objective(ref: Ref, body: ObjectiveChange, act: CanWrite, given: Given) -> Response:
    """Change some of an objective, by a JSON Merge Patch (RFC 7396); the result is the next version, as with `PUT`."""
    given.hold(lambda: _now(act, ref))
    return tagged(200, _out(act.session, objectives.change(act, ref, body)))


@router.delete(
    "/v1/networks/{slug}/objectives/{ref}", status_code=204, response_class=Response, summary="Remove an objective"
)
@exactly_once()
def delete_objective(ref: Ref, act: CanWrite, given: Given) -> Response:
    """Remove an objective that nothing names.

    If a session, an expectation, a call or a published achievement names it, the answer is 409 `objective-in-use`, and `rests`
    says how many of each: it can be retired.
    """
    given.hold(lambda: _now(act, ref))
    objectives.remove(act, ref)
    return Response(status_code=204)


@router.post(
    "/v1/networks/{slug}/objectives/{ref}/retirement",
    response_model=ObjectiveOut,
    responses=TAGGED,
    summary="Retire an objective",
)
@exactly_once()
def retire_objective(ref: Ref, act: CanWrite) -> Response:
    """Retire an objective: nothing new may name it.

    Sessions, expectations and published achievements that name it keep it, and so do badges. An achievement that names
    it cannot be published again until another objective stands there. A second request changes nothing.
    """
    return tagged(200, _out(act.session, objectives.retire(act, ref)))


@router.post(
    "/v1/networks/{slug}/objectives/{ref}/reinstatement",
    response_model=ObjectiveOut,
    responses=TAGGED,
    summary="Take the retirement of an objective back",
)
@exactly_once()
def reinstate_objective(ref: Ref, act: CanWrite) -> Response:
    """Take the retirement of an objective back: it can be named again."""
    return tagged(200, _out(act.session, objectives.reinstate(act, ref)))


@router.get("/v1/networks/{slug}/objectives")
def list_objectives(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _who: CanRead,
    retired: Annotated[bool | None, Query(description="only those that are retired, or that are not")] = None,
) -> Page[ListedObjective]:
    """List objectives, each in its newest version, in the order in which they were posted first."""
    found, cursor = objectives.list_all(session, network, window, retired=retired)
    return Page(items=[ListedObjective.shown(shown) for shown in found], next=cursor)


@router.get("/v1/networks/{slug}/objectives/{ref}", response_model=ObjectiveOut, responses=UNCHANGED)
def get_objective(
    ref: Ref, network: ReadNetwork, session: Reader, _who: CanRead, if_none_match: IfNoneMatch = None
) -> Response:
    """Return one objective with all its versions."""
    return seen(_out(session, objectives.get(session, network, ref)), if_none_match)
