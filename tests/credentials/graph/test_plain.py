"""The quick look for what a signature leaves open: where it finds a document plain, the full look finds nothing."""

import copy
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credentials.graph.plain import is_plain
from credentials.graph.unprotected import CLASS_NAMES, NUMBERS, PREFIXES, TEXTS, TRUTHS, VOCABULARIES, find_unprotected
from credentials.model.form import DECLARED
from tests.credentials.graph.comparing import compare_looks
from tests.credentials.graph.hostile_documents import BASES, random_document
from tests.credentials.graph.test_canonicalize import at, badge


def plain_badge() -> dict[str, Any]:
    """A badge whose levels say in which order they are."""
    document = badge()
    for place, level in enumerate(
        document["credentialSubject"]["achievement"]["resultDescription"][0]["rubricCriterionLevel"]
    ):
        level["level"] = f"{place}"
    return document


@given(random=st.randoms(use_true_random=False))
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_in_a_plain_document_the_full_look_finds_nothing(random: Random) -> None:
    compare_looks(random_document(random))


@pytest.mark.parametrize("place", range(len(BASES)))
def test_in_a_plain_published_document_the_full_look_finds_nothing(place: int) -> None:
    compare_looks(BASES[place])


def test_badges_and_most_published_documents_are_plain() -> None:
    assert is_plain(plain_badge())
    assert sum(map(is_plain, BASES)) > len(BASES) / 2


def test_names_that_need_no_further_look_are_no_addresses_or_classes() -> None:
    names = TEXTS | NUMBERS | TRUTHS
    assert not any(":" in name or name.startswith("@") for name in names)
    assert not names & (CLASS_NAMES | PREFIXES | {"id", "type", "issuer"})
    assert all(":" in address for address in VOCABULARIES)


class Text(str):
    __slots__ = ()


ACHIEVEMENT = ("credentialSubject", "achievement")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("name",), None),
        (("evidence",), []),
        (("@id",), "urn:x"),
        (("evidence", 0, "@context"), "urn:x"),
        (("name",), {"@value": "x"}),
        (("https://schema.org/name",), "x"),
        (("obi",), "x"),
        (("Achievement",), "x"),
        (("type",), "_:b"),
        (("type",), ["VerifiableCredential", "obi:Achievement"]),
        (("type",), 1),
        (("type",), ["VerifiableCredential", 1]),
        (("id",), "_:b"),
        (("id",), 1),
        (("id",), ["urn:x"]),
        (("evidence", 1, "id"), "https://laurel.example/credentials/1"),
        ((*ACHIEVEMENT, "tag"), ["a", "a"]),
        ((*ACHIEVEMENT, "tag"), [["a"]]),
        ((*ACHIEVEMENT, "foo"), ["True", True]),
        ((*ACHIEVEMENT, "foo"), [1, 1.0]),
        ((*ACHIEVEMENT, "foo"), ["urn:x", {"id": "urn:x"}]),
        ((*ACHIEVEMENT, "foo"), [{"id": "urn:x"}, "urn:x"]),
        ((*ACHIEVEMENT, "foo"), [{"id": "urn:x"}, {"id": "urn:x"}]),
        ((*ACHIEVEMENT, "rubricCriterionLevel"), [{"level": "2"}, {"level": "1"}]),
        (("name",), 1),
        (("credentialSubject", "creditsEarned"), "2"),
        (("credentialSubject", "creditsEarned"), True),
        (("credentialSubject", "identifier", 0, "hashed"), "true"),
        (("issuer",), "did:web:laurel.example"),
        (("issuer",), ["did:web:laurel.example"]),
        (("foo",), float("nan")),
        (("foo",), Text("x")),
        ((1,), "x"),
        (("foo",), {"a": None}),
    ],
)
def test_what_is_less_plain_gets_the_full_look(path: tuple[str | int, ...], value: Any) -> None:
    document = plain_badge()
    at(document, path[:-1])[path[-1]] = copy.deepcopy(value)

    assert not is_plain(document)


def test_a_document_that_is_deep_or_no_object_gets_the_full_look() -> None:
    document: dict[str, Any] = {"name": "x"}
    for _ in range(40):
        document = {"parentOrg": {"inner": document}}

    assert not is_plain(document)
    assert not is_plain([])  # type: ignore[arg-type]


PROFILE = {"id": "urn:p", "type": ["Profile"], "name": "P", "image": {"id": "urn:i", "type": "Image"}}


@pytest.mark.parametrize(
    ("first", "again", "plain"),
    [
        (("issuer", PROFILE), ("creator", PROFILE), True),
        (("issuer", PROFILE), ("creator", PROFILE | {"name": "Q"}), False),
        (("issuer", PROFILE), ("creator", [PROFILE]), False),
        (("foo", [PROFILE]), ("creator", PROFILE), True),
        (("foo", {"id": "urn:i", "type": "Image"}), ("bar", {"id": "urn:i", "type": "Image"}), False),
        (("foo", {"image": {"id": "urn:i"}}), ("bar", {"image": {"id": "urn:i"}}), True),
        (("foo", [{"id": "urn:i"}]), ("bar", [{"id": "urn:i"}]), False),
    ],
)
def test_an_object_may_be_there_again_if_it_says_the_same_as_the_same(
    first: tuple[str, Any], again: tuple[str, Any], plain: bool
) -> None:
    document = dict(copy.deepcopy([("name", "x"), first, again]))
    assert compare_looks(document) is plain


@given(random=st.randoms(use_true_random=False))
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_copied_within_a_badge_is_plain_only_where_the_full_look_finds_nothing(random: Random) -> None:
    document = plain_badge()
    for _ in range(random.randint(1, 3)):
        objects = objects_in(document)
        copied, there = copy.deepcopy(random.choice(objects)), random.choice(objects)
        if random.random() < 0.3 and copied:
            copied[random.choice([*copied, "name"])] = random.choice(["x", 1, True, copy.deepcopy(copied)])
        name = random.choice(["creator", "image", "issuer", "criteria", "foo", *copied])
        there[name] = random.choice([copied, [copied], [copied, copied]])
    compare_looks(copy.deepcopy(document))


def objects_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [each for item in value for each in objects_in(item)]
    return [value, *(each for item in value.values() for each in objects_in(item))] if isinstance(value, dict) else []


def test_an_issuer_by_id_is_found_where_its_profile_stands_elsewhere() -> None:
    """Why an issuer that is no object gets the full look."""
    document = plain_badge() | {"issuer": "urn:x", "foo": {"id": "urn:x", "type": "Profile"}}
    assert [found.code for found in find_unprotected(document, DECLARED)] == ["id-ambiguous"]
