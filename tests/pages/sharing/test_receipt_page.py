"""The page of a decision receipt, and the pages of badges that were suspended, replaced or renewed."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import badge, everybody_can_use, stage_of
from tests.worlds.awarding import SHARE_TWICE, Stage


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def approved(stage: Stage) -> Any:
    """Return an award that a director approved."""
    stage.member("d1", name="Director Secret", roles=["director"])
    either = {"any": [{"rule": "count", "gte": 1}, {"rule": "count", "gte": 50}]}
    stage.achievement(rule={"all": [SHARE_TWICE, either, {"rule": "approval", "by_role": "director"}]})
    for n in (1, 2):
        stage.share(n, title="A private draft")
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    stage.send("POST", f"./approvals/{waiting['id']}/approval", {"note": "Well done."}, token=by)
    (award,) = stage.awards()
    return award


def change(stage: Stage, url: str, what: str) -> Any:
    return stage.send("POST", f"/v1/credentials/{url.rpartition('/')[2]}/{what}", {"reason": "A mistake."})


def test_a_badge_leads_to_why_it_was_awarded_and_back(page: Page, stage: Stage) -> None:
    award = approved(stage)
    page.goto(award["credential"]["url"])
    page.get_by_role("link", name="Decision receipt").click()
    page.wait_for_url("**/receipts/*")
    text = page.locator("main").inner_text()
    assert "Why Sharer was awarded" in text
    assert "Met: 2 of 2 resources in contributions of type shared. Rests on 2 records." in text
    assert "Not met: 2 of 50 contributions." in text
    assert "A person with the role director, on 2 March 2026" in text
    for secret in ("Secret", "A private draft", "Well done.", "m11", "d1 "):
        assert secret not in text
    page.get_by_text("2 records", exact=True).click()
    expect(page.locator("details li")).to_have_count(2)
    page.get_by_role("link", name="Its page").click()
    page.wait_for_url("**/credentials/*")


def test_everybody_can_use_a_receipt(page: Page, stage: Stage, violations: Callable[[Page], list[Any]]) -> None:
    award = approved(stage)
    page.goto(award["receipt"])
    everybody_can_use(page, violations, "receipt")


def test_a_replaced_badge_leads_to_the_one_that_stands_now(page: Page, stage: Stage) -> None:
    url = badge(stage)
    new = change(stage, url, "replacement")
    page.goto(url)
    assert page.locator(".verdict h2").inner_text() == "This badge was replaced"
    page.get_by_role("link", name="The badge that stands now").click()
    page.wait_for_url(f"**/credentials/{new['id']}")
    expect(page.locator(".verdict")).to_have_count(0)


def test_a_suspended_badge_says_so_on_its_page_and_in_our_report(page: Page, stage: Stage) -> None:
    url = badge(stage)
    change(stage, url, "suspension")
    page.goto(url)
    assert page.locator(".verdict h2").inner_text() == "This badge is suspended"
    page.get_by_role("button", name="Verify it now").click()
    assert page.locator(".verdict.bad h1").inner_text() == "This badge is suspended"


def test_where_there_is_no_receipt_a_page_says_so(page: Page, live: Live) -> None:
    answer = page.goto(f"{live.base_url}/receipts/{'0' * 32}")
    assert answer is not None
    assert answer.status == 404
    assert page.get_by_role("heading", level=1).inner_text() == "No receipt at this address"
