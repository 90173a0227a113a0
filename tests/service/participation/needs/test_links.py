"""Links by which a member answers without an account, and the page to which they lead."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from service.access import tokens
from service.participation.needs import links
from service.runtime.runtime import Runtime
from service.tables import Member, NeedsAnswer, NeedsLink
from tests.worlds.acting import refused
from tests.worlds.awarding import Stage
from tests.worlds.needing import CYCLE, HERE, OFFERS, answer, closed, link_for, stage_of, token_of
from tests.worlds.runtimes import BASE_URL, Clock, app_of

SENT = {"learn-feedback": "3", "offer-groups": "have-done", "time-tue-evening": "yes", "readiness": "4"}


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return stage_of(runtime)


@pytest.fixture
def browser(runtime: Runtime) -> TestClient:
    headers = {"Accept": "text/html"}
    return TestClient(app_of(runtime), base_url=BASE_URL, follow_redirects=False, headers=headers)


def page(answered: Any, status: int = 200) -> str:
    assert answered.status_code == status, answered.text
    assert answered.headers["Cache-Control"] == "no-store"
    assert answered.headers["Referrer-Policy"] == "no-referrer"
    return re.sub(r"\s+", " ", answered.text)


def count(runtime: Runtime, table: Any) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_links_are_shown_once_and_a_new_one_replaces_the_one_before(stage: Stage, browser: TestClient) -> None:
    body, key = {"members": ["m11", "m12", "m11"]}, {"Idempotency-Key": "one"}
    made = stage.call("POST", f"{HERE}/links", json=body, headers=key)
    assert made.headers["Cache-Control"] == "no-store"
    first = {each["member"]: each["url"] for each in made.json()["links"]}
    assert list(first) == ["m11", "m12"]
    again = stage.call("POST", f"{HERE}/links", json=body, headers=key)
    assert (again.status_code, again.json()) == (201, {"expires_at": "2026-04-01T00:00:00Z"})
    second = link_for(stage, "m11")
    page(browser.get(second))
    page(browser.get(first["m12"]))
    assert "There is no such link" in page(browser.get(first["m11"]), 404)


def test_the_secret_of_a_link_is_not_stored(stage: Stage, runtime: Runtime) -> None:
    secret = link_for(stage, "m11").removeprefix("/needs/")
    with runtime.database.read() as session:
        row = session.scalars(select(NeedsLink)).one()
        assert secret not in {str(getattr(row, column.name)) for column in NeedsLink.__table__.columns}


def test_opening_the_page_says_nothing_and_tells_nothing_of_people(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    answer(stage, "m12", OFFERS | {"note": "A private matter."})
    path = link_for(stage, "m11")
    for _ in range(3):
        shown = page(browser.get(path))
    assert "What this spring?" in shown
    for told in ("Member 11", "Member 12", "m11", "m12", "A private matter."):
        assert told not in shown
    assert count(runtime, NeedsAnswer) == 1


def test_who_has_the_link_answers_and_the_network_sees_how_it_came(stage: Stage, browser: TestClient) -> None:
    path = link_for(stage, "m11")
    assert "We have your answer" in page(browser.post(path, data=SENT))
    shown = stage.send("GET", f"{HERE}/answers/m11")
    assert shown["via"] == "link"
    assert shown["learn"] == [{"topic": "feedback", "importance": 3}]
    assert shown["offer"] == [{"topic": "groups", "level": "have-done"}]
    assert (shown["times"], shown["readiness"], shown["share_offer"]) == (["tue-evening"], 4, False)


def test_what_was_answered_is_shown_only_after_a_button_is_pressed(stage: Stage, browser: TestClient) -> None:
    path = link_for(stage, "m11")
    page(browser.post(path, data=SENT | {"note": "A private matter."}))
    again = page(browser.get(path))
    assert "You have answered." in again
    assert "A private matter." not in again
    shown = page(browser.post(f"{path}/change"))
    assert "A private matter." in shown
    assert re.search(r'<option value="3" selected>', shown)


def test_an_answer_is_taken_back_by_the_link(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    path = link_for(stage, "m11")
    browser.post(path, data=SENT)
    assert "We have deleted your answer" in page(browser.post(f"{path}/withdrawal"))
    assert count(runtime, NeedsAnswer) == 0
    assert "You have not answered" in page(browser.post(f"{path}/withdrawal"), 404)
    assert "<form" in page(browser.get(path))


def test_a_form_that_is_wrong_comes_back_with_what_was_typed(stage: Stage, browser: TestClient) -> None:
    path = link_for(stage, "m11")
    wrong = page(browser.post(path, data={"note": "Only a <note>.", "own-1": "x" * 101, "own-learn-1": "2"}), 422)
    assert 'role="alert"' in wrong
    assert "Something that you wrote is too long." in wrong
    assert "Only a &lt;note&gt;." in wrong
    assert "Choose at least one topic" in page(browser.post(path, data={"readiness": "3"}), 422)
    odd = page(browser.post(path, data={"learn-feedback": "9"}), 422)
    assert "Something in the form is not as it should be." in odd


def test_another_site_cannot_send_the_form(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    path = link_for(stage, "m11")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://other.example"}):
        assert browser.post(path, data=SENT, headers=headers).status_code == 403
    assert count(runtime, NeedsAnswer) == 0


def test_a_link_outside_the_time_of_its_cycle_says_so(
    stage: Stage, browser: TestClient, clock: Clock, runtime: Runtime
) -> None:
    later = {
        "title": "Next",
        "opens_at": "2026-05-01T00:00:00Z",
        "closes_at": "2026-06-01T00:00:00Z",
        "free_topics": True,
    }
    stage.send("PUT", "./needs-cycles/next", later)
    made = stage.send("POST", "./needs-cycles/next/links", {"members": ["m11"]})["links"][0]["url"]
    assert "once the survey has opened" in page(browser.get(made), 409)
    assert "once the survey has opened" in page(browser.post(made, data={"own-1": "Reading", "own-learn-1": "2"}), 409)
    clock.advance(days=100)
    assert "The time to answer is over." in page(browser.get(made), 409)
    assert "The time to answer is over." in page(browser.post(made, data=SENT), 409)
    over = stage.call("POST", "./needs-cycles/next/links", json={"members": ["m11"]})
    assert refused(over)[:2] == (409, "needs-over")
    assert count(runtime, NeedsAnswer) == 0


def test_the_link_of_a_member_who_was_erased_is_dead(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    path = link_for(stage, "m11")
    browser.post(path, data=SENT)
    stage.call("DELETE", "./members/m11")
    assert (count(runtime, NeedsAnswer), count(runtime, NeedsLink)) == (0, 0)
    assert "There is no such link" in page(browser.get(path), 404)
    assert "There is no such link" in page(browser.post(path, data=SENT), 404)


def test_a_link_is_dead_once_the_token_that_made_it_is_revoked(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    facilitator = token_of(stage, "f1")
    made = stage.call("POST", f"{HERE}/links", facilitator, json={"members": ["m11"]}).json()["links"][0]["url"]
    page(browser.get(made))
    with runtime.database.write() as session:
        member_id = session.scalars(select(Member.id).where(Member.ref == "f1")).one()
        tokens.revoke_bound(session, member_id, runtime.now())
    page(browser.get(made), 404)


def test_a_link_in_a_closed_network_says_so(stage: Stage, browser: TestClient) -> None:
    path = link_for(stage, "m11")
    closed(stage)
    assert "This network was closed" in page(browser.get(path), 409)
    assert "This network was closed" in page(browser.post(path, data=SENT), 409)


def test_links_are_made_for_members_only(stage: Stage) -> None:
    unknown = stage.call("POST", f"{HERE}/links", json={"members": ["m11", "nobody"]})
    assert refused(unknown) == (404, "member-unknown", "/members/1")
    stage.call("DELETE", "./members/m13")
    erased = stage.call("POST", f"{HERE}/links", json={"members": ["m13"]})
    assert refused(erased) == (409, "member-erased", "/members/0")


def test_who_tries_many_links_is_told_to_wait(stage: Stage, browser: TestClient) -> None:
    assert stage
    answers = [browser.get(f"/needs/{n}").status_code for n in range(61)]
    assert answers == [404] * 60 + [429]


def test_a_hall_of_people_behind_one_connection_answers(stage: Stage, browser: TestClient) -> None:
    path = link_for(stage, "m11")
    assert {browser.get(path).status_code for _ in range(70)} == {200}


def test_links_are_deleted_long_after_the_cycle(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    link_for(stage, "m11")
    clock.advance(days=31)
    assert links.forget_old(runtime) == 0
    clock.advance(days=91)
    assert links.forget_old(runtime) == 1
    assert count(runtime, NeedsLink) == 0


def test_the_page_is_in_the_language_of_its_reader(stage: Stage, browser: TestClient) -> None:
    path = link_for(stage, "m11")
    shown = page(browser.get(path, headers={"Accept-Language": "es"}))
    assert "Comentarios que ayudan" in shown
    assert CYCLE not in shown
