"""Contributions over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.evidence import records
from service.evidence.contributions import ContributionIn
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
    "/v1/networks/{slug}/contributions",
    status_code=201,
    response_model=SubmissionOut,
    responses=ANSWERS,
    openapi_extra=bulk.DOCUMENTED,
)
def post_contribution(
    body: ContributionIn,
    network: WriteNetwork,
    session: Writer,
    runtime: Running,
    at: Now,
    once: Exactly,
    who: CanWrite,
) -> Response:
    """Record what a member did (201); posted again, it is the same record (200).

    If the member or the peer is not posted yet, the contribution is *held* (202): it is kept whole, and counts from the
    moment at which they are posted. Automatic awards that it completes are made at once and named in the answer.

    With `Content-Type: application/x-ndjson` the body holds many, one JSON object a line (up to 50,000 and more); the
    answer has one line for each, and a line that is refused does not affect the others.
    """
    return once(
        lambda: submitted(session, runtime, posting.submit(session, runtime, network, who, "contribution", body, at))
    )


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
    shown, cursor = records.list_records(
        session,
        network,
        after=after,
        limit=limit,
        kind="contribution",
        member=member,
        type_=type,
        since=since,
        status=status,
    )
    return Page(items=[RecordOut.of(each) for each in shown], next=cursor)


@router.get("/v1/networks/{slug}/contributions/{ref}")
def get_contribution(ref: str, network: ReadNetwork, session: Reader, _who: CanRead) -> RecordOut:
    """Return the record of one contribution, by its ref or its id."""
    return RecordOut.of(records.get_record(session, network, ref, "contribution"))
