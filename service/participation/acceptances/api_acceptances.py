"""Acceptance of guidelines over HTTP: publish, accept, see who has."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import CallersAct
from service.achievements.api import settle_afterwards
from service.bodies import Instant
from service.intake.api_evidence import ANSWERS, SubmissionOut, submitted
from service.networks.guidelines import choices
from service.networks.guidelines.api_guidelines import (
    CanRead,
    CanWrite,
    GuidelineSettingsOut,
    GuidelinesOut,
    Number,
    draft_if_there,
    shown,
)
from service.networks.guidelines.choices import GuidelineSettingsIn
from service.participation.acceptances import accepting, asking, who
from service.participation.acceptances.accepting import AcceptanceIn
from service.participation.acceptances.who import Asked
from service.web.conditional import TAGGED, Given, merge_patch, tagged
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Needs, Now, Page, Reader, ReadNetwork, Running, StrictRoute, Windowed, acting

router = APIRouter(route_class=StrictRoute, tags=["guidelines"])
CanPost = Annotated[CallersAct, acting(Needs("evidence:write"))]


class AcceptanceOut(Answer):
    """A member, and which version of the guidelines they have accepted."""

    member: str = Field(description="ref of the member", examples=["m11"])
    member_id: UUID
    state: Literal["accepted", "asked", "lapsed"] = Field(
        description="accepted: the version in force; asked: not yet; lapsed: not yet, and evidence about them is held"
    )
    version: int | None = Field(None, description="the last one that they accepted; left out: none")
    accepted_at: Instant | None = None
    lapses_at: Instant | None = Field(
        None, description="when evidence about them is held, or since when it is; left out if it never is"
    )
    waiting: int = Field(description="pieces of evidence that are held until they accept")

    @classmethod
    def of(cls, asked: Asked) -> Self:
        """Return the answer for one member."""
        standing = asked.standing
        return cls(
            member=asked.member.ref,
            member_id=asked.member.id,
            state=asked.state,
            version=standing.number,
            accepted_at=standing.accepted_at,
            lapses_at=standing.lapses_at,
            waiting=asked.waiting,
        )


@router.post("/v1/networks/{slug}/guidelines/draft/publication", response_model=GuidelinesOut, responses=TAGGED)
@exactly_once()
def publish_guidelines(act: CanWrite, runtime: Running, given: Given) -> Response:
    """Publish the draft of the guidelines: it is frozen, and in force from now on.

    A formal network needs all seven sections, each missing one has its code; an informal one needs one at least. From
    version 2 on the draft says in `change_note` what it changes. Members are asked to accept it; those who accepted the
    version before accept again. What follows until they do is the network's choice (`PATCH .../guidelines/settings`).
    """
    given.hold(lambda: draft_if_there(act, runtime.settings))
    return tagged(200, shown(act, runtime.settings, asking.publish(act)))


@router.patch(
    "/v1/networks/{slug}/guidelines/settings",
    response_model=GuidelineSettingsOut,
    responses=TAGGED,
    dependencies=[Depends(settle_afterwards)],
    summary="Choose what follows without acceptance",
    openapi_extra=merge_patch("GuidelineSettingsIn"),
)
@exactly_once()
def update_guidelines_settings(body: GuidelineSettingsIn, act: CanWrite, given: Given) -> Response:
    """Choose what follows if members have not accepted, and what is kept of evidence about confidential sessions.

    Members that are left out stay as they are. If evidence need not wait any more, it counts from now on, and what it
    earns is awarded right after this answer.
    """
    given.hold(lambda: GuidelineSettingsOut.of(choices.held(act)))
    return tagged(200, GuidelineSettingsOut.of(asking.choose(act, body)))


@router.post(
    "/v1/networks/{slug}/guidelines/versions/{number}/acceptances",
    status_code=201,
    response_model=SubmissionOut,
    responses=ANSWERS,
    summary="Accept the guidelines",
)
@exactly_once()
def accept_guidelines(number: Number, body: AcceptanceIn, act: CanPost, runtime: Running) -> Response:
    """Accept a version of the guidelines (201), with a token that is bound to the member; once more, it is the same (200).

    It is a contribution of the type `accepted`, and can be posted as one too, also in bodies of many lines. Nobody
    accepts for somebody else; a token of the network may only load what members accepted in its history. Evidence that
    waited for the acceptance counts now, and what it earns is in `awards`. Voiding the record takes the acceptance back.
    """
    return submitted(act.session, runtime, accepting.accept(act, runtime, number, body))


@router.get("/v1/networks/{slug}/guidelines/acceptances")
def list_guidelines_acceptances(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    at: Now,
    _who: CanRead,
    accepted: Annotated[
        bool | None, Query(description="only those who have accepted the version in force, or who have not")
    ] = None,
) -> Page[AcceptanceOut]:
    """Say of each member which version they have accepted, and how much evidence waits until they accept.

    It is empty while no guidelines are published.
    """
    found, cursor = who.list_members(session, network, at, window, accepted=accepted)
    return Page(items=[AcceptanceOut.of(each) for each in found], next=cursor)
