"""A private badge, or its hidden evidence, opened to a named employer for a time; viewings by it, and only they, are noted."""

import re
from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from service.issuing import shown_evidence
from service.runtime.runtime import Runtime
from service.sharing import openings
from service.tables import Credential, Opening, OpeningView, Row
from tests.worlds.awarding import Stage
from tests.worlds.collecting import Collector, anybody, earn, holder
from tests.worlds.presenting import decline, hide, see

HOME = "/my-badges/openings"
EMPLOYER = "Lakeside School"


@pytest.fixture
def stage(runtime: Runtime, client: TestClient) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("m11", email="m11@river.example.org")
    return stage


@pytest.fixture
def badge(stage: Stage) -> str:
    """A badge that is private."""
    found = earn(stage, "writer")
    see(stage.runtime, found, "private")
    return found


def open_to(who: Collector, badge: str, **said: str) -> str:
    """Open a badge, and return the path of the link."""
    answer = who.post(f"{HOME}/new", **({"badge": badge, "for": EMPLOYER, "days": "7"} | said))
    assert answer.status_code == 200, answer.text
    return str(re.findall(r'value="http://[^"/]+(/opened/[^"]+)"', answer.text)[0])


def look(stage: Stage, path: str, **more: Any) -> Any:
    stage.client.cookies.clear()
    return stage.client.post(path, **more)


def viewed(stage: Stage) -> list[datetime]:
    with stage.runtime.database.read() as session:
        return list(session.scalars(select(OpeningView.viewed_at).order_by(OpeningView.viewed_at)))


def opening_of(stage: Stage) -> str:
    with stage.runtime.database.read() as session:
        return str(session.scalars(select(Opening.id)).one())


def test_the_employer_is_told_before_anything_is_shown_or_noted(stage: Stage, badge: str) -> None:
    path = open_to(holder(stage), badge)
    before = anybody(stage, path)
    assert before.status_code == 200
    assert f"the person will see that {EMPLOYER} looked, and when" in before.text
    assert "Writer" not in before.text.replace("River Writers", "")
    assert badge not in before.text
    assert viewed(stage) == []


def test_who_looks_sees_the_badge_and_its_recipient_sees_when(stage: Stage, badge: str) -> None:
    who = holder(stage)
    path = open_to(who, badge)
    assert "Nobody has looked yet." in who.client.get(HOME).text
    shown = look(stage, path)
    assert shown.status_code == 200
    assert "<h1>Writer</h1>" in shown.text
    assert "This badge is genuine and valid" in shown.text
    assert viewed(stage) == [stage.runtime.now()]
    text = who.client.get(HOME).text
    assert EMPLOYER in text
    assert "They looked once" in text
    for answer in (anybody(stage, path), shown):
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["cache-control"] == "no-store"
    assert anybody(stage, f"/credentials/{badge}").status_code == 404


def test_loading_the_page_again_at_once_is_one_viewing(stage: Stage, badge: str) -> None:
    path = open_to(holder(stage), badge)
    look(stage, path)
    look(stage, path)
    assert len(viewed(stage)) == 1
    stage.runtime.now.advance(minutes=2)  # type: ignore[attr-defined]
    look(stage, path)
    assert len(viewed(stage)) == 2


def test_only_the_newest_viewings_are_kept(stage: Stage, badge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "MAX_VIEWS", 2)
    path = open_to(holder(stage), badge)
    for _ in range(3):
        stage.runtime.now.advance(minutes=2)  # type: ignore[attr-defined]
        look(stage, path)
    assert len(viewed(stage)) == 2
    assert viewed(stage)[-1] == stage.runtime.now()


def test_nothing_is_noted_of_who_looks_at_other_pages(stage: Stage, badge: str) -> None:
    who = holder(stage)
    open_to(who, badge)
    see(stage.runtime, badge, "unlisted")
    anybody(stage, f"/credentials/{badge}")
    anybody(stage, f"/collections/{who.make('My year', badge)}")
    assert viewed(stage) == []


def test_another_site_cannot_press_the_button(stage: Stage, badge: str) -> None:
    path = open_to(holder(stage), badge)
    assert look(stage, path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert viewed(stage) == []


def test_hidden_evidence_is_shown_only_where_it_was_opened(stage: Stage) -> None:
    stage.achievement()
    stage.share(1)
    stage.share(2, occurred_at="2026-02-14T10:00:00Z")
    (award,) = stage.awards()
    badge = award["credential"]["id"]
    who = holder(stage)
    with stage.runtime.database.read() as session:
        items = shown_evidence.items(session, session.get_one(Credential, badge))
    (item,) = [each for each in items if each.hideable and "14 February" in str(each.item)]
    hide(stage.runtime, badge, item.id)
    with_it, without = open_to(who, badge, evidence="yes"), open_to(who, badge)
    assert "14 February" in look(stage, with_it).text
    assert "not shown here" not in look(stage, with_it).text
    assert "14 February" not in look(stage, without).text
    assert "not shown here" in look(stage, without).text
    assert "14 February" not in anybody(stage, f"/credentials/{badge}").text


def test_a_badge_that_hides_nothing_needs_no_opening(stage: Stage) -> None:
    badge = earn(stage, "writer")
    answer = holder(stage).client.get(f"{HOME}/new?badge={badge}")
    assert answer.status_code == 409
    assert "Who has the link of this badge sees all of it already." in answer.text


def test_a_revoked_badge_is_shown_as_revoked(stage: Stage, badge: str) -> None:
    path = open_to(holder(stage), badge)
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "A mistake."})
    text = look(stage, path).text
    assert "This badge was revoked" in text
    assert "verdict good" not in text


def test_an_ended_opening_shows_and_notes_nothing_at_once(stage: Stage, badge: str) -> None:
    who = holder(stage)
    path = open_to(who, badge)
    look(stage, path)
    assert who.post(f"{HOME}/{opening_of(stage)}/end").status_code == 303
    stage.runtime.now.advance(minutes=5)  # type: ignore[attr-defined]
    for answer in (anybody(stage, path), look(stage, path)):
        assert answer.status_code == 410
        assert "The person has ended this link, or its time is over." in answer.text
        assert badge not in answer.text
    assert len(viewed(stage)) == 1
    assert "They looked once" in who.client.get(HOME).text


def test_an_opening_ends_when_its_time_is_over_and_is_forgotten_a_year_later(stage: Stage, badge: str) -> None:
    path = open_to(holder(stage), badge)
    look(stage, path)
    stage.runtime.now.advance(days=7)  # type: ignore[attr-defined]
    assert look(stage, path).status_code == 410
    assert openings.forget_old(stage.runtime) == 0
    stage.runtime.now.advance(days=365)  # type: ignore[attr-defined]
    assert openings.forget_old(stage.runtime) == 1
    assert viewed(stage) == []
    assert look(stage, path).status_code == 404


def test_a_removed_opening_leads_to_nothing(stage: Stage, badge: str) -> None:
    who = holder(stage)
    path = open_to(who, badge)
    look(stage, path)
    assert who.post(f"{HOME}/{opening_of(stage)}/removal").status_code == 303
    assert look(stage, path).status_code == 404
    assert viewed(stage) == []


def test_a_declined_badge_is_open_to_nobody(stage: Stage, badge: str) -> None:
    who = holder(stage)
    path = open_to(who, badge)
    decline(stage.runtime, badge)
    assert look(stage, path).status_code == 404
    assert who.client.get(f"{HOME}/new?badge={badge}").status_code == 409


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"for": ""}, "Say to whom you open it."),
        ({"for": "\u202e"}, "Say to whom you open it."),
        ({"for": "x" * 121}, "The name is too long."),
        ({"days": "365"}, "Choose for how long you open it."),
        ({"days": "x"}, "Choose for how long you open it."),
    ],
)
def test_what_cannot_be_opened_so_is_refused_with_a_sentence(
    stage: Stage, badge: str, said: dict[str, str], sentence: str
) -> None:
    answer = holder(stage).post(f"{HOME}/new", **({"badge": badge, "for": EMPLOYER, "days": "7"} | said))
    assert answer.status_code == 422
    assert sentence in answer.text


def test_there_are_at_most_so_many_openings(stage: Stage, badge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "MAX_OPEN", 1)
    who = holder(stage)
    open_to(who, badge)
    answer = who.post(f"{HOME}/new", **{"badge": badge, "for": EMPLOYER, "days": "7"})
    assert answer.status_code == 409
    assert "End one before you open another." in answer.text


def test_nobody_opens_sees_or_ends_what_is_another_persons(stage: Stage, badge: str) -> None:
    path = open_to(holder(stage), badge)
    other = Collector.enter(stage.client, stage.runtime, "m12@river.example.org")
    assert other.post(f"{HOME}/new", **{"badge": badge, "for": EMPLOYER, "days": "7"}).status_code == 404
    assert other.client.get(f"{HOME}/new?badge={badge}").status_code == 404
    assert EMPLOYER not in other.client.get(HOME).text
    for way in ("end", "removal"):
        assert other.post(f"{HOME}/{opening_of(stage)}/{way}").status_code == 404
    assert look(stage, path).status_code == 200


def test_erasing_a_member_leaves_no_opening(stage: Stage, badge: str) -> None:
    path = open_to(holder(stage), badge)
    look(stage, path)
    stage.send("DELETE", "./members/m11")
    assert look(stage, path).status_code == 404
    with stage.runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(OpeningView)) == 0
        for name, table in Row.metadata.tables.items():
            assert EMPLOYER not in repr(session.execute(select(table)).all()), name


def test_the_secret_stands_nowhere_in_the_rows(stage: Stage, badge: str) -> None:
    secret = open_to(holder(stage), badge).rpartition("/")[2]
    with stage.runtime.database.read() as session:
        for name, table in Row.metadata.tables.items():
            assert secret not in repr(session.execute(select(table)).all()), name
