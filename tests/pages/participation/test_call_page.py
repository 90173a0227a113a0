"""People apply to a call with a phone, and read what was decided on it."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use, stage_of
from tests.worlds.calling import CALL, STRANGER, decided, laid, posted
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]


def as_somebody(phone: Page, live: Live, address: str) -> None:
    name, value = signed_in(live.runtime, address).split("=", 1)
    phone.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])


def test_from_the_public_call_to_the_answer_why(phone: Page, live: Live, violations: Violations) -> None:
    stage = stage_of(live)
    laid(stage)
    posted(
        stage,
        text="Six people who go through the first year with a **new colleague**.",
        open_to="anybody",
        public=True,
        disciplines=["languages", "sciences"],
        gives_role={"role": "mentor"},
    )
    phone.goto("/calls/river/mentors")
    everybody_can_use(phone, violations, "call-public")
    as_somebody(phone, live, STRANGER)
    phone.reload()
    phone.get_by_label("Your name").fill("Somebody")
    phone.get_by_label("Why would you like to take part?").fill("I have led a writing group.")
    phone.get_by_label("What do you know about it: Feedback").select_option("I can teach it to others")
    phone.get_by_label("Your discipline").select_option("languages")
    everybody_can_use(phone, violations, "call-form")
    phone.get_by_label("I can come to every meeting.").select_option("4: mostly")
    phone.get_by_role("button", name="Apply").click()
    expect(phone.get_by_text("You have applied. Nobody has decided yet.")).to_be_visible()
    everybody_can_use(phone, violations, "call-applied")
    application = stage.send("GET", f"{CALL}/applications")["items"][0]["id"]
    leads = stage.token_with("members:write", member="f1")
    decided(stage, application, leads, "declined", reason="Two others know this topic better.")
    phone.reload()
    phone.get_by_label("Ask why").fill("What could I do to be chosen next year?")
    phone.get_by_role("button", name="Send the question").click()
    question = stage.send("GET", f"./call-applications/{application}")["questions"][0]["id"]
    answer = {"answer": "Come to a meeting in spring."}
    stage.send("POST", f"./call-applications/{application}/questions/{question}/answer", answer)
    phone.reload()
    expect(phone.get_by_text("Come to a meeting in spring.")).to_be_visible()
    everybody_can_use(phone, violations, "call-declined")
