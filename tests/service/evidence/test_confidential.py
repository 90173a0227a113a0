"""Evidence about confidential sessions: what is not stored, and what badges that were signed before tell."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.access.act import Act
from service.issuing import shown_evidence
from service.issuing.concealing import conceal_due
from service.runtime.runtime import Runtime
from service.tables import Credential, Network
from tests.worlds.acting import refused
from tests.worlds.awarding import Stage, once

SECRET = {"session": "s1", "title": "A hard case", "description": "About a pupil.", "tags": ["case"], "minutes": 40}
LEFT_OUT = ["/title", "/description", "/resource", "/tags"]
ATTENDED = {"rule": "count", "where": {"types": ["shared"]}, "gte": 1}


@once
def laid(stage: Stage) -> None:
    stage.member("m11")
    stage.member("m12")
    stage.send(
        "PUT", "./sessions/s1", {"starts_at": "2026-03-01T09:00:00Z", "confidential": True, "title": "Hard cases"}
    )
    stage.send("PUT", "./sessions/s2", {"starts_at": "2026-03-01T09:00:00Z", "title": "Drafts"})


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def without_details(stage: Stage) -> None:
    stage.send("PATCH", "./guidelines/settings", {"confidential_details": "not-stored"})


def body_of(stage: Stage, made: Any) -> Any:
    return stage.send("GET", f"./records/{made['id']}")["body"]


# --- What is not stored --------------------------------------------------------------------------------------------------


def test_what_was_written_about_a_confidential_session_is_not_stored_and_the_answer_says_so(stage: Stage) -> None:
    without_details(stage)
    made = stage.share(1, **SECRET)
    assert made["left_out"] == LEFT_OUT
    assert body_of(stage, made) == {
        "ref": "m11-share-1",
        "member": "m11",
        "type": "shared",
        "session": "s1",
        "occurred_at": "2026-03-01T10:00:00Z",
        "minutes": 40,
    }


def test_everything_is_stored_where_the_network_keeps_details(stage: Stage) -> None:
    made = stage.share(1, **SECRET)
    assert "left_out" not in made
    assert body_of(stage, made)["description"] == "About a pupil."


def test_everything_is_stored_of_other_sessions(stage: Stage) -> None:
    without_details(stage)
    assert "left_out" not in stage.share(1, **SECRET | {"session": "s2"})


def test_what_is_posted_again_is_the_same_also_if_the_network_chose_something_else_between(stage: Stage) -> None:
    whole = stage.share(1, **SECRET)
    without_details(stage)
    again = stage.share(1, **SECRET)
    assert (again["status"], again["id"]) == ("duplicate", whole["id"])
    lessened = stage.share(2, **SECRET)
    assert stage.share(2, **SECRET)["id"] == lessened["id"]


@pytest.mark.parametrize("about", ["session", "contribution"])
def test_of_evaluations_levels_and_numbers_stay_and_words_go(stage: Stage, about: str) -> None:
    without_details(stage)
    work = stage.share(1, **SECRET)
    name = {"session": "s1", "contribution": work["id"]}[about]
    said = {"kind": "survey", "about": {about: name}, "evaluator": "m12", "instrument": "pulse"}
    said |= {"answers": {"worth my time": 4, "why": "The pupil."}, "occurred_at": "2026-03-01T11:00:00Z"}
    made = stage.send("POST", "./evaluations", said)
    assert made["left_out"] == ["/answers"]
    assert body_of(stage, made)["answers"]["worth my time"] == 4
    assert "The pupil." not in json.dumps(body_of(stage, made))


def test_a_survey_of_nothing_but_words_and_a_reflection_can_be_read_again(stage: Stage) -> None:
    without_details(stage)
    at = {"occurred_at": "2026-03-01T11:00:00Z"}
    survey = {"kind": "survey", "about": {"session": "s1"}, "evaluator": "m12", "instrument": "pulse"}
    words = stage.send("POST", "./evaluations", survey | {"answers": {"why": "The pupil."}} | at)
    work = stage.share(1, **SECRET)
    text = {"kind": "reflection", "about": {"contribution": work["id"]}, "text": "The pupil."}
    reflected = stage.send("POST", "./evaluations", text | at)
    assert (words["left_out"], reflected["left_out"]) == (["/answers"], ["/text"])
    assert "The pupil." not in json.dumps([body_of(stage, words), body_of(stage, reflected)])
    voided = stage.send("POST", f"./records/{words['id']}/correction", {"changes": {"instrument": "p"}, "reason": "x"})
    assert voided["status"] == "accepted"


def test_lines_and_corrections_say_what_they_left_out_too(stage: Stage) -> None:
    without_details(stage)
    line = {"member": "m11", "type": "attended", "session": "s1", "title": "x", "occurred_at": "2026-03-01T10:00:00Z"}
    headers = {"Content-Type": "application/x-ndjson"}
    answer = stage.call("POST", "./contributions/bulk", content=json.dumps(line), headers=headers)
    told = json.loads(answer.text.splitlines()[0])
    assert told["left_out"] == ["/title"]
    said = {"changes": {"minutes": 30, "description": "About a pupil."}, "reason": "It was half an hour."}
    corrected = stage.send("POST", f"./records/{told['id']}/correction", said)
    assert corrected["left_out"] == ["/description"]
    assert "description" not in body_of(stage, corrected)
    again = {"changes": {"title": "y"}, "reason": "A title."}
    assert refused(stage.call("POST", f"./records/{corrected['id']}/correction", json=again))[1] == "correction-empty"


# --- A session that becomes confidential ---------------------------------------------------------------------------------


def evidence(stage: Stage) -> dict[str, str]:
    (award,) = stage.awards()
    return {each["genre"]: each["narrative"] for each in stage.credential(award)["evidence"]}


def test_badges_no_longer_tell_of_a_session_that_became_confidential(stage: Stage, runtime: Runtime) -> None:
    stage.achievement(rule=ATTENDED)
    stage.share(1, session="s2", minutes=40)
    before = evidence(stage)
    assert before["shared"].startswith("Shared a resource on 1 March 2026, 40 minutes.")
    assert before["duration"].startswith("40 minutes in all")
    stage.send("PATCH", "./sessions/s2", {"confidential": True})
    assert conceal_due(runtime) == 1
    assert evidence(stage) == {
        "confidential": "In a confidential session. Confirmed by the network.",
        "receipt": before["receipt"],
    }
    assert conceal_due(runtime) == 0


def hide(runtime: Runtime, credential_id: str, *items: str) -> None:
    """Have the recipient hide these items of evidence, and show all others."""
    with runtime.database.write() as session:
        network = session.get_one(Network, session.get_one(Credential, credential_id).network_id)
        shown_evidence.choose(Act(session, network, None, runtime.now()), runtime, credential_id, items)


def test_what_the_recipient_had_hidden_tells_nothing_when_it_is_shown_again(stage: Stage, runtime: Runtime) -> None:
    stage.achievement(rule=ATTENDED)
    stage.share(1, session="s2", minutes=40)
    (award,) = stage.awards()
    hide(runtime, award["credential"]["id"], "evidence-1")
    stage.send("PATCH", "./sessions/s2", {"confidential": True})
    conceal_due(runtime)
    hide(runtime, award["credential"]["id"])
    assert evidence(stage)["confidential"] == "In a confidential session. Confirmed by the network."
    assert "shared" not in evidence(stage)


def test_badges_that_do_not_rest_on_it_stay_as_they_are(stage: Stage, runtime: Runtime) -> None:
    stage.achievement(rule=ATTENDED)
    stage.share(1)
    before = evidence(stage)
    stage.send("PATCH", "./sessions/s2", {"confidential": True})
    assert (conceal_due(runtime), evidence(stage)) == (0, before)
