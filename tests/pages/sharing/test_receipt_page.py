"""The page of a decision receipt, and the pages of badges that were suspended, replaced or renewed."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.pages.conftest import Live
from tests.pages.reading import Reader
from tests.pages.scenes import badge, everybody_can_use, stage_of
from tests.worlds.awarding import SHARE_TWICE, Stage


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def approved(stage: Stage) -> Any:
    """Return an award that a director approved."""
    stage.member("d1", name="Director Secret", roles=["director"])
    either = {"any": [{"rule": "count", "gte": 1}, {"rule": "count", "gte": 50}]}
    stage.achievement(rule={"all": [SHARE_TWICE, either, {"rule": "approval", "by_role": "director"}]})
    for n in (1, 2):
        stage.share(n, title="A private draft")
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    stage.send("POST", f"./approvals/{waiting['id']}/approval", {"note": "Well done."}, token=by)
    (award,) = stage.awards()
    return award


def change(stage: Stage, url: str, what: str) -> Any:
    return stage.send("POST", f"/v1/credentials/{url.rpartition('/')[2]}/{what}", {"reason": "A mistake."})


def test_a_badge_leads_to_why_it_was_awarded_and_back(reader: Reader, stage: Stage) -> None:
    award = approved(stage)
    reader.open(award["credential"]["url"])
    page = reader.follow("Record of the decision")
    assert reader.address == award["receipt"]
    text = page.one("main").text
    assert "Why Sharer was awarded" in text
    assert "Met: 2 resources shared (2 needed). From 2 records." in text
    assert "Not met: 2 contributions (50 needed)." in text
    assert "A person with the role director, on 2 March 2026" in text
    for secret in ("Secret", "A private draft", "Well done.", "m11", "d1 "):
        assert secret not in text
    (records,) = page.all("details")
    assert (records.text, len(records.all("li"))) == ("2 records", 2)
    reader.follow("Sharer")
    assert (reader.status, reader.address) == (200, award["credential"]["url"])


def test_a_rule_that_was_met_has_one_mark_and_a_group_has_none(reader: Reader, stage: Stage) -> None:
    rules = reader.open(approved(stage)["receipt"]).all(".checks li")
    headings = [each for each in rules if each.fits(".heading")]
    assert [each.text for each in headings] == ["All of these were needed:", "At least one of these was needed:"]
    assert [len(each.all(".mark")) for each in rules] == [0, 1, 0, 1, 1, 1]


def test_receipt_and_achievement_tell_the_rule_in_the_same_words_and_who_decides(reader: Reader, stage: Stage) -> None:
    receipt = reader.open(approved(stage)["receipt"])
    assert reader.facts()["Decided"] == "by the rule, and by people who approved"
    reached = [each.text.split(": ")[-1] for each in receipt.all(".checks li")]
    achievement = reader.follow("version 1")
    assert reader.facts()["Decided"] == "by the rule, and by people who approve"
    asked = [each.text for each in achievement.one("main").all("ul.list")[0].all("li")]
    assert asked[1] == "At least 2 resources shared."
    assert reached[1] == "2 resources shared (2 needed). From 2 records."
    assert asked[-1] == "Be approved by 1 person with the role “director”."
    assert reached[-1] == "Approved by 1 person with the role “director” (1 needed)."


def test_a_decision_without_a_rule_says_that_a_person_made_it(reader: Reader, stage: Stage) -> None:
    stage.achievement(rule=None, award="reviewed")
    award = stage.award(basis="override", reason="Seen in class.").json()
    page = reader.open(award["receipt"])
    assert reader.facts()["Decided"] == "by a person at the network, not by the rule"
    assert page.all(".checks") == []
    reader.follow("version 1")
    assert reader.facts()["Decided"] == "by a person at the network"


def test_a_receipt_names_the_earlier_badges_that_counted(reader: Reader, stage: Stage) -> None:
    badge(stage)
    stage.achievement("twice", {"rule": "holds", "achievements": ["sharer"]}, name="Twice")
    (award,) = stage.awards(achievement="twice")
    page = reader.open(award["receipt"])
    assert "Met: Held 1 of these badges: “Sharer” (1 needed)." in page.one("main").text
    assert reader.follow("Sharer").one("h1").text == "Sharer"


def test_everybody_can_use_a_receipt(page: Page, stage: Stage, violations: Callable[[Page], list[Any]]) -> None:
    award = approved(stage)
    page.goto(award["receipt"])
    everybody_can_use(page, violations, "receipt")


def test_a_replaced_badge_leads_to_the_one_that_stands_now(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    new = change(stage, url, "replacement")
    assert reader.open(url).one(".verdict h2").text == "This badge was replaced"
    assert reader.facts()["Status"] == "Replaced, since 2 March 2026"
    reader.follow("Go to the new badge")
    assert reader.address.endswith(f"/credentials/{new['id']}")
    assert reader.verdict()[:2] == ("good", "This badge is genuine and valid")


def test_a_suspended_badge_says_so_on_its_page_and_in_our_report(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    change(stage, url, "suspension")
    assert reader.open(url).one(".verdict h2").text == "This badge is suspended"
    assert reader.press("Verify it now").one(".verdict h1").text == "This badge is suspended"
    assert reader.verdict()[0] == "bad"


def test_where_there_is_no_receipt_a_page_says_so(reader: Reader) -> None:
    page = reader.open(f"/receipts/{'0' * 32}")
    assert (reader.status, page.one("h1").text) == (404, "No record of a decision at this address")
