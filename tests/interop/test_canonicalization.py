"""The canonical bytes of any document are what jsonld.js and rdf-canonize make of it, or it is refused."""

import hashlib
import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from credentials.errors import ContextError
from credentials.graph.canonicalize import ROAD, canonicalize
from credentials.graph.documents import PACKAGED
from credentials.reading import listed
from tests.credentials.graph.hostile_documents import random_document
from tests.interop.judging import Judges

V2 = "https://www.w3.org/ns/credentials/v2"
VOCABULARY = "https://vocabulary.example/contexts/v1"
XSD = "http://www.w3.org/2001/XMLSchema#"
TERMS = {
    "@context": {
        "@version": 1.1,
        "@vocab": "https://vocabulary.example/#",
        "id": "@id",
        "type": "@type",
        "knows": {"@type": "@id"},
        "date": {"@type": XSD + "dateTime"},
        "amount": {"@type": XSD + "decimal"},
        "exactly": {"@type": XSD + "double"},
        "steps": {"@container": "@list"},
        "tags": {"@container": "@set"},
        "titles": {"@container": "@language"},
        "claims": {"@container": "@graph"},
        "raw": {"@type": "@json"},
        "partOf": {"@reverse": "hasPart"},
        "Course": {"@id": "https://vocabulary.example/#Course", "@context": {"name": "https://schema.org/name"}},
    }
}
CONTEXTS = PACKAGED.with_pinned(
    {VOCABULARY: (json.dumps(TERMS).encode(), hashlib.sha256(json.dumps(TERMS).encode()).hexdigest())}
)

# Texts lean towards what N-Quads escapes. Where rdf-canonize 5.0 leaves RDFC-1.0 nothing is drawn: it sorts by UTF-16
# code units and not by code points (U+E000 to U+FFFF beside what lies above), and leaves U+FFFE and U+FFFF unescaped.
texts = st.text(st.sampled_from("\x00\x07\b\t\n\v\f\r\x1b \"'\\<>{}@_:.a\x7f\x85\xa0é€Ω\u2028\ud7ff𝄞🎖"), max_size=8)
names = st.sampled_from(["name", "about", "Über", "a-b"])
types = st.sampled_from(["Course", "Person", "https://types.example/T"])
nodes_named = st.sampled_from(
    ["_:b0", "_:b1", "_:b2", "_:c14n0", "urn:uuid:1", "https://a.example/é?x#y", "did:web:a.example"]
)
# Without numbers such as 1e-7, whose shortest form has no point: jsonld.js 9.0 takes those for the integer 0.
numbers = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(-(2.0**53), 2.0**53).filter(lambda number: "." in repr(number)),
)
scalars = st.one_of(texts, numbers, st.booleans())
languages = st.sampled_from(["en", "de-CH", "zh-Hant-TW", "EN-gb"])


def nodes_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Nodes whose members hold scalars, other nodes, lists, languages and graphs."""
    many = st.lists(inner, max_size=3)
    return st.fixed_dictionaries(
        {"name": scalars},  # a node that states nothing is refused
        optional={
            "id": nodes_named,
            "type": st.one_of(types, st.lists(types, min_size=1, max_size=2, unique=True)),
            "about": st.one_of(inner, many),
            "Über": many,
            "knows": st.one_of(nodes_named, st.lists(nodes_named, max_size=3)),
            "date": texts,
            "amount": numbers,
            "exactly": numbers,
            "steps": st.lists(inner, min_size=1, max_size=3),  # an empty one said twice is one statement, to us
            "tags": many,
            "titles": st.dictionaries(languages, texts, max_size=2),
            "claims": st.dictionaries(st.just("name"), scalars, min_size=1),
            "raw": st.dictionaries(texts, scalars | st.none(), max_size=3),
            "partOf": st.fixed_dictionaries({"id": nodes_named, "name": scalars}),
            "said": st.fixed_dictionaries({"@value": texts, "@language": languages}),
        },
    )


documents = st.recursive(scalars, nodes_of, max_leaves=12).filter(lambda drawn: isinstance(drawn, dict))


def ours(document: dict[str, Any]) -> dict[str, str]:
    """Return what the judge returns."""
    try:
        return {"canonical": canonicalize(document, CONTEXTS).decode()}
    except ContextError as error:
        return {"error": error.code}


@given(node=documents)
@example(node={"name": 2**-24})  # half a sixteenth digit: ECMAScript rounds it away from zero
@example(node={"name": "x", "exactly": -0.0})
def test_random_documents_have_the_canonical_form_that_others_give_them(judges: Judges, node: dict[str, Any]) -> None:
    document = {"@context": VOCABULARY, **node}
    found = ours(document)
    assume(found.get("error") != "graph-too-complex")
    answer = judges.ask("canonicalization", document=document, documents={VOCABULARY: TERMS})
    statements = answer.get("canonical", "").splitlines()
    assume(len(set(statements)) == len(statements))  # jsonld.js states one JSON literal twice, RDF cannot
    assert found == answer or found.keys() == answer.keys() == {"error"}


@settings(max_examples=150, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(random=st.randoms(use_true_random=False))
def test_what_takes_the_ordinary_road_has_the_canonical_form_that_others_give_it(
    judges: Judges, random: Random
) -> None:
    """Real badges, changed; their own contexts are given to the others, byte for byte."""
    document = random_document(random)
    walk = ROAD.walked(document, PACKAGED)
    found = None if walk is None else walk.forest.canonical_nquads("sha256")
    assume(found is not None)
    assert found is not None
    canonical = found.decode()
    assume(max(canonical) < "\ue000")  # beyond lie the characters that rdf-canonize sorts or escapes otherwise
    assume(not any(each.isspace() for each in canonical if each > " "))  # jsonld.js takes none of them in an address
    contexts = {address: PACKAGED.get(address) for address in listed(document["@context"])}
    answer = judges.ask("canonicalization", document=document, documents=contexts)
    statements = answer.get("canonical", "").splitlines()
    assume(len(set(statements)) == len(statements))  # jsonld.js states 1 and "1" twice where both have one datatype
    assert answer == {"canonical": canonical}


@given(edges=st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12))
def test_blank_nodes_that_look_alike_are_told_apart_as_others_do(judges: Judges, edges: set[tuple[int, int]]) -> None:
    graph = [{"id": f"_:n{a}", "knows": f"_:n{b}"} for a, b in edges]
    document = {"@context": VOCABULARY, "id": "urn:uuid:0", "about": graph}
    assert ours(document) == judges.ask("canonicalization", document=document, documents={VOCABULARY: TERMS})


@pytest.mark.parametrize(
    "members",
    [
        {"unheardOf": "x"},
        {"type": ["VerifiableCredential", "UnheardOf"]},
        {"credentialSubject": {"id": "relative"}},
        {"name": {"@value": "x", "@language": "not a tag"}},
        {"name": {"@value": "x", "@direction": "up"}},
    ],
    ids=["term", "type", "address", "language", "direction"],
)
def test_what_others_refuse_to_sign_we_refuse(judges: Judges, members: dict[str, Any]) -> None:
    document = {"@context": V2, "id": "urn:uuid:1", "type": ["VerifiableCredential"], **members}
    assert "error" in judges.ask("canonicalization", document=document)
    with pytest.raises(ContextError):
        canonicalize(document, PACKAGED)
