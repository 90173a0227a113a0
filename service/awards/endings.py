"""Change how a credential stands: revoke, suspend, reinstate, withdraw, decline."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from service.access import callers
from service.access.act import Act, CallersAct
from service.awards import reviews
from service.errors import ConflictError
from service.issuing import own, reissuing, status_lists
from service.issuing.credentials import about
from service.outbox import events, mailbox
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Award, Credential, Key, StatusList

COMPROMISED: Final = "key-compromised"
"""The cause of a review: others may have had the key when it signed the credential."""
DECLINED: Final = "declined by its recipient"
"""Why a credential was revoked that its recipient does not want."""


def revoke(act: CallersAct, runtime: Runtime, credential_id: str, reason: str) -> Credential:
    """Revoke a credential and its award for good.

    One already revoked is returned as it is.

    Raises:
        NotFoundError: it is not this network's (code "credential-unknown").
        ForbiddenError: the caller is the recipient (code "self-decision").
        CustodyError: the status list cannot be signed; nothing has changed.
    """
    row, _ = _locked(act, credential_id)
    if row.revoked_at is None:
        _mark_revoked(act, row, reason)
        status_lists.publish(act, runtime, act.session.get_one(StatusList, row.status_list_id))
    return row


def decline(act: Act, runtime: Runtime, credential_id: str) -> Credential:
    """Revoke a credential and its award because its recipient does not want it, and hide it for good.

    One already declined is returned as it is. That the caller is its recipient is checked before.

    1. It is not the network's revocation: no token revoked it, and an event of its own says so. Nobody is written to.
    2. What was built on the award is reviewed, as after every revocation.
    3. No rule awards it to the member again; the network can, if it is asked for.

    Raises:
        NotFoundError: it is not of this network (code "credential-unknown").
        ConflictError: the network revoked it (code "credential-revoked").
        CustodyError: the status list cannot be signed; nothing has changed.
    """
    row, award = own.lock(act, credential_id)
    if row.declined_at is not None:
        return row
    if row.revoked_at is not None:
        raise ConflictError("credential-revoked", "Expected a credential that stands; this one was revoked, for good.")
    row.revoked_at = row.declined_at = act.now
    row.revocation_reason = DECLINED
    award.state = "revoked"
    reviews.end(act, award)
    for each in locks.rows(act.session, Credential, Credential.award_id == award.id):
        each.visibility = "private"
    events.append(act, "credential.declined", about(row, award))
    mailbox.forget_unsent(act, row)
    reviews.question_built_on(act.by_service(), award)  # (2)
    status_lists.publish(act, runtime, act.session.get_one(StatusList, row.status_list_id))
    return row


def suspend(act: CallersAct, runtime: Runtime, credential_id: str, reason: str) -> Credential:
    """Suspend a credential and its award until somebody decides whether it stands.

    One already suspended is returned as it is.

    Raises:
        NotFoundError: it is not this network's (code "credential-unknown").
        ForbiddenError: the caller is the recipient (code "self-decision").
        ConflictError: it was revoked, for good (code "credential-revoked").
        CustodyError: the status list cannot be signed; nothing has changed.
    """
    row, award = _locked(act, credential_id)
    if row.revoked_at is not None:
        raise ConflictError("credential-revoked", "Expected a credential that stands; this one was revoked, for good.")
    if row.suspended_at is None:
        row.suspended_at, row.suspension_reason, row.suspended_by = act.now, reason, act.caller.token_id
        if award.state == "awarded":
            award.state = "suspended"
        _tell_suspension(act, runtime, row, award, "credential.suspended")
        mailbox.queue_suspended(act, row)
    return row


def reinstate(act: CallersAct, runtime: Runtime, credential_id: str) -> Credential:
    """Reinstate a suspended credential; one that stands is returned as it is.

    If others may have had a key that signed it, it is signed again, and nobody else needs to decide on that.

    Raises:
        NotFoundError, ForbiddenError, ConflictError, CustodyError: as `suspend`.
    """
    row, award = _locked(act, credential_id)
    if row.revoked_at is not None:
        raise ConflictError("credential-revoked", "Expected a credential that stands; this one was revoked, for good.")
    if row.suspended_at is not None:
        _reinstate(act, runtime, row, award)
        reviews.answer(act, award, COMPROMISED)
    return row


def suspend_unproven(act: Act, runtime: Runtime, rows: Sequence[Credential], key: Key) -> None:
    """Suspend credentials that were signed since others may have had the key, until people decide on each.

    The credentials, their awards and the members are locked. One that is suspended already keeps its reason.

    Raises:
        CustodyError: a status list cannot be signed; nothing has changed.
    """
    for row in rows:
        award = act.session.get_one(Award, row.award_id)
        if row.suspended_at is None:
            row.suspended_at = act.now
            row.suspension_reason = f"It was signed since others may have had the key {key.kid}."
            if award.state == "awarded":
                award.state = "suspended"
            events.append(act, "credential.suspended", about(row, award))
        reviews.question(act, award, COMPROMISED)
    act.session.flush()
    for list_id in sorted({row.status_list_id for row in rows}):
        status_list = act.session.get_one(StatusList, list_id)
        if status_list.purpose == "suspension":
            status_lists.publish(act, runtime, status_list)


def let_stand(act: Act, runtime: Runtime, award: Award) -> None:
    """Let the credentials of a locked award stand that were suspended by `suspend_unproven`.

    One that somebody suspended for another reason stays so, and is signed again.

    Raises:
        CustodyError: nothing can be signed; nothing has changed.
    """
    standing = (Credential.award_id == award.id, Credential.revoked_at.is_(None))
    keys = act.session.scalars(
        select(Key).where(Key.network_id == act.network.id, Key.compromised_at.is_not(None))
    ).all()
    for row in locks.rows(act.session, Credential, *standing, reissuing.signed_with(keys, now=True)):
        if row.suspended_at is not None and row.suspended_by is None:
            _reinstate(act, runtime, row, award)
        else:
            reissuing.mend(act, runtime, row)


def withdraw(act: Act, runtime: Runtime, awards: Sequence[Award], reason: str) -> None:
    """Revoke the credentials of awards that have lost what they rested on.

    Each status list is published once.

    Raises:
        CustodyError: a status list cannot be signed; nothing has changed.
    """
    signed = Credential.award_id.in_([award.id for award in awards])
    rows = locks.rows(act.session, Credential, signed, Credential.revoked_at.is_(None))
    for row in rows:
        _mark_revoked(act.by_service(), row, reason)
    for award in awards:
        if award.state != "revoked":  # nothing was signed yet, and nobody is told
            reviews.end(act, award)
            award.state = "revoked"
    for list_id in sorted({row.status_list_id for row in rows}):
        status_lists.publish(act, runtime, act.session.get_one(StatusList, list_id))


def _locked(act: CallersAct, credential_id: str) -> tuple[Credential, Award]:
    """Lock the member, the award and the credential until the commit, in this order, and return the last two.

    People who decide on a review lock the member first, too.
    """
    row = callers.owned(act.session, act.caller, Credential, Credential.id == credential_id, noun="credential")
    award = act.session.get_one(Award, row.award_id)
    act.decides_on(award.member_id)
    locks.members(act.session, [award.member_id])
    locks.again(act.session, award)
    locks.again(act.session, row)
    return row, award


def _reinstate(act: Act, runtime: Runtime, row: Credential, award: Award) -> None:
    row.suspended_at = row.suspension_reason = row.suspended_by = None
    row.reinstated_at = act.now
    if award.state == "suspended":
        award.state = "awarded"
    _tell_suspension(act, runtime, row, award, "credential.reinstated")
    mailbox.queue_reinstated(act, row)
    reissuing.mend(act, runtime, row)


def _tell_suspension(act: Act, runtime: Runtime, row: Credential, award: Award, kind: str) -> None:
    events.append(act, kind, about(row, award))
    status_list = act.session.get_one(StatusList, row.status_list_id)
    if status_list.purpose == "suspension":
        status_lists.publish(act, runtime, status_list)
    act.session.flush()


def _mark_revoked(act: Act, row: Credential, reason: str) -> None:
    award = act.session.get_one(Award, row.award_id)
    row.revoked_at, row.revocation_reason = act.now, reason
    row.revoked_by = award.ended_by = act.caller.token_id if act.caller else None
    award.state = "revoked"
    reviews.end(act, award)
    events.append(act, "credential.revoked", about(row, award))
    mailbox.queue_revoked(act, row)
    reviews.question_built_on(act, award)
