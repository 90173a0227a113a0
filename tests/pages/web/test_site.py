"""Home, privacy, and what every site has at well-known addresses."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from playwright.sync_api import Page, expect

from credentials.instants import write_instant
from service.runtime.runtime import Runtime
from service.texts.languages import LANGUAGES
from tests.pages.conftest import Live
from tests.pages.reading import Reader
from tests.pages.scenes import everybody_can_use
from tests.worlds import databases
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start

CONTACT = "mailto:security@badges.example.org"
SECURITY = "/.well-known/security.txt"


@pytest.fixture
def client(runtime: Runtime) -> TestClient:
    return TestClient(app_of(runtime), base_url=BASE_URL)


def test_a_link_that_is_pasted_at_home_is_checked(page: Page, live: Live) -> None:
    stage = Stage.set_up(TestClient(app_of(live.runtime), base_url=live.base_url), live.runtime)
    stage.achievement(rule=None, award="reviewed")
    stage.member("m11")
    url = stage.recorded()["credential"]["url"]
    page.goto("/")
    page.get_by_label("Link to a badge").fill(url)
    page.get_by_label("Link to a badge").press("Enter")
    page.wait_for_url("**/verify")
    expect(page.get_by_role("heading", name="Sharer")).to_be_visible()


def test_home_and_privacy_are_for_everybody(page: Page, violations: Callable[[Page], list[Any]]) -> None:
    for path in ("/", "/privacy"):
        page.goto(path)
        everybody_can_use(page, violations, path)


def test_pages_are_set_in_the_fonts_that_we_bring(page: Page) -> None:
    page.goto("/")
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate("[...document.fonts].filter(font => font.status == 'loaded').map(font => font.family)")
    assert {name.strip('"') for name in loaded} == {"Public Sans", "Source Serif 4"}


def test_every_page_leads_to_privacy_in_every_language(live: Live) -> None:
    for code in LANGUAGES:
        headers = {"Accept": "text/html", "Accept-Language": code}
        reader = Reader(TestClient(app_of(live.runtime), base_url=live.base_url, headers=headers))
        assert [link.attributes["href"] for link in reader.open("/").all("footer a")] == ["/privacy"]
        assert reader.open("/privacy").all("h1")


def test_home_has_a_door_for_each_of_its_visitors(reader: Reader) -> None:
    assert [title.text for title in reader.open("/").all("h2")] == [
        "You want to check a badge",
        "You earned a badge",
        "You look for a network",
        "You run a learning network",
    ]


def test_privacy_is_right_about_cookies(client: TestClient) -> None:
    for path in ("/", "/verify", "/privacy", "/docs"):
        assert "set-cookie" not in client.get(path, headers={"Accept": "text/html"}).headers
    chosen = client.post("/language", data={"to": "es"}, follow_redirects=False).headers["set-cookie"]
    assert "language=es" in chosen
    assert f"Max-Age={365 * 24 * 3600}" in chosen


def test_the_icon_is_one(client: TestClient) -> None:
    answer = client.get("/favicon.ico")
    assert answer.headers["content-type"] == "image/vnd.microsoft.icon"
    with Image.open(BytesIO(answer.content)) as icon:
        assert icon.info["sizes"] == {(16, 16), (32, 32), (48, 48)}


def test_crawlers_may_fetch_badges_and_start_no_checks(client: TestClient) -> None:
    answer = client.get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    closed = [line.partition(": ")[2] for line in answer.text.splitlines() if line.startswith("Disallow")]
    assert closed == ["/v1/", "/vc/", "/verify?", "/verify/"]


def test_without_a_contact_there_is_no_security_txt(client: TestClient) -> None:
    assert client.get(SECURITY).status_code == 404


def test_a_security_contact_is_published_until_it_expires(tmp_path: Path) -> None:
    clock = Clock()
    expires = clock() + timedelta(days=30)
    databases.migrated_sqlite(tmp_path / "laurel.db")
    with start(settings_in(tmp_path, security_contact=CONTACT, security_expires=expires), clock) as runtime:
        client = TestClient(app_of(runtime), base_url=BASE_URL)
        answer = client.get(SECURITY)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text.splitlines() == [
            f"Contact: {CONTACT}",
            f"Expires: {write_instant(expires)}",
            "Preferred-Languages: en, es",
            f"Canonical: {BASE_URL}{SECURITY}",
        ]
        clock.advance(days=30)
        assert client.get(SECURITY).status_code == 404
