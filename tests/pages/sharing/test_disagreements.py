"""The form with which somebody asks for a mediator, and the page of the case, in a browser."""

from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use
from tests.worlds.awarding import Stage
from tests.worlds.disagreeing import on, sent
from tests.worlds.my_badges import MINE, OTHER, claimed, member_of
from tests.worlds.runtimes import app_of
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]


def signed(page: Page, live: Live, stage: Stage, address: str) -> None:
    """Sign somebody in, in place of whoever is signed in."""
    name, _, value = signed_in(stage.runtime, address).partition("=")
    page.context.clear_cookies()
    page.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])


def test_a_walk_from_the_form_to_an_agreement(page: Page, live: Live, violations: Violations) -> None:
    client = TestClient(app_of(live.runtime, live.desk), base_url=live.base_url)
    stage = Stage.set_up(client, live.runtime)
    stage.achievement()
    claimed(stage, name="Member 11")
    claimed(stage, "m12", OTHER, name="Member 12")
    stage.member("n1", roles=["mediator"])
    record = stage.share(1)["id"]
    signed(page, live, stage, MINE)
    page.goto(f"/my-badges/members/{member_of(stage.runtime, 'm11')}/disagreement?record={record}")
    page.get_by_label("Who is the other person?").fill("Member 1")
    page.get_by_label("What is it about?").select_option("credit")
    page.get_by_label("What happened?").fill("My lesson plan was shown as somebody else's.")
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_text("We found nobody of this network by exactly that.")).to_be_visible()
    everybody_can_use(page, violations, "disagreement")
    page.get_by_label("Who is the other person?").fill(OTHER)
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_role("heading", name="Your case with Member 12")).to_be_visible()
    path = page.url.removeprefix(live.base_url)
    case = {"id": path.rpartition("/")[2]}
    sent(on(stage, case, "mediator", None, "PUT", member="n1"))
    sent(on(stage, case, "holds", "n1", member="m12", reason="The plan would count for a badge."), 201)
    sent(on(stage, case, "agreement", "n1", text="Both names stand on it, in the order of the alphabet."), 201)
    signed(page, live, stage, OTHER)
    page.goto(path)
    everybody_can_use(page, violations, "case-of-two")
    page.get_by_role("button", name="Accept the agreement").click()
    expect(page.get_by_role("button", name="Accept the agreement")).to_have_count(0)
    page.goto("/my-badges")
    everybody_can_use(page, violations, "my-badges-with-case")
