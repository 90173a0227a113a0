"""Rows of `participation`: expectations, goals, needs and calls for participants."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import ActedBy, Row, one_of
from service.tables.identifiers import new_id

# expectations


class Expectation(Row):
    """What a network expects of its members in each period, under its own `ref`; its content is in its versions.

    `version` is the newest. Once it has ended, only periods that were over by then are judged.
    """

    __tablename__ = "expectations"
    __table_args__ = (UniqueConstraint("network_id", "ref"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    version: Mapped[int]
    created_at: Mapped[datetime]
    ended_on: Mapped[date | None]


class ExpectationVersion(Row):
    """One version of an expectation, which never changes: it judges the periods that begin on `from_date` or later.

    The first version also judges the period in which `from_date` is.
    """

    __tablename__ = "expectation_versions"
    __table_args__ = (UniqueConstraint("expectation_id", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    expectation_id: Mapped[UUID] = mapped_column(ForeignKey("expectations.id"))
    version: Mapped[int]
    from_date: Mapped[date]
    content: Mapped[dict[str, Any]]
    at: Mapped[datetime]


# goals

# needs

# calls


class Call(Row):
    """A call of a network for participants, under its own `ref`: `[opens_at, closes_at)`.

    `asked` is what the form asks about, and how it is weighed: `topics`, each with the codes of its objectives, `roles`,
    `disciplines`, `organizations` and `readiness`. It stays as it is once somebody has applied. `public` is its page for
    people who are not signed in; `gives_role` is the role that an accepted member gets, with dates. `protected_reason` says
    why children and students cannot take part, if so.
    """

    __tablename__ = "calls"
    __table_args__ = (
        UniqueConstraint("network_id", "ref"),
        one_of("open_to", "members", "anybody"),
        CheckConstraint("places > 0", name="places"),
        CheckConstraint("open_to = 'anybody' OR NOT public", name="public"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str | None] = mapped_column(Text)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    places: Mapped[int]
    open_to: Mapped[str] = mapped_column(String(16))
    public: Mapped[bool] = mapped_column(Boolean)
    asked: Mapped[dict[str, Any]]
    gives_role: Mapped[dict[str, Any] | None]
    protected_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class CallApplication(Row):
    """Somebody applies to a call: a member, or the person of an account while no member is known.

    What they say is in `call_application_texts`. `applied_at` is when they first did, or did so again after they had
    withdrawn.
    """

    __tablename__ = "call_applications"
    __table_args__ = (
        one_of("state", "applied", "withdrawn", "accepted", "waiting", "declined"),
        UniqueConstraint("call_id", "member_id"),
        UniqueConstraint("call_id", "account_id"),
        Index(None, "member_id"),
        Index(None, "account_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16), default="applied")
    applied_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class CallApplicationText(Row):
    """What somebody says in an application, stored apart so that it can be erased.

    `expertise` is the level that they give themself in each topic, 1 to 3; `readiness` is their answer to each statement,
    1 to 5. `name` is that of a person who is no member.
    """

    __tablename__ = "call_application_texts"

    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("call_applications.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str | None] = mapped_column(Text)
    statement: Mapped[str] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(Text)
    organization: Mapped[str | None] = mapped_column(Text)
    discipline: Mapped[str | None] = mapped_column(Text)
    expertise: Mapped[dict[str, Any]]
    readiness: Mapped[list[int]] = mapped_column(JSON().with_variant(JSONB(), "postgresql"))


class CallDecision(ActedBy, Row):
    """What a person decided on an application, and why; append-only, and the last one counts.

    The reason is what people say of somebody, and is erased with them.
    """

    __tablename__ = "call_decisions"
    __table_args__ = (one_of("outcome", "accepted", "waiting", "declined"), Index(None, "application_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("call_applications.id", ondelete="CASCADE"))
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime]


class CallQuestion(ActedBy, Row):
    """An applicant asks why it was decided so, and the network answers: both are words of people.

    Who is named answered.
    """

    __tablename__ = "call_questions"
    __table_args__ = (Index(None, "application_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("call_applications.id", ondelete="CASCADE"))
    question: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]


class CallProposal(ActedBy, Row):
    """A set of people that was proposed for a call: it decides nothing.

    `result` has ids, codes and numbers, never words of people. `input_sha256` is over what it was made of, so that the same
    is not made twice.
    """

    __tablename__ = "call_proposals"
    __table_args__ = (Index(None, "call_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id"))
    k: Mapped[int]
    input_sha256: Mapped[str] = mapped_column(String(64))
    result: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]


class CallLock(Row):
    """Somebody whom people put in a proposal, or left out of it, and their reason, which is erased with the person."""

    __tablename__ = "call_locks"
    __table_args__ = (one_of("kind", "include", "exclude"), Index(None, "application_id"))

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("call_proposals.id"), primary_key=True)
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("call_applications.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
