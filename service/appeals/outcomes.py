"""Overturn a decision: make an award, or end a suspension."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.access.act import CallersAct
from service.achievements.definitions import rule_of
from service.achievements.enrolments import Versions
from service.awards import decisions, endings, reviews, settling
from service.errors import ConflictError, InvalidError
from service.issuing import choices, credentials, unsigned
from service.issuing.decision import Decider, Decision
from service.progress import progress
from service.progress.progress import Node
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Achievement, AchievementVersion, Award, AwardEvidence, Case, Record, awards


def overturn(act: CallersAct, runtime: Runtime, row: Case, role: str, basis: str | None) -> Award:
    """Make a new decision as the mediator, and return the award that results.

    1. A suspension ends.
    2. If an award was made in the meantime, it is the result; there is never a second.
    3. What was revoked stays revoked in its status list. A new award follows it, with a new credential.

    The caller has locked the members.

    Args:
        role: the mediator's role, in which they decide.
        basis: "rule" if the criteria are met now; "override" or None otherwise.
    Raises:
        InvalidError: there is a basis, but no refusal is contested (code "basis-misplaced").
        ConflictError: the basis is "rule" and the criteria are not met ("criteria-not-met"; details: `progress`), or
            the suspended credential has been revoked since ("credential-revoked").
        CustodyError: a key cannot be used; nothing has changed.
    """
    if basis is not None and row.kind not in ("refusal", "declined"):
        raise InvalidError("basis-misplaced", f"Expected no basis where a {row.kind} is contested.", "/basis")
    if row.credential_id is not None and row.kind == "suspension":  # (1)
        endings.reinstate(act, runtime, row.credential_id)
        return act.session.get_one(Award, row.award_id)
    live = (Award.member_id == row.member_id, Award.achievement_id == row.achievement_id)
    standing = locks.rows(act.session, Award, *live, Award.state.in_(awards.LIVE))
    if standing:  # (2)
        return standing[0]
    decided = _decision(act, row, role, basis)
    [award] = decisions.carry_out(act, runtime, [decided], {})
    if row.award_id is not None:  # (3)
        award.renews = row.award_id
        act.session.flush()
        made = credentials.of_awards(act.session, [award]).get(award.id)
        if made is not None:  # otherwise when it is signed
            credentials.supersede(act.session, row.award_id, made)
    settling.settle(act, runtime, [row.member_id])
    return award


def _decision(act: CallersAct, row: Case, role: str, basis: str | None) -> Decision:
    """Return the new decision.

    It is made on the evidence of now, by the version that binds the member. A revoked award is made again as it was,
    with its date if its time is not over. An award to one of the network's staff waits for a second person.
    """
    at, reason = act.now.replace(microsecond=0), f"Decided in the case {row.id}."
    by = (Decider(act.caller.token_id, act.caller.member_id, role, act.now),)
    waits = "second" if reviews.staff(act.session, [row.member_id], act.now) else None
    if row.award_id is not None:
        revoked = act.session.get_one(Award, row.award_id)
        version = act.session.get_one(AchievementVersion, revoked.achievement_version_id)
        ends_at = unsigned.valid_until(act.network, version, revoked.awarded_at)
        earned = revoked.awarded_at if ends_at is None or ends_at > act.now else at
        rested = _still_counting(act.session, revoked)
        old = credentials.of_awards(act.session, [revoked]).get(revoked.id)
        chosen = choices.of(act.session, row.member_id, old, act.now) if old is not None else None
        return Decision(row.member_id, version, "override", earned, rested, reason, by, waits=waits, chosen=chosen)
    achievement = act.session.get_one(Achievement, row.achievement_id)
    version = Versions(act.session, act.network, [row.member_id]).for_member(row.member_id, achievement.ref)
    if rule_of(version.definition) is None:  # the version was published after the case was opened
        return Decision(row.member_id, version, "override", at, (), reason, by, waits=waits)
    decided = decisions.by_rule(act.session, act.network, version, [row.member_id], act.now, reason=reason)[
        row.member_id
    ]
    if basis == "rule" and decided.met:
        return decided
    shown = progress.explain(act.session, act.network, version, row.member_id, act.now, node=decided.node)
    if basis == "rule":
        message = f"Expected criteria that are met now: {shown.text}"
        raise ConflictError("criteria-not-met", message, "/basis", {"progress": shown.to_json()})
    rested = tuple(dict.fromkeys(record_id for leaf in _met(shown) for record_id in leaf.record_ids))
    return Decision(row.member_id, version, "override", at, rested, reason, by, waits=waits)


def _met(node: Node) -> Iterator[Node]:
    """Yield the rules that are met.

    An award that is made although others are not met rests on these.
    """
    if node.met:
        yield node
    else:
        for child in node.children:
            yield from _met(child)


def _still_counting(session: OrmSession, award: Award) -> tuple[UUID, ...]:
    """Return the records on which an award rested and that still count.

    They were neither voided nor quarantined since.
    """
    rested = (
        select(AwardEvidence.record_id)
        .join(Record, Record.id == AwardEvidence.record_id)
        .where(AwardEvidence.award_id == award.id, Record.status == "accepted")
    )
    void = aliased(Record)
    voided = select(void.id).where(void.voids == AwardEvidence.record_id)
    return tuple(session.scalars(rested.where(~voided.exists()).order_by(AwardEvidence.record_id)))
