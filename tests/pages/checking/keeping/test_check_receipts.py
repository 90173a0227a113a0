"""What an employer keeps of a check: downloaded from the page, and verified by dropping it there again."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from typer.testing import CliRunner

from service.cli import main as cli
from tests.pages.checking.test_verify_page import DROP
from tests.pages.conftest import Live
from tests.pages.reading import Reader
from tests.pages.scenes import PERSON, badge, everybody_can_use, file_of, stage_of, verdict
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import Clock

RECEIPTS = {"PDF": "application/pdf", "JSON": "application/json"}


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def verified(page: Page, text: str) -> Page:
    page.goto("/verify")
    page.locator("#received").fill(text)
    page.get_by_role("button", name="Verify").click()
    page.locator(".verdict").wait_for()
    return page


def receipt(page: Page, kind: str, folder: Path, person: str = "") -> Path:
    page.get_by_label("Compare with (optional)").fill(person)
    if kind == "JSON":
        page.locator("section[aria-labelledby=keep] summary").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=f"Receipt as {kind}").click()
    name = waiting.value.suggested_filename
    assert name.startswith("check-receipt-")
    assert name.endswith(f".{kind.lower()}")
    waiting.value.save_as(folder / name)
    return folder / name


def kept(reader: Reader, kind: str, person: str = "") -> tuple[str, bytes]:
    """Return the receipt of what the reader was shown: its name, and what it holds."""
    name, content = reader.download(f"Receipt as {kind}", recipient=person)
    assert name.startswith("check-receipt-")
    assert name.endswith(f".{kind.lower()}")
    return name, content


@pytest.mark.parametrize("kind", RECEIPTS)
@pytest.mark.parametrize("given", ["link", "json", "jwt"])
def test_a_receipt_verifies_like_a_badge_and_does_not_name_the_person(
    reader: Reader, stage: Stage, kind: str, given: str
) -> None:
    url = badge(stage)
    reader.verify(url if given == "link" else file_of(stage, url, given).decode())
    name, content = kept(reader, kind, PERSON[1])
    assert reader.choose(name, content)[:2] == ("good", "This receipt of a check is genuine")
    said = reader.page.one(".deed").text
    for part in ("Sharer", f"that {reader.address.split('/')[2]} made on", "This badge is genuine and valid", url):
        assert part in said
    assert PERSON[1].encode() not in content


@pytest.mark.parametrize("kind", RECEIPTS)
def test_a_receipt_is_downloaded_and_verifies_when_it_is_dropped(
    page: Page, stage: Stage, tmp_path: Path, kind: str
) -> None:
    path = receipt(verified(page, badge(stage)), kind, tmp_path, PERSON[1])
    page.goto("/verify")
    page.evaluate(DROP, [path.name, RECEIPTS[kind], base64.b64encode(path.read_bytes()).decode()])
    page.locator(".verdict").wait_for()
    assert verdict(page)[:2] == ("good", "This receipt of a check is genuine")


@pytest.mark.parametrize("kind", RECEIPTS)
def test_the_command_verifies_a_receipt_as_a_stranger(reader: Reader, live: Live, tmp_path: Path, kind: str) -> None:
    assert isinstance(live.runtime.now, Clock)
    live.runtime.now.at = datetime.now(UTC)  # by which the command goes
    reader.verify(badge(stage_of(live)))
    name, content = kept(reader, kind)
    (tmp_path / name).write_bytes(content)
    result = CliRunner().invoke(cli.app, ["verify", str(tmp_path / name), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["verdict"] == "verified"


def test_a_receipt_that_was_changed_is_not_relied_on(reader: Reader, stage: Stage) -> None:
    reader.verify(badge(stage))
    text = kept(reader, "JSON")[1].decode()
    assert json.loads(text)["credentialSubject"]["name"] == "Sharer"
    assert reader.verify(text.replace("Sharer", "Doctor of Everything"))[:2] == ("bad", "Do not rely on this badge")
    assert "This is the receipt" not in reader.source


def test_it_needs_no_script(browser: Browser, stage: Stage, live: Live, tmp_path: Path) -> None:
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False, accept_downloads=True)
    assert receipt(verified(context.new_page(), badge(stage)), "PDF", tmp_path).read_bytes().startswith(b"%PDF")
    context.close()


@pytest.mark.usefixtures("stage")
def test_what_cannot_be_read_offers_none(reader: Reader) -> None:
    reader.verify("hello")
    assert [each for each in reader.buttons() if "Receipt" in each] == []


def test_everybody_can_use_what_is_offered(page: Page, stage: Stage, violations: Callable[[Page], list[Any]]) -> None:
    everybody_can_use(verified(page, badge(stage)), violations, "/verify")
