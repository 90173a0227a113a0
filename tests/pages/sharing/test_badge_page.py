"""The page of a badge, as an employer sees it who was sent the link."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.conftest import Live
from tests.pages.reading import Reader
from tests.pages.scenes import (
    HOSTILE,
    PERSON,
    achievement_of,
    badge,
    everybody_can_use,
    hostile_badge,
    inert,
    later,
    revoke,
    stage_of,
    top,
    verdict,
)
from tests.worlds.awarding import Stage


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def facts(page: Page) -> dict[str, str]:
    names, values = page.locator(".facts dt").all_inner_texts(), page.locator(".facts dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def always_shown(page: Page) -> None:
    assert page.get_by_role("heading", level=1).inner_text() == "Sharer"
    expect(page.get_by_text("Shares what works.")).to_be_visible()
    assert page.locator("img.picture").evaluate("picture => picture.complete && picture.naturalWidth > 0")
    assert {"Awarded by", "Awarded", "Status"} <= facts(page).keys()
    assert facts(page)["Awarded by"].startswith("River Writers")
    assert facts(page)["Awarded"].startswith("2 March 2026")


def test_a_badge_shows_what_it_is_and_verifies_when_asked(page: Page, stage: Stage) -> None:
    page.goto(badge(stage))
    always_shown(page)
    assert facts(page)["Status"] == "Not revoked, not expired, since 2 March 2026"
    expect(page.locator(".verdict")).to_have_count(0)
    page.get_by_role("button", name="Verify it now").click()
    assert verdict(page)[:2] == ("good", "This badge is genuine and valid")
    always_shown_in_report = page.locator("main").inner_text()
    for text in ("Sharer", "River Writers", "2 March 2026"):
        assert text in always_shown_in_report
    assert page.locator("img.picture").evaluate("picture => picture.naturalWidth > 0")


def test_a_revoked_badge_says_so_before_the_picture(page: Page, stage: Stage) -> None:
    url = badge(stage)
    revoke(stage, url)
    page.goto(url)
    assert verdict(page)[:2] == ("bad", "This badge was revoked")
    assert top(page, ".verdict") < top(page, "img.picture")
    assert facts(page)["Status"] == "Revoked, since 2 March 2026"
    always_shown(page)
    page.get_by_role("button", name="Verify it now").click()
    assert verdict(page)[:2] == ("bad", "This badge was revoked")
    assert top(page, ".verdict") < top(page, "img.picture")


def test_a_badge_that_was_reinstated_says_since_when_it_stands_again(reader: Reader, stage: Stage, live: Live) -> None:
    url = badge(stage)
    path = f"/v1/credentials/{url.rpartition('/')[2]}"
    later(live, days=1)
    stage.send("POST", f"{path}/suspension", {"reason": "Looked into."})
    later(live, days=2)
    stage.send("POST", f"{path}/reinstatement")
    reader.open(url)
    assert reader.facts()["Status"] == "Not revoked, not expired, since 5 March 2026"


def test_an_expired_badge_says_so_before_the_picture(page: Page, stage: Stage, live: Live) -> None:
    url = badge(stage, valid_for="P1Y")
    page.goto(url)
    assert facts(page)["Awarded"].endswith("valid until 2 March 2027")
    later(live, days=366)
    page.goto(url)
    assert verdict(page)[:2] == ("unsure", "This badge has expired")
    assert top(page, ".verdict") < top(page, "img.picture")
    assert facts(page)["Status"].startswith("Expired")
    always_shown(page)
    page.get_by_role("button", name="Verify it now").click()
    assert verdict(page)[:2] == ("unsure", "This badge has expired")


def test_results_are_shown_by_their_names(reader: Reader, stage: Stage) -> None:
    shown = reader.open(hostile_badge(stage)).all("table tbody td")
    assert [each.text for each in shown] == [HOSTILE, HOSTILE]


def test_what_a_network_writes_stays_text(page: Page, stage: Stage) -> None:
    url = hostile_badge(stage)
    for address in (url, achievement_of(stage, url), "/networks/river"):
        page.goto(address)
        assert HOSTILE in page.locator("main").inner_text()
        inert(page)
        assert page.evaluate("typeof hostile") == "undefined"
    for address in (url + ".svg", achievement_of(stage, url) + "/image.svg"):
        page.goto(address)
        expect(page.locator("script, [onload]")).to_have_count(0)


def test_a_sandbox_badge_says_test_everywhere(reader: Reader, live: Live) -> None:
    stage = stage_of(live, sandbox=True)
    url = badge(stage)
    for address in (url, achievement_of(stage, url), "/networks/river"):
        page = reader.open(address)
        assert page.one(".test").text.startswith("TEST")
        assert page.one("h1").text.startswith("TEST ")
    reader.open(url)
    page = reader.press("Verify it now")
    assert reader.verdict()[:2] == ("unsure", "This is a practice badge")
    assert "TEST Sharer" in [each.text for each in page.all("h2")]


def test_no_address_names_the_person(stage: Stage) -> None:
    url = badge(stage)
    texts = [
        stage.client.get(address, headers={"Accept": accept}).text.casefold()
        for address in (url, url + ".jwt", url + ".svg", achievement_of(stage, url), "/networks/river")
        for accept in ("text/html", "application/json")
    ]
    for secret in (*PERSON, "secret", "A private draft"):
        assert not [text for text in texts if secret.casefold() in text]


def test_the_page_is_small_and_its_tag_follows_its_state(stage: Stage, live: Live) -> None:
    url = badge(stage)
    with httpx2.Client(headers={"Accept": "text/html"}) as client:
        first = client.get(url)
        assets = [part.split('"')[0] for part in first.text.split('href="/static/')[1:]]
        total = len(first.content) + sum(len(client.get(f"{live.base_url}/static/{name}").content) for name in assets)
        assert total < 60_000
        asked = {"If-None-Match": first.headers["ETag"]}
        again = client.get(url, headers=asked)
        assert (again.status_code, again.content) == (304, b"")
        revoke(stage, url)
        assert client.get(url, headers=asked).status_code == 200


def test_everybody_can_use_it(page: Page, stage: Stage, violations: Callable[[Page], list[Any]]) -> None:
    url = badge(stage)
    page.goto(url)
    everybody_can_use(page, violations, url)
    revoke(stage, url)
    page.goto(url)
    everybody_can_use(page, violations, "revoked")


def test_the_keyboard_reaches_every_control_and_verifies(page: Page, stage: Stage) -> None:
    page.goto(badge(stage))
    controls = page.locator("a, button, summary").all_inner_texts()
    reached = []
    for _ in controls:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached == controls
    page.get_by_role("button", name="Verify it now").focus()
    page.keyboard.press("Enter")
    page.locator(".verdict.good").wait_for()


def test_it_needs_no_script(browser: Browser, stage: Stage) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(badge(stage))
    page.get_by_role("button", name="Verify it now").click()
    expect(page.locator(".verdict.good")).to_have_count(1)
    context.close()
