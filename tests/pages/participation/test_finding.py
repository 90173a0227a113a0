"""Somebody looks for a network, asks to join it, and reads a badge of a formal one."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.networks.guidelines import ready_made
from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use, stage_of
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]
ADDRESS = "somebody@hill.example.org"
MESSAGE = "I teach writing in grade 7.\n\nI look for readers of my units."


@pytest.fixture
def stage(live: Live) -> Stage:
    stage = stage_of(live)
    said = {"listed": True, "joining": "form", "interests": ["Writing", "Feedback"], "languages": ["en", "es"]}
    stage.send("PUT", "./listing", said)
    return stage


def as_somebody(phone: Page, live: Live) -> None:
    name, value = signed_in(live.runtime, ADDRESS).split("=", 1)
    phone.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])


def test_from_the_list_to_being_a_member(phone: Page, live: Live, stage: Stage, violations: Violations) -> None:
    hill = Stage.set_up(stage.client, live.runtime, "hill", name="Lectores de la Colina")
    said = {"listed": True, "joining": "closed", "interests": ["Lectura crítica"], "languages": ["es"]}
    hill.send("PUT", "./listing", said)
    as_somebody(phone, live)
    phone.goto("/")
    phone.get_by_role("link", name="Find a network").click()
    expect(phone.get_by_role("heading", name="Lectores de la Colina")).to_be_visible()
    everybody_can_use(phone, violations, "networks")
    phone.get_by_label("Name", exact=True).fill("river")
    phone.get_by_role("combobox", name="Language").select_option("Spanish")
    phone.get_by_role("button", name="Search").click()
    expect(phone.get_by_role("heading", name="Lectores de la Colina")).to_be_hidden()
    phone.get_by_role("link", name="How to join").click()
    everybody_can_use(phone, violations, "network")
    phone.get_by_role("link", name="Ask to join").click()
    phone.get_by_label("Your name").fill("Teacher 31")
    phone.get_by_label("Who are you, and why do you want to join?").fill(MESSAGE)
    everybody_can_use(phone, violations, "join")
    phone.get_by_role("button", name="Ask to join").click()
    expect(phone.get_by_text("The network has not decided yet.")).to_be_visible()
    phone.get_by_text("What you wrote").click()
    everybody_can_use(phone, violations, "my-join-requests")
    (asked,) = stage.send("GET", "./join-requests")["items"]
    stage.send("POST", f"./join-requests/{asked['id']}/acceptance", {"ref": "m31"})
    phone.reload()
    expect(phone.get_by_text("You are a member.")).to_be_visible()


def test_what_is_wrong_stands_beside_the_field(phone: Page, live: Live, stage: Stage, violations: Violations) -> None:
    as_somebody(phone, live)
    phone.goto(f"/networks/{stage.slug}/join")
    phone.get_by_label("Your name").fill("Teacher 31")
    phone.get_by_label("Who are you, and why do you want to join?").fill("   ")
    phone.get_by_role("button", name="Ask to join").click()
    expect(phone.get_by_text("Write a few words: who you are, and why you want to join.")).to_be_visible()
    everybody_can_use(phone, violations, "join-fault")


def test_a_badge_of_a_formal_network_leads_to_its_rules(phone: Page, live: Live, violations: Violations) -> None:
    stage = stage_of(live, kind="formal")
    stage.achievement(rule=SHARE_TWICE)
    stage.share(1)
    stage.share(2)
    phone.goto("/networks/river")
    everybody_can_use(phone, violations, "draft")
    stage.send("PUT", "./members/f1", {"roles": ["facilitator"]})
    stage.send("PUT", "./objectives/FEEDBACK-1", {"text": "Members give feedback that names a place in the draft."})
    stage.send("PUT", "./objectives/SHARE-1", {"text": "Each unit is tried by a second teacher."})
    stage.send("PUT", "./sessions/s1", {"series": "Monthly circle", "starts_at": "2026-03-10T15:00:00Z"})
    guidelines = ready_made.templates()[0].guidelines.model_dump(mode="json", exclude_none=True)
    stage.send("PUT", "./guidelines/draft", guidelines)
    stage.send("POST", "./guidelines/draft/publication")
    stage.send("POST", "./activation")
    (award,) = stage.awards()
    phone.goto(award["credential"]["url"])
    expect(phone.get_by_text("Rules of a formal network:")).to_be_visible()
    everybody_can_use(phone, violations, "badge")
    phone.get_by_role("link", name="toward 2 objectives").click()
    expect(phone.get_by_text("Each unit is tried by a second teacher.")).to_be_visible()
    everybody_can_use(phone, violations, "formal")
