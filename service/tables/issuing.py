"""Rows of `issuing`: receipts, credentials, endorsements and status lists."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_credential_id, new_id


class Receipt(Row):
    """Why an award was made.

    It holds the public form as the exact text that is served, and what that form hides.
    """

    __tablename__ = "receipts"
    __table_args__ = (Index(None, "award_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    award_id: Mapped[UUID] = mapped_column(ForeignKey("awards.id"))
    full: Mapped[dict[str, Any]]
    public: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    as_of: Mapped[datetime]
    position: Mapped[int]
    decided_at: Mapped[datetime]


class StatusList(Row):
    """A published Bitstring Status List.

    Its bits are always rebuilt from `credentials`, never stored beside them.
    """

    __tablename__ = "status_lists"
    __table_args__ = (one_of("purpose", "revocation", "suspension"), Index(None, "network_id", "purpose"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    purpose: Mapped[str] = mapped_column(String(16))
    length: Mapped[int]
    signed: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]


class Credential(Row):
    """A signed credential: its text as given out, and what happened to it since.

    `superseded_by` is the credential that replaces it now: the same award with corrected data, or its renewal.

    `revoked_by` is the token that revoked it; empty if the evidence on which it rested was voided, or if its recipient
    declined it, which `declined_at` says. `name_shown` is how it names its recipient, as they chose: the name itself is
    in no row. `erased_at` is set once its recipient had everything about it erased: only its status is told then.
    """

    __tablename__ = "credentials"
    __table_args__ = (
        one_of("visibility", "public", "unlisted", "private"),
        one_of("name_shown", "none", "hashed", "plain"),
        UniqueConstraint("status_list_id", "status_index"),
        Index(None, "award_id"),
        Index(None, "network_id", "issued_at"),
        Index("ix_credentials_revoked", "status_list_id", "revoked_at"),
        Index(None, "valid_until"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_credential_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    award_id: Mapped[UUID] = mapped_column(ForeignKey("awards.id"))
    visibility: Mapped[str] = mapped_column(String(16), default="unlisted")
    status_list_id: Mapped[UUID] = mapped_column(ForeignKey("status_lists.id"))
    status_index: Mapped[int]
    issued_at: Mapped[datetime]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    signed: Mapped[str] = mapped_column(Text)
    jwt: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    revoked_at: Mapped[datetime | None]
    revocation_reason: Mapped[str | None] = mapped_column(Text)
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    suspended_at: Mapped[datetime | None]
    suspension_reason: Mapped[str | None] = mapped_column(Text)
    suspended_by: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    reinstated_at: Mapped[datetime | None]
    superseded_by: Mapped[str | None] = mapped_column(ForeignKey("credentials.id"))
    name_shown: Mapped[str] = mapped_column(String(16), default="none", server_default="none")
    declined_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class SignedCopy(Row):
    """A text of a credential that was signed here, without the text itself; the newest is in `credentials`.

    `sha256` is the digest of what is said: of the canonical JSON of the document without proof. JSON and JWT, pictures
    and other writings of the same members have the same one. `proof_value` is the signature of the JSON text, and
    `kid` and `jwt_kid` are the keys that signed the two.
    """

    __tablename__ = "signed_copies"
    __table_args__ = (Index(None, "credential_id"), Index(None, "kid"), Index(None, "jwt_kid"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id"))
    signed_at: Mapped[datetime]
    kid: Mapped[str] = mapped_column(ForeignKey("keys.kid"))
    jwt_kid: Mapped[str] = mapped_column(ForeignKey("keys.kid"))
    sha256: Mapped[str] = mapped_column(String(64))
    proof_value: Mapped[str]


class HiddenEvidence(Row):
    """An item of evidence that the recipient of a credential does not show.

    `item` is what follows `#` in its id, or the whole id if it is not within the credential. `place` counts from 0 among
    all items as they were first signed, and `content` is the item, so that it can be shown again as it was.
    """

    __tablename__ = "hidden_evidence"

    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id"), primary_key=True)
    item: Mapped[str] = mapped_column(String(500), primary_key=True)
    place: Mapped[int]
    content: Mapped[dict[str, Any]]


class Endorsement(Row):
    """A member recognises a skill of somebody's badge.

    `skill` is the place of the alignment in the badge's achievement, from 1; 0 is the achievement itself. `named`: the
    peer is named. `consented_at` is when the peer gave it, or agreed to be named; it is empty if the network posted it for
    them. `account_id` is the account with which they did so, if with one. `choice` is the recipient's: waiting, hidden, on the page, or in the badge too. The name is in no row, and
    `comment` is emptied when it is withdrawn. It has a place in a status list from the day when it was first shown.
    """

    __tablename__ = "endorsements"
    __table_args__ = (
        one_of("choice", "waiting", "hidden", "page", "badge"),
        UniqueConstraint("status_list_id", "status_index"),
        Index(
            "uq_endorsements_standing",
            "credential_id",
            "member_id",
            "skill",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index(None, "credential_id"),
        Index(None, "member_id", "given_at"),
        Index(None, "account_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_credential_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    skill: Mapped[int]
    comment: Mapped[str] = mapped_column(Text, default="")
    named: Mapped[bool] = mapped_column(Boolean, default=False)
    consented_at: Mapped[datetime | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    given_at: Mapped[datetime]
    choice: Mapped[str] = mapped_column(String(16), default="waiting")
    status_list_id: Mapped[UUID | None] = mapped_column(ForeignKey("status_lists.id"))
    status_index: Mapped[int | None]
    withdrawn_at: Mapped[datetime | None]


class EndorsementText(Row):
    """An endorsement that was signed here, known by what it says: alone, or those of a badge together in the badge.

    `sha256` is as in `signed_copies`.
    """

    __tablename__ = "endorsement_texts"
    __table_args__ = (Index(None, "credential_id"),)

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id"))
