"""Rows of `sharing`: collections of badges, and what one other is shown more than everybody."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_credential_id, new_id


class Collection(Row):
    """A page with badges that a person chose, over all networks; nobody can guess its address.

    `title` and `note` are the person's own words. The name on the page is that of the account: it is stored only there.
    """

    __tablename__ = "collections"
    __table_args__ = (one_of("visibility", "public", "unlisted"), Index(None, "account_id"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_credential_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    named: Mapped[bool] = mapped_column(Boolean, default=False)
    visibility: Mapped[str] = mapped_column(String(16), default="unlisted")
    created_at: Mapped[datetime]


class CollectionBadge(Row):
    """A badge in a collection; `position` is its place, from 1."""

    __tablename__ = "collection_badges"
    __table_args__ = (Index(None, "credential_id"),)

    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True)
    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id"), primary_key=True)
    position: Mapped[int]


class ShownLink(Row):
    """A secret link by which a person shows badges to one other, until `expires_at`; who ends it deletes the row.

    For an authority it carries a name and the number of a licence, as the person typed them for this link only. It leads
    to a badge, or to those of a collection.
    """

    __tablename__ = "shown_links"
    __table_args__ = (
        one_of("kind", "authority"),
        Index(None, "account_id"),
        Index(None, "credential_id"),
        Index(None, "collection_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    shown_to: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    licence_number: Mapped[str | None] = mapped_column(Text)
    credential_id: Mapped[str | None] = mapped_column(ForeignKey("credentials.id"))
    collection_id: Mapped[str | None] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Opening(Row):
    """A badge, which its recipient opened to a named employer until `expires_at`, or until they ended it.

    `evidence`: with the evidence that the badge hides.
    """

    __tablename__ = "openings"
    __table_args__ = (Index(None, "account_id"), Index(None, "credential_id"), Index(None, "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id"))
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    shown_to: Mapped[str] = mapped_column(Text)
    evidence: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class OpeningView(Row):
    """Somebody looked at an opened badge; nothing is known of them but for whom it was opened."""

    __tablename__ = "opening_views"
    __table_args__ = (Index(None, "opening_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    opening_id: Mapped[UUID] = mapped_column(ForeignKey("openings.id", ondelete="CASCADE"))
    viewed_at: Mapped[datetime]
