"""The card of a badge: the one page that others may frame."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from service.tables import Credential
from tests.pages.conftest import Live, serving
from tests.pages.elsewhere import Elsewhere, elsewhere
from tests.pages.reading import Reader, read
from tests.pages.scenes import badge, later, revoke, stage_of
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import app_of

NARROWEST = {"width": 280, "height": 176}
LONG = "Facilitación de círculos de escritura entre pares y acompañamiento de docentes noveles en escuelas rurales"


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


@pytest.fixture
def blog() -> Iterator[Elsewhere]:
    """The site of somebody else."""
    with elsewhere() as site:
        yield site


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(locale="en")
    yield opened
    opened.close()


def posted(blog: Elsewhere, html: str) -> str:
    """Put an article with this HTML on the blog, and return its address."""
    return blog.put("/article", f"<!doctype html><title>Article</title><h1>My badge</h1>{html}")


def framed(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def code_of(reader: Reader, url: str) -> str:
    """Return the code that the page for sharing gives."""
    return reader.open(url + "/share").one("textarea").text


def said(stage: Stage, url: str, language: str = "en") -> str:
    answer = stage.client.get(url + "/card", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return read(answer.text.removeprefix("<!doctype html>")).one("main").text


def test_the_code_shows_the_card_on_another_site(
    context: BrowserContext, reader: Reader, stage: Stage, blog: Elsewhere
) -> None:
    url = badge(stage)
    page = context.new_page()
    page.goto(posted(blog, code_of(reader, url)))
    card = framed(page)
    expect(card.get_by_role("heading", name="Sharer")).to_be_visible()
    expect(card.get_by_text("River Writers")).to_be_visible()
    expect(card.get_by_text("Valid", exact=True)).to_be_visible()
    picture = card.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    assert card.locator("main").evaluate("card => getComputedStyle(card).display") == "flex", "its style is read"
    with context.expect_page() as opened:
        card.get_by_role("link").click()
    expect(opened.value).to_have_url(url)
    expect(opened.value.locator(".verdict.good")).to_be_visible()


def test_no_other_page_can_be_framed(context: BrowserContext, stage: Stage, blog: Elsewhere) -> None:
    url = badge(stage)
    page = context.new_page()
    for address in (url, url + "/share"):
        page.goto(posted(blog, f'<iframe src="{address}"></iframe>'))
        page.wait_for_load_state("networkidle")
        assert page.frames[1].url.startswith("chrome-error:")


def test_it_follows_the_badge(
    context: BrowserContext, reader: Reader, stage: Stage, blog: Elsewhere, live: Live
) -> None:
    url = badge(stage)
    page = context.new_page()
    page.goto(posted(blog, code_of(reader, url)))
    expect(framed(page).get_by_text("Valid", exact=True)).to_be_visible()
    revoke(stage, url)
    page.reload()
    expect(framed(page).get_by_text("Revoked", exact=True)).to_be_visible()
    with live.runtime.database.write() as session:
        session.get_one(Credential, url.rpartition("/")[2]).visibility = "private"
    page.reload()
    expect(framed(page).get_by_text("No badge at this address")).to_be_visible()


def test_it_is_still_html_without_script_form_or_cookie(stage: Stage) -> None:
    asked = {"Accept-Language": "en", "Cookie": "language=es"}
    answer = stage.client.get(badge(stage) + "/card", headers=asked)
    page = read(answer.text.removeprefix("<!doctype html>"))
    assert page.one("html").attributes["lang"] == "en", "a cookie says nothing here"
    for tag in ("script", "form", "button", "input", "iframe", "style"):
        assert page.all(tag) == []
    (link,) = page.all("a")
    assert (link.attributes["target"], link.attributes["rel"]) == ("_blank", "noopener noreferrer")
    assert "set-cookie" not in answer.headers
    assert "x-frame-options" not in answer.headers
    policy = dict(each.split(" ", 1) for each in answer.headers["content-security-policy"].split("; "))
    assert policy["frame-ancestors"] == "*"
    assert policy["default-src"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert "script-src" not in policy
    assert answer.headers["cache-control"] == "no-cache"
    assert "Accept-Language" in answer.headers["vary"]
    assert "Cookie" not in answer.headers["vary"]


def test_it_says_until_when_the_badge_is_valid_and_when_that_was_checked(stage: Stage, live: Live) -> None:
    url = badge(stage, valid_for="P1Y")
    host = live.base_url.removeprefix("http://")
    assert said(stage, url) == f"Sharer River Writers Valid, until 2 March 2027 Checked on 2 March 2026 by {host}"
    later(live, days=366)
    assert said(stage, url) == f"Sharer River Writers Expired, since 2 March 2027 Checked on 3 March 2027 by {host}"


def test_a_revoked_or_suspended_badge_says_so(stage: Stage) -> None:
    url = badge(stage)
    path = f"/v1/credentials/{url.rpartition('/')[2]}"
    stage.send("POST", f"{path}/suspension", {"reason": "Looked into."})
    assert "Suspended, since 2 March 2026" in said(stage, url)
    stage.send("POST", f"{path}/reinstatement")
    assert "Valid" in said(stage, url)
    revoke(stage, url)
    assert "Revoked, since 2 March 2026" in said(stage, url)
    assert "Valid" not in said(stage, url)


def test_a_badge_whose_check_fails_is_not_called_valid(stage: Stage, live: Live) -> None:
    url = badge(stage)
    with live.runtime.database.write() as session:
        row = session.get_one(Credential, url.rpartition("/")[2])
        row.signed = row.signed.replace("Shares what works.", "Shares what fails.")
    assert "Do not rely on this badge" in said(stage, url)
    assert "Valid" not in said(stage, url)


def test_a_badge_of_an_issuer_that_nobody_knows_is_not_green(tmp_path: Any) -> None:
    with serving(tmp_path, trust_own_networks=False) as live:
        url = badge(stage_of(live))
        with TestClient(app_of(live.runtime), base_url=live.base_url) as client:
            page = read(client.get(url + "/card").text.removeprefix("<!doctype html>"))
    assert page.all("main.good") == []
    assert page.all("main.unsure") != []


def test_a_sandbox_badge_says_test(live: Live) -> None:
    stage = stage_of(live, sandbox=True)
    text = said(stage, badge(stage))
    assert text.startswith("TEST Sharer TEST River Writers This is a practice badge")


@pytest.mark.parametrize("language", ["en", "es"])
def test_how_it_stands_is_seen_however_long_the_name_is(page: Page, stage: Stage, language: str) -> None:
    page.set_extra_http_headers({"Accept-Language": language})
    url = badge(stage, name=LONG, valid_for="P1Y")
    for size in (NARROWEST, {"width": 480, "height": 176}):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        page.goto(url + "/card")
        box = page.locator(".state").bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= box["y"] + box["height"] <= size["height"]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_everybody_can_use_it(page: Page, stage: Stage, violations: Callable[[Page], list[Any]]) -> None:
    url = badge(stage)
    for address in (url + "/card", f"/credentials/{'0' * 32}/card"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.goto(address)
            assert not violations(page)
    page.goto(url + "/card")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement, '::after').outlineStyle") == "solid"
