import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.criteria import tree
from service.criteria.kinds.attendance import Attendance
from service.criteria.kinds.rule import Rule
from service.criteria.tree import BEYOND_SCHEMA, Criterion
from service.durations import Duration
from service.errors import InvalidError
from tests.worlds.criteria_worlds import definitions

SCHEMA = tree.json_schema("https://badges.example/schemas/criteria/1")
NEW_YORK = ZoneInfo("America/New_York")
COUNT = {"rule": "count", "gte": 1}
RUBRIC = {"rule": "rubric", "rubric": "feedback", "criteria": ["kind"], "min_level": 3}
GAIN = {"rule": "gain", "instrument": "quiz", "metric": "change", "gte": 0.3}
ENDORSED = {"rule": "endorsed", "skill": "feedback", "gte": 2}
TENURE = {"rule": "tenure", "role": "facilitator", "min_days": 56}
SUM = {"rule": "sum", "field": "minutes", "gte": 60}

# The definitions of five programmes, as the reference on peer learning gives them, in the words of criteria/1.
TEACHER_WRITER = {
    "all": [
        {
            "at_least": {
                "n": 3,
                "of": [
                    {"rule": "attendance", "series": "writing-group", "min_sessions": 6, "min_minutes": 45},
                    {
                        "rule": "count",
                        "where": {"types": ["reviewed", "commented"], "tags_any": ["peer-writing"]},
                        "distinct": "peer",
                        "gte": 4,
                    },
                    {
                        "rule": "count",
                        "where": {"types": ["authored"], "tags_any": ["publication"], "min_tier": 1},
                        "gte": 1,
                    },
                    {"rule": "count", "where": {"types": ["mentored"], "min_tier": 2}, "distinct": "peer", "gte": 1},
                    {
                        "rule": "count",
                        "where": {"types": ["authored"], "tags_any": ["co-authored-digital"]},
                        "gte": 1,
                    },
                ],
            }
        },
        {"rule": "approval", "by_role": "site_director", "n": 1, "not_conflicted": True},
    ]
}
PORTFOLIO = {
    "all": [
        {"rule": "rubric", "rubric": "feedback", "part": part, "criteria": "*", "min_level": level, "raters": raters}
        for part, level, raters in (("overview", 1, 1), ("artifacts", 3, 2), ("reflection", 1, 2))
    ]
}
FACILITATOR = {
    "all": [
        {"rule": "holds", "achievements": ["guidelines-and-tools"], "n": 1},
        {"rule": "tenure", "role": "facilitator", "min_days": 56, "min_sessions_led": 7},
        {
            "rule": "sum",
            "where": {"types": ["facilitated"], "min_tier": 3},
            "field": "minutes",
            "gte": 420,
            "cap_per": {"day": 120},
        },
        {"rule": "endorsed", "skill": "facilitation", "gte": 4, "distinct_orgs": 2, "max_reciprocal": 1},
    ]
}
FELLOW = {
    "all": [
        {"rule": "attendance", "series": "fellows-2026", "min_rate": 0.75, "min_minutes": 60},
        {
            "rule": "rubric",
            "rubric": "collaboratives",
            "criteria": ["design", "evidence-of-learning"],
            "min_level": 3,
            "raters": 2,
        },
        {
            "rule": "count",
            "where": {"types": ["shared"], "min_tier": 2},
            "distinct": "resource",
            "gte": 2,
            "window": {"from": "2026-09-01", "to": "2027-07-01"},
        },
        {
            "any": [
                {"rule": "gain", "instrument": "assignment-design", "metric": "change", "gte": 0.3, "min_days": 60},
                {"rule": "score", "assessment": "assignment-design-post", "stat": "best", "gte": 0.9},
            ]
        },
    ]
}
PRACTICE_LEAD = {
    "all": [
        {"rule": "holds", "achievements": ["a", "b", "c", "d", "e"], "n": 4, "valid_on_award": True},
        {
            "rule": "count",
            "where": {"types": ["goal_met"], "min_tier": 1},
            "gte": 1,
            "window": {"last": "P1Y"},
        },
        {
            "rule": "count",
            "where": {"types": ["attended", "commented", "reviewed", "shared"]},
            "distinct": "week",
            "gte": 12,
            "window": {"last": "P6M"},
        },
    ]
}


def refusal(definition: Any) -> InvalidError | None:
    try:
        tree.parse(definition, "/criteria/rule")
    except InvalidError as error:
        return error
    return None


def is_of_schema(definition: Any) -> bool:
    return bool(jsonschema_rs.is_valid(SCHEMA, definition))


def rule(**members: Any) -> Rule:
    parsed = tree.parse(members)
    assert isinstance(parsed, Rule)
    return parsed


@pytest.mark.parametrize(
    ("definition", "code", "pointer"),
    [
        pytest.param({}, "criterion-invalid", "", id="nothing"),
        pytest.param([COUNT], "criterion-invalid", "", id="a list"),
        pytest.param({"not": COUNT}, "criterion-invalid", "", id="no not"),
        pytest.param({"all": []}, "too-short", "/all", id="an empty group"),
        pytest.param({"any": [COUNT, {"any": []}]}, "too-short", "/any/1/any", id="an empty group inside"),
        pytest.param({"at_least": {"n": 1, "of": []}}, "too-short", "/at_least/of", id="an empty choice"),
        pytest.param({"at_least": {"n": 0, "of": [COUNT]}}, "greater-than-equal", "/at_least/n", id="none needed"),
        pytest.param({"at_least": {"n": 2, "of": [COUNT]}}, "n-too-large", "/at_least/n", id="more than there are"),
        pytest.param({"all": [COUNT], "any": [COUNT]}, "extra-forbidden", "/any", id="two groups in one"),
        pytest.param({"rule": "counts", "gte": 1}, "rule-unknown", "/rule", id="an unknown rule"),
        pytest.param({"all": [{"rule": None}]}, "rule-unknown", "/all/0/rule", id="a rule that is null"),
        pytest.param({"rule": "count"}, "missing", "/gte", id="a member missing"),
        pytest.param(COUNT | {"gte": 0}, "greater-than-equal", "/gte", id="zero"),
        pytest.param(COUNT | {"gte": -4}, "greater-than-equal", "/gte", id="below zero"),
        pytest.param(COUNT | {"gte": 1.5}, "int-type", "/gte", id="a fraction"),
        pytest.param(COUNT | {"gte": True}, "int-type", "/gte", id="true for a number"),
        pytest.param(COUNT | {"gte": "4"}, "int-type", "/gte", id="text for a number"),
        pytest.param(COUNT | {"lte": 4}, "extra-forbidden", "/lte", id="an unknown member"),
        pytest.param(COUNT | {"a/b~c": 4}, "extra-forbidden", "/a~1b~0c", id="an unknown member with a slash"),
        pytest.param(COUNT | {"<count>": 4}, "extra-forbidden", "/<count>", id="an unknown member named as a branch"),
        pytest.param(GAIN | {"self_report": "yes"}, "bool-type", "/self_report", id="a word for true or false"),
        pytest.param(RUBRIC | {"self_report": True}, "extra-forbidden", "/self_report", id="a rubric by oneself"),
        pytest.param(COUNT | {"where": None}, "null", "/where", id="null for left out"),
        pytest.param(
            COUNT | {"where": {"type": ["reviewed"]}}, "extra-forbidden", "/where/type", id="a misspelt filter"
        ),
        pytest.param(COUNT | {"where": {"types": []}}, "too-short", "/where/types", id="no types"),
        pytest.param(
            COUNT | {"where": {"types": ["reviewed", "watched"]}},
            "contribution-type-unknown",
            "/where/types/1",
            id="an unknown type",
        ),
        pytest.param(COUNT | {"credit": "sharer"}, "credit-types", "", id="credit for anything"),
        pytest.param(
            COUNT | {"credit": "sharer", "where": {"types": ["adopted", "shared"]}},
            "credit-types",
            "",
            id="credit for one's own too",
        ),
        pytest.param(
            COUNT | {"credit": "sharer", "where": {"types": ["adopted"]}, "distinct": "day"},
            "credit-distinct",
            "",
            id="credit by days",
        ),
        pytest.param(COUNT | {"where": {"types": ["shared", "shared"]}}, "repeated", "/where/types", id="a type twice"),
        pytest.param(
            COUNT | {"where": {"tags_any": [" a"]}}, "line-invalid", "/where/tags_any/0", id="a tag with space"
        ),
        pytest.param(COUNT | {"where": {"min_tier": 4}}, "less-than-equal", "/where/min_tier", id="no such tier"),
        pytest.param(
            COUNT | {"where": {"statuses": ["held"]}}, "literal-error", "/where/statuses/0", id="held evidence"
        ),
        pytest.param(COUNT | {"distinct": "month"}, "literal-error", "/distinct", id="no such unit"),
        pytest.param(COUNT | {"window": {}}, "window-invalid", "/window", id="an empty window"),
        pytest.param(COUNT | {"window": {"last": "P0D"}}, "duration-invalid", "/window/last", id="no time"),
        pytest.param(COUNT | {"window": {"last": "-P1D"}}, "duration-invalid", "/window/last", id="negative time"),
        pytest.param(COUNT | {"window": {"last": "P1.5D"}}, "duration-invalid", "/window/last", id="parts of a day"),
        pytest.param(COUNT | {"window": {"since": "ever"}}, "literal-error", "/window/since", id="since what"),
        pytest.param(
            COUNT | {"window": {"last": "P1D", "from": "2026-01-01"}},
            "extra-forbidden",
            "/window/from",
            id="two windows in one",
        ),
        pytest.param(COUNT | {"window": {"from": "2026-02-30"}}, "date-unknown", "/window/from", id="30 February"),
        pytest.param(COUNT | {"window": {"from": "2026-W01-1"}}, "date-invalid", "/window/from", id="a week date"),
        pytest.param(
            COUNT | {"window": {"from": "2026-01-01T00:00:00"}}, "date-invalid", "/window/from", id="without zone"
        ),
        pytest.param(
            COUNT | {"window": {"from": "2026-05-01", "to": "2026-05-01"}},
            "window-empty",
            "/window/to",
            id="a window without time in it",
        ),
        pytest.param(
            COUNT | {"window": {"from": "2026-05-01T08:00:00Z", "to": "2026-05-01T09:30:00+02:00"}},
            "window-empty",
            "/window/to",
            id="a window that ends before it begins",
        ),
        pytest.param(RUBRIC | {"criteria": []}, "too-short", "/criteria", id="no criteria"),
        pytest.param(RUBRIC | {"criteria": "all"}, "literal-error", "/criteria", id="neither * nor a list"),
        pytest.param(RUBRIC | {"criteria": ["kind", "kind"]}, "repeated", "/criteria", id="a criterion twice"),
        pytest.param(RUBRIC | {"raters": 0}, "greater-than-equal", "/raters", id="nobody rates"),
        pytest.param(RUBRIC | {"min_level": -1}, "greater-than-equal", "/min_level", id="a level below zero"),
        pytest.param(
            RUBRIC | {"where": {"types": ["shared"]}}, "extra-forbidden", "/where/types", id="types of ratings"
        ),
        pytest.param(SUM | {"field": "credits"}, "literal-error", "/field", id="what is not kept"),
        pytest.param(SUM | {"cap_per": {}}, "too-short", "/cap_per", id="a cap on nothing"),
        pytest.param(SUM | {"cap_per": {"day": 0}}, "greater-than-equal", "/cap_per/day", id="a cap of zero"),
        pytest.param(SUM | {"cap_per": {"year": 1}}, "literal-error", "/cap_per/year", id="a cap on a year"),
        pytest.param(SUM | {"cap_per": {"day": 1, "week": 5}}, "too-long", "/cap_per", id="two caps"),
        pytest.param({"rule": "attendance", "series": "club"}, "attendance-unbounded", "", id="attendance of nothing"),
        pytest.param(
            {"rule": "attendance", "series": "club", "min_rate": 1.1}, "less-than-equal", "/min_rate", id="over 100 %"
        ),
        pytest.param(
            {"rule": "score", "assessment": "final", "gte": 0}, "greater-than", "/gte", id="a score of nothing"
        ),
        pytest.param({"rule": "score", "assessment": "final", "gte": 1.01}, "less-than-equal", "/gte", id="over full"),
        pytest.param({"rule": "holds", "achievements": []}, "too-short", "/achievements", id="holds nothing"),
        pytest.param({"rule": "holds", "achievements": ["a"], "n": 2}, "n-too-large", "/n", id="holds more than named"),
        pytest.param(GAIN | {"metric": "hake"}, "literal-error", "/metric", id="no such metric"),
        pytest.param(GAIN | {"gte": 1.1}, "less-than-equal", "/gte", id="more than can be gained"),
        pytest.param(ENDORSED | {"distinct_orgs": 3}, "orgs-too-many", "/distinct_orgs", id="more places than people"),
        pytest.param(
            ENDORSED | {"from_badge": "a"}, "extra-forbidden", "/from_badge", id="achievements are not badges here"
        ),
        pytest.param({"rule": "tenure", "role": "lead"}, "tenure-unbounded", "", id="tenure of nothing"),
        pytest.param(TENURE | {"role": "Lead"}, "string-pattern-mismatch", "/role", id="what is no role"),
        pytest.param(
            TENURE | {"window": {"since": "enrolment"}}, "window-unfit", "/window", id="days since an instant"
        ),
        pytest.param({"all": [COUNT] * 100}, "criteria-too-large", "", id="too many rules"),
        pytest.param(
            json.loads('{"any": [' * 9 + json.dumps(COUNT) + "]}" * 9), "criteria-too-large", "", id="too deep"
        ),
    ],
)
def test_what_is_not_criteria_is_refused_where_it_stands(definition: Any, code: str, pointer: str) -> None:
    error = refusal(definition)
    assert error is not None
    assert (error.code, error.pointer) == (code, "/criteria/rule" + pointer)
    assert error.message.endswith(".")


def test_every_fault_of_a_definition_is_told() -> None:
    error = refusal({"all": [COUNT | {"gte": 0}, RUBRIC | {"part": ""}, {"rule": "x"}]})
    assert error is not None
    assert [(fault["code"], fault["pointer"]) for fault in error.details["errors"]] == [
        ("greater-than-equal", "/criteria/rule/all/0/gte"),
        ("string-too-short", "/criteria/rule/all/1/part"),
        ("rule-unknown", "/criteria/rule/all/2/rule"),
    ]


def test_the_schema_is_a_schema_and_has_all_ten_names() -> None:
    jsonschema_rs.meta.validate(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(tree.KINDS) == {
        *("count", "sum", "attendance", "rubric", "score"),
        *("gain", "endorsed", "holds", "tenure", "approval"),
    }


@given(definition=definitions)
def test_random_definitions_are_of_the_model_and_of_the_schema(definition: dict[str, Any]) -> None:
    assert refusal(definition) is None
    assert is_of_schema(definition)


odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5),
    st.sampled_from((0.5, 1.0, 4.0, 1e9, 10**30)),
    st.sampled_from(
        ("", " a", "a\n", "\u2028", "\x7f", "*", "reviewed", "count", "sum", "P1Y", "P", "2026-01-01", "é")
    ),
    st.sampled_from(
        ("2026-02-30", "2026-01-01T00:00:00Z", "2026-01-01T00:00:60Z", "x-own", "x-", "enrolment", "approval")
    ),
    st.just([]),
    st.just({}),
    st.lists(st.sampled_from(("kind", "kind ", "reviewed")), max_size=3),
    st.sampled_from(({"last": "P1D"}, {"day": 3}, {"n": 1, "of": [COUNT]}, COUNT, RUBRIC)),
)


@st.composite
def near_definitions(draw: st.DrawFn) -> Any:
    """Give definitions with one or two members or entries taken away, put in or exchanged."""
    definition: Any = deepcopy(draw(definitions))
    names = (
        "rule",
        "where",
        "window",
        "gte",
        "n",
        "of",
        "all",
        "types",
        "last",
        "from",
        "to",
        "cap_per",
        "min_level",
        "odd",
    )
    for _ in range(draw(st.integers(1, 2))):
        at = definition
        while draw(st.booleans()):
            inner = [value for value in (at.values() if isinstance(at, dict) else at) if isinstance(value, dict | list)]
            if not inner:
                break
            at = draw(st.sampled_from(inner))
        if isinstance(at, dict):
            key = draw(st.sampled_from((*at, *names)))
            if key in at and draw(st.booleans()):
                del at[key]
            else:
                at[key] = deepcopy(draw(odd_values))
        elif at and draw(st.booleans()):
            at[draw(st.integers(0, len(at) - 1))] = deepcopy(draw(odd_values))
        else:
            at.append(deepcopy(draw(odd_values)))
    return definition


@given(definition=near_definitions())
def test_the_schema_agrees_with_the_model_on_what_is_almost_a_definition(definition: Any) -> None:
    error = refusal(definition)
    if error is None:
        assert is_of_schema(definition)
    elif is_of_schema(definition):
        assert {fault["code"] for fault in error.details.get("errors", [{"code": error.code}])} <= set(BEYOND_SCHEMA)


@pytest.mark.parametrize(
    "definition",
    [TEACHER_WRITER, PORTFOLIO, FACILITATOR, FELLOW, PRACTICE_LEAD],
    ids=["teacher writer", "portfolio", "facilitator", "fellow", "practice lead"],
)
def test_the_definitions_of_real_programmes_are_criteria(definition: dict[str, Any]) -> None:
    assert refusal(definition) is None
    assert is_of_schema(definition)


def codes_and_pointers(definition: Any, zone: ZoneInfo = NEW_YORK) -> list[tuple[str, str]]:
    parsed = tree.parse(definition)
    return [(fault.code, fault.pointer) for fault in tree.faults(parsed, zone, "/criteria/rule")]


@pytest.mark.parametrize("definition", [TEACHER_WRITER, PORTFOLIO, FACILITATOR, FELLOW, PRACTICE_LEAD])
def test_the_definitions_of_real_programmes_can_be_met(definition: dict[str, Any]) -> None:
    assert codes_and_pointers(definition) == []


WEEK = {"from": "2026-03-02", "to": "2026-03-09"}


@pytest.mark.parametrize(
    ("possible", "impossible", "pointer"),
    [
        pytest.param(
            COUNT | {"distinct": "day", "gte": 7, "window": WEEK},
            COUNT | {"distinct": "day", "gte": 8, "window": WEEK},
            "/gte",
            id="more days than the window has",
        ),
        pytest.param(
            COUNT | {"distinct": "week", "gte": 2, "window": WEEK},
            COUNT | {"distinct": "week", "gte": 3, "window": WEEK},
            "/gte",
            id="more weeks than the window can touch",
        ),
        pytest.param(
            COUNT | {"distinct": "day", "gte": 8, "window": {"last": "P1W"}},
            COUNT | {"distinct": "day", "gte": 11, "window": {"last": "P1W"}},
            "/gte",
            id="more days than the last week has",
        ),
        pytest.param(
            COUNT | {"distinct": "session", "gte": 2, "where": {"sessions": ["a", "b"]}},
            COUNT | {"distinct": "session", "gte": 3, "where": {"sessions": ["a", "b"]}},
            "/gte",
            id="more sessions than are named",
        ),
        pytest.param(
            SUM | {"gte": 420, "cap_per": {"day": 60}, "window": WEEK},
            SUM | {"gte": 421, "cap_per": {"day": 60}, "window": WEEK},
            "/gte",
            id="more minutes than the cap allows",
        ),
        pytest.param(
            TENURE | {"min_days": 7, "window": WEEK},
            TENURE | {"min_days": 8, "window": WEEK},
            "/min_days",
            id="more days in a role than the window has",
        ),
        pytest.param(
            GAIN | {"min_days": 6, "window": WEEK},
            GAIN | {"min_days": 7, "window": WEEK},
            "/min_days",
            id="more days between two than the window has",
        ),
        pytest.param(
            COUNT | {"window": {"from": "2026-03-02", "to": "2026-03-02T05:00:01Z"}},
            COUNT | {"window": {"from": "2026-03-02", "to": "2026-03-02T05:00:00Z"}},
            "/window/to",
            id="a day that begins only when the window ends",
        ),
    ],
)
def test_rules_that_nobody_can_meet_are_told(possible: Any, impossible: Any, pointer: str) -> None:
    assert codes_and_pointers({"all": [possible]}) == []
    ((code, place),) = codes_and_pointers({"all": [impossible]})
    assert code in {"rule-impossible", "window-empty"}
    assert place == "/criteria/rule/all/0" + pointer


@pytest.mark.parametrize("accepting", [GAIN, {"rule": "score", "assessment": "pulse", "gte": 0.5}])
def test_self_reports_are_not_asked_for_a_tier_that_they_never_have(accepting: dict[str, Any]) -> None:
    peers = accepting | {"where": {"min_tier": 1}}
    assert codes_and_pointers(peers) == codes_and_pointers(accepting | {"self_report": True}) == []
    both = peers | {"self_report": True}
    assert codes_and_pointers(both) == [("self-report-tier", "/criteria/rule/where/min_tier")]


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert rule(rule="count", gte=4.0) == rule(rule="count", gte=4)


def test_a_star_stands_for_the_declared_criteria() -> None:
    parsed = tree.parse({"at_least": {"n": 1, "of": [{"all": [RUBRIC | {"criteria": "*"}]}, {"any": [COUNT]}]}})
    resolved = tree.resolve(parsed, {"feedback": ["kind", "useful"], "other": ["x"]})
    rubric, count = tree.rules(resolved)
    assert rubric.requirement.startswith("2 criteria")
    assert count == rule(**COUNT)


@pytest.mark.parametrize(
    ("definition", "observed", "required", "sentence"),
    [
        (
            {"rule": "count", "where": {"types": ["reviewed"], "tags_any": ["peer-writing"]}, "gte": 4},
            *(3, 4, "3 of 4 contributions of type reviewed with tag peer-writing"),
        ),
        (COUNT, 0, 1, "0 of 1 contribution"),
        (
            COUNT
            | {
                "where": {
                    "types": ["shared", "authored", "x-own"],
                    "series": "club",
                    "sessions": ["s1"],
                    "min_tier": 2,
                },
                "distinct": "day",
                "window": {"last": "P1Y6M"},
            },
            *(1, 1, "1 of 1 day with contributions of type shared, authored or x-own in series club"),
        ),
        (
            COUNT | {"where": {"series": "club", "objective": "F1"}},
            *(0, 1, "0 of 1 contribution in series club in sessions about objective F1"),
        ),
        (
            SUM | {"cap_per": {"day": 45}, "window": {"from": "2026-09-01", "to": "2026-12-24T12:00:00Z"}},
            *(45, 60, "45 of 60 minutes of contributions from 2026-09-01 before 2026-12-24 12:00 UTC"),
        ),
        (
            {"rule": "attendance", "series": "club", "min_sessions": 2, "min_rate": 0.75, "min_minutes": 45},
            *(5, 6, "5 of 6 sessions of series club attended for 45 minutes or more"),
        ),
        (
            RUBRIC | {"criteria": ["kind", "useful"], "raters": 2, "part": "artifacts"},
            *(1, 2, "1 of 2 criteria of rubric feedback (part artifacts) at level 3 or better, found by 2 people"),
        ),
        (
            {"rule": "score", "assessment": "final", "gte": 0.9, "window": {"since": "enrolment"}},
            *(0.85, 0.9, "a best score in assessment final since enrolment: 0.85, needed 0.9"),
        ),
        (
            GAIN | {"self_report": True, "min_days": 2},
            *(0.5, 0.3, "a normalized change in quiz, their own answers included over 2 days or more: 0.5, needed 0.3"),
        ),
        (
            {"rule": "score", "assessment": "pulse", "gte": 0.5, "self_report": True},
            *(0.4, 0.5, "a best score in assessment pulse, their own answers included: 0.4, needed 0.5"),
        ),
        (
            GAIN | {"metric": "normalized", "min_days": 60, "same_form": False},
            *(0.1, 0.3, "a normalized gain in quiz over 60 days or more on another form: 0.1, needed 0.3"),
        ),
        (
            ENDORSED | {"from_role": "assessor", "from_achievement": "a", "max_reciprocal": 1},
            *(1, 2, "1 of 2 people who endorsed feedback as assessor holding a, at most 1 of them endorsed in return"),
        ),
        (TENURE | {"window": {"last": "P1Y"}}, *(1, 56, "1 of 56 days as facilitator in the last 1 year")),
        (
            {"rule": "holds", "achievements": ["a", "b"], "n": 1, "valid_on_award": True},
            *(0, 1, "0 held, needed 1 of the achievements a, b held and valid"),
        ),
    ],
)
def test_what_is_reached_is_said_in_words(definition: Any, observed: float, required: float, sentence: str) -> None:
    assert rule(**definition).sentence(observed, required).startswith(sentence)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({"all": [COUNT, COUNT]}, ("all of these", "1 of 2 conditions met, all needed")),
        ({"any": [COUNT, COUNT]}, ("one of these", "1 of 2 conditions met, one needed")),
        ({"at_least": {"n": 2, "of": [COUNT] * 3}}, ("2 of these 3", "1 of 3 conditions met, 2 needed")),
        ({"any": [COUNT]}, ("all of these", "1 of 1 condition met, all needed")),
    ],
)
def test_groups_are_said_in_words(definition: Any, words: tuple[str, str]) -> None:
    group = tree.parse(definition)
    assert isinstance(group, tree.Group)
    assert (group.requirement, group.sentence(1)) == words


@pytest.mark.parametrize(
    ("definition", "requirement"),
    [
        (GAIN | {"or_post_gte": 0.9}, "a normalized change in quiz of 0.3 or better or a score after in quiz of 0.9"),
        (ENDORSED | {"distinct_orgs": 2}, "2 people from 2 organizations who endorsed feedback"),
        (TENURE | {"min_sessions_led": 7}, "56 days as facilitator and 7 sessions led as facilitator"),
        ({"rule": "tenure", "role": "lead", "min_sessions_led": 1}, "1 session led as lead"),
        (COUNT | {"where": {"role": "lead"}}, "1 contribution as lead"),
        (COUNT | {"where": {"min_tier": 1}}, "1 contribution (seen by a peer at least)"),
        (COUNT | {"where": {"min_tier": 3}}, "1 contribution (confirmed by the network)"),
    ],
)
def test_what_is_asked_for_is_said_in_words(definition: Any, requirement: str) -> None:
    assert rule(**definition).requirement.startswith(requirement)


def stability(definition: Any) -> str:
    parsed: Criterion = tree.parse(definition)
    return parsed.stability


@pytest.mark.parametrize(
    "definition",
    [
        COUNT,
        COUNT | {"window": {"from": "2026-01-01"}},
        COUNT | {"window": {"since": "enrolment"}},
        SUM,
        RUBRIC,
        {"rule": "attendance", "series": "club", "min_sessions": 3},
        {"rule": "score", "assessment": "final", "gte": 0.5},
        {"rule": "holds", "achievements": ["a"]},
        {"rule": "endorsed", "skill": "feedback", "gte": 1, "distinct_orgs": 1, "from_role": "assessor"},
        {"rule": "tenure", "role": "facilitator", "min_days": 10, "min_sessions_led": 2},
        {"any": [COUNT, {"all": [RUBRIC]}]},
    ],
)
def test_what_can_only_grow_is_declared(definition: Any) -> None:
    assert stability(definition) == "grows"


@pytest.mark.parametrize(
    "definition",
    [
        COUNT | {"window": {"last": "P1Y"}},
        RUBRIC | {"window": {"last": "P1Y"}},
        {"rule": "attendance", "series": "club", "min_rate": 0.5},
        {"rule": "score", "assessment": "final", "gte": 0.5, "stat": "last"},
        {"rule": "score", "assessment": "final", "gte": 0.5, "stat": "first"},
        {"rule": "holds", "achievements": ["a"], "valid_on_award": True},
        {"rule": "endorsed", "skill": "feedback", "gte": 1, "max_reciprocal": 1},
        {"rule": "gain", "instrument": "quiz", "metric": "raw", "gte": 0.1},
        {"rule": "tenure", "role": "facilitator", "min_days": 10, "window": {"last": "P1Y"}},
        {"any": [COUNT, {"all": [RUBRIC | {"window": {"last": "P1D"}}]}]},
    ],
)
def test_what_may_change_is_declared(definition: Any) -> None:
    assert stability(definition) == "may-change"


@pytest.mark.parametrize(
    ("rate", "sessions", "begun", "required"),
    [
        (0.75, None, 8, 6),
        (0.75, None, 9, 7),
        (0.1, None, 30, 3),
        (1 / 3, 2, 3, 2),
        (1, None, 5, 5),
        (0.5, 3, 0, 3),
        (0.5, None, 0, 1),
    ],
)
def test_a_rate_asks_for_whole_sessions(rate: float, sessions: int | None, begun: int, required: int) -> None:
    said = {"rule": "attendance", "series": "club", "min_rate": rate} | ({"min_sessions": sessions} if sessions else {})
    attendance = rule(**said)
    assert isinstance(attendance, Attendance)
    assert attendance.measure(required - 1, begun)[0] == required


UTC_NOW = datetime(2024, 2, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "duration", "zone", "after"),
    [
        ("2024-02-29T12:00:00+00:00", "P1Y", "UTC", "2025-02-28T12:00:00+00:00"),
        ("2024-02-29T12:00:00+00:00", "P4Y", "UTC", "2028-02-29T12:00:00+00:00"),
        ("2026-01-31T12:00:00+00:00", "P1M", "UTC", "2026-02-28T12:00:00+00:00"),
        ("2026-11-30T12:00:00+00:00", "P1Y3M", "UTC", "2028-02-29T12:00:00+00:00"),
        # The calendar of the network decides: in Auckland it is already 1 March.
        ("2024-02-29T12:00:00+00:00", "P1Y", "Pacific/Auckland", "2025-02-28T12:00:00+00:00"),
        # A day keeps the time on the wall, 24 hours do not: the clocks go forward on 8 March 2026.
        ("2026-03-07T17:00:00+00:00", "P1D", "America/New_York", "2026-03-08T16:00:00+00:00"),
        ("2026-03-07T17:00:00+00:00", "PT24H", "America/New_York", "2026-03-08T17:00:00+00:00"),
        # The second 01:30 of the night in which the clocks go back is told from the first.
        ("2026-11-01T06:30:00+00:00", "PT15M", "America/New_York", "2026-11-01T06:45:00+00:00"),
        ("2026-12-31T00:00:00+00:00", "P2W1DT1H1M1S", "UTC", "2027-01-15T01:01:01+00:00"),
    ],
)
def test_durations_follow_the_calendar(start: str, duration: str, zone: str, after: str) -> None:
    moved = Duration.parse(duration).after(datetime.fromisoformat(start), ZoneInfo(zone))
    assert moved.isoformat() == after


@pytest.mark.parametrize(
    ("duration", "before"),
    [
        ("P1Y", "2023-02-28"),
        ("P1M", "2024-01-29"),
        ("P4Y", "2020-02-29"),
        ("P1W", "2024-02-22"),
        ("PT36H", "2024-02-28"),
    ],
)
def test_durations_count_back(duration: str, before: str) -> None:
    assert Duration.parse(duration).before(UTC_NOW, UTC).date().isoformat() == before


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "1Y", "P1H", "PT1D", "P1Y1Y", "P1D1W", "P-1D", "P1000Y", "p1y", "P1Y\n", "P٣Y"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        Duration.parse(text)


@given(
    text=st.from_regex(r"\AP(\d{1,3}Y)?(\d{1,3}M)?(\d{1,3}W)?(\d{1,5}D)?(T\d{1,5}H(\d{1,5}M)?(\d{1,5}S)?)?\Z"),
    now=st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  (the zone is added below)
)
def test_every_duration_can_be_counted_from_now(text: str, now: datetime) -> None:
    try:
        duration = Duration.parse(text)
    except ValueError:
        assert not any(digit in text for digit in "123456789") or not text.isascii()
        return
    now = now.replace(tzinfo=UTC)
    assert duration.before(now, NEW_YORK) < now < duration.after(now, NEW_YORK)


def test_durations_are_said_in_words() -> None:
    assert str(Duration.parse("P1Y")) == "1 year"
    assert str(Duration.parse("P2Y6M1D")) == "2 years, 6 months and 1 day"


def bounds(**window: Any) -> list[str | None]:
    found = rule(rule="count", gte=1, window=window).window
    assert found is not None
    return [moment.isoformat() if moment is not None else None for moment in found.bounds(UTC_NOW, NEW_YORK)]


def test_dates_begin_in_the_time_zone_of_the_network() -> None:
    assert bounds(**{"from": "2026-03-08", "to": "2026-03-09"}) == [
        "2026-03-08T05:00:00+00:00",
        "2026-03-09T04:00:00+00:00",
    ]
    assert bounds(to="2026-03-08T08:00:00+01:00") == [None, "2026-03-08T07:00:00+00:00"]
    assert bounds(last="P1Y") == ["2023-02-28T12:00:00+00:00", None]
    assert bounds(since="enrolment") == [None, None]


@pytest.mark.parametrize("name", sorted(SCHEMA["$defs"]))
def test_every_rule_and_group_has_an_example_that_is_one(name: str) -> None:
    described = SCHEMA["$defs"][name]
    if name in {"All", "AnyOf", "AtLeast"} or "rule" in described.get("properties", {}):
        [example] = described["examples"]
        assert refusal(example) is None
        assert is_of_schema(example)
