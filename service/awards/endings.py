"""Change the standing of a credential: revoke, suspend, reinstate, withdraw."""

from collections.abc import Sequence
from datetime import datetime

from service.access import callers
from service.access.callers import Caller
from service.awards import reviews
from service.errors import ConflictError
from service.issuing import status_lists
from service.issuing.credentials import about
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Award, Credential, Network, StatusList


def revoke(
    session: WriteSession, runtime: Runtime, caller: Caller, credential_id: str, reason: str, now: datetime
) -> Credential:
    """Revoke a credential and its award for good.

    One already revoked is returned as it is.

    Raises:
        NotFoundError: it is not this network's (code "credential-unknown").
        CustodyError: the status list cannot be signed; nothing has changed.
    """
    row, _ = _locked(session, caller, credential_id)
    if row.revoked_at is None:
        network = session.get_one(Network, row.network_id)
        _mark_revoked(session, network, row, reason, caller, now)
        status_lists.publish(session, runtime, network, session.get_one(StatusList, row.status_list_id), now)
    return row


def suspend(
    session: WriteSession, runtime: Runtime, caller: Caller, credential_id: str, reason: str, now: datetime
) -> Credential:
    """Suspend a credential and its award until somebody decides whether it stands.

    One already suspended is returned as it is.

    Raises:
        NotFoundError: it is not this network's (code "credential-unknown").
        ConflictError: it was revoked, for good (code "credential-revoked").
        CustodyError: the status list cannot be signed; nothing has changed.
    """
    row, award = _locked(session, caller, credential_id)
    if row.revoked_at is not None:
        raise ConflictError("credential-revoked", "Expected a credential that stands; this one was revoked, for good.")
    if row.suspended_at is None:
        row.suspended_at, row.suspension_reason, row.suspended_by = now, reason, caller.token_id
        if award.state == "awarded":
            award.state = "suspended"
        _tell_suspension(session, runtime, row, award, "credential.suspended", now)
    return row


def reinstate(session: WriteSession, runtime: Runtime, caller: Caller, credential_id: str, now: datetime) -> Credential:
    """Reinstate a suspended credential; one that stands is returned as it is.

    Raises:
        NotFoundError, ConflictError, CustodyError: as `suspend`.
    """
    row, award = _locked(session, caller, credential_id)
    if row.revoked_at is not None:
        raise ConflictError("credential-revoked", "Expected a credential that stands; this one was revoked, for good.")
    if row.suspended_at is not None:
        row.suspended_at = row.suspension_reason = row.suspended_by = None
        row.reinstated_at = now
        if award.state == "suspended":
            award.state = "awarded"
        _tell_suspension(session, runtime, row, award, "credential.reinstated", now)
    return row


def withdraw(
    session: WriteSession, runtime: Runtime, network: Network, awards: Sequence[Award], reason: str, now: datetime
) -> None:
    """Revoke the credentials of awards that have lost what they rested on.

    Each status list is published once.

    Raises:
        CustodyError: a status list cannot be signed; nothing has changed.
    """
    signed = Credential.award_id.in_([award.id for award in awards])
    rows = locks.rows(session, Credential, signed, Credential.revoked_at.is_(None))
    for row in rows:
        _mark_revoked(session, network, row, reason, None, now)
    for award in awards:
        if award.state != "revoked":  # nothing was signed yet, and nobody is told
            reviews.end(session, network, award, now)
            award.state = "revoked"
    for list_id in sorted({row.status_list_id for row in rows}):
        status_lists.publish(session, runtime, network, session.get_one(StatusList, list_id), now)


def _locked(session: WriteSession, caller: Caller, credential_id: str) -> tuple[Credential, Award]:
    """Lock a credential and its award until the commit, the award first as everywhere; return both."""
    row = callers.owned(session, caller, Credential, Credential.id == credential_id, noun="credential")
    award = locks.one(session, Award, Award.id == row.award_id)
    locks.again(session, row)
    return row, award


def _tell_suspension(
    session: WriteSession, runtime: Runtime, row: Credential, award: Award, kind: str, now: datetime
) -> None:
    network = session.get_one(Network, row.network_id)
    events.append(session, network, kind, about(row, award), now)
    status_list = session.get_one(StatusList, row.status_list_id)
    if status_list.purpose == "suspension":
        status_lists.publish(session, runtime, network, status_list, now)
    session.flush()


def _mark_revoked(
    session: WriteSession, network: Network, row: Credential, reason: str, caller: Caller | None, now: datetime
) -> None:
    award = session.get_one(Award, row.award_id)
    row.revoked_at, row.revocation_reason = now, reason
    row.revoked_by = award.ended_by = caller.token_id if caller else None
    award.state = "revoked"
    reviews.end(session, network, award, now)
    events.append(session, network, "credential.revoked", about(row, award), now)
    reviews.question_built_on(session, network, award, now)
