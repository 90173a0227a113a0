"""Whatever the ordinary road answers is what the slow one answers: on real documents, changed in every way.

`make fuzz` goes on where this ends.
"""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credentials.graph.documents import PACKAGED
from credentials.graph.rdf import HashName
from tests.credentials.graph import fuzzing
from tests.credentials.graph.comparing import Comparison, new_road
from tests.credentials.graph.hostile_documents import (
    BASES,
    PUBLISHED,
    random_contexts,
    random_document,
    random_own_document,
)

sources = st.randoms(use_true_random=False)
many = settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
packaged = Comparison(new_road())
"""One for all examples, so that most entries of its tables are proved."""


@pytest.mark.parametrize("hash_name", ["sha256", "sha384"])
@pytest.mark.parametrize("place", range(len(BASES)))
def test_published_documents_are_read_alike(place: int, hash_name: HashName) -> None:
    packaged.compare(BASES[place], PACKAGED, hash_name)


def test_most_published_documents_are_ordinary() -> None:
    road = new_road()
    assert sum(road.walked(document, PACKAGED) is not None for document in PUBLISHED) > len(PUBLISHED) / 2


@many
@given(random=sources, hash_name=st.sampled_from(["sha256", "sha384"]))
def test_changed_documents_are_read_alike(random: Random, hash_name: HashName) -> None:
    packaged.compare(random_document(random), PACKAGED, hash_name)


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32))  # a context takes too many numbers to make it simpler one by one
def test_documents_in_the_words_of_any_context_would_be_read_alike(seed: int) -> None:
    """Contexts of strangers get no tables; if they had them, these would be right."""
    random = Random(seed)
    registry, own = random_contexts(random)
    comparison = Comparison(new_road(own))
    for _ in range(5):
        comparison.compare(random_own_document(random), registry)


def test_fuzzing_compares_and_says_where_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzzing.main(seconds=0, first_seed=5) == 0
    assert "no difference (next seed: 6)" in capsys.readouterr().out


def test_fuzzing_finds_a_road_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one would be that took a text with half a character, or an address with a prefix, as it is."""
    monkeypatch.setattr("credentials.graph.walk._address", lambda address, _terms: f"<{address}>")

    assert fuzzing.main(seconds=60, first_seed=1) == 1
    assert "with seed" in capsys.readouterr().out
