"""Guidelines over HTTP: drafts, versions, templates, and what the network chose."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds.acting import refused, told
from tests.worlds.agreeing import KEYS, SECTIONS, draft, hold, publish
from tests.worlds.awarding import Stage


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime, kind="formal")


# --- Drafts and versions -----------------------------------------------------------------------------------------------


def test_a_draft_is_written_read_and_discarded(stage: Stage) -> None:
    answer = stage.call("PUT", "./guidelines/draft", json={"title": "Ours", "sections": {"roles": "One leads."}})
    assert (answer.status_code, answer.json()["state"], answer.json()["number"]) == (201, "draft", 1)
    assert answer.json()["sections"] == {"roles": "One leads."}
    assert answer.json()["conflict_days"] == {"answer": 7, "mediation": 30}
    again = stage.call("PUT", "./guidelines/draft", json={"title": "Ours", "sections": {"feedback": "We ask."}})
    assert (again.status_code, again.json()["sections"]) == (200, {"feedback": "We ask."})
    read = stage.call("GET", "./guidelines/draft")
    assert read.json() == again.json()
    assert read.headers["etag"] == again.headers["etag"]
    assert stage.call("DELETE", "./guidelines/draft").status_code == 204
    assert refused(stage.call("GET", "./guidelines/draft"))[:2] == (404, "guidelines-draft-unknown")
    assert refused(stage.call("DELETE", "./guidelines/draft"))[:2] == (404, "guidelines-draft-unknown")


def test_somebody_who_has_seen_another_draft_does_not_write_over_it(stage: Stage) -> None:
    draft(stage)
    answer = stage.call(
        "PUT", "./guidelines/draft", json={"title": "Mine", "sections": SECTIONS}, headers={"If-Match": '"old"'}
    )
    assert refused(answer)[:2] == (412, "precondition-failed")
    assert stage.send("GET", "./guidelines/draft")["title"] == "How we work together"


def test_publishing_freezes_a_version_and_says_so(stage: Stage) -> None:
    first = publish(stage)
    assert (first["number"], first["state"], first["published_at"]) == (1, "in-force", "2026-03-02T12:00:00Z")
    assert first["url"].endswith("/networks/river/guidelines/1")
    draft(stage, title="Another title", change_note="Another title.")
    assert stage.send("GET", "./guidelines/versions/1")["title"] == "How we work together"
    assert told(stage.runtime, "river")[-1] == "guidelines.published"


def test_a_new_version_replaces_the_one_before(stage: Stage) -> None:
    publish(stage)
    publish(stage, 2)
    listed = stage.send("GET", "./guidelines/versions")["items"]
    assert [(each["number"], each["state"]) for each in listed] == [(2, "in-force"), (1, "replaced")]
    assert listed[0]["change_note"] == "What version 2 changes."
    assert stage.send("GET", "./guidelines/versions/1")["state"] == "replaced"
    oldest = stage.send("GET", "./guidelines/versions", params={"sort": "number", "limit": 1})
    assert [each["number"] for each in oldest["items"]] == [1]


def test_a_version_that_was_never_published_is_not_there(stage: Stage) -> None:
    draft(stage)
    assert refused(stage.call("GET", "./guidelines/versions/1"))[:2] == (404, "guidelines-version-unknown")


# --- What cannot be published -------------------------------------------------------------------------------------------


def refusal(stage: Stage) -> Any:
    return stage.call("POST", "./guidelines/draft/publication")


def test_there_must_be_a_draft(stage: Stage) -> None:
    assert refused(refusal(stage))[:2] == (409, "guidelines-draft-missing")
    publish(stage)
    assert refused(refusal(stage))[:2] == (409, "guidelines-draft-missing")


@pytest.mark.parametrize("key", KEYS)
def test_a_formal_network_needs_each_section(stage: Stage, key: str) -> None:
    draft(stage, sections={name: text for name, text in SECTIONS.items() if name != key})
    assert refused(refusal(stage)) == (422, f"guidelines-{key}-missing", f"/sections/{key}")


def test_every_missing_section_is_listed(stage: Stage) -> None:
    draft(stage, sections={"roles": "One leads.", "feedback": "We ask."})
    answer = refusal(stage).json()
    missing = [key for key in KEYS if key not in {"roles", "feedback"}]
    assert [each["code"] for each in answer["errors"]] == [f"guidelines-{key}-missing" for key in missing]


def test_an_informal_network_needs_one_section(client: TestClient, runtime: Runtime) -> None:
    stage = Stage.set_up(client, runtime, "hill", kind="informal")
    draft(stage, sections={})
    assert refused(refusal(stage))[:2] == (422, "guidelines-empty")
    draft(stage, sections={"feedback": "We ask."})
    assert refusal(stage).json()["state"] == "in-force"


def test_a_section_says_something(stage: Stage) -> None:
    answer = stage.call("PUT", "./guidelines/draft", json={"title": "Ours", "sections": {"roles": " \n"}})
    assert refused(answer) == (422, "section-blank", "/sections/roles")


def test_what_is_in_force_already_is_not_published_again(stage: Stage) -> None:
    publish(stage)
    draft(stage, preamble="Version 1.", change_note="Nothing.")
    assert refused(refusal(stage))[:2] == (409, "guidelines-unchanged")


def test_a_version_after_the_first_says_what_it_changes(stage: Stage) -> None:
    publish(stage)
    draft(stage, title="Another title")
    assert refused(refusal(stage)) == (422, "guidelines-change-note-missing", "/change_note")


def test_other_networks_do_not_see_the_draft(stage: Stage, client: TestClient, runtime: Runtime) -> None:
    draft(stage)
    hill = Stage.set_up(client, runtime, "hill")
    answer = stage.call("GET", "/v1/networks/river/guidelines/draft", token=hill.token)
    assert refused(answer)[:2] == (404, "network-unknown")


def test_a_token_that_only_reads_writes_no_draft(stage: Stage) -> None:
    answer = stage.call(
        "PUT", "./guidelines/draft", token=stage.token_with("read"), json={"title": "x", "sections": {}}
    )
    assert refused(answer)[:2] == (403, "scope-missing")


# --- Templates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", ["formal", "informal"])
def test_a_template_can_be_published_as_it_is(client: TestClient, runtime: Runtime, kind: str, language: str) -> None:
    stage = Stage.set_up(client, runtime, "hill", kind=kind)
    found = stage.send("GET", "/v1/guidelines-templates", params={"kind": kind, "language": language})["items"]
    (template,) = found
    assert template["guidelines"]["language"] == language
    stage.send("PUT", "./guidelines/draft", template["guidelines"])
    assert stage.send("POST", "./guidelines/draft/publication")["state"] == "in-force"


def test_all_templates_are_listed(stage: Stage) -> None:
    listed = stage.send("GET", "/v1/guidelines-templates")["items"]
    assert [(each["kind"], each["language"]) for each in listed] == [
        ("formal", "en"),
        ("formal", "es"),
        ("informal", "en"),
        ("informal", "es"),
    ]


# --- What the network chose ----------------------------------------------------------------------------------------------


def test_a_network_that_chose_nothing_reminds_and_keeps(stage: Stage) -> None:
    found = stage.send("GET", "./guidelines/settings")
    assert (found["acceptance"], found["grace_days"], found["confidential_details"]) == ("remind", 14, "kept")
    assert "holds_since" not in found


def test_what_is_left_out_of_a_choice_stays(stage: Stage) -> None:
    hold(stage, grace_days=3)
    changed = stage.send("PATCH", "./guidelines/settings", {"confidential_details": "not-stored"})
    assert (changed["acceptance"], changed["grace_days"]) == ("hold", 3)
    assert changed["holds_since"] == "2026-03-02T12:00:00Z"
    assert "holds_since" not in stage.send("PATCH", "./guidelines/settings", {"acceptance": "remind"})
