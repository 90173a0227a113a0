"""The memory of `Idempotency-Key`: 24 hours, per token, successes only."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, false, func, or_, select, tuple_, update

from service.access.callers import Caller
from service.errors import ConflictError
from service.storage.database import WriteSession, insert_new
from service.tables import Idempotency, Token

KEPT_FOR = timedelta(hours=24)
SWEPT_AT_ONCE = 100


def begin(session: WriteSession, caller: Caller, key: str, request_sha256: str, now: datetime) -> Idempotency | None:
    """Claim the key for this request, or return the row of an earlier one with it.

    A second request with the same key waits here until the first one commits (it inserts the same primary key). So of
    two at the same moment one works and the other gets its answer.

    Raises:
        ConflictError: the key was used before with another request (code "idempotency-key-reused").
    """
    _forget_expired(session, caller, key, now)
    claim = {"token_id": caller.token_id, "key": key, "request_sha256": request_sha256, "expires_at": now + KEPT_FOR}
    if insert_new(session, Idempotency, claim):
        return None
    kept = session.get_one(Idempotency, (caller.token_id, key))
    if kept.request_sha256 != request_sha256:
        raise ConflictError(
            "idempotency-key-reused", "Expected a new Idempotency-Key: this one came with another request."
        )
    return kept


def remember(session: WriteSession, caller: Caller, key: str, status: int, answer: str | None) -> None:
    """Remember the answer that belongs to the key."""
    where = (Idempotency.token_id == caller.token_id, Idempotency.key == key)
    session.execute(update(Idempotency).where(*where).values(status=status, answer=answer))


def forget_answers(session: WriteSession, network_id: UUID, texts: Collection[str]) -> None:
    """Forget the answers to a network's tokens that hold one of these texts; such a request is carried out again."""
    own = select(Token.id).where(Token.network_id == network_id)
    held = or_(false(), *(func.lower(Idempotency.answer).contains(text.lower(), autoescape=True) for text in texts))
    session.execute(update(Idempotency).where(Idempotency.token_id.in_(own), held).values(answer=None))


def _forget_expired(session: WriteSession, caller: Caller, key: str, now: datetime) -> None:
    """Delete this key if it has expired, and others that have expired.

    Keys that somebody else is deleting are left out.
    """
    expired = Idempotency.expires_at <= now
    session.execute(delete(Idempotency).where(expired, Idempotency.token_id == caller.token_id, Idempotency.key == key))
    primary = (Idempotency.token_id, Idempotency.key)
    # Without skipping, every writer would wait for the one that is sweeping, until its commit.
    swept = select(*primary).where(expired).limit(SWEPT_AT_ONCE).with_for_update(skip_locked=True)
    session.execute(delete(Idempotency).where(tuple_(*primary).in_(swept)))
