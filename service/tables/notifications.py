"""Rows of `notifications`: webhooks and deliveries."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class Webhook(Row):
    """An address to which the network's events are sent, in order.

    `position` is that of the last event that it has received; an empty list of `types` means all of them. `due_at` is
    when the next one may be sent, `taken_until` how long it belongs to the process that is sending. Custody locks the
    secrets.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        one_of("state", "active", "disabled"),
        one_of("disabled_for", "asked", "gone", "failing"),
        UniqueConstraint("network_id", "url"),
        Index(None, "state", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    url: Mapped[str] = mapped_column(String(2000))
    description: Mapped[str | None] = mapped_column(Text)
    types: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(16), default="active")
    disabled_for: Mapped[str | None] = mapped_column(String(16))
    disabled_at: Mapped[datetime | None]
    secret: Mapped[str] = mapped_column(Text)
    earlier_secret: Mapped[str | None] = mapped_column(Text)
    earlier_until: Mapped[datetime | None]
    position: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    due_at: Mapped[datetime]
    taken_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Delivery(Row):
    """What happened to one event at one webhook; stored for a while.

    `again`: somebody asked to have it sent once more, outside the order. `answer` is the beginning of a refusal's text.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("state", "queued", "delivered", "failed"),
        UniqueConstraint("webhook_id", "event_id"),
        Index(None, "webhook_id", "state", "due_at"),
        Index(None, "attempted_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id"))
    state: Mapped[str] = mapped_column(String(16))
    again: Mapped[bool] = mapped_column(Boolean, default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    attempted_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(String(120))
    duration_ms: Mapped[int | None]
