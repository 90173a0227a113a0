"""Accepting guidelines: who may, what it counts for, and what waits until it is done."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.acting import actor, refused
from tests.worlds.agreeing import accept, hold, publish
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import Clock

NOW = "2026-03-02T12:00:00Z"
ACCEPTED = {"member": "m11", "type": "accepted", "occurred_at": NOW, "guidelines_version": 1}


@once
def laid(stage: Stage) -> None:
    stage.member("m11", email="one@river.example.org")
    stage.member("m12")
    publish(stage)


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def with_history(stage: Stage, runtime: Runtime) -> None:
    """Declare that what happened before 2026 is the network's history."""
    said = {"until": "2026-01-01T00:00:00Z", "reason": "Moved here."}
    assert actor(runtime, stage.client).put("/v1/networks/river/history", said).is_success


def standing(stage: Stage, member: str = "m11") -> Any:
    listed = stage.send("GET", "./guidelines/acceptances")["items"]
    return next(each for each in listed if each["member"] == member)


# --- Who accepts ----------------------------------------------------------------------------------------------------------


def test_a_member_accepts_with_their_own_token(stage: Stage) -> None:
    made = accept(stage)
    assert (made["status"], made["tier"]) == ("accepted", 0)
    record = stage.send("GET", f"./contributions/{made['id']}")
    assert (record["type"], record["resource"], record["tags"]) == ("accepted", "guidelines/1", ["guidelines/1"])
    assert record["body"]["guidelines_version"] == 1
    found = standing(stage)
    assert (found["state"], found["version"], found["accepted_at"]) == ("accepted", 1, NOW)


def test_accepting_twice_is_accepting_once(stage: Stage) -> None:
    first = accept(stage)
    again = accept(stage)
    assert (again["status"], again["id"]) == ("duplicate", first["id"])
    token = stage.token_with("evidence:write", member="m11")
    posted = stage.send("POST", "./contributions", ACCEPTED | {"ref": "again"}, token=token)
    assert (posted["status"], posted["id"]) == ("duplicate", first["id"])


def test_two_lines_that_accept_the_same_are_one_acceptance(stage: Stage) -> None:
    token = stage.token_with("evidence:write", member="m11")
    line = json.dumps(ACCEPTED) + "\n"
    headers = {"Content-Type": "application/x-ndjson"}
    answer = stage.call("POST", "./contributions/bulk", token, content=line * 2, headers=headers)
    told = [json.loads(each) for each in answer.text.splitlines()]
    assert [each["status"] for each in told] == ["accepted", "duplicate", "complete"]
    assert told[0]["id"] == told[1]["id"]


@pytest.mark.parametrize("member", [None, "m12"])
def test_nobody_accepts_for_somebody_else(stage: Stage, member: str | None) -> None:
    token = stage.token_with("evidence:write", member=member) if member else stage.token
    answer = stage.call("POST", "./guidelines/versions/1/acceptances", token, json={"member": "m11"})
    assert refused(answer) == (403, "acceptance-on-behalf", "/member")
    posted = stage.call("POST", "./contributions", token, json=ACCEPTED)
    assert refused(posted) == (403, "acceptance-on-behalf", "/member")


def test_a_member_accepts_under_another_ref_of_theirs(stage: Stage) -> None:
    stage.member("m11-again", email="one@river.example.org")
    accept(stage, member="m11-again")
    assert standing(stage)["state"] == "accepted"
    assert stage.send("GET", "./guidelines/acceptances", params={"accepted": False})["items"][0]["member"] == "m12"


def test_a_version_that_was_never_published_is_not_accepted(stage: Stage) -> None:
    token = stage.token_with("evidence:write", member="m11")
    answer = stage.call("POST", "./guidelines/versions/2/acceptances", token, json={"member": "m11"})
    assert refused(answer)[:2] == (404, "guidelines-version-unknown")
    posted = stage.call("POST", "./contributions", token, json=ACCEPTED | {"guidelines_version": 2})
    assert refused(posted) == (422, "guidelines-version-unknown", "/guidelines_version")


def test_nobody_accepts_before_there_was_something_to_accept(stage: Stage) -> None:
    token = stage.token_with("evidence:write", member="m11")
    body = {"member": "m11", "occurred_at": "2026-03-02T11:59:59Z"}
    answer = stage.call("POST", "./guidelines/versions/1/acceptances", token, json=body)
    assert refused(answer) == (422, "acceptance-too-early", "/occurred_at")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"guidelines_version": None}, "acceptance-version"),
        ({"type": "shared"}, "acceptance-version"),
        ({"resource": "something else"}, "acceptance-resource"),
    ],
)
def test_an_acceptance_says_of_which_version_and_nothing_else_does(stage: Stage, more: Any, code: str) -> None:
    assert refused(stage.call("POST", "./contributions", json=ACCEPTED | more))[:2] == (422, code)


def test_a_network_loads_what_members_accepted_in_its_history(stage: Stage, runtime: Runtime) -> None:
    with_history(stage, runtime)
    made = stage.send("POST", "./contributions", ACCEPTED | {"occurred_at": "2025-09-01T10:00:00Z"})
    assert made["status"] == "accepted"
    assert standing(stage)["state"] == "accepted"


def test_a_void_takes_an_acceptance_back(stage: Stage) -> None:
    made = accept(stage)
    token = stage.token_with("evidence:write", member="m11")
    stage.send("POST", f"./records/{made['id']}/void", {"reason": "Too early."}, token=token)
    assert standing(stage)["state"] == "asked"
    assert accept(stage)["status"] == "accepted"


def test_an_acceptance_cannot_be_corrected_into_one_of_a_version_that_is_not_there(stage: Stage) -> None:
    made = accept(stage, member="m12")
    answer = stage.call(
        "POST",
        f"./records/{made['id']}/correction",
        json={"changes": {"guidelines_version": 7}, "reason": "A slip."},
    )
    assert refused(answer) == (422, "guidelines-version-unknown", "/changes/guidelines_version")


def test_rules_count_acceptances_by_version(stage: Stage) -> None:
    rule = {"rule": "count", "where": {"types": ["accepted"], "tags_any": ["guidelines/2"]}, "gte": 1}
    stage.achievement(rule=rule)
    publish(stage, 2)
    assert accept(stage, 1)["awards"] == []
    assert [each["achievement"] for each in accept(stage, 2)["awards"]] == ["sharer"]


# --- What waits -----------------------------------------------------------------------------------------------------------


def test_a_new_version_lapses_acceptance_and_accepting_it_releases_what_waited_and_the_badge_follows(
    stage: Stage,
) -> None:
    hold(stage)
    stage.achievement()
    accept(stage)
    assert stage.share(1)["status"] == "accepted"
    publish(stage, 2)
    assert standing(stage)["state"] == "lapsed"
    held = stage.share(2)
    assert (held["status"], held["waits_for"], held["held_code"]) == ("held", "/member", "guidelines-not-accepted")
    record = stage.send("GET", f"./records/{held['id']}")
    assert (record["held_for"], record["held_code"]) == ("m11", "guidelines-not-accepted")
    assert (stage.awards(), standing(stage)["waiting"]) == ([], 1)
    accepted = accept(stage, 2)
    assert [each["achievement"] for each in accepted["awards"]] == ["sharer"]
    assert stage.send("GET", f"./records/{held['id']}")["status"] == "accepted"
    assert standing(stage)["waiting"] == 0


def test_who_accepted_the_version_before_is_not_enough(stage: Stage) -> None:
    hold(stage)
    publish(stage, 2)
    accept(stage, 1)
    assert stage.share(1)["status"] == "held"


def test_a_network_that_only_reminds_holds_nothing(stage: Stage) -> None:
    assert stage.share(1)["status"] == "accepted"
    assert standing(stage)["state"] == "asked"
    assert "lapses_at" not in standing(stage)


def test_evidence_is_held_after_the_days_of_grace(stage: Stage, clock: Clock) -> None:
    hold(stage, grace_days=7)
    assert standing(stage)["lapses_at"] == "2026-03-09T12:00:00Z"
    clock.advance(days=6, hours=23)
    assert stage.share(1)["status"] == "accepted"
    clock.advance(hours=1)
    assert stage.share(2)["status"] == "held"


def test_a_new_member_has_their_days_of_grace(stage: Stage, clock: Clock) -> None:
    hold(stage, grace_days=7)
    clock.advance(days=20)
    stage.member("m13")
    assert stage.share(1, "m13")["status"] == "accepted"
    assert stage.share(1, "m12")["status"] == "held"


def test_a_further_version_gives_who_lapsed_no_new_days_of_grace(stage: Stage, clock: Clock) -> None:
    hold(stage, grace_days=7)
    clock.advance(days=8)
    accept(stage, member="m12")
    publish(stage, 2)
    assert (stage.share(1)["status"], stage.share(1, "m12")["status"]) == ("held", "accepted")


def test_what_others_say_of_a_member_waits_too(stage: Stage) -> None:
    accept(stage, member="m12")
    hold(stage)
    rated = stage.rate("m12", {"specific": 3})
    assert (rated["status"], rated["waits_for"], rated["held_code"]) == (
        "held",
        "/about/member",
        "guidelines-not-accepted",
    )
    work = stage.share(1)
    said = {"kind": "endorsement", "evaluator": "m12", "skill": "feedback", "occurred_at": "2026-03-01T12:00:00Z"}
    judged = stage.send("POST", "./evaluations", said | {"about": {"contribution": work["id"]}})
    assert (judged["waits_for"], judged["held_code"]) == ("/about/contribution", "guidelines-not-accepted")
    accept(stage)
    statuses = {each["status"] for each in stage.send("GET", "./records")["items"]}
    assert statuses == {"accepted"}


def test_what_a_member_says_of_others_does_not_wait(stage: Stage) -> None:
    accept(stage, member="m12")
    hold(stage)
    assert stage.rate("m11", {"specific": 3}, member="m12")["status"] == "accepted"


def test_lines_of_a_body_wait_too(stage: Stage) -> None:
    hold(stage)
    line = {"member": "m11", "type": "shared", "resource": "r", "occurred_at": "2026-03-01T10:00:00Z"}
    headers = {"Content-Type": "application/x-ndjson"}
    answer = stage.call("POST", "./contributions/bulk", content=json.dumps(line), headers=headers)
    told = json.loads(answer.text.splitlines()[0])
    assert (told["status"], told["waits_for"], told["held_code"]) == ("held", "/member", "guidelines-not-accepted")


def test_history_does_not_wait(stage: Stage, runtime: Runtime) -> None:
    hold(stage)
    with_history(stage, runtime)
    assert stage.share(1, occurred_at="2025-06-01T10:00:00Z")["status"] == "accepted"


def test_a_correction_of_what_counts_does_not_wait(stage: Stage, clock: Clock) -> None:
    work = stage.share(1)
    clock.advance(hours=1)
    hold(stage)
    said = {"changes": {"minutes": 30}, "reason": "It was half an hour."}
    assert stage.send("POST", f"./records/{work['id']}/correction", said)["status"] == "accepted"


def test_what_waits_counts_once_the_network_only_reminds(stage: Stage) -> None:
    stage.achievement()
    hold(stage)
    stage.share(1)
    stage.share(2)
    stage.send("PATCH", "./guidelines/settings", {"acceptance": "remind"})
    assert {each["status"] for each in stage.send("GET", "./records")["items"]} == {"accepted"}
    assert len(stage.awards(member="m11")) == 1


def test_who_waits_does_not_choose_that_nothing_waits(stage: Stage) -> None:
    hold(stage)
    stage.share(1)
    token = stage.token_with("achievements:write", member="m11")
    answer = stage.call("PATCH", "./guidelines/settings", token, json={"acceptance": "remind"})
    assert refused(answer)[:2] == (403, "self-decision")


def test_two_who_turn_out_to_be_one_have_both_accepted(stage: Stage) -> None:
    accept(stage)
    hold(stage)
    assert stage.share(1, "m12")["status"] == "held"
    stage.send("PUT", "./members/m12/person", {"same_as": "m11"})
    assert stage.send("GET", "./contributions/m12-share-1")["status"] == "accepted"


def test_who_gets_the_address_of_somebody_who_waits_and_has_accepted_lets_it_count(stage: Stage) -> None:
    accept(stage, member="m12")
    hold(stage)
    assert stage.share(1)["status"] == "held"
    stage.member("m12", email="one@river.example.org")
    assert stage.send("GET", "./contributions/m11-share-1")["status"] == "accepted"


def test_what_came_before_somebody_was_a_member_does_not_wait_for_their_acceptance(stage: Stage, clock: Clock) -> None:
    hold(stage)
    first = stage.share(1, "m13")
    assert first["held_code"] == "member-unknown"
    clock.advance(hours=1)
    stage.member("m13")
    assert stage.send("GET", "./contributions/m13-share-1")["status"] == "accepted"
    assert stage.share(2, "m13")["held_code"] == "guidelines-not-accepted"


def test_the_list_is_empty_without_guidelines(client: TestClient, runtime: Runtime) -> None:
    stage = Stage.set_up(client, runtime, "hill")
    stage.member("m1")
    assert stage.send("GET", "./guidelines/acceptances")["items"] == []


def test_a_closed_network_takes_no_acceptance(stage: Stage, runtime: Runtime) -> None:
    token = stage.token_with("evidence:write", member="m11")
    assert actor(runtime, stage.client).post("/v1/networks/river/closure").is_success
    answer = stage.call("POST", "./guidelines/versions/1/acceptances", token, json={"member": "m11"})
    assert refused(answer)[:2] == (409, "network-closed")
