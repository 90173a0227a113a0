"""Which decisions a member can contest: refusals, revocations, suspensions.

A refusal by the rules is a "not yet" that is stored nowhere: it is worked out again when it is contested, and what the
member had reached then is stored with the case, as identifiers and numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from credentials.instants import write_instant
from service.access.act import Act
from service.achievements.definitions import rule_of
from service.achievements.enrolments import Versions
from service.awards import reviews
from service.awards.appealable import CONTESTABLE_FOR, end_of_day
from service.bodies import Body, Prose, Ref, Uid
from service.errors import ConflictError, NotFoundError
from service.progress import progress
from service.tables import Approval, Award, Case, Credential, Member, Network, Review, Token, awards

Topic = Literal["conduct", "credit", "feedback", "confidentiality", "other"]


class DisagreementIn(Body):
    """With whom a member disagrees, and about what."""

    respondent: Ref = Field(description="ref of the other member", examples=["m12"])
    about: Topic = Field(
        description=(
            "conduct: how somebody behaved; credit: whose work it is; feedback: what was said of somebody's work; "
            "confidentiality: what should not have been passed on; other"
        )
    )
    record: Uid | None = Field(
        None, description="id of a record that it concerns: about or by the member, or what the other one did"
    )
    session: Ref | None = Field(None, description="ref of a session that it concerns")


class CaseIn(Body):
    """What is contested, or with whom a member disagrees, and why.

    It has exactly one of `achievement`, `approval`, `credential` and `disagreement`.
    """

    achievement: Ref | None = Field(
        None, description="its ref, if the criteria are not met yet", examples=["formative-feedback"]
    )
    approval: Uid | None = Field(None, description="its id, if people declined it")
    credential: str | None = Field(None, max_length=32, description="its id, if it was revoked or suspended")
    disagreement: DisagreementIn | None = Field(None, description="with another member")
    member: Ref | None = Field(
        None, description="ref of the member who contests, if the network opens the case on their behalf"
    )
    statement: Prose = Field(description="why; the parties and the mediator read it")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        matters = (self.achievement, self.approval, self.credential, self.disagreement)
        if sum(each is not None for each in matters) != 1:
            raise PydanticCustomError(
                "matter-ambiguous", "Expected one of the members achievement, approval, credential and disagreement"
            )
        return self


@dataclass(frozen=True)
class Matter:
    """The decision that a member contests.

    It says when the decision was made, by whom, and what the member had reached.
    """

    kind: str
    member_id: UUID
    achievement_id: UUID
    version_id: UUID
    at: datetime
    award_id: UUID | None = None
    credential_id: str | None = None
    review_id: UUID | None = None
    respondent_id: UUID | None = None
    progress: dict[str, Any] | None = None


def find(act: Act, member: Member, body: CaseIn) -> Matter:
    """Return what a member contests.

    Raises:
        NotFoundError, ConflictError: as `of_refusal`, `of_approval` and `of_credential`.
    """
    if body.achievement is not None:
        return of_refusal(act, member, body.achievement)
    if body.approval is not None:
        return of_approval(act, member, body.approval)
    assert body.credential is not None  # the shape says so
    return of_credential(act, member, body.credential)


def of_refusal(act: Act, member: Member, ref: str) -> Matter:
    """Return the matter of criteria that a member does not meet yet.

    Raises:
        NotFoundError: no such achievement.
        ConflictError: only people decide about the criteria ("criteria-without-rule"); nobody has refused, because
            they are met or wait for approval ("not-refused"); the achievement is retired ("achievement-retired"); or the
            member has the award ("award-there").
    """
    versions = Versions(act.session, act.network, [member.id])
    version = versions.for_member(member.id, ref)
    versions.still_earned(ref)
    _check_no_award(act.session, member.id, version.achievement_id)
    if rule_of(version.definition) is None:
        message = "Expected an achievement with a rule: of criteria for people only there is no refusal to contest."
        raise ConflictError("criteria-without-rule", message, "/achievement")
    node = progress.explain(act.session, act.network, version, member.id, act.now)
    if node.met or reviews.waits_for_people(node):
        means = "ask for the award" if node.met else "what people decide about it can be contested, once they have"
        message = f"Expected criteria that are not met; nobody has refused this achievement: {means}."
        raise ConflictError("not-refused", message, "/achievement")
    return Matter("refusal", member.id, version.achievement_id, version.id, act.now, progress=_numbers(node.to_json()))


def of_approval(act: Act, member: Member, review_id: UUID) -> Matter:
    """Return the matter of an approval that people declined.

    Awards that waited for a second person cannot be contested: the member was never told about them.

    Raises:
        NotFoundError: no approval about this member has this id.
        ConflictError: it was not declined ("not-refused"), too long ago ("case-too-late"), or the award was made
            since ("award-there").
    """
    row = act.session.scalar(
        select(Review).where(Review.id == review_id, Review.network_id == act.network.id, Review.kind == "approval")
    )
    if row is None or not _same(act.session, row.member_id, member.id):
        raise NotFoundError("approval-unknown", "Nothing in this network's queue about this member has this id.")
    if row.state != "declined" or row.closed_at is None:
        message = f"Expected an approval that was declined; this one is {row.state}."
        raise ConflictError("not-refused", message, "/approval")
    _check_in_time(act.network, row.closed_at, act.now)
    _check_no_award(act.session, row.member_id, row.achievement_id)
    said = (Approval.review_id == row.id, Approval.outcome == "declined")
    by = act.session.scalar(select(Approval.approver_id).where(*said).order_by(Approval.at.desc()).limit(1))
    return Matter(
        "declined",
        row.member_id,
        row.achievement_id,
        row.achievement_version_id,
        row.closed_at,
        review_id=row.id,
        respondent_id=by,
    )


def of_credential(act: Act, member: Member, credential_id: str) -> Matter:
    """Return the matter of a credential that was revoked or suspended.

    Raises:
        NotFoundError: no credential of this member has this id.
        ConflictError: it is neither ("credential-stands"), they declined it ("credential-declined"), that was too long ago ("case-too-late"), or the member has
            the award again ("award-there").
    """
    mine = (Credential.id == credential_id, Credential.network_id == act.network.id)
    found = act.session.execute(
        select(Credential, Award).join(Award, Award.id == Credential.award_id).where(*mine)
    ).first()
    if found is None or not _same(act.session, found[1].member_id, member.id):
        raise NotFoundError("credential-unknown", "No credential of this member has this id.")
    row, award = found
    if row.declined_at is not None:
        message = "Expected a credential that the network revoked or suspended; its recipient declined this one."
        raise ConflictError("credential-declined", message, "/credential")
    decided_at = row.revoked_at or row.suspended_at
    if decided_at is None:
        raise ConflictError("credential-stands", "Expected a credential that was revoked or suspended.", "/credential")
    _check_in_time(act.network, decided_at, act.now)
    if row.revoked_at is not None:
        _check_no_award(act.session, award.member_id, award.achievement_id)
    by = row.revoked_by if row.revoked_at is not None else row.suspended_by
    token = act.session.get(Token, by) if by is not None else None
    return Matter(
        "revocation" if row.revoked_at is not None else "suspension",
        award.member_id,
        award.achievement_id,
        award.achievement_version_id,
        decided_at,
        award_id=award.id,
        credential_id=row.id,
        respondent_id=token.member_id if token is not None else None,
    )


def check_not_decided(session: OrmSession, matter: Matter) -> None:
    """Refuse a second case about a decision on which a case was decided.

    A refusal by the rules is a different one as soon as the member has reached something else, or is judged by another
    version. A case that was withdrawn does not count.

    Raises:
        ConflictError: there was a case about it (code "case-decided").
    """
    before = select(Case).where(
        Case.member_id == matter.member_id,
        Case.achievement_id == matter.achievement_id,
        Case.kind == matter.kind,
        Case.outcome.in_(("upheld", "overturned")),
    )
    for row in session.scalars(before.order_by(Case.id)):
        same = (row.achievement_version_id, row.progress) == (matter.version_id, matter.progress)
        if same if matter.kind == "refusal" else row.contested_at == matter.at:
            message = "Expected something that was not contested before; there was a case about this decision."
            raise ConflictError("case-decided", message, details={"case": str(row.id)})


def _check_in_time(network: Network, at: datetime, now: datetime) -> None:
    until = end_of_day(network, at, CONTESTABLE_FOR)
    if now >= until:
        last = (until.astimezone(ZoneInfo(network.time_zone)) - timedelta(days=1)).date()
        message = f"Expected a decision that is at most {CONTESTABLE_FOR} old; this one could be contested to {last}."
        raise ConflictError("case-too-late", message, details={"until": write_instant(until)})


def _check_no_award(session: OrmSession, member_id: UUID, achievement_id: UUID) -> None:
    live = (Award.member_id == member_id, Award.achievement_id == achievement_id, Award.state.in_(awards.LIVE))
    if session.scalar(select(Award.id).where(*live)) is not None:
        raise ConflictError("award-there", "Expected a member without this award; this one has it.")


def _same(session: OrmSession, one: UUID, other: UUID) -> bool:
    who = reviews.who_is(session, [one, other])
    return who[one] == who[other]


def _numbers(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was reached as ids and numbers, without the sentences."""
    kept = {name: value for name, value in node.items() if name not in ("text", "also", "children")}
    if "also" in node:
        kept["also"] = {name: value for name, value in node["also"].items() if name != "text"}
    if "children" in node:
        kept["children"] = [_numbers(child) for child in node["children"]]
    return kept
