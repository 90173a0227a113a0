"""Attendance codes and claims over HTTP.

A network opens a code for a session, prints it, and decides on what people claim by it.
"""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, StringConstraints

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Body, Instant, Prose, Ref, Uid
from service.intake import attendance_claims, attendance_codes, attendance_sheets
from service.intake.attendance_claims import ClaimWithRef
from service.intake.attendance_codes import CodeIn, CodeState, MadeCode, Standing
from service.intake.attendance_sheets import Paper
from service.networks import meetings
from service.tables import AttendanceCode
from service.texts.languages import LANGUAGES
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
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["sessions"])
CanWrite = Annotated[CallersAct, acting(Needs("evidence:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
State = Literal["waiting", "accepted", "refused"]
PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a sheet to hang in the room",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }
}
CODE = "/v1/networks/{slug}/sessions/{ref}/attendance-code"
CLAIMS = "/v1/networks/{slug}/attendance-claims/{claim_id}"


class AttendanceCodeOut(Answer):
    """The attendance code of a session, without its letters."""

    opens_at: Instant
    closes_at: Instant
    most: int
    approval: bool
    made_at: Instant

    @classmethod
    def of(cls, row: AttendanceCode) -> Self:
        """Return the answer for one row."""
        return cls.model_validate(row)


class AttendanceCodeMade(AttendanceCodeOut):
    """A new code, with its letters."""

    code: str | None = Field(
        None, description="shown only now: keep it to print the sheet", examples=["BCDF-GHJK-MNPQ-RTVW"]
    )

    @classmethod
    def made(cls, made: MadeCode) -> Self:
        """Return the answer for a code that was made in this request."""
        return cls(**AttendanceCodeOut.of(made.row).model_dump(), code=made.code)


class AttendanceCodeStateOut(AttendanceCodeOut):
    """The newest code of a session, and how many claims of attendance there are."""

    standing: Standing = Field(description="whether it can be used now, or why not")
    waiting: int
    accepted: int
    refused: int

    @classmethod
    def state(cls, found: CodeState) -> Self:
        """Return the answer for a code with its counts."""
        counts = {state: found.counts.get(state, 0) for state in ("waiting", "accepted", "refused")}
        return cls(**AttendanceCodeOut.of(found.row).model_dump(), standing=found.standing, **counts)


class AttendanceClaimOut(Answer):
    """Somebody says that they were in a session."""

    id: UUID
    state: State
    member: str | None = Field(None, description="ref of the member whose address they proved, or whom you named")
    name: str | None = Field(None, description="while it waits, and no member is known: what they call themself")
    claimed_at: Instant
    decided_at: Instant | None = None
    reason: str | None = Field(None, description="why it was refused; the person sees it")
    record: UUID | None = Field(None, description="id of the evidence that came of it")

    @classmethod
    def of(cls, found: ClaimWithRef) -> Self:
        """Return the answer for one claim."""
        row = found.row
        return cls.model_validate(
            {
                "id": row.id,
                "state": row.state,
                "member": found.member,
                "name": row.name or None,
                "claimed_at": row.claimed_at,
                "decided_at": row.decided_at,
                "reason": row.reason,
                "record": row.record_id,
            }
        )


class AttendanceSheetIn(Body):
    """The code that is printed, and on which paper."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(examples=["BCDF-GHJK-MNPQ-RTVW"])
    paper: Paper = Field("a4", description="a4, or letter for US Letter")


class AttendanceApprovalIn(Body):
    """Whose attendance it is."""

    member: Ref | None = Field(
        None, description="needed if the claim gives only a name; otherwise it is known", examples=["m11"]
    )


class AttendanceRefusalIn(Body):
    """Why somebody was not there."""

    reason: Prose = Field(examples=["Nobody of this name was in the room."])


@router.post(CODE, response_model=AttendanceCodeMade, status_code=201, summary="Open an attendance code")
@exactly_once(shown_once="code")
def create_attendance_code(ref: Ref, body: CodeIn, act: CanWrite) -> Response:
    """Make a code by which people say that they were in a session, to print as a QR code.

    The QR code is that of `/attend/` and the code, at the public address of the service; the sheet has it.

    Who scans it signs in by mail and says that they were there. A member is known by an address that they have proved;
    others give a name, and wait until you name the member. What is accepted becomes evidence, a contribution of type
    `attended`; awards follow by your published rules and in no other way. Members in the account of somebody else, and
    what they have earned, stay where they are.

    Anyone who has a photo of the code can use it while it is open. So leave `approval` on where a rule relies on
    attendance, keep the window short, and replace the code if it got out. With a rule that asks for `min_tier` 1 or more,
    the word of the member alone never earns an award.

    The token must be bound to no member, or to a facilitator or assessor. If it is revoked, the code works no longer.
    """
    return reply(201, AttendanceCodeMade.made(attendance_codes.open_code(act, ref, body)))


@router.post(
    f"{CODE}/rotation", response_model=AttendanceCodeMade, status_code=201, summary="Replace an attendance code"
)
@exactly_once(shown_once="code")
def rotate_attendance_code(ref: Ref, act: CanWrite) -> Response:
    """Make another code in place of the open one, which works no longer; window, number and approval stay."""
    return reply(201, AttendanceCodeMade.made(attendance_codes.replace(act, ref)))


@router.delete(CODE, status_code=204, response_class=Response, summary="Close an attendance code")
@exactly_once()
def delete_attendance_code(ref: Ref, act: CanWrite) -> Response:
    """Have the code work no longer; claims that wait can still be decided. If none is open: 409 `attendance-not-open`."""
    attendance_codes.close(act, ref)
    return Response(status_code=204)


@router.get(CODE, summary="See how far an attendance code is")
def get_attendance_code(
    ref: Ref, network: ReadNetwork, session: Reader, at: Now, _who: CanRead
) -> AttendanceCodeStateOut:
    """Return the newest code of a session without its letters, whether it can be used, and how many claims there are."""
    meeting = meetings.get_session(session, network, ref)
    return AttendanceCodeStateOut.state(attendance_codes.state_of(session, network, meeting, at))


@router.post(f"{CODE}/sheet", response_class=Response, responses=PDF, summary="Print an attendance code")
def create_attendance_sheet(ref: Ref, body: AttendanceSheetIn, act: CanWrite, runtime: Running) -> Response:
    """Return a sheet with the QR code, to hang in the room, as PDF in the network's language.

    Only its digest is stored, so that you send the code that you were given when it was made. The title of a confidential
    session is not on the sheet.
    """
    meeting = meetings.get_session(act.session, act.network, ref)
    made = attendance_codes.with_code(act.session, act.network, meeting, body.code, act.now)
    sheet = attendance_sheets.sheet(runtime, act.network, made, LANGUAGES[act.network.language], body.paper, act.now)
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="attendance.pdf"'}
    return Response(sheet, headers=headers, media_type="application/pdf")


@router.get("/v1/networks/{slug}/sessions/{ref}/attendance-claims", summary="List claims of attendance")
def list_attendance_claims(
    ref: Ref,
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _who: CanRead,
    state: Annotated[State | None, Query()] = None,
) -> Page[AttendanceClaimOut]:
    """List who says that they were in a session, in the order in which they said so."""
    meeting = meetings.get_session(session, network, ref)
    rows, cursor = attendance_claims.list_claims(session, meeting, window, state)
    return Page(items=[AttendanceClaimOut.of(row) for row in rows], next=cursor)


@router.post(f"{CLAIMS}/approval", response_model=AttendanceClaimOut, summary="Approve a claim of attendance")
@exactly_once(personal=True)
def approve_attendance_claim(claim_id: Uid, body: AttendanceApprovalIn, act: CanWrite, runtime: Running) -> Response:
    """Confirm that somebody was there: it is evidence from now on, as the word of this token.

    The token must be bound to no member, or to a facilitator or assessor who is somebody else. If the claim gives only a
    name, `member` says who that is; their badges, if any follow, go to them as always, and not to the account that claimed.
    """
    row = attendance_claims.approve(act, runtime, claim_id, body.member)
    return reply(200, AttendanceClaimOut.of(attendance_claims.with_ref(act.session, row)))


@router.post(f"{CLAIMS}/refusal", response_model=AttendanceClaimOut, summary="Refuse a claim of attendance")
@exactly_once(personal=True)
def refuse_attendance_claim(claim_id: Uid, body: AttendanceRefusalIn, act: CanWrite) -> Response:
    """Say that somebody was not there, and why; the person sees the reason. Nothing comes of the claim."""
    row = attendance_claims.refuse(act, claim_id, body.reason)
    return reply(200, AttendanceClaimOut.of(attendance_claims.with_ref(act.session, row)))
