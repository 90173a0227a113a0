"""Deliveries: the network's events, sent to its webhooks in order, signed, until they have arrived.

At least once, and recognisable: an event has the same `webhook-id` whenever and wherever it is sent. To one webhook
one thing is sent at a time, and an event that is not taken keeps the later ones back; who asks for one event once
more gets it beside the order. The event is rendered when it is sent, so that nothing erased is sent afterwards.

1. A webhook is taken for a while, in one transaction, by one process; whoever dies leaves it to the next.
2. What is to be sent is read in a second one, and sent outside of any.
3. What became of it is noted in a third, unless the webhook was taken away or its cursor moved meanwhile.
"""

import base64
import hmac
import json
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from credentials import UnavailableError
from credentials.instants import write_instant
from service.errors import CustodyError
from service.notifications import webhooks
from service.runtime.fetching import Answered
from service.runtime.runtime import Runtime
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.storage.paging import page
from service.tables import Delivery, Event, Network, Webhook
from service.tables.identifiers import new_id

log = logging.getLogger(__name__)

Render = Callable[[ReadSession, Runtime, Network, Event], dict[str, Any]]
"""Gives the data of an event, with what it is about as the API shows it now."""

LEASE = timedelta(minutes=2)
"""For how long a webhook belongs to whoever took it."""
TURN_SECONDS = 10.0
"""So long, and one request more, things are sent to one webhook before others have their turn."""
DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 28_800, 28_800)
)
"""Between the attempts; the last one again and again, until the webhook is given up."""
JITTER = 0.2
"""By up to so much of it a delay is longer, so that those who failed together do not come back together."""
MAX_DELAY = timedelta(hours=24)
"""For so long at most a server may tell us to stay away."""
GIVEN_UP_AFTER = timedelta(days=3)
KEPT_FOR = timedelta(days=30)
LOOKED_AT = 200
"""Events passed over at once because their type is not asked for."""
FORGOTTEN_AT_ONCE = 1000
ANSWER_CHARACTERS = 120
"""Of a refusal's body; short enough that one which repeats what it was sent repeats no personal content."""
GONE, TOO_MANY, UNAVAILABLE = 410, 429, 503
OUR_OWN = frozenset({"custody-unavailable", "render-failed"})
"""Outcomes that say nothing of the webhook."""


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt: "delivered", or a code; with the answer, if there was one."""

    code: str
    duration_ms: int
    answered: Answered | None = None

    @property
    def delivered(self) -> bool:
        """Whether the other side has it."""
        return self.code == "delivered"

    @property
    def answer(self) -> str | None:
        """The beginning of what a refusal said, on one line."""
        if self.answered is None or self.delivered:
            return None
        text = self.answered.beginning.decode("utf-8", "replace")
        return "".join(sign if sign.isprintable() else " " for sign in text)[:ANSWER_CHARACTERS] or None


def deliver_due(runtime: Runtime, render: Render) -> int:
    """Send what is due, one webhook after the other, and return how much arrived. Safe beside others that do the same."""
    count = 0
    ends = time.monotonic() + TURN_SECONDS
    while time.monotonic() < ends and (taken := _take(runtime)) is not None:
        count += _serve(runtime, render, *taken)
    return count


def ping(runtime: Runtime, webhook: Webhook, shown: dict[str, Any]) -> Outcome:
    """Send a test event to a webhook, in whatever state it is, and return what became of it. Never in a transaction."""
    now = runtime.now()
    body = _body("webhook.ping", now, {"webhook": shown})
    return _send(runtime, webhook, f"ping-{new_id()}", body, now)


def list_deliveries(
    session: ReadSession, webhook: Webhook, *, after: str | None, limit: int, state: str | None, event: UUID | None
) -> tuple[list[tuple[Delivery, Event]], str | None]:
    """Return what was, or is being, sent to a webhook, with the events, oldest first."""
    query = select(Delivery).where(Delivery.webhook_id == webhook.id)
    if state is not None:
        query = query.where(Delivery.state == state)
    if event is not None:
        query = query.where(Delivery.event_id == event)
    rows, following = page(session, query, Delivery.id, after, limit)
    return with_events(session, rows), following


def with_events(session: ReadSession | WriteSession, rows: Sequence[Delivery]) -> list[tuple[Delivery, Event]]:
    """Return the deliveries, each with its event."""
    found = session.scalars(select(Event).where(Event.id.in_([row.event_id for row in rows])))
    by_id = {event.id: event for event in found}
    return [(row, by_id[row.event_id]) for row in rows]


def forget_old(runtime: Runtime) -> int:
    """Delete what is known of deliveries that ended long ago, and return how many; events stay."""
    old = (Delivery.state != "queued", Delivery.attempted_at < runtime.now() - KEPT_FOR)
    count = 0
    while True:
        with runtime.database.read() as session:
            found = session.scalars(select(Delivery.id).where(*old).limit(FORGOTTEN_AT_ONCE)).all()
        if not found:
            return count
        with runtime.database.write() as session:
            session.execute(delete(Delivery).where(Delivery.id.in_(found), *old))
        count += len(found)


@dataclass(frozen=True)
class _Job:
    """One event to be sent to one webhook; without a body it is of a type that is not asked for."""

    webhook: Webhook
    event: Event
    again: bool
    body: bytes | None


def _waiting(now: datetime) -> ColumnElement[bool]:
    """Whether a webhook has something that may be sent now."""
    behind = select(Event.id).where(Event.network_id == Webhook.network_id, Event.position > Webhook.position)
    asked = select(Delivery.id).where(Delivery.webhook_id == Webhook.id, *_asked_again(now))
    in_order = and_(Webhook.due_at <= now, behind.exists())
    free = or_(Webhook.taken_until.is_(None), Webhook.taken_until <= now)
    return and_(Webhook.state == "active", free, or_(in_order, asked.exists()))


def _asked_again(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Delivery.state == "queued", Delivery.again.is_(True), Delivery.due_at <= now


def _take(runtime: Runtime) -> tuple[UUID, datetime] | None:
    """Take the webhook that has waited longest, and return it and until when it is ours (1)."""
    now = runtime.now()
    due = select(Webhook).where(_waiting(now)).order_by(Webhook.due_at, Webhook.id).limit(1)
    with runtime.database.read() as session:
        if session.scalar(due) is None:
            return None
    with runtime.database.write() as session:
        row = session.scalar(due.with_for_update(skip_locked=True, of=Webhook))
        if row is None:
            return None
        row.taken_until = now + LEASE
        return row.id, row.taken_until


def _serve(runtime: Runtime, render: Render, webhook_id: UUID, until: datetime) -> int:
    """Send to a webhook that is ours what it is due, give it back, and return how much arrived."""
    count = 0
    ends = time.monotonic() + TURN_SECONDS
    while time.monotonic() < ends:
        with runtime.database.read() as session:
            job = _next(session, runtime, render, webhook_id, until)
        if job is None:
            break
        outcome = None
        if job.body is not None:
            outcome = _send(runtime, job.webhook, str(job.event.id), job.body, runtime.now())
        count += outcome is not None and outcome.delivered
        with runtime.database.write() as session:
            if not _note(session, job, until, outcome, runtime.now()):
                return count
    with runtime.database.write() as session:
        mine = (Webhook.id == webhook_id, Webhook.taken_until == until)
        # Whoever has had a turn waits behind those who have not.
        later = {"taken_until": None, "due_at": runtime.now()}
        session.execute(update(Webhook).where(*mine, Webhook.due_at <= runtime.now()).values(later))
        session.execute(update(Webhook).where(*mine).values(taken_until=None))
    return count


def _next(session: ReadSession, runtime: Runtime, render: Render, webhook_id: UUID, until: datetime) -> _Job | None:
    """Return what is to be sent next: what was asked for once more, then what comes next in order (2)."""
    now = runtime.now()
    webhook = session.get(Webhook, webhook_id)
    if webhook is None or webhook.state != "active" or webhook.taken_until != until or until <= now:
        return None
    network = session.get_one(Network, webhook.network_id)
    asked = select(Event).join(Delivery, Delivery.event_id == Event.id)
    asked = asked.where(Delivery.webhook_id == webhook.id, *_asked_again(now)).order_by(Delivery.due_at, Event.position)
    event = session.scalar(asked.limit(1))
    if event is not None:
        return _Job(webhook, event, True, _rendered(session, runtime, render, network, event))
    if webhook.due_at > now:
        return None
    behind = select(Event).where(Event.network_id == network.id, Event.position > webhook.position)
    for event in session.scalars(behind.order_by(Event.position).limit(LOOKED_AT)):
        if not webhook.types or event.type in webhook.types:
            return _Job(webhook, event, False, _rendered(session, runtime, render, network, event))
    return _Job(webhook, event, False, None) if event is not None else None


def _rendered(session: ReadSession, runtime: Runtime, render: Render, network: Network, event: Event) -> bytes:
    """Return the body for an event; empty where it cannot be rendered, which is no body of ours."""
    try:
        return _body(event.type, event.at, render(session, runtime, network, event))
    except Exception:
        log.exception("event %s cannot be rendered", event.id)
        return b""


def _body(kind: str, at: datetime, data: dict[str, Any]) -> bytes:
    """Return the body. Spec: Standard Webhooks, section "Payload structure"."""
    body = {"type": kind, "timestamp": write_instant(at), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _send(runtime: Runtime, webhook: Webhook, message_id: str, body: bytes, now: datetime) -> Outcome:
    """Send a signed body and return what became of it."""
    if not body:
        return Outcome("render-failed", 0)
    began = time.monotonic()
    answered, code = None, "delivered"
    try:
        headers = signed_headers(webhooks.secrets_of(runtime, webhook, now), message_id, body, now)
        answered = runtime.fetcher.post(webhook.url, body, headers)
        if not 200 <= answered.status < 300:
            code = "refused"
    except (UnavailableError, CustodyError) as error:
        code = error.code
    return Outcome(code, round((time.monotonic() - began) * 1000), answered)


def signed_headers(keys: Sequence[bytes], message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers under which a body is sent: one signature for each secret.

    Spec: Standard Webhooks, section "Webhook headers": `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.
    """
    timestamp = str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _note(session: WriteSession, job: _Job, until: datetime, outcome: Outcome | None, now: datetime) -> bool:
    """Note what became of a job, and return whether the webhook is still ours (3)."""
    webhook = locks.one_or_none(session, Webhook, Webhook.id == job.webhook.id)
    if webhook is None or webhook.taken_until != until:
        return False
    in_place = not job.again and webhook.position == job.webhook.position
    if outcome is None:
        if in_place:
            webhook.position = job.event.position or webhook.position
        return True
    row = _row(session, job)
    row.attempts += 1
    row.attempted_at, row.outcome, row.duration_ms = now, outcome.code, outcome.duration_ms
    row.status, row.answer = outcome.answered.status if outcome.answered else None, outcome.answer
    if outcome.delivered:
        row.state, row.again, row.due_at = "delivered", False, None
        if in_place:
            webhook.position = job.event.position or webhook.position
            webhook.attempts, webhook.failing_since = 0, None
        return True
    row.state = "queued"
    row.due_at = now + _delay(row.attempts if job.again else webhook.attempts + 1, outcome, now)
    if job.again and row.attempts > len(DELAYS):
        row.state, row.again, row.due_at = "failed", False, None
    if in_place and row.due_at is not None:
        webhook.attempts, webhook.due_at = webhook.attempts + 1, row.due_at
        if outcome.code not in OUR_OWN:
            webhook.failing_since = webhook.failing_since or now
    if webhook.state == "active":
        _give_up(session, webhook, outcome, now)
    return True


def _give_up(session: WriteSession, webhook: Webhook, outcome: Outcome, now: datetime) -> None:
    """Disable a webhook that says it is gone, or that has taken nothing for long."""
    network = session.get_one(Network, webhook.network_id)
    if outcome.answered is not None and outcome.answered.status == GONE:
        webhooks.disable(session, network, webhook, "gone", now)
    elif webhook.failing_since is not None and now - webhook.failing_since >= GIVEN_UP_AFTER:
        webhooks.disable(session, network, webhook, "failing", now)


def _row(session: WriteSession, job: _Job) -> Delivery:
    """Return the delivery of an event to a webhook; one that had arrived and is sent once more begins anew."""
    where = (Delivery.webhook_id == job.webhook.id, Delivery.event_id == job.event.id)
    row = session.scalar(select(Delivery).where(*where))
    if row is None:
        row = Delivery(id=new_id(), webhook_id=job.webhook.id, event_id=job.event.id, state="queued", attempts=0)
        session.add(row)
    elif row.state != "queued":
        row.attempts = 0
    return row


def _delay(attempts: int, outcome: Outcome, now: datetime) -> timedelta:
    """Return how long to wait after so many attempts: at least as long as the server asks for."""
    delay = DELAYS[min(attempts, len(DELAYS)) - 1]
    delay *= 1 + JITTER * secrets.randbelow(1000) / 1000
    if outcome.answered is not None and outcome.answered.status in {TOO_MANY, UNAVAILABLE}:
        delay = max(delay, min(_asked_for(outcome.answered.retry_after, now), MAX_DELAY))
    return delay


def _asked_for(retry_after: str, now: datetime) -> timedelta:
    """Return what a `Retry-After` asks for, in seconds or as a date; nothing where it is neither.

    Spec: RFC 9110, section 10.2.3.
    """
    if retry_after.isascii() and retry_after.isdigit():
        return timedelta(seconds=min(int(retry_after[:9]), MAX_DELAY.total_seconds()))
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return timedelta(0)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
