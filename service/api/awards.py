"""Awards over HTTP."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service import awards, drafts
from service.access import Caller
from service.api.requests import (
    After,
    Answer,
    Exactly,
    Limit,
    Needs,
    Now,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    WriteNetwork,
    Writer,
    reply,
)
from service.award_requests import AwardIn
from service.awards import Named
from service.settings import Settings
from service.shapes import Instant, Uid

router = APIRouter(route_class=StrictRoute, tags=["awards"])
State = Literal["pending", "awarded", "suspended", "revoked", "expired"]


class AwardedCredential(Answer):
    """The credential of an award."""

    id: str
    url: str = Field(description="its public address: add .json, .jwt, .png or .svg for a file")
    issued_at: Instant
    valid_until: Instant | None = None


class AwardOut(Answer):
    """The decision that a member has earned an achievement."""

    id: UUID
    achievement: str
    version: int = Field(description="the version of the achievement by which it was judged")
    member: str
    basis: Literal["rule", "approval", "override", "recorded"]
    state: State
    awarded_at: Instant = Field(description="when it was earned")
    decided_at: Instant
    reason: str | None = None
    under_review_since: Instant | None = Field(
        None, description="since when somebody looks into whether it stands; see the queue of approvals"
    )
    credential: AwardedCredential | None = None

    @classmethod
    def of(cls, settings: Settings, named: Named) -> Self:
        """Return the answer for one row."""
        row, credential = named.award, named.credential
        return cls(
            id=row.id,
            achievement=named.achievement_ref,
            version=named.version,
            member=named.member_ref,
            basis=row.basis,
            state=row.state,
            awarded_at=row.awarded_at,
            decided_at=row.decided_at,
            reason=row.reason,
            under_review_since=row.review_since,
            credential=AwardedCredential(
                id=credential.id,
                url=drafts.credential_url(settings, credential.id),
                issued_at=credential.issued_at,
                valid_until=credential.valid_until,
            )
            if credential
            else None,
        )


@router.post("/v1/networks/{slug}/awards", status_code=201, response_model=AwardOut)
def post_award(
    body: AwardIn,
    network: WriteNetwork,
    session: Writer,
    running: Running,
    now: Now,
    once: Exactly,
    caller: Annotated[Caller, Depends(Needs("awards:write", "awards:override", "awards:record"))],
) -> Response:
    """Award an achievement to a member, and issue the credential at once.

    By `rule` (the scope awards:write) the criteria must be met: if not, the answer is 409 `criteria-not-met` with
    the progress, rule by rule. `override` (awards:override) and `recorded` (awards:record) need a reason;
    `recorded` also `awarded_at`, when the award was made: it stands in the credential as `awardedDate`. A member
    who holds the achievement is not awarded it again: the answer is the award there is, with 200.
    """

    def work() -> Response:
        row, created = awards.award(session, running, network, caller, body, now)
        [named] = awards.named(session, [row])
        return reply(201 if created else 200, AwardOut.of(running.settings, named))

    return once(work)


@router.get("/v1/networks/{slug}/awards", response_model=Page[AwardOut])
def get_awards(
    network: ReadNetwork,
    session: Reader,
    running: Running,
    _caller: Annotated[Caller, Depends(Needs("read"))],
    after: After = None,
    limit: Limit = 50,
    member: Annotated[str | None, Query(max_length=200, description="the member's ref")] = None,
    achievement: Annotated[str | None, Query(max_length=200, description="the achievement's ref")] = None,
    state: State | None = None,
) -> Response:
    """List awards in the order in which they were made."""
    found, following = awards.list_awards(
        session, network, after=after, limit=limit, member=member, achievement=achievement, state=state
    )
    items = [AwardOut.of(running.settings, each) for each in found]
    return reply(200, Page[AwardOut](items=items, next=following))


@router.get("/v1/networks/{slug}/awards/{award_id}", response_model=AwardOut)
def get_award(
    award_id: Uid,
    network: ReadNetwork,
    session: Reader,
    running: Running,
    _caller: Annotated[Caller, Depends(Needs("read"))],
) -> Response:
    """Give one award."""
    return reply(200, AwardOut.of(running.settings, awards.find(session, network, award_id)))
