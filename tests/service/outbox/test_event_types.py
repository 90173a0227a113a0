"""Every type of event is in one list, which code, API, documentation and refusals share."""

import ast
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

import service
from service.notifications import payloads
from service.notifications.samples import sample
from service.outbox.event_types import EventType
from service.tables import Event, Network
from tests.worlds.awarding import Stage, once

pytestmark = pytest.mark.any_database("which types there are is decided in the code")
TYPE = re.compile(r"[a-z]+\.[a-z-]+")
WRITES = {"append", "tell", "_tell", "_tell_suspension"}


@once
def laid(stage: Stage) -> None:
    stage.achievement()
    stage.member("m11", name="Member 11")
    stage.share(1)
    stage.share(2, source={"system": "lms", "id": "17"})
    stage.send("PUT", "./sessions/2026-03-01", {"starts_at": "2026-03-01T10:00:00Z"})


@pytest.fixture
def stage(client: TestClient, runtime: Any) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def written() -> tuple[set[str], set[str]]:
    """Return the types that the code writes, and the beginnings of those that it puts together."""
    whole, begun = set(), set()
    for path in Path(service.__file__).parent.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            calls = [each.func for each in ast.walk(function) if isinstance(each, ast.Call)]
            if WRITES.isdisjoint(getattr(call, "attr", getattr(call, "id", "")) for call in calls):
                continue
            for each in ast.walk(function):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    if TYPE.fullmatch(each.value):
                        whole.add(each.value)
                    elif re.fullmatch(r"[a-z]+\.", each.value):
                        begun.add(each.value)
    return whole, begun


def test_the_code_writes_every_type_and_no_other() -> None:
    whole, begun = written()
    nouns = {each.partition(".")[0] for each in EventType}
    assert {each for each in whole if each.partition(".")[0] in nouns} <= set(EventType)
    assert {each for each in EventType if each not in whole and not each.startswith(tuple(begun))} == set()


def test_every_type_says_what_happened_in_one_sentence() -> None:
    for each in EventType:
        assert re.fullmatch(r"[A-Z][^.]+\.", each.meaning), each
        assert each.about or each.maybe


def test_a_type_that_does_not_exist_is_refused_with_the_list_of_those_that_do(stage: Stage) -> None:
    for answer in (
        stage.call("GET", "./events", params={"type": "award.maid"}),
        stage.call("POST", "./webhooks", json={"url": "https://river.example.org/hook", "types": ["award.maid"]}),
    ):
        assert answer.status_code == 422
        assert all(each in answer.json()["detail"] for each in EventType)


def test_the_description_of_the_api_lists_the_types(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    assert description["components"]["schemas"]["EventType"]["enum"] == list(EventType)


def test_the_page_of_events_has_every_type_with_its_meaning(client: TestClient) -> None:
    page = client.get("/docs/events", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    found = client.get("/docs/events", headers={"Accept": "application/json"}).json()["types"]
    assert [each["type"] for each in found] == list(EventType)
    said = unescape(page.text)
    for each in found:
        assert each["type"] in said
        assert each["meaning"].split(",")[0] in said


def test_events_carry_the_refs_of_what_they_are_about(stage: Stage) -> None:
    items = stage.send("GET", "./events", params={"limit": 100})["items"]
    refs = {each["type"]: each.get("refs") for each in items}
    assert refs["network.created"] is None
    assert refs["achievement.published"] == {"achievement": "sharer"}
    assert refs["session.posted"] == {"session": "2026-03-01"}
    assert refs["evidence.received"] == {
        "member": "m11",
        "record": {"ref": "m11-share-2", "source": {"system": "lms", "id": "17"}},
    }
    assert refs["award.made"] == refs["credential.issued"] == {"member": "m11", "achievement": "sharer"}


def test_a_record_is_named_by_its_ref_and_its_source(stage: Stage) -> None:
    record = stage.send("GET", "./contributions/m11-share-2")
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "A copy."})
    (event,) = stage.send("GET", "./events", params={"type": "record.voided"})["items"]
    assert event["refs"] == {"record": {"ref": "m11-share-2", "source": {"system": "lms", "id": "17"}}}


def test_no_row_holds_a_ref(stage: Stage) -> None:
    with stage.runtime.database.read() as session:
        held = repr([event.about for event in session.scalars(select(Event))])
    assert "m11" not in held
    assert "sharer" not in held


@pytest.mark.parametrize("kind", EventType)
def test_a_sample_has_the_shape_of_what_is_sent(kind: EventType) -> None:
    made = sample(kind)
    assert made["type"] == kind
    assert kind.takes(made["data"]["about"])
    for name in made["data"].keys() & payloads.SHOWN.keys():
        shape = payloads.SHOWN[name].shape
        assert {each for each, field in shape.model_fields.items() if field.is_required()} <= made["data"][name].keys()


def test_a_sample_has_the_members_of_a_real_event(stage: Stage) -> None:
    with stage.runtime.database.read() as session:
        for event, network in session.execute(select(Event, Network).join(Network, Network.id == Event.network_id)):
            real = payloads.data(session, stage.runtime, network, event)
            made = sample(EventType(event.type))["data"]
            assert real.keys() == made.keys()
            assert real.get("refs", {}).keys() == made.get("refs", {}).keys()
