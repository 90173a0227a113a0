"""The objectives that achievements serve, pinned by each published version."""

import hashlib
from typing import Any

import pytest
from fastapi.testclient import TestClient

from credentials.strict_json import canonical_json
from service.runtime.runtime import Runtime
from tests.worlds.acting import refused
from tests.worlds.awarding import SHARE_TWICE, Stage

SKILL = {"target_name": "Formative feedback", "target_url": "https://standards.example.org/feedback"}
OTHER = {"target_name": "Reading", "target_url": "https://standards.example.org/reading", "target_code": "R.1"}
FIRST = {"text": "Members share what works.", "measure": "Two resources.", "alignment": [SKILL]}
SECOND = {"text": "Members share what works and what does not.", "alignment": [SKILL, OTHER], "changes": "Both."}


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.send("PUT", "./objectives/F1", FIRST)
    stage.member("m11", email="m11@example.org")
    return stage


def aligned(document: dict[str, Any]) -> list[str]:
    return [each["targetUrl"] for each in document.get("alignment", [])]


def badge(stage: Stage, member: str = "m11") -> dict[str, Any]:
    [award] = [each for each in stage.awards() if each["member"] == member]
    achievement: dict[str, Any] = stage.credential(award)["credentialSubject"]["achievement"]
    return achievement


def page(stage: Stage, path: str) -> str:
    return str(stage.client.get(path, headers={"Accept": "text/html"}).text)


def test_publishing_pins_the_newest_version_and_the_badge_states_its_alignment(stage: Stage) -> None:
    made = stage.achievement(objectives=["F1"])
    assert (made["objectives"], made["objective_versions"]) == (["F1"], {"F1": 1})
    for n in range(2):
        stage.share(n)
    assert aligned(badge(stage)) == [SKILL["target_url"]]


def test_alignments_of_the_definition_come_first_and_each_address_once(stage: Stage) -> None:
    stage.send("PUT", "./objectives/F2", FIRST | {"alignment": [OTHER, SKILL]})
    stage.achievement(objectives=["F1", "F2"], alignment=[SKILL | {"target_name": "Feedback, as we call it"}])
    for n in range(2):
        stage.share(n)
    [own, other] = badge(stage)["alignment"]
    assert (own["targetName"], other["targetCode"]) == ("Feedback, as we call it", "R.1")


def test_an_achievement_that_names_none_is_the_same_as_before(stage: Stage) -> None:
    made = stage.achievement()
    assert not {"objectives", "objective_versions"} & made.keys()
    document = stage.client.get(f"{made['url']}/definition.json").content
    assert b"objectives" not in document
    assert hashlib.sha256(document).hexdigest() == made["definition_sha256"]
    assert "alignment" not in stage.client.get(f"{made['url']}.json").json()


def test_the_digest_is_of_the_definition_and_not_of_the_versions(stage: Stage) -> None:
    made = stage.achievement(objectives=["F1"])
    document = stage.client.get(f"{made['url']}/definition.json").json()
    assert document["objectives"] == ["F1"]
    assert hashlib.sha256(canonical_json(document)).hexdigest() == made["definition_sha256"]


def test_who_is_enrolled_under_one_version_is_judged_by_it(stage: Stage) -> None:
    """m11 has begun under the first version; m12 begins when the objective and the rule are others."""
    first = stage.achievement(objectives=["F1"], rule=SHARE_TWICE)
    stage.member("m12", email="m12@example.org")
    stage.share(0)
    stage.send("PUT", "./objectives/F1", SECOND)
    again = stage.send("PUT", "./achievements/sharer", definition(first, SHARE_TWICE | {"gte": 3}))
    assert (again["version"], again["state"], "objective_versions" in again) == (2, "draft", False)
    second = stage.send("POST", "./achievements/sharer/publication")
    assert second["objective_versions"] == {"F1": 2}
    stage.share(1)
    [own] = stage.send("GET", "./members/m11/progress")["items"]
    assert (own["version"], own["met"]) == (1, True)
    assert stage.send("GET", "./achievements/sharer/versions/1")["objective_versions"] == {"F1": 1}
    assert aligned(badge(stage)) == [SKILL["target_url"]]
    for n in range(3):
        stage.share(n, "m12")
    assert aligned(badge(stage, "m12")) == [SKILL["target_url"], OTHER["target_url"]]
    assert FIRST["text"] in page(stage, first["url"])
    assert str(SECOND["text"]) in page(stage, second["url"])


def definition(made: dict[str, Any], rule: Any) -> dict[str, Any]:
    names = ("name", "description", "achievement_type", "award", "objectives")
    return {name: made[name] for name in names} | {"criteria": {"narrative": "Share.", "rule": rule}}


def test_the_same_definition_is_the_next_version_once_its_objective_has_a_newer_one(stage: Stage) -> None:
    said = definition(stage.achievement(objectives=["F1"]), SHARE_TWICE) | {
        "criteria": {"narrative": "Share two resources.", "rule": SHARE_TWICE}
    }
    assert stage.send("PUT", "./achievements/sharer", said)["version"] == 1
    stage.send("PUT", "./objectives/F1", SECOND)
    for _ in range(2):
        assert stage.send("PUT", "./achievements/sharer", said)["version"] == 2
    assert stage.send("POST", "./achievements/sharer/publication")["objective_versions"] == {"F1": 2}
    assert stage.send("PUT", "./achievements/sharer", said)["version"] == 2


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"objectives": ["F1", "F9"]}, "objective-unknown", "/objectives/1"),
        ({"objectives": ["old"]}, "objective-retired", "/objectives/0"),
        ({"objectives": []}, "too-short", "/objectives"),
        ({"objectives": ["F1", "F1"]}, "repeated", "/objectives"),
        (
            {"criteria": {"narrative": "A.", "rule": SHARE_TWICE | {"where": {"objective": "F9"}}}},
            "objective-unknown",
            "/criteria/rule/where/objective",
        ),
    ],
)
def test_only_objectives_that_there_are_are_served(
    stage: Stage, change: dict[str, Any], code: str, pointer: str
) -> None:
    stage.send("PUT", "./objectives/old", FIRST)
    stage.send("POST", "./objectives/old/retirement")
    body = {
        "ref": "sharer",
        "name": "Sharer",
        "description": "Shares.",
        "achievement_type": "Badge",
        "criteria": {"narrative": "Share.", "rule": SHARE_TWICE},
        "award": "automatic",
        "publish": True,
    }
    assert refused(stage.call("POST", "./achievements", json=body | change)) == (422, code, pointer)


def test_a_draft_may_name_an_objective_that_is_still_to_come(stage: Stage) -> None:
    draft = stage.achievement(objectives=["F9"], publish=False)
    assert (draft["objectives"], "objective_versions" in draft) == (["F9"], False)
    stage.send("PUT", "./objectives/F9", FIRST)
    assert stage.send("POST", "./achievements/sharer/publication")["objective_versions"] == {"F9": 1}


@pytest.mark.parametrize("by_rule", [False, True])
def test_an_objective_of_a_published_achievement_stays_and_can_be_retired(stage: Stage, by_rule: bool) -> None:
    toward = SHARE_TWICE | {"where": {"types": ["shared"], "objective": "F1"}}
    made = stage.achievement(rule=toward) if by_rule else stage.achievement(objectives=["F1"])
    answer = stage.call("DELETE", "./objectives/F1")
    assert (refused(answer), answer.json()["rests"]) == ((409, "objective-in-use", None), {"achievements": 1})
    assert refused(stage.call("PATCH", "./objectives/F1", json={"text": "B."})) == (422, "changes-missing", "/changes")
    stage.send("POST", "./objectives/F1/retirement")
    assert (str(FIRST["text"]) in page(stage, made["url"])) is not by_rule
    assert stage.send("GET", "./achievements/sharer")["state"] == "published"


def test_contributions_in_sessions_about_an_objective_count_toward_it(stage: Stage) -> None:
    stage.send("PUT", "./sessions/s1", {"starts_at": "2026-03-01T10:00:00Z", "objectives": ["F1"]})
    stage.send("PUT", "./sessions/s2", {"starts_at": "2026-03-01T10:00:00Z"})
    made = stage.achievement(rule=SHARE_TWICE | {"where": {"types": ["shared"], "objective": "F1"}})
    for n, session in enumerate(("s1", "s2", None)):
        stage.share(n, **({"session": session} if session else {}))
    [own] = stage.send("GET", "./members/m11/progress")["items"]
    assert own["text"] == "1 of 2 resources in contributions of type shared in sessions about objective F1"
    assert "in meetings about the objective “F1”" in page(stage, made["url"])


def test_the_networks_page_says_what_it_works_toward(stage: Stage) -> None:
    stage.send("PUT", "./objectives/F2", {"text": "Of <b>before</b>."})
    shown = page(stage, "/networks/river")
    assert str(FIRST["text"]) in shown
    assert "Of &lt;b&gt;before&lt;/b&gt;." in shown
    stage.send("POST", "./objectives/F2/retirement")
    assert "before" not in page(stage, "/networks/river")
