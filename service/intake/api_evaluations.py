"""Evaluations over HTTP."""

from typing import Literal

from fastapi import APIRouter, Response

from service.evidence import records
from service.evidence.evaluations import EvaluationIn
from service.intake import api_bulk as bulk
from service.intake import posting
from service.intake.api_records import (
    ANSWERS,
    CanRead,
    CanWrite,
    MemberFilter,
    RecordOut,
    Since,
    Status,
    SubmissionOut,
    submitted,
)
from service.web.requests import (
    After,
    Exactly,
    Limit,
    Now,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    WriteNetwork,
    Writer,
)

router = APIRouter(route_class=StrictRoute, tags=["evidence"])


@router.post(
    "/v1/networks/{slug}/evaluations",
    status_code=201,
    response_model=SubmissionOut,
    responses=ANSWERS,
    openapi_extra=bulk.DOCUMENTED,
)
def post_evaluation(
    body: EvaluationIn,
    network: WriteNetwork,
    session: Writer,
    runtime: Running,
    at: Now,
    once: Exactly,
    who: CanWrite,
) -> Response:
    """Record an evaluation (201); posted again, it is the same record (200).

    It is about a member, a contribution, a session or the network. Nobody evaluates themself, except in a reflection; two members
    with one person behind them count as one. Only a survey about a session or the network may be anonymous. A member's
    own token speaks for that member alone. If somebody named in it is not posted yet, it is *held* (202) until they
    are.

    With `Content-Type: application/x-ndjson` the body holds many, one JSON object a line (up to 50,000 and more); the
    answer has one line for each, and a line that is refused does not affect the others.
    """
    return once(
        lambda: submitted(session, runtime, posting.submit(session, runtime, network, who, "evaluation", body, at))
    )


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
    shown, cursor = records.list_records(
        session,
        network,
        after=after,
        limit=limit,
        kind="evaluation",
        member=member,
        type_=kind,
        since=since,
        status=status,
    )
    return Page(items=[RecordOut.of(each) for each in shown], next=cursor)


@router.get("/v1/networks/{slug}/evaluations/{ref}")
def get_evaluation(ref: str, network: ReadNetwork, session: Reader, _who: CanRead) -> RecordOut:
    """Return the record of one evaluation, by its ref or its id."""
    return RecordOut.of(records.get_record(session, network, ref, "evaluation"))
