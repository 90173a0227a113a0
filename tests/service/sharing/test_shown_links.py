"""Links for one authority: they alone show a name and a licence number, and a batch matches by them."""

import csv
import io
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.sharing import shown_links
from service.tables import Row, ShownLink
from tests.worlds.awarding import Stage
from tests.worlds.collecting import Collector, anybody, authority_link, earn, holder
from tests.worlds.presenting import see

HOME = "/my-badges/links"
NAME, NUMBER = "Fatima Zahra", "WA-123 456"


@pytest.fixture
def stage(runtime: Runtime, client: TestClient) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("m11", email="m11@river.example.org")
    return stage


def shown(stage: Stage, path: str) -> Any:
    """Press the button of the page behind a link, as somebody does who is not signed in."""
    stage.client.cookies.clear()
    return stage.client.post(path)


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))


def batch(stage: Stage, table: str) -> list[dict[str, str]]:
    headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
    answer = stage.client.post("/v1/verification-batches", content=table.encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    return rows_of(answer)


def test_only_who_opens_the_link_and_presses_sees_name_and_number(stage: Stage) -> None:
    badge = earn(stage, "writer")
    path = authority_link(holder(stage), badge=badge)
    before = anybody(stage, path)
    assert before.status_code == 200
    assert NAME not in before.text
    assert NUMBER not in before.text
    after = shown(stage, path)
    assert NAME in after.text
    assert NUMBER in after.text
    assert f"/credentials/{badge}" in after.text
    for answer in (before, after):
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "og:" not in answer.text
    for other in (f"/credentials/{badge}", f"/credentials/{badge}.json", f"/credentials/{badge}/share"):
        assert NAME not in anybody(stage, other).text


def test_another_site_cannot_press_the_button(stage: Stage) -> None:
    path = authority_link(holder(stage), badge=earn(stage, "writer"))
    answer = stage.client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert NAME not in answer.text


def test_the_secret_stands_nowhere_in_the_rows(stage: Stage) -> None:
    secret = authority_link(holder(stage), badge=earn(stage, "writer")).rpartition("/")[2]
    with stage.runtime.database.read() as session:
        for name, table in Row.metadata.tables.items():
            assert secret not in repr(session.execute(select(table)).all()), name


def test_nothing_of_it_is_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        path = authority_link(holder(stage), badge=earn(stage, "writer"))
        shown(stage, path)
        batch(stage, f"link\nhttp://localhost:8000{path}\n")
    said = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert not [text for text in said if NAME in text or NUMBER in text or path in text]


def test_a_link_to_a_collection_shows_its_badges_in_their_order(stage: Stage) -> None:
    first, second = earn(stage, "writer"), earn(stage, "reader")
    who = holder(stage)
    path = authority_link(who, collection=who.make("My year", second, first))
    text = shown(stage, path).text
    assert text.index("Reader") < text.index("/credentials/" + first)


def test_it_shows_the_state_of_today(stage: Stage) -> None:
    badge = earn(stage, "writer")
    path = authority_link(holder(stage), badge=badge)
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "A mistake."})
    assert '<strong class="said bad">Revoked</strong>' in shown(stage, path).text


def test_a_badge_that_becomes_private_is_shown_no_more(stage: Stage) -> None:
    badge = earn(stage, "writer")
    path = authority_link(holder(stage), badge=badge)
    see(stage.runtime, badge, "private")
    text = shown(stage, path).text
    assert badge not in text
    assert "This link leads to no badge any more." in text


def test_an_ended_link_shows_nothing_at_once_and_leaves_nothing(stage: Stage) -> None:
    who = holder(stage)
    path = authority_link(who, badge=earn(stage, "writer"))
    with stage.runtime.database.read() as session:
        link_id = session.scalars(select(ShownLink.id)).one()
    assert who.post(f"{HOME}/{link_id}/end").status_code == 303
    for answer in (anybody(stage, path), shown(stage, path)):
        assert answer.status_code == 404
        assert "The person has ended this link, or its time is over." in answer.text
        assert NAME not in answer.text
    with stage.runtime.database.read() as session:
        assert session.scalars(select(ShownLink)).all() == []


def test_a_link_ends_when_its_time_is_over_and_what_was_in_it_is_deleted(stage: Stage) -> None:
    path = authority_link(holder(stage), badge=earn(stage, "writer"), days="7")
    stage.runtime.now.advance(days=6)  # type: ignore[attr-defined]
    assert shown_links.forget_old(stage.runtime) == 0
    assert shown(stage, path).status_code == 200
    stage.runtime.now.advance(days=1)  # type: ignore[attr-defined]
    assert shown(stage, path).status_code == 404
    assert shown_links.forget_old(stage.runtime) == 1


def test_a_table_gets_name_and_number_from_each_link_and_compares_the_number(stage: Stage) -> None:
    first, second = earn(stage, "writer"), earn(stage, "reader")
    who = holder(stage)
    one = f"http://localhost:8000{authority_link(who, badge=first)}"
    both = f"http://localhost:8000{authority_link(who, collection=who.make('My year', first, second))}"
    table = f"link,licence\n{one},wa 123-456\n{both},WA-999\nhttp://localhost:8000/credentials/{first},WA-1\n{one},\n"
    rows = batch(stage, table)
    assert {row["Verdict"] for row in rows} == {"This badge is genuine and valid"}
    name, number, same = "Name, as they say", "Licence number, as they say", "Licence number is that of your table"
    assert [(row[name], row[number], row[same]) for row in rows] == [
        (NAME, NUMBER, "Yes"),
        (NAME, NUMBER, "No"),
        (NAME, NUMBER, "No"),
        ("", "", "Could not be compared"),
        (NAME, NUMBER, ""),
    ]
    assert {row["Badge"] for row in rows} == {"Writer", "Reader"}


def test_a_table_without_such_links_has_no_such_columns(stage: Stage) -> None:
    (row,) = batch(stage, f"link\nhttp://localhost:8000/credentials/{earn(stage, 'writer')}\n")
    assert not [column for column in row if "icence" in column]


def test_links_and_badges_are_told_as_json_too(stage: Stage) -> None:
    path = authority_link(holder(stage), badge=earn(stage, "writer"))
    body = {"items": [{"url": f"http://localhost:8000{path}"}, {"url": f"http://localhost:8000{path}x"}]}
    answer = stage.client.post("/v1/verification-batches", json=body)
    first, second, _sums = map(json.loads, answer.text.splitlines())
    assert first["holder"] == {"name": NAME, "licence_number": NUMBER, "licence_matches": "skipped"}
    assert first["result"]["verdict"] == "verified"
    assert second["problem"]["code"] == "shown-link-ended"


def test_the_page_names_each_candidate_by_their_link(stage: Stage) -> None:
    path = authority_link(holder(stage), badge=earn(stage, "writer"))
    answer = stage.client.post("/verify/batch", data={"received": f"http://localhost:8000{path}\n"})
    assert f"{NAME} ({NUMBER})" in answer.text
    ended = stage.client.post("/verify/batch", data={"received": f"http://localhost:8000{path}x\n"})
    assert "The person has ended this link, or its time is over." in ended.text


def test_what_is_tried_again_keeps_name_and_number(stage: Stage) -> None:
    badge = earn(stage, "writer")
    kept = {"number": 3, "name": "A line", "url": f"http://localhost:8000/credentials/{badge}", "licence": "WA-1"}
    item = json.dumps(kept | {"holder": [NAME, NUMBER]})
    table = json.dumps({"heading": ["link", "licence"], "delimiter": ","})
    answer = stage.client.post("/verify/batch", data={"item": item, "table": table})
    assert f"The link says another licence number than your table: {NUMBER}." in answer.text
    broken = json.dumps(kept | {"holder": [NAME]})
    assert stage.client.post("/verify/batch", data={"item": broken, "table": table}).status_code == 422


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"for": ""}, "Say for whom the link is."),
        ({"name": "\u200b"}, "Type your name as the authority knows it."),
        ({"licence": " "}, "Type the number of your licence."),
        ({"licence": "1" * 61}, "What you typed is too long"),
        ({"name": "ü" * 301}, "What you typed is too long"),
        ({"days": "0"}, "Choose how long the link shall work."),
        ({"days": "99999999999"}, "Choose how long the link shall work."),
    ],
)
def test_what_cannot_stand_in_a_link_is_refused_with_a_sentence(
    stage: Stage, said: dict[str, str], sentence: str
) -> None:
    who = holder(stage)
    fields = {"for": "State board", "name": NAME, "licence": NUMBER, "days": "30", "badge": earn(stage, "writer")}
    answer = who.post(f"{HOME}/new", **(fields | said))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "You have no such links." in who.client.get(HOME).text


def test_there_is_no_such_link_to_a_private_badge_or_to_a_collection_without_any(stage: Stage) -> None:
    badge = earn(stage, "writer")
    who = holder(stage)
    made = who.make("My year", badge)
    see(stage.runtime, badge, "private")
    private = who.client.get(f"{HOME}/new?badge={badge}")
    assert (private.status_code, "First choose that who has the link can see it." in private.text) == (409, True)
    empty = who.client.get(f"{HOME}/new?collection={made}")
    assert (empty.status_code, "There is no badge in this collection" in empty.text) == (422, True)


@pytest.mark.parametrize("role", ["student", "minor"])
def test_there_is_no_such_link_for_children_and_students(stage: Stage, role: str) -> None:
    badge = earn(stage, "writer")
    who = holder(stage)
    stage.member("m11", email="m11@river.example.org", roles=[role])
    answer = who.post(f"{HOME}/new", **{"for": "Board", "name": "N", "licence": "1", "days": "7", "badge": badge})
    assert answer.status_code == 409
    assert "no such links for badges of children and students" in answer.text


def test_nobody_makes_sees_or_ends_a_link_of_another_person(stage: Stage) -> None:
    badge = earn(stage, "writer")
    who = holder(stage)
    made = who.make("My year", badge)
    path = authority_link(who, badge=badge)
    other = Collector.enter(stage.client, stage.runtime, "m12@river.example.org")
    with stage.runtime.database.read() as session:
        link_id = session.scalars(select(ShownLink.id)).one()
    assert other.post(f"{HOME}/{link_id}/end").status_code == 404
    assert NAME not in other.client.get(HOME).text
    for said in ({"badge": badge}, {"collection": made}, {}):
        fields = {"for": "Board", "name": "N", "licence": "1", "days": "7"} | said
        assert other.post(f"{HOME}/new", **fields).status_code == 404
        assert other.client.get(f"{HOME}/new", params=said).status_code == 404
    assert shown(stage, path).status_code == 200


def test_there_are_at_most_so_many_links(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown_links, "MAX_LINKS", 1)
    badge = earn(stage, "writer")
    who = holder(stage)
    authority_link(who, badge=badge)
    answer = who.post(f"{HOME}/new", **{"for": "B", "name": "N", "licence": "1", "days": "7", "badge": badge})
    assert answer.status_code == 409
    assert "End one before you make another." in answer.text


def test_erasing_a_member_ends_the_links_and_leaves_no_name_or_number(stage: Stage) -> None:
    badge = earn(stage, "writer")
    who = holder(stage)
    paths = [authority_link(who, badge=badge), authority_link(who, collection=who.make("My year", badge))]
    stage.send("DELETE", "./members/m11")
    for path in paths:
        assert shown(stage, path).status_code == 404
    with stage.runtime.database.read() as session:
        for name, table in Row.metadata.tables.items():
            content = repr(session.execute(select(table)).all())
            assert NAME not in content, name
            assert NUMBER not in content, name
