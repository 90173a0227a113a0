"""Reasons of a proposal, what it lacks and who would be next: in codes, and in words of both languages."""

from typing import Any

import pytest

from service.participation.calls import explaining, wording
from service.participation.calls.choosing import Candidate
from service.participation.calls.explaining import Part
from service.texts.languages import LANGUAGES, Language

A, B, C = ("art", "teacher", "west"), ("art", "teacher", "east"), ("maths", "head", "south")


def codes(people: list[Candidate], chosen: set[int], targets: int = 2) -> dict[int, list[str]]:
    found = explaining.reasons(people, targets, chosen)
    return {position: [part.code for part in parts] for position, parts in found.items()}


def test_the_only_one_who_knows_a_topic_and_who_knows_it_best_are_told_so() -> None:
    people = [Candidate({0: 3, 1: 1}, A), Candidate({1: 2}, A), Candidate({0: 1}, A)]
    found = explaining.reasons(people, 2, {0, 1})
    assert found == {0: [Part("only-one", (0,))], 1: [Part("knows-best", (1,))]}


def test_who_adds_a_group_is_told_which_and_whether_it_is_the_second() -> None:
    people = [Candidate({0: 1}, A), Candidate({0: 1}, A), Candidate({0: 1}, B), Candidate({0: 1}, A)]
    found = explaining.reasons(people, 1, {0, 1, 2})
    assert found[2] == [Part("adds-group", group="organization", number=2)]


@pytest.mark.parametrize(
    ("chosen", "outside", "code"),
    [
        ([Candidate({}, A), Candidate({}, A), Candidate({}, C), Candidate({}, C)], Candidate({}, A, 9), "more-diverse"),
        ([Candidate({0: 2}, A, 2), Candidate({0: 2}, A, 2)], Candidate({0: 2}, A, 1), "more-ready"),
        ([Candidate({0: 2}, A, 2), Candidate({0: 2}, A, 2)], Candidate({0: 2}, A, 2), "earlier"),
    ],
)
def test_who_brings_nothing_of_their_own_is_compared_with_those_outside(
    chosen: list[Candidate], outside: Candidate, code: str
) -> None:
    assert codes([*chosen, outside], set(range(len(chosen))))[len(chosen) - 1] == [code]


def test_a_set_of_everybody_says_so() -> None:
    assert codes([Candidate({}, A), Candidate({}, A)], {0, 1}) == {0: ["everybody"], 1: ["everybody"]}


def test_what_lacks_says_what_nobody_knows_what_was_left_out_and_what_is_known_only_in_part() -> None:
    people = [Candidate({0: 1}, A), Candidate({0: 1}, A), Candidate({1: 3}, A)]
    found = explaining.lacks(people, 3, {0, 1}, places=3, offered={})
    assert found == [
        Part("fewer-than-places", number=1),
        Part("nobody-brings", (2,)),
        Part("left-uncovered", (1,)),
        Part("basics-only", (0,)),
    ]


def test_one_organization_that_dominates_is_named_among_what_lacks() -> None:
    people = [Candidate({0: 2}, A), Candidate({0: 2}, A), Candidate({0: 2}, C)]
    found = explaining.lacks(people, 1, {0, 1, 2}, places=3, offered={"organization": ["west", "east"]})
    assert Part("one-dominates", group="organization", number=2) in found
    assert Part("group-missing", group="organization", number=1) in found
    alike = explaining.lacks([Candidate({0: 2}, A)] * 3, 1, {0, 1, 2}, places=3, offered={})
    assert Part("all-alike", group="role", number=3) in alike


def test_of_two_people_that_most_are_alike_says_nothing() -> None:
    assert explaining.lacks([Candidate({0: 2}, A)] * 2, 1, {0, 1}, places=2, offered={}) == []


def test_who_did_not_say_where_they_work_is_not_from_one_organization_with_others() -> None:
    nowhere = Candidate({0: 2}, ("", "", ""))
    assert explaining.lacks([nowhere] * 4, 1, {0, 1, 2, 3}, places=4, offered={}) == []
    assert codes([nowhere, Candidate({0: 2}, A)], {0, 1}, 1)[0] == ["everybody"]


def test_next_is_who_would_add_most() -> None:
    people = [Candidate({0: 2}, A), Candidate({0: 2}, A), Candidate({0: 2}, C), Candidate({1: 1}, A)]
    assert explaining.following(people, 2, {0}) == [
        (3, Part("would-cover", (1,))),
        (2, Part("would-add-group", group="discipline")),
        (1, Part("as-suitable")),
    ]


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=str)
@pytest.mark.parametrize("code", wording.CODES)
def test_every_code_has_a_sentence_in_every_language(code: str, language: Language) -> None:
    targets: list[dict[str, Any]] = [{"objective": "F-1", "topics": ["Feedback"]}, {"topics": ["Writing"]}]
    groups = explaining.GROUPS if code in wording.BY_GROUP else (None,)
    for group in groups:
        for number in (2, 3):
            said = Part(code, (0, 1), group, number).to_json()
            text = wording.sentence(language, said, targets)
            assert text.endswith((".", ")."))
            assert "%" not in text


def test_a_second_organization_is_called_that_and_topics_are_named_with_their_objectives() -> None:
    english = LANGUAGES["en"]
    targets: list[dict[str, Any]] = [{"objective": "F-1", "topics": ["Feedback", "Drafts"]}, {"topics": ["Writing"]}]
    second = Part("adds-group", group="organization", number=2).to_json()
    assert wording.sentence(english, second, targets) == "Adds a second organization."
    only = Part("only-one", (0, 1)).to_json()
    expected = "The only one of the set who knows: F-1 (Feedback, Drafts) and Writing."
    assert wording.sentence(english, only, targets) == expected
