"""Rules in people's words: what each kind asks for, and what was reached."""

from typing import Any

import pytest

from service.criteria import tree
from service.criteria.kinds.rule import Rule
from service.sharing.rules import parts, sentences
from service.sharing.rules.told import Names, Reached
from service.texts.languages import ENGLISH, SPANISH

NAMES = Names({"sharer": "Generous Sharer", "reader": "Generous Reader"}, {("feedback", "specific"): "Is specific"})

CASES: list[tuple[dict[str, Any], str, tuple[float, float], str]] = [
    (
        {"rule": "count", "gte": 4, "where": {"types": ["reviewed"], "tags_any": ["peer-writing"]}},
        "At least 4 reviews, tagged “peer writing”",
        (5, 4),
        "5 reviews, tagged “peer writing” (4 needed)",
    ),
    ({"rule": "count", "gte": 1}, "At least 1 contribution", (2, 1), "2 contributions (1 needed)"),
    (
        {"rule": "count", "gte": 2, "where": {"types": ["shared", "x-studio_visit"]}},
        "At least 2 contributions (resources shared or “studio visit”)",
        (2, 2),
        "2 contributions (resources shared or “studio visit”) (2 needed)",
    ),
    (
        {
            "rule": "count",
            "distinct": "session",
            "gte": 3,
            "where": {"types": ["attended"], "series": "autumn-circle", "min_tier": 3},
        },
        "Attend at least 3 meetings of “autumn circle”, confirmed by the network",
        (4, 3),
        "Attended 4 meetings of “autumn circle”, confirmed by the network (3 needed)",
    ),
    (
        {"rule": "count", "gte": 1, "where": {"types": ["attended"]}},
        "Attend at least 1 meeting",
        (1, 1),
        "Attended 1 meeting (1 needed)",
    ),
    (
        {"rule": "count", "distinct": "peer", "gte": 2, "where": {"types": ["mentored"], "role": "lead_mentor"}},
        "At least 2 different colleagues in mentoring, in the role “lead mentor”",
        (3, 2),
        "3 different colleagues in mentoring, in the role “lead mentor” (2 needed)",
    ),
    (
        {"rule": "count", "distinct": "resource", "gte": 2, "where": {"types": ["shared"], "sessions": ["c-1", "c-2"]}},
        "At least 2 resources shared, in the meeting “c 1” or “c 2”",
        (2, 2),
        "2 resources shared, in the meeting “c 1” or “c 2” (2 needed)",
    ),
    (
        {"rule": "count", "credit": "sharer", "gte": 3, "where": {"types": ["adopted"], "min_tier": 1}},
        "At least 3 times that colleagues took up shared resources, confirmed at least by a peer",
        (1, 3),
        "1 time that a colleague took up a shared resource, confirmed at least by a peer (3 needed)",
    ),
    (
        {"rule": "count", "credit": "sharer", "distinct": "peer", "gte": 2, "where": {"types": ["adopted"]}},
        "At least 2 different colleagues who took up shared resources",
        (2, 2),
        "2 different colleagues who took up shared resources (2 needed)",
    ),
    (
        {"rule": "count", "credit": "sharer", "distinct": "resource", "gte": 1, "where": {"types": ["adopted"]}},
        "At least 1 shared resource that colleagues took up",
        (2, 1),
        "2 shared resources that colleagues took up (1 needed)",
    ),
    (
        {"rule": "count", "distinct": "week", "gte": 6, "window": {"last": "P1Y"}},
        "At least 6 weeks with contributions, not more than 1 year ago",
        (7, 6),
        "7 weeks with contributions, not more than 1 year before the decision (6 needed)",
    ),
    (
        {"rule": "sum", "field": "minutes", "gte": 420, "where": {"types": ["facilitated"]}, "cap_per": {"day": 120}},
        "At least 7 hours of meetings led, counting at most 2 hours a day",
        (455, 420),
        "7 hours and 35 minutes of meetings led, counting at most 2 hours a day (7 hours needed)",
    ),
    (
        {"rule": "sum", "field": "minutes", "gte": 30, "where": {"series": "open-lab"}},
        "At least 30 minutes of contributions, in the series “open lab”",
        (0, 30),
        "0 minutes of contributions, in the series “open lab” (30 minutes needed)",
    ),
    (
        {"rule": "count", "where": {"types": ["shared"], "objective": "FEEDBACK-1"}, "gte": 2},
        "At least 2 resources shared, in meetings about the objective “FEEDBACK-1”",
        (1, 2),
        "1 resource shared, in meetings about the objective “FEEDBACK-1” (2 needed)",
    ),
    (
        {"rule": "attendance", "series": "writing-group", "min_sessions": 6, "min_minutes": 45},
        "Attend at least 6 meetings of “writing group”, each for 45 minutes or longer",
        (8, 6),
        "Attended 8 meetings of “writing group”, each for 45 minutes or longer (6 needed)",
    ),
    (
        {"rule": "attendance", "series": "writing-group", "min_rate": 0.75},
        "Attend at least 75% of the meetings of “writing group”",
        (6, 6),
        "Attended 6 meetings of “writing group” (6 needed)",
    ),
    (
        {"rule": "attendance", "series": "Lesekreis", "min_sessions": 1, "min_rate": 0.5},
        "Attend at least 1 meeting of “Lesekreis”, and at least 50% of all its meetings",
        (3, 2),
        "Attended 3 meetings of “Lesekreis” (2 needed)",
    ),
    (
        {"rule": "rubric", "rubric": "feedback", "criteria": ["specific", "kind"], "min_level": 3, "raters": 2},
        (
            "Reach level 3 or better in the rubric “feedback”: “Is specific” and “kind”, in one piece of work, "
            "as judged by at least 2 people"
        ),
        (2, 2),
        (
            "Reached level 3 or better in 2 criteria of the rubric “feedback”, in one piece of work, "
            "as judged by at least 2 people (2 needed)"
        ),
    ),
    (
        {"rule": "rubric", "rubric": "feedback", "criteria": "*", "min_level": 2, "part": "essay"},
        "Reach level 2 or better in every criterion of the rubric “feedback”, in one piece of work, in its part “essay”",
        (0, 3),
        (
            "Reached level 2 or better in 0 criteria of the rubric “feedback”, in one piece of work, in its part “essay” "
            "(3 needed)"
        ),
    ),
    (
        {"rule": "score", "assessment": "final-quiz", "gte": 0.9},
        "Score at least 90% in “final quiz”",
        (0.955, 0.9),
        "Scored 95.5% in “final quiz” (90% needed)",
    ),
    (
        {"rule": "score", "assessment": "final-quiz", "stat": "last", "gte": 0.9, "where": {"min_tier": 2}},
        "Score at least 90% in “final quiz”, the last score counts, confirmed at least by a facilitator",
        (0.9, 0.9),
        "Scored 90% in “final quiz”, the last score counts, confirmed at least by a facilitator (90% needed)",
    ),
    (
        {"rule": "gain", "instrument": "quiz", "metric": "raw", "gte": 0.3, "min_days": 60, "same_form": False},
        "Improve by at least 30 percentage points in “quiz”, with at least 60 days in between, on two different forms",
        (0.4, 0.3),
        (
            "Improved by 40 percentage points in “quiz”, with at least 60 days in between, on two different forms "
            "(30 percentage points needed)"
        ),
    ),
    (
        {"rule": "gain", "instrument": "quiz", "metric": "normalized", "gte": 0.5, "same_form": True},
        "Gain at least 50% of what is left to learn in “quiz”, on the same form",
        (0.6, 0.5),
        "Gained 60% of what was left to learn in “quiz”, on the same form (50% needed)",
    ),
    (
        {"rule": "score", "assessment": "quiz", "gte": 0.9, "self_report": True},
        "Score at least 90% in “quiz”, own answers included",
        (0.9, 0.9),
        "Scored 90% in “quiz”, own answers included (90% needed)",
    ),
    (
        {"rule": "gain", "instrument": "quiz", "metric": "normalized", "gte": 0.5, "self_report": True},
        "Gain at least 50% of what is left to learn in “quiz”, own answers included",
        (0.6, 0.5),
        "Gained 60% of what was left to learn in “quiz”, own answers included (50% needed)",
    ),
    (
        {"rule": "endorsed", "skill": "facilitation", "gte": 4, "distinct_orgs": 2, "max_reciprocal": 1},
        (
            "Be endorsed for “facilitation” by at least 4 people, from at least 2 organizations, "
            "with at most 1 of them endorsed in return"
        ),
        (5, 4),
        (
            "Endorsed for “facilitation” by 5 people, with at most 1 of them endorsed in return "
            "(4 from at least 2 organizations needed)"
        ),
    ),
    (
        {"rule": "endorsed", "skill": "care", "gte": 1, "from_role": "coach", "from_achievement": "sharer"},
        (
            "Be endorsed for “care” by at least 1 person, by people with the role “coach”, "
            "by people with the badge “Generous Sharer”"
        ),
        (1, 1),
        (
            "Endorsed for “care” by 1 person, by people with the role “coach”, by people with the badge “Generous Sharer” "
            "(1 needed)"
        ),
    ),
    (
        {"rule": "holds", "achievements": ["sharer", "reader", "unheard-of"]},
        "Hold all of these badges: “Generous Sharer”, “Generous Reader” and “unheard of”",
        (3, 3),
        "Held 3 of these badges: “Generous Sharer”, “Generous Reader” and “unheard of” (3 needed)",
    ),
    (
        {"rule": "holds", "achievements": ["sharer"], "valid_on_award": True, "min_version": 2},
        "Hold the badge “Generous Sharer”, valid at the time of the award, in version 2 or later",
        (1, 1),
        "Held 1 of these badges: “Generous Sharer”, valid at the time of the award, in version 2 or later (1 needed)",
    ),
    (
        {"rule": "holds", "achievements": ["sharer", "reader"], "n": 1},
        "Hold at least 1 of these badges: “Generous Sharer” and “Generous Reader”",
        (2, 1),
        "Held 2 of these badges: “Generous Sharer” and “Generous Reader” (1 needed)",
    ),
    (
        {"rule": "tenure", "role": "facilitator", "min_days": 56, "min_sessions_led": 7},
        "Have the role “facilitator” for at least 56 days, with at least 7 meetings led in it",
        (60, 56),
        "Had the role “facilitator” for 60 days (56 days and 7 meetings led needed)",
    ),
    (
        {"rule": "tenure", "role": "facilitator", "min_sessions_led": 1},
        "Lead at least 1 meeting in the role “facilitator”",
        (2, 1),
        "Led 2 meetings in the role “facilitator” (1 needed)",
    ),
    (
        {"rule": "tenure", "role": "coach", "min_days": 1, "window": {"from": "2026-09-01", "to": "2026-12-01"}},
        "Have the role “coach” for at least 1 day, from 1 September 2026 on and before 1 December 2026",
        (1, 1),
        "Had the role “coach” for 1 day, from 1 September 2026 on and before 1 December 2026 (1 day needed)",
    ),
    (
        {"rule": "approval", "by_role": "site_director"},
        "Be approved by 1 person with the role “site director”",
        (1, 1),
        "Approved by 1 person with the role “site director” (1 needed)",
    ),
    (
        {"rule": "approval", "by_role": "coach", "n": 2, "window": {"since": "enrolment"}},
        "Be approved by at least 2 people with the role “coach”, after enrolment",
        (2, 2),
        "Approved by 2 people with the role “coach”, after enrolment (2 needed)",
    ),
]


def parsed(rule: dict[str, Any]) -> Rule:
    criterion = tree.parse(rule)
    assert isinstance(criterion, Rule)
    return criterion


@pytest.mark.parametrize(("rule", "asked"), [case[:2] for case in CASES])
def test_a_rule_says_what_it_asks_for(rule: dict[str, Any], asked: str) -> None:
    assert sentences.sentence(parsed(rule), ENGLISH, NAMES) == asked


@pytest.mark.parametrize(("rule", "numbers", "said"), [(case[0], *case[2:]) for case in CASES])
def test_a_rule_says_what_was_reached(rule: dict[str, Any], numbers: tuple[float, float], said: str) -> None:
    observed, required = numbers
    reached = Reached(observed, required, observed >= required)
    assert sentences.sentence(parsed(rule), ENGLISH, NAMES, reached) == said


def test_every_kind_of_rule_has_its_sentences_here() -> None:
    assert {case[0]["rule"] for case in CASES} == set(tree.KINDS)


GAIN = {"rule": "gain", "instrument": "quiz", "metric": "change", "gte": 0.3, "or_post_gte": 0.8}


@pytest.mark.parametrize(
    ("reached", "said"),
    [
        (
            Reached(0.4, 0.3, met=True),
            "Gained 40% of what was left to learn in “quiz” (30%, or a score of 80% afterwards, needed)",
        ),
        (Reached(0.1, 0.3, met=True), "Scored well enough in “quiz” afterwards (80% needed)"),
        (
            Reached(-0.2, 0.3, met=False),
            "Gained -20% of what was left to learn in “quiz” (30%, or a score of 80% afterwards, needed)",
        ),
    ],
)
def test_a_gain_that_a_score_may_replace_says_which_of_them_counted(reached: Reached, said: str) -> None:
    assert sentences.sentence(parsed(GAIN), ENGLISH, NAMES, reached) == said


def test_a_gain_says_which_score_may_replace_it() -> None:
    said = sentences.sentence(parsed(GAIN), ENGLISH, NAMES)
    assert said == "Gain at least 30% of what is left to learn in “quiz”, or score at least 80% afterwards"


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ({"from": "2026-09-01"}, "from 1 September 2026 on"),
        ({"to": "2026-09-01T08:00:00Z"}, "before 1 September 2026, 08:00 UTC"),
        ({"last": "P1Y2M3W4D"}, "not more than 1 year, 2 months, 3 weeks and 4 days ago"),
        ({"last": "PT5H6M7S"}, "not more than 5 hours, 6 minutes and 7 seconds ago"),
    ],
)
def test_a_window_of_time_ends_the_sentence(window: dict[str, str], said: str) -> None:
    rule = parsed({"rule": "count", "gte": 2, "window": window})
    assert sentences.sentence(rule, ENGLISH, NAMES) == f"At least 2 contributions, {said}"


@pytest.mark.parametrize("kind", list(parts.KINDS))
def test_every_type_of_contribution_has_its_own_words(kind: str) -> None:
    one, two = (
        sentences.sentence(parsed({"rule": "count", "gte": n, "where": {"types": [kind]}}), ENGLISH, NAMES)
        for n in (1, 2)
    )
    assert "1" in one
    assert "2" in two
    assert "contribution" not in one + two


ONE, TWO = {"rule": "count", "gte": 1}, {"rule": "count", "gte": 2}


def shown(rule: dict[str, Any], node: dict[str, Any] | None = None) -> list[tuple[int, str, bool | None]]:
    found = sentences.lines(tree.parse(rule), ENGLISH, NAMES, node)
    return [(line.depth, line.text, line.met) for line in found]


@pytest.mark.parametrize(
    ("group", "heading"),
    [
        ({"all": [ONE, TWO]}, "All of these:"),
        ({"any": [ONE, TWO]}, "At least one of these:"),
        ({"at_least": {"of": [ONE, TWO, ONE], "n": 2}}, "At least 2 of these:"),
        ({"at_least": {"of": [ONE, TWO], "n": 2}}, "All of these:"),
    ],
)
def test_a_group_stands_above_its_rules(group: dict[str, Any], heading: str) -> None:
    first, *below = shown(group)
    assert first == (0, heading, None)
    assert below[:2] == [(1, "At least 1 contribution", None), (1, "At least 2 contributions", None)]


def test_a_group_of_one_is_shown_as_the_one() -> None:
    assert shown({"all": [{"any": [TWO]}]}) == [(0, "At least 2 contributions", None)]


def test_groups_in_groups_are_told_with_what_was_reached() -> None:
    def leaf(observed: int, required: int) -> dict[str, Any]:
        return {"rule": "count", "met": observed >= required, "observed": observed, "required": required}

    either = {"rule": "any", "met": True, "observed": 1, "required": 1, "children": [leaf(1, 1), leaf(1, 2)]}
    choice = {"rule": "at_least", "met": False, "observed": 1, "required": 2}
    choice["children"] = [leaf(1, 1), leaf(1, 2), leaf(1, 2)]
    both = {"rule": "all", "met": False, "observed": 1, "required": 2, "children": [either, choice]}
    rule = {"all": [{"any": [ONE, TWO]}, {"at_least": {"of": [ONE, TWO, TWO], "n": 2}}]}
    assert shown(rule, both) == [
        (0, "All of these were needed:", False),
        (1, "At least one of these was needed:", True),
        (2, "1 contribution (1 needed)", True),
        (2, "1 contribution (2 needed)", False),
        (1, "At least 2 of these were needed:", False),
        (2, "1 contribution (1 needed)", True),
        (2, "1 contribution (2 needed)", False),
        (2, "1 contribution (2 needed)", False),
    ]


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        (ONE, False),
        ({"any": [ONE, {"all": [TWO]}]}, False),
        ({"any": [ONE, {"all": [TWO, {"rule": "approval", "by_role": "coach"}]}]}, True),
    ],
)
def test_a_rule_knows_whether_people_must_approve(rule: dict[str, Any], asks: bool) -> None:
    assert sentences.asks_for_people(tree.parse(rule)) is asks


@pytest.mark.parametrize(
    ("rule", "asked", "numbers", "said"),
    [
        (
            {"rule": "attendance", "series": "autumn-circle", "min_sessions": 3, "min_minutes": 45},
            "Asistir al menos a 3 reuniones de «autumn circle», cada vez durante 45 minutos o más",
            (4, 3),
            "Asistió a 4 reuniones de «autumn circle», cada vez durante 45 minutos o más (mínimo: 3)",
        ),
        (
            {"rule": "sum", "field": "minutes", "gte": 90, "where": {"types": ["reviewed", "commented"]}},
            "Al menos 1 hora y 30 minutos de revisiones o comentarios",
            (120, 90),
            "2 horas de revisiones o comentarios (mínimo: 1 hora y 30 minutos)",
        ),
        (
            {"rule": "score", "assessment": "quiz", "gte": 0.9, "window": {"last": "P1Y"}},
            "Obtener al menos el 90\N{NO-BREAK SPACE}% en «quiz», hace no más de 1 año",
            (0.955, 0.9),
            "Obtuvo el 95,5\N{NO-BREAK SPACE}% en «quiz», no más de 1 año antes de la decisión (mínimo: 90\N{NO-BREAK SPACE}%)",
        ),
    ],
)
def test_a_rule_is_told_in_spanish(rule: dict[str, Any], asked: str, numbers: tuple[float, float], said: str) -> None:
    assert sentences.sentence(parsed(rule), SPANISH, NAMES) == asked
    assert sentences.sentence(parsed(rule), SPANISH, NAMES, Reached(*numbers, met=True)) == said
