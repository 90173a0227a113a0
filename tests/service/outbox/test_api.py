"""The ordered outbox, as a network's program reads it."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.awarding import Stage, once


@once
def laid(stage: Stage) -> None:
    stage.achievement(award="reviewed")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def read(stage: Stage, **query: Any) -> Any:
    return stage.send("GET", "./events", params=query)


def types(stage: Stage, **query: Any) -> list[str]:
    return [event["type"] for event in read(stage, **query)["items"]]


def test_an_award_is_told_with_its_credential_and_then_its_revocation(stage: Stage) -> None:
    stage.member("m11")
    seen = read(stage)["last"]
    award = stage.recorded()
    stage.send("POST", f"/v1/credentials/{award['credential']['id']}/revocation", {"reason": "Wrong member."})
    events = read(stage, after=seen)["items"]
    assert [event["type"] for event in events] == ["award.made", "credential.issued", "credential.revoked"]
    assert {event["about"]["award"] for event in events} == {award["id"]}
    assert {event["about"]["credential"] for event in events[1:]} == {award["credential"]["id"]}


def test_positions_have_no_gaps_and_every_event_is_listed_once(stage: Stage) -> None:
    for n in range(5):
        stage.member(f"member-{n}")
        stage.recorded(member=f"member-{n}")
    positions, after = [], 0
    while True:
        answer = read(stage, after=after, limit=4)
        positions += [event["position"] for event in answer["items"]]
        after = answer["last"]
        if "next" not in answer:
            break
        assert answer["next"] == after
    assert positions == list(range(1, len(positions) + 1))
    assert len(positions) > 15


def test_a_reader_goes_on_from_the_last_one_when_something_new_has_happened(stage: Stage) -> None:
    last = read(stage)["last"]
    quiet = read(stage, after=last)
    assert (quiet["items"], quiet["last"]) == ([], last)
    stage.member("m11")
    assert types(stage, after=quiet["last"]) == ["member.posted"]


def test_events_can_be_asked_for_by_type(stage: Stage) -> None:
    stage.member("m11")
    stage.recorded()
    assert types(stage, type="award.made") == ["award.made"]
    assert types(stage, type="case.opened") == []


def test_events_show_identifiers_and_refs_only(stage: Stage) -> None:
    stage.member("a-ref", name="Member 11", email="m11@example.org")
    stage.recorded(member="a-ref", reason="Known since school.")
    text = json.dumps(read(stage))
    for secret in ("Member 11", "m11", "example.org", "school"):
        assert secret not in text


def test_a_position_stands_for_a_cursor(stage: Stage) -> None:
    first, second, *_ = read(stage)["items"]
    assert read(stage, after=first["position"])["items"][0] == second
    assert read(stage, after=0)["items"][0] == first


def test_a_reader_can_begin_with_what_is_still_to_happen(stage: Stage) -> None:
    quiet = read(stage, after="now")
    assert (quiet["items"], quiet["last"]) == ([], read(stage)["last"])
    stage.member("m11")
    assert types(stage, after=quiet["last"]) == ["member.posted"]


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize("after", ["-1", "x", "1.5", str(2**63)])
def test_what_is_neither_cursor_nor_position_is_refused(stage: Stage, after: str) -> None:
    answer = stage.call("GET", "./events", params={"after": after})
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor-invalid")


def test_a_cursor_of_some_events_is_none_of_all_events(stage: Stage) -> None:
    last = read(stage, type="achievement.published")["last"]
    answer = stage.call("GET", "./events", params={"after": last})
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor-elsewhere")


def test_events_need_the_scope_and_the_network(stage: Stage) -> None:
    answer = stage.call("GET", "./events", token=stage.token_with("evidence:write"))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    assert stage.call("GET", "./events", token=other.token).status_code == 404
    assert types(other)[0] == "network.created"
    assert read(other)["items"][0]["position"] == 1
