"""Rows of `outbox`: events and messages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id

OF_BADGES = ("awarded", "replaced", "revoked", "suspended", "reinstated", "expiring")
"""The kinds of messages that tell recipients about their badges."""
OF_CLAIMS = ("claim", "claimed")
"""The kinds of messages about claims."""


class Event(Row):
    """Something that happened, in order: a line of the outbox.

    It is rendered when it is delivered, so it holds no personal content.
    """

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("network_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    position: Mapped[int | None]
    type: Mapped[str] = mapped_column(String(64))
    about: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Message(Row):
    """A message to a person, rendered when it is sent.

    `kind` is what it tells. `awarded` to `expiring` are about a credential and go to its recipient, `webhook` goes to
    the network, and `case` and `key` are about a step of a case or a compromised key and go to the member `member_id`.
    A `question` asks whether a badge is theirs, and is deleted with its confirmation. `sign-in` and `notice` are of the
    service, not of a network: the first goes to the address of a request to sign in, the second tells an address of an
    account what happened to the account; `notice` names it. Both are deleted with what they are about. `claim` and
    `claimed` are about a claim: the first sends its link again, the second tells the address that it was used or, with the
    `notice` "undone", tells an address of the account that the network undid it. A `return` tells an address what becomes
    of a return. `guidelines` asks the member `member_id` to accept a new version of the guidelines. A `call` tells who
    applied to a call what was decided or answered (`notice`), and is deleted with the application.
    """

    __tablename__ = "messages"
    __table_args__ = (
        one_of(
            "kind",
            *OF_BADGES,
            "webhook",
            "case",
            "question",
            "key",
            "sign-in",
            "notice",
            *OF_CLAIMS,
            "return",
            "guidelines",
            "call",
        ),
        one_of("state", "queued", "sent", "failed"),
        Index(None, "state", "due_at"),
        Index(None, "key_id"),
        Index(None, "credential_id"),
        Index(None, "member_id", "kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID | None] = mapped_column(ForeignKey("networks.id"))
    kind: Mapped[str] = mapped_column(String(16), server_default="awarded")
    credential_id: Mapped[str | None] = mapped_column(ForeignKey("credentials.id"))
    webhook_id: Mapped[UUID | None] = mapped_column(ForeignKey("webhooks.id"))
    case_step_id: Mapped[UUID | None] = mapped_column(ForeignKey("case_steps.id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    confirmation_id: Mapped[UUID | None] = mapped_column(ForeignKey("confirmations.id", ondelete="CASCADE"))
    key_id: Mapped[UUID | None] = mapped_column(ForeignKey("keys.id"))
    sign_in_request_id: Mapped[UUID | None] = mapped_column(ForeignKey("sign_in_requests.id", ondelete="CASCADE"))
    account_address_id: Mapped[UUID | None] = mapped_column(ForeignKey("account_addresses.id", ondelete="CASCADE"))
    return_address_id: Mapped[UUID | None] = mapped_column(ForeignKey("return_addresses.id", ondelete="CASCADE"))
    call_application_id: Mapped[UUID | None] = mapped_column(ForeignKey("call_applications.id", ondelete="CASCADE"))
    notice: Mapped[str | None] = mapped_column(String(32))
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id", ondelete="CASCADE"))
    guideline_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("guideline_versions.id"))
    state: Mapped[str] = mapped_column(String(16), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
