"""Cycles in which members say what they want to learn and can offer."""

from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import update

from service.runtime.runtime import Runtime
from service.tables import Network
from tests.worlds.acting import actor
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import BASE_URL, app_of

CYCLE = "2026-spring"
HERE = f"./needs-cycles/{CYCLE}"
TOPICS: list[dict[str, Any]] = [
    {"code": "feedback", "label": "Feedback that helps", "labels": {"es": "Comentarios que ayudan"}},
    {"code": "grading", "label": "Grading with rubrics"},
    {"code": "groups", "label": "Work in groups"},
]
ASKED = {"title": "What this spring?", "closes_at": "2026-04-01T00:00:00Z", "topics": TOPICS, "free_topics": True}
LEARNS: dict[str, Any] = {"learn": [{"topic": "feedback", "importance": 3}], "times": ["tue-evening"]}
OFFERS: dict[str, Any] = {
    "offer": [{"topic": "feedback", "level": "can-explain"}],
    "readiness": 4,
    "times": ["tue-evening", "fri-morning"],
    "share_offer": True,
}


@once
def asked(stage: Stage, **cycle: Any) -> None:
    """Let there be an open cycle and members."""
    stage.member("m11", email="m11@river.example.org", name="Member 11")
    stage.member("m12", email="m12@river.example.org", name="Member 12")
    stage.member("m13", name="Member 13")
    stage.member("f1", roles=["facilitator"])
    stage.send("PUT", HERE, ASKED | cycle)


def stage_of(runtime: Runtime, **cycle: Any) -> Stage:
    """Return a stage with an open cycle, whose app has nothing going on beside it."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    asked(stage, **cycle)
    return stage


def answer(stage: Stage, member: str, said: Any, token: str | None = None) -> Any:
    """Answer for a member, and return what the service says, also a refusal."""
    return stage.call("PUT", f"{HERE}/answers/{member}", token, json=said)


def token_of(stage: Stage, member: str) -> str:
    """Return a token that is bound to a member, with all scopes."""
    stage.laid.clear()
    return actor(stage.runtime, stage.client, slug=stage.slug, member=member).token


def says(stage: Stage, member: str, said: Any) -> Any:
    """Let a member answer with their own token."""
    made = answer(stage, member, said, token_of(stage, member))
    assert made.is_success, made.text
    return made.json()


def closed(stage: Stage) -> None:
    """Close the network, as an administrator does."""
    with stage.runtime.database.write() as session:
        session.execute(update(Network).where(Network.slug == stage.slug).values(state="closed"))


def link_for(stage: Stage, member: str) -> str:
    """Make a link for a member, and return its path."""
    made = stage.send("POST", f"{HERE}/links", {"members": [member]})
    return str(made["links"][0]["url"]).removeprefix(BASE_URL)
