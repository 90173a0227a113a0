"""All rows, and nothing that decides.

The rows must not import anything else of ours. Instants are aware UTC. Personal content is only in `accounts` (the name
that somebody chose), `account_addresses`, `sign_in_requests`, `passkeys` (what somebody calls them),
`openid_identities`, `returns`, `return_addresses`, `identities`, `members` (the name that a network gave),
`record_bodies`, `case_texts`, `collections` (the words that somebody wrote over their badges), `endorsements` (what a
peer says), `shown_links` (whom somebody shows badges to, and who they are there), `openings` (to whom somebody opened a
private one), `attendance_claims` (what somebody calls themself, and why a network refused), `join_requests` (who wants
to join a network, and why it declined), `goal_texts`, `goal_check_in_texts` and `goal_answers` (what members write about
their goals, and their peers about these), and `needs_answers` (what somebody wants to learn and can offer); everything
else holds identifiers, digests and numbers.
private one), `attendance_claims` (what somebody calls themself, and why a network refused),
`call_application_texts`, `call_decisions`, `call_questions` and `call_locks` (what people say in an application to a
call, and of it); everything else holds identifiers, digests and numbers.
"""

from service.tables.access import AccessToken, Token
from service.tables.accounts import (
    Account,
    AccountAddress,
    OpenidIdentity,
    Passkey,
    SignIn,
    SignInChallenge,
    SignInRequest,
)
from service.tables.achievements import Achievement, AchievementVersion, Enrolment
from service.tables.appeals import Case, CaseHold, CaseStep, CaseText
from service.tables.awards import Approval, Award, AwardChild, AwardDecider, AwardEvidence, Review
from service.tables.checking import Confirmation
from service.tables.columns import Row
from service.tables.console import WantedErasure
from service.tables.criteria import Listener, UnsettledMember
from service.tables.evidence import (
    Contribution,
    ContributionArtifact,
    ContributionTag,
    Evaluation,
    Flag,
    Rating,
    Record,
    RecordBody,
    Rubric,
    RubricUse,
    RubricVersion,
)
from service.tables.files import Blob
from service.tables.intake import AttendanceClaim, AttendanceCode, Import, ImportAnswer
from service.tables.issuing import (
    Credential,
    Endorsement,
    EndorsementText,
    HiddenEvidence,
    Receipt,
    SignedCopy,
    StatusList,
)
from service.tables.networks import (
    GuidelineSettings,
    GuidelineVersion,
    Identity,
    Listing,
    ListingLabel,
    Meeting,
    Member,
    Network,
    Objective,
    ObjectiveVersion,
    Person,
    Role,
    SessionObjective,
)
from service.tables.notifications import Delivery, Webhook
from service.tables.outbox import Event, Message
from service.tables.participation import (
    Call,
    CallApplication,
    CallApplicationText,
    CallDecision,
    CallLock,
    CallProposal,
    CallQuestion,
    Expectation,
    ExpectationVersion,
    Goal,
    GoalAnswer,
    GoalCheckIn,
    GoalCheckInText,
    GoalText,
    JoinRequest,
    NeedsAnswer,
    NeedsCycle,
    NeedsLink,
)
from service.tables.runtime import SharedLimit
from service.tables.sharing import (
    BadgeToSign,
    Claim,
    Collection,
    CollectionBadge,
    Opening,
    OpeningView,
    Return,
    ReturnAddress,
    ShownLink,
    Vouching,
)
from service.tables.signing import Key, ServiceKey
from service.tables.storage import Restore, ServiceFact
from service.tables.vc_api import VcApiKey, VcApiStatusEntry, VcApiStatusList
from service.tables.web import Idempotency

__all__ = [
    "AccessToken",
    "Account",
    "AccountAddress",
    "Achievement",
    "AchievementVersion",
    "Approval",
    "AttendanceClaim",
    "AttendanceCode",
    "Award",
    "AwardChild",
    "AwardDecider",
    "AwardEvidence",
    "BadgeToSign",
    "Blob",
    "Call",
    "CallApplication",
    "CallApplicationText",
    "CallDecision",
    "CallLock",
    "CallProposal",
    "CallQuestion",
    "Case",
    "CaseHold",
    "CaseStep",
    "CaseText",
    "Claim",
    "Collection",
    "CollectionBadge",
    "Confirmation",
    "Contribution",
    "ContributionArtifact",
    "ContributionTag",
    "Credential",
    "Delivery",
    "Endorsement",
    "EndorsementText",
    "Enrolment",
    "Evaluation",
    "Event",
    "Expectation",
    "ExpectationVersion",
    "Flag",
    "Goal",
    "GoalAnswer",
    "GoalCheckIn",
    "GoalCheckInText",
    "GoalText",
    "GuidelineSettings",
    "GuidelineVersion",
    "HiddenEvidence",
    "Idempotency",
    "Identity",
    "Import",
    "ImportAnswer",
    "JoinRequest",
    "Key",
    "Listener",
    "Listing",
    "ListingLabel",
    "Meeting",
    "Member",
    "Message",
    "NeedsAnswer",
    "NeedsCycle",
    "NeedsLink",
    "Network",
    "Objective",
    "ObjectiveVersion",
    "OpenidIdentity",
    "Opening",
    "OpeningView",
    "Passkey",
    "Person",
    "Rating",
    "Receipt",
    "Record",
    "RecordBody",
    "Restore",
    "Return",
    "ReturnAddress",
    "Review",
    "Role",
    "Row",
    "Rubric",
    "RubricUse",
    "RubricVersion",
    "ServiceFact",
    "ServiceKey",
    "SessionObjective",
    "SharedLimit",
    "ShownLink",
    "SignIn",
    "SignInChallenge",
    "SignInRequest",
    "SignedCopy",
    "StatusList",
    "Token",
    "UnsettledMember",
    "VcApiKey",
    "VcApiStatusEntry",
    "VcApiStatusList",
    "Vouching",
    "WantedErasure",
    "Webhook",
]
