"""A definition is tried before anybody earns it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.progress import dry_run
from service.runtime.runtime import Runtime
from service.tables import Achievement, Award
from tests.worlds.acting import Actor, actor, refused
from tests.worlds.posting import REVIEW, ROOT, hill, posted, river, rows_of

PATH = f"{ROOT}/achievements/reader/dry-run"
REVIEWED = {"rule": "count", "where": {"types": ["reviewed"]}, "gte": 2}
SHARED = {"rule": "count", "where": {"types": ["shared"]}, "gte": 2}
MENTORED = {"rule": "count", "where": {"types": ["mentored"]}, "gte": 1}


def definition(rule: Any) -> dict[str, Any]:
    return {
        "name": "Reader",
        "description": "Reads drafts.",
        "achievement_type": "Badge",
        "criteria": {"narrative": "As the rule says.", "rule": rule},
        "award": "automatic",
    }


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    """Whoever may do everything in a network with the members m11, m12 and m13: 2 reviews, 1 review, and nothing."""
    speaking = river(runtime, client)
    for member, times in (("m11", 2), ("m12", 1)):
        for _ in range(times):
            posted(speaking.post(f"{ROOT}/contributions", REVIEW | {"member": member}))
    return speaking


def tried(who: Actor, body: Any = None, **query: Any) -> Any:
    return posted(who.ask("POST", PATH, body or {}, params=query), 200)


def steps(answer: Any) -> dict[str, int]:
    return {item["member"]: item["steps"] for item in answer["items"]}


def test_a_draft_says_who_would_earn_it_and_who_is_one_step_away(who: Actor, runtime: Runtime) -> None:
    posted(who.post(f"{ROOT}/achievements", definition(REVIEWED) | {"ref": "reader"}))
    answer = tried(who)
    assert (answer["version"], answer["faults"], answer["looked_at"]) == (1, [], 3)
    assert "next" not in answer
    assert answer["items"][:2] == [
        {"member": "m11", "met": True, "held": False, "steps": 0, "progress": 1, "missing": []},
        {
            "member": "m12",
            "met": False,
            "held": False,
            "steps": 1,
            "progress": 0.5,
            "missing": [
                {
                    "rule": "count",
                    "observed": 1,
                    "required": 2,
                    "progress": 0.5,
                    "text": "1 of 2 contributions of type reviewed",
                }
            ],
        },
    ]
    counted = tried(who, {"steps": 0, "count": True})
    assert (steps(counted), counted["count"]) == ({"m11": 0}, 1)
    assert rows_of(runtime, Award) == []


def test_a_definition_in_the_request_is_stored_nowhere(who: Actor, runtime: Runtime) -> None:
    answer = tried(who, {"definition": definition({"all": [REVIEWED, SHARED]})})
    assert "version" not in answer
    assert steps(answer) == {"m11": 1}
    assert rows_of(runtime, Achievement) == []
    impossible = SHARED | {"distinct": "day", "window": {"from": "2026-04-01", "to": "2026-04-02"}}
    answer = tried(who, {"definition": definition({"any": [impossible, {"rule": "holds", "achievements": ["x"]}]})})
    assert [(fault["code"], fault["pointer"]) for fault in answer["faults"]] == [
        ("rule-impossible", "/criteria/rule/any/0/gte"),
        ("achievement-unknown", "/criteria/rule/any/1/achievements/0"),
    ]


def test_steps_are_the_fewest_rules_that_are_still_to_be_met(who: Actor) -> None:
    for rule, expected in (
        ({"all": [REVIEWED, SHARED, MENTORED]}, [2, 3, 3]),
        ({"any": [{"all": [SHARED, MENTORED]}, REVIEWED]}, [0, 1, 1]),
        ({"at_least": {"n": 2, "of": [SHARED, MENTORED, REVIEWED]}}, [1, 2, 2]),
        ({"all": [{"any": [SHARED, MENTORED]}, {"at_least": {"n": 1, "of": [REVIEWED]}}]}, [1, 2, 2]),
    ):
        answer = tried(who, {"definition": definition(rule), "steps": 9})
        assert list(steps(answer).values()) == expected
    # Of ways as short, the one come furthest is told.
    answer = tried(who, {"definition": definition({"any": [MENTORED, REVIEWED]}), "member": "m12"})
    assert [each["observed"] for each in answer["items"][0]["missing"]] == [1]


def test_one_member_is_told_rule_by_rule_however_far_away(who: Actor) -> None:
    answer = tried(who, {"definition": definition({"all": [SHARED, REVIEWED]}), "member": "m13", "steps": 0})
    [item] = answer["items"]
    assert (item["member"], item["steps"], len(item["criteria"]["children"])) == ("m13", 2, 2)
    answer = tried(who, {"definition": definition(REVIEWED), "member": "m11"})
    assert answer["items"][0]["criteria"]["records"] == 2


def test_who_has_it_already_is_said(who: Actor) -> None:
    posted(who.post(f"{ROOT}/achievements", definition(REVIEWED) | {"ref": "reader", "publish": True}))
    assert {item["member"]: item["held"] for item in tried(who)["items"]} == {"m11": True, "m12": False, "m13": False}


@pytest.mark.parametrize("at_once", [1, 2, 500])
def test_pages_go_through_everybody_and_look_at_no_more_than_a_bound(
    who: Actor, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(dry_run, "MEMBERS_AT_ONCE", at_once)
    monkeypatch.setattr(dry_run, "LOOKED_AT", 2)
    for n in range(20, 25):
        posted(who.put(f"{ROOT}/members/m{n}", {}))
    for wanted, expected in ((0, ["m11"]), (1, ["m11", "m12", "m13", *(f"m{n}" for n in range(20, 25))])):
        found: list[str] = []
        looked_at, query = 0, {"limit": 2}
        while True:
            answer = tried(who, {"definition": definition(REVIEWED), "steps": wanted}, **query)
            assert len(answer["items"]) <= 2
            found += steps(answer)
            looked_at += answer["looked_at"]
            if "next" not in answer:
                break
            query["after"] = answer["next"]
        assert (found, looked_at) == (expected, 8)


def test_what_cannot_be_tried_is_refused(who: Actor, runtime: Runtime, client: TestClient) -> None:
    assert refused(who.post(PATH, {})) == (404, "achievement-unknown", None)
    without = definition(REVIEWED) | {"criteria": {"narrative": "By grace."}, "award": "reviewed"}
    assert refused(who.post(PATH, {"definition": without})) == (404, "rule-missing", None)
    wrong = {"definition": definition({"rule": "count", "gte": 0})}
    assert refused(who.post(PATH, wrong))[0::2] == (422, "/definition/criteria/rule/gte")
    posted(who.post(f"{ROOT}/achievements", definition(REVIEWED) | {"ref": "reader"}))
    assert refused(who.post(PATH, {"version": 2})) == (404, "version-unknown", None)
    assert refused(who.post(PATH, {"version": 1, "definition": definition(REVIEWED)}))[0] == 422
    assert refused(who.post(PATH, {"member": "nobody"})) == (404, "member-unknown", None)
    assert refused(who.ask("POST", PATH, {}, params={"after": "%"})) == (422, "cursor-invalid", "after")
    assert refused(hill(runtime, client).post(PATH, {})) == (404, "network-unknown", None)
    writer = actor(runtime, client, slug="river-writers", scopes=["evidence:write"])
    assert refused(writer.post(PATH, {})) == (403, "scope-missing", None)


def test_a_rubric_of_which_no_criterion_is_declared_is_met_by_nobody(who: Actor) -> None:
    rubric = {"rule": "rubric", "rubric": "feedback", "criteria": "*", "min_level": 3}
    posted(who.post(f"{ROOT}/achievements", definition(rubric) | {"ref": "reader"}))
    answer = tried(who, {"count": True})
    assert [fault["code"] for fault in answer["faults"]] == ["rubric-undeclared"]
    assert (steps(answer), answer["count"]) == ({"m11": 1, "m12": 1, "m13": 1}, 0)
    assert steps(tried(who, {"member": "m11"})) == {"m11": 1}
