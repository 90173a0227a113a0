"""Objectives in versions, and the sessions that name them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.acting import Actor, actor, all_pages, refused, told
from tests.worlds.posting import ROOT, alone, hill, posted

OBJECTIVES = f"{ROOT}/objectives"
SESSIONS = f"{ROOT}/sessions"
FEEDBACK = {"text": "Members give feedback that names a place in the draft.", "measure": "Three reviews rated 3."}
SKILL = {"target_name": "Formative feedback", "target_url": "https://standards.example.org/feedback"}
EVENING = {"starts_at": "2026-03-01T17:00:00Z"}


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


def test_an_objective_is_posted_and_shown_with_its_version(river: Actor) -> None:
    made = posted(river.put(f"{OBJECTIVES}/F1", FEEDBACK | {"alignment": [SKILL]}))
    assert {name: made[name] for name in ("ref", "version", "text", "measure")} == {
        "ref": "F1",
        "version": 1,
    } | FEEDBACK
    assert made["alignment"] == [SKILL]
    assert [each["version"] for each in made["versions"]] == [1]
    assert river.get(f"{OBJECTIVES}/F1").json() == made
    [listed] = all_pages(river, OBJECTIVES)
    assert listed == {name: value for name, value in made.items() if name != "versions"}


def test_what_differs_is_the_next_version_and_the_one_before_stays(runtime: Runtime, river: Actor) -> None:
    first = posted(river.put(f"{OBJECTIVES}/F1", FEEDBACK))
    assert posted(river.put(f"{OBJECTIVES}/F1", FEEDBACK), 200) == first
    second = posted(river.put(f"{OBJECTIVES}/F1", {"text": "Other.", "changes": "The text."}), 200)
    assert (second["version"], second["changes"], "measure" in second) == (2, "The text.", False)
    assert [each["text"] for each in second["versions"]] == [FEEDBACK["text"], "Other."]
    third = posted(river.patch(f"{OBJECTIVES}/F1", {"measure": "Two."}), 200)
    assert (third["version"], third["text"], third["measure"]) == (3, "Other.", "Two.")
    assert told(runtime)[1:] == ["objective.posted", "objective.changed", "objective.changed"]


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"text": ""}, "string-too-short", "/text"),
        ({"text": None}, "string-type", "/text"),
        ({"measure": 3}, "string-type", "/measure"),
        ({"alignment": []}, "too-short", "/alignment"),
        ({"alignment": [{"target_name": "A"}]}, "missing", "/alignment/0/target_url"),
        ({"alignment": [SKILL | {"target_type": "Skill"}]}, "type-unknown", "/alignment/0/target_type"),
        ({"ref": "F2"}, "ref-differs", "/ref"),
        ({"version": 7}, "extra-forbidden", "/version"),
    ],
)
def test_an_objective_that_is_not_well_described_is_refused(
    river: Actor, change: dict[str, Any], code: str, pointer: str
) -> None:
    assert refused(river.put(f"{OBJECTIVES}/F1", FEEDBACK | change)) == (422, code, pointer)
    assert refused(river.get(f"{OBJECTIVES}/F1")) == (404, "objective-unknown", None)


def test_where_something_rests_on_it_a_new_version_says_what_changes(river: Actor) -> None:
    river.put(f"{OBJECTIVES}/F1", FEEDBACK)
    posted(river.put(f"{SESSIONS}/s1", EVENING | {"objectives": ["F1"]}))
    assert refused(river.patch(f"{OBJECTIVES}/F1", {"text": "Other."})) == (422, "changes-missing", "/changes")
    assert river.get(f"{OBJECTIVES}/F1").json()["version"] == 1
    assert posted(river.patch(f"{OBJECTIVES}/F1", {"text": "Other.", "changes": "All."}), 200)["version"] == 2


def test_one_objective_posted_twice_at_the_same_moment_is_one(river: Actor) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: river.put(f"{OBJECTIVES}/F1", FEEDBACK), range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    assert river.get(f"{OBJECTIVES}/F1").json()["version"] == 1


def test_a_session_names_objectives_until_it_no_longer_does(river: Actor) -> None:
    for code in ("F1", "F2"):
        river.put(f"{OBJECTIVES}/{code}", FEEDBACK)
    assert posted(river.put(f"{SESSIONS}/s1", EVENING | {"objectives": ["F2", "F1"]}))["objectives"] == ["F1", "F2"]
    assert posted(river.patch(f"{SESSIONS}/s1", {"title": "A."}), 200)["objectives"] == ["F1", "F2"]
    assert river.get(f"{SESSIONS}/s1").json()["objectives"] == ["F1", "F2"]
    assert all_pages(river, SESSIONS)[0]["objectives"] == ["F1", "F2"]
    assert posted(river.patch(f"{SESSIONS}/s1", {"objectives": ["F2"]}), 200)["objectives"] == ["F2"]
    assert "objectives" not in posted(river.patch(f"{SESSIONS}/s1", {"objectives": None}), 200)
    assert river.delete(f"{OBJECTIVES}/F2").status_code == 204


@pytest.mark.parametrize(
    ("codes", "code", "pointer"),
    [
        (["F1", "nothing"], "objective-unknown", "/objectives/1"),
        (["old"], "objective-retired", "/objectives/0"),
        (["F1", "F1"], "repeated", "/objectives"),
        ("F1", "list-type", "/objectives"),
    ],
)
def test_a_session_names_only_objectives_that_there_are(river: Actor, codes: Any, code: str, pointer: str) -> None:
    for each in ("F1", "old"):
        river.put(f"{OBJECTIVES}/{each}", FEEDBACK)
    river.post(f"{OBJECTIVES}/old/retirement")
    assert refused(river.put(f"{SESSIONS}/s1", EVENING | {"objectives": codes})) == (422, code, pointer)
    assert refused(river.get(f"{SESSIONS}/s1")) == (404, "session-unknown", None)


def test_a_change_of_objectives_alone_is_told_as_a_change_of_the_session(runtime: Runtime, river: Actor) -> None:
    river.put(f"{OBJECTIVES}/F1", FEEDBACK)
    for _ in range(2):
        river.put(f"{SESSIONS}/s1", EVENING | {"objectives": ["F1"]})
    river.patch(f"{SESSIONS}/s1", {"objectives": []})
    assert told(runtime)[2:] == ["session.posted", "session.changed"]


def test_what_names_a_retired_objective_keeps_it_and_it_changes_no_more(runtime: Runtime, river: Actor) -> None:
    river.put(f"{OBJECTIVES}/F1", FEEDBACK)
    river.put(f"{SESSIONS}/s1", EVENING | {"objectives": ["F1"]})
    for _ in range(2):
        assert "retired_at" in posted(river.post(f"{OBJECTIVES}/F1/retirement"), 200)
    assert posted(river.put(f"{SESSIONS}/s1", EVENING | {"objectives": ["F1"]}), 200)["objectives"] == ["F1"]
    assert refused(river.patch(f"{OBJECTIVES}/F1", {"text": "B.", "changes": "B."})) == (409, "objective-retired", None)
    assert [each["ref"] for each in all_pages(river, OBJECTIVES, retired="true")] == ["F1"]
    assert all_pages(river, OBJECTIVES, retired="false") == []
    for _ in range(2):
        assert "retired_at" not in posted(river.post(f"{OBJECTIVES}/F1/reinstatement"), 200)
    assert told(runtime)[-2:] == ["objective.retired", "objective.reinstated"]


def test_only_an_objective_that_nothing_names_is_removed(runtime: Runtime, river: Actor) -> None:
    river.put(f"{OBJECTIVES}/F1", FEEDBACK)
    river.put(f"{SESSIONS}/s1", EVENING | {"objectives": ["F1"]})
    answer = river.delete(f"{OBJECTIVES}/F1")
    assert (refused(answer), answer.json()["rests"]) == ((409, "objective-in-use", None), {"sessions": 1})
    assert river.delete(f"{SESSIONS}/s1").status_code == 204
    assert river.delete(f"{OBJECTIVES}/F1").status_code == 204
    assert refused(river.get(f"{OBJECTIVES}/F1")) == (404, "objective-unknown", None)
    assert told(runtime)[-1] == "objective.deleted"


def test_an_objective_is_either_removed_or_named_by_a_session_at_the_same_moment(river: Actor) -> None:
    """Whichever comes first, nothing names what is gone."""
    for turn in range(4):
        code, session = f"F{turn}", f"{SESSIONS}/s{turn}"
        river.put(f"{OBJECTIVES}/{code}", FEEDBACK)
        with ThreadPoolExecutor(2) as pool:
            removed = pool.submit(river.delete, f"{OBJECTIVES}/{code}")
            named = pool.submit(river.put, session, EVENING | {"objectives": [code]})
            answers = {removed.result().status_code, named.result().status_code}
        assert answers in ({204, 422}, {409, 201})
        there = river.get(f"{OBJECTIVES}/{code}").status_code
        assert there == (200 if 201 in answers else 404)


@pytest.mark.parametrize("method", ["patch", "delete", "post"])
def test_what_is_not_there_can_be_neither_changed_nor_retired_nor_removed(river: Actor, method: str) -> None:
    if method == "post":
        answers = [river.post(f"{OBJECTIVES}/F1/{what}") for what in ("retirement", "reinstatement")]
    else:
        answers = [
            river.patch(f"{OBJECTIVES}/F1", {"text": "A."}) if method == "patch" else river.delete(f"{OBJECTIVES}/F1")
        ]
    assert {refused(answer) for answer in answers} == {(404, "objective-unknown", None)}


def test_an_objective_that_somebody_changed_meanwhile_is_not_written(river: Actor) -> None:
    tag = river.put(f"{OBJECTIVES}/F1", FEEDBACK).headers["ETag"]
    assert river.ask("GET", f"{OBJECTIVES}/F1", headers={"If-None-Match": tag}).status_code == 304
    river.patch(f"{OBJECTIVES}/F1", {"text": "Mine."})
    answer = river.patch(f"{OBJECTIVES}/F1", {"text": "Theirs."}, headers={"If-Match": tag})
    assert refused(answer) == (412, "precondition-failed", None)


def test_another_networks_objectives_are_not_there(runtime: Runtime, client: TestClient, river: Actor) -> None:
    river.put(f"{OBJECTIVES}/F1", FEEDBACK)
    other = hill(runtime, client)
    for answer in (other.get(OBJECTIVES), other.get(f"{OBJECTIVES}/F1"), other.put(f"{OBJECTIVES}/F1", FEEDBACK)):
        assert refused(answer) == (404, "network-unknown", None)
    own = "/v1/networks/hill-readers/sessions/s1"
    assert refused(other.put(own, EVENING | {"objectives": ["F1"]})) == (422, "objective-unknown", "/objectives/0")


def test_reading_and_writing_objectives_are_two_scopes(runtime: Runtime, client: TestClient, river: Actor) -> None:
    river.put(f"{OBJECTIVES}/F1", FEEDBACK)
    reader = actor(runtime, client, slug="river-writers", scopes=["read"])
    writer = actor(runtime, client, slug="river-writers", scopes=["achievements:write"])
    assert refused(reader.put(f"{OBJECTIVES}/F1", FEEDBACK)) == (403, "scope-missing", None)
    assert refused(writer.get(OBJECTIVES)) == (403, "scope-missing", None)
