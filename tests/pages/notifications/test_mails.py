"""Mails, as a program that shows HTML shows them."""

import base64
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from playwright.sync_api import Page, expect

from service.notifications import mail
from tests.pages.conftest import Live
from tests.pages.scenes import badge, everybody_can_use, revoke, stage_of


def shown(live: Live) -> list[str]:
    """Have the service send its mail, and return the HTML of each with its picture in it."""
    mail.send_due(live.runtime)
    found = []
    for path in sorted(mail.outbox_folder(live.runtime.settings).glob("*.eml")):
        letter = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(letter, EmailMessage)
        body = letter.get_body(("html",))
        (picture,) = [part for part in letter.walk() if part.get_content_type() == "image/png"]
        assert body is not None
        data = base64.b64encode(picture.get_content()).decode()
        cid = picture["Content-ID"].strip("<>")
        found.append(str(body.get_content()).replace(f"cid:{cid}", f"data:image/png;base64,{data}"))
    return found


def test_everybody_can_read_the_mails_about_badges(
    page: Page, live: Live, violations: Callable[[Page], list[Any]]
) -> None:
    stage = stage_of(live, language="es", sandbox=True, name="River Writers" + " and Friends" * 10)
    url = badge(stage, name="Generous reader of drafts and of " + "verylongwords" * 8, valid_for="P1Y")
    (new,) = shown(live)
    revoke(stage, url)
    _, gone = shown(live)
    for number, html in enumerate((new, gone)):
        page.set_content(html)
        expect(page.get_by_role("link", name="Ver su insignia")).to_have_attribute("href", url)
        expect(page.get_by_role("img")).to_have_js_property("naturalWidth", 240)
        everybody_can_use(page, violations, f"mail-{number}")
