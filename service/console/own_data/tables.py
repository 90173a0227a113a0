"""Which rows people are given of the tables, and why not the others.

`tests/service/console/own_data/test_tables.py` keeps the two lists complete: a new table that refers to a person, in
whatever way, must stand in one of them, and no secret may be among what is given.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, and_, or_, select

from service.appeals.case_files import OF_HOLDS
from service.tables import (
    Account,
    AccountAddress,
    Approval,
    AttendanceClaim,
    Award,
    AwardChild,
    AwardDecider,
    AwardEvidence,
    BadgeToSign,
    CallApplication,
    CallApplicationText,
    CallDecision,
    CallLock,
    CallQuestion,
    Case,
    CaseHold,
    CaseStep,
    CaseText,
    Claim,
    Collection,
    CollectionBadge,
    Confirmation,
    Credential,
    Endorsement,
    EndorsementText,
    Enrolment,
    Goal,
    GoalAnswer,
    GoalCheckIn,
    GoalCheckInText,
    GoalText,
    HiddenEvidence,
    Identity,
    JoinRequest,
    Member,
    Message,
    NeedsAnswer,
    NeedsLink,
    OpenidIdentity,
    Opening,
    OpeningView,
    Passkey,
    Person,
    Return,
    Review,
    Role,
    Row,
    ShownLink,
    SignedCopy,
    SignIn,
    SignInRequest,
    Token,
    Vouching,
    WantedErasure,
)
from service.tables.past import PAST

SECRET: Final = re.compile(r"(_sha256|locked|secret|salt|public_key|handle|^code)$")
"""What a column is called that holds a secret, or the digest of one: a test lets none of them be given."""


@dataclass(frozen=True)
class Whose:
    """Whose rows: those of an account, and of the members in one network who are its person."""

    account_id: UUID
    members: tuple[UUID, ...] = ()
    persons: tuple[UUID, ...] = ()

    @cached_property
    def addresses(self) -> Select[Any]:
        """The ids of the addresses of the account."""
        return select(AccountAddress.id).where(AccountAddress.account_id == self.account_id)

    @cached_property
    def awards(self) -> Select[Any]:
        """The ids of the awards of the members."""
        return select(Award.id).where(Award.member_id.in_(self.members))

    @cached_property
    def badges(self) -> Select[Any]:
        """The ids of the badges of the members."""
        return select(Credential.id).where(Credential.award_id.in_(self.awards))

    @cached_property
    def cases(self) -> Select[Any]:
        """The ids of the cases about the members, and of their disagreements with others."""
        other = and_(Case.kind == "disagreement", Case.respondent_id.in_(self.members))
        return select(Case.id).where(or_(Case.member_id.in_(self.members), other))

    @cached_property
    def goals(self) -> Select[Any]:
        """The ids of the goals of the members."""
        return select(Goal.id).where(Goal.member_id.in_(self.members))

    @cached_property
    def check_ins(self) -> Select[Any]:
        """The ids of the check-ins of these goals."""
        return select(GoalCheckIn.id).where(GoalCheckIn.goal_id.in_(self.goals))

    @cached_property
    def steps(self) -> Select[Any]:
        """The ids of the steps of these cases, and of those that the members wrote in the cases of others.

        Holds on new awards of the other party are left out: this one does not know of them.
        """
        known = or_(CaseStep.kind.not_in(OF_HOLDS), CaseStep.subject_id.in_(self.members))
        own = or_(and_(CaseStep.case_id.in_(self.cases), known), CaseStep.author_id.in_(self.members))
        return select(CaseStep.id).where(own)


@dataclass(frozen=True)
class Given:
    """The rows of a table that are given, and the columns that are not: secrets, and who others are."""

    table: FromClause
    where: Callable[[Any, Whose], ColumnElement[bool]]
    without: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the table."""
        return str(self.table.name)  # type: ignore[attr-defined]

    @property
    def columns(self) -> list[Any]:
        """The columns that are given."""
        return [column for column in self.table.columns if column.name not in self.without]


def _of(row: type[Row], where: Callable[[Any, Whose], ColumnElement[bool]], *without: str) -> Given:
    return Given(row.__table__, where, without)


def _accounts(table: Any, whose: Whose) -> ColumnElement[bool]:
    return table.account_id == whose.account_id  # type: ignore[no-any-return]


def _members(table: Any, whose: Whose) -> ColumnElement[bool]:
    return table.member_id.in_(whose.members)  # type: ignore[no-any-return]


def _awards(table: Any, whose: Whose) -> ColumnElement[bool]:
    return table.award_id.in_(whose.awards)  # type: ignore[no-any-return]


def _badges(table: Any, whose: Whose) -> ColumnElement[bool]:
    return table.credential_id.in_(whose.badges)  # type: ignore[no-any-return]


def _collections(table: Any, whose: Whose) -> ColumnElement[bool]:
    mine = select(Collection.id).where(Collection.account_id == whose.account_id)
    return table.collection_id.in_(mine)  # type: ignore[no-any-return]


def _openings(table: Any, whose: Whose) -> ColumnElement[bool]:
    return table.opening_id.in_(select(Opening.id).where(Opening.account_id == whose.account_id))  # type: ignore[no-any-return]


def _goals(table: Any, whose: Whose) -> ColumnElement[bool]:
    return table.goal_id.in_(whose.goals)  # type: ignore[no-any-return]


def _applied(table: Any, whose: Whose) -> ColumnElement[bool]:
    """Rows of what somebody applied for who is no member."""
    mine = select(CallApplication.id).where(CallApplication.account_id == whose.account_id)
    return table.application_id.in_(mine)  # type: ignore[no-any-return]


def _applied_as_members(table: Any, whose: Whose) -> ColumnElement[bool]:
    mine = select(CallApplication.id).where(CallApplication.member_id.in_(whose.members))
    return table.application_id.in_(mine)  # type: ignore[no-any-return]


def _mails_of_account(table: Any, whose: Whose) -> ColumnElement[bool]:
    mine = select(CallApplication.id).where(CallApplication.account_id == whose.account_id)
    return or_(table.account_address_id.in_(whose.addresses), table.call_application_id.in_(mine))


def _mails_of_members(table: Any, whose: Whose) -> ColumnElement[bool]:
    asked = select(Confirmation.id).where(Confirmation.credential_id.in_(whose.badges))
    return or_(_members(table, whose), _badges(table, whose), table.confirmation_id.in_(asked))


OF_MAILS: Final = ("webhook_id", "key_id", "sign_in_request_id", "return_address_id", "attempts")
SAID_IN_CALLS: Final = (
    (CallApplicationText, ()),
    (CallDecision, ("token_id", "actor_member_id")),
    (CallQuestion, ("token_id", "actor_member_id")),
    (CallLock, ()),
)
"""What is said in applications and of them, without who decided."""
OF_ACCOUNT: Final[Mapping[str, Sequence[Given]]] = {
    "account/account.json": (
        _of(Account, lambda table, whose: table.id == whose.account_id),
        _of(AccountAddress, _accounts),
        _of(OpenidIdentity, _accounts),
        _of(Passkey, _accounts, "credential_id", "handle", "public_key", "sign_count"),
        _of(BadgeToSign, _accounts),
        _of(WantedErasure, _accounts),
    ),
    "account/sign-ins.json": (
        _of(SignIn, _accounts, "secret_sha256"),
        _of(SignInRequest, _accounts, "browser_sha256", "link_sha256", "locked", "onward"),
    ),
    "account/collections.json": (_of(Collection, _accounts), _of(CollectionBadge, _collections)),
    "account/links-for-authorities.json": (_of(ShownLink, _accounts, "secret_sha256"),),
    "account/who-looked.json": (_of(Opening, _accounts, "secret_sha256"), _of(OpeningView, _openings)),
    # Whom somebody means who returns, and whether there is such a person, they are not told here either.
    "account/returns.json": (
        _of(
            Return,
            _accounts,
            "vouch_sha256",
            "stop_sha256",
            "locked",
            "network_id",
            "member_id",
            "old_account_id",
            "due_at",
        ),
        _of(Vouching, _accounts),
    ),
    "account/sessions.json": (_of(AttendanceClaim, _accounts, "decided_by"),),
    "account/join-requests.json": (_of(JoinRequest, _accounts, "decided_by"),),
    "account/calls.json": (
        _of(CallApplication, _accounts),
        *(_of(row, _applied, *without) for row, without in SAID_IN_CALLS),
    ),
    "account/emails.json": (_of(Message, _mails_of_account, *OF_MAILS),),
}
"""What is given of an account, by the file in which it stands."""
OF_MEMBERS: Final[Mapping[str, Sequence[Given]]] = {
    "about-you.json": (
        _of(Member, lambda table, whose: table.id.in_(whose.members)),
        _of(Person, lambda table, whose: table.id.in_(whose.persons)),
        _of(Identity, lambda table, whose: table.person_id.in_(whose.persons)),
        _of(Role, _members),
        _of(Enrolment, _members),
        Given(PAST[Member], lambda table, whose: table.id.in_(whose.members)),
        Given(PAST[Role], _members),
        Given(PAST[Enrolment], _members),
        _of(Token, _members, "sha256"),
    ),
    "claims.json": (
        _of(Claim, _members, "secret_sha256", "locked", "address_sha256", "sign_in_id", "back_sha256", "back_locked"),
    ),
    "needs.json": (
        _of(NeedsAnswer, _members, "token_id", "actor_member_id"),
        _of(NeedsLink, _members, "secret_sha256", "token_id", "actor_member_id"),
    ),
    "decisions.json": (
        _of(Award, _members, "recipient_who", "actor_who", "ended_by", "token_id", "actor_member_id"),
        _of(AwardDecider, _awards, "token_id", "member_id"),
        _of(AwardEvidence, _awards),
        _of(AwardChild, _awards),
        _of(Review, _members, "asked_by_token", "asked_by"),
        _of(
            Approval,
            _members,
            "approver_id",
            "token_id",
            "note",
            "recipient_who",
            "approver_who",
            "asked_by_who",
        ),
    ),
    "approvals-by-you.json": (
        _of(
            Approval,
            lambda table, whose: table.approver_id.in_(whose.members),
            "member_id",
            "token_id",
            "recipient_who",
            "approver_who",
            "asked_by_who",
        ),
    ),
    "cases.json": (
        _of(
            Case,
            _members,
            "respondent_id",
            "mediator_id",
            "member_who",
            "respondent_who",
            "mediator_who",
            "opened_by_token",
        ),
        _of(CaseHold, _members),
        _of(CaseStep, lambda table, whose: table.id.in_(whose.steps), "token_id", "author_id", "subject_id", "salt"),
        _of(CaseText, lambda table, whose: table.step_id.in_(whose.steps)),
    ),
    "cases-with-you.json": (
        _of(
            Case,
            lambda table, whose: and_(table.kind == "disagreement", table.respondent_id.in_(whose.members)),
            *("member_id", "mediator_id", "member_who", "respondent_who", "mediator_who"),
            *("opened_by_token", "opened_by"),
        ),
    ),
    "badges.json": (
        _of(
            Credential,
            lambda table, whose: table.id.in_(whose.badges),
            "signed",
            "jwt",
            "revoked_by",
            "suspended_by",
        ),
        _of(SignedCopy, _badges),
        _of(HiddenEvidence, _badges),
        _of(Confirmation, _badges, "identity_id", "page_sha256", "mail_sha256", "mail_secret", "code"),
    ),
    "endorsements.json": (
        _of(Endorsement, _badges, "member_id", "account_id"),
        _of(EndorsementText, _badges),
    ),
    "endorsements-by-you.json": (_of(Endorsement, _members),),
    "goals.json": (
        _of(Goal, _members, "buddy_id"),
        _of(GoalText, _goals),
        _of(GoalCheckIn, _goals),
        _of(GoalCheckInText, lambda table, whose: table.check_in_id.in_(whose.check_ins)),
        _of(GoalAnswer, _goals, "member_id"),
    ),
    "goals-of-others.json": (_of(GoalAnswer, _members),),
    "calls.json": (
        _of(CallApplication, _members),
        *(_of(row, _applied_as_members, *without) for row, without in SAID_IN_CALLS),
    ),
    "emails.json": (_of(Message, _mails_of_members, *OF_MAILS),),
}
"""What is given of the members who are the person in one network, by the file in which it stands."""
WRITTEN_OUT: Final[Mapping[str, str]] = {
    "receipts": "receipts/, each as it is published",
    "records": "evidence.ndjson and feedback.ndjson",
    "record_bodies": "evidence.ndjson and feedback.ndjson, as they were sent",
    "flags": "evidence.ndjson: which are open",
    "contributions": "evidence.ndjson, as derived",
    "contribution_tags": "evidence.ndjson, as derived",
    "contribution_artifacts": "evidence.ndjson, and the files themselves in files/",
    "evaluations": "feedback.ndjson, as derived",
    "ratings": "feedback.ndjson, in the body",
    "rubric_uses": "feedback.ndjson: the version of the rubric",
}
"""Tables that are given in another form than their rows, and where."""
LEFT_OUT: Final[Mapping[str, str]] = {
    "call_proposals": "ids and numbers of many people together; whom people put in or left out is given",
    "attendance_codes": "what a network opened for a session: what a person said by it is given",
    "needs_cycles": "what a network asks its members: what a person answered is given",
    "return_addresses": "addresses of whom somebody said to be: they may be another person's",
    "sign_in_challenges": "secrets that live for minutes",
    "access_tokens": "secrets that live for minutes",
    "unsettled_members": "a mark of our own work, gone within seconds",
    "idempotency": "answers to a network's program, deleted after a day",
    "imports": "files of a network; the records from them are given",
    "import_answers": "answers to a network's program, deleted after a day",
    "past_contributions": "what was derived before a correction: the records that are corrected are given",
    "past_contribution_tags": "what was derived before a correction: the records that are corrected are given",
    "past_evaluations": "what was derived before a correction: the records that are corrected are given",
    "past_ratings": "what was derived before a correction: the records that are corrected are given",
}
"""Tables that refer to people and are not given, with the reason."""
