"""From the mail of a badge to the badge in an account, in a browser; and back, when it was not by the owner."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import PERSON, badge, everybody_can_use, stage_of
from tests.worlds.awarding import Stage
from tests.worlds.claiming import account_of, account_with, code_for, holder_of, link_to, undo_to
from tests.worlds.signing_in import mails_to, signed_in

ADDRESS = PERSON[1]
OTHER = "m12@hill.example.org"


@pytest.fixture
def stage(live: Live) -> Stage:
    stage = stage_of(live)
    badge(stage)
    stage.laid.clear()  # what is claimed here is no request of the stage
    return stage


@pytest.fixture
def forwarded(browser: Browser, live: Live) -> Iterator[Page]:
    """Another visitor, with a browser of their own that runs no script."""
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def sign_in_as(page: Page, live: Live, address: str) -> None:
    name, _, value = signed_in(live.runtime, address).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])


@pytest.mark.usefixtures("stage")
def test_a_badge_is_claimed_from_its_mail_and_another_address_is_added(
    page: Page, live: Live, violations: Callable[[Page], list[Any]]
) -> None:
    link = link_to(live.runtime, ADDRESS)
    page.goto(f"/claim/{link}")
    expect(page.get_by_text("q**@river.example.org: claim it only if that is you")).to_be_visible()
    assert ADDRESS not in page.content()
    everybody_can_use(page, violations, "/claim/link")
    page.get_by_role("button", name="This is me: claim them").click()
    page.wait_for_url("**/claim/name")
    everybody_can_use(page, violations, "/claim/name")
    page.get_by_label("For everybody to read").check()
    page.get_by_label("Your name", exact=True).fill("Quite Secret")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/claim/address")
    assert holder_of(live.runtime) == account_of(live.runtime, ADDRESS)
    everybody_can_use(page, violations, "/claim/address")
    page.get_by_label("Another email address of yours").fill(OTHER)
    page.get_by_role("button", name="Add this address").click()
    page.wait_for_url("**/sign-in/code")
    code = mails_to(live.runtime, OTHER)[-1].partition("Or type this code there: ")[2][:7]
    page.get_by_label("6-digit code").fill(code)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/account")
    assert account_of(live.runtime, OTHER) == account_of(live.runtime, ADDRESS)
    page.goto(f"/claim/{link}")
    expect(page.get_by_role("heading", name="These badges are yours")).to_be_visible()
    everybody_can_use(page, violations, "/claim/yours")


@pytest.mark.usefixtures("stage")
def test_the_owner_of_a_forwarded_mail_undoes_the_claim(
    page: Page, forwarded: Page, live: Live, violations: Callable[[Page], list[Any]]
) -> None:
    link = link_to(live.runtime, ADDRESS)
    forwarded.goto(f"/claim/{link}")
    forwarded.get_by_role("button", name="This is me: claim them").click()
    page.goto(f"/claim/{link}")
    expect(page.get_by_text("This was already used.")).to_be_visible()
    page.goto(f"/claim/undo/{undo_to(live.runtime, ADDRESS)}")
    everybody_can_use(page, violations, "/claim/undo")
    page.get_by_role("button", name="Undo it").click()
    expect(page.get_by_role("heading", name="The claim was undone")).to_be_visible()
    assert holder_of(live.runtime) is None
    forwarded.goto("/claim/address")
    assert "/sign-in" in forwarded.url
    page.goto(f"/claim/{link}")
    everybody_can_use(page, violations, "/claim/over")
    page.get_by_role("button", name="Send a new one").click()
    expect(page.get_by_text("We have sent an email with a new link to q**@river.example.org")).to_be_visible()


@pytest.mark.usefixtures("stage")
def test_a_link_to_somebody_elses_address_says_what_to_do(
    page: Page, live: Live, violations: Callable[[Page], list[Any]]
) -> None:
    link, owner = link_to(live.runtime, ADDRESS), account_with(live.runtime, ADDRESS)
    page.goto(f"/claim/{link}")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    sign_in_as(page, live, OTHER)
    page.goto(f"/claim/{link}")
    expect(page.get_by_text("belongs to another account")).to_be_visible()
    everybody_can_use(page, violations, "/claim/other-account")
    assert owner != account_of(live.runtime, OTHER)
    page.locator("#main").get_by_role("button", name="Sign out").click()
    assert holder_of(live.runtime) is None


def test_a_code_on_paper_is_typed_and_asked_about(
    page: Page, live: Live, stage: Stage, violations: Callable[[Page], list[Any]]
) -> None:
    stage.member("m13", name="Member 13")
    stage.share(1, "m13")
    stage.share(2, "m13")
    sign_in_as(page, live, OTHER)
    page.goto("/claim")
    page.get_by_label("Your code").fill("BCDF-GHJK-MNPQ-RTVW")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("There is no such code.")).to_be_visible()
    everybody_can_use(page, violations, "/claim")
    page.get_by_label("Your code").fill(code_for(live.runtime, "m13").lower())
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Claim it only if the network gave you this code.")).to_be_visible()
    everybody_can_use(page, violations, "/claim/code")
    page.get_by_role("button", name="This is me: claim them").click()
    page.wait_for_url("**/claim/name")
    assert holder_of(live.runtime, "m13") == account_of(live.runtime, OTHER)
