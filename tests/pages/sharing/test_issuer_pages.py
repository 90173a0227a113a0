"""The pages of networks and of what they publish, and the pages around them."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from service.console import compromised_keys
from service.console.compromised_keys import CompromisedIn
from service.signing import keyring
from service.tables import Network
from tests.pages.conftest import Live
from tests.pages.reading import Reader
from tests.pages.scenes import achievement_of, badge, everybody_can_use, stage_of
from tests.worlds.awarding import Stage

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
LOGO = f"data:image/svg+xml;base64,{base64.b64encode(SVG).decode()}"


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def test_a_network_says_who_it_is_what_it_awards_and_with_which_keys(reader: Reader, stage: Stage) -> None:
    badge(stage)
    text = reader.open("/networks/river").one("main").text
    for shown in ("River Writers", "A circle of writing teachers.", "river.example.org"):
        assert shown in text
    assert reader.follow("Sharer").one("h1").text == "Sharer"


def test_a_network_folds_its_keys(page: Page, stage: Stage) -> None:
    badge(stage)
    page.goto("/networks/river")
    expect(page.get_by_text("Ed25519")).to_be_hidden()
    page.get_by_text("Keys", exact=True).click()
    for shown in ("Ed25519", "P-256", "in use"):
        expect(page.get_by_text(shown).first).to_be_visible()


def test_a_network_shows_its_logo_and_how_to_reach_it(page: Page, live: Live) -> None:
    stage_of(live, email="hello+us@river.example.org", image=LOGO)
    page.goto("/networks/river")
    logo = page.locator("img[src='/networks/river/image']")
    assert logo.evaluate("picture => picture.complete && picture.naturalWidth > 0")
    link = page.get_by_role("link", name="hello+us@river.example.org")
    assert link.get_attribute("href") == "mailto:hello%2Bus@river.example.org"


@pytest.mark.usefixtures("stage")
def test_a_network_without_logo_and_contact_shows_neither(reader: Reader) -> None:
    page = reader.open("/networks/river")
    assert page.all("img") == []
    assert "Contact" not in reader.facts()


def test_a_network_shows_the_pictures_of_its_badges(page: Page, stage: Stage) -> None:
    badge(stage)
    page.goto("/networks/river")
    picture = page.get_by_role("listitem").filter(has_text="Sharer").locator("img.picture")
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("async picture => { await picture.decode(); return picture.naturalWidth > 0 }")


def test_an_achievement_says_what_it_takes_and_who_decides(reader: Reader, stage: Stage) -> None:
    page = reader.open(achievement_of(stage, badge(stage)))
    text = page.one("main").text
    for shown in ("Share two resources.", "At least 2 resources shared.", "2 March 2026", "version 1"):
        assert shown in text
    assert reader.facts()["Decided"] == "by the rule, as soon as it is met"
    (rule,) = [each for each in page.all("details") if each.text == "The rule for programs (JSON)"]
    assert '"distinct": "resource"' in rule.one("pre").text
    reader.follow("River Writers")
    assert reader.address.endswith("/networks/river")


def test_a_badge_leads_to_its_issuer_and_criteria(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    reader.open(url)
    reader.follow("River Writers")
    assert (reader.status, reader.address.endswith("/networks/river")) == (200, True)
    reader.open(url)
    reader.follow("Read the full criteria")
    assert (reader.status, reader.address) == (200, achievement_of(stage, url))


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("address", ["/credentials/" + "0" * 32, "/networks/nobody", "/achievements/nothing"])
def test_where_nothing_is_a_page_says_so(page: Page, violations: Callable[[Page], list[Any]], address: str) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("link", name="Verify a badge").last.click()
    page.wait_for_url("**/verify")
    page.goto(address)
    assert violations(page) == []
    page.get_by_role("link", name="Start page").click()
    page.wait_for_url("**/")


def test_everybody_can_use_them(page: Page, stage: Stage, violations: Callable[[Page], list[Any]]) -> None:
    for address in ("/", "/networks/river", achievement_of(stage, badge(stage))):
        page.goto(address)
        everybody_can_use(page, violations, address)


def test_everybody_can_use_what_tells_of_a_stolen_key(
    page: Page, stage: Stage, violations: Callable[[Page], list[Any]]
) -> None:
    url = badge(stage)
    with stage.runtime.database.read() as session:
        network = session.scalars(select(Network)).one()
        kids = [key.kid for key in keyring.keys_of(session, network)]
    now = stage.runtime.now()
    compromised_keys.declare(stage.runtime, CompromisedIn(kids=kids, since=now), now)
    for address in ("/networks/river", url):
        page.goto(address)
        assert "may have had" in page.locator("main").inner_text()
        everybody_can_use(page, violations, address)


@pytest.mark.usefixtures("stage")
def test_the_keyboard_skips_to_the_content(page: Page) -> None:
    page.goto("/networks/river")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
