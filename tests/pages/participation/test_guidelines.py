"""Guidelines in a browser: everybody can read them, and a member can accept them."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use
from tests.worlds.agreeing import accept, hold
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import MINE, claimed, member_of
from tests.worlds.runtimes import app_of
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]


@pytest.fixture
def stage(live: Live) -> Stage:
    client = TestClient(app_of(live.runtime, live.desk), base_url=live.base_url)
    return Stage.set_up(client, live.runtime, description="A circle of writing teachers.")


def test_a_member_reads_what_changed_and_accepts(page: Page, live: Live, stage: Stage, violations: Violations) -> None:
    claimed(stage)
    template = stage.send("GET", "/v1/guidelines-templates", params={"kind": "formal", "language": "en"})["items"][0]
    said = template["guidelines"]
    stage.send("PUT", "./guidelines/draft", said)
    stage.send("POST", "./guidelines/draft/publication")
    accept(stage)
    hold(stage)
    said["sections"]["feedback"] += "\n* Feedback is given within three days."
    stage.send("PUT", "./guidelines/draft", said | {"change_note": "Feedback is given **within three days**."})
    stage.send("POST", "./guidelines/draft/publication")
    stage.share(1)
    page.goto("/networks/river")
    page.get_by_role("link", name="How we work together").click()
    everybody_can_use(page, violations, page.url)

    name, _, value = signed_in(live.runtime, MINE).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])
    page.goto(f"/my-badges/members/{member_of(stage.runtime, 'm11')}/guidelines")
    everybody_can_use(page, violations, page.url)
    page.get_by_role("button", name="I accept").click()
    expect(page.get_by_text("You accepted them on")).to_be_visible()
    everybody_can_use(page, violations, f"{page.url}/accepted")
