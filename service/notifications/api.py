"""Webhooks and their deliveries over HTTP."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access import callers
from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.bodies import Instant, Uid
from service.notifications import deliveries, webhooks
from service.notifications.deliveries import AttemptOutcome
from service.notifications.webhooks import ReplayIn, SecretIn, WebhookChange, WebhookIn
from service.outbox.event_types import EventType
from service.tables import Delivery, Event, Webhook
from service.web.conditional import TAGGED, Given, merge_patch, tagged
from service.web.exactly_once import exactly_once
from service.web.openapi import also
from service.web.requests import (
    Answer,
    Needs,
    Now,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    Windowed,
    Writer,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["webhooks"])
ROOT = "/v1/networks/{slug}/webhooks"


def _both(
    who: Annotated[Caller, Depends(Needs("webhooks:write"))], _reads: Annotated[Caller, Depends(Needs("read"))]
) -> Caller:
    """Require the scope to have events sent, and the scope to read what is in them."""
    return who


Sender = Annotated[Caller, Depends(_both)]
SendersAct = Annotated[CallersAct, acting(_both)]


def _checked(body: WebhookIn, runtime: Running, _who: Sender) -> WebhookIn:
    """Return the body if we may send to its address.

    The address is looked up before the transaction begins.
    """
    webhooks.check_target(runtime, body.url)
    return body


def _checked_change(body: WebhookChange, runtime: Running, _who: Sender) -> WebhookChange:
    """Return the body if it has no address, or one to which we may send."""
    if "url" in body.model_fields_set:
        webhooks.check_target(runtime, body.url)
    return body


class WebhookOut(Answer):
    """A webhook as it is stored, without its secret."""

    MOVING = frozenset({"position", "attempts", "failing_since", "due_at"})

    id: UUID
    url: str
    types: list[EventType] | None = Field(None, description="left out: all")
    description: str | None = None
    state: Literal["active", "disabled"]
    disabled_for: Literal["asked", "gone", "failing"] | None = Field(
        None, description="asked: by the network; gone: it answered 410; failing: it accepted nothing for three days"
    )
    disabled_at: Instant | None = None
    position: int = Field(description="position of the last event that was sent to it, or skipped")
    attempts: int = Field(description="how many attempts to send the next event have failed in a row")
    failing_since: Instant | None = None
    due_at: Instant = Field(description="the earliest time at which the next event is sent")
    earlier_secret_until: Instant | None = Field(None, description="until then the old secret signs beside the new one")
    created_at: Instant

    @classmethod
    def of(cls, row: Webhook) -> Self:
        """Return the answer for one row."""
        return cls(
            id=row.id,
            url=row.url,
            types=[EventType(each) for each in row.types] or None,
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
    """A webhook with its secret, which is shown only here."""

    secret: str | None = Field(
        None,
        description="the secret that signs what is sent, as Standard Webhooks says; left out in the answer to a retry",
        examples=["whsec_C2FVsBQIhrscChl…"],
    )


class AttemptOut(Answer):
    """The outcome of an attempt to send something."""

    outcome: str | None = Field(
        None,
        description="delivered; refused (see `status`); address-refused, fetch-timeout, fetch-failed; "
        "custody-unavailable, render-failed, fetch-busy: our own failure",
    )
    status: int | None = Field(None, description="the HTTP status of the answer")
    answer: str | None = Field(None, description="the beginning of the body of a refusal")
    duration_ms: int | None = None


class PingOut(AttemptOut):
    """The outcome of a test event."""

    delivered: bool

    @classmethod
    def of(cls, outcome: AttemptOutcome) -> Self:
        """Return the answer for one outcome."""
        return cls(
            delivered=outcome.delivered,
            outcome=outcome.code,
            status=outcome.answered.status if outcome.answered else None,
            answer=outcome.answer,
            duration_ms=outcome.duration_ms,
        )


class DeliveryOut(AttemptOut):
    """The delivery of one event to one webhook.

    `outcome` and the members after it are those of the last attempt.
    """

    event: UUID = Field(description="id of the event, which is also the `webhook-id` header of the request")
    position: int
    type: EventType
    state: Literal["queued", "delivered", "failed"]
    attempts: int
    attempted_at: Instant | None = None
    due_at: Instant | None = Field(None, description="time of the next attempt")

    @classmethod
    def of(cls, row: Delivery, event: Event) -> Self:
        """Return the answer for one row."""
        assert event.position is not None  # only committed events are sent
        return cls(
            event=event.id,
            position=event.position,
            type=EventType(event.type),
            state=row.state,
            attempts=row.attempts,
            attempted_at=row.attempted_at,
            due_at=row.due_at,
            outcome=row.outcome,
            status=row.status,
            answer=row.answer,
            duration_ms=row.duration_ms,
        )


@router.post(ROOT, status_code=201, response_model=WebhookMade, responses=also(502))
@exactly_once(shown_once="secret")
def create_webhook(body: Annotated[WebhookIn, Depends(_checked)], act: SendersAct, runtime: Running) -> Response:
    """Add a webhook: the network's events are sent to its address, in order.

    Each event is sent until the address accepts it with a 2xx answer. A request is a POST of
    `{type, timestamp, data}`, signed as [Standard Webhooks](https://www.standardwebhooks.com) says. `data` has the
    event's `id`, `position` and `about`, and the things that `about` names (award, credential, record, member ...) as
    this API shows them at that moment. The same event always has the same `webhook-id`, so that you can recognise one
    that arrives twice. An event that is not accepted is sent again after 5 s, 30 s, 2 min ... 8 h, or later if
    `Retry-After` asks for that, and the events behind it wait. If an address answers 410, or accepts nothing for three
    days, the webhook is disabled: an event says so, and also a mail if the network has an e-mail address. A service on
    localhost sends to `http://localhost:PORT/...`, too; any other only to public https addresses.

    The secret is in this answer and nowhere else. A retry with the same `Idempotency-Key` answers without it.
    The token needs the scope `read` too, because the requests contain what that scope lets a token read.
    """
    row, secret = webhooks.create(act, runtime, body)
    return reply(201, WebhookMade(**WebhookOut.of(row).model_dump(), secret=secret))


@router.get(ROOT)
def list_webhooks(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _who: Sender,
    state: Literal["active", "disabled"] | None = None,
) -> Page[WebhookOut]:
    """List the network's webhooks, in the order in which they were added."""
    rows, cursor = webhooks.list_webhooks(session, network, window=window, state=state)
    return Page(items=[WebhookOut.of(row) for row in rows], next=cursor)


@router.get(ROOT + "/{webhook_id}", response_model=WebhookOut, responses=TAGGED)
def get_webhook(webhook_id: Uid, network: ReadNetwork, session: Reader, _who: Sender) -> Response:
    """Return one webhook.

    Its `ETag` is that of what can be edited: `position`, `attempts`, `failing_since` and `due_at` change with each
    delivery, and do not change it.
    """
    return tagged(200, WebhookOut.of(webhooks.find(session, network, webhook_id)))


@router.patch(
    ROOT + "/{webhook_id}",
    response_model=WebhookOut,
    responses=TAGGED | also(502),
    openapi_extra=merge_patch("WebhookChange"),
)
@exactly_once()
def update_webhook(
    webhook_id: Uid, body: Annotated[WebhookChange, Depends(_checked_change)], act: SendersAct, given: Given
) -> Response:
    """Change a webhook, disable it, or make it active again.

    A webhook that becomes active again is sent the events that it has missed.
    """
    given.hold(lambda: WebhookOut.of(webhooks.held(act, webhook_id)))
    return tagged(200, WebhookOut.of(webhooks.change(act, webhook_id, body)))


@router.delete(ROOT + "/{webhook_id}", status_code=204, response_class=Response)
@exactly_once()
def delete_webhook(slug: str, webhook_id: Uid, session: Writer, at: Now, who: Sender, given: Given) -> Response:
    """Delete a webhook and the list of its deliveries, at once and for good.

    This works for a closed network too.
    """
    act = Act(session, callers.network_of(session, who, slug), who, at)
    given.hold(lambda: WebhookOut.of(webhooks.held(act, webhook_id)))
    webhooks.remove(act, webhook_id)
    return Response(status_code=204)


@router.post(ROOT + "/{webhook_id}/secret", status_code=201, response_model=WebhookMade)
@exactly_once(shown_once="secret")
def rotate_webhook_secret(webhook_id: Uid, body: SecretIn, act: SendersAct, runtime: Running) -> Response:
    """Give a webhook a new secret, shown in this answer and nowhere else.

    For a day, unless the body says otherwise, each request has two signatures: one by the new secret, and one by
    the secret before it.
    """
    row, secret = webhooks.rotate_secret(act, runtime, webhook_id, body)
    return reply(201, WebhookMade(**WebhookOut.of(row).model_dump(), secret=secret))


@router.post(ROOT + "/{webhook_id}/ping", response_model=PingOut)
def ping_webhook(slug: str, webhook_id: Uid, runtime: Running, who: Sender) -> Response:
    """Send a test event of type `webhook.ping` at once, and return the outcome.

    A disabled webhook gets it too. It is sent once, no list shows it, and no other event waits for it.
    """
    with runtime.database.read() as session:
        row = webhooks.find(session, callers.network_of(session, who, slug), webhook_id)
        shown = WebhookOut.of(row).model_dump(mode="json", exclude_none=True)
    return reply(200, PingOut.of(deliveries.ping(runtime, row, shown)))


@router.post(ROOT + "/{webhook_id}/replay", response_model=WebhookOut)
@exactly_once()
def replay_webhook(webhook_id: Uid, body: ReplayIn, act: SendersAct) -> Response:
    """Send every event after a position again, in order and with the same ids.

    A position later than the webhook's own skips the events between.
    """
    return reply(200, WebhookOut.of(webhooks.replay(act, webhook_id, body)))


@router.get(ROOT + "/{webhook_id}/deliveries")
def list_deliveries(
    webhook_id: Uid,
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _who: Sender,
    state: Literal["queued", "delivered", "failed"] | None = None,
    event: Annotated[Uid | None, Query(description="id of an event")] = None,
    sort: Literal["at", "-at"] = "at",
) -> Page[DeliveryOut]:
    """List the deliveries to a webhook, oldest or newest first.

    A delivery that has ended is listed for 30 days.
    """
    webhook = webhooks.find(session, network, webhook_id)
    found, cursor = deliveries.list_deliveries(session, webhook, window=window, state=state, event=event, sort=sort)
    return Page(items=[DeliveryOut.of(row, about) for row, about in found], next=cursor)


@router.post(ROOT + "/{webhook_id}/deliveries/{event_id}/redelivery", status_code=202, response_model=DeliveryOut)
@exactly_once()
def redeliver_event(webhook_id: Uid, event_id: Uid, act: SendersAct) -> Response:
    """Send one event again, out of order.

    The event may be of a type that the webhook does not ask for.
    """
    row = webhooks.redeliver(act, webhook_id, event_id)
    [(row, event)] = deliveries.with_events(act.session, [row])
    return reply(202, DeliveryOut.of(row, event))
