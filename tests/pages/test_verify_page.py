"""What a stranger reads at /verify, whatever was pasted, chosen or dropped there."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page

from credentials import PrivateKeySigner, bake, sign
from tests.awarding import Stage
from tests.pages.conftest import Live
from tests.pages.scenes import (
    HOSTILE,
    PERSON,
    badge,
    everybody_can_use,
    file_of,
    inert,
    stage_of,
    verdict,
    verify,
)

GENUINE = ("good", "This badge is genuine and valid")
DROP = """([name, type, content]) => {
  const data = new DataTransfer();
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  data.items.add(new File([bytes], name, { type }));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
FORMS = {"png": "image/png", "svg": "image/svg+xml", "json": "application/json", "jwt": "text/plain"}


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def changed(stage: Stage, **achievement: Any) -> str:
    credential = json.loads(file_of(stage, badge(stage), "json"))
    credential["credentialSubject"]["achievement"] |= achievement
    return json.dumps(credential)


def of_unreachable_issuer(stage: Stage) -> str:
    """Return a badge that another issuer signed whose server does not answer."""
    credential = json.loads(file_of(stage, badge(stage), "json"))
    issuer = "did:web:localhost%3A9:networks:gone"  # the port on which nobody listens
    for member in ("proof", "credentialStatus"):
        del credential[member]
    credential["issuer"]["id"] = issuer
    signer = PrivateKeySigner(Ed25519PrivateKey.generate())
    method = f"{issuer}#{signer.key.multikey}"
    return json.dumps(sign(credential, signer, verification_method=method, created=stage.running.now()))


def test_a_link_and_pasted_text_are_verified(page: Page, stage: Stage) -> None:
    url = badge(stage)
    for text in (url, f"  {url}\n", file_of(stage, url, "json").decode(), file_of(stage, url, "jwt").decode()):
        assert verify(page, text)[:2] == GENUINE
    assert page.url.endswith("/verify")


@pytest.mark.parametrize("form", FORMS)
def test_a_chosen_file_is_verified(page: Page, stage: Stage, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"badge.{form}"
    path.write_bytes(file_of(stage, badge(stage), form))
    page.goto("/verify")
    page.get_by_label("Or a file").set_input_files(path)
    page.get_by_role("button", name="Verify").click()
    assert verdict(page)[:2] == GENUINE


@pytest.mark.parametrize("form", ["png", "svg"])
def test_a_dropped_file_is_verified_whatever_was_pasted_before(page: Page, stage: Stage, form: str) -> None:
    content = base64.b64encode(file_of(stage, badge(stage), form)).decode()
    page.goto("/verify")
    page.get_by_label("A link, JSON or a JWT").fill("something older")
    page.evaluate(DROP, [f"badge.{form}", FORMS[form], content])
    page.locator(".verdict").wait_for()
    assert verdict(page)[:2] == GENUINE


def test_a_text_and_a_file_may_be_two_badges(page: Page, stage: Stage, tmp_path: Path) -> None:
    url = badge(stage)
    path = tmp_path / "badge.json"
    path.write_bytes(file_of(stage, url, "json"))
    page.goto("/verify")
    page.get_by_label("A link, JSON or a JWT").fill(url)
    page.get_by_label("Or a file").set_input_files(path)
    page.get_by_role("button", name="Verify").click()
    assert verdict(page)[:2] == ("unsure", "That could not be checked")


def test_a_changed_copy_is_called_that(page: Page, stage: Stage) -> None:
    tone, title, sentence = verify(page, changed(stage, name="Doctor of Everything"))
    assert (tone, title) == ("bad", "Do not rely on this badge")
    assert sentence == "It was changed after it was signed, or was never signed like this."
    assert page.get_by_text("Not known, for the signature does not hold").is_visible()
    assert page.locator(".checks p").inner_text().startswith("Expected a signature over this document")


def test_an_issuer_that_cannot_be_reached_leaves_it_open(page: Page, stage: Stage) -> None:
    tone, title, sentence = verify(page, of_unreachable_issuer(stage))
    assert (tone, title) == ("unsure", "This could not be decided")
    assert sentence.endswith("That is neither a yes nor a no: try again later.")
    assert page.get_by_text("The issuer's keys could not be looked up.").is_visible()
    assert page.get_by_text("Not known, for the signature could not be checked").is_visible()


def test_an_unknown_vocabulary_is_named_and_leaves_it_open(page: Page, stage: Stage) -> None:
    credential = json.loads(file_of(stage, badge(stage), "json"))
    credential["@context"].append("https://unknown.example/context.json")
    tone, title, sentence = verify(page, json.dumps(credential))
    assert (tone, title) == ("unsure", "This could not be decided")
    assert "try again" not in sentence
    assert page.get_by_text("https://unknown.example/context.json").first.is_visible()


def test_the_recipient_is_compared_and_not_repeated(page: Page, stage: Stage) -> None:
    url = badge(stage)
    tone, title, sentence = verify(page, url, PERSON[1].upper())
    assert (tone, title) == GENUINE
    assert sentence.endswith("it was issued to the address that you gave.")
    tone, title, _ = verify(page, url, "other@river.example.org")
    assert (tone, title) == ("bad", "This badge is not theirs")
    assert "other@river" not in page.content()


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", "That could not be checked"),
        ("http://10.0.0.1/badge", "That could not be checked"),
        ("http://localhost:9/badge", "That could not be checked"),
        ("hello", "Do not rely on this badge"),
        ("{}", "Do not rely on this badge"),
        ("a.b.c", "Do not rely on this badge"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "Do not rely on this badge"),
    ],
)
def test_what_is_no_badge_is_answered_in_a_sentence(page: Page, text: str, title: str) -> None:
    tone, said, sentence = verify(page, text)
    assert (tone != "good", said) == (True, title)
    assert sentence[0].isupper()
    assert sentence[-1] == "."
    for finding in page.locator(".checks p").all_inner_texts():
        assert finding[0].isupper()


def test_what_a_received_credential_says_stays_text(page: Page, stage: Stage) -> None:
    credential = json.loads(changed(stage, name=HOSTILE, description=HOSTILE))
    credential["issuer"] |= {"id": "javascript:hostile()", "name": HOSTILE}
    credential |= {"validFrom": HOSTILE + "T", "awardedDate": "2026T<b>x</b>", "validUntil": HOSTILE, HOSTILE: HOSTILE}
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'><script>hostile()</script></svg>").decode()
    for picture in ("javascript:hostile()", "https://elsewhere.example/x.png", f"data:image/svg+xml;base64,{svg}"):
        credential["credentialSubject"]["achievement"]["image"] = {"id": picture, "type": "Image"}
        assert verify(page, json.dumps(credential))[0] == "bad"
        assert HOSTILE in page.locator("article h2").inner_text()
        assert page.evaluate("typeof hostile") == "undefined"
        inert(page)
    hostile_svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="hostile()"><script>hostile()</script></svg>'
    page.goto("/verify")
    content = base64.b64encode(bake(hostile_svg, json.dumps(credential))).decode()
    page.evaluate(DROP, ["badge.svg", "image/svg+xml", content])
    page.locator(".verdict").wait_for()
    inert(page)


@pytest.mark.parametrize("odd", [[], 7, None, {"achievement": [1]}, [{"achievement": {"name": ["x"]}}]])
def test_credentials_of_any_shape_have_a_page(page: Page, stage: Stage, odd: Any) -> None:
    credential = json.loads(file_of(stage, badge(stage), "json"))
    credential |= {"credentialSubject": odd, "issuer": odd}
    assert verify(page, json.dumps(credential))[:2] == ("bad", "Do not rely on this badge")


def test_everybody_can_use_it(page: Page, stage: Stage, violations: Callable[[Page], list[Any]]) -> None:
    page.goto("/verify")
    everybody_can_use(page, violations, "/verify")
    url = badge(stage)
    copy = file_of(stage, url, "json").decode().replace("Shares", "Never shares")
    for text, tone in ((url, "good"), (copy, "bad"), ("", "unsure")):
        assert verify(page, text)[0] == tone
        everybody_can_use(page, violations, tone)


def test_the_keyboard_alone_gives_a_badge_and_reads_the_report(page: Page, stage: Stage) -> None:
    url = badge(stage)
    page.goto("/verify")
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.id || document.activeElement.innerText")
        reached.append(focused)
        if focused == "received":
            page.keyboard.insert_text(url)
        if focused == "Verify":
            break
    assert reached[-4:] == ["received", "file", "recipient", "Verify"]
    page.keyboard.press("Enter")
    page.locator(".verdict.good").wait_for()
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    assert '"verdict": "verified"' in page.locator("pre").inner_text()


def test_it_needs_no_script(browser: Browser, stage: Stage, live: Live) -> None:
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False)
    assert verify(context.new_page(), badge(stage))[:2] == GENUINE
    context.close()
