"""A person in a room scans the code on the sheet with a phone, and says that they are there."""

from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use, stage_of
from tests.worlds.attending import ADDRESS, CODE, STRANGER, claimed, decide, met, opened
from tests.worlds.awarding import Stage
from tests.worlds.signing_in import signed_in

Violations = Callable[[Page], list[Any]]


@pytest.fixture
def stage(live: Live) -> Stage:
    stage = stage_of(live)
    met(stage)
    return stage


def as_somebody(phone: Page, live: Live, address: str) -> None:
    name, value = signed_in(live.runtime, address).split("=", 1)
    phone.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])


def test_from_the_sheet_on_the_wall_to_the_badge(phone: Page, live: Live, stage: Stage, violations: Violations) -> None:
    sheet = stage.call("POST", f"{CODE}/sheet", json={"code": opened(stage, approval=False)})
    drawn = pypdfium2.PdfDocument(sheet.content)[0].render(scale=1.5).to_pil()
    [scanned] = zxingcpp.read_barcodes(drawn)
    as_somebody(phone, live, ADDRESS)
    phone.goto(scanned.text)
    expect(phone.get_by_text("Feedback that helps")).to_be_visible()
    everybody_can_use(phone, violations, "attend")
    phone.get_by_role("button", name="Yes, I was here").click()
    expect(phone.get_by_text("It is recorded, and counts.")).to_be_visible()
    phone.goto("/my-badges")
    phone.get_by_role("button", name="Claim").click()
    expect(phone.get_by_role("heading", name="Valid badges")).to_be_visible()


def test_somebody_whom_the_network_does_not_know_gives_a_name_and_waits(
    phone: Page, live: Live, stage: Stage, violations: Violations
) -> None:
    code = opened(stage)
    as_somebody(phone, live, STRANGER)
    phone.goto("/attend")
    phone.get_by_label("The letters on the sheet").fill("BCDF")
    phone.get_by_role("button", name="Continue").click()
    expect(phone.get_by_text("There is no such attendance code.")).to_be_visible()
    everybody_can_use(phone, violations, "attend-code")
    phone.get_by_label("The letters on the sheet").fill(code)
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("Your name, as the network knows it").fill("Member 12")
    everybody_can_use(phone, violations, "attend-name")
    phone.get_by_role("button", name="Yes, I was here").click()
    expect(phone.get_by_text("The network has not decided yet.")).to_be_visible()
    claim_id = claimed(live.runtime, code, STRANGER)
    decide(stage, claim_id, "refusal", {"reason": "Nobody of this name was in the room."})
    phone.reload()
    expect(phone.get_by_text("Nobody of this name was in the room.")).to_be_visible()
    everybody_can_use(phone, violations, "my-attendance")


def test_who_is_several_members_chooses_one_on_a_phone(
    phone: Page, live: Live, stage: Stage, violations: Violations
) -> None:
    stage.member("m11-again", email=ADDRESS, name="Member 11 of the hill")
    code = opened(stage)
    as_somebody(phone, live, ADDRESS)
    phone.goto(f"/attend/{code}")
    phone.get_by_label("Member 11 of the hill").check()
    everybody_can_use(phone, violations, "attend-several")
    phone.get_by_role("button", name="Yes, I was here").click()
    stage.call("DELETE", CODE)
    as_somebody(phone, live, STRANGER)
    phone.goto(f"/attend/{code}")
    expect(phone.get_by_text("The network has closed this code.")).to_be_visible()
    everybody_can_use(phone, violations, "attend-closed")
