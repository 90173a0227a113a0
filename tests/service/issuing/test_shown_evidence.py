"""Which items of evidence a badge shows, as its recipient chooses."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.checking import check
from service.errors import ServiceError
from service.issuing import shown_evidence
from service.issuing.shown_evidence import EvidenceItem
from service.runtime.runtime import Runtime
from tests.worlds.awarding import SHARE_TWICE, Stage, once
from tests.worlds.presenting import document_of, hide, present, row_of
from tests.worlds.runtimes import Clock, desk_of


@once
def laid(stage: Stage) -> str:
    stage.achievement(rule=SHARE_TWICE | {"gte": 3}, valid_for="P1Y")
    stage.member("ana", email="ana@river.example.org")
    for n in (1, 2, 3):
        stage.share(n, "ana", minutes=30 * n)
    [award] = stage.awards(member="ana")
    credential_id: str = award["credential"]["id"]
    return credential_id


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def badge(stage: Stage, clock: Clock) -> str:
    credential_id = laid(stage)
    clock.advance(days=1)
    return credential_id


def genres(stage: Stage, badge: str) -> list[str]:
    return [each["genre"] for each in document_of(stage.runtime, badge)["evidence"]]


def items(stage: Stage, badge: str) -> list[EvidenceItem]:
    with stage.runtime.database.read() as session:
        return shown_evidence.items(session, row_of(stage.runtime, badge))


def answers(stage: Stage, received: str | bytes) -> dict[str, tuple[str, str]]:
    checked = check.check(desk_of(stage.runtime), received)
    return {each.name: (each.answer, each.reason) for each in checked.questions}


def test_items_are_told_with_what_can_be_left_out(stage: Stage, badge: str) -> None:
    assert [(each.id.rpartition("/")[2], each.hidden, each.hideable) for each in items(stage, badge)[:-1]] == [
        ("evidence-1", False, True),
        ("evidence-2", False, True),
        ("evidence-3", False, True),
        ("time", False, True),
    ]
    assert (items(stage, badge)[-1].item["genre"], items(stage, badge)[-1].hideable) == ("receipt", False)


def test_a_hidden_item_stands_in_no_form_and_its_number_is_told(stage: Stage, badge: str) -> None:
    gone = items(stage, badge)[1].item["digestMultibase"]
    assert gone in row_of(stage.runtime, badge).signed
    hide(stage.runtime, badge, "evidence-2")
    for ending in (".json", ".jwt", ".svg", ".html"):
        assert gone not in stage.client.get(f"/credentials/{badge}{ending}").text
    assert genres(stage, badge) == ["shared", "shared", "duration", "receipt", "summary"]
    assert document_of(stage.runtime, badge)["evidence"][-1] == {
        "id": f"http://localhost:8000/credentials/{badge}#not-shown",
        "type": ["Evidence"],
        "narrative": "1 more record of the network, which is not shown here.",
        "genre": "summary",
    }


@pytest.mark.parametrize(
    "hidden", [("evidence-1",), ("evidence-1", "evidence-2", "evidence-3"), ("time",), ("evidence-3", "time")]
)
def test_what_is_hidden_makes_no_answer_red_or_open(stage: Stage, badge: str, hidden: tuple[str, ...]) -> None:
    before = answers(stage, row_of(stage.runtime, badge).signed)
    hide(stage.runtime, badge, *hidden)
    after = answers(stage, row_of(stage.runtime, badge).signed)
    if len(hidden) == 3:  # no record is cited any more, so that there is nothing to compare; the rule is still retraced
        assert after.pop("evidence")[0] not in {"no", "could-not-check"}
        before.pop("evidence")
    assert after == before


def test_a_voided_record_shows_even_if_it_is_hidden(stage: Stage, badge: str) -> None:
    stage.achievement("recorded", award="reviewed")
    hide(stage.runtime, badge, "evidence-1")
    stage.share(4, "ana")
    record = stage.send("GET", "./contributions/ana-share-1")
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted twice."})
    assert answers(stage, row_of(stage.runtime, badge).signed)["evidence"] == ("no", "evidence-taken-back")


def test_a_copy_of_before_keeps_what_it_has_and_stays_good(stage: Stage, badge: str) -> None:
    given = row_of(stage.runtime, badge).signed
    hide(stage.runtime, badge, "evidence-1")
    checked = check.check(desk_of(stage.runtime), given)
    assert (checked.headline, checked.report.verdict) == ("genuine-newer-copy", "verified")
    assert {answer for answer, _ in answers(stage, given).values()} == {"yes"}


def test_what_was_hidden_is_shown_again_exactly_where_it_stood(stage: Stage, badge: str, clock: Clock) -> None:
    before = document_of(stage.runtime, badge)["evidence"]
    for hidden in (("evidence-2",), ("evidence-1", "evidence-3"), ("time", "evidence-1"), ()):
        clock.advance(hours=1)
        hide(stage.runtime, badge, *hidden)
        assert [each.id for each in items(stage, badge) if each.hidden] == sorted(hidden)
    assert document_of(stage.runtime, badge)["evidence"] == before


def test_the_same_choice_again_signs_nothing(stage: Stage, badge: str, clock: Clock) -> None:
    hide(stage.runtime, badge, "evidence-2")
    before = row_of(stage.runtime, badge).signed
    clock.advance(days=1)
    hide(stage.runtime, badge, "evidence-2")
    assert row_of(stage.runtime, badge).signed == before


def test_a_new_name_leaves_hidden_what_is_hidden(stage: Stage, badge: str) -> None:
    hide(stage.runtime, badge, "evidence-2")
    present(stage.runtime, badge, name_shown="plain", name="Ana Souza")
    assert genres(stage, badge) == ["shared", "shared", "duration", "receipt", "summary"]
    hide(stage.runtime, badge)
    assert "Ana Souza" in row_of(stage.runtime, badge).signed


@pytest.mark.parametrize(("item", "code"), [("evidence-9", "evidence-item-unknown"), ("", "evidence-item-unknown")])
def test_an_item_that_is_not_there_cannot_be_hidden(stage: Stage, badge: str, item: str, code: str) -> None:
    before = row_of(stage.runtime, badge).signed
    with pytest.raises(ServiceError) as caught:
        hide(stage.runtime, badge, "evidence-1", item)
    assert (caught.value.code, caught.value.pointer) == (code, "/hidden")
    assert row_of(stage.runtime, badge).signed == before


def test_neither_the_receipt_nor_a_number_of_records_can_be_hidden(stage: Stage, badge: str) -> None:
    with pytest.raises(ServiceError) as caught:
        hide(stage.runtime, badge, items(stage, badge)[-1].id)
    assert caught.value.code == "evidence-item-needed"
    hide(stage.runtime, badge, "evidence-1")
    with pytest.raises(ServiceError) as caught:
        hide(stage.runtime, badge, "evidence-1", "not-shown")
    assert caught.value.code == "evidence-item-unknown"


def test_the_badge_that_this_one_renews_can_be_hidden(stage: Stage, badge: str, clock: Clock) -> None:
    clock.advance(days=400)
    [award] = stage.awards(member="ana")
    made: Any = stage.send("POST", f"./awards/{award['id']}/renewal")
    newer = made["credential"]["id"]
    earlier = f"http://localhost:8000/credentials/{badge}"
    assert earlier in row_of(stage.runtime, newer).signed
    hide(stage.runtime, newer, earlier)
    assert f'"{earlier}"' not in json.dumps(document_of(stage.runtime, newer))
    assert genres(stage, newer)[-1] == "receipt"
