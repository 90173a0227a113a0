"""A member says on a phone what they want to learn and can offer, and sees who could help."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use, stage_of
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import MINE, claimed, member_of
from tests.worlds.needing import CYCLE, HERE, LEARNS, OFFERS, asked, says
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]


@pytest.fixture
def stage(live: Live) -> Stage:
    stage = stage_of(live)
    asked(stage, introduction="We plan the next sessions by what you answer.\nIt takes three minutes.")
    claimed(stage, "m11", MINE, name="Member 11")
    says(stage, "m12", OFFERS | LEARNS)
    says(stage, "m13", OFFERS | {"offer": [{"topic": "feedback", "level": "could-start"}], "times": []})
    return stage


def test_a_member_answers_and_sees_who_could_help(
    phone: Page, live: Live, stage: Stage, violations: Violations
) -> None:
    name, value = signed_in(live.runtime, MINE).split("=", 1)
    phone.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])
    phone.goto(f"/my-badges/members/{member_of(live.runtime, 'm11', stage.slug)}/needs")
    everybody_can_use(phone, violations, "my-surveys")
    phone.get_by_role("link", name="What this spring?").click()
    topic = phone.get_by_role("group", name="Feedback that helps")
    topic.get_by_label("I want to learn it").select_option("Most important")
    phone.get_by_role("group", name="Grading with rubrics").get_by_label("I want to learn it").select_option(
        "Important"
    )
    phone.get_by_role("group", name="Topic 1", exact=True).get_by_label("Topic 1", exact=True).fill("Reading aloud")
    phone.get_by_role("group", name="Topic 1", exact=True).get_by_label("I can offer it").select_option(
        "I have done it"
    )
    phone.get_by_role("group", name="Tuesday").get_by_label("Evening").check()
    phone.get_by_label("How ready are you to begin?").select_option("Ready")
    phone.get_by_label("Show what I offer").check()
    everybody_can_use(phone, violations, "my-needs-form")
    phone.get_by_role("button", name="Send answer").click()
    expect(phone.get_by_text("You have answered.")).to_be_visible()
    expect(phone.get_by_text("Free when you are: Tuesday evening.")).to_be_visible()
    everybody_can_use(phone, violations, "my-needs")
    assert stage.send("GET", f"{HERE}/answers/m11")["share_offer"] is True
    assert phone.url.endswith(f"/needs/{CYCLE}")


def test_a_form_that_is_wrong_is_sent_again_by_link(phone: Page, stage: Stage, violations: Violations) -> None:
    made = stage.send("POST", f"{HERE}/links", {"members": ["f1"]})["links"][0]["url"]
    phone.goto(made)
    phone.get_by_label("A note for the network").fill("Only a note.")
    phone.get_by_role("button", name="Send answer").click()
    expect(phone.get_by_role("alert")).to_be_visible()
    everybody_can_use(phone, violations, "needs-link")
    phone.get_by_role("group", name="Work in groups").get_by_label("I can offer it").select_option("I can explain it")
    phone.get_by_role("button", name="Send answer").click()
    expect(phone.get_by_role("heading", name="We have your answer")).to_be_visible()
    phone.get_by_role("link", name="Back to the survey").click()
    everybody_can_use(phone, violations, "needs-answered")
    phone.get_by_role("button", name="Show and change my answer").click()
    expect(phone.get_by_label("A note for the network")).to_have_value("Only a note.")
