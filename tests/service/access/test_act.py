"""Nobody decides for themself: every operation is called by the member whom it is about, with all scopes.

A new operation needs a row in `MATRIX`, or in `WITHOUT_TOKEN`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import select

from service import routes
from service.access.act import Act
from service.access.callers import NETWORK_SCOPES, Caller
from service.accounts.pages_signed_in import PersonalRoute
from service.errors import ForbiddenError
from service.intake.api_bulk import MixedRoute
from service.runtime import settings
from service.runtime.runtime import Runtime
from service.tables import JoinRequest, Member, Network, Row
from service.tables.identifiers import new_id
from service.web import requests
from tests.worlds import agreeing, attending, calling, needing
from tests.worlds.awarding import SHARE_TWICE, Stage, once
from tests.worlds.claiming import account_with
from tests.worlds.runtimes import BASE_URL, app_of

ROLES = ("admin", "approver", "assessor", "director", "facilitator", "mediator")
APPROVED = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}
NOBODY = "00000000-0000-7000-8000-000000000000"
SELF = "self-decision"
WRITING = ("tokens", "imports", "import_answers")
"""Tables in which also a refusal leaves a row, or a date: when a token was used, and what was answered line by line."""
SETTLED = "import.settled"
"""An event of a body of many lines, also if each was refused."""

Sent = tuple[str, str, dict[str, Any]]
"""Method, path and the rest of a request."""


@dataclass(frozen=True)
class Call:
    """One way to call an operation, and what becomes of it, by who calls.

    `own` is the code of the refusal, or "ok", if m11 calls, whom it is about, with all scopes; `other` if f1 does, who has
    the same roles and scopes and is somebody else; `network` if the token is bound to nobody. These call one after the
    other, so that something that was done already is "ok" again.
    """

    operation: str
    what: str
    prepare: Callable[[Stage], Sent]
    own: str
    other: str = "ok"
    network: str = "ok"

    @property
    def name(self) -> str:
        """The name of the case in the tests' output."""
        return f"{self.operation.replace('/v1/networks/{slug}', '.')}: {self.what}"


@once
def laid(stage: Stage) -> None:
    held = [{"role": role, "from": "2026-01-01T00:00:00Z"} for role in ROLES]
    stage.member("m11", email="one@river.example.org", roles=held)
    stage.member("m11-again", email="one@river.example.org", roles=held)
    stage.member("f1", email="f1@river.example.org", roles=held)
    stage.member("f2", roles=["mediator"])
    stage.member("m12")


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    """The app without what goes on beside it, which would write between two looks at the rows."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    laid(stage)
    return stage


# --- What is there before the call ---------------------------------------------------------------------------------


def lines(path: str, body: Any) -> Sent:
    """Return a request with one line; `path` is that of many, or as long as that is taken, of one."""
    return "POST", path, {"content": json.dumps(body), "headers": {"Content-Type": "application/x-ndjson"}}


def at_once(method: str, path: str, body: Any = None) -> Callable[[Stage], Sent]:
    """Prepare nothing."""
    return lambda _stage: (method, path, {} if body is None else {"json": body})


@once
def shared_twice(stage: Stage, ref: str = "m11", **achievement: Any) -> None:
    stage.achievement(**achievement)
    stage.share(1, ref)
    stage.share(2, ref)


def award(path: str, body: Any = None, **achievement: Any) -> Callable[[Stage], Sent]:
    """Let m11 earn an award; `{award}` in the path is its id, `{credential}` that of its credential."""

    def prepare(stage: Stage) -> Sent:
        shared_twice(stage, **achievement)
        (made,) = stage.awards()
        there = path.format(award=made["id"], credential=made.get("credential", {}).get("id"))
        return "POST", there, {} if body is None else {"json": body}

    return prepare


def goal(method: str, path: str, body: Any = None, *, met: bool = False, **said: Any) -> Callable[[Stage], Sent]:
    """Set a goal of m11 that the network sees; `{goal}` in the path is its id, and `{check_in}` that of a check-in."""

    def prepare(stage: Stage) -> Sent:
        token = stage.token_with("goals:write", member="m11")
        days = {"title": "Four drafts", "begun_on": "2026-03-01", "due_on": "2026-03-31", "shared_with": "network"}
        made = stage.send("POST", "./goals", days | said, token=token)["id"]
        check_in = stage.send("POST", f"./goals/{made}/check-ins", {"progress": 1}, token=token)["id"]
        if met:
            stage.send("POST", f"./goals/{made}/closing", {"closed_as": "met"}, token=token)
        there = path.format(goal=made, check_in=check_in)
        return method, there, {} if body is None else {"json": body}

    return prepare


def applied(method: str, path: str, body: Any = None, *, asked: bool = False) -> Callable[[Stage], Sent]:
    """Let m11 apply to a call; `{application}` is the id of that, in the path and in the body.

    With `asked` it was put on the waiting list, and `{question}` in the path is the question why.
    """

    def prepare(stage: Stage) -> Sent:
        calling.posted(stage)
        application = calling.applied(stage)["id"]
        question = NOBODY
        if asked:
            token = stage.token_with(*NETWORK_SCOPES, member="f1")
            calling.decided(stage, application, token, "waiting")
            there = f"./call-applications/{application}/questions"
            question = stage.send("POST", there, {"question": "Why?"})["id"]
        sent = {} if body is None else {"json": json.loads(json.dumps(body).replace("{application}", application))}
        return method, path.format(application=application, question=question), sent

    return prepare


def called(method: str, path: str, body: Any = None) -> Callable[[Stage], Sent]:
    """Let there be a call."""

    def prepare(stage: Stage) -> Sent:
        calling.posted(stage)
        return method, f"{calling.CALL}{path}", {} if body is None else {"json": body}

    return prepare


def a_session(stage: Stage) -> Stage:
    stage.send("PUT", f"./sessions/{attending.SESSION}", {"starts_at": "2026-03-02T12:00:00Z"})
    return stage


def id_of(stage: Stage, ref: str) -> UUID:
    return UUID(stage.send("GET", f"./members/{ref}")["id"])


def attendance(method: str, path: str, body: Any = None, *, claim: bool = False) -> Callable[[Stage], Sent]:
    """Open an attendance code; `{claim}` in the path is what m11 claims by it, and `{code}` in the body the code."""

    def prepare(stage: Stage) -> Sent:
        code = attending.opened(a_session(stage))
        made = (
            attending.claimed(stage.runtime, code, "one@river.example.org", member_id=id_of(stage, "m11"))
            if claim
            else None
        )
        sent = (
            {}
            if body is None
            else {"json": {name: code if value == "{code}" else value for name, value in body.items()}}
        )
        return method, path.format(claim=made), sent

    return prepare


def asks_to_join(how: str, body: Any) -> Callable[[Stage], Sent]:
    """Let a request to join wait that m11 made, before the network knew them as a member."""

    def prepare(stage: Stage) -> Sent:
        account_id = account_with(stage.runtime, "one@river.example.org")
        with stage.runtime.database.write() as session:
            network = session.scalars(select(Network).where(Network.slug == stage.slug)).one()
            row = JoinRequest(network_id=network.id, account_id=account_id, asked_at=stage.runtime.now(), id=new_id())
            session.add(row)
        return "POST", f"./join-requests/{row.id}/{how}", {"json": body}

    return prepare


def surveyed(method: str, path: str, body: Any = None, *, answered: bool = True) -> Callable[[Stage], Sent]:
    """Ask members what they want to learn, and let m11 have answered."""

    def prepare(stage: Stage) -> Sent:
        stage.send("PUT", needing.HERE, needing.ASKED)
        if answered:
            needing.answer(stage, "m11", needing.OFFERS)
        return method, f"{needing.HERE}/{path}".rstrip("/"), {} if body is None else {"json": body}

    return prepare


def peers(stage: Stage) -> Sent:
    """Let m12 endorse a badge of m11."""
    _, path, _ = award("./credentials/{credential}/endorsements")(stage)
    made = stage.send("POST", path, {"member": "m12"})
    return "POST", f"{path}/{made['id']}/withdrawal", {}


def suspended(stage: Stage) -> Sent:
    shared_twice(stage)
    (made,) = stage.awards()
    path = f"/v1/credentials/{made['credential']['id']}"
    stage.send("POST", f"{path}/suspension", {"reason": "Being looked into."})
    return "POST", f"{path}/reinstatement", {}


def asking(body: Any, **achievement: Any) -> Callable[[Stage], Sent]:
    """Let m11 do what an award asks for, which is not made by itself."""

    def prepare(stage: Stage) -> Sent:
        shared_twice(stage, award="reviewed", **achievement)
        return "POST", "./awards", {"json": {"achievement": "sharer", "member": "m11"} | body}

    return prepare


def asked(stage: Stage) -> Sent:
    shared_twice(stage, rule=APPROVED, award="reviewed")
    return "POST", "./approvals", {"json": {"achievement": "sharer", "member": "m11"}}


def waiting(stage: Stage, ref: str = "m11") -> str:
    shared_twice(stage, ref, rule=APPROVED)
    (review,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    return str(review["id"])


def decided(ending: str, body: Any) -> Callable[[Stage], Sent]:
    return lambda stage: ("POST", f"./approvals/{waiting(stage)}/{ending}", {"json": body})


def second(stage: Stage) -> Sent:
    """Award m11, who is staff, so that a second person must say so."""
    stage.achievement(award="reviewed")
    stage.send("POST", "./awards", {"achievement": "sharer", "member": "m11", "basis": "override", "reason": "Known."})
    (review,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    return "POST", f"./approvals/{review['id']}/approval", {"json": {}}


def several(stage: Stage) -> Sent:
    return "POST", "./approvals/several", {"json": {"approve": [waiting(stage)]}}


def case(path: str, body: Any, method: str = "POST", *, mediator: str | None = None) -> Callable[[Stage], Sent]:
    """Let m11 contest that an achievement was not earned."""

    def prepare(stage: Stage) -> Sent:
        stage.achievement()
        said = {"achievement": "sharer", "statement": "I was there twice."}
        made = stage.send("POST", "./cases", said, token=stage.token_with("cases:write", member="m11"))
        if mediator is not None:
            stage.send("PUT", f"./cases/{made['id']}/mediator", {"member": mediator})
        there = path.format(case=made["id"], step=made["steps"][0]["id"])
        return method, there, {} if body is None else {"json": body}

    return prepare


def contested(path: str, body: Any, method: str = "POST", *, mediator: str | None = None) -> Callable[[Stage], Sent]:
    """Let m12 contest what m11 has declined."""

    def prepare(stage: Stage) -> Sent:
        review = waiting(stage, "m12")
        by = stage.token_with("awards:approve", member="m11")
        stage.send("POST", f"./approvals/{review}/refusal", {"reason": "Not yet."}, token=by)
        said = {"approval": review, "statement": "I was there twice."}
        made = stage.send("POST", "./cases", said, token=stage.token_with("cases:write", member="m12"))
        if mediator is not None:
            stage.send("PUT", f"./cases/{made['id']}/mediator", {"member": mediator})
        return method, path.format(case=made["id"]), {"json": body}

    return prepare


def disagreement(path: str, body: Any, **named: str) -> Callable[[Stage], Sent]:
    """Let m11 disagree with m12, f1 mediate and propose something, and new awards of m11 wait.

    Args:
        named: what the body has besides, from what is there: `{proposal}`.
    """

    def prepare(stage: Stage) -> Sent:
        said = {"disagreement": {"respondent": "m12", "about": "credit"}, "statement": "It is mine."}
        made = stage.send("POST", "./cases", said, token=stage.token_with("cases:write", member="m11"))
        there = f"./cases/{made['id']}"
        stage.send("PUT", f"{there}/mediator", {"member": "f1"})
        by = stage.token_with("cases:decide", member="f1")
        proposed = stage.send("POST", f"{there}/agreement", {"text": "Both names."}, token=by)["steps"][-1]["id"]
        held = stage.send("POST", f"{there}/holds", {"member": "m11", "reason": "Until it is clear."}, token=by)
        where = path.format(case=made["id"], hold=held["holds"][0]["id"])
        filled = {name: value.format(proposal=proposed) for name, value in named.items()}
        return "POST", where, {} if body is None else {"json": body | filled}

    return prepare


def odd(stage: Stage) -> Sent:
    """Post of m11 what counts less until somebody has looked at it, because it came so late."""
    record = stage.share(1, occurred_at="2020-01-01T00:00:00Z")
    return "POST", f"./records/{record['id']}/release", {}


def vouched(stage: Stage) -> Sent:
    """Let m11 post of m12 what came so late."""
    by = stage.token_with("evidence:write", member="m11")
    said = SHARED | {"member": "m12", "occurred_at": "2020-01-01T00:00:00Z"}
    record = stage.send("POST", "./contributions", said, token=by)
    return "POST", f"./records/{record['id']}/release", {}


def recorded(by: str | None) -> Callable[[Stage], Sent]:
    """Post something that m11 did, with the token of a member or of the network."""

    def prepare(stage: Stage) -> Sent:
        more = {"token": stage.token_with("evidence:write", member=by)} if by is not None else {}
        said = {"member": "m11", "type": "shared", "occurred_at": "2026-03-01T10:00:00Z"}
        record = stage.send("POST", "./contributions", said, **more)
        return "POST", f"./records/{record['id']}/void", {"json": {"reason": "A copy."}}

    return prepare


def corrected(by: str | None, of: str = "m11") -> Callable[[Stage], Sent]:
    """Correct something that was posted with the token of a member or of the network."""

    def prepare(stage: Stage) -> Sent:
        more = {"token": stage.token_with("evidence:write", member=by)} if by is not None else {}
        record = stage.send("POST", "./contributions", SHARED | {"member": of}, **more)
        path = f"./records/{record['id']}/correction"
        return "POST", path, {"json": {"changes": {"minutes": 5}} | WHY}

    return prepare


def corrected_in_lines(stage: Stage) -> Sent:
    record = stage.send("POST", "./contributions", SHARED)
    return lines("./corrections/bulk", {"record": record["id"], "changes": {"minutes": 5}} | WHY)


def judged_work(stage: Stage) -> Sent:
    stage.share(1)
    return "POST", "./evaluations", {"json": endorsed({"contribution": "m11-share-1"})}


def published(stage: Stage) -> Sent:
    stage.achievement()
    return "PUT", "./achievements/sharer/enrolments/m11", {"json": {"version": 1}}


def published_lines(stage: Stage) -> Sent:
    stage.achievement()
    return lines("./enrolments/bulk", {"achievement": "sharer", "member": "m11", "version": 1})


def asking_in_lines(stage: Stage) -> Sent:
    asking({})(stage)
    return lines("./awards/bulk", {"achievement": "sharer", "member": "m11"})


def drafted(method: str, path: str) -> Callable[[Stage], Sent]:
    def prepare(stage: Stage) -> Sent:
        stage.send("POST", "./achievements", DEFINED)
        body = {name: value for name, value in DEFINED.items() if name != "ref"}
        return method, path, {"json": body} if method in {"PUT", "PATCH"} else {}

    return prepare


def met(method: str) -> Callable[[Stage], Sent]:
    def prepare(stage: Stage) -> Sent:
        stage.send("PUT", "./sessions/s1", MET)
        return method, "./sessions/s1", {"json": {"title": "Drafts"}} if method == "PATCH" else {}

    return prepare


def aimed(method: str, path: str) -> Callable[[Stage], Sent]:
    def prepare(stage: Stage) -> Sent:
        stage.send("PUT", "./objectives/F1", AIM)
        return method, f"./objectives/F1{path}", {"json": {"text": "Other."}} if method == "PATCH" else {}

    return prepare


def expected(method: str) -> Callable[[Stage], Sent]:
    def prepare(stage: Stage) -> Sent:
        stage.send("PUT", "./expectations/e", EXPECTED)
        return method, "./expectations/e", {"json": {"name": "Other"}} if method == "PATCH" else {}

    return prepare


def ended(path: str, body: Any) -> Callable[[Stage], Sent]:
    def prepare(stage: Stage) -> Sent:
        stage.achievement()
        return "POST", f"./achievements/sharer/{path}", {"json": body}

    return prepare


def endorsed(about: Any) -> Any:
    return {"kind": "endorsement", "about": about, "skill": "feedback", "occurred_at": "2026-03-01T10:00:00Z"}


def guidelines(stage: Stage) -> Stage:
    agreeing.publish(stage)
    return stage


def held_until_accepted(stage: Stage) -> Sent:
    """Have evidence about m11 wait until they accept the guidelines."""
    agreeing.hold(guidelines(stage))
    stage.share(1)
    return "PATCH", "./guidelines/settings", {"json": {"acceptance": "remind"}}


def with_a_draft(method: str, path: str) -> Callable[[Stage], Sent]:
    def prepare(stage: Stage) -> Sent:
        agreeing.draft(stage)
        return method, path, {}

    return prepare


SHARED = {"member": "m11", "type": "shared", "occurred_at": "2026-03-01T10:00:00Z"}
RECORDED = {"basis": "recorded", "reason": "On paper.", "awarded_at": "2026-02-01T00:00:00Z"}
REFLECTED = {"kind": "reflection", "about": {"member": "m11"}, "text": "I see.", "occurred_at": "2026-03-01T10:00:00Z"}
MET = {"starts_at": "2026-03-01T10:00:00Z"}
RUBRIC = {
    "name": "Feedback",
    "levels": [{"level": 1, "name": "Yes"}],
    "criteria": [{"ref": "kind", "name": "Kind"}],
}
AIM = {"text": "Members share what works."}
EXPECTED = {"name": "Share", "rule": SHARE_TWICE, "period": {"every": "month"}}
WHY = {"reason": "It was somebody else."}
UPHELD = {"outcome": "upheld", "reason": "Once."}
DEFINED = {
    "ref": "writer",
    "name": "Writer",
    "description": "Writes.",
    "achievement_type": "Badge",
    "criteria": {"narrative": "Share two resources.", "rule": SHARE_TWICE},
    "award": "reviewed",
}
N, C = "/v1/networks/{slug}", "/v1/credentials/{credential_id}"
PUT_MEMBER, POST_MEMBER = f"PUT {N}/members/{{ref}}", f"POST {N}/members"
PATCH_MEMBER, PERSON = f"PATCH {N}/members/{{ref}}", f"PUT {N}/members/{{ref}}/person"
MEDIATOR, RESOLUTION = f"PUT {N}/cases/{{case_id}}/mediator", f"POST {N}/cases/{{case_id}}/resolution"
CORRECTION = f"POST {N}/records/{{record_id}}/correction"
CORRECTIONS = f"POST {N}/corrections/bulk"
GUIDE, UNDRAFTED, MISSING = f"{N}/guidelines", "guidelines-draft-unknown", "guidelines-draft-missing"
HOOK = f"{N}/webhooks/{{webhook_id}}"
ATTENDANCE, CODE = f"{N}/sessions/{{ref}}/attendance-code", attending.CODE
GOAL = f"{N}/goals/{{goal_id}}"
CYCLE, ANSWERS, WISH = f"{N}/needs-cycles/{{ref}}", f"{N}/needs-cycles/{{ref}}/answers", needing.LEARNS
CALLED = {"title": "Mentors", "closes_at": calling.CLOSES, "places": 2}
APPLICATION = "call-applications/{application}"
ROLE = {"roles": ["student"]}
JOINING = f"POST {N}/join-requests/{{request_id}}"

REFUSED = (
    # A claim is made by the network itself: with a member's token, for nobody.
    *(
        Call(
            f"POST {N}/members/{{ref}}/claims",
            what,
            at_once("POST", f"./members/{ref}/claims", {"by": by}),
            "claim-bound-token",
            other="claim-bound-token",
        )
        for what, ref, by in (("one's link", "m11", "mail"), ("a code", "m12", "paper"))
    ),
    Call(
        f"POST {N}/members/{{ref}}/claims/undoing",
        "a claim",
        at_once("POST", "./members/m12/claims/undoing", {"reason": "The slips were mixed up."}),
        "claim-bound-token",
        other="claim-bound-token",
        network="claim-unused",
    ),
    Call(
        f"POST {N}/claims/sheet",
        "codes",
        at_once("POST", "./claims/sheet", {"members": ["m12"]}),
        "claim-bound-token",
        other="claim-bound-token",
    ),
    # What one claims to have attended.
    Call(
        f"POST {N}/attendance-claims/{{claim_id}}/approval",
        "one's own",
        attendance("POST", "./attendance-claims/{claim}/approval", {}, claim=True),
        SELF,
    ),
    Call(
        f"POST {N}/attendance-claims/{{claim_id}}/refusal",
        "one's own",
        attendance("POST", "./attendance-claims/{claim}/refusal", WHY, claim=True),
        SELF,
    ),
    # That one asked to join.
    Call(f"{JOINING}/acceptance", "one's own", asks_to_join("acceptance", {"ref": "m11"}), SELF),
    Call(f"{JOINING}/refusal", "one's own", asks_to_join("refusal", WHY), SELF),
    # Whether one's goal was met, and who is one's buddy.
    Call(
        f"POST {GOAL}/answer",
        "one's own goal",
        goal("POST", "./goals/{goal}/answer", {"met": True}, met=True),
        SELF,
        network="scope-missing",
    ),
    Call(
        f"POST {GOAL}/buddy-answer",
        "for one's own goal",
        goal("POST", "./goals/{goal}/buddy-answer", {"accepts": True}, shared_with="buddy", buddy="f1"),
        "buddy-not-asked",
        network="scope-missing",
    ),
    # What one applied for.
    Call(
        f"POST {N}/call-applications/{{application_id}}/decisions",
        "one's own",
        applied("POST", "./call-applications/{application}/decisions", {"outcome": "waiting"}),
        SELF,
        network="decider-unbound",
    ),
    Call(
        f"POST {N}/call-applications/{{application_id}}/questions/{{question_id}}/answer",
        "one's own",
        applied("POST", f"./{APPLICATION}/questions/{{question}}/answer", {"answer": "Yes."}, asked=True),
        SELF,
    ),
    Call(
        f"POST {N}/calls/{{ref}}/proposals",
        "oneself",
        applied("POST", f"{calling.CALL}/proposals", {"include": [{"application": "{application}", "reason": "Me."}]}),
        SELF,
    ),
    # Roles, and who is who: two refs of one person are one in every other row.
    Call(PUT_MEMBER, "roles", at_once("PUT", "./members/m11", ROLE), SELF),
    Call(PUT_MEMBER, "where one works", at_once("PUT", "./members/m11", {"organization": "Hill"}), SELF),
    Call(PUT_MEMBER, "to be somebody else", at_once("PUT", "./members/m11", {"email": "x@river.example.org"}), SELF),
    Call(PUT_MEMBER, "to be nobody", at_once("PUT", "./members/m11", {"email": None}), SELF),
    Call(PUT_MEMBER, "to be another, too", at_once("PUT", "./members/m12", {"email": "one@river.example.org"}), SELF),
    Call(PUT_MEMBER, "a new ref", at_once("PUT", "./members/m99", ROLE | {"email": "one@river.example.org"}), SELF),
    Call(PATCH_MEMBER, "roles", at_once("PATCH", "./members/m11", ROLE), SELF),
    Call(
        PATCH_MEMBER, "to be another, too", at_once("PATCH", "./members/m12", {"email": "one@river.example.org"}), SELF
    ),
    Call(PERSON, "to be only oneself", at_once("PUT", "./members/m11/person", {"same_as": None}), SELF),
    Call(PERSON, "to be another, too", at_once("PUT", "./members/m12/person", {"same_as": "m11"}), SELF),
    Call(POST_MEMBER, "roles", at_once("POST", "./members", ROLE | {"ref": "m11"}), SELF),
    Call(f"{POST_MEMBER} (lines)", "roles", lambda _stage: lines("./members", ROLE | {"ref": "m11"}), SELF),
    Call(f"{POST_MEMBER}/bulk", "roles", lambda _stage: lines("./members/bulk", ROLE | {"ref": "m11"}), SELF),
    # Evidence: what others recorded.
    Call(
        f"POST {N}/evaluations",
        "of oneself",
        at_once("POST", "./evaluations", endorsed({"member": "m11"})),
        "self-evaluation",
        network="evaluator-missing",
    ),
    Call(f"POST {N}/evaluations", "of one's contribution", judged_work, "self-evaluation", network="evaluator-missing"),
    Call(
        f"POST {N}/evaluations (lines)",
        "of oneself",
        lambda _stage: lines("./evaluations", endorsed({"member": "m11"})),
        "self-evaluation",
        network="evaluator-missing",
    ),
    Call(
        f"POST {N}/evaluations/bulk",
        "of oneself",
        lambda _stage: lines("./evaluations/bulk", endorsed({"member": "m11"})),
        "self-evaluation",
        network="evaluator-missing",
    ),
    Call(
        f"POST {N}/records/{{record_id}}/void",
        "what the network recorded",
        recorded(None),
        "record-not-own",
        other="record-not-own",
    ),
    Call(
        f"POST {N}/records/{{record_id}}/void",
        "what a colleague recorded",
        recorded("f2"),
        "record-not-own",
        other="record-not-own",
    ),
    Call(CORRECTION, "what the network recorded", corrected(None), SELF, other="record-not-own"),
    Call(CORRECTION, "what a colleague recorded", corrected("f2"), SELF, other="record-not-own"),
    Call(CORRECTIONS, "what the network recorded", corrected_in_lines, SELF, other="record-not-own"),
    Call(CORRECTION, "one's own word", corrected("m11"), SELF, other="record-not-own"),
    Call(f"POST {N}/records/{{record_id}}/release", "what is odd", odd, SELF),
    Call(f"POST {N}/records/{{record_id}}/release", "one's own word on others", vouched, SELF),
    # By which version one is judged.
    Call(f"PUT {N}/achievements/{{ref}}/enrolments/{{member}}", "a version", published, SELF),
    Call(f"PATCH {N}/guidelines/settings", "that one's own evidence need not wait", held_until_accepted, SELF),
    Call(f"POST {N}/enrolments/bulk", "a version", published_lines, SELF),
    # Awards.
    Call(f"POST {N}/awards", "by rule", asking({}), SELF),
    Call(f"POST {N}/awards/bulk", "by rule", asking_in_lines, SELF),
    Call(f"POST {N}/awards", "by override", asking({"basis": "override", "reason": "Known."}), SELF),
    Call(f"POST {N}/awards", "recorded", asking(RECORDED), SELF),
    Call(
        f"POST {N}/awards/{{award_id}}/renewal",
        "a further term",
        award("./awards/{award}/renewal", valid_for="P1Y"),
        SELF,
    ),
    Call(
        f"POST {N}/awards/{{award_id}}/undoing",
        "a pending one",
        award("./awards/{award}/undoing", WHY, cooling_off="P3D"),
        SELF,
    ),
    Call(f"POST {N}/approvals", "to be approved", asked, SELF),
    Call(
        f"POST {N}/approvals/{{approval_id}}/approval",
        "by criteria",
        decided("approval", {}),
        SELF,
        network="scope-missing",
    ),
    Call(f"POST {N}/approvals/{{approval_id}}/approval", "as second person", second, SELF, network="scope-missing"),
    Call(
        f"POST {N}/approvals/{{approval_id}}/refusal",
        "by criteria",
        decided("refusal", WHY),
        SELF,
        network="scope-missing",
    ),
    Call(f"POST {N}/approvals/several", "one of them", several, SELF, network="scope-missing"),
    # Standing.
    Call(f"POST {C}/revocation", "one's badge", award("/v1/credentials/{credential}/revocation", WHY), SELF),
    Call(f"POST {C}/suspension", "one's badge", award("/v1/credentials/{credential}/suspension", WHY), SELF),
    Call(f"POST {C}/reinstatement", "one's badge", suspended, SELF),
    Call(f"POST {C}/replacement", "one's badge", award("/v1/credentials/{credential}/replacement", WHY), SELF),
    # Cases, of the one who contests and of the one whose decision is contested.
    Call(MEDIATOR, "in one's case", case("./cases/{case}/mediator", {"member": "f2"}, "PUT"), SELF),
    Call(MEDIATOR, "on one's decision", contested("./cases/{case}/mediator", {"member": "f2"}, "PUT"), SELF),
    Call(
        RESOLUTION,
        "one's case",
        case("./cases/{case}/resolution", UPHELD, mediator="f1"),
        SELF,
        network="scope-missing",
    ),
    # Disagreements: who is a party neither proposes nor says whose awards wait.
    Call(
        f"POST {N}/cases/{{case_id}}/agreement",
        "in one's case",
        disagreement("./cases/{case}/agreement", {"text": "Both names, by the alphabet."}),
        "not-the-mediator",
        network="scope-missing",
    ),
    Call(
        f"POST {N}/cases/{{case_id}}/holds",
        "on one's awards",
        disagreement("./cases/{case}/holds", {"member": "m11", "reason": "Until it is clear."}),
        SELF,
    ),
    Call(
        f"POST {N}/cases/{{case_id}}/holds/{{hold_id}}/release",
        "of one's awards",
        disagreement("./cases/{case}/holds/{hold}/release", None),
        SELF,
    ),
    # A badge: peers recognise it, each for themself.
    Call(
        f"POST {N}/credentials/{{credential_id}}/endorsements",
        "of one's badge",
        award("./credentials/{credential}/endorsements", {"member": "m12"}),
        SELF,
        other="endorsement-not-own",
    ),
    Call(
        f"POST {N}/credentials/{{credential_id}}/endorsements/{{endorsement_id}}/withdrawal",
        "of one's badge",
        peers,
        SELF,
        other="endorsement-not-own",
    ),
    Call(
        RESOLUTION,
        "on one's decision",
        contested("./cases/{case}/resolution", UPHELD, mediator="f1"),
        SELF,
        network="scope-missing",
    ),
)
"""What is refused to oneself, and done by others: the fourth value is the code."""

THEIRS = (
    # Goals: a member does this with their own only.
    Call(
        f"POST {N}/goals",
        "a goal",
        at_once("POST", "./goals", {"title": "Four drafts", "due_on": "2026-03-31"}),
        "ok",
        network="scope-missing",
    ),
    *(
        Call(f"{method} {path}", "one's goal", goal(method, there, body), "ok", other=other, network="scope-missing")
        for method, path, there, body, other in (
            ("PATCH", GOAL, "./goals/{goal}", {"title": "Five drafts"}, "goal-not-own"),
            ("DELETE", GOAL, "./goals/{goal}", None, "goal-unknown"),
            ("POST", f"{GOAL}/check-ins", "./goals/{goal}/check-ins", {"progress": 0.5}, "goal-not-own"),
            (
                "DELETE",
                f"{GOAL}/check-ins/{{check_in_id}}",
                "./goals/{goal}/check-ins/{check_in}",
                None,
                "goal-not-own",
            ),
            ("POST", f"{GOAL}/closing", "./goals/{goal}/closing", {"closed_as": "partly"}, "goal-not-own"),
        )
    ),
    Call(
        f"POST {GUIDE}/versions/{{number}}/acceptances",
        "one's own",
        lambda stage: at_once("POST", "./guidelines/versions/1/acceptances", {"member": "m11"})(guidelines(stage)),
        "ok",
        other="acceptance-on-behalf",
        network="acceptance-on-behalf",
    ),
    # A name is one's own.
    Call(PUT_MEMBER, "the name", at_once("PUT", "./members/m11", {"name": "Ana"}), "ok"),
    Call(PATCH_MEMBER, "the name", at_once("PATCH", "./members/m11", {"name": "Ana"}), "ok"),
    Call(f"DELETE {N}/members/{{ref}}", "what is held of one", at_once("DELETE", "./members/m11"), "ok"),
    Call(f"DELETE {N}/members/{{ref}}/return", "a return", at_once("DELETE", "./members/m11/return"), "return-unknown"),
    Call(POST_MEMBER, "the name", at_once("POST", "./members", {"ref": "m11", "name": "Ana"}), "ok"),
    Call(f"{POST_MEMBER} (lines)", "the name", lambda _stage: lines("./members", {"ref": "m11", "name": "Ana"}), "ok"),
    Call(f"{POST_MEMBER}/bulk", "the name", lambda _stage: lines("./members/bulk", {"ref": "m11", "name": "A"}), "ok"),
    # One's own word counts as such, and one can take it back.
    Call(f"POST {N}/contributions", "what one did", at_once("POST", "./contributions", SHARED), "ok"),
    Call(f"POST {N}/contributions (lines)", "what one did", lambda _stage: lines("./contributions", SHARED), "ok"),
    Call(f"POST {N}/contributions/bulk", "what one did", lambda _stage: lines("./contributions/bulk", SHARED), "ok"),
    Call(f"POST {N}/evaluations/bulk", "what one thinks", lambda _stage: lines("./evaluations/bulk", REFLECTED), "ok"),
    Call(f"POST {N}/evaluations", "what one thinks", at_once("POST", "./evaluations", REFLECTED), "ok"),
    Call(f"POST {N}/evaluations (lines)", "what one thinks", lambda _stage: lines("./evaluations", REFLECTED), "ok"),
    Call(f"POST {N}/records/{{record_id}}/void", "what one said", recorded("m11"), "ok"),
    Call(CORRECTION, "what one said of others", corrected("m11", "m12"), "ok"),
    # What one wants to learn and can offer.
    Call(f"PUT {ANSWERS}/{{member}}", "one's answer", surveyed("PUT", "answers/m11", WISH), "ok"),
    Call(f"PUT {ANSWERS}/{{member}}", "of others", surveyed("PUT", "answers/m12", WISH), "needs-answer-others"),
    Call(f"DELETE {ANSWERS}/{{member}}", "one's answer", surveyed("DELETE", "answers/m11"), "ok"),
    Call(f"POST {ANSWERS}", "one's answer", surveyed("POST", "answers", {"answers": [{"member": "m11"} | WISH]}), "ok"),
    # An appeal is one's own.
    Call(
        f"POST {N}/cases",
        "a refusal",
        lambda stage: (
            stage.achievement(),
            ("POST", "./cases", {"json": {"achievement": "sharer", "statement": "Twice."}}),
        )[1],
        "ok",
    ),
    Call(
        f"POST {N}/cases/{{case_id}}/statements",
        "a statement",
        case("./cases/{case}/statements", {"text": "More."}),
        "ok",
    ),
    Call(
        f"POST {N}/cases/{{case_id}}/steps/{{step_id}}/erasure",
        "a statement",
        case("./cases/{case}/steps/{step}/erasure", None),
        "ok",
    ),
    Call(
        f"PUT {N}/calls/{{ref}}/applications/{{member}}",
        "an application",
        called("PUT", "/applications/m11", calling.words()),
        "ok",
    ),
    Call(
        f"POST {N}/call-applications/{{application_id}}/withdrawal",
        "an application",
        applied("POST", f"./{APPLICATION}/withdrawal"),
        "ok",
    ),
    Call(
        f"POST {N}/call-applications/{{application_id}}/questions",
        "a question",
        applied("POST", f"./{APPLICATION}/questions", {"question": "And how?"}, asked=True),
        "ok",
    ),
    Call(f"POST {N}/cases/{{case_id}}/escalation", "to another mediator", case("./cases/{case}/escalation", {}), "ok"),
    Call(f"POST {N}/cases/{{case_id}}/withdrawal", "one's case", case("./cases/{case}/withdrawal", None), "ok"),
    Call(
        f"POST {N}/cases/{{case_id}}/agreement/acceptance",
        "an agreement",
        disagreement("./cases/{case}/agreement/acceptance", {}, proposal="{proposal}"),
        "ok",
        other="not-a-party",
        network="scope-missing",
    ),
)
"""What is one's own to decide."""

OF_NOBODY = (
    # A meeting, a file and a definition are for everybody in the network.
    Call(f"PUT {N}/sessions/{{ref}}", "a meeting", at_once("PUT", "./sessions/s1", MET), "ok"),
    Call(f"PATCH {N}/sessions/{{ref}}", "a meeting", met("PATCH"), "ok"),
    Call(f"PUT {GUIDE}/draft", "a draft", at_once("PUT", "./guidelines/draft", {"title": "x", "sections": {}}), "ok"),
    Call(f"DELETE {GUIDE}/draft", "a draft", with_a_draft("DELETE", "./guidelines/draft"), "ok", UNDRAFTED, UNDRAFTED),
    Call(
        f"POST {GUIDE}/draft/publication",
        "a draft",
        with_a_draft("POST", "./guidelines/draft/publication"),
        "ok",
        MISSING,
        MISSING,
    ),
    Call(f"PUT {N}/calls/{{ref}}", "a call", called("PUT", "", CALLED), "ok"),
    Call(f"PATCH {N}/calls/{{ref}}", "a call", called("PATCH", "", {"places": 3}), "ok"),
    Call(f"POST {N}/calls/{{ref}}/closing", "a call", called("POST", "/closing"), "ok"),
    Call(f"PUT {N}/rubrics/{{ref}}", "by what is judged", at_once("PUT", "./rubrics/feedback", RUBRIC), "ok"),
    Call(f"DELETE {N}/sessions/{{ref}}", "a meeting", met("DELETE"), "ok"),
    Call(f"PUT {N}/objectives/{{ref}}", "an aim", at_once("PUT", "./objectives/F1", AIM), "ok"),
    Call(f"PATCH {N}/objectives/{{ref}}", "an aim", aimed("PATCH", ""), "ok"),
    Call(f"DELETE {N}/objectives/{{ref}}", "an aim", aimed("DELETE", ""), "ok"),
    Call(f"POST {N}/objectives/{{ref}}/retirement", "an aim", aimed("POST", "/retirement"), "ok"),
    Call(f"POST {N}/objectives/{{ref}}/reinstatement", "an aim", aimed("POST", "/reinstatement"), "ok"),
    Call(f"PUT {N}/expectations/{{ref}}", "of everybody", at_once("PUT", "./expectations/e", EXPECTED), "ok"),
    Call(f"PATCH {N}/expectations/{{ref}}", "of everybody", expected("PATCH"), "ok"),
    Call(f"DELETE {N}/expectations/{{ref}}", "of everybody", expected("DELETE"), "ok"),
    Call(f"POST {N}/sessions", "a meeting", at_once("POST", "./sessions", MET | {"ref": "s1"}), "ok"),
    Call(f"POST {N}/sessions/bulk", "a meeting", lambda _stage: lines("./sessions/bulk", MET | {"ref": "s1"}), "ok"),
    Call(f"PUT {CYCLE}", "a survey", at_once("PUT", needing.HERE, needing.ASKED), "ok"),
    Call(f"PATCH {CYCLE}", "a survey", surveyed("PATCH", "", {"title": "Another"}), "ok"),
    Call(f"POST {CYCLE}/closing", "a survey", surveyed("POST", "closing"), "ok"),
    Call(f"POST {CYCLE}/links", "links to a survey", surveyed("POST", "links", {"members": ["m12"]}), "ok"),
    Call(f"DELETE {CYCLE}", "a survey", surveyed("DELETE", "", answered=False), "ok"),
    Call(
        "POST /v1/blobs",
        "a file",
        lambda _stage: ("POST", "/v1/blobs", {"files": {"file": ("a.txt", b"a", "text/plain")}}),
        "ok",
    ),
    Call(f"POST {N}/achievements", "a definition", at_once("POST", "./achievements", DEFINED), "ok"),
    Call(f"PUT {N}/achievements/{{ref}}", "a definition", drafted("PUT", "./achievements/writer"), "ok"),
    Call(f"PATCH {N}/achievements/{{ref}}", "a definition", drafted("PATCH", "./achievements/writer"), "ok"),
    Call(f"DELETE {N}/achievements/{{ref}}", "a definition", drafted("DELETE", "./achievements/writer"), "ok"),
    Call(f"POST {N}/achievements/{{ref}}/retirement", "a definition", ended("retirement", WHY), "ok"),
    Call(f"POST {N}/achievements/{{ref}}/reinstatement", "a definition", ended("reinstatement", {}), "ok"),
    Call(
        f"POST {N}/achievements/{{ref}}/publication",
        "a definition",
        drafted("POST", "./achievements/writer/publication"),
        "ok",
    ),
    Call(f"POST {N}/activation", "a network", at_once("POST", "./activation"), "network-informal"),
    Call(f"PUT {N}/kind", "a network", at_once("PUT", "./kind", {"kind": "informal"}), "ok"),
    Call(f"PUT {N}/listing", "a network", at_once("PUT", "./listing", {}), "ok"),
    # These only look.
    Call(
        f"POST {N}/achievements/{{ref}}/dry-run",
        "who would earn it",
        at_once(
            "POST",
            "./achievements/writer/dry-run",
            {"definition": {name: DEFINED[name] for name in DEFINED if name != "ref"}},
        ),
        "ok",
    ),
    Call(f"POST {N}/awards/{{award_id}}/replay", "one's award", award("./awards/{award}/replay"), "ok"),
    # Networks and tokens are an admin's, whose token belongs to no network, so to no member.
    Call("POST /v1/networks", "a network", at_once("POST", "/v1/networks", {}), "scope-missing"),
    Call(f"PATCH {N}", "a network", at_once("PATCH", ".", {}), "scope-missing"),
    Call(f"PUT {N}/history", "a network", at_once("PUT", "./history", {}), "scope-missing"),
    Call(f"PUT {N}/confirmation", "a network", at_once("PUT", "./confirmation", {}), "scope-missing"),
    Call(f"DELETE {N}/confirmation", "a network", at_once("DELETE", "./confirmation"), "scope-missing"),
    Call(f"PUT {N}/listing/removal", "a network", at_once("PUT", "./listing/removal", WHY), "scope-missing"),
    Call(f"DELETE {N}/listing/removal", "a network", at_once("DELETE", "./listing/removal"), "scope-missing"),
    Call(f"POST {N}/closure", "a network", at_once("POST", "./closure"), "scope-missing"),
    Call(f"POST {N}/keys/rotation", "keys", at_once("POST", "./keys/rotation"), "scope-missing"),
    Call(
        f"POST {N}/compromised-keys",
        "keys",
        at_once("POST", "./compromised-keys", {"kids": ["x"], "since": "2026-01-01T00:00:00Z"}),
        "scope-missing",
    ),
    Call(
        f"POST {N}/tokens",
        "a token of nobody",
        at_once("POST", "./tokens", {"name": "x", "scopes": ["read"]}),
        "scope-missing",
    ),
    Call(f"DELETE {N}/tokens/{{token_id}}", "a token", at_once("DELETE", f"./tokens/{NOBODY}"), "scope-missing"),
    Call(
        f"POST {N}/tokens/{{token_id}}/revocation",
        "a token",
        at_once("POST", f"./tokens/{NOBODY}/revocation", {}),
        "scope-missing",
    ),
    Call(
        f"POST {N}/tokens/{{token_id}}/quarantine",
        "a token",
        at_once("POST", f"./tokens/{NOBODY}/quarantine", WHY | {"outcome": "release"}),
        "scope-missing",
    ),
    # By what people say that they attended.
    Call(
        f"POST {ATTENDANCE}",
        "a code",
        lambda stage: at_once("POST", CODE, {})(a_session(stage)),
        "ok",
    ),
    Call(f"POST {ATTENDANCE}/rotation", "a code", attendance("POST", f"{CODE}/rotation"), "ok"),
    Call(f"DELETE {ATTENDANCE}", "a code", attendance("DELETE", CODE), "ok"),
    Call(f"POST {ATTENDANCE}/sheet", "a code", attendance("POST", f"{CODE}/sheet", {"code": "{code}"}), "ok"),
    # Where events go.
    Call(
        f"POST {N}/webhooks",
        "an address",
        at_once("POST", "./webhooks", {"url": "http://river.example.org"}),
        "address-refused",
    ),
    Call(f"PATCH {HOOK}", "an address", at_once("PATCH", f"./webhooks/{NOBODY}", {}), "webhook-unknown"),
    Call(f"DELETE {HOOK}", "an address", at_once("DELETE", f"./webhooks/{NOBODY}"), "webhook-unknown"),
    Call(f"POST {HOOK}/secret", "a secret", at_once("POST", f"./webhooks/{NOBODY}/secret", {}), "webhook-unknown"),
    Call(f"POST {HOOK}/ping", "a test", at_once("POST", f"./webhooks/{NOBODY}/ping"), "webhook-unknown"),
    Call(
        f"POST {HOOK}/replay", "events", at_once("POST", f"./webhooks/{NOBODY}/replay", {"after": 0}), "webhook-unknown"
    ),
    Call(
        f"POST {HOOK}/deliveries/{{event_id}}/redelivery",
        "an event",
        at_once("POST", f"./webhooks/{NOBODY}/deliveries/{NOBODY}/redelivery"),
        "webhook-unknown",
    ),
)
"""What is about no member."""

MATRIX = (*REFUSED, *THEIRS, *OF_NOBODY)
WITHOUT_TOKEN = {
    "POST /v1/verifications": "a stranger checks a badge",
    "POST /v1/verification-batches": "a stranger checks badges",
    "POST /verify": "a stranger checks a badge",
    "POST /verify/batch": "a stranger checks badges",
    "POST /verify/bundle": "a stranger keeps a badge",
    "POST /verify/receipt.{form}": "a stranger keeps a check",
    "POST /verify/confirmations": "a stranger asks the recipient",
    "POST /confirm/{secret}": "the recipient answers, as only they can",
    "POST /claim": "a person looks at what a code offers",
    "POST /claim/on-paper": "a person claims with a code",
    "POST /claim/name": "a person puts their name on their badges",
    "POST /claim/address": "a person adds an address to their account",
    "POST /claim/undo/{secret}": "the address undoes a claim",
    "POST /claim/{link}": "a person claims with a mailed link",
    "POST /claim/{link}/again": "a link is sent again to the same address",
    "POST /return": "somebody who is signed in asks for what is theirs, and two others decide",
    "POST /return/stop": "somebody who is signed in stops what they asked for, or what takes from them",
    "POST /return/stop/{secret}": "someone who reads the old address stops it",
    "POST /way-out/{secret}": "someone who reads an address that was removed signs everybody out of the account",
    "POST /vouch/{secret}": "somebody who is signed in vouches for somebody else, by rules of its own",
    "POST /opened/{secret}": "an employer opens what somebody opened to them",
    "POST /shown/{secret}": "an authority looks at what somebody showed it",
    "POST /needs/{secret}": "a member answers by a link that was made for them",
    "POST /needs/{secret}/change": "a member looks at what they answered by their link",
    "POST /needs/{secret}/withdrawal": "a member takes back by their link what they answered",
    "POST /oauth/token": "a program exchanges a token of its own for a short one, and decides nothing",
    "POST /language": "a visitor chooses a language",
    "POST /vc/credentials/issue": "a machine with a token of the settings, signed as nobody",
    "POST /vc/credentials/verify": "a machine with a token of the settings",
    "POST /vc/presentations/verify": "a machine with a token of the settings",
    "POST /vc/credentials/status": "a machine with a token of the settings",
}
"""Operations that know no token of a member."""


# --- Every operation has its row -----------------------------------------------------------------------------------


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """Yield every route of an app, those of the routers in it too."""
    for route in app.routes:
        router = getattr(route, "original_router", None)
        yield from (each for each in (router.routes if router is not None else [route]) if isinstance(each, APIRoute))


def dependencies(of: Dependant) -> Iterator[Any]:
    """Yield what a route asks for, directly or not."""
    yield of.call
    for each in of.dependencies:
        yield from dependencies(each)


def operation(route: APIRoute) -> str:
    assert route.methods is not None
    (method,) = route.methods
    return f"{method} {route.path}{' (lines)' if isinstance(route, MixedRoute) else ''}"


def application() -> FastAPI:
    """Return an app with every route that there can be."""
    app = FastAPI()
    routes.include(app, settings.load(_env_file=None, vc_api=True))
    return app


@pytest.fixture(scope="module")
def operations() -> dict[str, APIRoute]:
    """Every operation that does not only look."""
    return {operation(route): route for route in routes_of(application()) if route.methods != {"GET"}}


def test_every_operation_says_whether_one_may_do_it_to_oneself(operations: dict[str, APIRoute]) -> None:
    own = {name for name, route in operations.items() if isinstance(route, PersonalRoute)}
    assert {each.operation for each in MATRIX} | WITHOUT_TOKEN.keys() | own == operations.keys()


def test_what_has_no_row_for_a_token_reads_none(operations: dict[str, APIRoute]) -> None:
    asked = {name for name, route in operations.items() if requests.caller in dependencies(route.dependant)}
    assert asked == {each.operation for each in MATRIX}


def test_what_only_looks_cannot_write() -> None:
    looking = [route for route in routes_of(application()) if route.methods == {"GET"}]
    assert looking
    assert [route.path for route in looking if requests.writer in dependencies(route.dependant)] == []


# --- The matrix ----------------------------------------------------------------------------------------------------


def rows(runtime: Runtime) -> dict[str, list[Any]]:
    """Return everything that the database holds, but for the traces of a refusal."""
    with runtime.database.read() as session:
        return {
            table.name: sorted(each for each in map(repr, session.execute(select(table))) if SETTLED not in each)
            for table in Row.metadata.sorted_tables
            if table.name not in WRITING
        }


def verdict(answer: Any) -> str:
    """Return the code with which a request was refused, or the first thing that it asked for; else "ok"."""
    if answer.status_code >= 400:
        return str(answer.json()["code"])
    if answer.status_code == 204 or answer.headers["content-type"] == "application/pdf":
        return "ok"
    if answer.headers["content-type"].startswith("application/x-ndjson"):
        line, *_ = map(json.loads, answer.text.splitlines())
        return str(line.get("problem", {}).get("code", "ok"))
    first, *_ = answer.json().get("items") or [{}]
    return str(first.get("code", "ok"))


@pytest.mark.any_database("who may act on whom is decided in the code")
@pytest.mark.parametrize("each", REFUSED, ids=lambda each: each.name)
def test_nobody_decides_on_themself_whatever_scopes_and_refs_they_have(
    stage: Stage, operations: dict[str, APIRoute], each: Call
) -> None:
    method, path, more = each.prepare(stage)
    tokens = {ref: stage.token_with(*NETWORK_SCOPES, member=ref) for ref in ("m11", "m11-again", "f1")}
    before = rows(stage.runtime)
    for ref in ("m11", "m11-again"):
        answer = stage.call(method, path, tokens[ref], **more)
        assert operations[each.operation].path_regex.match(answer.request.url.path)
        assert verdict(answer) == each.own
    assert rows(stage.runtime) == before
    assert verdict(stage.call(method, path, tokens["f1"], **more)) == each.other
    assert verdict(stage.call(method, path, **more)) == each.network


@pytest.mark.any_database("who may act on whom is decided in the code")
@pytest.mark.parametrize("each", [*THEIRS, *OF_NOBODY], ids=lambda each: each.name)
def test_what_is_ones_own_or_nobodys_is_refused_to_nobody_as_oneself(
    stage: Stage, operations: dict[str, APIRoute], each: Call
) -> None:
    method, path, more = each.prepare(stage)
    answer = stage.call(method, path, stage.token_with(*NETWORK_SCOPES, member="m11"), **more)
    assert operations[each.operation].path_regex.match(answer.request.url.path)
    assert verdict(answer) == each.own


# --- What the rule says --------------------------------------------------------------------------------------------


def test_the_refusal_says_who_can_do_it_instead(stage: Stage) -> None:
    token = stage.token_with("members:write", member="m11")
    answer = stage.call("PUT", "./members/m11", token, json=ROLE)
    assert (answer.status_code, answer.json()["code"]) == (403, SELF)
    said = "Expected somebody else, or a token that is bound to no member: nobody decides for themself."
    assert answer.json()["detail"] == said


def test_a_line_about_oneself_is_refused_alone(stage: Stage) -> None:
    several = "".join(json.dumps({"ref": ref} | ROLE) + "\n" for ref in ("m12", "m11", "m13"))
    token = stage.token_with("members:write", member="m11")
    headers = {"Content-Type": "application/x-ndjson"}
    answer = stage.call("POST", "./members", token, content=several, headers=headers)
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == ["accepted", "rejected", "accepted"]
    assert [role["role"] for role in stage.send("GET", "./members/m11")["roles"]] == list(ROLES)


@pytest.mark.parametrize("ref", ["m11", "m11-again"])
def test_what_one_says_of_oneself_is_ones_own_word_whatever_role_one_has(stage: Stage, ref: str) -> None:
    token = stage.token_with("evidence:write", member=ref)
    assert stage.send("POST", "./contributions", SHARED, token=token)["tier"] == 0
    method, path, more = lines("./contributions", SHARED | {"ref": "again"})
    stage.call(method, path, token, **more)
    assert stage.send("GET", "./contributions/again")["tier"] == 0


def act_of(session: Any, ref: str, slug: str = "river") -> tuple[Act, Member]:
    network = session.scalars(select(Network).where(Network.slug == slug)).one()
    member = session.scalars(select(Member).where(Member.network_id == network.id, Member.ref == ref)).one()
    caller = Caller(member.id, network.id, member.id, frozenset(NETWORK_SCOPES))
    return Act(session, network, caller, member.enrolled_at), member


@pytest.mark.parametrize("known", ["email", "did"])
def test_who_has_an_address_or_did_of_ones_own_in_another_network_is_oneself(stage: Stage, known: str) -> None:
    value = {"email": "x@hill.example.org", "did": "did:web:x.example"}[known]
    stage.member("x1", **{known: value})
    hill = Stage.set_up(stage.client, stage.runtime, "hill")
    hill.member("y1", **{known: value})
    hill.member("y2", email="y2@hill.example.org")
    with stage.runtime.database.write() as session:
        act, _ = act_of(session, "x1")
        act.decides_on(act_of(session, "y2", "hill")[1].id)
        with pytest.raises(ForbiddenError) as refused:
            act.decides_on(None, act_of(session, "y1", "hill")[1].id, pointer="/member")
    assert (refused.value.code, refused.value.pointer) == (SELF, "/member")


def test_members_of_whom_nothing_is_known_are_somebody_else(stage: Stage) -> None:
    with stage.runtime.database.write() as session:
        act, member = act_of(session, "m12")
        act.decides_on(act_of(session, "f2")[1].id, None)
        with pytest.raises(ForbiddenError):
            act.decides_on(member.id)
        act.by_service().decides_on(member.id)
