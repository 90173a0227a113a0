"""The rows, and nothing that decides.

Over 400 lines because the rows refer to one another and are read side by side.

Instants are aware UTC. Personal content stands in `persons`, `identities`, `record_bodies` and `case_texts` only;
everything else holds identifiers, digests and numbers.
"""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from service.tables.identifiers import new_credential_id, new_id


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant with microseconds, also on SQLite, where the driver drops the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("expected an aware instant, got one without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC instant."""
        _ = dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Row(DeclarativeBase):
    """Base of all rows; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy reads a plain class attribute)
        datetime: Instant,
        UUID: Uuid,
        int: BigInteger,
        str: String,
        dict[str, Any]: JSON().with_variant(JSONB(), "postgresql"),
        list[str]: JSON().with_variant(JSONB(), "postgresql"),
        bytes: LargeBinary,
    }


def one_of(column: str, *values: str) -> CheckConstraint:
    """Return the constraint that `column` holds one of `values`."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Network(Row):
    """A peer learning network: an issuer with a DID and keys of its own."""

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
    """One human. Name and addresses stand here and in `identities` only."""

    __tablename__ = "persons"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class Identity(Row):
    """A way to recognise a person; `proved_at` is empty while only a network says so."""

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
    """A person in a network, under the network's own `ref`; may exist long before anyone signs in."""

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


class Token(Row):
    """A bearer token: only its SHA-256 is kept. No network: it administers the service."""

    __tablename__ = "tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID | None] = mapped_column(ForeignKey("networks.id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class Session(Row):
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


class Import(Row):
    """One bulk body or file, taken in chunks: `next_line` moves in each chunk's own commit."""

    __tablename__ = "imports"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    kind: Mapped[str] = mapped_column(String(32))
    body_sha256: Mapped[str] = mapped_column(String(64))
    next_line: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ImportAnswer(Row):
    """The answer lines of one chunk, kept for the retry of a bulk body; expires with its idempotency row."""

    __tablename__ = "import_answers"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    first_line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lines: Mapped[str] = mapped_column(Text)


class Record(Row):
    """Everything that came in, as it came: append-only, the truth.

    `position` is empty only between the insert and the commit (`service.database.commit`). `accepted_at` is when a
    record that was held or set aside began to count; empty where it did at once.
    `body_digest` is SHA-256 over the salted canonical body; the salt goes when the body is erased.
    A record of kind `void` names in `voids` the record that it takes back.
    """

    __tablename__ = "records"
    __table_args__ = (
        one_of("kind", "contribution", "evaluation", "void"),
        one_of("status", "held", "accepted", "quarantined"),
        UniqueConstraint("network_id", "position"),
        UniqueConstraint("network_id", "kind", "source_system", "source_id"),
        UniqueConstraint("network_id", "kind", "ref"),
        Index(None, "network_id", "held_for"),
        Index(None, "network_id", "received_at"),
        Index("ix_records_voids", "voids", unique=True),
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
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    actor_member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    body_digest: Mapped[str] = mapped_column(String(64))
    salt: Mapped[str | None] = mapped_column(String(32))
    tier: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    held_for: Mapped[str | None] = mapped_column(String(200))
    voids: Mapped[UUID | None] = mapped_column(ForeignKey("records.id"))


class Flag(Row):
    """Why a record deserves a second look, found when it came in or said later.

    `other_id` is the record beside which it is odd; the members are those on whom the two bear. While a flag that sets aside is open, the record is quarantined.
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
    """The body of a record, apart from it so that it can be erased."""

    __tablename__ = "record_bodies"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("records.id"), primary_key=True)
    body: Mapped[dict[str, Any]]


class Contribution(Row):
    """What a member did, derived from an accepted, not voided record; can be rebuilt."""

    __tablename__ = "contributions"
    __table_args__ = (
        Index(None, "network_id", "member_id", "type", "occurred_at"),
        Index(None, "member_id", "occurred_at"),
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
    tier: Mapped[int]


class ContributionTag(Row):
    """One tag of a contribution, a row of its own so that rules can ask for it."""

    __tablename__ = "contribution_tags"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("contributions.record_id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(100), primary_key=True)


class ContributionArtifact(Row):
    """The digest of one piece of work of a contribution, to find it again under another name."""

    __tablename__ = "contribution_artifacts"
    __table_args__ = (Index(None, "network_id", "sha256"),)

    record_id: Mapped[UUID] = mapped_column(ForeignKey("contributions.record_id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))


class Evaluation(Row):
    """What somebody judged, derived from an accepted, not voided record; can be rebuilt.

    `about_kind` and `about_id` name the member, contribution (its record), session or network judged;
    `member_id` is the member on whom it bears, empty for sessions and networks.
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


class UnsettledMember(Row):
    """A member whose evidence changed and whose awards have not been decided on it yet.

    Written with the evidence, deleted with the decision: a killed process loses no award. `topics` are what changed,
    one a line (`service.listening`); empty where it may be anything.
    """

    __tablename__ = "unsettled_members"
    __table_args__ = (Index(None, "network_id"),)

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    since: Mapped[datetime]
    topics: Mapped[str | None] = mapped_column(Text)


class Listener(Row):
    """An achievement whose rule, in one of its published versions, must be asked again when a topic is heard of.

    The topic `*` is always heard.
    """

    __tablename__ = "listeners"

    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(300), primary_key=True)
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"), primary_key=True)


class Achievement(Row):
    """What can be earned; its content is in its versions."""

    __tablename__ = "achievements"
    __table_args__ = (UniqueConstraint("network_id", "ref"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class AchievementVersion(Row):
    """One version of an achievement; frozen once `published_at` is set."""

    __tablename__ = "achievement_versions"
    __table_args__ = (UniqueConstraint("achievement_id", "version"), one_of("award", "automatic", "reviewed"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"))
    version: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    award: Mapped[str] = mapped_column(String(16))
    definition: Mapped[dict[str, Any]]
    definition_sha256: Mapped[str | None] = mapped_column(String(64))
    image_sha256: Mapped[str | None] = mapped_column(String(64))
    published_at: Mapped[datetime | None]


class Enrolment(Row):
    """By which version of an achievement a member is judged."""

    __tablename__ = "enrolments"

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"), primary_key=True)
    achievement_version_id: Mapped[UUID] = mapped_column(ForeignKey("achievement_versions.id"))
    at: Mapped[datetime]
    known_from: Mapped[datetime | None]


class Award(Row):
    """The decision that a member has earned an achievement. One live award for both.

    `recipient_who` and `actor_who` say who the member and whoever decided are: the person, or the member while nobody
    knows who that is. They are one only while the award is under review, and when it no longer stands.

    A pending award is not signed before `due_at`, and nobody outside is told of it.

    `review_since` is set while somebody must decide whether it stands. `ended_by` is the token that ended it by a
    decision; empty where time or voided evidence did.
    """

    __tablename__ = "awards"
    __table_args__ = (
        one_of("basis", "rule", "approval", "override", "recorded"),
        one_of("state", "pending", "awarded", "suspended", "revoked", "expired"),
        CheckConstraint(
            "review_since IS NOT NULL OR state IN ('revoked', 'expired') OR actor_who <> recipient_who",
            name="not_self",
        ),
        Index(
            "uq_awards_live",
            "member_id",
            "achievement_id",
            unique=True,
            sqlite_where=text("state IN ('pending', 'awarded', 'suspended')"),
            postgresql_where=text("state IN ('pending', 'awarded', 'suspended')"),
        ),
        Index(None, "network_id", "awarded_at"),
        Index(None, "member_id", "network_id"),
        Index(None, "due_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"))
    achievement_version_id: Mapped[UUID] = mapped_column(ForeignKey("achievement_versions.id"))
    basis: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    awarded_at: Mapped[datetime]
    decided_at: Mapped[datetime]
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    actor_member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    receipt_digest: Mapped[str | None] = mapped_column(String(64))
    renews: Mapped[UUID | None] = mapped_column(ForeignKey("awards.id"))
    recipient_who: Mapped[UUID | None]
    actor_who: Mapped[UUID | None]
    review_since: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    end_reason: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime | None]


class Review(Row):
    """Something about an award that people must decide; the queue of approvals.

    Kinds: `approval`, the criteria are met but for people's approval; `second`, an award to staff that needs a second
    person; `standing`, an award that lost something it rested on. `asked_by` is the member whose token asked.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        one_of("kind", "approval", "second", "standing"),
        one_of("state", "waiting", "approved", "declined", "withdrawn"),
        Index(
            "uq_reviews_waiting",
            "member_id",
            "achievement_id",
            "kind",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(None, "network_id", "state"),
        Index(None, "award_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"))
    achievement_version_id: Mapped[UUID] = mapped_column(ForeignKey("achievement_versions.id"))
    award_id: Mapped[UUID | None] = mapped_column(ForeignKey("awards.id"))
    kind: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)
    asked_by_token: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))


class Approval(Row):
    """What one person said in a review, in one role that they had then; it counts in `[at, ended_at)`.

    The three columns `*_who` say who the members are: the person, or the member while nobody knows who that is. Who
    approves is neither the recipient nor whoever asked, as long as the approval counts.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        one_of("outcome", "approved", "declined"),
        CheckConstraint(
            "ended_at IS NOT NULL OR (approver_who <> recipient_who"
            " AND (asked_by_who IS NULL OR approver_who <> asked_by_who))",
            name="not_self",
        ),
        UniqueConstraint("review_id", "approver_id", "role"),
        Index(None, "member_id", "achievement_id"),
        Index(None, "approver_id"),
        Index(None, "award_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    review_id: Mapped[UUID] = mapped_column(ForeignKey("reviews.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"))
    achievement_version_id: Mapped[UUID] = mapped_column(ForeignKey("achievement_versions.id"))
    award_id: Mapped[UUID | None] = mapped_column(ForeignKey("awards.id"))
    approver_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    role: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    note: Mapped[str | None] = mapped_column(Text)
    recipient_who: Mapped[UUID]
    approver_who: Mapped[UUID]
    asked_by_who: Mapped[UUID | None]


class AwardEvidence(Row):
    """A record on which an award rests; voiding the record puts the award to the question."""

    __tablename__ = "award_evidence"
    __table_args__ = (Index(None, "record_id"),)

    award_id: Mapped[UUID] = mapped_column(ForeignKey("awards.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("records.id"), primary_key=True)


class AwardChild(Row):
    """An award that another one counted by a rule `holds`: what becomes of it puts the other to the question."""

    __tablename__ = "award_children"
    __table_args__ = (Index(None, "child_id"),)

    award_id: Mapped[UUID] = mapped_column(ForeignKey("awards.id"), primary_key=True)
    child_id: Mapped[UUID] = mapped_column(ForeignKey("awards.id"), primary_key=True)


class Receipt(Row):
    """Why an award was made: the public form as the exact text that is served, and what it hides."""

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


class Case(Row):
    """What a member contests, from its opening to its outcome.

    Kinds: `refusal`, the rules said not yet; `declined`, people did; `revocation`; `suspension`. Parties are the
    member and `respondent_id`, whoever decided what is contested, if that was a person. The three columns `*_who` say
    who they are, as in `awards`. `progress` is what the member had reached then: ids and numbers.

    `contested_at` is when it was decided; `due_at` when the present state ends by itself. `credential_id` with
    its award, or `review_id`, is what is contested; `result_id` is the award that stands by the outcome.
    """

    __tablename__ = "cases"
    __table_args__ = (
        one_of("kind", "refusal", "declined", "revocation", "suspension"),
        one_of("state", "open", "mediating", "escalated", "resolved"),
        one_of("outcome", "upheld", "overturned", "withdrawn"),
        CheckConstraint("(state = 'resolved') = (outcome IS NOT NULL)", name="resolved"),
        CheckConstraint(
            "state = 'resolved' OR mediator_who IS NULL OR (mediator_who <> member_who"
            " AND (respondent_who IS NULL OR mediator_who <> respondent_who))",
            name="not_self",
        ),
        Index(
            "uq_cases_open",
            "member_id",
            "achievement_id",
            unique=True,
            sqlite_where=text("state <> 'resolved'"),
            postgresql_where=text("state <> 'resolved'"),
        ),
        Index(None, "network_id", "state"),
        Index(None, "state", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="open")
    outcome: Mapped[str | None] = mapped_column(String(16))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    achievement_id: Mapped[UUID] = mapped_column(ForeignKey("achievements.id"))
    achievement_version_id: Mapped[UUID] = mapped_column(ForeignKey("achievement_versions.id"))
    award_id: Mapped[UUID | None] = mapped_column(ForeignKey("awards.id"))
    credential_id: Mapped[str | None] = mapped_column(ForeignKey("credentials.id"))
    review_id: Mapped[UUID | None] = mapped_column(ForeignKey("reviews.id"))
    result_id: Mapped[UUID | None] = mapped_column(ForeignKey("awards.id"))
    respondent_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    mediator_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    member_who: Mapped[UUID]
    respondent_who: Mapped[UUID | None]
    mediator_who: Mapped[UUID | None]
    progress: Mapped[dict[str, Any] | None]
    contested_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    opened_by_token: Mapped[UUID] = mapped_column(ForeignKey("tokens.id"))
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))


class CaseStep(Row):
    """One step of a case, in order; append-only.

    `part` is the part in which somebody took it: of the member, the respondent, the mediator, the network on the
    member's behalf, or nobody's (`service`), when time passed. `subject_id` is the mediator who came or left.
    `digest` is SHA-256 over the salted text; the salt goes when the text is erased.
    """

    __tablename__ = "case_steps"
    __table_args__ = (
        one_of("kind", "opened", "statement", "assigned", "left", "escalated", "overdue", "withdrawn", "resolved"),
        one_of("part", "member", "respondent", "mediator", "network", "service"),
        Index(None, "case_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str] = mapped_column(String(16))
    part: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    salt: Mapped[str | None] = mapped_column(String(32))
    digest: Mapped[str | None] = mapped_column(String(64))


class CaseText(Row):
    """What somebody wrote in a step, apart from it so that it can be erased.

    Not a record: evidence is read by everybody who may read the network, and this by the parties and the mediator.
    """

    __tablename__ = "case_texts"

    step_id: Mapped[UUID] = mapped_column(ForeignKey("case_steps.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class StatusList(Row):
    """A published Bitstring Status List; its bits are rebuilt from `credentials`, never kept beside them."""

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
    """A signed credential: its text as given out, and what has become of it since.

    `superseded_by` is the credential that stands for it now: the same award with corrected data, or its renewal.

    `revoked_by` is the token that took it back; empty where the evidence was voided that it rested on.
    """

    __tablename__ = "credentials"
    __table_args__ = (
        one_of("visibility", "public", "unlisted", "private"),
        UniqueConstraint("status_list_id", "status_index"),
        Index(None, "award_id"),
        Index(None, "network_id", "issued_at"),
        Index("ix_credentials_revoked", "status_list_id", "revoked_at"),
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


class Key(Row):
    """A key pair of a network: the public half, and where custody finds the private one.

    `kid` is the RFC 7638 thumbprint. Retired keys stay published, with their dates.
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


class ServiceKey(Row):
    """A key pair of the service itself, which is no network's: as `Key`; of each kind at most one is in use."""

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


class Event(Row):
    """What happened, in order: the outbox. Rendered when delivered, so it holds no personal content."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("network_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    position: Mapped[int | None]
    type: Mapped[str] = mapped_column(String(64))
    about: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Webhook(Row):
    """An address that is sent the network's events, in order.

    `position` is that of the last event which it has had; an empty list of `types` means all of them. `due_at` is
    when it may be sent the next one, `taken_until` how long it belongs to whoever is sending. The secrets are locked
    by custody.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        one_of("state", "active", "disabled"),
        one_of("disabled_for", "asked", "gone", "failing"),
        UniqueConstraint("network_id", "url"),
        Index(None, "state", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    url: Mapped[str] = mapped_column(String(2000))
    description: Mapped[str | None] = mapped_column(Text)
    types: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(16), default="active")
    disabled_for: Mapped[str | None] = mapped_column(String(16))
    disabled_at: Mapped[datetime | None]
    secret: Mapped[str] = mapped_column(Text)
    earlier_secret: Mapped[str | None] = mapped_column(Text)
    earlier_until: Mapped[datetime | None]
    position: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    due_at: Mapped[datetime]
    taken_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Delivery(Row):
    """What became of one event at one webhook; kept for a while.

    `again`: somebody asked for it once more, beside the order. `answer` is the beginning of what a refusal said.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("state", "queued", "delivered", "failed"),
        UniqueConstraint("webhook_id", "event_id"),
        Index(None, "webhook_id", "state", "due_at"),
        Index(None, "attempted_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id"))
    state: Mapped[str] = mapped_column(String(16))
    again: Mapped[bool] = mapped_column(Boolean, default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    attempted_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(String(120))
    duration_ms: Mapped[int | None]


class Confirmation(Row):
    """The question whether a badge is theirs, to whoever it was issued to. Nothing says who asked.

    The two secrets are those of the asker's page and of the link in the mail; the second one stands here too, locked by
    custody, since the mail is written later. `mail_at` is when the mail may leave; after `expires_at` nothing can be
    answered. What it has come to is read from the answer, the credential and the time.

    `identity_id` is the address that is asked: with it goes the question.
    """

    __tablename__ = "confirmations"
    __table_args__ = (
        one_of("answer", "yes", "no"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
        Index(None, "credential_id", "mail_at"),
        Index(None, "identity_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    credential_id: Mapped[str] = mapped_column(ForeignKey("credentials.id"))
    identity_id: Mapped[UUID] = mapped_column(ForeignKey("identities.id", ondelete="CASCADE"))
    page_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    mail_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    mail_secret: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(String(8))
    asked_at: Mapped[datetime]
    mail_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(String(8))
    answered_at: Mapped[datetime | None]


class Message(Row):
    """A message about a credential to whoever has it, about a webhook to its network, or about a case to one in it.

    Rendered when sent. `member_id` is to whom one about a step of a case goes. One that asks whether a badge is theirs
    goes with its question.
    """

    __tablename__ = "messages"
    __table_args__ = (one_of("state", "queued", "sent", "failed"), Index(None, "state", "due_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    credential_id: Mapped[str | None] = mapped_column(ForeignKey("credentials.id"))
    webhook_id: Mapped[UUID | None] = mapped_column(ForeignKey("webhooks.id"))
    case_step_id: Mapped[UUID | None] = mapped_column(ForeignKey("case_steps.id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    confirmation_id: Mapped[UUID | None] = mapped_column(ForeignKey("confirmations.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class Idempotency(Row):
    """The answer to a write that carried an `Idempotency-Key`, for 24 hours.

    Refusals are not remembered. `answer` never holds a secret; where it would hold personal
    content it is empty and the (repeatable) operation is carried out again.
    """

    __tablename__ = "idempotency"
    __table_args__ = (Index(None, "expires_at"),)

    token_id: Mapped[UUID] = mapped_column(ForeignKey("tokens.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(Text)
    import_id: Mapped[UUID | None] = mapped_column(ForeignKey("imports.id"))
    expires_at: Mapped[datetime]


class Blob(Row):
    """A content-addressed file of one network: artefact or picture."""

    __tablename__ = "blobs"

    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    content: Mapped[bytes]
    created_at: Mapped[datetime]


class ServiceFact(Row):
    """A fact about this installation that must not change: the base URL once a credential exists."""

    __tablename__ = "service_facts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


# --- W3C VC API ------------------------------------------------------------------------------------------------------


class VcApiKey(Row):
    """The one key of a kind with which the VC API signs: no network's, named by the `did:key` that it is."""

    __tablename__ = "vc_api_keys"
    __table_args__ = (one_of("algorithm", "Ed25519", "P-256", "P-384"),)

    algorithm: Mapped[str] = mapped_column(String(16), primary_key=True)
    multikey: Mapped[str]
    custody_uri: Mapped[str]
    created_at: Mapped[datetime]


class VcApiStatusList(Row):
    """A published Bitstring Status List of the VC API; its bits are rebuilt from `vc_api_status_entries`."""

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
    """A place in such a list that was given to a credential, known by the digest of its id; the credential is not kept.

    `set_at` is when it was revoked or suspended; empty where it stands.
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


def _past(row: type[Row]) -> Table:
    """Return the table of what rows said before they were changed or deleted, so that a decision can be replayed.

    Known from `known_from` (empty: always) until `known_until`, or until the position of the record `ended_by`.
    """
    columns = [Column(column.name, column.type, nullable=True) for column in row.__table__.columns]
    found_by = "member_id" if "member_id" in row.__table__.columns else "id" if row is Member else "record_id"
    times: list[Column[Any]] = [] if "known_from" in row.__table__.columns else [Column("known_from", Instant())]
    times += [Column("known_until", Instant(), nullable=False)]
    name = f"past_{row.__tablename__}"
    return Table(name, Row.metadata, *columns, *times, Column("ended_by", Uuid()), Index(None, found_by))


PAST: dict[type[Row], Table] = {
    row: _past(row) for row in (Contribution, ContributionTag, Evaluation, Rating, Role, Enrolment, Member)
}
"""What is no more, or no more so; only replaying looks at it, and nothing in it is personal."""
