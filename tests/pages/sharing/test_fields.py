"""What a badge and its achievement say beside name and criteria: credits, skills, field, language, identifiers."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.pages.conftest import Live
from tests.pages.reading import Reader
from tests.pages.scenes import HOSTILE, achievement_of, badge, everybody_can_use, inert, stage_of
from tests.worlds.awarding import Stage

ESCO = "http://data.europa.eu/esco/skill/8f18f987-33e2-4228-9efb-65de25d03330"
SAID: dict[str, Any] = {
    "alignment": [
        {
            "target_name": "Active listening",
            "target_url": "https://www.onetonline.org/find/descriptor/result/2.B.1.a",
            "target_framework": "O*NET",
            "target_code": "2.B.1.a",
            "target_type": "ext:O-NET",
        },
        {"target_name": "Give constructive feedback", "target_url": ESCO, "target_framework": "ESCO"},
    ],
    "credits": [
        {"value": 1.5, "unit": "CEU", "authority": {"name": "State Board", "url": "https://board.example.org/"}},
        {"value": 1, "authority": {"name": "University", "url": "http://university.example.org/"}},
    ],
    "field_of_study": "Education",
    "human_code": "EDU-204",
    "in_language": "pt-BR",
    "related": [
        {"id": "https://river.example.org/lector", "in_language": "es", "version": "2"},
        {"id": "http://old.example.org/reader"},
    ],
    "other_identifiers": [
        {"identifier": "ce-5f0c1e84-5c0a-4f7b-9c55-0a1b2c3d4e5f", "identifier_type": "ext:CTID"},
        {"identifier": "204", "identifier_type": "systemId"},
    ],
}
CREDITS = (
    "1.5 CEU (authority named by the issuer: State Board)",
    "1 credit (authority named by the issuer: University)",
)
SKILLS = ("Active listening (O*NET 2.B.1.a)", "Give constructive feedback (ESCO)")
FACTS = {
    "Field of study": "Education",
    "Language": "Portuguese (Brazil)",
    "Code": "EDU-204",
    "Other identifiers": "CTID ce-5f0c1e84-5c0a-4f7b-9c55-0a1b2c3d4e5f; 204",
    "Other editions": "river.example.org (Spanish, version 2); old.example.org",
}


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def test_a_badge_shows_credits_skills_and_what_else_its_achievement_says(reader: Reader, stage: Stage) -> None:
    reader.open(badge(stage, **SAID))
    shown = reader.facts()
    assert shown == shown | FACTS | {"Credits": " ".join(CREDITS), "Skills": "; ".join(SKILLS)}


def test_an_achievement_shows_credits_skills_and_what_else_it_says(reader: Reader, stage: Stage) -> None:
    page = reader.open(achievement_of(stage, badge(stage, **SAID)))
    assert reader.facts() == reader.facts() | FACTS
    text = page.one("main").text
    for each in (*CREDITS, *SKILLS, ESCO):
        assert each in text
    assert "What is judged" not in text


def test_a_check_shows_the_code_of_a_skill_and_whose_the_credits_are(reader: Reader, stage: Stage) -> None:
    url = badge(stage, **SAID)
    text = reader.give(url).one("main").text
    for each in (*CREDITS, *SKILLS):
        assert each in text


@pytest.mark.parametrize("of_achievement", [False, True], ids=["badge", "achievement"])
def test_an_http_address_is_never_a_link(page: Page, stage: Stage, *, of_achievement: bool) -> None:
    url = badge(stage, **SAID)
    page.goto(achievement_of(stage, url) if of_achievement else url)
    links = page.locator("main a").evaluate_all("all => all.map(a => [a.getAttribute('href'), a.rel])")
    outside = {href: rel for href, rel in links if "example.org" in href or "onetonline" in href or "europa" in href}
    assert outside == {
        SAID["alignment"][0]["target_url"]: "nofollow noopener noreferrer",
        SAID["credits"][0]["authority"]["url"]: "nofollow noopener noreferrer",
        SAID["related"][0]["id"]: "nofollow noopener noreferrer",
    }


def test_what_tries_to_become_script_does_not(page: Page, stage: Stage) -> None:
    hostile = SAID | {
        "alignment": [SAID["alignment"][0] | {"target_code": HOSTILE, "target_description": HOSTILE}],
        "credits": [{"value": 1, "unit": HOSTILE, "authority": {"name": HOSTILE, "url": "https://ok.example/'x"}}],
        "field_of_study": HOSTILE,
        "human_code": HOSTILE,
        "related": [{"id": "https://ok.example/", "version": HOSTILE}],
        "other_identifiers": [{"identifier": HOSTILE, "identifier_type": "ext:own"}],
    }
    url = badge(stage, **hostile)
    for address in (url, achievement_of(stage, url)):
        page.goto(address)
        inert(page)


@pytest.mark.parametrize("of_achievement", [False, True], ids=["badge", "achievement"])
def test_everybody_can_use_them(
    page: Page, stage: Stage, violations: Callable[[Page], list[Any]], *, of_achievement: bool
) -> None:
    url = badge(stage, **SAID)
    address = achievement_of(stage, url) if of_achievement else url
    page.goto(address)
    everybody_can_use(page, violations, address)
