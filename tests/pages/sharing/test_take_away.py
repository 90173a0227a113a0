"""What a visitor takes away from the page of a badge: the certificate and the ZIP file, verified again here."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Live
from tests.pages.scenes import badge, choose, file_of, revoke, stage_of
from tests.worlds.awarding import Stage


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def test_everything_is_one_file_to_keep_and_what_is_in_it_verifies(page: Page, stage: Stage) -> None:
    page.goto(badge(stage))
    with page.expect_download() as saving:
        page.get_by_role("link", name="Take everything").click()
    assert saving.value.suggested_filename == "Sharer.zip"
    with ZipFile(BytesIO(Path(saving.value.path()).read_bytes())) as archive:
        names = [name for name in archive.namelist() if name.endswith((".pdf", ".png", ".svg", ".json", ".jwt"))]
        files = {name: archive.read(name) for name in names}
    assert len(files) == 6
    for name in ("Sharer.pdf", "Sharer.png", "Sharer.bundle.json"):
        assert choose(page, name, files[name])[:2] == ("good", "This badge is genuine and valid"), name


def test_the_certificate_is_asked_for_on_the_paper_at_hand(page: Page, stage: Stage) -> None:
    url = badge(stage)
    page.goto(url)
    taking = page.get_by_role("region", name="Take it with you")
    for name, paper in (("A4", "a4"), ("US Letter", "letter")):
        assert taking.get_by_role("link", name=name).get_attribute("href") == f"{url}.pdf?paper={paper}"
    assert choose(page, "Sharer.pdf", file_of(stage, url, "pdf"))[0] == "good"


def test_a_revoked_badge_says_on_its_page_that_there_is_no_certificate(page: Page, stage: Stage) -> None:
    url = badge(stage)
    revoke(stage, url)
    page.goto(url)
    taking = page.get_by_role("region", name="Take it with you")
    expect(taking).to_contain_text("A badge that the issuer has taken back")
    assert taking.get_by_role("link").count() == 1
    page.goto(url + ".pdf")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no certificate")
    expect(page.get_by_text("The issuer has taken back this badge")).to_be_visible()
