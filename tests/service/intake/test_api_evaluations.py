"""Evaluations: of members, contributions, sessions and the network; by somebody else, and by nobody's stand-in."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from service.tables import Evaluation, Rating, Record
from tests.worlds.acting import Actor, actor, all_pages, refused, told
from tests.worlds.posting import (
    AT,
    ENDORSEMENT,
    REVIEW,
    ROOT,
    RUBRIC,
    SURVEY,
    hill,
    posted,
    river,
    rows_of,
    statuses,
    unsettled,
)

PATH = f"{ROOT}/evaluations"
SCORE = {
    "kind": "score",
    "about": {"member": "m11"},
    "evaluator": "m12",
    "occurred_at": AT,
    "assessment": "quiz",
    "score": {"raw": 17, "max": 20},
}
REFLECTION = {"kind": "reflection", "about": {"member": "m11"}, "occurred_at": AT, "text": "What I would do otherwise."}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    return river(runtime, client)


def ids(who: Actor) -> dict[str, str]:
    return {item["ref"]: item["id"] for item in who.get(f"{ROOT}/members").json()["items"]}


def newest(runtime: Runtime) -> Any:
    return max(rows_of(runtime, Evaluation), key=lambda row: row.record_id)


def test_a_rubric_evaluation_is_kept_with_its_ratings(runtime: Runtime, who: Actor) -> None:
    body = RUBRIC | {
        "ref": "rubric-1",
        "rubric_version": "2",
        "part": "artifacts",
        "ratings": {"specific": 3, "kind/useful~": 2.5},
        "comment": "Names what helps.",
    }
    made = posted(who.post(PATH, body))
    assert (made["status"], made["tier"]) == ("accepted", 3)
    shown = posted(who.get(f"{PATH}/rubric-1"), 200)
    assert (shown["body"], shown["kind"], shown["digest"]) == (body, "evaluation", made["digest"])
    [row], members = rows_of(runtime, Evaluation), ids(who)
    assert (row.kind, row.about_kind, str(row.about_id), str(row.member_id)) == (
        "rubric",
        "member",
        members["m11"],
        members["m11"],
    )
    assert (str(row.evaluator_id), row.instrument, row.instrument_version, row.part) == (
        members["m12"],
        "feedback",
        "2",
        "artifacts",
    )
    assert (row.local_date.isoformat(), row.local_week, row.scaled) == ("2026-03-01", "2026-W09", None)
    assert {rating.criterion: rating.level for rating in rows_of(runtime, Rating)} == {
        "specific": 3,
        "kind/useful~": 2.5,
    }
    assert unsettled(runtime) == 0


def test_of_a_contribution_it_bears_on_its_member(runtime: Runtime, who: Actor) -> None:
    work = posted(who.post(f"{ROOT}/contributions", REVIEW | {"ref": "draft-1"}))["id"]
    for name in ("draft-1", work, work.upper()):
        posted(who.post(PATH, RUBRIC | {"about": {"contribution": name}}))
        row = newest(runtime)
        assert (row.about_kind, str(row.about_id), str(row.member_id)) == ("contribution", work, ids(who)["m11"])


def test_of_a_session_or_the_network_it_bears_on_nobody(runtime: Runtime, who: Actor) -> None:
    answers = {"worth my time": 4, "what else": "  It was  good. ", "blank": "", "skipped": None, "decimal": 2.5}
    posted(who.post(PATH, SURVEY | {"answers": answers}))
    row = newest(runtime)
    assert (row.about_kind, row.member_id, row.evaluator_id, row.instrument) == ("session", None, None, "pulse")
    shown = posted(who.get(f"{PATH}/{row.record_id}"), 200)
    assert shown["body"]["answers"] == answers
    posted(who.post(PATH, SURVEY | {"about": {"network": "river-writers"}, "anonymous": False}))
    assert newest(runtime).about_kind == "network"
    posted(who.post(PATH, SURVEY | {"anonymous": False, "evaluator": "m11"}))
    assert str(newest(runtime).evaluator_id) == ids(who)["m11"]


def test_a_survey_about_a_member_names_who_answers(runtime: Runtime, who: Actor) -> None:
    body = SURVEY | {"about": {"member": "m11"}, "anonymous": False}
    assert refused(who.post(PATH, body)) == (422, "evaluator-missing", "/evaluator")
    posted(who.post(PATH, body | {"evaluator": "m12"}))
    assert str(newest(runtime).member_id) == ids(who)["m11"]


SCALED = [
    ({"raw": 17, "max": 20}, 0.85),
    ({"raw": 17, "max": 20, "scaled": 0.85}, 0.85),
    ({"raw": 2, "max": 3, "scaled": 0.67}, 2 / 3),
    ({"raw": 3, "min": 1, "max": 5}, 0.5),
    ({"raw": 1, "min": 1, "max": 5}, 0),
    ({"raw": -5, "min": -10, "max": 0}, 0.5),
    ({"scaled": 0.7}, 0.7),
    ({"scaled": 1, "raw": 12}, 1),
]


def test_a_score_is_scaled_from_what_it_says(runtime: Runtime, who: Actor) -> None:
    for score, scaled in SCALED:
        posted(who.post(PATH, SCORE | {"score": score}))
        row = newest(runtime)
        assert (row.instrument, row.scaled) == ("quiz", scaled)


def test_a_program_scores_without_an_evaluator(runtime: Runtime, who: Actor) -> None:
    posted(who.post(PATH, {name: value for name, value in SCORE.items() if name != "evaluator"}))
    assert newest(runtime).evaluator_id is None


def test_an_endorsement_says_for_which_skill(runtime: Runtime, who: Actor) -> None:
    posted(who.post(PATH, ENDORSEMENT | {"skill": "peer feedback", "statement": "I could use it the same evening."}))
    assert newest(runtime).instrument == "peer feedback"


def test_a_reflection_may_be_ones_own(runtime: Runtime, who: Actor) -> None:
    for said in ({"evaluator": "m11"}, {}):
        posted(who.post(PATH, REFLECTION | said))
        row = newest(runtime)
        assert row.evaluator_id == row.member_id is not None
    posted(who.post(PATH, REFLECTION | {"evaluator": "m12"}))
    assert str(newest(runtime).evaluator_id) == ids(who)["m12"]
    about_all = REFLECTION | {"about": {"session": "s1"}}
    assert refused(who.post(PATH, about_all)) == (422, "evaluator-missing", "/evaluator")


def test_nobody_evaluates_themself_under_any_ref(runtime: Runtime, who: Actor) -> None:
    posted(who.post(f"{ROOT}/contributions", REVIEW | {"ref": "draft-1"}))
    posted(who.put(f"{ROOT}/members/m11-too", {"email": "M11@Example.org"}))
    for body in (RUBRIC, SCORE, ENDORSEMENT, SURVEY | {"anonymous": False}):
        for about in ({"member": "m11"}, {"contribution": "draft-1"}):
            for evaluator in ("m11", "m11-too"):
                if (body["kind"], evaluator) == ("survey", "m11") and "member" in about:
                    continue  # an answer about oneself: test_self_reports.py
                answer = who.post(PATH, body | {"about": about, "evaluator": evaluator})
                assert refused(answer) == (422, "self-evaluation", "/evaluator")
                assert "m11" not in answer.text
    assert rows_of(runtime, Evaluation) == []


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    (RUBRIC, {"occurred_at": "2026-03-02T12:05:01Z"}, "time-in-future", "/occurred_at"),
    (RUBRIC, {"about": {"session": "s2"}}, "session-unknown", "/about/session"),
    (RUBRIC, {"about": {"contribution": "nothing"}}, "contribution-unknown", "/about/contribution"),
    (
        RUBRIC,
        {"about": {"contribution": "00000000-0000-7000-8000-000000000000"}},
        "contribution-unknown",
        "/about/contribution",
    ),
    (RUBRIC, {"about": {"network": "hill-readers"}}, "network-unknown", "/about/network"),
    (RUBRIC, {"about": {}}, "about-one", "/about"),
    (RUBRIC, {"about": {"member": "m11", "session": "s1"}}, "about-one", "/about"),
    (RUBRIC, {"about": {"achievement": "x"}}, "extra-forbidden", "/about/achievement"),
    (RUBRIC, {"evaluator": None}, "evaluator-missing", "/evaluator"),
    (ENDORSEMENT, {"evaluator": None}, "evaluator-missing", "/evaluator"),
    (RUBRIC, {"anonymous": True, "evaluator": None}, "anonymous-kind", "/anonymous"),
    (SCORE, {"anonymous": True, "evaluator": None}, "anonymous-kind", "/anonymous"),
    (SURVEY, {"evaluator": "m12"}, "anonymous-evaluator", "/evaluator"),
    (SURVEY, {"about": {"member": "m11"}}, "anonymous-about", "/about"),
    (SURVEY, {"answers": {}}, "too-short", "/answers"),
    (SURVEY, {"answers": {"q": True}}, "number-invalid", "/answers/q"),
    (SURVEY, {"answers": {"q": [1]}}, "number-invalid", "/answers/q"),
    (SURVEY, {"answers": {"q": 2**53}}, "number-invalid", "/answers/q"),
    (SURVEY, {"answers": {"q": "x" * 10_001}}, "answer-too-long", "/answers/q"),
    (SURVEY, {"answers": {"": 1}}, "string-too-short", "/answers/"),
    (RUBRIC, {"ratings": {}}, "too-short", "/ratings"),
    (RUBRIC, {"ratings": {"a": "3"}}, "number-invalid", "/ratings/a"),
    (RUBRIC, {"ratings": {"a": -1}}, "greater-than-equal", "/ratings/a"),
    (RUBRIC, {"ratings": {"a": 1001}}, "less-than-equal", "/ratings/a"),
    (RUBRIC, {"ratings": {" a": 1}}, "line-invalid", "/ratings/ a"),
    (RUBRIC, {"rubrik": "x"}, "extra-forbidden", "/rubrik"),
    (RUBRIC, {"kind": "verdict"}, "evaluation-kind", "/kind"),
    (RUBRIC, {"kind": ["rubric"]}, "evaluation-kind", "/kind"),
    (RUBRIC, {"kind": "endorsement"}, "extra-forbidden", "/rubric"),
    (SCORE, {"score": {}}, "score-incomplete", "/score"),
    (SCORE, {"score": {"raw": 3}}, "score-incomplete", "/score"),
    (SCORE, {"score": {"raw": 1, "min": 0, "max": 2, "scaled": 0}}, "score-mismatch", "/score"),
    (SCORE, {"score": {"raw": 3, "max": 2}}, "score-out-of-range", "/score"),
    (SCORE, {"score": {"raw": 3, "min": 4, "max": 9}}, "score-out-of-range", "/score"),
    (SCORE, {"score": {"raw": 3, "min": 3, "max": 3}}, "score-range", "/score"),
    (SCORE, {"score": {"scaled": 1.01}}, "less-than-equal", "/score/scaled"),
    (SCORE, {"score": {"scaled": "0.7"}}, "number-invalid", "/score/scaled"),
]


def test_what_cannot_be_is_refused_where_it_stands(runtime: Runtime, who: Actor) -> None:
    for body, said, code, pointer in REFUSED:
        answer = who.post(PATH, body | said)
        assert refused(answer) == (422, code, pointer or None), answer.text
        assert '"m11"' not in answer.text
    assert rows_of(runtime, Record) == []


def test_another_networks_contribution_is_unknown(runtime: Runtime, client: TestClient, who: Actor) -> None:
    other = hill(runtime, client)
    posted(other.put("/v1/networks/hill-readers/members/m11", {}))
    theirs = posted(other.post("/v1/networks/hill-readers/contributions", REVIEW | {"ref": "draft-1"}))["id"]
    for name in ("draft-1", theirs):
        answer = who.post(PATH, RUBRIC | {"about": {"contribution": name}})
        assert refused(answer) == (422, "contribution-unknown", "/about/contribution")
    assert refused(who.get(f"{PATH}/{theirs}")) == (404, "record-unknown", None)


def test_it_is_held_for_whoever_is_not_known_yet(runtime: Runtime, who: Actor) -> None:
    judged = posted(who.post(PATH, RUBRIC | {"about": {"member": "dana"}, "evaluator": "emil"}), 202)
    assert judged["waits_for"] == "/about/member"
    posted(who.put(f"{ROOT}/members/dana", {}))
    assert statuses(runtime) == ["held"]
    posted(who.put(f"{ROOT}/members/emil", {}))
    assert statuses(runtime) == ["accepted"]
    assert posted(who.post(PATH, RUBRIC | {"evaluator": "fred"}), 202)["waits_for"] == "/evaluator"


def test_of_a_held_contribution_it_waits_for_the_same_member(runtime: Runtime, who: Actor) -> None:
    posted(who.post(f"{ROOT}/contributions", REVIEW | {"ref": "draft-1", "member": "dana", "peer": "emil"}), 202)
    held = posted(who.post(PATH, RUBRIC | {"about": {"contribution": "draft-1"}}), 202)
    assert held["waits_for"] == "/about/contribution"
    posted(who.put(f"{ROOT}/members/dana", {}))
    assert statuses(runtime) == ["held", "held"]
    posted(who.put(f"{ROOT}/members/emil", {}))
    assert statuses(runtime) == ["accepted", "accepted"]
    assert str(newest(runtime).member_id) == ids(who)["dana"]


def test_what_turns_out_to_be_of_oneself_is_quarantined(runtime: Runtime, who: Actor) -> None:
    posted(who.post(PATH, RUBRIC | {"evaluator": "m11-too"}), 202)
    posted(who.put(f"{ROOT}/members/m11-too", {"email": "m11@example.org"}))
    assert statuses(runtime) == ["quarantined"]
    assert told(runtime).count("record.quarantined") == 1
    assert rows_of(runtime, Evaluation) == []


def test_a_members_token_speaks_for_that_member_alone(runtime: Runtime, client: TestClient, who: Actor) -> None:
    m12 = actor(runtime, client, slug="river-writers", member="m12")
    own = {name: value for name, value in RUBRIC.items() if name != "evaluator"}
    assert posted(m12.post(PATH, own))["tier"] == 1
    assert str(newest(runtime).evaluator_id) == ids(who)["m12"]
    posted(m12.post(PATH, RUBRIC))
    for evaluator in ("m13", "nobody-yet"):
        answer = m12.post(PATH, RUBRIC | {"evaluator": evaluator})
        assert refused(answer) == (403, "evaluator-not-caller", "/evaluator")
    assert refused(m12.post(PATH, own | {"about": {"member": "m12"}})) == (422, "self-evaluation", "/evaluator")
    assert refused(m12.post(PATH, SURVEY)) == (403, "anonymous-token", "/anonymous")
    posted(who.put(f"{ROOT}/members/m12", {"roles": ["assessor"]}), 200)
    assert posted(m12.post(PATH, own | {"occurred_at": "2026-03-02T10:00:00Z"}))["tier"] == 2


def test_the_same_again_is_the_same_record_also_at_the_same_moment(runtime: Runtime, who: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: who.post(PATH, SURVEY | {"ref": "answer-1"}), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len(rows_of(runtime, Evaluation)) == 1
    assert refused(who.post(PATH, SURVEY | {"ref": "answer-1", "answers": {"q": 1}})) == (409, "record-differs", "/ref")


def test_evaluations_are_listed_by_member_and_kind(who: Actor) -> None:
    posted(who.post(PATH, RUBRIC | {"ref": "r"}))
    posted(who.post(PATH, SURVEY | {"ref": "s"}))
    posted(who.post(PATH, ENDORSEMENT | {"ref": "e", "about": {"member": "m12"}, "evaluator": "m11"}))

    def refs(**query: Any) -> list[str]:
        return [item["ref"] for item in all_pages(who, PATH, **query)]

    assert refs() == ["r", "s", "e"]
    assert refs(kind="survey") == ["s"]
    assert refs(member="m12") == ["e"]
    assert refused(who.get(PATH, kind="verdict"))[0] == 422
