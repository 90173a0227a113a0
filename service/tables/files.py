"""Rows of `files`: content-addressed files."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row


class Blob(Row):
    """A content-addressed file of one network: artefact or picture."""

    __tablename__ = "blobs"

    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    content: Mapped[bytes]
    created_at: Mapped[datetime]
