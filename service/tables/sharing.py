"""Rows of `sharing`: people who return after they lost their mailbox, and badges that must be signed anew."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class Return(Row):
    """Somebody who lost their mailbox asks for what they earned in a network, with the account of a new address.

    `member_id` is the member whom they mean; it is empty if what they said fits nobody, which nobody is told. `name` and
    `said` are what they said: their name, and the old address or the address of a badge; they are emptied when it ends. `old_account_id` is the account
    that the member's person had when two people had vouched. Custody locks the secrets of
    the link for vouchers and of the link in mails that stops it. The row is deleted some time after `ended_at`.
    """

    __tablename__ = "returns"
    __table_args__ = (
        one_of("state", "open", "waiting", "done", "stopped", "refused", "over"),
        Index(None, "account_id"),
        Index(None, "member_id"),
        Index(None, "old_account_id"),
        Index(None, "state", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    old_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(Text)
    said: Mapped[str] = mapped_column(Text)
    vouch_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    stop_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    locked: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), default="open")
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ReturnAddress(Row):
    """An address that is told what becomes of a return; it is deleted with the return."""

    __tablename__ = "return_addresses"
    __table_args__ = (UniqueConstraint("return_id", "value"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    return_id: Mapped[UUID] = mapped_column(ForeignKey("returns.id", ondelete="CASCADE"))
    value: Mapped[str] = mapped_column(Text)
    is_new: Mapped[bool] = mapped_column(Boolean, default=False)


class Vouching(Row):
    """Somebody said, as a member of the network, that they know who returns."""

    __tablename__ = "vouchings"
    __table_args__ = (UniqueConstraint("return_id", "account_id"), Index(None, "account_id", "at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    return_id: Mapped[UUID] = mapped_column(ForeignKey("returns.id", ondelete="CASCADE"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime]
