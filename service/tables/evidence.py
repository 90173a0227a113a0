"""Rows of `evidence`: records as received, what derives from them, rubrics."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import NOT_REPLAYED, ActedBy, Row, one_of
from service.tables.identifiers import new_id


class Record(ActedBy, Row):
    """Everything that was received, as it was received: append-only, the truth.

    `position` is empty only between the insert and the commit (`service.storage.database.commit`). `accepted_at` is
    when a record that was held or quarantined began to count; it is empty if the record counted at once. `held_for` is
    the ref of the member for whom a held record waits, and `held_code` why. `body_digest` is SHA-256 over the salted canonical body; the salt is deleted when the body is erased.

    `voids` is the record that no longer counts because of this one: a record of kind `void` takes it back, one of its
    own kind corrects it. A correction names in `first_id` the record that was the first to say it; the names of that
    one (`ref` and `source`) stand for every correction of it.
    """

    __tablename__ = "records"
    __table_args__ = (
        one_of("kind", "contribution", "evaluation", "void"),
        one_of("status", "held", "accepted", "quarantined"),
        one_of("held_code", "member-unknown", "guidelines-not-accepted"),
        UniqueConstraint("network_id", "position"),
        UniqueConstraint("network_id", "kind", "source_system", "source_id"),
        UniqueConstraint("network_id", "kind", "ref"),
        Index(None, "network_id", "held_for"),
        Index(None, "network_id", "received_at"),
        Index("ix_records_voids", "voids", unique=True),
        Index(None, "first_id"),
        Index(None, "network_id", "kind", "occurred_at", "id"),
        Index(
            "ix_records_waiting",
            "network_id",
            sqlite_where=text("status <> 'accepted'"),
            postgresql_where=text("status <> 'accepted'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    position: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(16))
    ref: Mapped[str | None] = mapped_column(String(200))
    source_system: Mapped[str | None] = mapped_column(String(200))
    source_id: Mapped[str | None] = mapped_column(String(400))
    received_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    occurred_at: Mapped[datetime | None]
    body_digest: Mapped[str] = mapped_column(String(64))
    salt: Mapped[str | None] = mapped_column(String(32))
    tier: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    held_for: Mapped[str | None] = mapped_column(String(200))
    held_code: Mapped[str | None] = mapped_column(String(32))
    voids: Mapped[UUID | None] = mapped_column(ForeignKey("records.id"))
    first_id: Mapped[UUID | None] = mapped_column(ForeignKey("records.id"))


class Flag(Row):
    """The reason why a record deserves a second look.

    It was found when the record was received, or given later. `other_id` is the record that makes it odd; the members
    are those whom the two records concern. While a flag that sets aside is open, the record is quarantined.
    """

    __tablename__ = "flags"
    __table_args__ = (
        one_of("kind", "late", "repeated", "overlap", "shared-artifact", "reciprocal", "ring", "token", "contribution"),
        one_of("state", "open", "released", "voided"),
        Index(None, "network_id", "kind"),
        Index(None, "record_id"),
        Index(None, "other_id"),
        Index(None, "member_id"),
        Index(None, "other_member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    kind: Mapped[str] = mapped_column(String(32))
    record_id: Mapped[UUID] = mapped_column(ForeignKey("records.id"))
    other_id: Mapped[UUID | None] = mapped_column(ForeignKey("records.id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    other_member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    sets_aside: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[str] = mapped_column(String(16), default="open")
    at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))


class RecordBody(Row):
    """The body of a record, stored separately so that it can be erased.

    `reason` is why a record was corrected; the body of a void holds its own.
    """

    __tablename__ = "record_bodies"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("records.id"), primary_key=True)
    body: Mapped[dict[str, Any]]
    reason: Mapped[str | None] = mapped_column(Text)


class Contribution(Row):
    """What a member did, derived from a record that is accepted and not voided.

    It can be rebuilt.
    """

    __tablename__ = "contributions"
    __table_args__ = (
        Index(None, "network_id", "member_id", "type", "occurred_at"),
        Index(None, "member_id", "occurred_at"),
        Index(None, "session_id"),
        Index(None, "resource"),
    )

    record_id: Mapped[UUID] = mapped_column(ForeignKey("records.id"), primary_key=True)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    type: Mapped[str] = mapped_column(String(64))
    occurred_at: Mapped[datetime]
    local_date: Mapped[date]
    local_week: Mapped[str] = mapped_column(String(8))
    minutes: Mapped[int | None]
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("sessions.id"))
    peer_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    resource: Mapped[str | None] = mapped_column(String(400))
    license: Mapped[str | None] = mapped_column(String(400), info=NOT_REPLAYED)
    tier: Mapped[int]


class ContributionTag(Row):
    """One tag of a contribution, in a row of its own so that rules can query it."""

    __tablename__ = "contribution_tags"
    __table_args__ = (Index(None, "tag"),)

    record_id: Mapped[UUID] = mapped_column(ForeignKey("contributions.record_id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(100), primary_key=True)


class ContributionArtifact(Row):
    """The digest of one piece of work of a contribution.

    By it the work is found again under another name.
    """

    __tablename__ = "contribution_artifacts"
    __table_args__ = (Index(None, "network_id", "sha256"),)

    record_id: Mapped[UUID] = mapped_column(ForeignKey("contributions.record_id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))


class Evaluation(Row):
    """What somebody judged, derived from a record that is accepted and not voided.

    It can be rebuilt. `about_kind` and `about_id` name the judged member, contribution (its record), session or
    network; `member_id` is the member whom it concerns, empty for sessions and networks.
    """

    __tablename__ = "evaluations"
    __table_args__ = (
        one_of("kind", "rubric", "score", "survey", "endorsement", "reflection"),
        one_of("about_kind", "member", "contribution", "session", "network", "achievement"),
        one_of("occasion", "pre", "post", "pulse"),
        Index(None, "network_id", "member_id", "kind", "instrument"),
        Index(
            "ix_evaluations_endorsed_by",
            "evaluator_id",
            sqlite_where=text("kind = 'endorsement'"),
            postgresql_where=text("kind = 'endorsement'"),
        ),
        Index(None, "about_id"),
        Index(None, "evaluator_id", "member_id"),
    )

    record_id: Mapped[UUID] = mapped_column(ForeignKey("records.id"), primary_key=True)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    kind: Mapped[str] = mapped_column(String(16))
    about_kind: Mapped[str] = mapped_column(String(16))
    about_id: Mapped[UUID]
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    evaluator_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    instrument: Mapped[str | None] = mapped_column(String(200))
    instrument_version: Mapped[str | None] = mapped_column(String(64))
    part: Mapped[str | None] = mapped_column(String(100))
    occasion: Mapped[str | None] = mapped_column(String(8))
    form: Mapped[str | None] = mapped_column(String(64))
    occurred_at: Mapped[datetime]
    local_date: Mapped[date]
    local_week: Mapped[str] = mapped_column(String(8))
    scaled: Mapped[float | None]
    tier: Mapped[int]


class Rating(Row):
    """The level that one rubric evaluation gives one criterion."""

    __tablename__ = "ratings"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.record_id", ondelete="CASCADE"), primary_key=True)
    criterion: Mapped[str] = mapped_column(String(200), primary_key=True)
    level: Mapped[float]


class Rubric(Row):
    """By what a network judges; its content is in its versions, and `version` is the newest."""

    __tablename__ = "rubrics"
    __table_args__ = (UniqueConstraint("network_id", "ref"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    version: Mapped[int]
    created_at: Mapped[datetime]


class RubricVersion(Row):
    """One version of a rubric; frozen once an evaluation is held against it.

    `criteria`, `lowest` and `highest` are what ratings may say, as the content has it.
    """

    __tablename__ = "rubric_versions"
    __table_args__ = (UniqueConstraint("rubric_id", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    rubric_id: Mapped[UUID] = mapped_column(ForeignKey("rubrics.id"))
    version: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    content: Mapped[dict[str, Any]]
    criteria: Mapped[list[str]]
    lowest: Mapped[float]
    highest: Mapped[float]
    changed_at: Mapped[datetime]


class RubricUse(Row):
    """The version of a rubric against which an evaluation was held when it came.

    There is none for an evaluation with a rubric that the network had not posted by then.
    """

    __tablename__ = "rubric_uses"
    __table_args__ = (Index(None, "rubric_version_id"),)

    record_id: Mapped[UUID] = mapped_column(ForeignKey("records.id"), primary_key=True)
    rubric_version_id: Mapped[UUID] = mapped_column(ForeignKey("rubric_versions.id"))
