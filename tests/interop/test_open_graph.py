"""What a page says of itself for previews, read by open-graph-scraper over HTTP."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.pages.conftest import Live, serving
from tests.pages.scenes import achievement_of, badge, revoke, stage_of
from tests.worlds.awarding import Stage

HERE = Path(__file__).parent
OLDEST_NODE = 20

pytestmark = pytest.mark.any_database("pages say the same on both")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with serving(tmp_path) as live:
        yield live


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def found_at(url: str) -> Any:
    """Return what the parser finds at an address."""
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules" / "open-graph-scraper").is_dir():
        pytest.skip("Node.js or open-graph-scraper is not installed: `make test` does that where Node.js is")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node.js {OLDEST_NODE} or newer is needed: open-graph-scraper is not asked")
    command = [node, "opengraph.mjs", url]
    return json.loads(subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True, timeout=60).stdout)


def test_a_parser_of_other_people_reads_a_badge_and_its_picture_is_what_it_says(stage: Stage) -> None:
    url = badge(stage)
    found = found_at(url)
    said = {name: found[name] for name in ("ogTitle", "ogDescription", "ogUrl", "ogSiteName", "ogType", "twitterCard")}
    assert said == {
        "ogTitle": "Sharer · River Writers",
        "ogDescription": "Shares what works.",
        "ogUrl": url,
        "ogSiteName": "Laurel",
        "ogType": "website",
        "twitterCard": "summary_large_image",
    }
    [picture] = found["ogImage"]
    assert picture["alt"] == "The badge Sharer of River Writers"
    answer = stage.client.get(picture["url"])
    assert answer.headers["content-type"] == picture["type"] == "image/png"
    assert Image.open(BytesIO(answer.content)).size == (int(picture["width"]), int(picture["height"]))


def test_a_parser_of_other_people_reads_what_can_be_earned(stage: Stage) -> None:
    found = found_at(achievement_of(stage, badge(stage)))
    assert found["ogTitle"].startswith("Sharer")
    assert found["ogImage"][0]["url"].endswith("/preview-en.png")


def test_a_parser_of_other_people_is_told_that_a_badge_is_revoked(stage: Stage) -> None:
    url = badge(stage)
    revoke(stage, url)
    found = found_at(url)
    assert "revoked" in (found["ogTitle"] + found["ogDescription"]).lower()
