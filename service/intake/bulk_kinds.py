"""The kinds of things that come in bodies of many lines.

Each has the shape of a line, and what takes in a chunk of them. A further kind is an entry in `KINDS`, and its address in
`api_bulk.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

from pydantic import Field, TypeAdapter

from credentials import CredentialError
from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.achievements import achievements, enrolments
from service.achievements.enrolments import EnrolmentIn
from service.awards import settling
from service.awards.requests import AwardIn
from service.bodies import Ref
from service.errors import NotFoundError, ServiceError
from service.evidence import recording
from service.evidence.contributions import ContributionIn
from service.evidence.evaluations import EvaluationIn
from service.evidence.recording import Submission
from service.intake import correcting, members, posting
from service.intake.correcting import CorrectionIn, CorrectionLine
from service.networks import meetings, same_person
from service.networks import members as networks_members
from service.networks.meetings import SessionIn
from service.networks.members import MemberIn
from service.runtime.runtime import Runtime

FoundT = TypeVar("FoundT")
Refusal = ServiceError | CredentialError
Name = Literal["members", "sessions", "contributions", "evaluations", "enrolments", "awards", "corrections"]


class EnrolmentLine(EnrolmentIn):
    """The version of an achievement by which a member is judged."""

    achievement: Ref = Field(description="the achievement's ref", examples=["formative-feedback"])
    member: Ref = Field(description="the member's ref", examples=["m11"])


@dataclass(frozen=True)
class LineOutcome:
    """What became of one line, and the member whom it is about.

    `said` are the further members of its answer, as the answer to a single one has them.
    """

    status: Literal["accepted", "duplicate", "held", "quarantined", "rejected"]
    said: Mapping[str, Any]
    member_id: UUID | None = None
    problem: Refusal | None = None


@dataclass(frozen=True)
class Chunk:
    """Bodies that are taken in in one transaction, and what was prepared for them before it."""

    act: Act
    runtime: Runtime
    bodies: Sequence[Any]
    prepared: Any


@dataclass(frozen=True)
class Kind:
    """What the lines of a body hold.

    `line` is the type of a body; `take` returns for each body, in order, what became of it; `prepare` is called before the transaction, with the same
    time; `lines` is how many there are at most in a chunk.
    """

    line: Any
    take: Callable[[Chunk], list[LineOutcome]]
    lines: int = 500
    prepare: Callable[[Runtime, UUID, Caller, Sequence[Any], datetime], Any] | None = None
    evidence: bool = False

    @cached_property
    def shape(self) -> TypeAdapter[Any]:
        """The shape of a line."""
        return TypeAdapter(self.line)


def refused(problem: Refusal) -> LineOutcome:
    """Return the outcome of a line that is refused."""
    return LineOutcome("rejected", {}, problem=problem)


def _members(chunk: Chunk) -> list[LineOutcome]:
    put = members.put_members(chunk.act, chunk.bodies)
    shared = same_person.sharing(chunk.act.session, [each[0] for each in put if isinstance(each, tuple)])
    return [
        refused(each) if isinstance(each, ServiceError) else _member(each[0].id, shared.get(each[0].id, ()))
        for each in put
    ]


def _member(member_id: UUID, shares_with: Sequence[str]) -> LineOutcome:
    said: dict[str, Any] = {"id": str(member_id)}
    if shares_with:
        said["shares_person_with"] = list(shares_with)
    return LineOutcome("accepted", said, member_id)


def _evidence(kind: recording.Kind) -> Callable[[Chunk], list[LineOutcome]]:
    def take(chunk: Chunk) -> list[LineOutcome]:
        found = posting.submit_all(chunk.act, kind, chunk.bodies)
        return [refused(each) if isinstance(each, ServiceError) else _submitted(each) for each in found]

    return take


def _submitted(found: Submission) -> LineOutcome:
    said: dict[str, Any] = {"id": str(found.record.id), "tier": found.record.tier, "digest": found.record.body_digest}
    if found.waits_for is not None:
        said |= {"waits_for": found.waits_for, "held_code": found.held_code}
    if found.left_out:
        said["left_out"] = list(found.left_out)
    if found.flags:
        said["flags"] = list(found.flags)
    return LineOutcome(found.status, said, found.member_id)


def _each(take: Callable[[Act, Any], LineOutcome]) -> Callable[[Chunk], list[LineOutcome]]:
    """Take in line by line; what is refused half-way leaves nothing."""

    def take_all(chunk: Chunk) -> list[LineOutcome]:
        outcomes = []
        for body in chunk.bodies:
            try:
                with chunk.act.session.begin_nested():
                    outcomes.append(take(chunk.act, body))
            except ServiceError as error:
                outcomes.append(refused(error))
        return outcomes

    return take_all


def _session(act: Act, body: SessionIn) -> LineOutcome:
    return LineOutcome("accepted", {"id": str(meetings.put_session(act, body)[0].id)})


def _enrolment(act: Act, body: EnrolmentLine) -> LineOutcome:
    achievement = _named(
        "/achievement", lambda: achievements.get_achievement(act.session, act.network, body.achievement)
    )
    member = _named("/member", lambda: networks_members.get_member(act.session, act.network, body.member))
    shown, _ = enrolments.enrol(act, achievement, member, body)
    return LineOutcome("accepted", {"version": shown.version.version}, member.id)


def _named(pointer: str, find: Callable[[], FoundT]) -> FoundT:
    """Return what a member of the line names; a refusal points there."""
    try:
        return find()
    except NotFoundError as error:
        raise NotFoundError(error.code, error.message, pointer, error.details) from error


def _awards(chunk: Chunk) -> list[LineOutcome]:
    outcomes = []
    for each in settling.award_all(chunk.act, chunk.runtime, chunk.bodies, chunk.prepared):
        if each.award is None:
            assert each.problem is not None
            outcomes.append(refused(each.problem))
        else:
            said = {"id": str(each.award.id), "state": each.award.state}
            outcomes.append(LineOutcome("accepted" if each.created else "duplicate", said, each.award.member_id))
    return outcomes


def _corrections(chunk: Chunk) -> list[LineOutcome]:
    act = chunk.act
    assert act.caller is not None  # bodies of many lines are sent with a token
    corrected = CallersAct(act.session, act.network, act.caller, act.now)

    def take(_act: Act, body: CorrectionLine) -> LineOutcome:
        said = CorrectionIn(changes=body.changes, reason=body.reason)
        found = correcting.correct(corrected, chunk.runtime, body.record, said)
        line = _submitted(found.submission)
        affected = correcting.affected(act.session, chunk.runtime, found)
        return replace(line, said={**line.said, "awards": [each.said() for each in affected]})

    return _each(take)(chunk)


KINDS: Final[Mapping[Name, Kind]] = {
    "members": Kind(MemberIn, _members),
    "sessions": Kind(SessionIn, _each(_session)),
    "contributions": Kind(ContributionIn, _evidence("contribution"), evidence=True),
    "evaluations": Kind(EvaluationIn, _evidence("evaluation"), evidence=True),
    "enrolments": Kind(EnrolmentLine, _each(_enrolment)),
    # Each locks its record before its members: one is one transaction.
    "corrections": Kind(CorrectionLine, _corrections, lines=1),
    # Each is signed: fewer of them are one transaction.
    "awards": Kind(AwardIn, _awards, lines=settling.BATCH, prepare=settling.prepare_awards),
}
