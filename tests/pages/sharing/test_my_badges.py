"""My badges in a browser: on a phone, in both languages, with two networks, many badges and nothing at all."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.my_badges import MINE, claimed, earned, many, member_of, named
from tests.worlds.runtimes import app_of
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]
BOTH = {"all": [SHARE_TWICE, {"rule": "count", "where": {"types": ["attended"]}, "gte": 3}]}


@pytest.fixture
def stage(live: Live) -> Stage:
    client = TestClient(app_of(live.runtime, live.desk), base_url=live.base_url)
    return Stage.set_up(client, live.runtime, description="A circle of writing teachers.")


@pytest.fixture
def signed(page: Page, live: Live, stage: Stage) -> Page:
    """The page of somebody who is signed in; the stage is laid before, in an empty service."""
    name, _, value = signed_in(stage.runtime, MINE).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])
    return page


def furnish(stage: Stage) -> str:
    """Fill two networks with all that my badges show; return the id of a badge in force."""
    claimed(stage, name="Member 11")
    stage.achievement(name="Sharer of what works in a classroom with many languages")
    credential = earned(stage)
    many(stage.runtime, credential, 3)
    stage.member("m12", name="Member 12")
    stage.achievement("host", BOTH, name="Host of a writing circle")
    stage.achievement("writer", {"rule": "count", "where": {"types": ["authored"]}, "gte": 1}, name="Writer")
    stage.rate("m12", {"specific": 3, "kind": 2}, comment="Every remark names a place in the draft.")
    hill = Stage.set_up(stage.client, stage.runtime, "hill", name="Hill Readers", email="office@hill.example.org")
    claimed(hill)
    hill.achievement(name="Reader of the hill")
    revoked = earned(hill)
    hill.send("POST", f"/v1/credentials/{revoked}/revocation", {"reason": "It was issued twice."})
    valley = Stage.set_up(stage.client, stage.runtime, "valley", name="Valley Mentors")
    valley.achievement()
    valley.member("v1", email=MINE, name="Member 11")
    earned(valley, "v1")
    return credential


def test_everybody_can_use_my_badges(signed: Page, stage: Stage, violations: Violations) -> None:
    furnish(stage)
    for address in ("/my-badges", "/my-badges/ended"):
        signed.goto(address)
        everybody_can_use(signed, violations, address)


def test_everybody_can_use_my_badges_with_nothing(signed: Page, violations: Violations) -> None:
    signed.goto("/my-badges")
    everybody_can_use(signed, violations, "nothing")


def test_everybody_can_use_the_settings_of_a_badge(signed: Page, stage: Stage, violations: Violations) -> None:
    credential = furnish(stage)
    named(stage.runtime, "Member Eleven")
    signed.goto(f"/my-badges/{credential}")
    everybody_can_use(signed, violations, "settings")


def test_everybody_can_use_progress_and_records(signed: Page, stage: Stage, violations: Violations) -> None:
    furnish(stage)
    of = f"/my-badges/members/{member_of(stage.runtime, 'm11', 'river')}"
    for address in ("progress", "records", "records?kind=contribution"):
        signed.goto(f"{of}/{address}")
        everybody_can_use(signed, violations, address)


def test_a_walk_on_a_phone_from_the_claim_to_an_appeal(
    phone: Page, signed: Page, stage: Stage, violations: Violations
) -> None:
    assert phone is signed
    furnish(stage)
    phone.goto("/my-badges")
    phone.get_by_role("button", name="Claim").click()
    expect(phone.get_by_role("heading", name="Issued to your address")).to_have_count(0)
    phone.get_by_role("link", name="In progress · River Writers").click()
    expect(phone.get_by_text("Attended 0 meetings (3 needed).")).to_be_visible()
    phone.get_by_role("link", name="Is something missing or wrong?").first.click()
    phone.get_by_label("Why do you disagree?").fill("I was at three meetings.")
    everybody_can_use(phone, violations, "appeal")
    phone.get_by_role("button", name="Send the appeal").click()
    expect(phone.get_by_text("Waiting for a mediator")).to_be_visible()
    expect(phone.get_by_text("I was at three meetings.")).to_be_visible()
    everybody_can_use(phone, violations, "case")


def test_a_badge_is_made_private_on_a_phone(phone: Page, signed: Page, stage: Stage) -> None:
    assert phone is signed
    claimed(stage)
    stage.achievement()
    credential = earned(stage)
    phone.goto(f"/my-badges/{credential}")
    phone.get_by_label("Only you").check()
    phone.get_by_role("button", name="Save who can see it").click()
    expect(phone.get_by_text("as if there were no badge")).to_be_visible()
    assert stage.client.get(f"/credentials/{credential}.json").status_code == 404


def test_my_badges_speak_the_language_of_the_visitor(signed: Page, stage: Stage, violations: Violations) -> None:
    furnish(stage)
    signed.set_extra_http_headers({"Accept-Language": "es"})
    signed.goto("/my-badges")
    assert signed.locator("html").get_attribute("lang") == "es"
    everybody_can_use(signed, violations, "es")
