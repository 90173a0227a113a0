"""A member sets a goal on a phone, and their buddy follows it to its end."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use, stage_of
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import MINE, OTHER, claimed, member_of
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]


@pytest.fixture
def stage(live: Live) -> Stage:
    stage = stage_of(live)
    claimed(stage, "m11", MINE, name="Member 11")
    claimed(stage, "m12", OTHER, name="Member 12")
    stage.send("PUT", "./objectives/FEEDBACK-1", {"text": "Members give feedback that names a place."})
    return stage


def signed_in_as(phone: Page, live: Live, address: str) -> None:
    name, value = signed_in(live.runtime, address).split("=", 1)
    phone.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])


def test_from_the_setting_of_a_goal_to_the_word_of_a_buddy(
    phone: Page, live: Live, stage: Stage, violations: Violations
) -> None:
    signed_in_as(phone, live, MINE)
    phone.goto(f"/my-badges/members/{member_of(live.runtime, 'm11')}/goals")
    phone.get_by_role("link", name="Set a goal").click()
    phone.get_by_label("What do you want to reach?").fill("Give feedback on four drafts")
    phone.get_by_label("How will you see that you reached it?").fill("Three colleagues say what they changed.")
    phone.get_by_label("Last day").fill("2026-12-18")
    phone.get_by_label("Which objective").select_option("FEEDBACK-1")
    phone.get_by_label("A buddy.").check()
    phone.get_by_label("Your buddy, if you chose one").fill("Member 13")
    phone.get_by_role("button", name="Set the goal").click()
    expect(phone.get_by_role("alert")).to_contain_text("The network has no member under this name.")
    everybody_can_use(phone, violations, "goal-form")
    phone.get_by_label("Your buddy, if you chose one").fill("Member 12")
    phone.get_by_role("button", name="Set the goal").click()
    phone.get_by_label("How much is done").fill("40")
    phone.get_by_label("How does it go?").fill("Two drafts are back.")
    phone.get_by_label("What is in the way?").fill("No common hour.")
    phone.get_by_role("button", name="Check in").click()
    expect(phone.get_by_text("Two drafts are back.")).to_be_visible()
    phone.get_by_text("Close the goal", exact=True).click()
    phone.get_by_text("Change with whom you share it").click()
    everybody_can_use(phone, violations, "goal")
    phone.get_by_label("I met it", exact=True).check()
    phone.get_by_role("button", name="Close it for good").click()
    expect(phone.get_by_text("nobody has confirmed it")).to_be_visible()
    phone.context.clear_cookies()
    signed_in_as(phone, live, OTHER)
    phone.goto(f"/my-badges/members/{member_of(live.runtime, 'm12')}/goals")
    everybody_can_use(phone, violations, "goals")
    phone.get_by_role("link", name="Give feedback on four drafts").click()
    phone.get_by_role("button", name="Yes").click()
    expect(phone.get_by_text("Two drafts are back.")).to_be_visible()
    everybody_can_use(phone, violations, "goal-of-another")
    phone.get_by_label("A word for them").fill("I have seen all four.")
    phone.get_by_role("button", name="Yes, it was met").click()
    expect(phone.get_by_text("You have confirmed that it was met.")).to_be_visible()
    records = stage.send("GET", "./contributions", params={"type": "goal_met"})["items"]
    assert sorted(each["tier"] for each in records) == [0, 1]
