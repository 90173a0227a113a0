"""The memory behind `Idempotency-Key`: 24 hours, per token, successes only."""

from datetime import datetime, timedelta

from sqlalchemy import delete, update

from service.access import Caller
from service.database import WriteSession, insert_new
from service.errors import ConflictError
from service.tables import Idempotency

KEPT_FOR = timedelta(hours=24)


def begin(session: WriteSession, caller: Caller, key: str, request_sha256: str, now: datetime) -> Idempotency | None:
    """Claim the key for this request, or return the row of the request that had it before.

    A second request with the same key waits here for the first one's commit (it inserts the same
    primary key), so that of two at the same moment one works and the other gets its answer.

    Raises:
        ConflictError: the key came before with another request (code "idempotency-key-reused").
    """
    session.execute(delete(Idempotency).where(Idempotency.expires_at <= now))
    claim = {"token_id": caller.token_id, "key": key, "request_sha256": request_sha256, "expires_at": now + KEPT_FOR}
    if insert_new(session, Idempotency, claim):
        return None
    kept = session.get_one(Idempotency, (caller.token_id, key))
    if kept.request_sha256 != request_sha256:
        raise ConflictError(
            "idempotency-key-reused", "Expected a new Idempotency-Key: this one came with another request."
        )
    return kept


def keep(session: WriteSession, caller: Caller, key: str, status: int, answer: str | None) -> None:
    """Remember the answer that belongs to the key."""
    where = (Idempotency.token_id == caller.token_id, Idempotency.key == key)
    session.execute(update(Idempotency).where(*where).values(status=status, answer=answer))
