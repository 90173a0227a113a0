"""Calls for participants over HTTP."""

from contextlib import suppress
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant, Ref, under
from service.errors import NotFoundError
from service.participation.calls import calls, reports
from service.participation.calls.applications import State
from service.participation.calls.calls import CallChange, CallFields, CallIn, OpenTo, Standing
from service.participation.calls.reports import CallReport
from service.runtime.settings import Settings
from service.tables import Call, Network
from service.web.conditional import TAGGED, UNCHANGED, Given, IfNoneMatch, merge_patch, seen, tagged, written_or_made
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Now,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    Windowed,
    acting,
)

router = APIRouter(route_class=StrictRoute, tags=["calls"])
CanWrite = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
CALL = "/v1/networks/{slug}/calls/{ref}"


class CallPut(CallFields):
    """One call; its `ref` is in the path, and may be repeated here."""

    ref: Ref | None = None


class CallTopicOut(Answer):
    """A topic in which a call looks for expertise."""

    name: str
    objectives: list[str] = Field(description="codes of the objectives that it serves")


class CallRoleOut(Answer):
    """The role that an accepted member gets."""

    role: str
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class CallOut(Answer):
    """A call as it is stored."""

    id: UUID
    ref: str
    title: str
    text: str | None = None
    opens_at: Instant
    closes_at: Instant
    standing: Standing = Field(description="whether one can apply now")
    places: int
    open_to: OpenTo
    public: bool
    topics: list[CallTopicOut]
    roles: list[str]
    disciplines: list[str]
    organizations: list[str]
    readiness: list[str]
    gives_role: CallRoleOut | None = None
    protected_reason: str | None = Field(None, description="why children and students cannot take part")
    url: str | None = Field(None, description="the page where anybody can apply; a call for members has none")
    created_at: Instant

    @classmethod
    def of(cls, settings: Settings, network: Network, row: Call, now: Now) -> Self:
        """Return the answer for one call."""
        address = f"{settings.base_url}/calls/{network.slug}/{row.ref}"
        return cls.model_validate(
            {
                name: getattr(row, name)
                for name in (
                    *(
                        "id",
                        "ref",
                        "title",
                        "text",
                        "opens_at",
                        "closes_at",
                        "places",
                        "open_to",
                        "public",
                        "created_at",
                    ),
                    *("protected_reason", "gives_role"),
                )
            }
            | row.asked
            | {"standing": calls.standing_of(row, now), "url": address if row.open_to == "anybody" else None}
        )


class CallCountOut(Answer):
    """How many people have one value, such as one organization."""

    value: str | None = Field(None, description="left out: they did not say")
    applied: int
    accepted: int


class CallReportOut(Answer):
    """Who applied to a call, in counts."""

    places: int
    states: dict[State, int] = Field(description="how many applications have which state")
    disciplines: list[CallCountOut]
    roles: list[CallCountOut]
    organizations: list[CallCountOut]

    @classmethod
    def of(cls, found: CallReport) -> Self:
        """Return the answer for the counts of a call."""
        groups = {
            f"{name}s": [CallCountOut.model_validate(each) for each in rows] for name, rows in found.groups.items()
        }
        return cls.model_validate({"places": found.call.places, "states": found.states} | groups)


def _now(act: CallersAct, runtime: Running, ref: str) -> CallOut:
    return CallOut.of(runtime.settings, act.network, calls.held(act, ref), act.now)


def _now_if_there(act: CallersAct, runtime: Running, ref: str) -> CallOut | None:
    with suppress(NotFoundError):
        return _now(act, runtime, ref)
    return None


@router.put(CALL, response_model=CallOut, responses=written_or_made(CallOut))
@exactly_once()
def put_call(ref: Ref, body: CallPut, act: CanWrite, given: Given, runtime: Running) -> Response:
    """Add a call for participants (201) or change one (200).

    Members that are left out stay as they are; null removes one. People apply with a statement, their expertise in the
    topics, role, organization, discipline and readiness, and with nothing else: further questions cannot be asked. A
    topic, name or statement with a word for a protected trait, such as age, gender, religion or disability, is refused
    (`call-protected-trait`); the list of words is short, in English and Spanish, and does not find what is paraphrased.

    Once somebody has applied, what is asked and who may apply stay as they are.

    The token must be bound to no member, or to a facilitator, admin or approver.
    """
    given.hold(lambda: _now_if_there(act, runtime, ref))
    row, created = calls.put_call(act, CallIn(**under(ref, body)))
    return tagged(201 if created else 200, CallOut.of(runtime.settings, act.network, row, act.now))


@router.patch(
    CALL,
    response_model=CallOut,
    responses=TAGGED,
    summary="Change a call",
    openapi_extra=merge_patch("CallChange"),
)
@exactly_once()
def update_call(ref: Ref, body: CallChange, act: CanWrite, given: Given, runtime: Running) -> Response:
    """Change some of a call, by a JSON Merge Patch (RFC 7396).

    A later `closes_at` opens a call again that was closed.
    """
    given.hold(lambda: _now(act, runtime, ref))
    row = calls.change_call(act, ref, body)
    return tagged(200, CallOut.of(runtime.settings, act.network, row, act.now))


@router.post(f"{CALL}/closing", response_model=CallOut, responses=TAGGED, summary="Close a call")
@exactly_once()
def close_call(ref: Ref, act: CanWrite, runtime: Running) -> Response:
    """Have nobody apply any more, nor change or withdraw what they said; people can still decide."""
    row = calls.close_call(act, ref)
    return tagged(200, CallOut.of(runtime.settings, act.network, row, act.now))


@router.get("/v1/networks/{slug}/calls")
def list_calls(
    network: ReadNetwork,
    session: Reader,
    runtime: Running,
    at: Now,
    window: Windowed,
    _who: CanRead,
    standing: Annotated[Standing | None, Query(description="only those that are coming, open or closed now")] = None,
    sort: Literal["added", "-added", "closes_at", "-closes_at"] = "added",
) -> Page[CallOut]:
    """List calls, in the order in which they were added, or in another."""
    rows, cursor = calls.list_calls(session, network, at, window, standing, sort)
    return Page(items=[CallOut.of(runtime.settings, network, row, at) for row in rows], next=cursor)


@router.get(CALL, response_model=CallOut, responses=UNCHANGED)
def get_call(
    ref: str,
    network: ReadNetwork,
    session: Reader,
    runtime: Running,
    at: Now,
    _who: CanRead,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return one call."""
    row = calls.get_call(session, network, ref)
    return seen(CallOut.of(runtime.settings, network, row, at), if_none_match)


@router.get(f"{CALL}/report", summary="Count the applicants of a call")
def get_call_report(ref: str, network: ReadNetwork, session: Reader, at: Now, who: CanRead) -> CallReportOut:
    """Return how many people applied and were accepted, by discipline, role and organization.

    The token must be bound to no member, or to a facilitator, admin or approver.
    """
    return CallReportOut.of(reports.report(session, network, who, ref, at))
