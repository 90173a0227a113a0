"""Expectations over HTTP, and where members stand with them."""

from contextlib import suppress
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import ConfigDict, Field

from service.access.act import Act, CallersAct
from service.access.callers import READ, Caller
from service.achievements.api import WarningOut, warning
from service.bodies import Instant, Ref, under
from service.criteria.tree import UnparsedCriterion
from service.errors import NotFoundError
from service.networks import members
from service.participation.expectations import expectations, standing
from service.participation.expectations.bodies import Day, ExpectationChange, ExpectationFields, PeriodIn
from service.participation.expectations.expectations import ShownExpectation
from service.participation.expectations.standing import Stands, State
from service.tables import ExpectationVersion
from service.web.conditional import TAGGED, UNCHANGED, Given, IfNoneMatch, merge_patch, seen, tagged, written_or_made
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Needs, Now, Page, Reader, ReadNetwork, StrictRoute, Windowed, acting

router = APIRouter(route_class=StrictRoute, tags=["expectations"])
CanWrite = Annotated[CallersAct, acting(Needs("achievements:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
On = Annotated[Day | None, Query(description="in the period that this day is in; left out: in the one that runs now")]


class ExpectationPut(ExpectationFields):
    """One expectation; its `ref` is in the path, and may be repeated here."""

    ref: Ref | None = None


class ExpectationVersionOut(Answer):
    """A version of an expectation."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    version: int
    from_: Day = Field(alias="from", description="it judges the periods that begin then or later")
    until: Day | None = Field(None, description="periods that begin then or later are not judged")
    name: str
    text: str | None = None
    rule: UnparsedCriterion
    period: PeriodIn
    role: str | None = None
    objectives: list[str] | None = None
    at: Instant = Field(description="when this version was posted")

    @classmethod
    def of(cls, version: ExpectationVersion) -> Self:
        """Return the answer for one version."""
        return cls.model_validate(cls.said(version))

    @staticmethod
    def said(version: ExpectationVersion) -> dict[str, Any]:
        """Return the members that every version has."""
        return version.content | {"version": version.version, "from": f"{version.from_date}", "at": version.at}


class ListedExpectation(ExpectationVersionOut):
    """An expectation in its newest version."""

    id: UUID
    ref: str = Field(examples=["attendance"])
    created_at: Instant
    ended_on: Day | None = Field(None, description="since when it is not expected any more")

    @classmethod
    def shown(cls, shown: ShownExpectation) -> Self:
        """Return the answer for one expectation."""
        return cls.model_validate(cls.said(shown.newest) | cls.own(shown))

    @staticmethod
    def own(shown: ShownExpectation) -> dict[str, Any]:
        """Return the members that only the expectation has."""
        row = shown.expectation
        return {"id": row.id, "ref": row.ref, "created_at": row.created_at, "ended_on": row.ended_on}


class ExpectationOut(ListedExpectation):
    """An expectation in its newest version, with all versions."""

    MOVING = frozenset({"warnings"})

    versions: list[ExpectationVersionOut] = Field(description="oldest first; none of them ever changes")
    warnings: list[WarningOut] | None = Field(
        None, description="in answers to writing: names that nothing in the network has borne yet"
    )

    @classmethod
    def whole(cls, shown: ShownExpectation) -> Self:
        """Return the answer for one expectation, with all versions."""
        every = {"versions": [ExpectationVersionOut.of(each) for each in shown.versions]}
        warned = {"warnings": [warning(each) for each in shown.warnings] or None}
        return cls.model_validate(cls.said(shown.newest) | cls.own(shown) | every | warned)


class ExpectationStandingOut(Answer):
    """Where a member stands with an expectation in one period."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    expectation: str = Field(description="ref of the expectation", examples=["attendance"])
    version: int = Field(description="the version that judges the period")
    name: str
    member: str = Field(description="ref of the member", examples=["m11"])
    member_id: UUID
    state: State = Field(
        description="met; on-course: as much as is expected by now; behind: less than that, or less than required when "
        "the period is over; nothing-to-count: no session has begun; not-yet-begun: the period has not, or the member "
        "joined after it"
    )
    observed: float | None = Field(None, description="how much counts: contributions, minutes or sessions")
    required: float | None = Field(None, description="how much is needed; of a rate: of the sessions that have begun")
    expected: float | None = Field(
        None,
        description="how much is expected by now: the part of `required` that corresponds to the time that has passed, "
        "rounded down; of a rate `required` itself. Left out where the period has no end",
    )
    text: str | None = Field(None, examples=["3 of 4 contributions of type reviewed"])
    from_: Day = Field(alias="from", description="the first day of the period")
    until: Day | None = Field(None, description="the first day that no longer belongs to it")
    term: str | None = Field(None, description="what the term is called")
    over: bool = Field(description="whether the period is over")

    @classmethod
    def of(cls, one: Stands) -> Self:
        """Return the answer for one member."""
        period = one.judged.period
        return cls.model_validate(
            {
                "expectation": one.judged.shown.expectation.ref,
                "version": period.version.version,
                "name": period.version.content["name"],
                "member": one.member.ref,
                "member_id": one.member.id,
                "state": one.state,
                "observed": one.observed,
                "required": one.required,
                "expected": one.expected,
                "text": one.text,
                "from": period.start,
                "until": period.end,
                "term": period.name,
                "over": one.over,
            }
        )


def _now(act: Act, ref: str) -> ExpectationOut:
    return ExpectationOut.whole(expectations.held(act, ref))


def _now_if_there(act: Act, ref: str) -> ExpectationOut | None:
    with suppress(NotFoundError):
        return _now(act, ref)
    return None


@router.put(
    "/v1/networks/{slug}/expectations/{ref}", response_model=ExpectationOut, responses=written_or_made(ExpectationOut)
)
@exactly_once()
def put_expectation(ref: Ref, body: ExpectationPut, act: CanWrite, given: Given) -> Response:
    """Expect something of members (201), or something else from a later period on (200); the body is the whole of it.

    A version never changes: what differs is the next one, and what says the same changes nothing. A change judges the
    periods that begin today or later, or on `from` if it has one; the period that runs keeps its number. An expectation
    never refuses a badge: only criteria do. Names that nothing has borne yet are pointed out in `warnings`.
    """
    given.hold(lambda: _now_if_there(act, ref))
    said = ExpectationFields.model_validate({name: value for name, value in under(ref, body).items() if name != "ref"})
    shown, created = expectations.put(act, ref, said)
    return tagged(201 if created else 200, ExpectationOut.whole(shown))


@router.patch(
    "/v1/networks/{slug}/expectations/{ref}",
    response_model=ExpectationOut,
    responses=TAGGED,
    summary="Change an expectation",
    openapi_extra=merge_patch("ExpectationChange"),
)
@exactly_once()
def update_expectation(ref: Ref, body: ExpectationChange, act: CanWrite, given: Given) -> Response:
    """Change some of an expectation, by a JSON Merge Patch (RFC 7396); the result is the next version, as with `PUT`."""
    given.hold(lambda: _now(act, ref))
    return tagged(200, ExpectationOut.whole(expectations.change(act, ref, body)))


@router.delete(
    "/v1/networks/{slug}/expectations/{ref}", status_code=204, response_class=Response, summary="End an expectation"
)
@exactly_once()
def end_expectation(ref: Ref, act: CanWrite, given: Given) -> Response:
    """End an expectation: the period that runs is judged no longer, and those that are over can still be asked for.

    One that was made today has judged nobody, and is gone.
    """
    given.hold(lambda: _now(act, ref))
    expectations.end(act, ref)
    return Response(status_code=204)


@router.get("/v1/networks/{slug}/expectations")
def list_expectations(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _who: CanRead,
    ended: Annotated[bool | None, Query(description="only those that were ended, or that were not")] = None,
) -> Page[ListedExpectation]:
    """List expectations, each in its newest version, in the order in which they were made."""
    found, cursor = expectations.list_all(session, network, window, ended=ended)
    return Page(items=[ListedExpectation.shown(shown) for shown in found], next=cursor)


@router.get("/v1/networks/{slug}/expectations/{ref}", response_model=ExpectationOut, responses=UNCHANGED)
def get_expectation(
    ref: Ref, network: ReadNetwork, session: Reader, _who: CanRead, if_none_match: IfNoneMatch = None
) -> Response:
    """Return one expectation with all its versions."""
    return seen(ExpectationOut.whole(expectations.find(session, network, ref)), if_none_match)


@router.get("/v1/networks/{slug}/expectations/{ref}/standing", summary="Say where everybody stands with an expectation")
def list_expectation_standing(
    ref: Ref,
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    at: Now,
    who: CanRead,
    state: Annotated[State | None, Query(description="only those who are in this state")] = None,
    on: On = None,
) -> Page[ExpectationStandingOut]:
    """Say of each member where they stand with an expectation, in one period.

    The numbers are those that progress has for the same rule with the period as window. Who was erased is left out, and
    where it is expected of a role, who does not have it. A token that is bound to a member sees that member alone. If
    no period is judged that has the day, the list is empty. With `state` a page looks at 5,000 members at most, and can
    be short or empty although there is a next one.
    """
    shown = expectations.find(session, network, ref)
    each = standing.judged(network, shown, on or expectations.today_in(network, at))
    if each is None:
        return Page(items=[])
    only = standing.own_members(session, who)
    found, cursor = standing.of_everybody(session, network, each, at, window, state=state, only=only)
    return Page(items=[ExpectationStandingOut.of(one) for one in found], next=cursor)


@router.get("/v1/networks/{slug}/members/{ref}/expectations", summary="Say where a member stands with what is expected")
def list_member_expectations(
    ref: Ref,
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    at: Now,
    who: CanRead,
    on: On = None,
) -> Page[ExpectationStandingOut]:
    """Say where a member stands with everything that the network expects of them, in one period of each.

    Without `on`, what begins later is listed too, as `not-yet-begun`. A token that is bound to a member asks for that
    member alone; others are not there (404).
    """
    member = members.get_member(session, network, ref)
    only = standing.own_members(session, who)
    if only is not None and member.id not in only:
        raise members.unknown()
    found, cursor = standing.of_member(session, network, member, at, window, on)
    return Page(items=[ExpectationStandingOut.of(one) for one in found], next=cursor)
