"""Endorsements in a browser: a peer gives one, its recipient shows it; everybody can use the pages."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use
from tests.worlds.awarding import Stage
from tests.worlds.endorsing import FEEDBACK, HEARING, endorsable, endorse, name_account
from tests.worlds.my_badges import MINE, OTHER
from tests.worlds.runtimes import app_of
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]


@pytest.fixture
def stage(live: Live) -> Stage:
    client = TestClient(app_of(live.runtime, live.desk), base_url=live.base_url)
    return Stage.set_up(client, live.runtime, description="A circle of writing teachers.")


def sign_in(page: Page, live: Live, address: str) -> None:
    name, _, value = signed_in(live.runtime, address).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])


def test_a_peer_endorses_a_skill_and_its_recipient_shows_it(
    page: Page, live: Live, stage: Stage, violations: Violations
) -> None:
    badge = endorsable(stage)
    name_account(stage.runtime, OTHER, "Member Twelve")
    endorse(stage.runtime, badge, "m13", HEARING, comment="", choice="page")
    second = {"skill": FEEDBACK["target_url"], "comment": "Kind, and to the point.", "named": True}
    sign_in(page, live, OTHER)
    page.goto(f"/credentials/{badge}")
    page.get_by_role("link", name="Endorse a skill of this badge").click()
    everybody_can_use(page, violations, page.url)
    page.get_by_label(FEEDBACK["target_name"]).check()
    page.get_by_label("What you saw").fill("She finds the one thing in a draft that matters.")
    page.get_by_label("Member Twelve").check()
    page.get_by_role("button", name="Endorse").click()
    expect(page.get_by_role("heading", name="What you endorsed")).to_be_visible()
    stage.send("POST", f"./credentials/{badge}/endorsements", second | {"member": "m12", "skill": "Listens"})
    page.reload()
    everybody_can_use(page, violations, page.url)

    sign_in(page, live, MINE)
    page.goto("/my-endorsements")
    page.get_by_role("main").get_by_role("link", name="Sharer").click()
    page.get_by_role("group", name=FEEDBACK["target_name"]).get_by_label("put it into the badge").check()
    page.get_by_role("button", name="Save the endorsements").click()
    everybody_can_use(page, violations, page.url)
    page.goto(f"/credentials/{badge}")
    section = page.get_by_role("region", name="Endorsed by peers")
    expect(section.get_by_text("Member Twelve")).to_be_visible()
    everybody_can_use(page, violations, page.url)
