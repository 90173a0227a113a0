"""Rows of `access`: tokens, and the short ones that they are exchanged for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row
from service.tables.identifiers import new_id


class Token(Row):
    """A bearer token; only its SHA-256 is stored.

    A token without a network administers the service.
    """

    __tablename__ = "tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID | None] = mapped_column(ForeignKey("networks.id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class AccessToken(Row):
    """A short-lived token that acts as the token it was given for, with these scopes; only its SHA-256 is stored."""

    __tablename__ = "access_tokens"
    __table_args__ = (Index(None, "token_id", "expires_at"), Index(None, "expires_at"))

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_id: Mapped[UUID] = mapped_column(ForeignKey("tokens.id"))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
