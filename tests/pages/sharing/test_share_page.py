"""The page on which a person shares a badge, and the QR code of its link."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from zxingcpp import BarcodeFormat, BarcodeFormats, read_barcodes

from service.tables import Credential
from tests.pages.conftest import Live
from tests.pages.reading import Reader
from tests.pages.scenes import HOSTILE, badge, everybody_can_use, hostile_badge, inert, later, revoke, stage_of
from tests.worlds.awarding import Stage

QR_CODE = BarcodeFormats(BarcodeFormat.QRCode)
WAYS = ("/share", "/qr.png", "/qr.svg", "/card")
PROFILE = "Add to your LinkedIn profile"


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def links(reader: Reader) -> dict[str, str]:
    """Return where the links of the page lead, by their texts."""
    return {each.text: each.attributes["href"] for each in reader.page.all("main a")}


def change(live: Live, url: str, **values: Any) -> None:
    with live.runtime.database.write() as session:
        row = session.get_one(Credential, url.rpartition("/")[2])
        for name, value in values.items():
            setattr(row, name, value)


def test_the_page_of_a_badge_leads_to_it(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    reader.open(url)
    page = reader.follow("Share this badge")
    assert (reader.status, reader.address) == (200, url + "/share")
    assert page.one("h1").text == "Share this badge"
    assert page.one("input[id=url]").attributes["value"] == url
    assert "readonly" in page.one("input[id=url]").attributes
    assert links(reader)["Sharer"] == url


def test_linkedin_is_told_name_network_months_id_and_link(reader: Reader, stage: Stage) -> None:
    url = badge(stage, valid_for="P3Y")
    reader.open(url + "/share")
    assert parse_qs(urlsplit(links(reader)[PROFILE]).query) == {
        "startTask": ["CERTIFICATION_NAME"],
        "name": ["Sharer"],
        "organizationName": ["River Writers"],
        "issueYear": ["2026"],
        "issueMonth": ["3"],
        "expirationYear": ["2029"],
        "expirationMonth": ["3"],
        "certUrl": [url],
        "certId": [url.rpartition("/")[2]],
    }


def test_links_to_other_sites_tell_them_nothing_else(reader: Reader, stage: Stage) -> None:
    reader.open(badge(stage) + "/share")
    away = [each.attributes for each in reader.page.all("main a") if "//localhost" not in each.attributes["href"]]
    assert [each["href"].partition("?")[0].partition("#")[0] for each in away] == [
        "https://www.linkedin.com/profile/add",
        "https://share.joinmastodon.org/",
        "https://bsky.app/intent/compose",
        "https://x.com/intent/post",
        "mailto:",
    ]
    assert {each["rel"] for each in away} == {"noopener noreferrer"}


def test_opening_the_page_asks_no_other_site(page: Page, stage: Stage) -> None:
    answer = page.goto(badge(stage) + "/share")
    page.wait_for_load_state("networkidle")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_button_copies_the_link_and_another_the_code(browser: Browser, stage: Stage) -> None:
    url = badge(stage)
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(url + "/share")
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == url
    page.get_by_role("button", name="Copy the code").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('<iframe')")
    assert page.evaluate("navigator.clipboard.readText()") == page.get_by_label("Code for your page").input_value()
    context.close()


def test_a_browser_that_lets_nothing_be_copied_leaves_it_selected(page: Page, stage: Stage) -> None:
    url = badge(stage)
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
    page.goto(url + "/share")
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("status")).to_contain_text("Copy the selected text yourself.")
    assert page.evaluate("getSelection().toString()") == url


def test_a_phone_hands_the_link_to_its_apps(page: Page, stage: Stage) -> None:
    url = badge(stage)
    page.add_init_script("navigator.share = async (given) => { window.given = given; }")
    page.goto(url + "/share")
    page.get_by_role("button", name="Share with an app").click()
    assert page.evaluate("window.given") == {"title": "Sharer", "url": url}


def test_without_a_script_there_are_fields_and_links_and_no_dead_button(browser: Browser, stage: Stage) -> None:
    url = badge(stage)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url + "/share")
    expect(page.locator("main button:visible")).to_have_count(0)
    expect(page.get_by_label("Address of the badge")).to_have_value(url)
    expect(page.get_by_role("link", name=PROFILE)).to_be_visible()
    context.close()


def test_everybody_can_use_it(page: Page, stage: Stage, violations: Callable[[Page], list[Any]]) -> None:
    url = badge(stage)
    page.goto(url + "/share")
    everybody_can_use(page, violations, "share")
    revoke(stage, url)
    page.goto(url + "/share")
    everybody_can_use(page, violations, "share-revoked")


@pytest.mark.parametrize("form", ["png", "svg"])
def test_a_phone_reads_the_link_from_the_code_on_the_screen(page: Page, stage: Stage, form: str) -> None:
    url = badge(stage)
    page.emulate_media(color_scheme="dark")
    page.goto(f"{url}/qr.{form}" if form == "png" else url + "/share")
    with Image.open(BytesIO(page.locator("img").last.screenshot())) as seen:
        assert [each.text for each in read_barcodes(seen.convert("L"), formats=QR_CODE)] == [url]


@pytest.mark.parametrize("form", ["PNG", "SVG"])
def test_the_code_is_saved_under_the_name_of_the_badge(page: Page, stage: Stage, form: str) -> None:
    page.goto(badge(stage, name="Peer mentor") + "/share")
    with page.expect_download() as saved:
        page.get_by_role("link", name=f"Download as {form}").click()
    assert saved.value.suggested_filename == f"Peer-mentor-QR.{form.lower()}"


def test_a_cache_asks_again_for_the_code(stage: Stage) -> None:
    address = badge(stage) + "/qr.png"
    first = stage.client.get(address)
    again = stage.client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("way", WAYS)
def test_a_private_badge_looks_like_none(stage: Stage, live: Live, way: str) -> None:
    url = badge(stage)
    change(live, url, visibility="private")
    none = f"{live.base_url}/credentials/{'0' * 32}"
    answers = [stage.client.get(at + way, headers={"Accept": "text/html"}) for at in (url, none)]
    for answer in answers:
        assert answer.status_code == 404
        assert "Sharer" not in answer.text
    private, unknown = (answer.text.replace(url, none) for answer in answers)
    assert private.replace(url.rpartition("/")[2], "0" * 32) == unknown


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_no_search_engine_lists_a_way_to_share(stage: Stage, live: Live, visibility: str, way: str) -> None:
    url = badge(stage)
    change(live, url, visibility=visibility)
    answer = stage.client.get(url + way)
    assert (answer.status_code, answer.headers["x-robots-tag"]) == (200, "noindex")


def test_it_says_who_can_find_the_badge(reader: Reader, stage: Stage, live: Live) -> None:
    url = badge(stage)
    assert "Search engines do not list it." in reader.open(url + "/share").text
    change(live, url, visibility="public")
    assert "search engines may list it." in reader.open(url + "/share").text


def test_a_revoked_badge_is_offered_to_nobody(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    revoke(stage, url)
    page = reader.open(url + "/share")
    assert reader.verdict()[:2] == ("bad", "This badge was revoked")
    assert not [at for at in links(reader).values() if not at.startswith(url)]
    assert page.one("input[id=url]").attributes["value"] == url


def test_a_suspended_badge_is_offered_to_nobody(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    stage.send("POST", f"/v1/credentials/{url.rpartition('/')[2]}/suspension", {"reason": "Looked into."})
    reader.open(url + "/share")
    assert reader.verdict()[:2] == ("bad", "This badge is suspended")
    assert PROFILE not in links(reader)


def test_a_badge_whose_check_fails_is_offered_to_nobody(reader: Reader, stage: Stage, live: Live) -> None:
    url = badge(stage)
    with live.runtime.database.write() as session:
        row = session.get_one(Credential, url.rpartition("/")[2])
        row.signed = row.signed.replace("Shares what works.", "Shares what fails.")
    reader.open(url + "/share")
    assert reader.verdict()[:2] == ("bad", "Do not rely on this badge")
    assert PROFILE not in links(reader)


def test_an_expired_badge_keeps_its_place_in_a_profile_with_its_end(reader: Reader, stage: Stage, live: Live) -> None:
    url = badge(stage, valid_for="P1Y")
    later(live, days=366)
    reader.open(url + "/share")
    assert parse_qs(urlsplit(links(reader)[PROFILE]).query)["expirationYear"] == ["2027"]


def test_a_sandbox_badge_says_test_wherever_it_goes(reader: Reader, live: Live) -> None:
    url = badge(stage_of(live, sandbox=True))
    page = reader.open(url + "/share")
    assert page.one(".test").text.startswith("TEST")
    profile = parse_qs(urlsplit(links(reader)[PROFILE]).query)
    assert (profile["name"], profile["organizationName"]) == (["TEST Sharer"], ["TEST River Writers"])
    for name in ("Mastodon", "Bluesky", "X", "Email"):
        assert "TEST" in links(reader)[name]


def test_what_a_network_writes_stays_text(page: Page, stage: Stage) -> None:
    url = hostile_badge(stage)
    for way in ("/share", "/card"):
        page.goto(url + way)
        assert HOSTILE in page.locator("main").inner_text()
        inert(page)
        assert page.evaluate("typeof hostile") == "undefined"
