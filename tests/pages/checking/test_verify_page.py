"""What a stranger reads at /verify, whatever was pasted, chosen or dropped there."""

import base64
import hashlib
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page, expect

from credentials import PrivateKeySigner, bake, sign
from tests.pages.conftest import Live
from tests.pages.reading import Reader
from tests.pages.scenes import (
    HOSTILE,
    PERSON,
    badge,
    compare,
    everybody_can_use,
    file_of,
    inert,
    revoke,
    stage_of,
    verdict,
    verify,
)
from tests.worlds.awarding import Stage

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


def of_nobody_known(stage: Stage, **subject: Any) -> Any:
    """Return a good badge of an issuer that is nothing but a key, and on no list."""
    credential = json.loads(file_of(stage, badge(stage), "json"))
    for member in ("proof", "credentialStatus", "evidence"):
        del credential[member]
    signer = PrivateKeySigner(Ed25519PrivateKey.generate())
    did = f"did:key:{signer.key.multikey}"
    credential |= {"id": "https://elsewhere.example/1", "issuer": {"id": did, "type": ["Profile"], "name": "Somebody"}}
    credential["credentialSubject"] |= subject
    method = f"{did}#{signer.key.multikey}"
    return sign(credential, signer, verification_method=method, created=stage.runtime.now())


def of_unreachable_issuer(stage: Stage) -> str:
    """Return a badge that another issuer signed whose server does not answer."""
    credential = json.loads(file_of(stage, badge(stage), "json"))
    issuer = "did:web:localhost%3A9:networks:gone"  # the port on which nobody listens
    for member in ("proof", "credentialStatus"):
        del credential[member]
    credential["issuer"]["id"] = issuer
    signer = PrivateKeySigner(Ed25519PrivateKey.generate())
    method = f"{issuer}#{signer.key.multikey}"
    return json.dumps(sign(credential, signer, verification_method=method, created=stage.runtime.now()))


def test_a_link_and_pasted_text_are_verified(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    for text in (url, f"  {url}\n", file_of(stage, url, "json").decode(), file_of(stage, url, "jwt").decode()):
        assert reader.verify(text)[:2] == GENUINE
    assert reader.address.endswith("/verify")


@pytest.mark.parametrize("form", FORMS)
def test_a_chosen_file_is_verified(reader: Reader, stage: Stage, form: str) -> None:
    assert reader.choose(f"badge.{form}", file_of(stage, badge(stage), form))[:2] == GENUINE


@pytest.mark.parametrize("form", ["png", "svg"])
def test_a_dropped_file_is_verified_whatever_was_pasted_before(page: Page, stage: Stage, form: str) -> None:
    content = base64.b64encode(file_of(stage, badge(stage), form)).decode()
    page.goto("/verify")
    page.get_by_label("Link or text of the badge").fill("something older")
    page.evaluate(DROP, [f"badge.{form}", FORMS[form], content])
    page.locator(".verdict").wait_for()
    assert verdict(page)[:2] == GENUINE


def test_a_link_in_the_address_is_verified_at_once(reader: Reader, stage: Stage) -> None:
    reader.open(f"/verify?link={badge(stage)}")
    assert reader.verdict()[:2] == GENUINE


def test_the_five_questions_are_answered_with_a_sentence_each(reader: Reader, stage: Stage) -> None:
    reader.verify(badge(stage))
    assert reader.answers() == {
        "Is it authentic?": "Yes",
        "Is it still valid?": "Yes",
        "Do we know the issuer?": "Yes",
        "Is the evidence unchanged?": "Yes",
        "Was the published rule followed?": "Yes",
    }
    said = [each.one("p").text for each in reader.page.all(".question")]
    assert all(sentence.endswith(".") for sentence in said)
    (question,) = [each for each in reader.page.all(".question") if "Do we know the issuer?" in each.text]
    assert "River Writers (localhost" in question.one("p").text


def test_a_green_badge_fits_on_the_screen_of_a_phone(page: Page, stage: Stage) -> None:
    skill = {"target_name": "Provides feedback that moves learners forward", "target_url": "https://skills.example/1"}
    url = badge(stage, alignment=[skill], valid_for="P3Y")
    page.set_viewport_size({"width": 390, "height": 844})
    assert verify(page, url)[:2] == GENUINE
    box = page.locator(".questions").bounding_box()
    assert box is not None
    assert page.evaluate("scrollY") == 0
    assert box["y"] + box["height"] <= 844
    expect(page.get_by_role("link", name="Provides feedback that moves learners forward")).to_be_visible()


def test_a_changed_copy_is_called_that(reader: Reader, stage: Stage) -> None:
    tone, title, sentence = reader.verify(changed(stage, name="Doctor of Everything"))
    assert (tone, title) == ("bad", "Do not rely on this badge")
    assert sentence == "It was changed after it was signed, or was never signed like this."
    assert reader.answers()["Is it authentic?"] == "No"
    (steps,) = [each for each in reader.page.all("details") if each.text == "Step by step"]
    assert steps.one(".checks p").text.startswith("Expected a signature over this document")


def test_one_changed_letter_is_enough(reader: Reader, stage: Stage) -> None:
    copy = file_of(stage, badge(stage), "json").decode().replace("Shares what works.", "Shares what worke.")
    assert reader.verify(copy)[:2] == ("bad", "Do not rely on this badge")


def test_an_issuer_that_cannot_be_reached_leaves_it_open(reader: Reader, stage: Stage) -> None:
    tone, title, sentence = reader.verify(of_unreachable_issuer(stage))
    assert (tone, title) == ("unsure", "This could not be decided")
    assert sentence.endswith("That is neither a yes nor a no: try again later.")
    assert set(reader.answers().values()) == {"Could not check"}


def test_an_unknown_vocabulary_is_named_and_leaves_it_open(reader: Reader, stage: Stage) -> None:
    credential = json.loads(file_of(stage, badge(stage), "json"))
    credential["@context"].append("https://unknown.example/context.json")
    tone, title, sentence = reader.verify(json.dumps(credential))
    assert (tone, title) == ("unsure", "This could not be decided")
    assert "try again" not in sentence
    (steps,) = [each for each in reader.page.all("details") if each.text == "Step by step"]
    assert "https://unknown.example/context.json" in steps.one(".checks").text


def test_an_issuer_on_no_list_is_genuine_and_not_green(reader: Reader, stage: Stage) -> None:
    tone, title, _ = reader.verify(json.dumps(of_nobody_known(stage)))
    assert (tone, title) == ("unsure", "Genuine, but we do not know this issuer")
    assert reader.answers()["Do we know the issuer?"] == "No"
    assert reader.answers()["Is it still valid?"] == "Not offered"
    assert "none: it is only a key" in reader.page.text


def test_several_lines_are_several_badges(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    reader.give(f"The first: {url}\nThe second: {url}.png\n")
    assert len(reader.page.all(".candidates")) == 1
    assert [each.attributes["class"] for each in reader.page.all("tr.checked")] == ["checked good"] * 2


def test_a_line_of_a_list_that_holds_no_badge_is_a_row_too(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    reader.give(f"{url}\nCandidate 2: sent nothing\n\n{url}.png\n")
    rows = reader.page.all("tr.checked")
    assert [each.attributes["class"] for each in rows] == ["checked good", "checked unchecked", "checked good"]
    assert "Candidate 2: sent nothing" in rows[1].text


def test_of_a_letter_with_several_links_the_other_lines_are_words(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    reader.give(f"Dear colleagues,\nhere are my badges:\n{url}\nand\n{url}.png\nWith kind regards\nCandidate 1\n")
    assert [each.attributes["class"] for each in reader.page.all("tr.checked")] == ["checked good"] * 2


def test_a_table_with_one_row_is_a_table_too(reader: Reader, stage: Stage) -> None:
    table = f"name,link,email\nCandidate 1,{badge(stage)},{PERSON[1]}\n"
    reader.give("", ("candidates.csv", table.encode()))
    assert len(reader.page.all(".candidates")) == 1
    assert [each.attributes["class"] for each in reader.page.all("tr.checked")] == ["checked good"]
    assert "Candidate 1" in reader.page.text


@pytest.mark.usefixtures("stage")
def test_a_table_without_links_says_what_is_missing(reader: Reader) -> None:
    sentence = reader.choose("candidates.csv", b"name,email\nCandidate 1,c1@river.example.org\n")[2]
    assert sentence.startswith("No column of this table is named link.")


def test_a_bundle_is_checked_like_any_file_and_the_network_asked(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    bundle = file_of(stage, url, "bundle")
    revoke(stage, url)
    assert reader.choose("badge.bundle.json", bundle)[:2] == ("bad", "This badge was revoked")


# --- Is it this person's? -------------------------------------------------------------------------------------------


def test_the_person_is_compared_in_the_browser_and_sent_nowhere(page: Page, stage: Stage) -> None:
    verify(page, badge(stage))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert compare(page, f" {PERSON[1].upper()} ") == ("good", "Yes: it was issued to this person.")
    assert [url for url in asked if "/static/" not in url] == []


def test_another_address_is_never_red(page: Page, stage: Stage) -> None:
    verify(page, badge(stage))
    said = "Issued to a different address. People change addresses: ask the candidate."
    assert compare(page, "other@river.example.org") == ("unsure", said)
    assert verdict(page) == ("unsure", "Issued to a different address", "People change addresses: ask the candidate.")
    assert "other@river" not in page.content() + page.url
    assert page.locator("main .bad:visible").count() == 0


def test_another_address_of_a_stranger_s_badge_is_compared_here_and_not_red(page: Page, stage: Stage) -> None:
    identifier = {"type": "IdentityObject", "hashed": False, "identityType": "emailAddress", "identityHash": PERSON[1]}
    verify(page, json.dumps(of_nobody_known(stage, identifier=[identifier])))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert compare(page, "other@river.example.org")[0] == "unsure"
    assert asked == []


def test_a_name_is_told_before_it_is_sent_that_only_an_address_can_be_compared(page: Page, stage: Stage) -> None:
    verify(page, badge(stage))
    only = "This badge can only be compared with an email address."
    assert only in page.locator("section[aria-labelledby=whose]").inner_text()
    assert compare(page, "Quite Secret") == ("unsure", only)


def test_enter_sends_a_link_and_breaks_the_line_of_anything_else(page: Page, stage: Stage) -> None:
    page.goto("/verify")
    field = page.get_by_label("Link or text of the badge")
    field.fill("Ana, a badge")
    field.press("Enter")
    assert field.input_value() == "Ana, a badge\n"
    field.fill(badge(stage))
    field.press("Enter")
    assert verdict(page)[:2] == GENUINE


def test_what_was_typed_survives_a_refusal_and_another_language(page: Page) -> None:
    verify(page, "not a badge at all")
    field = page.locator("#received")
    page.goto("/verify")
    field.fill("https://school.example/badge")
    page.locator(".languages button").first.click()
    page.wait_for_load_state()
    assert field.input_value() == "https://school.example/badge"


def test_a_link_to_a_page_of_this_service_leads_on_to_the_badge(page: Page, stage: Stage) -> None:
    assert verify(page, f"{stage.runtime.settings.base_url}/networks/{stage.slug}") == (
        "unsure",
        "This is the page of a network or issuer",
        "It is not a person's badge. Ask for the link or the file of the person's own badge.",
    )
    assert page.locator(".question").count() == 0


def test_the_claims_of_a_forgery_are_set_apart(page: Page, stage: Stage) -> None:
    verify(page, changed(stage, name="Doctor of Everything"))
    assert page.locator(".claims .claim").inner_text() == "It claims"


def test_what_could_not_be_decided_can_be_checked_again(page: Page, stage: Stage) -> None:
    text = of_nobody_known(stage, id="did:example:member")
    text["@context"].append("https://unknown.invalid/context")
    assert verify(page, json.dumps(text))[1] == "This could not be decided"
    page.get_by_role("button", name="Check again").click()
    assert verdict(page)[1] == "This could not be decided"


def test_a_badge_that_names_no_address_is_not_compared_with_one_here(page: Page, stage: Stage) -> None:
    stage.member("m12")
    stage.achievement()
    for n in (1, 2):
        stage.share(n, member="m12")
    (award,) = stage.awards(member="m12")
    verify(page, award["credential"]["url"])
    tone, said = compare(page, PERSON[1])
    assert (tone, "cannot be compared with an email address" in said) == ("unsure", True)
    assert verdict(page)[:2] == GENUINE
    assert PERSON[1] not in page.content()


def test_an_old_hash_is_compared_by_the_service_and_not_repeated(page: Page, stage: Stage) -> None:
    digest = hashlib.md5(b"old@river.example.orgsalt").hexdigest()
    identifier = {"type": "IdentityObject", "hashed": True, "identityType": "emailAddress", "salt": "salt"}
    text = json.dumps(of_nobody_known(stage, identifier=[identifier | {"identityHash": f"md5${digest}"}]))
    verify(page, text)
    assert compare(page, "old@river.example.org") == ("good", "Yes: it was issued to this person.")
    assert "old@river" not in page.content()


def test_without_a_script_the_person_is_compared_by_post(browser: Browser, stage: Stage, live: Live) -> None:
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False)
    page = context.new_page()
    url = badge(stage)
    verify(page, url)
    assert compare(page, PERSON[1]) == ("good", "Yes: it was issued to this person.")
    assert verdict(page)[:2] == GENUINE
    verify(page, file_of(stage, url, "json").decode())
    assert compare(page, "other@river.example.org")[0] == "unsure"
    assert verdict(page)[:2] == ("unsure", "Issued to a different address")
    assert "other@river" not in page.content() + page.url
    context.close()


def test_the_page_says_that_a_valid_badge_does_not_prove_who_is_holding_it(reader: Reader, stage: Stage) -> None:
    assert reader.verify(badge(stage))[2].endswith("It does not prove who holds it.")
    assert "does not prove who holds it" in reader.page.text


# --- What is no badge -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Paste a link or a text, or choose a file."),
        ("http://10.0.0.1/badge", "This link does not begin with https://"),
        ("https://10.0.0.1/badge", "This link leads into a private network"),
        ("http://localhost:9/badge", "We could not reach a site at this link."),
        ("hello", "We found no link and no badge in this text."),
    ],
)
def test_what_could_not_be_checked_has_its_own_sentence(reader: Reader, text: str, said: str) -> None:
    tone, title, sentence = reader.verify(text)
    assert (tone, title) == ("unsure", "We could not check that")
    assert sentence.startswith(said)


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("text", ["{}", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_looks_like_a_badge_and_is_none_is_not_relied_on(reader: Reader, text: str) -> None:
    tone, _, sentence = reader.verify(text)
    assert tone != "good"
    assert sentence[0].isupper()
    assert sentence[-1] == "."
    for finding in reader.page.all(".checks p"):
        assert finding.text[0].isupper()


def test_a_server_that_never_answers_is_said_to_be_that(
    reader: Reader, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage.slug
    monkeypatch.setattr("service.runtime.fetching.DEADLINE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sentence = reader.verify(f"http://localhost:{silent.getsockname()[1]}/badge")[2]
    assert sentence.startswith("The site behind this link did not answer in time.")


def test_a_file_that_is_too_large_is_told_before_it_travels(page: Page, stage: Stage, tmp_path: Path) -> None:
    assert stage.slug
    path = tmp_path / "film.mov"
    with path.open("wb") as file:
        file.truncate(40_000_000)
    page.goto("/verify")
    page.get_by_label("Or a file or photo").set_input_files(path)
    expect(page.locator("#file-said")).to_have_text(re.compile("^This file is larger than 32 MB"))
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.locator("#file-said")).to_be_visible()
    expect(page.locator(".verdict")).to_have_count(0)


def test_without_a_script_a_file_that_is_too_large_is_told_by_the_service(
    browser: Browser, stage: Stage, live: Live, tmp_path: Path
) -> None:
    assert stage.slug
    path = tmp_path / "film.mov"
    with path.open("wb") as file:
        file.truncate(40_000_000)
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/verify")
    page.get_by_label("Or a file or photo").set_input_files(path)
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This file is too large")
    context.close()


# --- Hostile badges -------------------------------------------------------------------------------------------------


def test_what_a_received_credential_says_stays_text(page: Page, stage: Stage) -> None:
    credential = json.loads(changed(stage, name=HOSTILE, description=HOSTILE))
    credential["issuer"] |= {"id": "javascript:hostile()", "name": HOSTILE}
    credential |= {"validFrom": HOSTILE + "T", "awardedDate": "2026T<b>x</b>", "validUntil": HOSTILE, HOSTILE: HOSTILE}
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'><script>hostile()</script></svg>").decode()
    for picture in ("javascript:hostile()", "https://elsewhere.example/x.png", f"data:image/svg+xml;base64,{svg}"):
        credential["credentialSubject"]["achievement"]["image"] = {"id": picture, "type": "Image"}
        assert verify(page, json.dumps(credential))[0] == "bad"
        assert HOSTILE in page.locator(".deed h2").inner_text()
        assert page.evaluate("typeof hostile") == "undefined"
        inert(page)
    hostile_svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="hostile()"><script>hostile()</script></svg>'
    page.goto("/verify")
    content = base64.b64encode(bake(hostile_svg, json.dumps(credential))).decode()
    page.evaluate(DROP, ["badge.svg", "image/svg+xml", content])
    page.locator(".verdict").wait_for()
    inert(page)


@pytest.mark.parametrize("odd", [[], 7, None, {"achievement": [1]}, [{"achievement": {"name": ["x"]}}]])
def test_credentials_of_any_shape_have_a_page(reader: Reader, stage: Stage, odd: Any) -> None:
    credential = json.loads(file_of(stage, badge(stage), "json"))
    credential |= {"credentialSubject": odd, "issuer": odd}
    assert reader.verify(json.dumps(credential))[:2] == ("bad", "Do not rely on this badge")


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
    assert reached[-3:] == ["received", "file", "Verify"]
    page.keyboard.press("Enter")
    page.locator(".verdict.good").wait_for()
    page.locator("summary").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator("pre")).to_contain_text('"verdict": "verified"', use_inner_text=True)


def test_it_needs_no_script(browser: Browser, stage: Stage, live: Live) -> None:
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False)
    assert verify(context.new_page(), badge(stage))[:2] == GENUINE
    context.close()
