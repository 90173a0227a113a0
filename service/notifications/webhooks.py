"""Webhooks: the addresses to which a network has its events sent.

A webhook has a cursor in the network's outbox and is sent the events after it (`service.notifications.deliveries`). So
it misses nothing while it does not answer, and moving the cursor back sends everything again.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session as OrmSession

from credentials import UnavailableError
from service.access.act import Act
from service.bodies import Body, Prose, WebUrl
from service.errors import ConflictError, InvalidError, NotFoundError
from service.outbox import events, mailbox
from service.outbox.event_types import KnownType
from service.runtime.runtime import Runtime
from service.signing import keyring
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.storage.paging import Window, page
from service.tables import Delivery, Event, Network, Webhook
from service.tables.identifiers import new_id

MAX_WEBHOOKS = 20
SECRET_BYTES = 32
DAY_SECONDS = 86_400
PREFIX = "whsec_"


Types = Annotated[
    list[KnownType] | None,
    Field(min_length=1, max_length=100, description="only events of these types; null: all", examples=[["award.made"]]),
]
Url = Annotated[
    WebUrl, Field(description="https, at a public address", examples=["https://river.example.org/hooks/laurel"])
]


class WebhookIn(Body):
    """An address to which events are to be sent."""

    url: Url
    types: Types = None
    description: Prose | None = None
    after: int | None = Field(
        None, ge=0, le=2**63 - 1, description="position of the event after which to begin; left out: new events only"
    )


class WebhookChange(Body):
    """What may change about a webhook; a member that is left out stays."""

    url: Url = Field(default_factory=str)
    types: Types = None
    description: Prose | None = None
    state: Literal["active", "disabled"] = Field(
        "active", description="active: it is sent the events that it has missed, and new ones"
    )


class SecretIn(Body):
    """How to change the secret."""

    overlap_seconds: int = Field(
        DAY_SECONDS,
        ge=0,
        le=7 * DAY_SECONDS,
        description="how long the old secret signs beside the new one, in seconds",
    )


class ReplayIn(Body):
    """The position from which to send events again."""

    after: int = Field(ge=0, le=2**63 - 1, description="position of the event after which to begin")


def check_target(runtime: Runtime, url: str) -> None:
    """Refuse an address to which we may not send.

    It looks the host name up: must not be called in a transaction.

    Raises:
        InvalidError: not https, or not at a public address, or the host name is unknown (codes "address-refused",
            "address-unknown").
        UnavailableError: it could not be looked up now (codes "fetch-busy", "fetch-timeout").
    """
    try:
        runtime.fetcher.check(url)
    except UnavailableError as error:
        if error.code in {"fetch-busy", "fetch-timeout"}:
            raise
        if error.code == "address-refused":
            raise InvalidError("address-refused", str(error), "/url") from error
        raise InvalidError("address-unknown", str(error), "/url") from error


def create(act: Act, runtime: Runtime, body: WebhookIn) -> tuple[Webhook, str]:
    """Add a webhook and return it with its secret, which is shown only here.

    Raises:
        ConflictError: the address has a webhook already (code "webhook-exists"), or there are too many.
        InvalidError: `after` is later than the last event (code "position-unknown").
        CustodyError: the secret cannot be locked; nothing has changed.
    """
    locks.network(act.session, act.network.id)
    _check_free(act.session, act.network, body.url)
    count = act.session.scalar(select(func.count()).where(Webhook.network_id == act.network.id)) or 0
    if count >= MAX_WEBHOOKS:
        raise ConflictError("webhooks-too-many", f"Expected at most {MAX_WEBHOOKS} webhooks; delete one first.")
    position = (
        events.last_position(act.session, act.network)
        if body.after is None
        else _known(act.session, act.network, body.after)
    )
    row = Webhook(
        id=new_id(),
        network_id=act.network.id,
        url=body.url,
        types=sorted(set(body.types or [])),
        description=body.description,
        position=position,
        due_at=act.now,
        created_at=act.now,
    )
    row.secret, text = _new_secret(act, runtime, row)
    act.session.add(row)
    act.session.flush()
    _tell(act, "webhook.created", row)
    return row, text


def find(session: OrmSession, network: Network, webhook_id: UUID) -> Webhook:
    """Return a webhook of the network.

    Raises:
        NotFoundError: it has none with this id (code "webhook-unknown").
    """
    return _there(session.scalar(select(Webhook).where(Webhook.network_id == network.id, Webhook.id == webhook_id)))


def held(act: Act, webhook_id: UUID) -> Webhook:
    """Return a webhook of the network, and let nobody else change it until the commit.

    Raises:
        NotFoundError: it has none with this id (code "webhook-unknown").
    """
    return _locked(act.session, act.network, webhook_id)


def list_webhooks(
    session: ReadSession, network: Network, *, window: Window, state: str | None
) -> tuple[Sequence[Webhook], str | None]:
    """Return the network's webhooks in the order in which they were added."""
    query = select(Webhook).where(Webhook.network_id == network.id)
    if state is not None:
        query = query.where(Webhook.state == state)
    return page(session, query, window, Webhook.id)


def change(act: Act, webhook_id: UUID, body: WebhookChange) -> Webhook:
    """Change a webhook; one that is made active goes on at once where it stopped.

    Raises:
        NotFoundError: the network has none with this id.
        ConflictError: another webhook has the address (code "webhook-exists").
    """
    row = _locked(act.session, act.network, webhook_id)
    said = body.model_fields_set
    if "url" in said and body.url != row.url:
        _check_free(act.session, act.network, body.url)
        row.url = body.url
    if "types" in said:
        row.types = sorted(set(body.types or []))
    if "description" in said:
        row.description = body.description
    if "state" in said and body.state != row.state:
        if body.state == "disabled":
            disable(act, row, "asked")
            return row
        row.state, row.disabled_for, row.disabled_at = "active", None, None
        row.attempts, row.failing_since, row.due_at = 0, None, act.now
    if act.session.is_modified(row):
        _tell(act, "webhook.changed", row)
    return row


def disable(act: Act, row: Webhook, reason: Literal["asked", "gone", "failing"]) -> None:
    """Send nothing more to a webhook, which the caller has locked.

    A mail tells the network, unless the network itself asked for this.
    """
    row.state, row.disabled_for, row.disabled_at = "disabled", reason, act.now
    _tell(act, "webhook.disabled", row)
    if reason != "asked" and act.network.email is not None:
        mailbox.queue_disabled(act, row.id)


def remove(act: Act, webhook_id: UUID) -> None:
    """Delete a webhook and its deliveries.

    Raises:
        NotFoundError: the network has none with this id.
    """
    row = _locked(act.session, act.network, webhook_id)
    mailbox.forget_webhook(act.session, row.id)
    act.session.execute(delete(Delivery).where(Delivery.webhook_id == row.id))
    act.session.delete(row)
    act.session.flush()
    _tell(act, "webhook.deleted", row)


def rotate_secret(act: Act, runtime: Runtime, webhook_id: UUID, body: SecretIn) -> tuple[Webhook, str]:
    """Give a webhook a new secret; return the row and the secret.

    The old secret signs beside the new one for a while.

    Raises:
        NotFoundError: the network has none with this id.
        CustodyError: the secret cannot be locked; nothing has changed.
    """
    row = _locked(act.session, act.network, webhook_id)
    row.earlier_secret, row.earlier_until = row.secret, act.now + timedelta(seconds=body.overlap_seconds)
    row.secret, text = _new_secret(act, runtime, row)
    _tell(act, "webhook.changed", row)
    return row, text


def replay(act: Act, webhook_id: UUID, body: ReplayIn) -> Webhook:
    """Have every event after a position sent again, in order and with the same ids.

    Raises:
        NotFoundError: the network has none with this id.
        ConflictError: it is disabled (code "webhook-disabled").
        InvalidError: no event has that position yet (code "position-unknown").
    """
    row = still_active(_locked(act.session, act.network, webhook_id))
    row.position = _known(act.session, act.network, body.after)
    row.attempts, row.failing_since, row.due_at = 0, None, act.now
    return row


def redeliver(act: Act, webhook_id: UUID, event_id: UUID) -> Delivery:
    """Have one event sent again, out of order, and return its delivery.

    Raises:
        NotFoundError: the network has no such webhook, or no such event (code "event-unknown").
        ConflictError: the webhook is disabled (code "webhook-disabled").
    """
    row = still_active(_locked(act.session, act.network, webhook_id))
    event = act.session.scalar(select(Event).where(Event.network_id == act.network.id, Event.id == event_id))
    if event is None:
        raise NotFoundError("event-unknown", "No event of this network has this id.")
    found = act.session.scalar(select(Delivery).where(Delivery.webhook_id == row.id, Delivery.event_id == event.id))
    if found is None:
        found = Delivery(id=new_id(), webhook_id=row.id, event_id=event.id)
        act.session.add(found)
    found.state, found.again, found.attempts, found.due_at = "queued", True, 0, act.now
    act.session.flush()
    return found


def secrets_of(runtime: Runtime, row: Webhook, now: datetime) -> list[bytes]:
    """Return the secrets that sign now, the newest first.

    Raises:
        CustodyError: one cannot be unlocked.
    """
    locked = [row.secret]
    if row.earlier_secret is not None and row.earlier_until is not None and now < row.earlier_until:
        locked.append(row.earlier_secret)
    return [runtime.custody.unlock(each, _name(row)) for each in locked]


def still_active(row: Webhook) -> Webhook:
    """Return the webhook if it is active.

    Raises:
        ConflictError: it is disabled (code "webhook-disabled").
    """
    if row.state != "active":
        raise ConflictError("webhook-disabled", "Expected an active webhook; make this one active first.")
    return row


def _locked(session: WriteSession, network: Network, webhook_id: UUID) -> Webhook:
    return _there(locks.one_or_none(session, Webhook, Webhook.network_id == network.id, Webhook.id == webhook_id))


def _there(row: Webhook | None) -> Webhook:
    if row is None:
        raise NotFoundError("webhook-unknown", "No webhook of this network has this id.")
    return row


def _check_free(session: WriteSession, network: Network, url: str) -> None:
    same: tuple[ColumnElement[bool], ...] = (Webhook.network_id == network.id, Webhook.url == url)
    found = session.scalar(select(Webhook.id).where(*same))
    if found is not None:
        message = "Expected an address that no webhook of this network has."
        raise ConflictError("webhook-exists", message, "/url", {"id": str(found)})


def _known(session: WriteSession, network: Network, position: int) -> int:
    last = events.last_position(session, network)
    if position > last:
        raise InvalidError("position-unknown", f"Expected a position up to that of the last event, {last}.", "/after")
    return position


def _new_secret(act: Act, runtime: Runtime, row: Webhook) -> tuple[str, str]:
    """Return a new secret, locked and as text.

    Spec: Standard Webhooks, section "Symmetric signatures".
    """
    keyring.check_custody(act.session, runtime)
    secret = secrets.token_bytes(SECRET_BYTES)
    return runtime.custody.lock(secret, _name(row)), PREFIX + base64.b64encode(secret).decode()


def _name(row: Webhook) -> str:
    """Return the name under which a webhook's secrets are locked.

    They can be unlocked under no other name.
    """
    return f"webhook {row.id}"


def _tell(act: Act, kind: str, row: Webhook) -> None:
    events.append(act, kind, {"webhook": str(row.id)})
