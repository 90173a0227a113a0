"""Rows of `signing`: keys of networks and of the service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class Key(Row):
    """A key pair of a network.

    It holds the public half, and where custody finds the private half. `kid` is the RFC 7638 thumbprint. Retired keys
    stay published, with their dates.

    `compromised_at` is since when somebody else may have had it, `declared_at` when that was said, and `cleared_at`
    when nothing was left that only this key had signed.
    """

    __tablename__ = "keys"
    __table_args__ = (one_of("algorithm", "Ed25519", "P-256", "RSA"), Index(None, "network_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    kid: Mapped[str] = mapped_column(String(64), unique=True)
    algorithm: Mapped[str] = mapped_column(String(16))
    public_jwk: Mapped[dict[str, Any]]
    custody_uri: Mapped[str]
    valid_from: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    compromised_at: Mapped[datetime | None]
    declared_at: Mapped[datetime | None]
    cleared_at: Mapped[datetime | None]


class ServiceKey(Row):
    """A key pair of the service itself, which belongs to no network; as `Key`.

    At most one of each kind is in use.
    """

    __tablename__ = "service_keys"
    __table_args__ = (
        one_of("algorithm", "Ed25519"),
        Index(
            "uq_service_keys_in_use",
            "algorithm",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kid: Mapped[str] = mapped_column(String(64), unique=True)
    algorithm: Mapped[str] = mapped_column(String(16))
    public_jwk: Mapped[dict[str, Any]]
    custody_uri: Mapped[str]
    valid_from: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    compromised_at: Mapped[datetime | None]
    declared_at: Mapped[datetime | None]
