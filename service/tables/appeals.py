"""Rows of `appeals`: cases, their steps and what was written in them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class Case(Row):
    """A decision that a member contests, from the opening of the case to its outcome.

    Kinds: `refusal`, the rules said not yet; `declined`, people declined; `revocation`; `suspension`. The parties are
    the member and `respondent_id`, who made the contested decision, if that was a person. The three columns `*_who` say
    which persons they are, as in `awards`. `progress` is what the member had reached then: ids and numbers.

    `contested_at` is when the contested decision was made; `due_at` is when the present state ends by itself. What is
    contested is `credential_id` with its award, or `review_id`; `result_id` is the award that the outcome leaves in
    force. Without `opened_by_token` the member `opened_by` opened it in person, signed in on a page.
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
    opened_by_token: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))


class CaseStep(Row):
    """One step of a case, in order; append-only.

    `part` is the part of the one who took the step: `member`, `respondent`, `mediator`, `network` (on the member's
    behalf), or `service`, when nobody did and time passed. `subject_id` is the mediator who came or left. `digest` is
    SHA-256 over the salted text; the salt is deleted when the text is erased.
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
    """What somebody wrote in a step, stored separately so that it can be erased.

    It is not a record: everybody who may read the network can read evidence, but only the parties and the mediator can
    read this.
    """

    __tablename__ = "case_texts"

    step_id: Mapped[UUID] = mapped_column(ForeignKey("case_steps.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
