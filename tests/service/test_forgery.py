"""What people try in order to have a badge believed that nobody gave them, each as a story, and what becomes of it."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from credentials import Fetched, sign
from service import verification
from service.runtime import Runtime
from tests.awarding import Stage
from tests.credentials.parties import Party, World

FORGER = Party(7, "forger.example")


@pytest.fixture
def stage(client: TestClient, running: Runtime) -> Stage:
    stage = Stage.set_up(client, running)
    stage.member("m11", name="Quite Secret", email="quite.secret@river.example.org")
    return stage


@pytest.fixture
def genuine(stage: Stage) -> Any:
    """A badge of this service, as its owner has it."""
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards()
    return stage.credential(award)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """What lies elsewhere, where the forger's keys are published."""
    world = World()
    FORGER.publish(world, assertionMethod=[FORGER.ed25519])
    ours = verification.load

    def load(running: Runtime, url: str) -> Fetched:
        return world.load(url) if url.startswith(f"https://{FORGER.host}/") else ours(running, url)

    monkeypatch.setattr(verification, "load", load)
    return world


def forged(stage: Stage, genuine: Any, party: Party = FORGER, **changes: Any) -> str:
    """Return a badge in the form of a genuine one, with its `id` and the forger's own signature."""
    kept = {name: value for name, value in genuine.items() if name not in {"proof", "credentialStatus", "evidence"}}
    issuer = {"id": party.did, "type": ["Profile"], "name": "A School"}
    credential = kept | {"issuer": issuer} | changes
    method = party.method(party.ed25519)
    return json.dumps(sign(credential, party.ed25519, verification_method=method, created=stage.running.now()))


def page_of(stage: Stage, text: str) -> str:
    """Return the page of the check of a text."""
    answer = stage.client.post("/verify", data={"received": text})
    assert answer.status_code == 200, answer.text
    return answer.text


# --- A badge of one's own under the address of one of ours ----------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_nobody_is_asked_about_one_badge_where_another_was_shown(stage: Stage, genuine: Any) -> None:
    assert "Ask the candidate" in page_of(stage, json.dumps(genuine))
    page = page_of(stage, forged(stage, genuine))
    assert "Genuine, but by an issuer that no list here knows" in page
    assert "Ask the candidate" not in page
