"""Evidence over HTTP: contributions and evaluations, posted, listed and shown."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from service.awards import listing
from service.evidence import records
from service.evidence.contributions import ContributionIn
from service.evidence.evaluations import EvaluationIn
from service.evidence.recording import Submission
from service.evidence.records import RecordFilter
from service.intake import api_bulk, posting
from service.intake.api_records import CanRead, CanWrite, MemberFilter, RecordOut, Since, Status
from service.issuing import unsigned
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.web.exactly_once import exactly_once
from service.web.requests import (
    After,
    Answer,
    Limit,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["evidence"])


class AwardMade(Answer):
    """An award that followed at once."""

    achievement: str = Field(description="ref of the achievement")
    credential: str = Field(description="public address of the credential")


class SubmissionOut(Answer):
    """What became of a post."""

    id: UUID = Field(description="of the record")
    status: Literal["accepted", "duplicate", "held", "quarantined"]
    waits_for: str | None = Field(
        None, description="if held: JSON pointer into the body, to the member who is not known yet"
    )
    tier: int = Field(description="0 claimed by the member ... 3 recorded by the network")
    digest: str = Field(description="the seal of the record")
    flags: list[str] | None = Field(
        None, description="what is odd about it, see `/v1/networks/{slug}/flags`", examples=[["late"]]
    )
    awards: list[AwardMade] = Field(description="automatic awards that it completed")


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": SubmissionOut, "description": "The same was posted before: that record"},
    202: {
        "model": SubmissionOut,
        "description": "Held until the member is posted, or quarantined until it is released",
    },
}


def submitted(session: WriteSession, runtime: Runtime, submission: Submission) -> Response:
    """Return the answer to a post of evidence.

    Its status is 201 for accepted, 200 for duplicate, 202 for held and quarantined.
    """
    made = listing.named(session, submission.awards)
    body = SubmissionOut(
        id=submission.record.id,
        status=submission.status,
        waits_for=submission.waits_for,
        tier=submission.record.tier,
        digest=submission.record.body_digest,
        flags=list(submission.flags) or None,
        awards=[
            AwardMade(
                achievement=each.achievement_ref,
                credential=unsigned.credential_url(runtime.settings, each.credential.id),
            )
            for each in made
            if each.credential is not None
        ],
    )
    return reply({"accepted": 201, "duplicate": 200, "held": 202, "quarantined": 202}[submission.status], body)


@router.post(
    "/v1/networks/{slug}/contributions",
    status_code=201,
    response_model=SubmissionOut,
    responses=ANSWERS,
    openapi_extra=api_bulk.DOCUMENTED,
)
@exactly_once()
def post_contribution(body: ContributionIn, act: CanWrite, runtime: Running) -> Response:
    """Record what a member did (201); posted again, it is the same record (200).

    If the member or the peer is not posted yet, the contribution is *held* (202): it is kept whole, and counts from the
    moment at which they are posted. Automatic awards that it completes are made at once and named in the answer.

    With `Content-Type: application/x-ndjson` the body holds many, one JSON object a line (up to 50,000 and more); the
    answer has one line for each, and a line that is refused does not affect the others.
    """
    return submitted(act.session, runtime, posting.submit(act, runtime, "contribution", body))


@router.get("/v1/networks/{slug}/contributions")
def list_contributions(
    network: ReadNetwork,
    session: Reader,
    _who: CanRead,
    member: MemberFilter = None,
    type: Annotated[str | None, Query(max_length=64, examples=["reviewed"])] = None,  # noqa: A002  (the name on the wire)
    since: Since = None,
    status: Status | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[RecordOut]:
    """List the records of contributions in the order in which they were committed."""
    which = RecordFilter("contribution", member, type, since, status)
    shown, cursor = records.list_records(session, network, which, after=after, limit=limit)
    return Page(items=[RecordOut.of(each) for each in shown], next=cursor)


@router.get("/v1/networks/{slug}/contributions/{ref}")
def get_contribution(ref: str, network: ReadNetwork, session: Reader, _who: CanRead) -> RecordOut:
    """Return the record of one contribution, by its ref or its id."""
    return RecordOut.of(records.get_record(session, network, ref, "contribution"))


@router.post(
    "/v1/networks/{slug}/evaluations",
    status_code=201,
    response_model=SubmissionOut,
    responses=ANSWERS,
    openapi_extra=api_bulk.DOCUMENTED,
)
@exactly_once()
def post_evaluation(body: EvaluationIn, act: CanWrite, runtime: Running) -> Response:
    """Record an evaluation (201); posted again, it is the same record (200).

    It is about a member, a contribution, a session or the network. Nobody evaluates themself, except in a reflection;
    two members with one person behind them count as one. Only a survey about a session or the network may be anonymous.
    A member's own token speaks for that member alone. If somebody named in it is not posted yet, it is *held* (202)
    until they are.

    With `Content-Type: application/x-ndjson` the body holds many, one JSON object a line (up to 50,000 and more); the
    answer has one line for each, and a line that is refused does not affect the others.
    """
    return submitted(act.session, runtime, posting.submit(act, runtime, "evaluation", body))


@router.get("/v1/networks/{slug}/evaluations")
def list_evaluations(
    network: ReadNetwork,
    session: Reader,
    _who: CanRead,
    member: MemberFilter = None,
    kind: Literal["rubric", "score", "survey", "endorsement", "reflection"] | None = None,
    since: Since = None,
    status: Status | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[RecordOut]:
    """List the records of evaluations in the order in which they were committed."""
    which = RecordFilter("evaluation", member, kind, since, status)
    shown, cursor = records.list_records(session, network, which, after=after, limit=limit)
    return Page(items=[RecordOut.of(each) for each in shown], next=cursor)


@router.get("/v1/networks/{slug}/evaluations/{ref}")
def get_evaluation(ref: str, network: ReadNetwork, session: Reader, _who: CanRead) -> RecordOut:
    """Return the record of one evaluation, by its ref or its id."""
    return RecordOut.of(records.get_record(session, network, ref, "evaluation"))
