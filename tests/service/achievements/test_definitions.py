"""The definitions of five programmes: published, earned by evidence posted over HTTP, issued and verified."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import service
from service.checking import verification
from service.runtime.runtime import Runtime
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import Clock

FOLDER = Path(service.__file__).parent / "achievements" / "examples"
DEFINITIONS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


@once
def laid(stage: Stage) -> None:
    for n in range(11, 17):
        stage.member(f"m{n}", organization=f"School {n % 2}")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def did(stage: Stage, kind: str, at: str = "2026-02-01T12:00:00Z", **more: Any) -> None:
    stage.send("POST", "./contributions", {"member": "m11", "type": kind, "occurred_at": at} | more)


def judged(stage: Stage, kind: str, at: str = "2026-02-02T12:00:00Z", **more: Any) -> None:
    body = {"kind": kind, "about": {"member": "m11"}, "occurred_at": at}
    stage.send("POST", "./evaluations", body | more)


def met(stage: Stage, ref: str, name: str, first: str, times: int, days: int = 7) -> list[tuple[str, str]]:
    """Post sessions of a series, and return their refs and times."""
    start = datetime.fromisoformat(first)
    held = []
    for n in range(times):
        at = (start + timedelta(days=n * days)).isoformat()
        stage.send("PUT", f"./sessions/{ref}-{n}", {"series": name, "starts_at": at})
        held.append((f"{ref}-{n}", at))
    return held


def rubric(stage: Stage, ref: str, *criteria: str) -> None:
    """Post a rubric of four levels."""
    levels = [{"level": n, "name": f"Level {n}"} for n in range(1, 5)]
    body = {"name": ref, "levels": levels, "criteria": [{"ref": each, "name": each} for each in criteria]}
    stage.send("PUT", f"./rubrics/{ref}", body)


def needed(stage: Stage, *refs: str) -> None:
    """Publish achievements that others ask for, each earned by what has its name as a tag."""
    for ref in refs:
        stage.achievement(ref, {"rule": "count", "where": {"tags_any": [ref]}, "gte": 1})


def teacher_writer(stage: Stage, clock: Clock) -> None:
    _ = clock
    for ref, at in met(stage, "w", "writing-group", "2026-01-05T17:00:00+00:00", 6):
        did(stage, "attended", at, session=ref, minutes=45)
    for n in range(12, 16):
        did(stage, "reviewed", peer=f"m{n}", tags=["peer-writing"])
    did(stage, "authored", tags=["publication"])
    stage.member("d1", roles=[{"role": "site_director", "from": "2026-01-01T00:00:00Z"}, "approver"])
    [waiting] = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    director = stage.token_with("awards:approve", "read", member="d1")
    answer = stage.call("POST", f"./approvals/{waiting['id']}/approval", director, json={})
    assert answer.is_success, answer.text


def competency_portfolio(stage: Stage, clock: Clock) -> None:
    _ = clock
    rubric(stage, "formative-feedback-2", "goals", "next-steps")
    did(stage, "authored", ref="portfolio")
    for part, level, judges in (
        ("overview", 1, ["m12"]),
        ("artifacts", 3, ["m12", "m13"]),
        ("reflection", 1, ["m12", "m14"]),
    ):
        for judge in judges:
            judged(
                stage,
                "rubric",
                about={"contribution": "portfolio"},
                evaluator=judge,
                rubric="formative-feedback-2",
                part=part,
                ratings={"goals": level, "next-steps": level},
            )


def plc_facilitator(stage: Stage, clock: Clock) -> None:
    _ = clock
    did(stage, "completed", tags=["pln-guidelines-and-tools"])
    stage.member("m11", roles=[{"role": "facilitator", "from": "2026-01-01T00:00:00Z"}])
    for ref, at in met(stage, "plc", "plc", "2026-01-05T17:00:00+00:00", 7):
        did(stage, "facilitated", at, session=ref, minutes=60)
    for n in range(12, 16):
        judged(stage, "endorsement", evaluator=f"m{n}", skill="facilitation")


def faculty_collaborative_fellow(stage: Stage, clock: Clock) -> None:
    clock.at = datetime(2027, 3, 1, tzinfo=UTC)
    for ref, at in met(stage, "f", "fellows-2026", "2026-10-05T17:00:00+00:00", 4, days=28)[:3]:
        did(stage, "attended", at, session=ref, minutes=60)
    rubric(stage, "collaboratives", "design", "evidence-of-learning")
    did(stage, "authored", "2027-01-10T12:00:00Z", ref="assignment")
    for judge in ("m12", "m13"):
        judged(
            stage,
            "rubric",
            "2027-02-01T12:00:00Z",
            about={"contribution": "assignment"},
            evaluator=judge,
            rubric="collaboratives",
            ratings={"design": 3, "evidence-of-learning": 4},
        )
    for resource in ("a", "b"):
        did(stage, "shared", "2026-11-01T12:00:00Z", resource=resource)
    for occasion, form, at, raw in (("pre", "A", "2026-09-10", 8), ("post", "B", "2026-12-10", 12)):
        judged(
            stage,
            "score",
            f"{at}T12:00:00Z",
            assessment="assignment-design",
            occasion=occasion,
            form=form,
            score={"raw": raw, "max": 20},
        )


def sel_practice_lead(stage: Stage, clock: Clock) -> None:
    _ = clock
    for area in ("sel-self-awareness", "sel-self-management", "sel-social-awareness", "sel-relationship-skills"):
        did(stage, "completed", "2025-01-10T12:00:00Z", tags=[area])
    confirmed = {"checked_in_at": "2025-05-01T12:00:00Z", "confirmed_by": "m12"}
    did(stage, "goal_met", "2025-06-01T12:00:00Z", goal=confirmed)
    for n in range(12):
        at = datetime(2025, 12, 8, 12, tzinfo=UTC) + timedelta(weeks=n)
        did(stage, ("attended", "commented", "reviewed", "shared")[n % 4], at.isoformat())


ASKED_FOR = {
    "plc-facilitator": ["pln-guidelines-and-tools"],
    "sel-practice-lead": [
        "sel-self-awareness",
        "sel-self-management",
        "sel-social-awareness",
        "sel-relationship-skills",
        "sel-decision-making",
    ],
}


@pytest.mark.any_database("the rules of these programmes are asked on both by the tests of progress")
@pytest.mark.parametrize(
    ("ref", "earn"),
    [
        ("teacher-writer", teacher_writer),
        ("competency-portfolio", competency_portfolio),
        ("plc-facilitator", plc_facilitator),
        ("faculty-collaborative-fellow", faculty_collaborative_fellow),
        ("sel-practice-lead", sel_practice_lead),
    ],
)
def test_the_definition_of_a_programme_is_earned_issued_and_verified(
    stage: Stage, clock: Clock, ref: str, earn: Callable[[Stage, Clock], None]
) -> None:
    needed(stage, *ASKED_FOR.get(ref, []))
    stage.send("POST", "./achievements", DEFINITIONS[ref] | {"publish": True})
    earn(stage, clock)
    [award] = stage.send("GET", "./awards", params={"member": "m11", "achievement": ref})["items"]
    [told] = stage.send("GET", "./members/m11/progress", params={"achievement": ref})["items"]
    assert told["met"]
    received = stage.client.get(award["credential"]["url"] + ".json").content
    report = verification.verify_received(stage.runtime, received, None)
    assert report.verdict == "verified", report.to_json()
    credential = json.loads(received)
    assert credential["credentialSubject"]["achievement"]["name"] == DEFINITIONS[ref]["name"]
    assert ("validUntil" in credential) == ("valid_for" in DEFINITIONS[ref])


def test_every_definition_has_its_test() -> None:
    assert set(DEFINITIONS) == {
        *("teacher-writer", "competency-portfolio", "plc-facilitator"),
        *("faculty-collaborative-fellow", "sel-practice-lead"),
    }
