"""Rows of `vc_api`: its keys, lists and entries."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class VcApiKey(Row):
    """The one key of a kind with which the VC API signs.

    It belongs to no network; its name is its own `did:key`.
    """

    __tablename__ = "vc_api_keys"
    __table_args__ = (one_of("algorithm", "Ed25519", "P-256", "P-384"),)

    algorithm: Mapped[str] = mapped_column(String(16), primary_key=True)
    multikey: Mapped[str]
    custody_uri: Mapped[str]
    created_at: Mapped[datetime]


class VcApiStatusList(Row):
    """A published Bitstring Status List of the VC API.

    Its bits are rebuilt from `vc_api_status_entries`.
    """

    __tablename__ = "vc_api_status_lists"
    __table_args__ = (one_of("purpose", "revocation", "suspension"), Index(None, "algorithm", "purpose"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    algorithm: Mapped[str] = mapped_column(ForeignKey("vc_api_keys.algorithm"))
    purpose: Mapped[str] = mapped_column(String(16))
    length: Mapped[int]
    signed: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]


class VcApiStatusEntry(Row):
    """A place in such a list that was given to a credential.

    The digest of the credential's id identifies it; the credential is not stored. `set_at` is when it was revoked or
    suspended; empty if neither.
    """

    __tablename__ = "vc_api_status_entries"
    __table_args__ = (
        UniqueConstraint("status_list_id", "status_index"),
        Index(None, "credential_sha256"),
        Index("ix_vc_api_status_entries_set", "status_list_id", "set_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    status_list_id: Mapped[UUID] = mapped_column(ForeignKey("vc_api_status_lists.id"))
    status_index: Mapped[int]
    credential_sha256: Mapped[str | None] = mapped_column(String(64))
    issued_at: Mapped[datetime]
    set_at: Mapped[datetime | None]
