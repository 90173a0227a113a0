"""Rows of `networks`: networks, persons, members, roles and meetings."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class Network(Row):
    """A peer learning network, which is an issuer with a DID and keys of its own."""

    __tablename__ = "networks"
    __table_args__ = (one_of("kind", "formal", "informal"), one_of("state", "draft", "active", "closed"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(200))
    url: Mapped[str]
    description: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None]
    image_sha256: Mapped[str | None] = mapped_column(String(64))
    time_zone: Mapped[str] = mapped_column(String(64))
    late_after_days: Mapped[int] = mapped_column(default=90, server_default="90")
    state: Mapped[str] = mapped_column(String(16), default="active")
    sandbox: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime]


class Person(Row):
    """One human; name and addresses are stored only here and in `identities`."""

    __tablename__ = "persons"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class Identity(Row):
    """A way to recognise a person.

    `proved_at` is empty while only a network claims it.
    """

    __tablename__ = "identities"
    __table_args__ = (
        one_of("kind", "email", "did", "account", "orcid"),
        UniqueConstraint("person_id", "kind", "value"),
        Index(None, "kind", "value"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(Text)
    proved_at: Mapped[datetime | None]


class Member(Row):
    """A person in a network, under the network's own `ref`.

    A member may exist long before anyone signs in.
    """

    __tablename__ = "members"
    __table_args__ = (UniqueConstraint("network_id", "ref"), Index(None, "person_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("persons.id"))
    organization: Mapped[str | None] = mapped_column(String(200))
    enrolled_at: Mapped[datetime]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    known_from: Mapped[datetime | None]


class Role(Row):
    """What a member does in the network, with dates: `[from_at, until_at)`.

    The local dates are those on which it begins and ends in the network's time zone.
    """

    __tablename__ = "roles"
    __table_args__ = (Index(None, "member_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    role: Mapped[str] = mapped_column(String(64))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    from_date: Mapped[date]
    until_date: Mapped[date | None]
    known_from: Mapped[datetime | None]


class Meeting(Row):
    """A meeting of a network: `[starts_at, ends_at)`."""

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("network_id", "ref"), Index(None, "network_id", "series"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    series: Mapped[str | None] = mapped_column(String(200))
    title: Mapped[str | None] = mapped_column(Text)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    mode: Mapped[str | None] = mapped_column(String(32))
    confidential: Mapped[bool] = mapped_column(Boolean, default=False)
    attendance_count: Mapped[int | None]
