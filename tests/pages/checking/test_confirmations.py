"""Both sides of the question whether a badge is theirs: the employer's page turns when the candidate answers."""

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from service.notifications import mail
from tests.pages.conftest import Live
from tests.pages.reading import Reader
from tests.pages.scenes import (
    HOSTILE,
    PERSON,
    badge,
    everybody_can_use,
    file_of,
    hostile_badge,
    inert,
    later,
    revoke,
    stage_of,
    verify,
)
from tests.worlds.awarding import Stage

YES, NO = "Yes, this badge is mine and I gave it to somebody", "No"


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


@pytest.fixture
def other(browser: Browser, live: Live) -> Iterator[Page]:
    """Another visitor, with a browser of their own that runs no script."""
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def ask(page: Page, url: str) -> str:
    """Check a badge, ask whether it is the candidate's, and return the code."""
    verify(page, url)
    page.get_by_role("button", name="Ask the candidate").click()
    page.wait_for_url("**/confirmations/*")
    return code_on(page)


def code_on(page: Page) -> str:
    return page.locator(".code").inner_text()


def mailed(live: Live) -> str:
    """Have the service send its mail, and return the text of the last question."""
    mail.send_due(live.runtime)
    for path in sorted(mail.outbox_folder(live.runtime.settings).glob("*.eml"), reverse=True):
        body = message_from_bytes(path.read_bytes(), policy=default).get_body(("plain",))
        text = str(body.get_content()) if body is not None else ""
        if "/confirm/" in text:
            return text
    raise AssertionError("no question was mailed")


def link_in(text: str) -> str:
    found = re.search(r"http://\S+/confirm/\S+", text)
    assert found is not None
    return found[0]


def title_of(page: Page) -> Locator:
    return page.locator(".verdict h1")


def test_the_employers_page_turns_by_itself_when_the_candidate_says_yes_and_again_when_no(
    page: Page, other: Page, stage: Stage, live: Live
) -> None:
    code = ask(page, badge(stage))
    expect(title_of(page)).to_have_text("Waiting for the answer")
    text = mailed(live)
    assert code in text
    other.goto(link_in(text))
    expect(other.locator(".code")).to_have_text(code)
    other.get_by_role("button", name=YES).click()
    expect(title_of(other)).to_have_text("You said yes")
    expect(page.locator(".verdict.good h1")).to_have_text("Confirmed by the recipient", timeout=30_000)
    expect(page).to_have_title("Confirmed · Sharer")
    expect(page.locator(".code")).to_have_text(code)
    other.get_by_role("button", name="No, that was a mistake").click()
    expect(title_of(other)).to_have_text("You said no")
    expect(other.locator("main button")).to_have_count(0)
    expect(page.locator(".verdict.bad h1")).to_have_text("Denied by the recipient", timeout=30_000)
    expect(page.get_by_role("heading", name="Ask the candidate for the reference")).to_have_count(0)


def test_what_turns_is_read_out_and_takes_nobody_off_their_button(
    page: Page, other: Page, stage: Stage, live: Live
) -> None:
    ask(page, badge(stage))
    page.get_by_role("link", name="Look again").focus()
    other.goto(link_in(mailed(live)))
    other.get_by_role("button", name=NO, exact=True).click()
    expect(page.locator("[aria-live=polite] h1")).to_have_text("Denied by the recipient", timeout=30_000)
    assert page.evaluate("document.activeElement.innerText") == "Look again"


def test_it_needs_no_script(browser: Browser, other: Page, stage: Stage, live: Live) -> None:
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False)
    asker = context.new_page()
    ask(asker, badge(stage))
    expect(title_of(asker)).to_have_text("Waiting for the answer")
    other.goto(link_in(mailed(live)))
    other.get_by_role("button", name=YES).click()
    asker.get_by_role("link", name="Look again").click()
    expect(title_of(asker)).to_have_text("Confirmed by the recipient")
    context.close()


def test_it_turns_in_the_language_of_the_visitor(browser: Browser, other: Page, stage: Stage, live: Live) -> None:
    context = browser.new_context(base_url=live.base_url, locale="es-MX")
    asker = context.new_page()
    asker.goto("/verify")
    asker.locator("textarea").fill(badge(stage))
    asker.locator("main button").last.click()
    asker.get_by_role("button", name="Preguntar a la persona candidata").click()
    expect(title_of(asker)).to_have_text("A la espera de la respuesta")
    other.goto(link_in(mailed(live)))
    other.get_by_role("button", name=YES).click()
    expect(asker.locator(".verdict.good h1")).to_have_text("Confirmado por la persona destinataria", timeout=30_000)
    context.close()


def test_the_page_turns_when_the_badge_is_revoked(page: Page, stage: Stage) -> None:
    url = badge(stage)
    ask(page, url)
    revoke(stage, url)
    expect(page.locator(".verdict.bad h1")).to_have_text("The badge was revoked", timeout=30_000)
    page.get_by_role("link", name="The badge and its check").click()
    assert page.url == url


def test_who_cannot_be_asked_is_not_offered_and_the_reason_said(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    stage.member("m11", email=None)
    reader.verify(url)
    assert "Ask the candidate" not in reader.buttons()
    assert "ask the candidate to write to you from the address" in reader.page.text


def test_nobody_is_asked_about_a_changed_copy(reader: Reader, stage: Stage) -> None:
    copy = file_of(stage, badge(stage), "json").decode().replace("Shares", "Never shares")
    reader.verify(copy)
    assert "Ask the candidate" not in reader.buttons()


def test_a_page_that_nobody_looks_at_asks_for_nothing(page: Page, stage: Stage) -> None:
    ask(page, badge(stage))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    seen = "Object.defineProperty(document, 'hidden', {{ get: () => {}, configurable: true }}); document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(seen.format("true"))
    page.wait_for_timeout(4000)
    assert asked == []
    with page.expect_request("**/confirmations/*.json"):
        page.evaluate(seen.format("false"))


def test_a_page_whose_question_was_erased_says_so(page: Page, stage: Stage) -> None:
    ask(page, badge(stage))
    stage.member("m11", email=None)
    expect(page.get_by_role("heading", name="No question at this address")).to_be_visible(timeout=30_000)


def test_neither_page_shows_who_the_person_is(reader: Reader, stage: Stage, live: Live) -> None:
    reader.verify(badge(stage))
    reader.press("Ask the candidate")
    asked = reader.source
    reader.open(link_in(mailed(live)))
    assert reader.page.one(".code").text in asked
    for each in (asked, reader.source):
        for secret in PERSON:
            assert secret not in each


def test_what_a_badge_says_of_itself_stays_text(page: Page, other: Page, stage: Stage, live: Live) -> None:
    url = hostile_badge(stage)
    stage.member("m12", email="m12@river.example.org")
    ask(page, url)
    assert HOSTILE in page.locator(".facts").inner_text()
    other.goto(link_in(mailed(live)))
    assert HOSTILE in other.locator(".facts").inner_text()
    page.goto(other.url)
    inert(page)


def test_everybody_can_use_both_pages(
    page: Page, stage: Stage, live: Live, violations: Callable[[Page], list[Any]]
) -> None:
    ask(page, badge(stage))
    asker, link = page.url, link_in(mailed(live))
    for address in (asker, link):
        page.goto(address)
        everybody_can_use(page, violations, address)
    page.get_by_role("button", name=YES).click()
    for address in (link, asker):
        page.goto(address)
        everybody_can_use(page, violations, address)
    page.goto(link)
    page.get_by_role("button", name="No, that was a mistake").click()
    for address in (link, asker):
        page.goto(address)
        everybody_can_use(page, violations, address)


def test_the_keyboard_alone_answers(page: Page, stage: Stage, live: Live) -> None:
    ask(page, badge(stage))
    page.goto(link_in(mailed(live)))
    for _ in range(9):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == YES:
            break
    page.keyboard.press("Enter")
    page.locator(".verdict.good").wait_for()
    expect(title_of(page)).to_have_text("You said yes")


def test_an_answer_fits_on_a_phone(phone: Page, stage: Stage, live: Live) -> None:
    ask(phone, badge(stage))
    for address in (phone.url, link_in(mailed(live))):
        phone.goto(address)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    button = phone.get_by_role("button", name=YES).bounding_box()
    assert button is not None
    assert button["y"] + button["height"] <= 780, "the answer is reached without scrolling"


def test_a_question_that_is_over_says_how_it_ended(reader: Reader, stage: Stage, live: Live) -> None:
    reader.verify(badge(stage))
    reader.press("Ask the candidate")
    asker, link = reader.address, link_in(mailed(live))
    later(live, days=7)
    assert reader.open(asker).one(".verdict h1").text == "No answer came"
    page = reader.open(link)
    assert page.one(".verdict h1").text == "This question is closed"
    assert page.all("main button") == []
