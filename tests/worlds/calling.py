"""A network that calls for participants, and people who apply."""

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from sqlalchemy import select

from service.access.act import Act
from service.accounts import accounts
from service.participation.calls import applications
from service.participation.calls.answers import CallApplicationIn
from service.runtime.runtime import Runtime
from service.tables import Network
from tests.worlds.awarding import Stage, once
from tests.worlds.claiming import account_with
from tests.worlds.runtimes import BASE_URL, app_of

REF = "mentors"
CALL = f"./calls/{REF}"
CLOSES = "2026-04-01T00:00:00Z"
STRANGER = "somebody@hill.example.org"
TOPICS = [{"name": "Feedback", "objectives": []}, {"name": "Writing", "objectives": []}]
ASKED = {"topics": TOPICS, "readiness": ["I can come to every meeting."]}


@once
def laid(stage: Stage) -> None:
    """Let there be members: m11 and m12 may apply, f1 and f2 decide, s1 is a student."""
    stage.member("m11", email="m11@river.example.org", name="Member 11")
    stage.member("m12", name="Member 12")
    stage.member("f1", roles=["facilitator"])
    stage.member("f2", roles=["approver"])
    stage.member("s1", email="s1@river.example.org", roles=["student"])


def stage_of(runtime: Runtime) -> Stage:
    """Return a stage with members, whose app has nothing going on beside it."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    laid(stage)
    stage.laid.clear()  # who applies here on a page makes no request, and must not be laid for another test
    return stage


def posted(stage: Stage, ref: str = REF, **said: Any) -> Any:
    """Post a call that is open, and return it."""
    body = {"title": "Mentors for new teachers", "closes_at": CLOSES, "places": 2} | ASKED | said
    return stage.send("PUT", f"./calls/{ref}", body)


def words(level: int = 2, readiness: int = 3, **said: Any) -> dict[str, Any]:
    """Return what somebody says who applies."""
    expertise = [{"topic": "Feedback", "level": level}]
    return {"statement": "I have led a group.", "expertise": expertise, "readiness": [readiness]} | said


def applied(stage: Stage, member: str = "m11", token: str | None = None, *, ref: str = REF, **said: Any) -> Any:
    """Apply for a member, and return the application."""
    answer = stage.call("PUT", f"./calls/{ref}/applications/{member}", token, json=words(**said))
    assert answer.is_success, answer.text
    return answer.json()


def applied_outside(runtime: Runtime, address: str = STRANGER, name: str = "Somebody", **said: Any) -> UUID:
    """Apply as somebody with an account who is no member; return the id of the application."""
    account_id = account_with(runtime, address)
    with runtime.database.write() as session:
        accounts.locked(session, account_id)
        network = session.scalars(select(Network).where(Network.slug == "river")).one()
        act = Act(session, network, None, runtime.now())
        body = CallApplicationIn.model_validate(words(**said))
        return applications.apply_with_account(act, REF, account_id, name, body)[0].id


def decided(stage: Stage, application_id: Any, token: str, outcome: str = "accepted", **said: Any) -> Any:
    """Decide on an application, and return the answer."""
    body = {"outcome": outcome} | said
    return stage.call("POST", f"./call-applications/{application_id}/decisions", token, json=body)


def proposed(stage: Stage, token: str | None = None, **said: Any) -> Any:
    """Ask for a proposal, and return the answer."""
    return stage.call("POST", f"{CALL}/proposals", token, json=said)
