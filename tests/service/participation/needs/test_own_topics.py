"""Topics in people's own words are known again, and stay what they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.participation.needs.own_topics import cleaned, key_of


@pytest.mark.parametrize(
    "words",
    [
        "Reading aloud",
        "reading  ALOUD",
        " «Reading aloud». ",
        "(Reading aloud)",
        "\uff32eading aloud",
        "Reading\u200b aloud",
    ],
)
def test_the_same_topic_written_otherwise_is_the_same(words: str) -> None:
    assert key_of(words) == "reading aloud"


@pytest.mark.parametrize(("one", "other"), [("C", "C++"), ("C", "C#"), ("Group work", "Groupwork"), ("Año", "Ano")])
def test_other_topics_are_others(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)


@given(st.text(max_size=120))
def test_what_is_cleaned_stays_and_is_known_by_the_same_key(words: str) -> None:
    clean = cleaned(words)
    assert cleaned(clean) == clean
    assert len(clean) <= 100
    assert key_of(clean) == key_of(words)
