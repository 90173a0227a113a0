"""Rows of `accounts`: people who sign in.

With them are their addresses, passkeys, identities elsewhere, and browsers.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class Account(Row):
    """A person who signs in, over all networks of the service.

    `name` is the one that they want on their badges; a network never sees it unless they put it on a badge.
    `mails_off` are the kinds of messages that they do not want. `badges_behind` is set while their name or the address that
    is kept is another, and it is not listed yet which badges must be signed again for that (`badges_to_sign`).
    """

    __tablename__ = "accounts"
    __table_args__ = (
        one_of("badges_behind", "name", "address"),
        Index("ix_accounts_badges_behind", "badges_behind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime]
    name: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(16))
    mails_off: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    badges_behind: Mapped[str | None] = mapped_column(String(16))


class AccountAddress(Row):
    """An e-mail address that somebody proved to be theirs; it belongs to one account.

    Mails go to the one that is `kept`: each account has one.
    """

    __tablename__ = "account_addresses"
    __table_args__ = (
        Index(
            "uq_account_addresses_kept",
            "account_id",
            unique=True,
            sqlite_where=text("kept"),
            postgresql_where=text("kept"),
        ),
        Index(None, "account_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    value: Mapped[str] = mapped_column(Text, unique=True)
    proved_at: Mapped[datetime]
    kept: Mapped[bool] = mapped_column(Boolean, default=False)


class SignInRequest(Row):
    """A mail with a link and a code was asked for: to sign in, or to prove a further address.

    It belongs to the browser that asked, which has a secret in a cookie. Custody locks the secrets of the mail, because
    it is written later. `account_id` is the account to which the address is to be added. The row is deleted some time
    after `expires_at`.
    """

    __tablename__ = "sign_in_requests"
    __table_args__ = (
        one_of("purpose", "sign-in", "add-address"),
        Index(None, "address", "asked_at"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(Text)
    browser_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    link_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    locked: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(16))
    onward: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]


class SignIn(Row):
    """A browser in which somebody is signed in, known by the secret in its cookie.

    `means` says how they signed in. It ends at `expires_at`, or with the row.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (
        one_of("means", "link", "code", "passkey", "openid", "claim", "return"),
        Index(None, "account_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    means: Mapped[str] = mapped_column(String(16))
    browser: Mapped[str] = mapped_column(String(100))
    began_at: Mapped[datetime]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SignInChallenge(Row):
    """A task that one browser has to fulfil soon, and once: to use a passkey, or to come back from an OpenID provider.

    The browser has a secret in a cookie, from which the challenge itself is derived; its SHA-256 is stored. `account_id`
    is the account to which a passkey is to be added. The row is deleted when it is taken up.
    """

    __tablename__ = "sign_in_challenges"
    __table_args__ = (one_of("purpose", "passkey", "add-passkey", "openid"), Index(None, "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[str] = mapped_column(String(16))
    browser_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    onward: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime]


class Passkey(Row):
    """A key on somebody's device, or in their password manager, with which they sign in.

    `credential_id` and `handle` are base64url: the id that the device gave the key, and the name without meaning under
    which it knows the account. `public_key` is a COSE key. `sign_count` is what the device counted when it was used last;
    0 if it does not count.
    """

    __tablename__ = "passkeys"
    __table_args__ = (Index(None, "account_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    credential_id: Mapped[str] = mapped_column(Text, unique=True)
    handle: Mapped[str] = mapped_column(String(86))
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    name: Mapped[str] = mapped_column(String(100))
    added_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OpenidIdentity(Row):
    """Somebody as the operator's OpenID provider knows them: `sub` is their name there, and never another's."""

    __tablename__ = "openid_identities"
    __table_args__ = (UniqueConstraint("issuer", "sub"), Index(None, "account_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    issuer: Mapped[str] = mapped_column(Text)
    sub: Mapped[str] = mapped_column(Text)
    linked_at: Mapped[datetime]
    used_at: Mapped[datetime]
