"""Cycles over HTTP: opened, changed, closed and removed, and each way in which one can be wrong."""

from typing import Any

import pytest

from service.participation.needs import cycles
from service.runtime.runtime import Runtime
from tests.worlds.acting import refused, told
from tests.worlds.awarding import Stage
from tests.worlds.needing import ASKED, CYCLE, HERE, LEARNS, OFFERS, TOPICS, answer, closed, stage_of, token_of
from tests.worlds.runtimes import Clock

NEXT = "./needs-cycles/2026-autumn"
LATER = {"opens_at": "2026-03-20T00:00:00Z", "closes_at": "2026-04-20T00:00:00Z"}


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return stage_of(runtime)


def test_a_cycle_says_what_it_asks_and_whether_it_is_open(stage: Stage, clock: Clock) -> None:
    shown = stage.send("GET", HERE)
    assert (shown["ref"], shown["state"], shown["title"]) == (CYCLE, "open", "What this spring?")
    assert shown["topics"] == TOPICS
    assert shown["free_topics"] is True
    clock.advance(days=60)
    assert stage.send("GET", HERE)["state"] == "closed"


def test_what_is_left_out_stays_and_null_removes_it(stage: Stage) -> None:
    body = {"title": "What next?", "closes_at": "2026-04-02T00:00:00Z", "introduction": "We plan by it."}
    assert stage.call("PUT", HERE, json=body).status_code == 200
    shown = stage.send("GET", HERE)
    assert (shown["title"], shown["introduction"], shown["topics"]) == ("What next?", "We plan by it.", TOPICS)
    changed = stage.send("PATCH", HERE, {"introduction": None, "titles": {"es": "¿Qué sigue?"}})
    assert "introduction" not in changed
    assert changed["titles"] == {"es": "¿Qué sigue?"}
    assert "titles" not in stage.send("PATCH", HERE, {"titles": {"es": None}}).get("titles", {})


def test_a_planned_cycle_opens_by_itself_and_the_network_is_told_once(
    stage: Stage, runtime: Runtime, clock: Clock
) -> None:
    assert told(runtime, stage.slug).count("needs.opened") == 1
    made = stage.call("PUT", NEXT, json=ASKED | LATER)
    assert (made.status_code, made.json()["state"]) == (201, "planned")
    assert cycles.tell_opened(runtime) == 0
    clock.advance(days=30)
    assert [cycles.tell_opened(runtime), cycles.tell_opened(runtime)] == [1, 0]
    assert stage.send("GET", NEXT)["state"] == "open"
    assert told(runtime, stage.slug).count("needs.opened") == 2


def test_no_cycle_of_a_closed_network_opens(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    stage.send("PUT", NEXT, ASKED | LATER)
    closed(stage)
    clock.advance(days=30)
    assert cycles.tell_opened(runtime) == 0
    assert refused(stage.call("POST", f"{HERE}/closing"))[:2] == (409, "network-closed")


def test_a_cycle_is_closed_at_once_and_a_later_end_opens_it_again(stage: Stage, clock: Clock) -> None:
    clock.advance(hours=1)
    closed = stage.send("POST", f"{HERE}/closing")
    assert closed["state"] == "closed"
    clock.advance(hours=1)
    assert stage.send("POST", f"{HERE}/closing") == closed
    assert stage.send("PATCH", HERE, {"title": "It was asked"})["state"] == "closed"
    assert stage.send("PATCH", HERE, {"closes_at": "2026-05-01T00:00:00Z"})["state"] == "open"


def test_lists_are_by_state(stage: Stage) -> None:
    stage.send("PUT", NEXT, ASKED | LATER)

    def listed(**query: Any) -> list[str]:
        return [each["ref"] for each in stage.send("GET", "./needs-cycles", params=query)["items"]]

    assert listed() == [CYCLE, "2026-autumn"]
    assert listed(state="open") == [CYCLE]
    assert listed(state="planned") == ["2026-autumn"]
    assert listed(state="closed") == []


def test_who_edits_what_somebody_else_has_changed_is_told(stage: Stage) -> None:
    tag = stage.call("GET", HERE).headers["ETag"]
    stage.send("PATCH", HERE, {"title": "Another"}, headers={"If-Match": tag})
    late = stage.call("PATCH", HERE, json={"title": "A third"}, headers={"If-Match": tag})
    assert refused(late)[:2] == (412, "precondition-failed")
    again = stage.call("PUT", HERE, json=ASKED, headers={"If-None-Match": "*"})
    assert refused(again)[:2] == (412, "precondition-failed")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"opens_at": "2026-04-01T00:00:00Z"}, "needs-cycle-backward", "/closes_at"),
        ({"opens_at": "2025-01-01T00:00:00Z", "closes_at": "2026-01-01T00:00:00Z"}, "needs-cycle-over", "/closes_at"),
        ({"topics": [], "free_topics": False}, "needs-topics-missing", "/topics"),
        ({"topics": [TOPICS[0], TOPICS[0] | {"label": "Other"}]}, "needs-topic-twice", "/topics/1/code"),
        ({"topics": [TOPICS[0], TOPICS[0] | {"code": "other"}]}, "needs-topic-twice", "/topics/1/label"),
        ({"topics": [{"code": "Not one", "label": "x"}]}, "string-pattern-mismatch", "/topics/0/code"),
        ({"title": None}, "string-type", "/title"),
        ({"ref": "another"}, "ref-differs", "/ref"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_cycle_that_cannot_be_is_refused(stage: Stage, method: str, change: Any, code: str, pointer: str) -> None:
    body = ASKED | change if method == "PUT" else change
    answered = refused(stage.call(method, HERE, json=body))
    if (method, code) == ("PATCH", "ref-differs"):
        code = "extra-forbidden"
    assert answered == (422, code, pointer)
    assert stage.send("GET", HERE)["topics"] == TOPICS


def test_a_topic_belongs_to_an_objective_of_the_network(stage: Stage) -> None:
    tied = [TOPICS[0] | {"objective": "GIVING-1"}]
    assert refused(stage.call("PATCH", HERE, json={"topics": tied})) == (
        422,
        "objective-unknown",
        "/topics/0/objective",
    )
    stage.send("PUT", "./objectives/GIVING-1", {"text": "Members give feedback that helps."})
    assert stage.send("PATCH", HERE, {"topics": tied})["topics"] == tied
    assert stage.send("GET", f"{HERE}/report")["topics"][0]["topic"]["objective"] == "GIVING-1"
    stage.send("POST", "./objectives/GIVING-1/retirement")
    assert stage.send("PATCH", HERE, {"topics": tied, "title": "It stays"})["topics"] == tied
    again = stage.call("PUT", NEXT, json=ASKED | LATER | {"topics": tied})
    assert refused(again) == (422, "objective-retired", "/topics/0/objective")


def test_a_topic_that_answers_name_stays(stage: Stage) -> None:
    answer(stage, "m11", LEARNS)
    kept = stage.call("PATCH", HERE, json={"topics": TOPICS[1:]})
    assert refused(kept) == (409, "needs-topic-in-use", "/topics")
    assert stage.send("PATCH", HERE, {"topics": [TOPICS[0], TOPICS[2]]})["topics"] == [TOPICS[0], TOPICS[2]]


def test_a_cycle_with_answers_does_not_open_later_and_is_not_removed(stage: Stage) -> None:
    answer(stage, "m11", LEARNS)
    later = stage.call("PATCH", HERE, json={"opens_at": "2026-03-20T00:00:00Z"})
    assert refused(later) == (409, "needs-cycle-answered", "/opens_at")
    assert refused(stage.call("DELETE", HERE))[:2] == (409, "needs-cycle-answered")
    stage.call("DELETE", f"{HERE}/answers/m11")
    assert stage.send("PATCH", HERE, {"opens_at": "2026-03-20T00:00:00Z"})["state"] == "planned"
    stage.send("POST", f"{HERE}/links", {"members": ["m11"]})
    assert stage.call("DELETE", HERE).status_code == 204
    assert refused(stage.call("GET", HERE))[:2] == (404, "needs-cycle-unknown")


def test_a_cycle_that_has_not_opened_is_not_closed(stage: Stage) -> None:
    stage.send("PUT", NEXT, ASKED | LATER)
    assert refused(stage.call("POST", f"{NEXT}/closing"))[:2] == (409, "needs-early")


def test_only_the_network_its_facilitators_and_assessors_change_cycles(stage: Stage) -> None:
    plain, facilitator = token_of(stage, "m11"), token_of(stage, "f1")
    for method, path, body in (
        ("PUT", HERE, ASKED),
        ("PATCH", HERE, {"title": "Mine"}),
        ("POST", f"{HERE}/links", {"members": ["m12"]}),
        ("POST", f"{HERE}/closing", None),
        ("DELETE", HERE, None),
    ):
        sent = {} if body is None else {"json": body}
        assert refused(stage.call(method, path, plain, **sent))[:2] == (403, "needs-role"), path
        assert stage.call(method, path, facilitator, **sent).is_success, path


def test_another_networks_cycle_is_not_there(stage: Stage, runtime: Runtime) -> None:
    hill = Stage.set_up(stage.client, runtime, "hill")
    assert refused(hill.call("GET", HERE))[:2] == (404, "needs-cycle-unknown")
    there = HERE.replace("./", f"/v1/networks/{stage.slug}/")
    assert refused(hill.call("GET", there))[:2] == (404, "network-unknown")
    assert refused(hill.call("PUT", f"{there}/answers/m11", json=OFFERS))[:2] == (404, "network-unknown")


def test_scopes_are_asked_for(stage: Stage) -> None:
    reads = stage.token_with("read:basic")
    assert stage.call("GET", HERE, reads).status_code == 200
    for method, path, body in (("PATCH", HERE, {}), ("PUT", f"{HERE}/answers/m11", LEARNS)):
        assert refused(stage.call(method, path, reads, json=body))[:2] == (403, "scope-missing")
