"""A member sees what waits in their network, and goes there from *My badges*."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use, stage_of
from tests.worlds.agreeing import publish
from tests.worlds.my_badges import MINE, claimed
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]


def test_what_waits_is_found_from_my_badges_and_done(phone: Page, live: Live, violations: Violations) -> None:
    stage = stage_of(live)
    claimed(stage)
    publish(stage)
    name, value = signed_in(live.runtime, MINE).split("=", 1)
    phone.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])
    phone.goto("/my-badges")
    expect(phone.get_by_role("link", name="Read the guidelines of this network")).to_be_visible()
    everybody_can_use(phone, violations, "my-badges-waiting")
    phone.get_by_role("link", name="Guidelines, goals and more").click()
    expect(phone.get_by_role("heading", name="Waiting for you")).to_be_visible()
    everybody_can_use(phone, violations, "my-network")
    phone.get_by_role("link", name="Read the guidelines of this network").click()
    phone.get_by_role("button", name="I accept").first.click()
    phone.goto("/my-badges")
    expect(phone.get_by_role("link", name="Read the guidelines of this network")).to_have_count(0)
