"""A formal network goes from draft to its first badge, through the API alone, and a stranger verifies it."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.networks.guidelines import ready_made
from service.runtime.runtime import Runtime
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.runtimes import BASE_URL, Clock, app_of


@pytest.fixture
def draft(runtime: Runtime) -> Stage:
    return Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime, kind="formal")


def page(stage: Stage, url: str) -> str:
    answer = stage.client.get(url, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.text))


def missing(stage: Stage) -> list[str]:
    return [each["code"] for each in stage.send("GET", "./activation")["missing"]]


def template() -> Any:
    """Return the guidelines that are ready to take, for formal networks in English."""
    return ready_made.templates()[0].guidelines.model_dump(mode="json", exclude_none=True)


def test_a_formal_network_from_draft_to_a_verified_badge(draft: Stage, clock: Clock) -> None:
    draft.achievement(rule=SHARE_TWICE)
    draft.member("m11", email="m11@river.example.org")
    draft.share(1)
    draft.share(2)
    assert draft.awards() == []
    assert "This network is being set up. It issues no badges yet." in page(draft, "/networks/river")
    assert draft.client.get("/networks/river", headers={"Accept": "text/html"}).headers["X-Robots-Tag"] == "noindex"

    # Each part is added by the request that its absence names.
    assert missing(draft) == ["facilitator-missing", "objective-missing", "schedule-missing", "guidelines-missing"]
    draft.send("PUT", "./members/f1", {"roles": ["facilitator"]})
    assert missing(draft) == ["objective-missing", "schedule-missing", "guidelines-missing"]
    draft.send("PUT", "./objectives/FEEDBACK-1", {"text": "Members give feedback that names a place in the draft."})
    assert missing(draft) == ["schedule-missing", "guidelines-missing"]
    draft.send("PUT", "./sessions/s1", {"series": "Monthly circle", "starts_at": "2026-03-10T15:00:00Z"})
    assert missing(draft) == ["guidelines-missing"]
    draft.send("PUT", "./guidelines/draft", template())
    assert missing(draft) == ["guidelines-missing"]
    draft.send("POST", "./guidelines/draft/publication")
    assert missing(draft) == []

    clock.advance(minutes=1)
    draft.send("POST", "./activation")
    (award,) = draft.awards()
    badge = draft.credential(award)
    report = draft.client.post("/v1/verifications", json={"credential": badge}).json()
    assert report["verdict"] == "verified", report

    shown = page(draft, award["credential"]["url"])
    assert "led by 1 facilitator, since 2 March 2026; toward 1 objective; with guidelines, version 1." in shown
    assert "f1" not in shown.split("What we checked")[0]
    told = page(draft, "/networks/river")
    assert "It showed on 2 March 2026 that it has them." in told
    assert "Members give feedback that names a place in the draft." in told
    assert "1 facilitator, since 2 March 2026" in told


def test_what_was_awarded_before_a_network_became_formal_names_no_rules(runtime: Runtime, clock: Clock) -> None:
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    stage.achievement(rule=SHARE_TWICE)
    for member in ("m11", "m12"):
        stage.member(member)
    stage.share(1)
    stage.share(2)
    (before,) = stage.awards()
    assert "This network is informal" in page(stage, "/networks/river")
    stage.send("PUT", "./members/f1", {"roles": ["facilitator"]})
    stage.send("PUT", "./objectives/FEEDBACK-1", {"text": "Give feedback."})
    stage.send("PUT", "./sessions/s1", {"series": "Monthly circle", "starts_at": "2026-03-10T15:00:00Z"})
    stage.send("PUT", "./guidelines/draft", template())
    stage.send("POST", "./guidelines/draft/publication")
    clock.advance(minutes=1)
    stage.send("PUT", "./kind", {"kind": "formal"})
    stage.share(1, "m12")
    stage.share(2, "m12")
    (after,) = stage.awards(member="m12")
    assert "Rules of a formal network" in page(stage, after["credential"]["url"])
    assert "Rules of a formal network" not in page(stage, before["credential"]["url"])


def test_a_badge_shows_the_rules_as_they_were_when_it_was_awarded(draft: Stage, clock: Clock) -> None:
    draft.achievement(rule=SHARE_TWICE)
    draft.member("m11")
    for ref in ("f1", "f2"):
        draft.send("PUT", f"./members/{ref}", {"roles": ["facilitator"]})
    draft.send("PUT", "./objectives/FEEDBACK-1", {"text": "Give feedback."})
    draft.send("PUT", "./sessions/s1", {"series": "Monthly circle", "starts_at": "2026-03-10T15:00:00Z"})
    draft.send("PUT", "./guidelines/draft", template())
    draft.send("POST", "./guidelines/draft/publication")
    clock.advance(minutes=1)
    draft.send("POST", "./activation")
    draft.share(1)
    draft.share(2)
    (award,) = draft.awards()
    clock.advance(days=1)
    draft.send("PUT", "./members/f1", {"roles": []})
    draft.send("PUT", "./members/f2", {"roles": []})
    draft.send("PUT", "./objectives/SHARE-1", {"text": "Share what works."})
    draft.send("PUT", "./guidelines/draft", template() | {"title": "Our way", "change_note": "A title."})
    draft.send("POST", "./guidelines/draft/publication")
    clock.advance(days=1)
    shown = page(draft, award["credential"]["url"])
    assert (
        "led by 2 facilitators, the first since 2 March 2026; toward 1 objective; with guidelines, version 1." in shown
    )
    told = page(draft, "/networks/river")
    assert "nobody at the moment" in told
    assert "Share what works." in told


def test_a_badge_that_was_only_recorded_names_no_rules(draft: Stage, clock: Clock) -> None:
    draft.achievement(award="reviewed")
    draft.member("m11")
    draft.send("PUT", "./members/f1", {"roles": ["facilitator"]})
    draft.send("PUT", "./objectives/FEEDBACK-1", {"text": "Give feedback."})
    draft.send("PUT", "./sessions/s1", {"series": "Monthly circle", "starts_at": "2026-03-10T15:00:00Z"})
    draft.send("PUT", "./guidelines/draft", template())
    draft.send("POST", "./guidelines/draft/publication")
    clock.advance(minutes=1)
    draft.send("POST", "./activation")
    assert "Rules of a formal network" not in page(draft, draft.recorded()["credential"]["url"])
