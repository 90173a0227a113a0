"""Answers over HTTP: given, changed, taken back, and each way in which one can be wrong."""

from typing import Any

import pytest

from service.runtime.runtime import Runtime
from tests.worlds.acting import refused, told
from tests.worlds.awarding import Stage
from tests.worlds.needing import HERE, LEARNS, OFFERS, answer, closed, stage_of, token_of
from tests.worlds.runtimes import Clock

ANSWERS = f"{HERE}/answers"


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return stage_of(runtime)


def listed(stage: Stage, token: str | None = None) -> list[str]:
    return [each["member"] for each in stage.call("GET", ANSWERS, token).json()["items"]]


def test_a_member_answers_with_their_own_token_and_the_network_sees_how_it_came(stage: Stage) -> None:
    made = answer(stage, "m11", LEARNS, token_of(stage, "m11"))
    assert made.status_code == 201
    shown = made.json()
    assert (shown["member"], shown["via"], shown["share_offer"], shown["can_help"]) == ("m11", "member", False, 2)
    assert shown["learn"] == LEARNS["learn"]
    assert stage.send("GET", f"{ANSWERS}/m11") == shown


def test_the_network_answers_for_a_member_and_says_so(stage: Stage) -> None:
    assert answer(stage, "m11", OFFERS).json()["via"] == "network"
    changed = answer(stage, "m11", LEARNS, token_of(stage, "m11"))
    assert (changed.status_code, changed.json()["via"], changed.json()["offer"]) == (200, "member", [])


def test_a_change_replaces_what_was_said_and_the_same_again_changes_nothing(
    stage: Stage, runtime: Runtime, clock: Clock
) -> None:
    first = answer(stage, "m11", LEARNS).json()
    clock.advance(hours=1)
    assert answer(stage, "m11", LEARNS).json() == first
    clock.advance(hours=1)
    second = answer(stage, "m11", OFFERS).json()
    assert second["learn"] == []
    assert second["answered_at"] == first["answered_at"]
    assert second["changed_at"] > first["changed_at"]
    assert told(runtime, stage.slug).count("needs.answered") == 2


def test_a_person_with_two_refs_answers_once(stage: Stage) -> None:
    stage.member("m11-again", email="m11@river.example.org")
    answer(stage, "m11", LEARNS)
    again = answer(stage, "m11-again", OFFERS, token_of(stage, "m11-again"))
    assert (again.status_code, again.json()["member"]) == (200, "m11")
    assert listed(stage) == ["m11"]
    assert stage.send("GET", f"{ANSWERS}/m11-again")["offer"] == OFFERS["offer"]


def test_of_two_members_who_turn_out_to_be_one_person_the_newer_answer_stays(stage: Stage, clock: Clock) -> None:
    answer(stage, "m11", LEARNS)
    clock.advance(hours=1)
    answer(stage, "m13", OFFERS)
    stage.send("PATCH", "./members/m13", {"email": "m11@river.example.org"})
    assert stage.send("GET", f"{HERE}/report")["answers"] == 1
    assert stage.send("GET", f"{ANSWERS}/m11")["offer"] == OFFERS["offer"]
    answer(stage, "m11", LEARNS)
    assert listed(stage) == ["m13"]


def test_somebody_may_want_to_learn_what_they_offer(stage: Stage) -> None:
    both = answer(stage, "m11", LEARNS | {"offer": OFFERS["offer"]})
    assert both.status_code == 201
    assert stage.send("GET", f"{HERE}/report")["topics"][0]["standing"] == "unserved"


def test_a_topic_in_ones_own_words_that_is_on_the_list_is_that_one(stage: Stage) -> None:
    said = {"learn": [{"own": " «Feedback that  HELPS» ".strip()}, {"own": "Reading\u202e aloud"}]}
    shown = answer(stage, "m11", said).json()["learn"]
    assert shown == [{"topic": "feedback", "importance": 2}, {"own": "Reading aloud", "importance": 2}]


def test_times_stand_in_the_order_of_the_week(stage: Stage) -> None:
    said = LEARNS | {"times": ["sun-evening", "mon-morning", "sun-evening"]}
    assert answer(stage, "m11", said).json()["times"] == ["mon-morning", "sun-evening"]


OWN = [{"own": f"Topic {n}"} for n in range(11)]


@pytest.mark.parametrize(
    ("said", "code", "pointer"),
    [
        ({}, "needs-answer-empty", None),
        ({"note": "Nothing."}, "needs-answer-empty", None),
        ({"learn": [{"topic": "dancing"}]}, "needs-topic-unknown", "/learn/0/topic"),
        ({"learn": [{"topic": "groups"}, {"own": "work in groups"}]}, "needs-topic-twice", "/learn/1"),
        ({"learn": [{}]}, "needs-topic-ambiguous", "/learn/0"),
        ({"learn": [{"topic": "groups", "own": "Groups"}]}, "needs-topic-ambiguous", "/learn/0"),
        ({"learn": [{"own": "\u200b"}]}, "needs-own-topic-empty", "/learn/0/own"),
        ({"learn": [{"own": "x" * 101}]}, "string-too-long", "/learn/0/own"),
        ({"learn": OWN}, "needs-own-topics-many", None),
        ({"learn": [{"topic": "groups", "importance": 4}]}, "less-than-equal", "/learn/0/importance"),
        ({"offer": [{"topic": "groups"}]}, "missing", "/offer/0/level"),
        ({"offer": [{"topic": "groups", "level": "expert"}]}, "literal-error", "/offer/0/level"),
        (LEARNS | {"readiness": 0}, "greater-than-equal", "/readiness"),
        (LEARNS | {"times": ["tue-night"]}, "literal-error", "/times/0"),
        (LEARNS | {"can_help": 0}, "greater-than-equal", "/can_help"),
        (LEARNS | {"note": "x" * 2001}, "string-too-long", "/note"),
        (LEARNS | {"member": "m12"}, "extra-forbidden", "/member"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(stage: Stage, said: Any, code: str, pointer: str | None) -> None:
    assert refused(answer(stage, "m11", said)) == (422, code, pointer)
    assert listed(stage) == []


def test_topics_in_ones_own_words_are_refused_where_the_cycle_takes_none(stage: Stage) -> None:
    stage.send("PATCH", HERE, {"free_topics": False})
    taken = answer(stage, "m11", {"learn": [{"own": "Reading aloud"}]})
    assert refused(taken) == (422, "needs-own-topic", "/learn/0/own")
    assert answer(stage, "m11", {"learn": [{"own": "Work in groups"}]}).status_code == 201


def test_nobody_answers_before_a_cycle_opens_or_after_it_closes_but_takes_back_at_any_time(
    stage: Stage, clock: Clock
) -> None:
    later = {
        "title": "Next",
        "opens_at": "2026-05-01T00:00:00Z",
        "closes_at": "2026-06-01T00:00:00Z",
        "free_topics": True,
    }
    stage.send("PUT", "./needs-cycles/next", later)
    early = stage.call("PUT", "./needs-cycles/next/answers/m11", json={"learn": [{"own": "Reading"}]})
    assert refused(early)[:2] == (409, "needs-early")
    answer(stage, "m11", LEARNS)
    clock.advance(days=60)
    assert refused(answer(stage, "m11", OFFERS))[:2] == (409, "needs-over")
    assert stage.call("DELETE", f"{ANSWERS}/m11").status_code == 204
    assert refused(stage.call("GET", f"{ANSWERS}/m11"))[:2] == (404, "needs-answer-unknown")


def test_taking_back_is_told_and_twice_is_not_there(stage: Stage, runtime: Runtime) -> None:
    answer(stage, "m11", LEARNS)
    mine = token_of(stage, "m11")
    assert stage.call("DELETE", f"{ANSWERS}/m11", mine).status_code == 204
    assert refused(stage.call("DELETE", f"{ANSWERS}/m11", mine))[:2] == (404, "needs-answer-unknown")
    assert told(runtime, stage.slug)[-1] == "needs.withdrawn"


def test_a_members_token_answers_for_nobody_else_and_sees_nobody_else(stage: Stage) -> None:
    answer(stage, "m11", LEARNS)
    answer(stage, "m12", OFFERS)
    mine = token_of(stage, "m12")
    assert refused(answer(stage, "m11", OFFERS, mine))[:2] == (403, "needs-answer-others")
    assert refused(stage.call("DELETE", f"{ANSWERS}/m11", mine))[:2] == (403, "needs-answer-others")
    for path in (f"{ANSWERS}/m11", f"{HERE}/members/m11/peers"):
        assert refused(stage.call("GET", path, mine))[:2] == (404, "needs-answer-unknown")
    assert listed(stage, mine) == ["m12"]
    for path in (f"{HERE}/report", f"{HERE}/proposals", "./needs-trends"):
        assert refused(stage.call("GET", path, mine))[:2] == (403, "needs-role")
        assert stage.call("GET", path, token_of(stage, "f1")).status_code == 200
    assert listed(stage, token_of(stage, "f1")) == ["m11", "m12"]


def test_nobody_answers_for_somebody_of_another_network_or_for_one_who_was_erased(
    stage: Stage, runtime: Runtime
) -> None:
    hill = Stage.set_up(stage.client, runtime, "hill")
    hill.member("h1")
    assert refused(answer(stage, "h1", LEARNS))[:2] == (404, "member-unknown")
    stage.call("DELETE", "./members/m13")
    assert refused(answer(stage, "m13", LEARNS))[:2] == (409, "member-erased")


def test_several_answers_are_taken_together_or_not_at_all(stage: Stage) -> None:
    good = [{"member": "m11"} | LEARNS, {"member": "m12"} | OFFERS]
    wrong = {"answers": [*good, {"member": "m13", "learn": [{"topic": "dancing"}]}]}
    assert refused(stage.call("POST", ANSWERS, json=wrong)) == (422, "needs-topic-unknown", "/answers/2/learn/0/topic")
    assert refused(stage.call("POST", ANSWERS, json={"answers": [{"member": "nobody"} | LEARNS]})) == (
        404,
        "member-unknown",
        "/answers/0",
    )
    assert listed(stage) == []
    made = stage.send("POST", ANSWERS, {"answers": good})
    assert [(each["member"], each["via"]) for each in made["items"]] == [("m11", "network"), ("m12", "network")]


def test_nobody_is_in_a_body_twice_under_whichever_ref(stage: Stage) -> None:
    stage.member("m11-again", email="m11@river.example.org")
    twice = {"answers": [{"member": "m11"} | LEARNS, {"member": "m11-again"} | OFFERS]}
    assert refused(stage.call("POST", ANSWERS, json=twice)) == (422, "needs-member-twice", "/answers/1/member")
    assert listed(stage) == []


def test_a_repeated_request_answers_once(stage: Stage, runtime: Runtime) -> None:
    key = {"Idempotency-Key": "one"}
    for _ in range(2):
        assert stage.call("PUT", f"{ANSWERS}/m11", json=LEARNS, headers=key).status_code in {200, 201}
    assert told(runtime, stage.slug).count("needs.answered") == 1


def test_nothing_new_is_answered_in_a_closed_network(stage: Stage) -> None:
    closed(stage)
    assert refused(answer(stage, "m11", LEARNS))[:2] == (409, "network-closed")
