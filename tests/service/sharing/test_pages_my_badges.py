"""My badges: what somebody who is signed in sees over all networks, and on the way to what."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from service.runtime.runtime import Runtime
from service.sharing import my_badges
from service.sharing.in_progress import ACHIEVEMENTS_ON_A_PAGE
from service.storage.paging import Window
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.my_badges import (
    APPROVED,
    MINE,
    OTHER,
    browser_of,
    claimed,
    done,
    earned,
    many,
    member_of,
    shown,
)
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import send


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> Iterator[TestClient]:
    """The browser of somebody who is signed in; the stage is laid before, in an empty service."""
    assert stage.runtime is runtime
    with browser_of(runtime, MINE) as found:
        yield found


# --- The badges ------------------------------------------------------------------------------------------------------


def test_somebody_without_anything_is_told_which_addresses_were_looked_for(browser: TestClient) -> None:
    page = shown(browser, "/my-badges")
    assert "You have no badges here yet" in page
    assert f"<li>{MINE}</li>" in page
    assert "Were your badges sent to another address? Add it." in page


def test_who_has_badges_to_claim_is_not_told_that_there_are_none(browser: TestClient, stage: Stage) -> None:
    stage.member(email=MINE)
    earned(stage)
    page = shown(browser, "/my-badges")
    assert "</strong>: 1 badge" in page
    assert "no badges" not in page
    done(send(browser, "/my-badges", f"/my-badges/claims/{member_of(stage.runtime, 'm11')}"), "/my-badges")
    assert "Valid badges" in shown(browser, "/my-badges")


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(client: TestClient) -> None:
    for path in ("/my-badges", "/my-badges/ended", f"/my-badges/{'0' * 32}"):
        answer = client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?onward={path}")


def test_badges_of_all_networks_stand_together(browser: TestClient, stage: Stage) -> None:
    hill = Stage.set_up(stage.client, stage.runtime, "hill", name="Hill Readers")
    for each, name in ((stage, "Sharer"), (hill, "Giver")):
        claimed(each)
        each.achievement(name=name)
        earned(each)
    page = shown(browser, "/my-badges")
    assert page.index("Giver")
    assert page.index("Sharer")
    assert "Hill Readers" in page
    assert "River Writers" in page
    assert "with no end date" in page


def test_the_newest_badge_stands_first(browser: TestClient, stage: Stage, clock: Clock) -> None:
    claimed(stage)
    stage.achievement(name="The old one")
    earned(stage)
    clock.advance(days=1)
    stage.achievement("newer", name="The new one")
    stage.award("newer")
    page = shown(browser, "/my-badges")
    assert page.index("The new one") < page.index("The old one")


def test_revoked_suspended_and_expired_badges_stand_apart_with_their_state(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    credential = earned(stage)
    stage.send("POST", f"/v1/credentials/{credential}/suspension", {"reason": "We look into it."})
    page = shown(browser, "/my-badges")
    assert page.index("None of your badges is valid now") < page.index("No longer valid") < page.index("Suspended")
    stage.send("POST", f"/v1/credentials/{credential}/revocation", {"reason": "A copy."})
    assert "<strong>Revoked</strong>" in shown(browser, "/my-badges/ended")


def test_three_hundred_badges_come_in_pages(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    many(stage.runtime, earned(stage), 299)
    path, seen = "/my-badges", set[str]()
    for _ in range(20):
        page = shown(browser, path)
        found = re.findall(r'<h3><a href="/my-badges/([0-9a-f]{32})"', page)
        assert len(found) <= my_badges.BADGES_ON_A_PAGE
        assert not seen & set(found)
        seen |= set(found)
        following = re.search(r'href="(/my-badges\?after=[^"]+)"', page)
        if following is None:
            break
        path = following[1]
    assert len(seen) == 300


def test_a_page_costs_the_same_statements_for_one_badge_and_for_three_hundred(
    browser: TestClient, stage: Stage
) -> None:
    claimed(stage)
    credential = earned(stage)
    statements: list[str] = []
    event.listen(stage.runtime.database.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    shown(browser, "/my-badges")
    once = len(statements)
    many(stage.runtime, credential, 299)
    statements.clear()
    shown(browser, "/my-badges")
    assert len(statements) == once < 36


def test_a_cursor_of_another_list_is_refused(browser: TestClient, stage: Stage) -> None:
    cursor = Window(None, 1, "elsewhere").cursor(stage.runtime.now(), "0" * 32)
    assert browser.get("/my-badges", params={"after": cursor}).status_code == 422


# --- Claims ----------------------------------------------------------------------------------------------------------


def test_what_was_issued_to_a_proved_address_is_claimed_with_one_press(browser: TestClient, stage: Stage) -> None:
    stage.member("m11", email=MINE, name="Member 11")
    credential = earned(stage)
    page = shown(browser, "/my-badges")
    assert "Issued to your address" in page
    assert "River Writers</strong>: 1 badge" in page
    assert credential not in page
    done(send(browser, "/my-badges", f"/my-badges/claims/{member_of(stage.runtime, 'm11')}"), "/my-badges")
    page = shown(browser, "/my-badges")
    assert "Issued to your address" not in page
    assert f'href="/my-badges/{credential}"' in page


def test_what_was_issued_to_another_address_cannot_be_claimed(browser: TestClient, stage: Stage) -> None:
    stage.member("m12", email=OTHER)
    earned(stage, "m12")
    claimed(stage)
    assert "Issued to your address" not in shown(browser, "/my-badges")
    assert send(browser, "/my-badges", f"/my-badges/claims/{member_of(stage.runtime, 'm12')}").status_code == 404


def test_what_somebody_else_earned_is_given_back(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    credential = earned(stage)
    where = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/giving-back"
    done(send(browser, "/my-badges", where), "/my-badges")
    assert browser.get(f"/my-badges/{credential}").status_code == 404


# --- Progress --------------------------------------------------------------------------------------------------------


def test_progress_says_what_is_met_and_what_is_missing(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    both = {"all": [SHARE_TWICE, {"rule": "count", "where": {"types": ["attended"]}, "gte": 1}]}
    stage.achievement(rule=both)
    stage.achievement("other", name="Another one", rule={"rule": "count", "where": {"types": ["authored"]}, "gte": 1})
    stage.share(1)
    stage.share(2)
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/progress")
    assert "All of these:" in page
    assert "Met: </span>2 resources shared (2 needed)." in page
    assert "<strong>Still missing:</strong> Attended 0 meetings (1 needed)." in page
    assert "50% of the way" in page
    assert "1 badge that you can begin" in page
    assert "Another one" in page


def test_progress_costs_no_more_statements_however_many_badges_a_network_has(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    path = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/progress"
    rule = {"rule": "count", "where": {"types": ["shared"]}, "gte": 5}
    for n in range(ACHIEVEMENTS_ON_A_PAGE + 1):
        stage.achievement(f"a{n}", rule, name=f"Badge {n}")
    stage.share(1)
    statements: list[str] = []
    event.listen(stage.runtime.database.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    page = shown(browser, path)
    assert page.count("1 resource shared (5 needed)") == ACHIEVEMENTS_ON_A_PAGE
    assert "More badges of this network" in page
    assert len(statements) < 8 * ACHIEVEMENTS_ON_A_PAGE


def test_what_somebody_holds_is_not_in_progress(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    earned(stage)
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/progress")
    assert "You have not started any badge of this network." in page


def test_progress_in_a_retired_badge_says_that_nobody_can_earn_it(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement()
    stage.share(1)
    stage.send("POST", "./achievements/sharer/retirement", {"reason": "It is over."})
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/progress")
    assert "Nobody can earn it any more" in page
    assert "Appeal" not in page


def test_what_waits_for_people_says_since_when(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement(rule=APPROVED)
    stage.share(1)
    stage.share(2)
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/progress")
    assert "People were asked on 2 March 2026 to approve it." in page
