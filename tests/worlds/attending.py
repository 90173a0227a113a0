"""Sessions with an attendance code, and people who say that they were there."""

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from service.intake import attendance_claims
from service.runtime.runtime import Runtime
from tests.worlds.awarding import Stage, once
from tests.worlds.claiming import account_with
from tests.worlds.runtimes import BASE_URL, app_of

SESSION = "2026-03-02"
CODE = f"./sessions/{SESSION}/attendance-code"
CLAIMS = f"./sessions/{SESSION}/attendance-claims"
ADDRESS = "m11@river.example.org"
STRANGER = "somebody@hill.example.org"
ATTENDED = {"rule": "count", "where": {"types": ["attended"]}, "distinct": "session", "gte": 1}


@once
def met(stage: Stage, **session: Any) -> None:
    """Let there be a session that has just begun, members, and a badge for who attended one."""
    said = {"title": "Feedback that helps", "starts_at": "2026-03-02T12:00:00Z", "ends_at": "2026-03-02T13:30:00Z"}
    stage.send("PUT", f"./sessions/{SESSION}", said | session)
    stage.member("m11", email=ADDRESS, name="Member 11")
    stage.member("m12", name="Member 12")
    stage.achievement("attender", rule=ATTENDED)


def stage_of(runtime: Runtime, **session: Any) -> Stage:
    """Return a stage with a session, whose app has nothing going on beside it."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    met(stage, **session)
    stage.laid.clear()  # what is claimed here is no request, and must not be laid for another test
    return stage


def opened(stage: Stage, **said: Any) -> str:
    """Open a code for the session, and return it."""
    return str(stage.send("POST", CODE, said)["code"])


def claimed(runtime: Runtime, code: str, address: str, **said: Any) -> UUID:
    """Say that somebody was there; return the id of the claim."""
    account_id = account_with(runtime, address)
    with runtime.database.write() as session:
        return attendance_claims.claim(session, runtime, code, account_id, runtime.now(), **said).id


def decide(stage: Stage, claim_id: UUID | str, how: str, body: Any, token: str | None = None) -> Any:
    """Approve or refuse a claim, and return the answer."""
    return stage.call("POST", f"./attendance-claims/{claim_id}/{how}", token, json=body)
