"""A forest of blank nodes has the canonical text that RDFC-1.0 gives its statements, or none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.graph import rdf
from credentials.graph.forest import Forest
from tests.credentials.graph.test_rdf import VECTORS, parsed

P, Q = "<urn:p>", "<urn:q>"


def as_forest(quads: list[rdf.Quad]) -> Forest | None:
    """Return the quads as a forest, or None if their blank nodes are none."""
    forest = Forest()
    places: dict[rdf.Blank, int] = {}
    for quad in dict.fromkeys(quads):
        if quad[3]:
            return None
        for term in quad[::2]:
            if isinstance(term, int) and term not in places:
                places[term] = forest.new_blank()
    for subject, predicate, object_, _ in dict.fromkeys(quads):
        said = forest.said[places[subject]] if isinstance(subject, int) else forest.ground
        start = "" if isinstance(subject, int) else subject
        if not isinstance(object_, int):
            said.append(f"{start} {predicate} {object_} .\n")
            continue
        if forest.incoming[places[object_]] is not None or subject == object_:
            return None
        forest.incoming[places[object_]] = (places[subject] if isinstance(subject, int) else subject, f" {predicate} ")
        if isinstance(subject, int):
            forest.links[places[subject]].append(f" {predicate} ")
    return forest


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['name']} {vector['title']}")
def test_published_forests_have_their_canonical_form(vector: dict[str, Any]) -> None:
    forest = as_forest(parsed(vector["input"]))
    answer = None if forest is None else forest.canonical_nquads(vector["hash"])

    assert answer is None or answer.decode() == vector["expected"]


def test_many_of_the_published_datasets_are_forests() -> None:
    forests = [forest for vector in VECTORS if (forest := as_forest(parsed(vector["input"]))) is not None]
    assert sum(forest.canonical_nquads("sha256") is not None for forest in forests) > 15


@st.composite
def forests(draw: st.DrawFn) -> list[rdf.Quad]:
    quads: list[rdf.Quad] = []
    subjects: list[rdf.Term] = ["<urn:s>", "<urn:t>"]
    for blank in range(draw(st.integers(0, 8))):
        if draw(st.booleans()):
            quads.append((draw(st.sampled_from(subjects)), draw(st.sampled_from([P, Q])), blank, ""))
        subjects.append(blank)
        subjects.append(blank)
    texts = st.sampled_from(["a", "b", '"', "\n", "é", "𝄞", "\uffff", "_:z", "> .\n"])
    for _ in range(draw(st.integers(1, 12))):
        value = rdf.literal(draw(texts)) if draw(st.booleans()) else "<urn:o>"
        quads.append((draw(st.sampled_from(subjects)), draw(st.sampled_from([P, Q])), value, ""))
    return quads


@given(quads=forests(), hash_name=st.sampled_from(["sha256", "sha384"]))
def test_any_forest_has_the_canonical_form_that_the_whole_algorithm_gives_it(
    quads: list[rdf.Quad], hash_name: rdf.HashName
) -> None:
    forest = as_forest(quads)
    assert forest is not None

    answer = forest.canonical_nquads(hash_name)

    assert answer is None or answer == rdf.canonical_nquads(quads, hash_name=hash_name)


def test_nodes_that_look_alike_have_no_answer() -> None:
    forest = as_forest([("<urn:s>", P, 1, ""), ("<urn:s>", P, 2, ""), (1, P, "<urn:o>", ""), (2, P, "<urn:o>", "")])
    assert forest is not None
    assert forest.canonical_nquads("sha256") is None


def test_half_a_character_has_no_answer() -> None:
    for subject in ("<urn:s>", 1):
        forest = as_forest([(subject, P, '"\ud800"', "")])
        assert forest is not None
        assert forest.canonical_nquads("sha256") is None


def test_a_forest_that_says_nothing_is_no_text() -> None:
    assert Forest().canonical_nquads("sha256") == b""
