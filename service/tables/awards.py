"""Rows of `awards`: awards, what they rest on, reviews and approvals."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import ActedBy, Row, one_of
from service.tables.identifiers import new_id

LIVE = ("pending", "awarded", "suspended")
"""The states of a live award; a member has only one live award for an achievement."""


class Award(ActedBy, Row):
    """The decision that a member has earned an achievement.

    A member has one live award for an achievement at most. `recipient_who` and `actor_who` say who the member and the
    decider are: the person, or the member while nobody knows the person. They may be the same only while the award is
    under review, or when it is no longer in force.

    A pending award is not signed before `due_at`, and nobody outside is told about it.

    `review_since` is set while somebody must decide whether the award stands. `ended_by` is the token that ended it by
    a decision; it is empty if time or voided evidence ended it.
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
    receipt_digest: Mapped[str | None] = mapped_column(String(64))
    renews: Mapped[UUID | None] = mapped_column(ForeignKey("awards.id"))
    recipient_who: Mapped[UUID | None]
    actor_who: Mapped[UUID | None]
    review_since: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    end_reason: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime | None]


class Review(Row):
    """Something about an award that people must decide; an entry of their queue.

    Kinds: `approval`, the criteria are met except for people's approval; `second`, an award to staff that needs a
    second person; `standing`, an award that lost something on which it rested, or was signed while others may have had
    the key. `asked_by` is the member whose token asked.
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
        Index(None, "member_id"),
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
    """What one person said in a review, in one role that they then had.

    It counts in `[at, ended_at)`. The three columns `*_who` say who the members are: the person, or the member while
    nobody knows the person. While the approval counts, the approver is neither the recipient nor the one who asked.
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


class AwardDecider(Row):
    """Somebody who decided an award, and in which role; if only the rule did, nobody.

    `place` counts from 0, in the order in which they decided. If there is no member, a token of the whole network
    decided; if there is no token, the operator. Once there is a receipt, it names the same people.
    """

    __tablename__ = "award_deciders"

    award_id: Mapped[UUID] = mapped_column(ForeignKey("awards.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    role: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[datetime]


class AwardEvidence(Row):
    """A record on which an award rests; if it is voided, the award is reviewed."""

    __tablename__ = "award_evidence"
    __table_args__ = (Index(None, "record_id"),)

    award_id: Mapped[UUID] = mapped_column(ForeignKey("awards.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("records.id"), primary_key=True)


class AwardChild(Row):
    """An award that another one counted by a rule `holds`.

    If the child is revoked or otherwise ends, the other award is reviewed.
    """

    __tablename__ = "award_children"
    __table_args__ = (Index(None, "child_id"),)

    award_id: Mapped[UUID] = mapped_column(ForeignKey("awards.id"), primary_key=True)
    child_id: Mapped[UUID] = mapped_column(ForeignKey("awards.id"), primary_key=True)
