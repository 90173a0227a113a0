"""A network with one badge behind a service that listens, and what visitors do with it in a browser."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from playwright.sync_api import FilePayload, Page, expect

from tests.conftest import ROOT
from tests.pages.conftest import Live
from tests.worlds.awarding import LEVELS, Stage, described, once
from tests.worlds.runtimes import Clock, app_of

HOSTILE = "<img src=x onerror=hostile()> <script>hostile()</script> \"' javascript:hostile()"
PERSON = ("Quite Secret", "quite.secret@river.example.org")
SCREENSHOTS = ROOT / "var" / "screenshots"
ZOOMED_WIDTH = 320
"""What is left of a screen of 1280 at 400 %, twice what WCAG 2.2 asks text to grow by (1.4.4, 1.4.10)."""
WIDTHS = (390, 768, 1440)
JUDGED_WIDTHS = (390, 1440)
PICTURED = {*((width, "light") for width in WIDTHS), (390, "dark")}
RUBRIC = {"rule": "rubric", "rubric": "feedback", "criteria": "*", "min_level": 3, "raters": 1, "unposted": True}


def stage_of(live: Live, **network: Any) -> Stage:
    """Return a network at the listening service, with one member who has a name and an address."""
    client = TestClient(app_of(live.runtime, live.desk), base_url=live.base_url)
    stage = Stage.set_up(client, live.runtime, description="A circle of writing teachers.", **network)
    _add_member(stage)
    return stage


@once
def _add_member(stage: Stage) -> None:
    stage.member("m11", name=PERSON[0], email=PERSON[1])


@once
def badge(stage: Stage, **achievement: Any) -> str:
    """Return the address of a badge that two contributions earned."""
    stage.achievement(**achievement)
    for n in (1, 2):
        stage.share(n, title="A private draft")
    (award,) = stage.awards(member="m11")
    return str(award["credential"]["url"])


@once
def hostile_badge(stage: Stage) -> str:
    """Return the address of a badge whose every text, and its picture, tries to become script."""
    markdown = f"{HOSTILE}\n\n[press](javascript:hostile()) ![x](https://elsewhere.example/x.png) <https://ok.example>"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>hostile()</script><rect onload="hostile()" width="9" height="9"/></svg>'
    picture = stage.call("POST", "/v1/blobs", content=svg, headers={"Content-Type": "image/svg+xml"})
    assert picture.status_code == 201, picture.text
    judged = described("specific") | {"name": HOSTILE}
    judged["levels"] = [level | {"name": HOSTILE, "description": HOSTILE} for level in LEVELS]
    stage.achievement(
        "hostile",
        RUBRIC,
        name=HOSTILE,
        description=HOSTILE,
        criteria={"narrative": markdown, "rule": RUBRIC},
        tags=["<b onclick=hostile()>tag</b>"],
        alignment=[{"target_name": HOSTILE, "target_url": "https://ok.example/", "target_framework": HOSTILE}],
        result_descriptions=[judged],
        image=picture.json()["sha256"],
    )
    stage.member("m12")
    stage.rate("m12", {"specific": 3}, comment=HOSTILE)
    (award,) = stage.awards(achievement="hostile")
    return str(award["credential"]["url"])


def file_of(stage: Stage, url: str, ending: str) -> bytes:
    """Return a form of the badge, as its owner has it."""
    answer = stage.client.get(f"{url}.{ending}")
    assert answer.status_code == 200, answer.text
    return answer.content


def achievement_of(stage: Stage, url: str) -> str:
    """Return the address of what the badge was awarded for."""
    return str(stage.client.get(url + ".json").json()["credentialSubject"]["achievement"]["id"])


def revoke(stage: Stage, url: str) -> None:
    """Take the badge back."""
    stage.send("POST", f"/v1/credentials/{url.rpartition('/')[2]}/revocation", {"reason": "A mistake."})


def later(live: Live, **by: float) -> None:
    """Let time pass at the service."""
    assert isinstance(live.runtime.now, Clock)
    live.runtime.now.advance(**by)


def verify(page: Page, text: str) -> tuple[str, str, str]:
    """Paste `text` at /verify and return tone, title and sentence of the answer."""
    page.goto("/verify")
    page.get_by_label("Link or text of the badge").fill(text)
    page.get_by_role("button", name="Verify", exact=True).click()
    return verdict(page)


def choose(page: Page, name: str, content: bytes) -> tuple[str, str, str]:
    """Choose a file at /verify and return tone, title and sentence of the answer."""
    page.goto("/verify")
    file: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_label("Or a file or photo").set_input_files(file)
    page.get_by_role("button", name="Verify", exact=True).click()
    return verdict(page)


def compare(page: Page, person: str) -> tuple[str, str]:
    """Give the page of a result somebody's address, and return how it answers: tone and sentence."""
    page.locator("#person").fill(person)
    page.get_by_role("button", name="Compare").click()
    said = page.locator("#whose ~ .said, #whose-said:not([hidden])").first
    said.wait_for()
    return (said.get_attribute("class") or "").removeprefix("said "), said.inner_text()


def answers(page: Page) -> dict[str, str]:
    """Return what the page answers to each of the five questions."""
    page.wait_for_load_state()
    asked = page.locator(".question .asked").all_inner_texts()
    return dict(zip(asked, page.locator(".question .answered").all_inner_texts(), strict=True))


def verdict(page: Page) -> tuple[str, str, str]:
    """Return tone, title and sentence of what the page says first."""
    said = page.locator(".verdict")
    tone = (said.get_attribute("class") or "").removeprefix("verdict ")
    page.wait_for_load_state()  # and with it everything else that the page says
    return tone, said.locator("h1, h2").inner_text(), said.locator("p").first.inner_text()


def top(page: Page, selector: str) -> float:
    """Return how far down an element begins."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return float(box["y"])


SETTLED = """async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const ends = (each) => each.effect.getComputedTiming().endTime !== Infinity;
  await Promise.allSettled(document.getAnimations().filter(ends).map((each) => each.finished));
}"""
"""Wait until scripts have heard of another width or scheme, and nothing changes its colour any more."""


def everybody_can_use(page: Page, violations: Callable[[Page], list[Any]], address: str) -> None:
    """Hold the page to axe-core and to its width: light and dark, phone and desk; keep pictures of it if `PICTURES` is set."""
    page.emulate_media(reduced_motion="reduce")  # colours are judged as they end, not on their way
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.evaluate(SETTLED)
            if width in JUDGED_WIDTHS:
                found = violations(page)
                assert not found, (address, width, scheme, found)
            if (width, scheme) in PICTURED and "PICTURES" in os.environ:
                keep_picture(page, address, f"{width}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, width)
    page.set_viewport_size({"width": ZOOMED_WIDTH, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, "zoomed")


def keep_picture(page: Page, address: str, form: str) -> None:
    """Keep a picture of the whole page in var/screenshots, by test and address, for people who look at them."""
    file, _, test = os.environ["PYTEST_CURRENT_TEST"].removesuffix(" (call)").partition("::")
    place = re.sub(r"https?://localhost:\d+|[A-Za-z0-9_-]{20,}", "", address)  # what is another one each time
    folder = SCREENSHOTS / _slug(Path(file).stem) / _slug(test)
    page.screenshot(path=folder / f"{_slug(place)}-{form}.png", full_page=True, animations="disabled", caret="initial")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:100] or "home"


def inert(page: Page) -> None:
    """Hold the page to be without anything that runs or loads, in spite of `HOSTILE`."""
    marked = "main script:not([src^='/static/']), main b, main [onerror], main [onclick], main [onload], main a[href^='javascript']"
    expect(page.locator(marked)).to_have_count(0)
    expect(page.locator("img:not(.picture)")).to_have_count(0)
