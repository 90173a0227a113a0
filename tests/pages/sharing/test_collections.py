"""A person on a phone who puts badges together, and shows one to others; what these see."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import PERSON, badge, everybody_can_use, stage_of
from tests.worlds.awarding import Stage
from tests.worlds.collecting import earn, holder
from tests.worlds.presenting import see

Violations = Callable[[Page], list[Any]]


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


@pytest.fixture
def signed(phone: Page, stage: Stage) -> Page:
    """The phone of the person who has the badge."""
    badge(stage)
    who = holder(stage, PERSON[1])
    name, value = str(who.client.headers["Cookie"]).split("=", 1)
    phone.context.add_cookies([{"name": name, "value": value, "url": str(stage.client.base_url)}])
    return phone


def test_a_collection_is_made_on_a_phone(signed: Page, stage: Stage, violations: Violations) -> None:
    earn(stage, "writer")
    signed.goto("/my-badges")
    signed.get_by_role("link", name=re.compile("Collections")).click()
    everybody_can_use(signed, violations, "collections")
    signed.get_by_label("Title").fill("My year")
    signed.get_by_role("button", name="Make the collection").click()
    signed.get_by_label("Sharer").check()
    signed.get_by_label("Writer").check()
    signed.get_by_role("button", name="Add the ticked badges").click()
    signed.get_by_role("button", name=re.compile("Move up")).last.click()
    signed.get_by_label("Note (optional)").fill("For the school board.")
    signed.get_by_role("button", name="Save the page").click()
    everybody_can_use(signed, violations, "collection-own")
    signed.get_by_role("link", name="See what they see").click()
    expect(signed.get_by_text("For the school board.")).to_be_visible()
    expect(signed.get_by_role("heading", level=2)).to_have_count(2)
    everybody_can_use(signed, violations, "collection")


def test_a_link_for_an_authority_is_made_and_opened_on_a_phone(
    signed: Page, stage: Stage, violations: Violations
) -> None:
    credential = stage.awards()[0]["credential"]["id"]
    signed.goto(f"/my-badges/{credential}")
    signed.get_by_role("link", name="Make a link for an authority").click()
    signed.get_by_label("For whom").fill("State board")
    signed.get_by_label("Your name, as they know it").fill("Fatima Zahra")
    signed.get_by_label("Number of your licence").fill("WA-123")
    everybody_can_use(signed, violations, "authority-form")
    signed.get_by_role("button", name="Make the link").click()
    link = signed.get_by_label("Link for State board").input_value()
    everybody_can_use(signed, violations, "authority-link")
    signed.goto("/my-badges/links")
    everybody_can_use(signed, violations, "authority-links")
    signed.context.clear_cookies()
    signed.goto(link)
    expect(signed.get_by_text("Fatima Zahra")).to_have_count(0)
    everybody_can_use(signed, violations, "authority-before")
    signed.get_by_role("button", name="Show them").click()
    expect(signed.get_by_role("heading", name="Fatima Zahra")).to_be_visible()
    everybody_can_use(signed, violations, "authority-shown")


def test_a_private_badge_is_opened_to_an_employer_on_a_phone(
    signed: Page, stage: Stage, violations: Violations
) -> None:
    credential = stage.awards()[0]["credential"]["id"]
    see(stage.runtime, credential, "private")
    signed.goto(f"/my-badges/{credential}")
    signed.get_by_role("link", name="Open it to an employer").click()
    signed.get_by_label("Name of the employer").fill("Lakeside School")
    everybody_can_use(signed, violations, "opening-form")
    signed.get_by_role("button", name="Open it").click()
    link = signed.get_by_label("Link for Lakeside School").input_value()
    signed.goto(link)
    everybody_can_use(signed, violations, "opened-before")
    signed.get_by_role("button", name="Show it; they will see that you looked").click()
    expect(signed.get_by_role("heading", name="Sharer")).to_be_visible()
    everybody_can_use(signed, violations, "opened")
    signed.goto("/my-badges/openings")
    signed.get_by_text("They looked once").click()
    everybody_can_use(signed, violations, "openings")
