"""Resolve a request for an award to a decision, an existing award, or an error."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.callers import Caller
from service.achievements.definitions import rule_of
from service.achievements.enrolments import Versions
from service.awards import appealable, decisions, reviews
from service.bodies import Body, Instant, Prose, Ref
from service.errors import ConflictError, InvalidError, NotFoundError, ServiceError
from service.evidence.bodies import EARLIEST
from service.issuing import unsigned
from service.issuing.decision import Decider, Decision
from service.networks.members import still_known
from service.progress import progress
from service.tables import AchievementVersion, Award, Member, Network
from service.tables.awards import LIVE

SCOPES = {"rule": "awards:write", "override": "awards:override", "recorded": "awards:record"}
SKEW = timedelta(minutes=5)
"""How far ahead of ours a sender's clock may be."""


class AwardIn(Body):
    """A request for an award: a member has earned an achievement."""

    achievement: Ref = Field(description="the achievement's ref", examples=["formative-feedback"])
    member: Ref = Field(description="the member's ref", examples=["m11"])
    basis: Literal["rule", "override", "recorded"] = Field(
        "rule",
        description="rule: the criteria are met; override: although they are not; recorded: made earlier or elsewhere",
    )
    awarded_at: Instant | None = Field(
        None,
        description="when it was earned; needed with `recorded`, refused otherwise",
        examples=["2021-06-30T12:00:00Z"],
    )
    reason: Prose | None = Field(
        None,
        description="why; needed unless the basis is `rule`. The network keeps it; it is not part of the credential",
    )


def look_up(
    session: OrmSession, network: Network, caller: Caller | None, bodies: Sequence[AwardIn], now: datetime
) -> list[Decision | Award | ServiceError]:
    """Return a decision, an existing award or an error for each request, in order.

    Args:
        caller: who asks; None for the operator at the command line.
    """
    member_query = select(Member).where(Member.network_id == network.id, Member.ref.in_({b.member for b in bodies}))
    members = {member.ref: member for member in session.scalars(member_query)}
    versions = Versions(session, network, [member.id for member in members.values()])
    where = (Award.member_id.in_([member.id for member in members.values()]), Award.state.in_(LIVE))
    live = {(row.member_id, row.achievement_id): row for row in session.scalars(select(Award).where(*where))}
    staff = reviews.staff(session, [member.id for member in members.values()], now)
    found: list[Decision | Award | ServiceError] = []
    for body in bodies:
        try:
            callers.past_draft(network)
            _check(caller, body, now)
            member = members.get(body.member)
            if member is None:
                raise NotFoundError(
                    "member-unknown",
                    "No member of this network has this ref; post the member first, or correct it.",
                    "/member",
                )
            callers.require_other(session, caller, [member.id], "/member")
            still_known(member, "/member")
            version = versions.for_member(member.id, body.achievement)
            row = live.get((member.id, version.achievement_id))
            if row is None:
                versions.still_earned(body.achievement)
            found.append(row or _decide(session, network, member, version, body, caller, staff, now))
        except ServiceError as error:
            found.append(error)
    return found


def _check(caller: Caller | None, body: AwardIn, now: datetime) -> None:
    if caller is not None:
        callers.require(caller, SCOPES[body.basis])
    if body.basis != "rule" and body.reason is None:
        raise InvalidError("reason-missing", f"Expected a reason with the basis {body.basis}.", "/reason")
    if (body.awarded_at is not None) != (body.basis == "recorded"):
        raise InvalidError(
            "awarded-at-misplaced", "Expected `awarded_at` with the basis recorded, and only there.", "/awarded_at"
        )
    if body.awarded_at is not None and body.awarded_at < EARLIEST:
        raise InvalidError("time-too-early", "Expected a time after 1900.", "/awarded_at")
    if body.awarded_at is not None and body.awarded_at > now + SKEW:
        raise InvalidError("time-in-future", "Expected a time that is not in the future.", "/awarded_at")


def _decide(
    session: OrmSession,
    network: Network,
    member: Member,
    version: AchievementVersion,
    body: AwardIn,
    caller: Caller | None,
    staff: Collection[UUID],
    now: datetime,
) -> Decision:
    """Return the decision on a request.

    An award to staff that no rule decides waits for a second person. What the operator records at the command line
    does not wait: it was decided elsewhere.
    """
    if body.basis != "rule":
        awarded_at = min(body.awarded_at or now, now).replace(microsecond=0)
        ends_at = unsigned.valid_until(network, version, awarded_at)
        if ends_at is not None and ends_at <= now:
            message = f"Expected an award that still holds: by `valid_for` this one ended on {ends_at:%Y-%m-%d}."
            raise ConflictError("award-over", message, "/awarded_at")
        return Decision(
            member.id,
            version,
            body.basis,
            awarded_at,
            reason=body.reason,
            deciders=_asker(session, caller, now),
            waits="second" if caller is not None and member.id in staff else None,
        )
    if rule_of(version.definition) is None:
        message = "Expected the basis override or recorded: this achievement has criteria for people only."
        raise ConflictError("criteria-without-rule", message, "/basis")
    decided = decisions.by_rule(session, network, version, [member.id], now, reason=body.reason)[member.id]
    if not decided.met:
        shown = progress.explain(session, network, version, member.id, now, node=decided.node)
        message = f"Expected the criteria to be met, and they are not yet: {shown.text}"
        appeal = appealable.how(network, achievement=body.achievement, member=member.ref)
        raise ConflictError("criteria-not-met", message, details={"progress": shown.to_json(), "appeal": appeal})
    return decided


def _asker(session: OrmSession, caller: Caller | None, now: datetime) -> tuple[Decider, ...]:
    if caller is None:
        return ()
    role = reviews.acting_role(session, caller.member_id, now)
    return (Decider(caller.token_id, caller.member_id, role, now),)
