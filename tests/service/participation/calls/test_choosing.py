"""The choice of k people: as good as comparing all sets where there are few, and quick where there are many."""

from itertools import combinations
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.participation.calls import choosing
from service.participation.calls.choosing import Candidate, choose, value_of

TARGETS = 5
LEVELS = st.dictionaries(st.integers(0, TARGETS - 1), st.integers(1, 3), max_size=3)
NAMES = st.sampled_from(["", "a", "b", "c"])
PEOPLE = st.lists(
    st.builds(Candidate, LEVELS, st.tuples(NAMES, NAMES, NAMES), st.integers(0, 10)), min_size=1, max_size=8
)


def alike(count: int) -> list[Candidate]:
    return [Candidate({0: 2}, ("a", "b", "c"), 3)] * count


def many(count: int) -> list[Candidate]:
    """Return people who differ in a fixed pattern, over 30 targets."""
    return [
        Candidate(
            {(n * 7 + place * 11) % 30: (n + place) % 3 + 1 for place in range(n % 4)},
            (f"d{n % 5}", f"r{n % 7}", f"o{n * n % 23}"),
            n * 3 % 11,
        )
        for n in range(count)
    ]


@given(PEOPLE, st.data())
def test_no_set_is_better_and_of_equal_ones_the_first_is_chosen(people: list[Candidate], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(people)))
    places = st.integers(0, len(people) - 1)
    included = data.draw(st.sets(places, max_size=k))
    every = [each for each in combinations(range(len(people)), k) if included <= set(each)]
    best = max(every, key=lambda each: (value_of(people, TARGETS, each), [-place for place in each]))
    found = choose(people, TARGETS, k, included)
    assert found.positions == best
    assert found.value == value_of(people, TARGETS, best)
    assert found.method in ("exact", "everybody")


@given(PEOPLE, st.data())
def test_the_exchange_is_never_better_than_its_bound_says(people: list[Candidate], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(people)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "SEARCHED_UP_TO", 0)
        found = choose(people, TARGETS, k)
    best = max(value_of(people, TARGETS, each) for each in combinations(range(len(people)), k))
    assert found.value <= best
    assert found.value[0] <= best[0] <= found.coverage_at_most


@given(PEOPLE, st.data())
def test_what_a_set_is_worth_does_not_depend_on_who_was_in_it_meanwhile(
    people: list[Candidate], data: st.DataObject
) -> None:
    grown = choosing.grown(people, TARGETS, range(len(people)))
    gone = data.draw(st.lists(st.integers(0, len(people) - 1), unique=True))
    for position in gone:
        grown.remove(position)
    assert grown.value == value_of(people, TARGETS, [each for each in range(len(people)) if each not in gone])


@pytest.mark.parametrize("count", [10, 1000])
def test_of_people_who_are_equal_those_who_applied_first_are_chosen(count: int) -> None:
    assert choose(alike(count), 1, 4).positions == (0, 1, 2, 3)


def test_of_fewer_people_all_are_chosen() -> None:
    found = choose(alike(3), 1, 5)
    assert (found.positions, found.method) == ((0, 1, 2), "everybody")


def test_coverage_counts_before_diversity_and_diversity_before_readiness() -> None:
    plain, ready = Candidate({0: 1}, ("a", "a", "a"), 1), Candidate({0: 1}, ("a", "a", "a"), 10)
    other = Candidate({0: 1}, ("b", "b", "b"), 0)
    knows = Candidate({0: 1, 1: 1}, ("a", "a", "a"), 0)
    assert choose([plain, plain, ready, other, knows], 2, 2).positions == (3, 4)
    assert choose([plain, plain, ready, other], 2, 2).positions == (2, 3)
    assert choose([plain, plain, ready], 2, 2).positions == (0, 2)


def test_who_is_put_in_stays_though_somebody_else_were_better() -> None:
    people = [Candidate({}, ("a", "a", "a")), Candidate({0: 3}, ("b", "b", "b")), Candidate({1: 3}, ("c", "c", "c"))]
    assert choose(people, 2, 1, {0}).positions == (0,)
    assert choose(people, 2, 2, {0}).positions == (0, 1)


def test_a_search_that_would_take_too_long_is_given_up_for_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    people = many(40)
    exact = choose(people, 30, 6)
    monkeypatch.setattr(choosing, "MOST_STEPS", 50)
    found = choose(people, 30, 6)
    assert (exact.method, found.method) == ("exact", "exchange")
    assert found.value <= exact.value
    assert found.coverage_at_most >= exact.value[0]


@pytest.mark.parametrize("k", [12, 200])
def test_a_thousand_applicants_take_seconds_and_the_same_set_each_time(k: int) -> None:
    people = many(1000)
    began = process_time()
    found = choose(people, 30, k)
    assert process_time() - began < 10
    assert (len(found.positions), found.method) == (k, "exchange")
    assert choose(people, 30, k) == found


def test_blaus_index_is_0_if_all_are_alike_and_grows_with_what_differs() -> None:
    assert [choosing.blau(each) for each in ("", "aa", "ab", "aab", "abcd")] == [0, 0, 0.5, pytest.approx(4 / 9), 0.75]
