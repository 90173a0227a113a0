"""Evidence over HTTP: contributions and evaluations, posted, listed and shown."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from service.access.callers import Caller
from service.achievements.api_expanded import ExpandMember, expanded
from service.awards.listing import named
from service.bodies import one_of
from service.evidence import listing, records
from service.evidence.contributions import ContributionIn
from service.evidence.evaluations import EvaluationIn
from service.evidence.flags import WHY
from service.evidence.listing import RecordFilter
from service.evidence.recording import Submission
from service.evidence.records import ShownRecord
from service.evidence.vocabulary import ContributionType
from service.intake import posting
from service.intake.api_records import (
    CanRead,
    CanWrite,
    HeldCode,
    MemberFilter,
    OccurredFrom,
    OccurredUntil,
    RecordOut,
    Since,
    Sort,
    Status,
    Tier,
)
from service.issuing import unsigned
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession, WriteSession
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    Windowed,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["evidence"])
Name = Annotated[str | None, Query(max_length=200)]


class AwardMade(Answer):
    """An award that followed at once."""

    achievement: str = Field(description="ref of the achievement")
    credential: str = Field(description="public address of the credential")


class SubmissionOut(Answer):
    """What became of a post."""

    id: UUID = Field(description="of the record")
    status: Literal["accepted", "duplicate", "held", "quarantined"]
    waits_for: str | None = Field(
        None, description="if held: JSON pointer into the body, to the member for whom it waits"
    )
    held_code: HeldCode | None = Field(
        None,
        description="if held: why; member-unknown, until the member is posted; guidelines-not-accepted, until the member "
        "accepts the guidelines in force",
    )
    tier: int = Field(description="0 self-reported ... 3 confirmed by the network")
    digest: str = Field(description="the seal of the record")
    flags: list[Annotated[str, one_of(WHY)]] | None = Field(
        None, description="what is odd about it, see `/v1/networks/{slug}/flags`", examples=[["late"]]
    )
    left_out: list[str] | None = Field(
        None,
        description="JSON pointers to what is not stored, because the session is confidential and the network chose so",
        examples=[["/description"]],
    )
    awards: list[AwardMade] = Field(description="automatic awards that it completed")
    awards_wait: Literal[True] | None = Field(
        None,
        description="true: the evidence is kept, and awards that it completes are made once the service's keys can be used",
    )


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": SubmissionOut, "description": "The same was posted before: that record"},
    202: {
        "model": SubmissionOut,
        "description": "Held until the member is posted or accepts the guidelines, or quarantined until it is released",
    },
}


def submitted(session: WriteSession, runtime: Runtime, submission: Submission) -> Response:
    """Return the answer to a post of evidence.

    Its status is 201 for accepted, 200 for duplicate, 202 for held and quarantined.
    """
    made = named(session, submission.awards)
    body = SubmissionOut(
        id=submission.record.id,
        status=submission.status,
        waits_for=submission.waits_for,
        held_code=submission.held_code,
        tier=submission.record.tier,
        digest=submission.record.body_digest,
        flags=list(submission.flags) or None,
        left_out=list(submission.left_out) or None,
        awards_wait=submission.awards_wait or None,
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
)
@exactly_once()
def create_contribution(body: ContributionIn, act: CanWrite, runtime: Running) -> Response:
    """Record what a member did (201); posted again, it is the same record (200).

    If the member or the peer is not posted yet, or the member has not accepted guidelines without which the network
    holds evidence, the contribution is *held* (202): it is kept whole, and counts from the moment at which they are
    posted, or the member accepts. Automatic awards that it completes are made at once and named in the answer. While
    the service cannot sign, the contribution is kept all the same, and the answer says `awards_wait`. Many at once:
    `POST .../contributions/bulk`.
    """
    return submitted(act.session, runtime, posting.submit(act, runtime, "contribution", body))


@router.get("/v1/networks/{slug}/contributions")
def list_contributions(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    runtime: Running,
    who: CanRead,
    member: MemberFilter = None,
    type: Annotated[ContributionType | None, Query(max_length=64)] = None,  # noqa: A002  (the name on the wire)
    session_ref: Annotated[Name, Query(alias="session", description="ref of the session in which it was done")] = None,
    tag: Name = None,
    resource: Annotated[str | None, Query(max_length=400)] = None,
    tier: Tier = None,
    status: Status | None = None,
    occurred_from: OccurredFrom = None,
    occurred_until: OccurredUntil = None,
    since: Since = None,
    sort: Sort = "received_at",
    expand: ExpandMember = None,
) -> Page[RecordOut]:
    """List the records of contributions in the order in which they were committed, or in another.

    Each says what a program needs of it; `GET .../contributions/{ref}` adds the body. A filter that names a member or a
    session that the network does not have is refused.
    """
    which = RecordFilter(
        "contribution",
        since,
        occurred_from,
        occurred_until,
        status,
        tier,
        member,
        type,
        session=session_ref,
        tag=tag,
        resource=resource,
    )
    shown, cursor = listing.list_records(session, network, which, window=window, sort=sort)
    return Page(items=_with_members(session, runtime, who, expand, shown), next=cursor)


@router.get("/v1/networks/{slug}/contributions/{ref}")
def get_contribution(ref: str, network: ReadNetwork, session: Reader, _who: CanRead) -> RecordOut:
    """Return the record of one contribution, by its ref or its id."""
    return RecordOut.of(records.get_record(session, network, ref, "contribution"))


@router.post(
    "/v1/networks/{slug}/evaluations",
    status_code=201,
    response_model=SubmissionOut,
    responses=ANSWERS,
)
@exactly_once()
def create_evaluation(body: EvaluationIn, act: CanWrite, runtime: Running) -> Response:
    """Record an evaluation (201); posted again, it is the same record (200).

    It is about a member, a contribution, a session or the network. Nobody evaluates themself, except in a reflection;
    two members with one person behind them count as one. A survey in which `evaluator` is the member whom it is about is
    a self-report: what a member says of themself. It has tier 0, and counts for rules with `self_report: true`. Ratings
    by a rubric that the network has posted (`PUT .../rubrics/{ref}`) are held against it. Only a survey about a session or the network may be anonymous.
    A member's own token speaks for that member alone. If somebody named in it is not posted yet, it is *held* (202)
    until they are. Many at once: `POST .../evaluations/bulk`.
    """
    return submitted(act.session, runtime, posting.submit(act, runtime, "evaluation", body))


@router.get("/v1/networks/{slug}/evaluations")
def list_evaluations(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    runtime: Running,
    who: CanRead,
    member: MemberFilter = None,
    kind: Literal["rubric", "score", "survey", "endorsement", "reflection"] | None = None,
    evaluator: Annotated[Name, Query(description="ref of the member who judges")] = None,
    contribution: Annotated[Name, Query(description="the contribution that is evaluated, by its ref or its id")] = None,
    session_ref: Annotated[Name, Query(alias="session", description="ref of the session that is evaluated")] = None,
    instrument: Annotated[Name, Query(description="a rubric, assessment, questionnaire or skill")] = None,
    tier: Tier = None,
    status: Status | None = None,
    occurred_from: OccurredFrom = None,
    occurred_until: OccurredUntil = None,
    since: Since = None,
    sort: Sort = "received_at",
    expand: ExpandMember = None,
) -> Page[RecordOut]:
    """List the records of evaluations in the order in which they were committed, or in another.

    Each says what a program needs of it; `GET .../evaluations/{ref}` adds the body. A filter that names a member, a
    contribution or a session that the network does not have is refused.
    """
    which = RecordFilter(
        "evaluation",
        since,
        occurred_from,
        occurred_until,
        status,
        tier,
        member,
        kind,
        session=session_ref,
        evaluator=evaluator,
        contribution=contribution,
        instrument=instrument,
    )
    shown, cursor = listing.list_records(session, network, which, window=window, sort=sort)
    return Page(items=_with_members(session, runtime, who, expand, shown), next=cursor)


@router.get("/v1/networks/{slug}/evaluations/{ref}")
def get_evaluation(ref: str, network: ReadNetwork, session: Reader, _who: CanRead) -> RecordOut:
    """Return the record of one evaluation, by its ref or its id."""
    return RecordOut.of(records.get_record(session, network, ref, "evaluation"))


def _with_members(
    session: ReadSession, runtime: Runtime, who: Caller, expand: str | None, shown: Sequence[ShownRecord]
) -> list[RecordOut]:
    more = expanded(session, runtime.settings, who, expand, [(each.said.member_id, None) for each in shown])
    pairs = zip(shown, more, strict=True)
    return [RecordOut.of(each).model_copy(update={"expanded": extra}) for each, extra in pairs]
