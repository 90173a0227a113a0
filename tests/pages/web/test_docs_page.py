"""The interactive documentation: drawn in the browser, from here alone (which the fixture `page` watches)."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use


def test_it_draws_itself_and_opens(page: Page) -> None:
    page.goto("/docs")
    page.get_by_text("/v1/networks/{slug}/contributions", exact=True).first.wait_for()
    page.locator(".opblock-summary-control").first.press("Enter")
    page.locator(".opblock.is-open").wait_for()


def test_everybody_can_use_it(page: Page, violations: Callable[[Page], list[Any]]) -> None:
    page.goto("/docs")
    page.locator(".opblock-tag[aria-level='2']").first.wait_for()
    everybody_can_use(page, violations, "/docs")


def test_without_script_it_leads_to_the_description(browser: Browser, live: Live) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=live.base_url)
    page = context.new_page()
    page.goto("/docs")
    assert page.get_by_role("link", name="the description of the API").get_attribute("href") == "/openapi.json"
    context.close()
