"""Rows of `participation`: expectations, goals, needs, calls for participants, and who asks to join."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, CheckConstraint, Float, ForeignKey, Index, String, Text, UniqueConstraint, text
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

    It judges them until a later version begins.
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


class Goal(Row):
    """What a member wants to reach, from `begun_on` until `due_on`; the words are in `goal_texts`.

    `shared_with` says who else learns that it exists. While that is "buddy", `buddy_state` is what the buddy answered.
    `closed_as` is empty while it is open. `record_id` is the evidence that it was met, as the member first said it.
    """

    __tablename__ = "goals"
    __table_args__ = (
        one_of("shared_with", "nobody", "buddy", "network"),
        one_of("buddy_state", "asked", "accepted", "declined"),
        one_of("closed_as", "met", "partly", "dropped"),
        Index(None, "network_id", "shared_with"),
        Index(None, "member_id"),
        Index(None, "buddy_id"),
        Index(None, "record_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    begun_on: Mapped[date]
    due_on: Mapped[date]
    objective: Mapped[str | None] = mapped_column(String(200))
    shared_with: Mapped[str] = mapped_column(String(16))
    buddy_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    buddy_state: Mapped[str | None] = mapped_column(String(16))
    made_at: Mapped[datetime]
    closed_as: Mapped[str | None] = mapped_column(String(16))
    closed_at: Mapped[datetime | None]
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("records.id"))


class GoalText(Row):
    """What a member wrote about a goal, apart from it so that it can be erased.

    `measure` is how they see that it is met, `why` what it is for, and `outcome` what they said when they closed it.
    """

    __tablename__ = "goal_texts"

    goal_id: Mapped[UUID] = mapped_column(ForeignKey("goals.id", ondelete="CASCADE"), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    measure: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)


class GoalCheckIn(Row):
    """How far a member was with a goal on a day: `progress` is a part of one."""

    __tablename__ = "goal_check_ins"
    __table_args__ = (Index(None, "goal_id", "on_date"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    goal_id: Mapped[UUID] = mapped_column(ForeignKey("goals.id", ondelete="CASCADE"))
    on_date: Mapped[date]
    progress: Mapped[float] = mapped_column(Float)
    made_at: Mapped[datetime]


class GoalCheckInText(Row):
    """What a member wrote in a check-in: how it goes, and what is in the way."""

    __tablename__ = "goal_check_in_texts"

    check_in_id: Mapped[UUID] = mapped_column(ForeignKey("goal_check_ins.id", ondelete="CASCADE"), primary_key=True)
    comment: Mapped[str | None] = mapped_column(Text)
    obstacle: Mapped[str | None] = mapped_column(Text)


class GoalAnswer(Row):
    """What a peer says of a goal that was closed as met: that it was, or not.

    A peer has one answer to a goal. The comment is theirs; it is emptied when they are erased.
    """

    __tablename__ = "goal_answers"
    __table_args__ = (Index(None, "member_id"),)

    goal_id: Mapped[UUID] = mapped_column(ForeignKey("goals.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    met: Mapped[bool] = mapped_column(Boolean)
    comment: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime]


# needs


class NeedsCycle(ActedBy, Row):
    """A time in which a network asks its members what they want to learn and what they can offer.

    `said` is what the network sent: title, topics with their labels, and whether people add topics of their own. `told_at`
    is when the outbox said that it opened.
    """

    __tablename__ = "needs_cycles"
    __table_args__ = (UniqueConstraint("network_id", "ref"), Index(None, "told_at", "opens_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    said: Mapped[dict[str, Any]]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    made_at: Mapped[datetime]
    told_at: Mapped[datetime | None]


class NeedsAnswer(ActedBy, Row):
    """What a member answered in a cycle: one for each person, in words of people, and deleted with the member.

    `via` is how it came last: by a token of the member, a token of the network, the member's page, or a link.
    """

    __tablename__ = "needs_answers"
    __table_args__ = (
        one_of("via", "member", "network", "page", "link"),
        UniqueConstraint("cycle_id", "member_id"),
        Index(None, "member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    cycle_id: Mapped[UUID] = mapped_column(ForeignKey("needs_cycles.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    via: Mapped[str] = mapped_column(String(16))
    said: Mapped[dict[str, Any]]
    share_offer: Mapped[bool] = mapped_column(Boolean)
    answered_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class NeedsLink(ActedBy, Row):
    """A link by which a member answers in a cycle without an account; its secret is stored nowhere.

    It works as long as the cycle is open and the token that made it was not revoked.
    """

    __tablename__ = "needs_links"
    __table_args__ = (UniqueConstraint("cycle_id", "member_id"), Index(None, "member_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    cycle_id: Mapped[UUID] = mapped_column(ForeignKey("needs_cycles.id", ondelete="CASCADE"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]


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


# joining


class JoinRequest(Row):
    """Somebody asks a network whether they may join.

    What they say (`name`, `address`, `message`) is there only while nobody has decided; `reason` is what the network says
    to them. `member_id` is the member that they became.
    """

    __tablename__ = "join_requests"
    __table_args__ = (
        one_of("state", "asked", "accepted", "declined", "withdrawn"),
        Index(
            "uq_join_requests_open",
            "network_id",
            "account_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
        Index(None, "account_id", "asked_at"),
        Index(None, "member_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    state: Mapped[str] = mapped_column(String(16), default="asked")
    name: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(Text, default="")
    message: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id"))
    reason: Mapped[str | None] = mapped_column(Text)
