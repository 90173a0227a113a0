"""The educator's and the employer's story in a real browser: a badge page, its verification, what cannot be checked."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page

from service import access
from service.access import NETWORK_SCOPES
from tests.pages.conftest import Live

NETWORK = {
    "slug": "circle",
    "name": "Circle <b>bold</b>",
    "kind": "informal",
    "url": "https://circle.example",
    "time_zone": "UTC",
}
RULE = {"rule": "count", "where": {"types": ["shared"]}, "gte": 1}
ACHIEVEMENT = {
    "ref": "sharer",
    "name": "Sharer <img src=x onerror=alert(1)>",
    "description": "Shared something.",
    "achievement_type": "MicroCredential",
    "criteria": {
        "narrative": "Share **one** thing. <script>alert(1)</script> [link](javascript:alert(1))",
        "rule": RULE,
    },
    "award": "automatic",
    "publish": True,
}


class Story:
    """A network with one badge, over HTTP."""

    def __init__(self, live: Live) -> None:
        self.live = live
        now = live.running.now()
        with live.running.database.write() as session:
            expires_at = now + timedelta(days=1)
            _, admin = access.create_token(
                session, name="t", scopes=["admin"], network=None, now=now, expires_at=expires_at
            )
        self.send("POST", "/v1/networks", admin, NETWORK)
        made = self.send("POST", "/v1/networks/circle/tokens", admin, {"name": "t", "scopes": list(NETWORK_SCOPES)})
        self.token: str = made["token"]
        root = "/v1/networks/circle"
        self.send("PUT", f"{root}/members/m1", self.token, {"name": "Secret Name", "email": "secret@circle.example"})
        self.send("POST", f"{root}/achievements", self.token, ACHIEVEMENT)
        posted = {"member": "m1", "type": "shared", "occurred_at": "2026-03-01T10:00:00Z", "title": "A <i>title</i>"}
        self.url: str = self.send("POST", f"{root}/contributions", self.token, posted)["awards"][0]["credential"]

    def send(self, method: str, path: str, token: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx2.request(method, self.live.base_url + path, headers=headers, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def revoke(self) -> None:
        path = "/v1" + self.url.removeprefix(self.live.base_url) + "/revocation"
        self.send("POST", path, self.token, {"reason": "A mistake."})

    def file(self, ending: str) -> bytes:
        return httpx2.get(f"{self.url}.{ending}").content


@pytest.fixture
def story(live: Live) -> Story:
    return Story(live)


def verify(page: Page, text: str, recipient: str = "") -> str:
    page.goto("/verify")
    page.get_by_label("A link, JSON or a JWT").fill(text)
    page.get_by_label("Whose is it?").fill(recipient)
    page.get_by_role("button", name="Verify").click()
    return page.locator(".verdict h1").inner_text()


def test_a_badge_page_shows_picture_name_description_issuer_date_and_status(page: Page, story: Story) -> None:
    page.goto(story.url)
    assert page.get_by_role("heading", level=1).inner_text() == ACHIEVEMENT["name"]
    text = page.locator("main").inner_text()
    for shown in (
        "Shared something.",
        "Circle <b>bold</b>",
        "2 March 2026",
        "Not revoked, not expired",
        "Share one thing.",
    ):
        assert shown in text
    assert page.locator("img.picture").evaluate("picture => picture.naturalWidth") == 512


def test_no_page_and_no_document_names_the_person(story: Story) -> None:
    for address in (story.url, story.live.base_url + "/networks/circle"):
        for accept in ("text/html", "application/json"):
            answer = httpx2.get(address, headers={"Accept": accept})
            assert "secret" not in answer.text.lower()


def test_what_a_network_writes_cannot_become_script_or_markup(page: Page, story: Story) -> None:
    for address in (story.url, "/networks/circle"):
        page.goto(address)
        assert page.locator("main script, main b, main i, main [onerror], main a[href^=javascript]").count() == 0


def test_the_control_verifies_it_anew(page: Page, story: Story) -> None:
    page.goto(story.url)
    page.get_by_role("button", name="Verify it now").click()
    assert page.locator(".verdict.good h1").inner_text() == "This badge is genuine and valid"


def test_a_revoked_badge_says_so_before_anything_else(page: Page, story: Story) -> None:
    story.revoke()
    page.goto(story.url)
    verdict, picture = page.locator(".verdict").bounding_box(), page.locator("img.picture").bounding_box()
    assert verdict is not None
    assert picture is not None
    assert "This badge was revoked" in page.locator(".verdict").inner_text()
    assert verdict["y"] < picture["y"]
    page.get_by_role("button", name="Verify it now").click()
    assert page.locator(".verdict.bad h1").inner_text() == "This badge was revoked"


@pytest.mark.parametrize("ending", ["json", "jwt"])
def test_pasted_text_is_verified(page: Page, story: Story, ending: str) -> None:
    assert verify(page, story.file(ending).decode()) == "This badge is genuine and valid"


@pytest.mark.parametrize("ending", ["json", "jwt", "png", "svg"])
def test_a_chosen_file_is_verified(page: Page, story: Story, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"badge.{ending}"
    path.write_bytes(story.file(ending))
    page.goto("/verify")
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Verify").click()
    assert page.locator(".verdict.good h1").count() == 1


def test_a_changed_copy_is_not_to_be_relied_on(page: Page, story: Story) -> None:
    changed = json.loads(story.file("json"))
    changed["credentialSubject"]["achievement"]["description"] = "Led the whole network."
    assert verify(page, json.dumps(changed)) == "Do not rely on this badge"
    assert "It was changed after signing" in page.locator(".verdict").inner_text()


def test_the_recipient_is_compared(page: Page, story: Story) -> None:
    assert verify(page, story.url, "Secret@Circle.example") == "This badge is genuine and valid"
    assert "issued to the address that you gave" in page.locator(".verdict").inner_text()
    assert verify(page, story.url, "other@circle.example") == "Do not rely on this badge"
    assert page.url.endswith("/verify")


def test_what_cannot_be_looked_up_is_never_green(page: Page, story: Story) -> None:
    unknown = json.loads(story.file("json"))
    unknown["@context"].append("https://unknown.example/context.json")
    verify(page, json.dumps(unknown))
    assert page.locator(".verdict.good").count() == 0


def test_nothing_given_and_nonsense_are_answered_in_words(page: Page) -> None:
    assert verify(page, "") == "That could not be checked"
    assert verify(page, "http://10.0.0.1/x") == "That could not be checked"
    assert verify(page, "{}") == "Do not rely on this badge"


def test_an_address_without_a_badge_is_a_page_that_says_so(page: Page, story: Story) -> None:
    answer = page.goto(story.url[:-4] + "0000")
    assert answer is not None
    assert answer.status == 404
    assert "No badge at this address" in page.locator("main").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_everybody_can_use_every_page(
    page: Page, story: Story, violations: Callable[[Page], list[Any]], scheme: Any, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    achievement = json.loads(story.file("json"))["credentialSubject"]["achievement"]["id"]
    for address in ("/", "/verify", "/networks/circle", achievement, story.url):
        page.goto(address)
        assert violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    verify(page, story.url)
    assert violations(page) == []


def test_reading_and_verifying_need_no_script(story: Story, browser: Any) -> None:
    context = browser.new_context(base_url=story.live.base_url, java_script_enabled=False)
    page = context.new_page()
    assert verify(page, story.url) == "This badge is genuine and valid"
    context.close()


def test_the_keyboard_alone_verifies(page: Page, story: Story) -> None:
    page.goto("/verify")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "received":
            break
    page.keyboard.insert_text(story.url)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    page.keyboard.press("Enter")
    page.locator(".verdict.good").wait_for()


def test_the_documentation_draws_itself_from_here_alone(page: Page, story: Story) -> None:
    page.goto("/docs")
    page.get_by_text("/v1/networks/{slug}/contributions").first.wait_for()
    assert story.url


def test_a_badge_page_is_small_and_asks_again_cheaply(story: Story) -> None:
    first = httpx2.get(story.url, headers={"Accept": "text/html"})
    assert len(first.content) < 60_000
    again = httpx2.get(story.url, headers={"Accept": "text/html", "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    story.revoke()
    assert (
        httpx2.get(story.url, headers={"Accept": "text/html", "If-None-Match": first.headers["ETag"]}).status_code
        == 200
    )
