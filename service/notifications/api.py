"""Webhooks and what was sent to them over HTTP."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access import callers
from service.access.callers import Caller
from service.bodies import Instant, Uid
from service.notifications import deliveries, webhooks
from service.notifications.deliveries import Outcome
from service.notifications.webhooks import ReplayIn, SecretIn, WebhookChange, WebhookIn
from service.tables import Delivery, Event, Webhook
from service.web.exactly_once import exactly_once
from service.web.requests import (
    After,
    Answer,
    Limit,
    Needs,
    Now,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    WriteNetwork,
    Writer,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["webhooks"])
ROOT = "/v1/networks/{slug}/webhooks"


def _both(
    who: Annotated[Caller, Depends(Needs("webhooks:write"))], _reads: Annotated[Caller, Depends(Needs("read"))]
) -> Caller:
    """Let the caller pass that may have events sent, and may read what stands in them."""
    return who


Sender = Annotated[Caller, Depends(_both)]


def _checked(body: WebhookIn, runtime: Running, _who: Sender) -> WebhookIn:
    """Return the body if its address may be sent to; looked up before the transaction begins."""
    webhooks.check_target(runtime, body.url)
    return body


def _checked_change(body: WebhookChange, runtime: Running, _who: Sender) -> WebhookChange:
    """Return the body if the address in it, if there is one, may be sent to."""
    if "url" in body.model_fields_set:
        webhooks.check_target(runtime, body.url)
    return body


class WebhookOut(Answer):
    """A webhook as it is kept; its secret is never shown again."""

    id: UUID
    url: str
    types: list[str] | None = Field(None, description="left out: all")
    description: str | None = None
    state: Literal["active", "disabled"]
    disabled_for: Literal["asked", "gone", "failing"] | None = Field(
        None, description="asked: by the network; gone: it answered 410; failing: it has taken nothing for three days"
    )
    disabled_at: Instant | None = None
    position: int = Field(description="of the last event that it has had")
    attempts: int = Field(description="failed in a row, at the next event")
    failing_since: Instant | None = None
    due_at: Instant = Field(description="when it may be sent the next event")
    earlier_secret_until: Instant | None = Field(None, description="so long the old secret signs beside the new one")
    created_at: Instant

    @classmethod
    def of(cls, row: Webhook) -> Self:
        """Return the answer for one row."""
        return cls(
            id=row.id,
            url=row.url,
            types=row.types or None,
            description=row.description,
            state=row.state,
            disabled_for=row.disabled_for,
            disabled_at=row.disabled_at,
            position=row.position,
            attempts=row.attempts,
            failing_since=row.failing_since,
            due_at=row.due_at,
            earlier_secret_until=row.earlier_until,
            created_at=row.created_at,
        )


class WebhookMade(WebhookOut):
    """A webhook with its secret, which is shown this once."""

    secret: str = Field(
        description="signs what is sent, as Standard Webhooks says", examples=["whsec_C2FVsBQIhrscChl…"]
    )


class AttemptOut(Answer):
    """What became of an attempt to send something."""

    outcome: str | None = Field(
        None,
        description="delivered; refused (see `status`); address-refused, fetch-timeout, fetch-failed; "
        "custody-unavailable, render-failed: our own failure",
    )
    status: int | None = Field(None, description="the HTTP status of the answer")
    answer: str | None = Field(None, description="the beginning of what a refusal said")
    duration_ms: int | None = None


class PingOut(AttemptOut):
    """What became of a test event."""

    delivered: bool

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """Return the answer for one outcome."""
        return cls(
            delivered=outcome.delivered,
            outcome=outcome.code,
            status=outcome.answered.status if outcome.answered else None,
            answer=outcome.answer,
            duration_ms=outcome.duration_ms,
        )


class DeliveryOut(AttemptOut):
    """What became of one event at one webhook; `outcome` and what follows it are those of the last attempt."""

    event: UUID = Field(description="id of the event, the `webhook-id` under which it is sent")
    position: int
    type: str
    state: Literal["queued", "delivered", "failed"]
    attempts: int
    attempted_at: Instant | None = None
    due_at: Instant | None = Field(None, description="of the next attempt")

    @classmethod
    def of(cls, row: Delivery, event: Event) -> Self:
        """Return the answer for one row."""
        assert event.position is not None  # only committed events are sent
        return cls(
            event=event.id,
            position=event.position,
            type=event.type,
            state=row.state,
            attempts=row.attempts,
            attempted_at=row.attempted_at,
            due_at=row.due_at,
            outcome=row.outcome,
            status=row.status,
            answer=row.answer,
            duration_ms=row.duration_ms,
        )


@router.post(ROOT, status_code=201, response_model=WebhookMade)
@exactly_once(shown_once="secret")
def post_webhook(
    body: Annotated[WebhookIn, Depends(_checked)],
    network: WriteNetwork,
    session: Writer,
    runtime: Running,
    at: Now,
    _who: Sender,
) -> Response:
    """Have the network's events sent to an address, in their order, each until it was taken with a 2xx answer.

    What is sent is a POST of `{type, timestamp, data}`, signed as [Standard Webhooks](https://www.standardwebhooks.com)
    says; `data` has the event's `id`, `position` and `about`, and what these name (award, credential, record,
    member ...) as this API shows it at that moment. The same event always has the same `webhook-id`: one that comes
    twice is known by it. An event that is not taken is sent again after 5 s, 30 s, 2 min ... 8 h, or later where
    `Retry-After` asks for it, and keeps those behind it waiting. An address that answers 410, or takes nothing for
    three days, is disabled: an event and, if the network has an e-mail address, a message say so.

    The secret is in this answer and nowhere else. A retry with the same `Idempotency-Key` answers without it.
    The token needs the scope `read` too, because what is sent can be read there.
    """
    row, secret = webhooks.create(session, runtime, network, body, at)
    return reply(201, WebhookMade(**WebhookOut.of(row).model_dump(), secret=secret))


@router.get(ROOT)
def list_webhooks(
    network: ReadNetwork,
    session: Reader,
    _who: Sender,
    state: Literal["active", "disabled"] | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[WebhookOut]:
    """List the network's webhooks, in the order in which they were added."""
    rows, cursor = webhooks.list_webhooks(session, network, after=after, limit=limit, state=state)
    return Page(items=[WebhookOut.of(row) for row in rows], next=cursor)


@router.get(ROOT + "/{webhook_id}")
def get_webhook(webhook_id: Uid, network: ReadNetwork, session: Reader, _who: Sender) -> WebhookOut:
    """Return one webhook."""
    return WebhookOut.of(webhooks.find(session, network, webhook_id))


@router.patch(ROOT + "/{webhook_id}", response_model=WebhookOut)
@exactly_once()
def patch_webhook(
    webhook_id: Uid,
    body: Annotated[WebhookChange, Depends(_checked_change)],
    network: WriteNetwork,
    session: Writer,
    at: Now,
    _who: Sender,
) -> Response:
    """Change a webhook, disable it, or make it active again: it then gets what it has missed."""
    return reply(200, WebhookOut.of(webhooks.change(session, network, webhook_id, body, at)))


@router.delete(ROOT + "/{webhook_id}", status_code=204, response_class=Response)
@exactly_once()
def delete_webhook(slug: str, webhook_id: Uid, session: Writer, at: Now, who: Sender) -> Response:
    """Delete a webhook, at once and for good, with what is known of its deliveries; also of a closed network."""
    webhooks.remove(session, callers.network_of(session, who, slug), webhook_id, at)
    return Response(status_code=204)


@router.post(ROOT + "/{webhook_id}/secret", status_code=201, response_model=WebhookMade)
@exactly_once(shown_once="secret")
def post_secret(
    webhook_id: Uid,
    body: SecretIn,
    network: WriteNetwork,
    session: Writer,
    runtime: Running,
    at: Now,
    _who: Sender,
) -> Response:
    """Give a webhook a new secret, shown in this answer and nowhere else.

    For a while, a day unless the body says otherwise, what is sent carries two signatures: by the new secret and by
    the one before it.
    """
    row, secret = webhooks.rotate_secret(session, runtime, network, webhook_id, body, at)
    return reply(201, WebhookMade(**WebhookOut.of(row).model_dump(), secret=secret))


@router.post(ROOT + "/{webhook_id}/ping", response_model=PingOut)
def post_ping(slug: str, webhook_id: Uid, runtime: Running, who: Sender) -> Response:
    """Send a test event of type `webhook.ping` at once, also to a disabled webhook, and say what became of it.

    It stands in no list, is sent once, and nothing waits for it.
    """
    with runtime.database.read() as session:
        row = webhooks.find(session, callers.network_of(session, who, slug), webhook_id)
        shown = WebhookOut.of(row).model_dump(mode="json", exclude_none=True)
    return reply(200, PingOut.of(deliveries.ping(runtime, row, shown)))


@router.post(ROOT + "/{webhook_id}/replay", response_model=WebhookOut)
@exactly_once()
def post_replay(
    webhook_id: Uid, body: ReplayIn, network: WriteNetwork, session: Writer, at: Now, _who: Sender
) -> Response:
    """Have every event behind a position sent once more, in order, under the same ids; or skip to a later one."""
    return reply(200, WebhookOut.of(webhooks.replay(session, network, webhook_id, body, at)))


@router.get(ROOT + "/{webhook_id}/deliveries")
def list_deliveries(
    webhook_id: Uid,
    network: ReadNetwork,
    session: Reader,
    _who: Sender,
    state: Literal["queued", "delivered", "failed"] | None = None,
    event: Annotated[Uid | None, Query(description="id of an event")] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[DeliveryOut]:
    """List what was, or is being, sent to a webhook, oldest first; what has ended is listed for 30 days."""
    webhook = webhooks.find(session, network, webhook_id)
    found, cursor = deliveries.list_deliveries(session, webhook, after=after, limit=limit, state=state, event=event)
    return Page(items=[DeliveryOut.of(row, about) for row, about in found], next=cursor)


@router.post(ROOT + "/{webhook_id}/deliveries/{event_id}/redelivery", status_code=202, response_model=DeliveryOut)
@exactly_once()
def post_redelivery(
    webhook_id: Uid, event_id: Uid, network: WriteNetwork, session: Writer, at: Now, _who: Sender
) -> Response:
    """Have one event sent once more, beside the order, also one that the webhook does not ask for by its type."""
    row = webhooks.redeliver(session, network, webhook_id, event_id, at)
    [(row, event)] = deliveries.with_events(session, [row])
    return reply(202, DeliveryOut.of(row, event))
