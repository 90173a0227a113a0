"""Rows of `appeals`: cases, their steps and what was written in them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row, one_of
from service.tables.identifiers import new_id


class Case(Row):
    """A decision that a member contests, or a disagreement of two members, from its opening to its outcome.

    Kinds: `refusal`, the rules said not yet; `declined`, people declined; `revocation`; `suspension`; `disagreement`.
    The parties are the member and `respondent_id`: who made the contested decision, if that was a person, or the other
    member of a disagreement. The three columns `*_who` say which persons they are, as in `awards`. `progress` is what
    the member had reached then: ids and numbers.

    `contested_at` is when the contested decision was made; `due_at` is when the present state ends by itself. What is
    contested is `credential_id` with its award, or `review_id`; `result_id` is the award that the outcome leaves in
    force. Without `opened_by_token` the member `opened_by` opened it in person, signed in on a page.

    A disagreement has a `topic`, and perhaps the record or session that it is about. `days` is how many it has for each
    step: those of version `guidelines` of the network's guidelines when it was opened, or ours. Until `answer_due_at`
    the respondent is waited for.
    """

    __tablename__ = "cases"
    __table_args__ = (
        one_of("kind", "refusal", "declined", "revocation", "suspension", "disagreement"),
        one_of("state", "open", "mediating", "escalated", "resolved"),
        one_of("outcome", "upheld", "overturned", "withdrawn", "agreed", "decided", "unresolved"),
        one_of("topic", "conduct", "credit", "feedback", "confidentiality", "other"),
        CheckConstraint("(state = 'resolved') = (outcome IS NOT NULL)", name="resolved"),
        CheckConstraint(
            "state = 'resolved' OR mediator_who IS NULL OR (mediator_who <> member_who"
            " AND (respondent_who IS NULL OR mediator_who <> respondent_who))",
            name="not_self",
        ),
        CheckConstraint(
            "(kind <> 'disagreement' AND achievement_id IS NOT NULL AND achievement_version_id IS NOT NULL"
            " AND contested_at IS NOT NULL AND topic IS NULL) OR (kind = 'disagreement' AND achievement_id IS NULL"
            " AND achievement_version_id IS NULL AND respondent_id IS NOT NULL AND topic IS NOT NULL"
            " AND answer_due_at IS NOT NULL AND days IS NOT NULL)",
            name="about",
        ),
        CheckConstraint(
            "kind <> 'disagreement' OR state = 'resolved' OR member_who <> respondent_who", name="not_oneself"
        ),
        Index(
            "uq_cases_open",
            "member_id",
            "achievement_id",
            unique=True,
            sqlite_where=text("state <> 'resolved'"),
            postgresql_where=text("state <> 'resolved'"),
        ),
        Index(
            "uq_cases_open_between",
            "member_id",
            "respondent_id",
            unique=True,
            sqlite_where=text("kind = 'disagreement' AND state <> 'resolved'"),
            postgresql_where=text("kind = 'disagreement' AND state <> 'resolved'"),
        ),
        Index(None, "network_id", "state"),
        Index(None, "member_id"),
        Index(None, "respondent_id"),
        Index(None, "state", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="open")
    outcome: Mapped[str | None] = mapped_column(String(16))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    achievement_id: Mapped[UUID | None] = mapped_column(ForeignKey("achievements.id"))
    achievement_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("achievement_versions.id"))
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
    topic: Mapped[str | None] = mapped_column(String(16))
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("records.id"))
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("sessions.id", ondelete="SET NULL"))
    days: Mapped[dict[str, Any] | None]
    guidelines: Mapped[int | None]
    answer_due_at: Mapped[datetime | None]
    contested_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    opened_by_token: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))


class CaseStep(Row):
    """One step of a case, in order; append-only.

    `part` is the part of the one who took the step: `member`, `respondent`, `mediator`, `network` (on the member's
    behalf), or `service`, when nobody did and time passed. `subject_id` is the mediator who came or left, or the party
    whose awards are held or released. `digest` is SHA-256 over the salted text; the salt is deleted when the text is
    erased.
    """

    __tablename__ = "case_steps"
    __table_args__ = (
        one_of(
            "kind",
            *("opened", "statement", "assigned", "left", "escalated", "overdue", "withdrawn", "resolved"),
            *("proposed", "accepted", "held", "released"),
        ),
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
    read this. `follows` is what a decision on a disagreement asks of the parties.
    """

    __tablename__ = "case_texts"

    step_id: Mapped[UUID] = mapped_column(ForeignKey("case_steps.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    follows: Mapped[str | None] = mapped_column(Text)


class CaseHold(Row):
    """New awards of a party that wait while a disagreement is open: of one achievement, or of all.

    It holds in `[from_at, until_at)`. `step_id` is the step with the reason.
    """

    __tablename__ = "case_holds"
    __table_args__ = (Index(None, "case_id"), Index(None, "member_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    step_id: Mapped[UUID] = mapped_column(ForeignKey("case_steps.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    achievement_id: Mapped[UUID | None] = mapped_column(ForeignKey("achievements.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
