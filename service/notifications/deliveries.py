"""Send a network's events to its webhooks, signed and in order, until they arrive.

An event arrives at least once, and can be recognised: it has the same `webhook-id` whenever and wherever it is sent.
A webhook is sent one event at a time, and an event that it does not accept holds the later ones back. A network that
asks for one event again gets it out of order. An event is rendered when it is sent, so that nothing is sent after it
was erased.

1. One process takes a webhook for a while, in one transaction. If that process dies, the next one takes it.
2. It reads what is to be sent in a second transaction, and sends it outside of any.
3. It notes the outcome in a third one, unless another process took the webhook or the cursor moved meanwhile.
"""

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
from service.access.act import Act
from service.errors import CustodyError
from service.notifications import webhooks
from service.notifications.envelopes import body_of, message, signed_headers
from service.runtime.fetching import Answered
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.storage.paging import Window, order, page
from service.tables import Delivery, Event, Network, Webhook
from service.tables.identifiers import new_id

log = logging.getLogger(__name__)

Render = Callable[[ReadSession, Runtime, Network, Event], dict[str, Any]]
"""Returns the data of an event, with the things that it is about as the API shows them now."""

LEASE = timedelta(minutes=2)
"""How long a webhook belongs to the process that took it."""
TURN_SECONDS = 10.0
"""How long one webhook is sent events, plus one request, before others have their turn."""
DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 28_800, 28_800)
)
"""Delays between the attempts; the last one repeats until the webhook is given up."""
JITTER = 0.2
"""The largest part by which a delay is lengthened, so that webhooks that failed together are not retried together."""
MAX_DELAY = timedelta(hours=24)
"""The longest time for which a server may tell us to wait."""
GIVEN_UP_AFTER = timedelta(days=3)
KEPT_FOR = timedelta(days=30)
LOOKED_AT = 200
"""How many events are passed over at once because the webhook does not ask for their type."""
FORGOTTEN_AT_ONCE = 1000
ANSWER_CHARACTERS = 120
"""How much of a refusal's body is kept: too little to repeat personal content if it repeats what it was sent."""
GONE, TOO_MANY, UNAVAILABLE = 410, 429, 503
OUR_OWN = frozenset({"custody-unavailable", "render-failed", "fetch-busy"})
"""Outcomes that are our own failures and say nothing about the webhook."""


@dataclass(frozen=True)
class AttemptOutcome:
    """The outcome of one attempt: "delivered" or a code, and the answer, if any."""

    code: str
    duration_ms: int
    answered: Answered | None = None

    @property
    def delivered(self) -> bool:
        """Whether the other side accepted it."""
        return self.code == "delivered"

    @property
    def answer(self) -> str | None:
        """The beginning of the body of a refusal, on one line."""
        if self.answered is None or self.delivered:
            return None
        text = self.answered.beginning.decode("utf-8", "replace")
        return "".join(sign if sign.isprintable() else " " for sign in text)[:ANSWER_CHARACTERS] or None


def deliver_due(runtime: Runtime, render: Render, go_on: GoOn = to_the_end) -> int:
    """Send what is due, one webhook after the other, and return how much arrived.

    Several threads and processes may do this at the same time.
    """
    count = 0
    ends = time.monotonic() + TURN_SECONDS
    while time.monotonic() < ends and go_on() and (taken := _take(runtime)) is not None:
        count += _serve(runtime, render, go_on, *taken)
    return count


def ping(runtime: Runtime, webhook: Webhook, shown: dict[str, Any]) -> AttemptOutcome:
    """Send a test event to a webhook in any state, and return the outcome.

    Must not be called in a transaction.
    """
    now = runtime.now()
    body = body_of(message("webhook.ping", now, {"webhook": shown}))
    return _send(runtime, webhook, f"ping-{new_id()}", body, now)


def send_sample(runtime: Runtime, webhook: Webhook, sample: dict[str, Any]) -> AttemptOutcome:
    """Send a sample of an event to a webhook in any state, and return the outcome.

    Must not be called in a transaction.
    """
    return _send(runtime, webhook, f"sample-{new_id()}", body_of(sample), runtime.now())


def forget_answers_about(session: WriteSession, member_id: UUID) -> None:
    """Forget what addresses answered to events about a member: it may repeat what was sent."""
    about = select(Event.id).where(Event.about["member"].as_string() == str(member_id))
    told = update(Delivery).where(Delivery.answer.is_not(None), Delivery.event_id.in_(about))
    session.execute(told.values(answer=None))


def list_deliveries(
    session: ReadSession,
    webhook: Webhook,
    *,
    window: Window,
    state: str | None,
    event: UUID | None,
    sort: str | None = None,
) -> tuple[list[tuple[Delivery, Event]], str | None]:
    """Return the deliveries to a webhook with their events, oldest first; with the sort "-at" the newest first."""
    query = select(Delivery).where(Delivery.webhook_id == webhook.id)
    if state is not None:
        query = query.where(Delivery.state == state)
    if event is not None:
        query = query.where(Delivery.event_id == event)
    rows, following = page(session, query, window, order(sort, at=(Delivery.id,)))
    return with_events(session, rows), following


def with_events(session: ReadSession | WriteSession, rows: Sequence[Delivery]) -> list[tuple[Delivery, Event]]:
    """Return the deliveries, each with its event."""
    found = session.scalars(select(Event).where(Event.id.in_([row.event_id for row in rows])))
    by_id = {event.id: event for event in found}
    return [(row, by_id[row.event_id]) for row in rows]


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete deliveries that ended long ago, and return how many; events stay."""
    old = (Delivery.state != "queued", Delivery.attempted_at < runtime.now() - KEPT_FOR)
    count = 0
    while go_on():
        with runtime.database.read() as session:
            found = session.scalars(select(Delivery.id).where(*old).limit(FORGOTTEN_AT_ONCE)).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(Delivery).where(Delivery.id.in_(found), *old))
        count += len(found)
    return count


@dataclass(frozen=True)
class _Job:
    """One event to be sent to one webhook.

    It has no body if the webhook does not ask for its type.
    """

    webhook: Webhook
    event: Event
    again: bool
    body: bytes | None


def _waiting(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a webhook has something that may be sent now."""
    behind = select(Event.id).where(Event.network_id == Webhook.network_id, Event.position > Webhook.position)
    asked = select(Delivery.id).where(Delivery.webhook_id == Webhook.id, *_asked_again(now))
    in_order = and_(Webhook.due_at <= now, behind.exists())
    free = or_(Webhook.taken_until.is_(None), Webhook.taken_until <= now)
    return and_(Webhook.state == "active", free, or_(in_order, asked.exists()))


def _asked_again(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Delivery.state == "queued", Delivery.again.is_(True), Delivery.due_at <= now


def _take(runtime: Runtime) -> tuple[UUID, datetime] | None:
    """Take the webhook that has waited longest (1).

    Return its id, and until when it is ours.
    """
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


def _serve(runtime: Runtime, render: Render, go_on: GoOn, webhook_id: UUID, until: datetime) -> int:
    """Send what is due to a webhook that is ours, and give it back.

    Return how much arrived.
    """
    count = 0
    ends = time.monotonic() + TURN_SECONDS
    while time.monotonic() < ends and go_on():
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
        # A webhook that has had its turn waits behind those that have not.
        later = {"taken_until": None, "due_at": runtime.now()}
        session.execute(update(Webhook).where(*mine, Webhook.due_at <= runtime.now()).values(later))
        session.execute(update(Webhook).where(*mine).values(taken_until=None))
    return count


def _next(session: ReadSession, runtime: Runtime, render: Render, webhook_id: UUID, until: datetime) -> _Job | None:
    """Return what is to be sent next (2).

    Events that were asked for again come first, then the next one in order.
    """
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
    """Return the body for an event; empty if the event cannot be rendered.

    A body that we send is never empty.
    """
    try:
        return body_of(message(event.type, event.at, render(session, runtime, network, event)))
    except Exception:
        log.exception("event %s cannot be rendered", event.id)
        return b""


def _send(runtime: Runtime, webhook: Webhook, message_id: str, body: bytes, now: datetime) -> AttemptOutcome:
    """Sign and send a body, and return the outcome."""
    if not body:
        return AttemptOutcome("render-failed", 0)
    began = time.monotonic()
    answered, code = None, "delivered"
    try:
        headers = signed_headers(webhooks.secrets_of(runtime, webhook, now), message_id, body, now)
        answered = runtime.fetcher.post(webhook.url, body, headers)
        if not 200 <= answered.status < 300:
            code = "refused"
    except (UnavailableError, CustodyError) as error:
        code = error.code
    return AttemptOutcome(code, round((time.monotonic() - began) * 1000), answered)


def _note(session: WriteSession, job: _Job, until: datetime, outcome: AttemptOutcome | None, now: datetime) -> bool:
    """Note the outcome of a job, and return whether the webhook is still ours (3)."""
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


def _give_up(session: WriteSession, webhook: Webhook, outcome: AttemptOutcome, now: datetime) -> None:
    """Disable a webhook that says it is gone, or has accepted nothing for days."""
    act = Act(session, session.get_one(Network, webhook.network_id), None, now)
    if outcome.answered is not None and outcome.answered.status == GONE:
        webhooks.disable(act, webhook, "gone")
    elif webhook.failing_since is not None and now - webhook.failing_since >= GIVEN_UP_AFTER:
        webhooks.disable(act, webhook, "failing")


def _row(session: WriteSession, job: _Job) -> Delivery:
    """Return the delivery of an event to a webhook.

    The attempts of a delivery that had ended, and is made again, are counted from zero.
    """
    where = (Delivery.webhook_id == job.webhook.id, Delivery.event_id == job.event.id)
    row = session.scalar(select(Delivery).where(*where))
    if row is None:
        row = Delivery(id=new_id(), webhook_id=job.webhook.id, event_id=job.event.id, state="queued", attempts=0)
        session.add(row)
    elif row.state != "queued":
        row.attempts = 0
    return row


def _delay(attempts: int, outcome: AttemptOutcome, now: datetime) -> timedelta:
    """Return how long to wait after so many attempts.

    It is at least as long as the server asks for, up to `MAX_DELAY`.
    """
    delay = DELAYS[min(attempts, len(DELAYS)) - 1]
    delay *= 1 + JITTER * secrets.randbelow(1000) / 1000
    if outcome.answered is not None and outcome.answered.status in {TOO_MANY, UNAVAILABLE}:
        delay = max(delay, min(_asked_for(outcome.answered.retry_after, now), MAX_DELAY))
    return delay


def _asked_for(retry_after: str, now: datetime) -> timedelta:
    """Return the wait that a `Retry-After` asks for, in seconds or as a date.

    It is zero if the header is neither.

    Spec: RFC 9110, section 10.2.3.
    """
    if retry_after.isascii() and retry_after.isdigit():
        return timedelta(seconds=min(int(retry_after[:9]), MAX_DELAY.total_seconds()))
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return timedelta(0)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
