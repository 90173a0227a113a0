"""What members answer about themselves: kept as such, and counted only where a rule says so."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from service.tables import Evaluation
from tests.worlds.acting import Actor, actor, refused
from tests.worlds.posting import ROOT, RUBRIC, SURVEY, posted, river, rows_of

PATH = f"{ROOT}/evaluations"
BEFORE = {
    "kind": "survey",
    "about": {"member": "m11"},
    "evaluator": "m11",
    "occurred_at": "2026-02-20T17:00:00Z",
    "instrument": "knowledge",
    "occasion": "pre",
    "answers": {"formative assessment": 5},
    "score": {"raw": 5, "max": 7},
}
AFTER = BEFORE | {"occasion": "post", "occurred_at": "2026-03-01T17:00:00Z", "score": {"raw": 7, "max": 7}}
GAIN = {"rule": "gain", "instrument": "knowledge", "metric": "normalized", "gte": 0.5}
SCORE = {"rule": "score", "assessment": "knowledge", "gte": 0.9}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    return river(runtime, client)


def reached(who: Actor, rule: dict[str, Any]) -> Any:
    """Return the progress of m11 in a definition with this rule, which is published."""
    definition = {
        "ref": "learner",
        "name": "Learner",
        "description": "Knows more than before.",
        "achievement_type": "Badge",
        "criteria": {"narrative": "As the rule says.", "rule": rule},
        "award": "reviewed",
        "publish": True,
    }
    posted(who.post(f"{ROOT}/achievements", definition))
    [standing] = posted(who.get(f"{ROOT}/members/m11/progress"), 200)["items"]
    return standing["criteria"]


def test_a_members_answer_about_themself_has_the_lowest_tier_no_matter_who_posts_it(
    runtime: Runtime, client: TestClient, who: Actor
) -> None:
    posted(who.put(f"{ROOT}/members/m12", {"roles": ["facilitator"]}), 200)
    own = actor(runtime, client, slug="river-writers", member="m11")
    assert posted(who.post(PATH, BEFORE))["tier"] == 0
    assert posted(own.post(PATH, {name: value for name, value in AFTER.items() if name != "evaluator"}))["tier"] == 0
    rows = rows_of(runtime, Evaluation)
    assert [(row.tier, row.evaluator_id == row.member_id) for row in rows] == [(0, True)] * 2


def test_an_answer_that_waits_for_its_member_is_a_self_report_already(who: Actor) -> None:
    waiting = BEFORE | {"about": {"member": "dana"}, "evaluator": "dana", "ref": "d"}
    assert posted(who.post(PATH, waiting), 202)["tier"] == 0
    posted(who.put(f"{ROOT}/members/dana", {}))
    shown = posted(who.get(f"{PATH}/d"), 200)
    assert (shown["status"], shown["tier"]) == ("accepted", 0)


def test_a_survey_about_ones_own_work_stays_a_self_evaluation(who: Actor) -> None:
    work = {"member": "m11", "type": "authored", "occurred_at": BEFORE["occurred_at"], "ref": "draft"}
    posted(who.post(f"{ROOT}/contributions", work))
    answer = who.post(PATH, BEFORE | {"about": {"contribution": "draft"}})
    assert refused(answer) == (422, "self-evaluation", "/evaluator")


def test_an_answer_about_oneself_names_the_same_member_twice(who: Actor) -> None:
    posted(who.put(f"{ROOT}/members/m11-too", {"email": "m11@example.org"}))
    assert refused(who.post(PATH, BEFORE | {"evaluator": "m11-too"})) == (422, "self-evaluation", "/evaluator")


@pytest.mark.parametrize(
    ("rule", "observed"),
    [
        pytest.param(GAIN, 0, id="a gain without self-reports"),
        pytest.param(GAIN | {"self_report": False}, 0, id="a gain that refuses self-reports"),
        pytest.param(GAIN | {"self_report": True}, 1, id="a gain that accepts self-reports"),
        pytest.param(SCORE, 0, id="a score without self-reports"),
        pytest.param(SCORE | {"self_report": True}, 1, id="a score that accepts self-reports"),
    ],
)
def test_answers_about_oneself_count_if_the_rule_says_so(who: Actor, rule: dict[str, Any], observed: float) -> None:
    posted(who.post(PATH, BEFORE))
    posted(who.post(PATH, AFTER))
    progress = reached(who, rule)
    assert (progress["observed"], progress["met"]) == (observed, observed == 1)
    assert ("their own answers included" in progress["text"]) == (rule.get("self_report") is True)


def test_a_rule_that_accepts_answers_about_oneself_accepts_no_other_word_about_oneself(who: Actor) -> None:
    """Of a survey on a session the member is not the subject, and by nobody else does one judge oneself."""
    posted(who.post(PATH, SURVEY | {"anonymous": False, "evaluator": "m11", "instrument": "knowledge"}))
    for body in (RUBRIC, BEFORE | {"kind": "score", "assessment": "knowledge"}):
        said = {name: value for name, value in body.items() if body is RUBRIC or name not in ("instrument", "answers")}
        assert refused(who.post(PATH, said | {"evaluator": "m11"})) == (422, "self-evaluation", "/evaluator")
    assert reached(who, SCORE | {"self_report": True})["observed"] == 0
