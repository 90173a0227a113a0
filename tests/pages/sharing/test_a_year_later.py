"""From the mail of a badge to a CV, on a phone; and a year later, with the mailbox lost and another name."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.operations.upkeep import LANES
from service.runtime.work import to_the_end
from tests.pages.conftest import Live
from tests.pages.scenes import badge, choose, file_of, keep_picture, later, stage_of
from tests.worlds.awarding import Stage
from tests.worlds.claiming import account_of, holder_of, link_to
from tests.worlds.signing_in import CODE, claim, mails_to, signed_in

LOST, NEW = "quite.secret@river.example.org", "m11@kept.example.org"
NAME_THEN, NAME_NOW = "Member Eleven", "Colleague Twelve"
NEWER_COPY = (
    "unsure",
    "This badge is genuine, and there is a newer copy",
    "It was signed here and has not been taken back. The newer copy counts now: look at that one.",
)
VOUCHERS = ("v1", "v2")
WIDTH = 390

Meet = Callable[[str], None]


@pytest.fixture
def stage(live: Live) -> Stage:
    """A network with a badge that waits to be claimed, and two colleagues who have accounts."""
    stage = stage_of(live)
    badge(stage)
    stage.laid.clear()  # what is claimed here is no request of the stage
    for ref in VOUCHERS:
        stage.member(ref, email=f"{ref}@river.example.org", name=f"Member {ref}")
        claim(live.runtime, "river", ref, f"{ref}@river.example.org")
    return stage


@pytest.fixture
def meet(page: Page, violations: Callable[[Page], list[Any]]) -> Meet:
    """Hold the page that the phone shows to axe-core and to the width of the phone."""
    page.set_viewport_size({"width": WIDTH, "height": 844})

    def met(heading: str) -> None:
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        page.wait_for_load_state()
        assert not violations(page), heading
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), heading
        if "PICTURES" in os.environ:
            keep_picture(page, heading, str(WIDTH))

    return met


def hold_as(page: Page, live: Live, address: str) -> None:
    """Hand the phone to somebody who is signed in."""
    name, _, value = signed_in(live.runtime, address).partition("=")
    page.context.clear_cookies()
    page.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])


def pass_days(live: Live, days: int = 0) -> None:
    """Let days pass, and have the service do what it does beside requests."""
    later(live, days=days)
    for lane in LANES.values():
        for work in lane.work:
            work(live.runtime, to_the_end)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def check(page: Page, url: str, meet: Meet) -> None:
    """Open the link of the CV as an employer does, and press its button."""
    page.context.clear_cookies()
    page.goto(url)
    expect(page.locator(".verdict.good h2")).to_be_visible()
    meet("Sharer")
    press(page, "Verify it now")
    meet("This badge is genuine and valid")


def test_a_badge_goes_from_its_mail_to_a_cv_and_its_link_is_good_a_year_later(
    page: Page, live: Live, stage: Stage, meet: Meet
) -> None:
    (award,) = stage.awards(member="m11")
    url = str(award["credential"]["url"])

    page.goto(f"/claim/{link_to(live.runtime, LOST)}")
    meet("Claim your badges")
    press(page, "This is me: claim them")
    page.wait_for_url("**/claim/name")
    meet("The badges are yours. Do you want your name on them?")
    page.get_by_label("For everybody to read").check()
    page.get_by_label("Your name", exact=True).fill(NAME_THEN)
    press(page, "Continue")
    page.wait_for_url("**/claim/address")
    meet("Which address will you keep when you change schools?")
    page.get_by_role("link", name="Not now").click()
    page.wait_for_url("**/my-badges")
    meet("My badges")
    page.get_by_role("link", name="Sharer").first.click()
    page.wait_for_url("**/my-badges/*")
    meet("Sharer")
    page.get_by_role("link", name="Share", exact=True).click()
    meet("Share this badge")
    assert page.get_by_label("Address of the badge").input_value() == url
    check(page, url, meet)
    page.goto(url)
    assert NAME_THEN in page.locator("main").inner_text()
    first_file = file_of(stage, url, "json")

    pass_days(live, 365)
    page.goto("/return")
    meet("I lost my mailbox")
    page.get_by_role("link", name="Sign in with your new address").click()
    meet("Sign in")
    page.get_by_label("Your email address").fill(NEW)
    press(page, "Send the email")
    meet("Check your email")
    page.get_by_label("6-digit code").fill(CODE.findall(mails_to(live.runtime, NEW)[-1])[-1])
    press(page, "Continue")
    page.wait_for_url("**/return")
    meet("Get your badges back")
    page.get_by_label("The network").fill("River Writers")
    page.get_by_label("Your old email address, or the link to one of your badges").fill(url)
    page.get_by_label("Your name").fill(NAME_NOW)
    press(page, "Get the link for your colleagues")
    meet("Get your badges back")
    link = page.locator(".address").inner_text()
    for ref in VOUCHERS:
        hold_as(page, live, f"{ref}@river.example.org")
        page.goto(link)
        meet("Do you know this person?")
        page.get_by_label("I know this person.").check()
        press(page, "I vouch for them")
        expect(page.get_by_text("You have vouched")).to_be_visible()
        meet("Thank you")
    assert "/return/stop/" in mails_to(live.runtime, LOST)[-1]
    pass_days(live, 6)
    assert holder_of(live.runtime) == account_of(live.runtime, LOST)
    pass_days(live, 1)
    assert holder_of(live.runtime) == account_of(live.runtime, NEW)

    hold_as(page, live, NEW)
    page.goto("/account")
    page.get_by_label("Name", exact=True).fill(NAME_NOW)
    press(page, "Save the name")
    meet("Your account")
    page.goto("/account/name")
    meet("Your name and address on badges")
    expect(page.get_by_text("1 badge is still to be signed again.")).to_be_visible()
    pass_days(live)

    check(page, url, meet)
    page.goto(url)
    assert NAME_NOW in page.locator("main").inner_text()
    assert NAME_THEN not in page.content() + file_of(stage, url, "json").decode()
    assert choose(page, "first.json", first_file) == NEWER_COPY
    meet(NEWER_COPY[1])
    assert page.get_by_role("link", name="newer copy").first.get_attribute("href") == url
    assert NAME_THEN not in page.locator("main").inner_text()
