"""The page of a badge, as an employer sees it who was sent the link."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from service.tables import Credential
from tests.pages.conftest import Live, serving
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
from tests.worlds.runtimes import app_of


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
    assert facts(page)["Status"] == "Valid, with no end date"
    sentence = "Checked just now. It does not expire."
    assert verdict(page) == ("good", "This badge is genuine and valid", sentence)
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


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_first_screen_of_a_phone_says_that_a_badge_is_genuine(page: Page, stage: Stage, language: str) -> None:
    page.set_viewport_size({"width": 390, "height": 664})
    page.set_extra_http_headers({"Accept-Language": language})
    page.goto(badge(stage, valid_for="P3Y"))
    assert (page.locator(".verdict").get_attribute("class") or "").split() == ["verdict", "good"]
    for shown in (".verdict", "img.picture", "h1", ".facts dd a"):
        box = page.locator(shown).first.bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= box["y"] + box["height"] <= 664, shown
    assert top(page, ".verdict") < top(page, "img.picture")


def test_a_badge_says_until_when_it_is_valid(reader: Reader, stage: Stage) -> None:
    reader.open(badge(stage, valid_for="P1Y"))
    assert reader.verdict()[2] == "Checked just now. Valid until 2 March 2027."
    assert reader.facts()["Status"] == "Valid until 2 March 2027"


def test_a_badge_of_an_issuer_that_nobody_knows_is_never_green(tmp_path: Path) -> None:
    with serving(tmp_path, trust_own_networks=False) as live:
        client = TestClient(app_of(live.runtime), base_url=live.base_url, headers={"Accept": "text/html"})
        reader = Reader(client)
        reader.open(badge(stage_of(live)))
        assert reader.verdict()[0] == "unsure"
        assert reader.page.all(".good") == []


def test_a_badge_whose_check_fails_says_so_and_not_that_it_is_valid(reader: Reader, stage: Stage, live: Live) -> None:
    url = badge(stage)
    with live.runtime.database.write() as session:
        row = session.get_one(Credential, url.rpartition("/")[2])
        row.signed = row.signed.replace("Shares what works.", "Shares what fails.")
    reader.open(url)
    assert reader.verdict()[:2] == ("bad", "Do not rely on this badge")
    assert reader.facts()["Status"] == "Do not rely on this badge"


def test_a_badge_that_was_reinstated_shows_strangers_no_trace_of_it(reader: Reader, stage: Stage) -> None:
    def shown() -> list[str]:
        receipt = next(item["id"] for item in stage.client.get(url + ".json").json()["evidence"] if "id" in item)
        pages = [stage.client.get(at, headers={"Accept": "text/html"}).text for at in (url, receipt)]
        pages.append(stage.client.post("/verify", data={"received": url}).text)
        report = stage.client.post("/v1/verifications", json={"url": url}).json()
        return [*pages, *(stage.client.get(url + end).text for end in (".json", ".jwt")), json.dumps(report)]

    url = badge(stage)
    before, path = shown(), f"/v1/credentials/{url.rpartition('/')[2]}"
    stage.send("POST", f"{path}/suspension", {"reason": "Looked into."})
    assert reader.open(url).one(".verdict h2").text == "This badge is suspended"
    stage.send("POST", f"{path}/reinstatement")
    assert shown() == before


def test_an_expired_badge_says_so_before_the_picture(page: Page, stage: Stage, live: Live) -> None:
    url = badge(stage, valid_for="P1Y")
    page.goto(url)
    assert facts(page)["Status"] == "Valid until 2 March 2027"
    later(live, days=366)
    page.goto(url)
    assert verdict(page)[:2] == ("unsure", "This badge has expired")
    assert top(page, ".verdict") < top(page, "img.picture")
    assert facts(page)["Status"].startswith("Expired")
    always_shown(page)
    page.get_by_role("button", name="Verify it now").click()
    assert verdict(page)[:2] == ("unsure", "This badge has expired")


@pytest.mark.parametrize("ending", ["json", "jwt", "png", "svg"])
def test_a_file_to_download_is_named_after_the_badge(stage: Stage, ending: str) -> None:
    url = badge(stage, name="Mentoría entre pares")
    named = stage.client.get(f"{url}.{ending}").headers["content-disposition"]
    ascii_only, encoded = f"Mentoria-entre-pares.{ending}", f"Mentor%C3%ADa-entre-pares.{ending}"
    assert named == f"inline; filename=\"{ascii_only}\"; filename*=UTF-8''{encoded}"


@pytest.mark.parametrize("accept", ["application/ld+json", "application/vc+jwt", "image/png", "image/svg+xml"])
def test_what_a_program_gets_at_the_address_of_the_badge_has_no_file_name(stage: Stage, accept: str) -> None:
    answer = stage.client.get(badge(stage), headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, accept)
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("Download the badge", "Peer-mentor.png"),
        ("JSON-LD", "Peer-mentor.json"),
        ("VC-JWT", "Peer-mentor.jwt"),
        ("Bundle for checking offline", "Peer-mentor.bundle.json"),
    ],
)
def test_a_browser_saves_a_badge_under_its_name(page: Page, stage: Stage, link: str, name: str) -> None:
    page.goto(badge(stage, name="Peer mentor"))
    with page.expect_download() as saved:
        page.get_by_role("link", name=link).click()
    assert saved.value.suggested_filename == name


def test_one_button_leads_and_forms_for_programs_stand_apart(reader: Reader, stage: Stage) -> None:
    page = reader.open(badge(stage))
    assert reader.buttons() == ["Verify it now", "Español"]
    assert [each.text for each in page.all("article a.button")] == ["Download the badge"]
    article = page.one("article").text
    for word in ("JSON", "JWT", "undle", "did:web"):
        assert word not in article


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
        sizes = {name: len(client.get(f"{live.base_url}/static/{name}").content) for name in assets}
        fonts = sum(size for name, size in sizes.items() if name.startswith("fonts/"))
        assert len(first.content) + sum(sizes.values()) - fonts < 40_000
        assert fonts < 80_000, "which are kept for ever"
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
