"""The ordinary road: what takes it, what does not, and that it is closed once it is wrong."""

import copy
import gc
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from credentials.errors import ContextError, CredentialError, MalformedError
from credentials.graph import road as module
from credentials.graph.canonicalize import ROAD, canonicalize_slowly
from credentials.graph.documents import PACKAGED, Context, Contexts
from credentials.graph.rdf import HashName
from credentials.graph.road import Road
from credentials.graph.walk import MAX_DEPTH, MAX_VALUES
from tests.credentials.graph.comparing import Comparison, new_road, outcome
from tests.credentials.graph.hostile_documents import OWN
from tests.credentials.graph.test_canonicalize import EXTENSIONS, INLINE, OB, V2, at, badge

ACHIEVEMENT = ("credentialSubject", "achievement")


class Slow:
    """The slow road, counted; what it says can be changed."""

    def __init__(self) -> None:
        self.taken = 0
        self.says: bytes | CredentialError | None = None

    def __call__(self, document: Mapping[str, Any], contexts: Contexts, hash_name: HashName) -> bytes:
        self.taken += 1
        if isinstance(self.says, CredentialError):
            raise self.says
        return canonicalize_slowly(document, contexts, hash_name) if self.says is None else self.says


def own_registry(definitions: dict[str, Any]) -> tuple[Contexts, Context]:
    body = json.dumps({"@context": {"@version": 1.1, "id": "@id", "type": "@type", **definitions}}).encode()
    contexts = PACKAGED.with_pinned({OWN: (body, hashlib.sha256(body).hexdigest())})
    return contexts, contexts.editions(OWN)[0]


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "Profile", "name": "innermost"}
    for level in range(depth):
        node = {"type": "Profile", "name": f"{level}", "parentOrg": [node]}
    return node


# --- What takes the ordinary road ----------------------------------------------------------------------------------------


def test_a_badge_takes_the_ordinary_road() -> None:
    slow = Slow()
    road = Road(slow)
    expected = canonicalize_slowly(badge(), PACKAGED, "sha256")

    assert road.canonicalize(badge(), PACKAGED, "sha256") == expected
    assert slow.taken == 1  # the first time it is proved

    for _ in range(20):
        assert road.canonicalize(badge(), PACKAGED, "sha256") == expected
    assert slow.taken == 1


def test_canonicalizing_takes_it() -> None:
    assert ROAD.is_open
    assert ROAD.walked(badge(), PACKAGED) is not None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("name",), 'Ö "quoted"\n\x00\uffff 🎖'),
        (("@context",), [V2, OB, EXTENSIONS, "https://w3id.org/security/data-integrity/v2"]),
        (("type",), ["OpenBadgeCredential", "VerifiableCredential"]),
        (("credentialSubject", "creditsEarned"), 3),
        (("credentialSubject", "creditsEarned"), -0.0),
        (("credentialSubject", "creditsEarned"), 1e21),
        (("credentialSubject", "identifier", 0, "hashed"), False),
        ((*ACHIEVEMENT, "tag"), ["a", "a", 1, True]),
        ((*ACHIEVEMENT, "resultDescription", 0, "allowedValue"), "one"),
        (("evidence",), {"type": "Evidence", "name": "alone"}),
        (("id",), "https://laurel.example/ö\u2028"),
    ],
)
def test_these_changes_leave_a_badge_ordinary(path: tuple[str | int, ...], value: Any) -> None:
    document = badge()
    at(document, path[:-1])[path[-1]] = value
    comparison = Comparison(new_road())

    comparison.compare(document, PACKAGED)

    assert comparison.answered == 1


def test_a_list_of_objects_and_a_single_context_are_ordinary() -> None:
    contexts, own = own_registry({"steps": {"@id": "urn:steps", "@container": "@list"}, "name": "urn:name"})
    comparison = Comparison(new_road(own))

    comparison.compare(
        {"@context": OWN, "id": "urn:x", "steps": [{"name": "a"}, "b", {"id": "urn:y", "name": "c"}]}, contexts
    )
    comparison.compare({"@context": OWN, "steps": {"name": "a"}}, contexts)

    assert comparison.answered == 2


# --- What does not -------------------------------------------------------------------------------------------------------


class Text(str):
    __slots__ = ()


ODD: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "null": (("name",), None),
    "no id": (("id",), None),
    "no type": (("evidence", 0, "type"), None),
    "an empty array": (("evidence",), []),
    "an empty object": (("evidence",), {}),
    "an array in an array": ((*ACHIEVEMENT, "tag"), [["a"]]),
    "an object of only an id": (("issuer",), {"id": "did:web:laurel.example"}),
    "a term that is not defined": (("foo",), "x"),
    "a name that is no text": ((1,), "x"),
    "a keyword": (("@id",), "urn:x"),
    "a compact IRI": (("obi:name",), "x"),
    "a blank id": (("id",), "_:b"),
    "a relative id": (("id",), "x"),
    "an id with a prefix": (("id",), "Profile:x"),
    "a number as id": (("id",), 1),
    "a relative address": ((*ACHIEVEMENT, "resultDescription", 0, "rubricCriterionLevel", 0, "id"), "x"),
    "a type that is not defined": (("type",), ["VerifiableCredential", "Foo"]),
    "a type twice": (("type",), ["OpenBadgeCredential", "OpenBadgeCredential"]),
    "many types": (("type",), [f"T{n}" for n in range(9)]),
    "types without one": (("type",), []),
    "a number as type": (("type",), 1),
    "a number among types": (("type",), ["VerifiableCredential", 1]),
    "an array among types": (("type",), ["VerifiableCredential", ["OpenBadgeCredential"]]),
    "a value object": (("name",), {"@value": "x", "@language": "en"}),
    "a context within": (("evidence", 0, "@context"), V2),
    "a proof": (("proof",), {"type": "DataIntegrityProof", "proofValue": "z"}),
    "a number for an address": (("issuer", "url"), {"x": 1}),
    "a great number": (("credentialSubject", "creditsEarned"), 2**53),
    "a number that is none": (("credentialSubject", "creditsEarned"), float("nan")),
    "a tuple": ((*ACHIEVEMENT, "tag"), ("a",)),
    "a text of another class": (("name",), Text("x")),
    "no context": (("@context",), []),
    "an unknown context": (("@context",), [V2, "https://x.example/context"]),
    "a context of its own": (("@context",), [V2, OB, EXTENSIONS, {"foo": "urn:foo"}]),
    "many contexts": (("@context",), [V2] * 9),
    "many entries": ((*ACHIEVEMENT, "tag"), [f"{n}" for n in range(MAX_VALUES)]),
    "many members": ((*ACHIEVEMENT,), {f"m{n}": "x" for n in range(MAX_VALUES)}),
    "many levels": (("issuer",), nested(MAX_DEPTH)),
    "half a character": (("name",), "\ud800"),
    "objects that look alike": (("evidence",), [{"type": "Evidence", "name": "a"}, {"type": "Evidence", "name": "a"}]),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_takes_the_slow_road(case: str) -> None:
    document: dict[Any, Any] = badge()
    path, value = ODD[case]
    at(document, path[:-1])[path[-1]] = copy.deepcopy(value)
    comparison = Comparison(new_road())

    comparison.compare(document, INLINE)

    assert comparison.answered == 0
    assert outcome(comparison.road, document, INLINE) == outcome(None, document, INLINE)


def test_a_number_where_an_address_is_meant_takes_the_slow_road() -> None:
    proof = {"@context": [V2], "type": "DataIntegrityProof", "verificationMethod": 1, "proofPurpose": "assertionMethod"}
    for change in (
        {},
        {"verificationMethod": "urn:x", "proofPurpose": "unheard"},
        {"verificationMethod": "urn:x", "domain": 1},
    ):
        comparison = Comparison(new_road())
        comparison.compare(proof | change, PACKAGED)
        assert comparison.answered == ("domain" in change)


@pytest.mark.parametrize("document", [Text("x"), [], None, {}, {"@context": 1}, {"@context": {}}])
def test_what_is_no_document_takes_the_slow_road(document: Any) -> None:
    assert new_road().walked(document, PACKAGED) is None


def test_documents_are_as_deep_as_the_bound_and_no_deeper() -> None:
    document = {"@context": [V2, OB], **nested(MAX_DEPTH)}
    comparison = Comparison(new_road())
    comparison.compare(document, PACKAGED)
    assert comparison.answered == 1
    comparison.compare({"@context": [V2, OB], **nested(MAX_DEPTH + 1)}, PACKAGED)
    assert comparison.answered == 1


# --- Contexts ------------------------------------------------------------------------------------------------------------


def test_contexts_of_strangers_get_no_tables() -> None:
    contexts, _ = own_registry({"name": "urn:name"})
    document = {"@context": OWN, "id": "urn:x", "name": "n"}

    assert Road(canonicalize_slowly).walked(document, contexts) is None
    assert Road(canonicalize_slowly).walked({**document, "@context": [V2, OWN]}, contexts) is None


def test_a_context_that_stands_in_place_of_a_packaged_one_gets_no_tables() -> None:
    body = json.dumps({"@context": {"id": "@id", "name": "urn:name"}}).encode()
    standing_in = Context(V2, "x", hashlib.sha256(body).hexdigest(), "test", lambda: body)
    contexts = Contexts([standing_in])

    assert Road(canonicalize_slowly).walked({"@context": V2, "id": "urn:x", "name": "n"}, contexts) is None


def test_other_editions_have_tables_of_their_own() -> None:
    (older,) = PACKAGED.older([V2])
    document = badge()
    document["credentialStatus"]["statusSize"] = 1
    comparison = Comparison(new_road())

    comparison.compare(document, PACKAGED)
    assert comparison.answered == 1
    comparison.compare(document, older)
    assert comparison.answered == 1
    comparison.compare(badge(), older)
    assert comparison.answered == 2


MEMBER = {"own": "x"}
ODD_CONTEXTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another name for a keyword": ({"own": "urn:own", "v": "@value"}, MEMBER),
    "a base": ({"own": "urn:own", "@base": "https://x.example/"}, MEMBER),
    "a default language": ({"own": "urn:own", "@language": "en"}, MEMBER),
    "a term without meaning": ({"own": None}, MEMBER),
    "a reversed term": ({"own": {"@reverse": "urn:own"}}, {"own": {"id": "urn:y", "type": "T"}, "type": "T"}),
    "a language": ({"own": {"@id": "urn:own", "@language": "en"}}, MEMBER),
    "a nest": ({"own": {"@id": "urn:own", "@nest": "@nest"}}, MEMBER),
    "JSON": ({"own": {"@id": "urn:own", "@type": "@json"}}, MEMBER),
    "no type": ({"own": {"@id": "urn:own", "@type": "@none"}}, MEMBER),
    "a map": ({"own": {"@id": "urn:own", "@container": "@index"}}, MEMBER),
    "no context within": ({"own": {"@id": "urn:own", "@context": None}}, MEMBER),
    "a keyword made of the member": ({"own": {"@id": "urn:own", "@context": {"own": "urn:other"}}}, MEMBER),
    "an address beyond ASCII": ({"own": "urn:\u00e9"}, MEMBER),
    "a blank predicate": ({"own": "_:own"}, MEMBER),
    "a word without address": ({"own": {"@id": "urn:own", "@type": "@vocab"}, "x": None}, MEMBER),
    "a blank word": ({"own": {"@id": "urn:own", "@type": "@vocab"}, "x": "_:x"}, MEMBER),
    "a type that is an ordinary term": ({"own": "urn:own", "type": "urn:type"}, {"own": "x", "type": "y"}),
    "an id that is an ordinary term": ({"own": "urn:own", "id": "urn:id"}, {"own": "x"}),
    "a type that makes another of `type`": (
        {"own": "urn:own", "T": {"@id": "urn:T", "@context": {"type": "urn:type"}}},
        {"own": "x", "type": "T"},
    ),
    "a type that makes another of `id`": (
        {"own": "urn:own", "T": {"@id": "urn:T", "@context": {"id": "@type"}}},
        {"own": "x", "type": "T"},
    ),
    "a context that cannot be read": ({"own": "urn:own", "@vocab": None}, MEMBER),
}


@pytest.mark.parametrize("case", ODD_CONTEXTS)
def test_what_is_odd_in_a_context_takes_the_slow_road(case: str) -> None:
    definitions, members = ODD_CONTEXTS[case]
    contexts, own = own_registry(definitions)
    comparison = Comparison(new_road(own))

    comparison.compare({"@context": OWN, "id": "urn:x", **members}, contexts)

    assert comparison.answered == 0


def test_a_scoped_context_is_for_the_objects_in_its_member() -> None:
    within = {"own": "urn:within", "T": {"@id": "urn:T", "@context": {"more": "urn:more"}}}
    contexts, own = own_registry({"own": "urn:own", "part": {"@id": "urn:part", "@context": within}})
    comparison = Comparison(new_road(own))

    comparison.compare(
        {"@context": OWN, "own": "x", "part": {"own": "y", "type": "T", "more": "z", "part": {"own": "w"}}}, contexts
    )

    assert comparison.answered == 1


# --- Proving -------------------------------------------------------------------------------------------------------------


def test_every_new_entry_of_a_table_is_proved_once() -> None:
    slow = Slow()
    road = Road(slow, every=10**9)
    document = {"@context": [V2, OB], "id": "urn:x", "type": "Profile"}
    taken = []
    for change in (
        {},
        {},
        {"name": "a"},
        {"name": "b"},
        {"type": "Achievement"},
        {"type": ["Profile"]},
        {"url": "urn:y"},
        {"url": "urn:z"},
    ):
        road.canonicalize(document | change, PACKAGED, "sha256")
        taken.append(slow.taken)

    assert taken == [1, 1, 2, 2, 3, 4, 5, 5]


def test_one_answer_of_many_is_proved() -> None:
    slow = Slow()
    road = Road(slow, every=10)
    for _ in range(31):
        road.canonicalize(badge(), PACKAGED, "sha256")

    assert slow.taken == 1 + 3


def test_one_difference_closes_the_road_for_good(caplog: pytest.LogCaptureFixture) -> None:
    slow = Slow()
    road = Road(slow)
    slow.says = b"something else"

    with caplog.at_level(logging.CRITICAL):
        assert road.canonicalize(badge(), PACKAGED, "sha256") == b"something else"
    assert not road.is_open
    assert [(each.levelname, each.name) for each in caplog.records] == [("CRITICAL", "credentials.graph.road")]

    slow.says = None
    for _ in range(3):
        road.canonicalize(badge(), PACKAGED, "sha256")
    assert slow.taken == 4


def test_a_difference_found_later_closes_the_road_too() -> None:
    slow = Slow()
    road = Road(slow, every=2)
    road.canonicalize(badge(), PACKAGED, "sha256")
    slow.says = b"something else"

    assert [road.canonicalize(badge(), PACKAGED, "sha256") == slow.says for _ in range(3)] == [False, True, True]
    assert not road.is_open


@pytest.mark.parametrize(
    "error",
    [
        ContextError("undefined-term", "expected x, got y", "/name"),
        MalformedError("json-too-deep", "expected x, got y"),
    ],
)
def test_a_fault_that_only_the_slow_road_finds_is_told_and_closes_the_other(error: CredentialError) -> None:
    slow = Slow()
    road = Road(slow)
    slow.says = error

    assert outcome(road, badge(), PACKAGED) == (type(error).__name__, error.code, error.message, error.pointer)
    assert not road.is_open


def test_too_much_work_to_prove_is_told_and_is_no_difference() -> None:
    slow = Slow()
    road = Road(slow)
    slow.says = ContextError("context-too-complex", "expected few, got many")

    assert outcome(road, badge(), PACKAGED)[1] == "context-too-complex"
    assert road.is_open


# --- Bounds --------------------------------------------------------------------------------------------------------------


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    road = Road(slow, every=10**9)
    use: Callable[[], bytes] = lambda: road.canonicalize(badge(), PACKAGED, "sha256")  # noqa: E731
    use(), use()
    assert slow.taken == 1

    monkeypatch.setattr(module, "MAX_KEPT", 10)
    use()
    assert slow.taken == 2  # it began again


def test_contexts_that_are_too_much_work_are_left_to_the_slow_road(monkeypatch: pytest.MonkeyPatch) -> None:
    contexts = Contexts(PACKAGED.all())
    monkeypatch.setattr("credentials.graph.expansion._MAX_STEPS", 3)

    assert new_road().walked(badge(), contexts) is None


def test_what_is_kept_goes_with_its_contexts() -> None:
    road = new_road()
    road.walked(badge(), Contexts(PACKAGED.all()))
    gc.collect()

    assert len(road._scopes) == 0
