"""The way of a person from the sign-in to the end of their account, on a phone, and each page of it for everybody."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from service.accounts import accounts, sign_ins, way_out
from tests.pages.conftest import PHONE_WIDTH, Live, visiting
from tests.pages.scenes import everybody_can_use
from tests.worlds.signing_in import CODE, LINK, mails_to, signed_in

WAY_OUT = re.compile(r"/way-out/([\w-]{30,})")
HOME, SCHOOL = "m11@home.example", "m11@school.example"
LONG = "a.very.long.name.of.somebody.who.has.many.names.indeed.123456" + "@a-school-with-a-long-name.example.org"


def ask(page: Page, address: str, onward: str = "/account") -> None:
    page.goto(f"/sign-in?onward={onward}")
    page.get_by_label("Your email address").fill(address)
    page.get_by_role("button", name="Send the email").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()


def type_code(page: Page, live: Live, address: str) -> None:
    page.get_by_label("6-digit code").fill(CODE.findall(mails_to(live.runtime, address)[-1])[-1])
    page.get_by_role("button", name="Continue").click()


def be_signed_in(page: Page, live: Live, address: str) -> None:
    name, _, value = signed_in(live.runtime, address).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": live.base_url}])


def test_a_person_goes_the_whole_way_on_a_phone(phone: Page, live: Live, browser: Browser) -> None:
    page = phone
    ask(page, HOME)
    page.get_by_label("6-digit code").fill("12")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the code")
    type_code(page, live, HOME)
    expect(page.get_by_role("heading", name="Your account", exact=True)).to_be_visible()

    page.get_by_label("Name", exact=True).fill("محمد بن علي")
    page.get_by_role("button", name="Save the name").click()
    expect(page.get_by_role("status")).to_contain_text("Your name has been saved.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("محمد بن علي")

    page.get_by_label("A badge of mine ends soon").uncheck()
    page.get_by_label("Language of emails").select_option("es")
    page.get_by_role("button", name="Save the choice").click()
    expect(page.get_by_label("A badge of mine ends soon")).not_to_be_checked()
    expect(page.get_by_label("A network has awarded me a badge")).to_be_checked()

    with visiting(browser, live) as (desk, faults):  # the same person has another account, on another device
        ask(desk, SCHOOL)
        desk.goto(f"/sign-in/{LINK.findall(mails_to(live.runtime, SCHOOL)[-1])[-1]}")
        desk.get_by_role("button", name="Sign in").click()
        expect(desk.get_by_role("heading", name="Your account", exact=True)).to_be_visible()

        page.get_by_label("Another email address").fill(SCHOOL)
        page.get_by_role("button", name="Add the address").click()
        type_code(page, live, SCHOOL)
        expect(page.get_by_role("heading", name="Join the two accounts?")).to_be_visible()
        page.get_by_role("button", name="Join the two accounts").click()
        expect(page.get_by_role("status")).to_contain_text("now one")
        expect(page.get_by_text(SCHOOL)).to_be_visible()

        desk.reload()
        expect(desk.get_by_text(HOME)).to_be_visible()
        page.get_by_role("button", name="Sign out everywhere else").click()
        expect(page.get_by_role("status")).to_contain_text("everywhere but here")
        desk.reload()
        expect(desk.get_by_role("heading", name="Sign in")).to_be_visible()
        assert not faults

    page.get_by_role("button", name="Send emails here").click()
    page.get_by_role("button", name="Remove").last.click()
    expect(page.get_by_text(HOME)).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_WIDTH

    page.get_by_role("link", name="Delete the account").click()
    page.get_by_label("I want to delete my account").check()
    page.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_role("heading", name="Your account has been deleted")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_link_that_is_opened_on_another_device_shows_the_code_to_type(
    phone: Page, live: Live, browser: Browser
) -> None:
    with visiting(browser, live) as (desk, faults):
        ask(desk, HOME)
        phone.goto(f"/sign-in/{LINK.findall(mails_to(live.runtime, HOME)[-1])[-1]}")
        code = phone.locator(".code").inner_text()
        assert phone.context.cookies() == []
        desk.get_by_label("6-digit code").fill(code)
        desk.get_by_role("button", name="Continue").click()
        expect(desk.get_by_role("heading", name="Your account", exact=True)).to_be_visible()
        assert not faults


def test_everybody_signs_out_from_the_head_of_a_page(phone: Page, live: Live) -> None:
    be_signed_in(phone, live, HOME)
    phone.goto("/account")
    phone.get_by_role("button", name="Sign out", exact=True).click()
    expect(phone).to_have_url(f"{live.base_url}/")
    assert phone.context.cookies() == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_everybody_can_use_the_pages_of_signing_in(
    page: Page, live: Live, violations: Callable[[Page], list[Any]], language: str
) -> None:
    page.context.add_cookies([{"name": "language", "value": language, "url": live.base_url}])
    page.goto("/sign-in")
    everybody_can_use(page, violations, f"sign-in-{language}")
    page.locator("#address").fill(LONG)
    page.locator("main button").first.click()
    everybody_can_use(page, violations, f"sign-in-code-{language}")
    page.locator("#code").fill("1")
    page.locator("main button").first.click()
    everybody_can_use(page, violations, f"wrong-code-{language}")
    link = LINK.findall(mails_to(live.runtime, LONG)[-1])[-1]
    page.goto(f"/sign-in/{link}")
    everybody_can_use(page, violations, f"sign-in-link-{language}")
    page.context.clear_cookies(name="asking")
    page.reload()
    everybody_can_use(page, violations, f"elsewhere-{language}")


@pytest.mark.parametrize("language", ["en", "es"])
def test_everybody_can_use_the_pages_of_an_account(
    page: Page, live: Live, violations: Callable[[Page], list[Any]], language: str
) -> None:
    be_signed_in(page, live, LONG)
    with live.runtime.database.write() as session:
        account = accounts.with_address(session, LONG, live.runtime.now())
        accounts.with_address(session, HOME, live.runtime.now(), into=account)
        account.name = "W" * 300
        sign_ins.begin(session, account, means="code", browser="Firefox, Android", now=live.runtime.now())
    page.context.add_cookies([{"name": "language", "value": language, "url": live.base_url}])
    for path in ("/account?done=name", "/account/delete", "/account/join"):
        page.goto(path)
        everybody_can_use(page, violations, f"{path.partition('?')[0]}-{language}")
    with live.runtime.database.write() as session:
        account = accounts.with_address(session, LONG, live.runtime.now())
        gone = next(each for each in accounts.addresses_of(session, account) if each.value == HOME)
        way_out.remove(session, live.runtime, account, gone.id, live.runtime.now())
    page.goto(f"/way-out/{WAY_OUT.findall(mails_to(live.runtime, HOME)[-1])[0]}")
    everybody_can_use(page, violations, f"way-out-{language}")
    page.goto("/account")
    page.locator("#address").fill("a@b")
    page.locator("form[action='/account/addresses'] button").click()
    everybody_can_use(page, violations, f"/account/fault-{language}")
