"""Replace a credential with corrected data, or renew an award for another term."""

from uuid import UUID

from sqlalchemy import select

from service.access import callers
from service.access.act import CallersAct
from service.achievements import publishing
from service.achievements.definitions import rule_of
from service.achievements.enrolments import Versions
from service.awards import decisions, reviews
from service.errors import ConflictError, NotFoundError
from service.issuing import credentials
from service.networks.members import still_known
from service.outbox import events, mailbox
from service.progress import progress
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Achievement, Award, Credential, Member, awards


def replace(act: CallersAct, runtime: Runtime, credential_id: str, reason: str) -> Credential:
    """Issue an award's credential again with what is known now; revoke the old one.

    Return the new one. The award, its date, its evidence and its receipt stay. If the credential was replaced before,
    its replacement is returned.

    Raises:
        NotFoundError: it is not this network's (code "credential-unknown").
        ForbiddenError: the caller is the recipient ("self-decision").
        ConflictError: it does not stand: revoked ("credential-revoked"), suspended ("credential-suspended"), or its
            time is over ("award-over").
        CustodyError: nothing can be signed; nothing has changed.
    """
    found = callers.owned(act.session, act.caller, Credential, Credential.id == credential_id, noun="credential")
    award = act.session.get_one(Award, found.award_id)
    act.decides_on(award.member_id)
    locks.members(act.session, [award.member_id])
    locks.again(act.session, award)
    locks.again(act.session, found)
    still_known(act.session.get_one(Member, award.member_id))
    if found.superseded_by is not None and found.revoked_at is not None:
        return act.session.get_one(Credential, found.superseded_by)
    if found.revoked_at is not None:
        raise ConflictError("credential-revoked", "Expected a credential that stands; this one was revoked, for good.")
    if found.suspended_at is not None:
        raise ConflictError("credential-suspended", "Expected a decision on the suspension first.")
    if award.state != "awarded" or (found.valid_until is not None and found.valid_until <= act.now):
        raise ConflictError("award-over", "Expected a credential whose time is not over; a renewal makes a new one.")
    new = decisions.sign_again(act, runtime, award, found)
    credentials.replace(act, runtime, found, new, reason)
    mailbox.queue_replaced(act, found, new)
    return new


def renew(act: CallersAct, runtime: Runtime, award_id: UUID) -> tuple[Award, bool]:
    """Award an achievement for a further term from now on.

    Return the award and whether it is new.

    1. The criteria must be met now, by the version that binds the member now; people who approved the first term did
       not approve the second.
    2. The award that is renewed expires; its credential stays valid as long as it says.

    Raises:
        NotFoundError: the network has no such award (code "award-unknown").
        ForbiddenError: the caller is the recipient ("self-decision").
        ConflictError: it does not end, or does not stand ("award-not-renewable"), the member has another one
            ("award-there"), the achievement is retired ("achievement-retired"), people must approve
            ("approval-needed") or decide ("criteria-without-rule"), or the criteria are not met now
            ("criteria-not-met", with the progress).
        CustodyError: the credential cannot be signed; nothing has changed.
    """
    row = act.session.scalar(select(Award).where(Award.id == award_id, Award.network_id == act.network.id))
    if row is None:
        raise NotFoundError("award-unknown", "No award of this network has this id.")
    locks.members(act.session, [row.member_id, act.caller.member_id])
    act.decides_on(row.member_id)
    locks.again(act.session, row)
    still_known(act.session.get_one(Member, row.member_id))
    before = act.session.scalar(select(Award).where(Award.renews == row.id, Award.state != "revoked"))
    if before is not None:
        return before, False
    _check(act, row)
    achievement = act.session.get_one(Achievement, row.achievement_id)
    publishing.still_earned(achievement)
    version = Versions(act.session, act.network, [row.member_id]).for_member(row.member_id, achievement.ref)
    if rule_of(version.definition) is None:
        message = "Expected a rule; where people decide, they award it again when its time is over."
        raise ConflictError("criteria-without-rule", message)
    if reviews.needs_approval(version):  # (1)
        message = "Expected criteria without approval; with it, ask for approval again when the time is over."
        raise ConflictError("approval-needed", message)
    decided = decisions.by_rule(act.session, act.network, version, [row.member_id], act.now)[row.member_id]
    if not decided.met:
        shown = progress.explain(act.session, act.network, version, row.member_id, act.now, node=decided.node)
        message = f"Expected the criteria to be met again, and they are not: {shown.text}"
        raise ConflictError("criteria-not-met", message, details={"progress": shown.to_json()})
    if row.state != "expired":  # (2)
        row.state = "expired"
        reviews.end(act, row)
        events.append(act, "award.expired", decisions.about(row))
        act.session.flush()
    [made] = decisions.carry_out(act, runtime, [decided], {})
    return made, True


def _check(act: CallersAct, row: Award) -> None:
    """Refuse an award that cannot be renewed."""
    ends = select(Credential.id).where(Credential.award_id == row.id, Credential.valid_until.is_not(None))
    if row.state not in ("awarded", "expired") or act.session.scalar(ends.limit(1)) is None:
        message = f"Expected an award that ends and stands, or has ended; this one is {row.state}."
        raise ConflictError("award-not-renewable", message)
    other = select(Award.id).where(
        Award.member_id == row.member_id,
        Award.achievement_id == row.achievement_id,
        Award.id != row.id,
        Award.state.in_(awards.LIVE),
    )
    if act.session.scalar(other.limit(1)) is not None:
        raise ConflictError("award-there", "Expected a member without another award of this achievement.")
