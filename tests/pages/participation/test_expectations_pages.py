"""What a network expects and works toward, in a browser."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.my_badges import MINE, claimed, member_of
from tests.worlds.runtimes import Clock, app_of
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]
AIM = {
    "text": "Members give feedback that names a place in the draft and says what would help there.",
    "measure": "Three reviews that two others rate 3 or better.",
}


@pytest.fixture
def clock(live: Live) -> Clock:
    assert isinstance(live.runtime.now, Clock)
    return live.runtime.now


@pytest.fixture
def stage(live: Live, clock: Clock) -> Stage:
    clock.at = datetime(2026, 2, 20, 12, tzinfo=UTC)
    client = TestClient(app_of(live.runtime, live.desk), base_url=live.base_url)
    stage = Stage.set_up(client, live.runtime, description="A circle of writing teachers.")
    claimed(stage, name="Member 11")
    stage.send("PUT", "./objectives/FEEDBACK-1", AIM)
    stage.send("PUT", "./objectives/SHARING-1", {"text": "What works is shared."})
    return stage


def test_everybody_can_use_the_page_of_what_is_expected(
    page: Page, live: Live, stage: Stage, clock: Clock, violations: Violations
) -> None:
    rate = {"rule": "attendance", "series": "writing-group", "min_rate": 0.75}
    minutes = {"rule": "sum", "field": "minutes", "gte": 90}
    term = {"every": "term", "terms": [{"name": "Spring term", "from": "2026-02-01", "until": "2026-06-01"}]}
    shares = {"rule": "count", "where": {"types": ["shared"]}, "gte": 8}
    for ref, said in (
        ("share", {"name": "Share what works", "text": "So that *others* need not look.", "rule": shares}),
        ("rate", {"name": "Come to most meetings", "rule": rate, "period": term}),
        ("hours", {"name": "Give time", "rule": minutes, "period": {"every": "whole"}}),
    ):
        stage.send("PUT", f"./expectations/{ref}", {"period": {"every": "month"}, "objectives": ["SHARING-1"]} | said)
    clock.at = datetime(2026, 3, 12, tzinfo=UTC)
    for n in range(2):
        stage.share(n, minutes=45)
    name, _, value = signed_in(stage.runtime, MINE).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])
    address = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/expectations"
    page.goto(address)
    everybody_can_use(page, violations, address)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("link", name="See the time before · Share what works").click()
    assert "Not met" in page.inner_text("main")


def test_everybody_can_read_what_an_achievement_and_a_network_work_toward(
    page: Page, live: Live, stage: Stage, violations: Violations
) -> None:
    made = stage.achievement(objectives=["FEEDBACK-1", "SHARING-1"], rule=SHARE_TWICE)
    for address in (made["url"].removeprefix(live.base_url), "/networks/river"):
        page.goto(address)
        everybody_can_use(page, violations, address)
