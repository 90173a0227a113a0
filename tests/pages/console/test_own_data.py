"""Somebody downloads everything about them in a browser, and then has everything erased."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import PERSON, badge, everybody_can_use, stage_of
from tests.worlds.signing_in import claim, signed_in

ADDRESS = PERSON[1]


@pytest.fixture
def signed(page: Page, live: Live) -> Page:
    """The browser of somebody who has claimed a badge."""
    stage = stage_of(live)
    badge(stage)
    claim(live.runtime, stage.slug, "m11", ADDRESS)
    name, _, value = signed_in(live.runtime, ADDRESS).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])
    return page


def test_a_person_downloads_everything_and_erases_everything(
    signed: Page, violations: Callable[[Page], list[Any]]
) -> None:
    page = signed
    page.goto("/account")
    page.get_by_role("link", name="Your data").click()
    everybody_can_use(page, violations, "/account/data")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download everything").click()
    assert coming.value.suggested_filename == "Everything-about-me.zip"
    page.get_by_role("link", name="Erase everything").click()
    expect(page.get_by_role("heading", name="Erase everything about you?")).to_be_visible()
    everybody_can_use(page, violations, "/account/data/erasure")
    page.get_by_label("Type “erase” if you want that").fill("yes")
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("alert")).to_contain_text("Type the word exactly as it is shown.")
    everybody_can_use(page, violations, "/account/data/erasure, refused")
    page.get_by_label("Type “erase” if you want that").fill("erase")
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("heading", name="Everything about you was erased")).to_be_visible()
    everybody_can_use(page, violations, "/account/data/erasure, done")
    page.goto("/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
