"""Claims over HTTP.

A network sends a link again, makes codes on paper, and sees how far a member is.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Body, Instant, Prose, Ref
from service.networks import members
from service.sharing import claims, slips, unclaiming
from service.storage.database import ReadSession, WriteSession
from service.tables import Claim, Member
from service.texts.languages import LANGUAGES
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Now,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["members"])
CanWrite = Annotated[CallersAct, acting(Needs("members:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
By = Literal["mail", "paper"]
State = Literal["open", "used", "replaced", "released", "expired"]
PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "slips to cut apart, six on a page",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ClaimIn(Body):
    """How a member is to claim what they have earned."""

    by: By = Field(
        description="mail: a link, to the address that the network gave; paper: a code, for a member without address"
    )


class ClaimOut(Answer):
    """A way to claim what a member has earned, without its secret.

    `sends` says how many mails were asked for.
    """

    by: Literal["mail", "paper", "account"]
    state: State
    made_at: Instant
    expires_at: Instant
    used_at: Instant | None = None
    sends: int

    @classmethod
    def of(cls, row: Claim, now: Instant) -> Self:
        """Return the answer for one row."""
        state = "expired" if row.state == "open" and row.expires_at <= now else row.state
        return cls.model_validate(
            {
                "by": row.means,
                "state": state,
                "made_at": row.made_at,
                "expires_at": row.expires_at,
                "used_at": row.used_at,
                "sends": row.sends,
            }
        )


class ClaimMade(ClaimOut):
    """A claim that was made or sent again; the code on paper is shown only here."""

    code: str | None = Field(
        None, description="the code on paper; left out in the answer to a retry", examples=["BCDF-GHJK-MNPQ-RTVW"]
    )


class ClaimStateOut(Answer):
    """How far the claim of a member is; in whose account it is, nobody is told."""

    member: str
    claimed_at: Instant | None = Field(None, description="when somebody took what the member earned into an account")
    newest: ClaimOut | None = Field(None, description="the newest way to claim that was made")
    mail: Literal["queued", "sent", "failed"] | None = Field(
        None,
        description="the newest mail that leads the member to what they earned; failed: the mail server refuses the address, or"
        " could not be reached for a day and a half. Correct the address, or send the link again",
    )

    @classmethod
    def of(cls, session: ReadSession | WriteSession, member: Member, now: datetime) -> Self:
        """Return the answer for a member."""
        state = claims.state_of(session, member)
        newest = None if state.newest is None else ClaimOut.of(state.newest, now)
        return cls.model_validate(
            {"member": member.ref, "claimed_at": state.claimed_at, "newest": newest, "mail": state.mail}
        )


class UndoingIn(Body):
    """Why a claim is undone."""

    reason: Prose = Field(description="told to the person who claimed it", examples=["The slips were mixed up."])


class SheetIn(Body):
    """The members for whom codes are printed."""

    members: list[Ref] = Field(min_length=1, max_length=200, description="their refs", examples=[["m11", "m12"]])


@router.post("/v1/networks/{slug}/members/{ref}/claims", response_model=ClaimMade, status_code=201)
@exactly_once(shown_once="code")
def create_claim(ref: str, body: ClaimIn, act: CanWrite, runtime: Running) -> Response:
    """Send a member the claim link again, or make a code on paper.

    The link goes to the address that the network gave, at most 3 times a day; it stays the same for 30 days. A code is
    for a member without an address; it works for 90 days, once, and replaces an earlier one. Somebody who has signed in
    types it at `/claim`. The token must be bound to no member: nobody makes claims for themself. What somebody has
    claimed can be claimed by nobody else (409), whatever the network says.
    """
    claims.made_by_network(act)
    member = claims.held(act, ref)
    code = None
    if body.by == "mail":
        row = claims.send(act, runtime, member)
    else:
        row, code = claims.make_code(act, member)
    return reply(201, ClaimMade(**ClaimOut.of(row, act.now).model_dump(), code=code))


@router.get("/v1/networks/{slug}/members/{ref}/claims", summary="See how far the claim of a member is")
def get_claim(ref: str, network: ReadNetwork, session: Reader, at: Now, _who: CanRead) -> ClaimStateOut:
    """Return whether a member has claimed what they earned, the newest way to do it, and whether its mail went out.

    Never a link or a code.
    """
    member = members.get_member(session, network, ref)
    return ClaimStateOut.of(session, member, at)


@router.post("/v1/networks/{slug}/members/{ref}/claims/undoing", response_model=ClaimStateOut)
@exactly_once()
def undo_claim(ref: str, body: UndoingIn, act: CanWrite, runtime: Running) -> Response:
    """Undo a claim by a code on paper that somebody else than the member has used.

    What the member earned is then in nobody's account, and a new code can be made. The person who used the code is told by
    email, with the reason; the event `member.released` tells the network. This works for 30 days after the code was used,
    and not for somebody who has proved an address of the member (409): nobody takes from people what is theirs. The token
    must be bound to no member.
    """
    claims.made_by_network(act)
    unclaiming.undo_paper(act, runtime, ref, body.reason)
    return reply(200, ClaimStateOut.of(act.session, members.get_member(act.session, act.network, ref), act.now))


@router.post(
    "/v1/networks/{slug}/claims/sheet",
    response_class=Response,
    responses=PDF,
    summary="Print codes for members without e-mail address",
)
def create_claim_sheet(body: SheetIn, act: CanWrite, runtime: Running) -> Response:
    """Make a code on paper for each of the members, and return slips to cut apart, as PDF.

    As `POST .../members/{ref}/claims` with `paper`; a code is shown only here, and another sheet replaces it. If one of
    the members cannot have a code, none is made.
    """
    claims.made_by_network(act)
    made = claims.make_codes(act, body.members)
    sheet = slips.sheet(runtime, act.network, made, LANGUAGES[act.network.language], act.now)
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="claim-codes.pdf"'}
    return Response(sheet, headers=headers, media_type="application/pdf")
