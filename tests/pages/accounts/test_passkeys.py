"""Passkeys in a browser: it makes one, and signs in with it; where it can do neither, the mail is the way."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.worlds.signing_in import signed_in

ADDRESS = "m11@river.example.org"
PAGE = "/account/passkeys"


@pytest.fixture
def device(page: Page) -> dict[str, Any]:
    """A device with a fingerprint reader, on which the right finger lies; its owner's."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return {"session": session, "id": made["authenticatorId"]}


def be_signed_in(page: Page, live: Live) -> None:
    name, _, value = signed_in(live.runtime, ADDRESS).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])


def add(page: Page, name: str) -> None:
    page.goto(PAGE)
    page.get_by_label("Name of the new passkey").fill(name)
    page.get_by_role("button", name="Add a passkey").click()


def test_somebody_adds_a_passkey_signs_out_and_signs_in_with_it(page: Page, live: Live, device: dict[str, Any]) -> None:
    be_signed_in(page, live)
    add(page, "Phone")
    expect(page.get_by_text("Not used yet.")).to_be_visible()
    [kept] = device["session"].send("WebAuthn.getCredentials", {"authenticatorId": device["id"]})["credentials"]
    assert (kept["rpId"], kept["isResidentCredential"]) == ("localhost", True)
    page.context.clear_cookies()
    page.goto(f"/sign-in?onward={PAGE}")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Last used on")).to_be_visible()
    assert page.url == live.base_url + PAGE


def test_a_device_that_has_a_passkey_of_the_account_makes_no_second_one(
    page: Page, live: Live, device: dict[str, Any]
) -> None:
    be_signed_in(page, live)
    add(page, "Phone")
    expect(page.get_by_text("Not used yet.")).to_be_visible()
    add(page, "Phone again")
    expect(page.get_by_role("alert")).to_have_text(
        "No passkey was made. Try again. A device that already has one does not make a second one."
    )
    assert len(device["session"].send("WebAuthn.getCredentials", {"authenticatorId": device["id"]})["credentials"]) == 1


def test_with_the_wrong_finger_nobody_signs_in(page: Page, live: Live, device: dict[str, Any]) -> None:
    be_signed_in(page, live)
    add(page, "Phone")
    expect(page.get_by_text("Not used yet.")).to_be_visible()
    page.context.clear_cookies()
    wrong = {"authenticatorId": device["id"], "isUserVerified": False}
    device["session"].send("WebAuthn.setUserVerified", wrong)
    page.goto(f"/sign-in?onward={PAGE}")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("No passkey was used. Try again, or sign in by email.")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()


def test_a_passkey_that_was_removed_is_told_plainly_where_the_device_still_has_it(
    page: Page, live: Live, device: dict[str, Any]
) -> None:
    assert device["id"]
    be_signed_in(page, live)
    add(page, "Phone")
    page.get_by_role("button", name="Remove the passkey Phone").click()
    expect(page.get_by_text("You have no passkey yet.")).to_be_visible()
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No account here has this passkey.")).to_be_visible()


def test_a_browser_without_passkeys_shows_no_button_for_them(page: Page, live: Live) -> None:
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto("/sign-in")
    expect(page.get_by_role("button", name="Send the email")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    be_signed_in(page, live)
    page.goto(PAGE)
    expect(page.get_by_text("This browser cannot make a passkey")).to_be_visible()
    expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()


def test_the_pages_keep_nobody_out(
    phone: Page, live: Live, device: dict[str, Any], violations: Callable[[Page], list[Any]]
) -> None:
    assert device["id"]
    phone.goto("/sign-in")
    assert violations(phone) == []
    be_signed_in(phone, live)
    add(phone, "The old phone that I keep in the drawer beside the door of the kitchen, just in case")
    expect(phone.get_by_text("Not used yet.")).to_be_visible()
    assert violations(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
