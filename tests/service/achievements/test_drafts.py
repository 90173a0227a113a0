"""A draft is changed in part and deleted; what was published is not deleted."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.bodies import merged
from service.runtime.runtime import Runtime
from service.tables import Achievement, AchievementVersion
from tests.worlds import described
from tests.worlds.acting import Actor, actor, refused, told
from tests.worlds.posting import ROOT, hill, posted, river, rows_of
from tests.worlds.runtimes import app_of

ACHIEVEMENTS = f"{ROOT}/achievements"
READER = f"{ACHIEVEMENTS}/reader"
RULE = {"rule": "count", "where": {"types": ["reviewed"]}, "gte": 2}
DEFINED: dict[str, Any] = {
    "name": "Generous Reader",
    "description": "Reads drafts.",
    "achievement_type": "Badge",
    "criteria": {"narrative": "Review two drafts.", "rule": RULE},
    "tags": ["reading", "drafts"],
    "award": "reviewed",
}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    return river(runtime, client)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_its_rfc_shows(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result


def test_a_draft_is_changed_in_part(who: Actor) -> None:
    before = posted(who.put(READER, DEFINED))
    patch = {"criteria": {"rule": {"gte": 3}}, "tags": None, "valid_for": "P2Y"}
    after = who.patch(READER, patch).json()
    assert after["criteria"] == {"narrative": "Review two drafts.", "rule": RULE | {"gte": 3}}
    assert ("tags" in after, after["valid_for"], after["name"]) == (False, "P2Y", "Generous Reader")
    assert (after["id"], after["version"], after["state"]) == (before["id"], 1, "draft")
    assert who.get(READER).json() == after
    headers = {"Content-Type": "application/merge-patch+json"}
    assert who.patch(READER, {"name": "Reader"}, headers=headers).json()["name"] == "Reader"


def test_what_a_patch_leaves_out_is_taken_from_the_draft(who: Actor) -> None:
    posted(who.put(READER, DEFINED))
    after = who.patch(READER, {"award": "automatic", "criteria": {"narrative": "Review drafts."}}).json()
    assert (after["award"], after["criteria"]) == ("automatic", {"narrative": "Review drafts.", "rule": RULE})


def test_a_patch_of_what_is_published_is_the_draft_of_the_next_version(who: Actor) -> None:
    posted(who.put(READER, DEFINED))
    posted(who.post(f"{READER}/publication"), 200)
    after = who.patch(READER, {"name": "Reader"}).json()
    assert (after["version"], after["state"], after["published_version"]) == (2, "draft", 1)
    assert who.get(f"{READER}/versions/1").json()["name"] == "Generous Reader"
    assert who.patch(READER, {"name": "Generous Reader"}).json()["version"] == 2


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("patch", "code", "pointer"),
    [
        ({"colour": "red"}, "extra-forbidden", "/colour"),
        ({"colour": None}, "extra-forbidden", "/colour"),
        ({"name": None}, "string-type", "/name"),
        ({"criteria": {"rule": None}, "award": "automatic"}, "rule-missing", "/award"),
        ({"criteria": {"rules": []}}, "extra-forbidden", "/criteria/rules"),
        ({"valid_for": 2}, "string-type", "/valid_for"),
        ({"description": "a\0b"}, "text-nul", "/description"),
    ],
)
def test_a_patch_is_judged_like_the_whole(who: Actor, patch: Any, code: str, pointer: str) -> None:
    posted(who.put(READER, DEFINED))
    answer = who.patch(READER, patch)
    assert refused(answer) == (422, code, pointer)


def test_a_patch_is_an_object_and_adds_nothing(who: Actor) -> None:
    assert refused(who.patch(READER, {"name": "A."})) == (404, "achievement-unknown", None)
    posted(who.put(READER, DEFINED))
    assert refused(who.patch(READER, ["name"]))[:2] == (422, "model-attributes-type")
    wrong = who.patch(READER, {"criteria": {"rule": {"rule": "guess"}}})
    assert refused(wrong)[:2] == (422, "rule-unknown")


def test_what_was_never_published_is_deleted(runtime: Runtime, who: Actor) -> None:
    posted(who.put(READER, DEFINED))
    assert who.delete(READER).status_code == 204
    assert (rows_of(runtime, Achievement), rows_of(runtime, AchievementVersion)) == ([], [])
    assert refused(who.delete(READER)) == (404, "achievement-unknown", None)
    assert "achievement.deleted" not in told(runtime)


def test_what_was_published_is_retired_instead(who: Actor) -> None:
    posted(who.put(READER, DEFINED))
    posted(who.post(f"{READER}/publication"), 200)
    who.patch(READER, {"name": "Reader"})
    answer = who.delete(READER)
    assert refused(answer) == (409, "achievement-published", None)
    assert f"`POST {READER}/retirement`" in answer.json()["detail"]


def test_another_network_and_another_scope_change_nothing(runtime: Runtime, client: TestClient, who: Actor) -> None:
    posted(who.put(READER, DEFINED))
    other = hill(runtime, client)
    reader = actor(runtime, client, slug="river-writers", scopes=["read"])
    for method, body in (("DELETE", None), ("PATCH", {"name": "A."})):
        assert refused(other.ask(method, READER, body)) == (404, "network-unknown", None)
        assert refused(reader.ask(method, READER, body)) == (403, "scope-missing", None)


@pytest.mark.any_database("no row is asked what a patch looks like")
def test_a_patch_is_described_by_the_members_that_it_may_have(runtime: Runtime) -> None:
    schemas = described.of(app_of(runtime)).document["components"]["schemas"]
    whole, patch = schemas["AchievementFields"], schemas["AchievementChange"]
    assert patch["properties"].keys() == whole["properties"].keys()
    assert (patch["additionalProperties"], patch.get("required")) == (False, None)
    assert (schemas["CriteriaChange"]["additionalProperties"], schemas["CriteriaChange"].get("required")) == (
        False,
        None,
    )
