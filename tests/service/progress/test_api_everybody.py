"""Where everybody stands on the way to an achievement."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from service.progress import everybody
from service.runtime.runtime import Runtime
from tests.worlds.awarding import SHARE_TWICE, Stage, once

PATH = "./achievements/sharer/progress"
THRICE = SHARE_TWICE | {"gte": 3}


@once
def laid(stage: Stage) -> None:
    for ref in ("m11", "m12", "m13", "m14"):
        stage.member(ref, name=ref.upper(), email=f"{ref}@example.org")
    stage.achievement(rule=THRICE)
    for ref, times in (("m12", 1), ("m13", 3), ("m14", 2)):
        for n in range(times):
            stage.share(n, ref)


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def everyone(stage: Stage, **query: Any) -> list[Any]:
    """Return the rows of all pages of two."""
    items: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = stage.send("GET", PATH, params={"limit": 2} | query | after)
        items += page["items"]
        if "next" not in page:
            return items
        after = {"after": page["next"]}


def refs(stage: Stage, **query: Any) -> list[str]:
    return [row["member"] for row in everyone(stage, **query)]


def test_each_member_is_told_with_numbers_and_award(stage: Stage) -> None:
    rows = {row["member"]: row for row in everyone(stage)}
    assert list(rows) == ["m11", "m12", "m13", "m14"]
    assert [(row["met"], round(row["progress"], 2)) for row in rows.values()] == [
        (False, 0),
        (False, 0.33),
        (True, 1),
        (False, 0.67),
    ]
    one = stage.send("GET", "./members/m14/progress")["items"][0]
    without = {name: value for name, value in one["criteria"].items() if name not in {"records", "record_ids"}}
    assert rows["m14"]["criteria"] == without
    assert rows["m14"]["text"] == one["text"] == "2 of 3 resources in contributions of type shared"
    [award] = stage.awards()
    assert (rows["m13"]["award"], rows["m13"]["award_state"]) == (award["id"], "awarded")
    assert "award" not in rows["m14"]


def test_the_nearest_come_first_if_it_is_asked_for(stage: Stage) -> None:
    assert refs(stage, sort="-progress") == ["m13", "m14", "m12", "m11"]
    assert refs(stage, sort="-progress", met=False, limit=1) == ["m14", "m12", "m11"]


def test_members_are_chosen_by_what_they_have_reached(stage: Stage) -> None:
    assert refs(stage, met=True) == ["m13"]
    assert refs(stage, met=False) == ["m11", "m12", "m14"]
    assert refs(stage, awarded=True) == ["m13"]
    assert refs(stage, awarded=False, sort="-progress") == ["m14", "m12", "m11"]
    credential = stage.awards()[0]["credential"]["id"]
    stage.send("POST", f"/v1/credentials/{credential}/revocation", {"reason": "Wrong member."})
    [row] = everyone(stage, met=True)
    assert (row["award_state"], refs(stage, awarded=True)) == ("revoked", [])


def test_a_member_is_judged_by_the_version_that_binds_them(stage: Stage) -> None:
    body = {"name": "Sharer", "description": "Shares.", "achievement_type": "Badge", "award": "automatic"}
    stage.send("PUT", "./achievements/sharer", body | {"criteria": {"narrative": "Once.", "rule": SHARE_TWICE}})
    stage.send("POST", "./achievements/sharer/publication")
    rows = {row["member"]: row for row in everyone(stage)}
    assert {ref: (row["version"], row["enrolled"]) for ref, row in rows.items()} == {
        "m11": (2, False),
        "m12": (1, True),
        "m13": (1, True),
        "m14": (1, True),
    }
    assert rows["m14"]["met"] is False


def test_nobody_is_told_of_who_was_erased(stage: Stage) -> None:
    stage.send("DELETE", "./members/m14", token=stage.token_with("members:erase"))
    for query in ({}, {"sort": "-progress"}, {"awarded": False}, {"met": False}):
        assert "m14" not in refs(stage, **query)


def test_the_member_of_a_row_can_be_asked_for(stage: Stage) -> None:
    assert everyone(stage, expand="member")[1]["expanded"]["member"].items() >= {"name": "M12", "ref": "m12"}.items()
    assert "expanded" not in everyone(stage)[1]
    basic = stage.token_with("read:basic")
    [row, *_] = stage.send("GET", PATH, params={"expand": "member"}, token=basic)["items"]
    assert "email" not in row["expanded"]["member"]


def test_an_achievement_without_a_rule_is_nearer_to_nobody(stage: Stage) -> None:
    stage.achievement("honoured", rule=None, award="reviewed")
    rows = stage.send("GET", "./achievements/honoured/progress", params={"sort": "-progress"})["items"]
    assert {(row["met"], row["progress"], row["text"]) for row in rows} == {
        (False, 0, "awarded by a person's decision; there is no rule")
    }
    assert all("criteria" not in row for row in rows)


def test_a_draft_is_refused_with_what_tries_it(stage: Stage) -> None:
    stage.achievement("draft", publish=False)
    answer = stage.call("GET", "./achievements/draft/progress")
    assert (answer.status_code, answer.json()["code"]) == (409, "achievement-unpublished")
    assert "dry-run" in answer.json()["detail"]
    assert stage.call("GET", "./achievements/nothing/progress").status_code == 404


def test_it_is_read_in_the_network_with_the_scope(stage: Stage) -> None:
    answer = stage.call("GET", PATH, token=stage.token_with("evidence:write"))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    assert stage.call("GET", PATH, token=other.token).status_code == 404


def test_a_network_that_is_too_large_is_not_sorted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everybody, "SORTED", 3)
    answer = stage.call("GET", PATH, params={"sort": "-progress"})
    assert (answer.status_code, answer.json()["code"], answer.json()["pointer"]) == (422, "too-many-to-sort", "sort")
    assert len(everyone(stage)) == 4


def test_a_page_that_looks_for_few_among_many_ends_and_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everybody, "LOOKED_AT", 2)
    monkeypatch.setattr(everybody, "MEMBERS_AT_ONCE", 1)
    page = stage.send("GET", PATH, params={"met": True})
    assert page["items"] == []
    assert page["next"]
    assert refs(stage, met=True) == ["m13"]


def test_a_page_costs_no_more_statements_with_more_members(runtime: Runtime, stage: Stage) -> None:
    asked: list[str] = []

    @event.listens_for(runtime.database.engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not threading.current_thread().name.startswith("laurel-"):
            asked.append(statement)

    def cost(**query: Any) -> int:
        stage.send("GET", PATH, params=query)
        asked.clear()
        stage.send("GET", PATH, params=query)
        return len(asked)

    queries: tuple[dict[str, Any], ...] = ({}, {"sort": "-progress"}, {"met": False}, {"expand": "member"})
    few = [cost(**query) for query in queries]
    for number in range(15):
        stage.member(f"more-{number}", name="More")
        stage.share(1, f"more-{number}")
    assert [cost(**query) for query in queries] == few
