"""Enrolments over HTTP: by which version of an achievement a member is judged."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Query, Response

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.achievements import achievements, enrolments
from service.achievements.api import settle_afterwards
from service.achievements.enrolments import EnrolmentIn, ShownEnrolment
from service.bodies import Instant, Ref
from service.networks import members
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Page,
    Reader,
    ReadNetwork,
    StrictRoute,
    Windowed,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["achievements"])
CanWrite = Annotated[CallersAct, acting(Needs("achievements:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]


class EnrolmentOut(Answer):
    """A member's enrolment in a version of an achievement."""

    member: str
    version: int
    at: Instant

    @classmethod
    def of(cls, shown: ShownEnrolment) -> Self:
        """Return the answer for one enrolment."""
        return cls(member=shown.member.ref, version=shown.version.version, at=shown.enrolment.at)


@router.put(
    "/v1/networks/{slug}/achievements/{ref}/enrolments/{member}",
    response_model=EnrolmentOut,
    responses={201: {"model": EnrolmentOut}},
    dependencies=[Depends(settle_afterwards)],
)
@exactly_once()
def put_enrolment(ref: Ref, member: Ref, body: EnrolmentIn, act: CanWrite) -> Response:
    """Enrol a member in a published version (201), or move the enrolment (200).

    If `version` is left out, it is the newest. From then on the member is judged by that version, whatever is published
    later. Members are also enrolled by their evidence: when the next version is published, everybody with evidence that
    counts stays with the version before.
    """
    achievement = achievements.get_achievement(act.session, act.network, ref)
    enrolled = members.get_member(act.session, act.network, member)
    shown, created = enrolments.enrol(act, achievement, enrolled, body)
    return reply(201 if created else 200, EnrolmentOut.of(shown))


@router.get("/v1/networks/{slug}/achievements/{ref}/enrolments")
def list_enrolments(
    ref: Ref,
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _who: CanRead,
    version: Annotated[int | None, Query(ge=1, le=1_000_000, description="only enrolments in this version")] = None,
) -> Page[EnrolmentOut]:
    """List enrolments: which member is enrolled in which version.

    Everybody else is judged by the newest published version.
    """
    achievement = achievements.get_achievement(session, network, ref)
    found, cursor = enrolments.list_enrolments(session, achievement, window=window, version=version)
    return Page(items=[EnrolmentOut.of(shown) for shown in found], next=cursor)


@router.get("/v1/networks/{slug}/achievements/{ref}/enrolments/{member}")
def get_enrolment(ref: Ref, member: Ref, network: ReadNetwork, session: Reader, _who: CanRead) -> EnrolmentOut:
    """Return a member's enrolment.

    404 if there is none: the member is then judged by the newest published version.
    """
    achievement = achievements.get_achievement(session, network, ref)
    return EnrolmentOut.of(enrolments.find(session, achievement, members.get_member(session, network, member)))
