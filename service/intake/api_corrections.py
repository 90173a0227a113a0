"""Corrections of records over HTTP."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from service.intake import correcting
from service.intake.api_records import CanWrite, HeldCode, identified
from service.intake.correcting import Correction, CorrectionIn
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Running, StrictRoute, reply

router = APIRouter(route_class=StrictRoute, tags=["evidence"])
OUTCOMES = (
    "kept: it is still earned, and its badge stays as it is; under-review: with the corrected evidence the criteria are "
    "not met, so people decide, and until then the badge stands; to-lapse: it was not announced yet, and is not "
    "announced unless it is earned again by then; made: earned with the correction"
)
"""What each outcome means."""


class AffectedAwardOut(Answer):
    """An award, and what becomes of it."""

    member: str = Field(description="ref of the member")
    achievement: str = Field(description="ref of the achievement")
    outcome: Literal["kept", "under-review", "to-lapse", "made"] = Field(description=OUTCOMES)
    award: UUID | None = Field(None, description="its id; left out for one that a dry run would make")
    credential: str | None = Field(None, description="public address of the credential, if there is one")


class CorrectionOut(Answer):
    """What became of a correction, or would become of it."""

    dry_run: bool
    id: UUID | None = Field(None, description="of the record that counts now; left out in a dry run")
    corrects: UUID = Field(description="the record that no longer counts")
    status: Literal["accepted", "duplicate", "held", "quarantined"] = Field(
        description="duplicate: it was corrected so before"
    )
    waits_for: str | None = Field(
        None, description="if held: JSON pointer into the corrected body, to the member for whom it waits"
    )
    held_code: HeldCode | None = Field(None, description="if held: why")
    tier: int = Field(description="0 self-reported ... 3 confirmed by the network; never above that of the first")
    flags: list[str] | None = Field(None, description="what is odd about it, see `/v1/networks/{slug}/flags`")
    left_out: list[str] | None = Field(
        None,
        description="JSON pointers to what is not stored, because the session is confidential and the network chose so",
        examples=[["/description"]],
    )
    awards: list[AffectedAwardOut] = Field(description="awards that rest on the record, and those that are new")
    awards_wait: Literal[True] | None = Field(
        None, description="true: awards that it completes are made once the service's keys can be used"
    )


def answered(session: WriteSession, runtime: Runtime, said: CorrectionIn, correction: Correction) -> CorrectionOut:
    """Return the answer to a correction."""
    submission, affected = correction.submission, correcting.affected(session, runtime, correction)
    return CorrectionOut(
        dry_run=said.dry_run,
        id=submission.record.id if not said.dry_run or submission.status == "duplicate" else None,
        corrects=submission.record.voids,
        status=submission.status,
        waits_for=submission.waits_for,
        held_code=submission.held_code,
        tier=submission.record.tier,
        flags=list(submission.flags) or None,
        left_out=list(submission.left_out) or None,
        awards=[AffectedAwardOut.model_validate(each) for each in affected],
        awards_wait=submission.awards_wait or None,
    )


@router.post(
    "/v1/networks/{slug}/records/{record_id}/correction",
    status_code=201,
    response_model=CorrectionOut,
    summary="Correct a record",
    responses={
        200: {"model": CorrectionOut, "description": "A dry run; or it was corrected so before"},
        202: {"model": CorrectionOut, "description": "Corrected, but held or quarantined until it can count"},
    },
)
@exactly_once()
def correct_record(record_id: str, body: CorrectionIn, act: CanWrite, runtime: Running) -> Response:
    """Correct what a record says: one act, after which a new record counts in its place (201).

    `changes` are the members of the body that change. The old record stays as it came, with its seal; its `ref` and
    `source` stand for the correction from now on, and evaluations of a contribution go with it. Rules are asked once,
    with the corrected evidence: an award that is still earned stays as it is, with its badge. One that is not earned
    any more is put under review (`review.opened`), and stands until people decide. `dry_run` tells who is affected
    before anything is written.

    A correction counts as received when the first record was, and at no higher tier. A member's token corrects what
    that member posted about others. A record that was corrected before is corrected by its newest correction.
    """
    correction = correcting.correct(act, runtime, identified(record_id), body)
    status = {"accepted": 201, "duplicate": 200, "held": 202, "quarantined": 202}[correction.submission.status]
    return reply(200 if body.dry_run else status, answered(act.session, runtime, body, correction))
