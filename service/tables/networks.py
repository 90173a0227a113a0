"""Rows of `networks`: networks, persons, members, roles, meetings, guidelines and objectives."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import NOT_REPLAYED, Row, one_of
from service.tables.identifiers import new_id


class Network(Row):
    """A peer learning network, which is an issuer with a DID and keys of its own.

    Its history is `[history_from, history_until)`, and may be loaded from its declaration until `history_open_until`;
    these are set once. While `confirmed_at` is set, the operator vouches for it under each of `confirmed_names`.
    `activated_at` is when a formal one showed that it has what it needs.
    """

    __tablename__ = "networks"
    __table_args__ = (
        one_of("kind", "formal", "informal"),
        one_of("state", "draft", "active", "closed"),
        one_of("same_address", "same-person", "ask"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(200))
    url: Mapped[str]
    description: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None]
    image_sha256: Mapped[str | None] = mapped_column(String(64))
    time_zone: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(16), default="en", server_default="en")
    late_after_days: Mapped[int] = mapped_column(default=90, server_default="90")
    state: Mapped[str] = mapped_column(String(16), default="active")
    sandbox: Mapped[bool] = mapped_column(Boolean, default=False)
    same_address: Mapped[str] = mapped_column(String(16), default="same-person", server_default="same-person")
    created_at: Mapped[datetime]
    history_from: Mapped[datetime | None]
    history_until: Mapped[datetime | None]
    history_declared_at: Mapped[datetime | None]
    history_open_until: Mapped[datetime | None]
    history_reason: Mapped[str | None] = mapped_column(Text)
    confirmed_at: Mapped[datetime | None]
    confirmed_names: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    activated_at: Mapped[datetime | None]


class Listing(Row):
    """How people find a network and ask to join, by the network's own choice.

    While `removed_at` is set, the operator keeps it out of the public list.
    """

    __tablename__ = "listings"
    __table_args__ = (one_of("joining", "closed", "email", "website", "form"),)

    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    listed: Mapped[bool] = mapped_column(Boolean)
    joining: Mapped[str] = mapped_column(String(16))
    interests: Mapped[list[str]] = mapped_column(default=list)
    languages: Mapped[list[str]] = mapped_column(default=list)
    changed_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_for: Mapped[str | None] = mapped_column(Text)


class ListingLabel(Row):
    """Something by which a listed network is found: an interest, a language, or a word of its name.

    `label` is written so that capitals and accents make no difference; `shown` is what people read.
    """

    __tablename__ = "listing_labels"
    __table_args__ = (one_of("kind", "interest", "language", "word"), Index(None, "kind", "label"))

    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    label: Mapped[str] = mapped_column(String(200), primary_key=True)
    shown: Mapped[str] = mapped_column(String(200))


class Person(Row):
    """One human in one network, whose addresses are in `identities`; the names that networks gave are those of the members.

    `account_id` is the account with which they claimed what they earned there.
    """

    __tablename__ = "persons"
    __table_args__ = (Index(None, "account_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    claimed_at: Mapped[datetime | None]


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

    A member may exist long before anyone signs in. `name` is the one that was given under this ref, also if the person
    is other members too. `person_state` is "asked" while somebody must say whether the member is the person of another
    one with the same address, and "apart" once somebody said that they are two. What is known of an erased member is
    gone; `erasure` says how much that was.
    """

    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("network_id", "ref"),
        Index(None, "person_id"),
        one_of("person_state", "asked", "apart"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("persons.id"))
    organization: Mapped[str | None] = mapped_column(String(200))
    enrolled_at: Mapped[datetime]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    known_from: Mapped[datetime | None]
    name: Mapped[str | None] = mapped_column(Text, info=NOT_REPLAYED)
    person_state: Mapped[str | None] = mapped_column(String(16), info=NOT_REPLAYED)
    erased_at: Mapped[datetime | None] = mapped_column(info=NOT_REPLAYED)
    erasure: Mapped[dict[str, Any] | None] = mapped_column(info=NOT_REPLAYED)


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
    """A meeting of a network: `[starts_at, ends_at)`.

    `badges_behind`: it became confidential, and badges that were signed before may still tell of it.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("network_id", "ref"),
        Index(None, "network_id", "series"),
        Index(None, "network_id", "starts_at"),
    )

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
    badges_behind: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


class GuidelineVersion(Row):
    """One version of the guidelines of a network; the one that is not published is the draft, and there is one at most.

    The newest that is published is in force. `sections` are Markdown by the key of the section; `conflict_days` says how
    many days the steps of a disagreement may take: `answer` and `mediation`. `change_note` is what it says of its changes.
    """

    __tablename__ = "guideline_versions"
    __table_args__ = (UniqueConstraint("network_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    number: Mapped[int]
    language: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(200))
    preamble: Mapped[str | None] = mapped_column(Text)
    sections: Mapped[dict[str, Any]]
    conflict_days: Mapped[dict[str, Any]]
    change_note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class GuidelineSettings(Row):
    """What a network chose about its guidelines; one that chose nothing has no row.

    `acceptance` says what follows if a member has not accepted the version in force: a reminder only, or that evidence
    about them is held, `grace_days` after they were asked; since `holds_since` it is held.
    """

    __tablename__ = "guideline_settings"
    __table_args__ = (
        one_of("acceptance", "remind", "hold"),
        one_of("confidential_details", "kept", "not-stored"),
    )

    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    acceptance: Mapped[str] = mapped_column(String(16), default="remind", server_default="remind")
    grace_days: Mapped[int] = mapped_column(default=14, server_default="14")
    holds_since: Mapped[datetime | None]
    confidential_details: Mapped[str] = mapped_column(String(16), default="kept", server_default="kept")
    changed_at: Mapped[datetime]


class Objective(Row):
    """What a network works toward, under its own `ref`, which is the objective's code; its text is in its versions.

    `version` is the newest. While it is retired, nothing new names it.
    """

    __tablename__ = "objectives"
    __table_args__ = (UniqueConstraint("network_id", "ref"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    version: Mapped[int]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class ObjectiveVersion(Row):
    """One version of an objective, which never changes; `content` has its text, its measure and its alignments.

    `changes` says what is other than in the version before.
    """

    __tablename__ = "objective_versions"
    __table_args__ = (UniqueConstraint("objective_id", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    objective_id: Mapped[UUID] = mapped_column(ForeignKey("objectives.id"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]]
    changes: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]


class SessionObjective(Row):
    """That a session is about an objective."""

    __tablename__ = "session_objectives"
    __table_args__ = (Index(None, "objective_id"),)

    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    objective_id: Mapped[UUID] = mapped_column(ForeignKey("objectives.id"), primary_key=True)
