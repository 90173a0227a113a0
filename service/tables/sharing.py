"""Rows of `sharing`: claims, returns, collections, and links for one other."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_credential_id, new_id


class Claim(Row):
    """A way to claim what a member has earned: a mailed link, or a code on paper; a member has one that is open.

    `account`: no secret was needed, because the account had proved the address. Custody locks the secret of a link,
    because mails are written later; that of a code is nowhere. When a network undoes a claim by a code, its reason is locked
    there. `address_sha256` is that of the address to which the link
    was sent, salted with the id. `sends` counts the mails that somebody asked for. `sign_in_id` is the sign-in that began
    with the claim; `address_added` says that the account got the address by it. The secret of the way back is mailed to
    the address when the claim is used.
    """

    __tablename__ = "claims"
    __table_args__ = (
        one_of("means", "mail", "paper", "account"),
        one_of("state", "open", "used", "replaced", "released"),
        Index(
            "uq_claims_open",
            "member_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(None, "member_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    means: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="open")
    secret_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    locked: Mapped[str | None] = mapped_column(Text)
    address_sha256: Mapped[str | None] = mapped_column(String(64))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    sends: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
    sign_in_id: Mapped[UUID | None] = mapped_column(ForeignKey("sign_ins.id", ondelete="SET NULL"))
    address_added: Mapped[bool] = mapped_column(Boolean, default=False)
    back_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    back_locked: Mapped[str | None] = mapped_column(Text)


class Return(Row):
    """Somebody who lost their mailbox asks for what they earned in a network, with the account of a new address.

    `member_id` is the member whom they mean; it is empty if what they said fits nobody, which nobody is told. `name` and
    `said` are what they said: their name, and the old address or the address of a badge; they are emptied when it ends.
    `old_account_id` is the account that the member's person had when two people had vouched. Custody locks the secrets
    of the link for vouchers and of the link in mails that stops it. The row is deleted some time after `ended_at`.
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


class BadgeToSign(Row):
    """A badge that is to be signed again, because its recipient's name or address is another.

    `with_address`: it is to name the address that the account keeps now.
    """

    __tablename__ = "badges_to_sign"
    __table_args__ = (Index(None, "due_at"), Index(None, "account_id"))

    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    with_address: Mapped[bool] = mapped_column(Boolean, default=False)
    due_at: Mapped[datetime]


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
