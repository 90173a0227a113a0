"""The gate from JSON-LD to canonical bytes: what passes, what is refused and where, and that work is bounded."""

import copy
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyld import jsonld

from credentials.errors import ContextError, CredentialError, MalformedError
from credentials.graph import expansion
from credentials.graph.canonicalize import canonicalize, context_faults, dataset
from credentials.graph.documents import PACKAGED, Contexts

VECTORS = Path(__file__).parents[2] / "vectors"
V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OB_300 = "https://purl.imsglobal.org/spec/ob/v3p0/context.json"
OB_301 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
INTEGER = "^^<http://www.w3.org/2001/XMLSchema#integer>"
INLINE = PACKAGED.with_inline()


def badge() -> dict[str, Any]:
    """A badge as a network issues it, unsigned."""
    achievement = "https://laurel.example/achievements/1"
    return {
        "@context": [V2, OB, EXTENSIONS],
        "id": "https://laurel.example/credentials/1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Facilitator",
        "issuer": {"id": "did:web:laurel.example", "type": ["Profile"], "name": "Riverside", "url": "https://riverside.example"},
        "validFrom": "2026-07-01T10:00:00Z",
        "awardedDate": "2026-06-30T10:00:00Z",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [{
                "type": "IdentityObject", "hashed": True, "identityHash": "sha256$ab", "identityType": "emailAddress", "salt": "s",
            }],
            "creditsEarned": 2.5,
            "achievement": {
                "id": achievement,
                "type": ["Achievement"],
                "name": "Facilitator",
                "description": "Öffnet Räume, 学び 🎓",
                "criteria": {"narrative": '* three sessions\n* rated "good"'},
                "image": {"id": f"{achievement}/image.png", "type": "Image"},
                "tag": ["peer", "learning"],
                "resultDescription": [{
                    "id": f"{achievement}#rating", "type": ["ResultDescription"], "name": "Rating", "resultType": "RubricCriterionLevel",
                    "allowedValue": ["fair", "good", "best"],
                    "rubricCriterionLevel": [
                        {"id": f"{achievement}#level-{n}", "type": ["RubricCriterionLevel"], "name": f"Level {n}"} for n in (1, 2)
                    ],
                }],
            },
            "result": [
                {"type": ["Result"], "resultDescription": f"{achievement}#rating", "achievedLevel": f"{achievement}#level-{n}"} for n in (1, 2)
            ],
        },
        "evidence": [
            {"id": f"https://laurel.example/credentials/1#evidence-{n}", "type": ["Evidence"], "narrative": f"Session {n}",
             "genre": "Session", "digestMultibase": f"uEi{n}"} for n in (1, 2, 3)
        ],
        "credentialStatus": {
            "id": "https://laurel.example/status/1#7", "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
            "statusListIndex": "7", "statusListCredential": "https://laurel.example/status/1",
        },
        "credentialSchema": [{"id": "https://schemas.example/ob.json", "type": "1EdTechJsonSchemaValidator2019"}],
    }  # fmt: skip


def normalized_by_pyld(document: Any) -> str:
    def load(address: str, _options: object) -> dict[str, Any]:
        return {"document": dict(PACKAGED.get(address)), "documentUrl": address, "contextUrl": None}

    options = {"base": None, "documentLoader": load, "algorithm": "URDNA2015", "format": "application/n-quads"}
    normalized: str = jsonld.normalize(document, options)
    return normalized


def faults(document: Any, contexts: Contexts = PACKAGED) -> list[tuple[str, str]]:
    return [(fault.code, fault.pointer) for fault in context_faults(document, contexts)]


def strings(value: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Yield the path to each string in `value`, contexts aside."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if step != "@context":
                yield from strings(inner, *path, step)


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


# --- What passes -----------------------------------------------------------------------------------------------------


def test_a_badge_has_the_canonical_bytes_that_pyld_gives_it() -> None:
    assert canonicalize(badge(), PACKAGED).decode() == normalized_by_pyld(badge())
    assert context_faults(badge(), PACKAGED) == []


def test_published_documents_have_their_digests() -> None:
    eddsa = json.loads((VECTORS / "w3c-vc-di-eddsa/vectors.json").read_text())
    ecdsa = json.loads((VECTORS / "w3c-vc-di-ecdsa/vectors.json").read_text())
    (p384,) = (case for case in ecdsa["cases"] if len(case["documentHash"]) == 96 and "rdfc" in case["name"])

    assert hashlib.sha256(canonicalize(eddsa["unsigned"], PACKAGED)).hexdigest() == eddsa["cases"][0]["documentHash"]
    canonical = canonicalize(ecdsa["unsigned"], PACKAGED, hash_name="sha384")
    assert hashlib.sha384(canonical).hexdigest() == p384["documentHash"]


def test_the_document_is_left_as_it_was() -> None:
    document = badge()

    canonicalize(document, PACKAGED)
    context_faults({**document, "foo": 1}, PACKAGED)

    assert document == badge()


@pytest.mark.parametrize("path", list(strings(badge())), ids=lambda path: "/".join(map(str, path)))
def test_every_text_of_a_badge_is_in_its_bytes(path: tuple[str | int, ...]) -> None:
    document = badge()
    at(document, path[:-1])[path[-1]] += "x"

    try:
        assert canonicalize(document, PACKAGED) != canonicalize(badge(), PACKAGED)
    except ContextError as error:
        assert "type" in path  # a type of another name is refused, or what only its class defines
        assert error.code in {"undefined-type", "undefined-term"}  # noqa: PT017


@pytest.mark.parametrize(
    ("number", "lexical"),
    [
        (3, f'"3"{INTEGER}'),
        (3.0, f'"3"{INTEGER}'),
        (-0.0, f'"0"{INTEGER}'),
        (2**53 - 1, f'"9007199254740991"{INTEGER}'),
        (1e20, f'"100000000000000000000"{INTEGER}'),
        (1e21, '"1.0E21"^^<http://www.w3.org/2001/XMLSchema#double>'),
        (2.5, '"2.5E0"^^<http://www.w3.org/2001/XMLSchema#double>'),
        (-1e-7, '"-1.0E-7"^^<http://www.w3.org/2001/XMLSchema#double>'),
        (2**-24, '"5.960464477539063E-8"^^<http://www.w3.org/2001/XMLSchema#double>'),
        (True, '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'),
        (False, '"false"^^<http://www.w3.org/2001/XMLSchema#boolean>'),
        ({"@value": 3, "@type": "http://www.w3.org/2001/XMLSchema#double"}, '"3.0E0"^^<http://www.w3.org/2001/XMLSchema#double>'),
        ({"@value": "3", "@type": "urn:t"}, '"3"^^<urn:t>'),
        ({"@value": True, "@type": "urn:t"}, '"true"^^<urn:t>'),
        ({"@value": "a", "@language": "DE-ch"}, '"a"@de-ch'),
        ({"@value": "a", "@direction": "rtl"}, '"a"^^<https://www.w3.org/ns/i18n#_rtl>'),
        ({"@value": "a", "@language": "ar", "@direction": "rtl"}, '"a"^^<https://www.w3.org/ns/i18n#ar_rtl>'),
        ({"@value": {"b": 1.0, "a": []}, "@type": "@json"}, '"{\\"a\\":[],\\"b\\":1}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>'),
    ],
    ids=repr,
)  # fmt: skip
def test_literals_have_one_form(number: Any, lexical: str) -> None:
    document = {"@context": V2, "id": "urn:x", "https://terms.example/t": number}

    assert canonicalize(document, PACKAGED).decode() == f"<urn:x> <https://terms.example/t> {lexical} .\n"


def test_lists_graphs_reverse_and_included_nodes_are_stated() -> None:
    document = {
        "@context": [V2, {"of": {"@reverse": "urn:p:of"}, "list": {"@id": "urn:p:list", "@container": "@list"}}],
        "id": "urn:x",
        "type": "VerifiableCredential",
        "list": ["a", ["b"], {"id": "_:n"}, []],
        "of": {"id": "urn:y", "name": "y"},
        "@included": [{"id": "_:n", "name": "n"}],
        "proof": {"name": "in the proof's own graph"},
    }

    assert canonicalize(document, INLINE).decode() == normalized_by_pyld(document)


# --- What is refused, and where --------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # the closed registry
        (lambda d: d["@context"].append("https://x.example/v1"), [("context-unknown", "/@context/3")]),
        (lambda d: d["evidence"][1].update({"@context": "urn:x"}), [("context-unknown", "/evidence/1/@context")]),
        (lambda d: d["@context"].append({"foo": "urn:foo"}), [("context-inline", "/@context/3/foo")]),
        (lambda d: d["@context"].append(5), [("context-invalid", "/@context/3")]),
        (lambda d: d["@context"].append([V2]), []),
        # protected terms
        (lambda d: d["@context"].__setitem__(1, OB_301), [("protected-term", "/@context/1")]),
        (lambda d: d["@context"].__setitem__(1, OB_300), [("protected-term", "/@context/1")]),
        (lambda d: d["@context"].append(None), [("protected-term", "")]),
        # undefined terms and types: all of them
        (lambda d: d.pop("@context"), [
            *(("undefined-term", f"/{term}") for term in sorted(badge()) if term != "@context"), ("nothing-stated", "/id"),
        ]),
        (lambda d: d["@context"].__delitem__(2), [("undefined-type", "/credentialSchema/0/type")]),
        (lambda d: d["@context"].__delitem__(1), None),
        (lambda d: d["credentialSubject"].update(evidence=d["evidence"], foo={"bar": 1}), [
            ("undefined-term", "/credentialSubject/evidence"), ("undefined-term", "/credentialSubject/foo"),
        ]),
        (lambda d: d["evidence"][2].update({"a/b": "x"}), [("undefined-term", "/evidence/2/a~1b")]),
        (lambda d: d["evidence"][2].update({"@unheardof": "x"}), [("undefined-term", "")]),
        (lambda d: d["evidence"][2].update({"urn:a b": "x"}), [("undefined-term", "/evidence/2/urn:a b")]),
        (lambda d: d["evidence"][2]["type"].append("Proof"), [("undefined-type", "/evidence/2/type/1")]),
        (lambda d: d["type"].append(""), [("undefined-type", "/type/2")]),
        (lambda d: d["type"].append("@unheardof"), [("undefined-type", "")]),
        # addresses
        (lambda d: d.update(id="relative"), [("relative-iri", "/id")]),
        (lambda d: d.update(id=""), [("relative-iri", "/id")]),
        (lambda d: d.update(id="//host/path"), [("relative-iri", "/id")]),
        (lambda d: d["credentialStatus"].update(statusListCredential="#1"), [
            ("relative-iri", "/credentialStatus/statusListCredential"),
        ]),
        (lambda d: d.update(id="urn:a b"), [("iri-malformed", "/id")]),
        (lambda d: d.update(id="urn:a>"), [("iri-malformed", "/id")]),
        (lambda d: d["type"].append("urn:a><urn:b>"), [("iri-malformed", "/type/2")]),
        (lambda d: d.update({"urn:a><urn:b>": "x"}), [("iri-malformed", "/urn:a><urn:b>")]),
        (lambda d: d.update({"_:property": "x"}), [("relative-iri", "/_:property")]),
        (lambda d: d.update(name={"@value": "x", "@type": "urn:a|b"}), [("iri-malformed", "/name/@type")]),
        # literals
        (lambda d: d.update(name={"@value": "x", "@language": "en_US"}), [("language-malformed", "/name/@language")]),
        (lambda d: d.update(name={"@value": "x", "@language": ""}), [("language-malformed", "/name/@language")]),
        (lambda d: d.update(name={"@value": "x", "@language": "\u212aa"}), []),  # the Kelvin sign is lowered to k
        (lambda d: d.update(name={"@value": "x", "@language": "\u017fv"}), [("language-malformed", "/name/@language")]),
        (lambda d: d.update(name={"@value": "x", "@language": "e", "@direction": "rtl"}), [
            ("language-malformed", "/name/@language"),
        ]),
        (lambda d: d.update(name={"@value": "x", "@direction": "up"}), [("json-ld-invalid", "/name/@direction")]),
        (lambda d: d.update(name={"@value": 5, "@direction": "ltr"}), [("direction-malformed", "/name/@direction")]),
        (lambda d: d["credentialSubject"].update(creditsEarned=2**53), [
            ("number-not-exact", "/credentialSubject/creditsEarned"),
        ]),
        # what would be in the document and not in its statements
        (lambda d: d["evidence"][0].update({"@index": "x"}), [("keyword-unsigned", "/evidence/0/@index")]),
        (lambda d: d.update(name={"@value": "x", "@index": "i"}), [("keyword-unsigned", "/name/@index")]),
        (lambda d: d.update({"urn:p": {"@list": ["x"], "@index": "i"}}), [("keyword-unsigned", "/urn:p/@index")]),
        (lambda d: d.update({"@requireAll": True}), [("keyword-unsigned", "")]),
        (lambda d: d.update({"@default": "x"}), [("keyword-unsigned", "/@default")]),
        (lambda d: d.update({"@graph": ["x", 5]}), [("nothing-stated", "/@graph/0"), ("nothing-stated", "/@graph/1")]),
        (lambda d: d.update({"@graph": [{"@value": "x"}]}), [("nothing-stated", "/@graph/0/@value")]),
        (lambda d: d.update({"@graph": [{"id": "urn:x"}]}), [("nothing-stated", "/@graph/0/id")]),
        (lambda d: d.update({"@included": [{"id": "urn:x"}]}), [("nothing-stated", "/@included/0/id")]),
        (lambda d: d.update(proof="urn:x"), [("nothing-stated", "/proof")]),
        (lambda d: d.update(proof=5), [("nothing-stated", "/proof")]),
        (lambda d: d.update(proof={"@list": ["x"]}), None),
        (lambda d: d.update(name={"@language": "en"}), [("nothing-stated", "/name/@language")]),
        (lambda d: d.update(name={"@value": None}), [("nothing-stated", "/name/@value")]),
        (lambda d: (d.clear(), d.update({"@context": V2, "id": "urn:x"})), [("nothing-stated", "/@context")]),
        (lambda d: d.clear(), [("nothing-stated", "")]),
        # no JSON-LD at all
        (lambda d: d.update(id=5), [("json-ld-invalid", "/id")]),
        (lambda d: d.update({"@id": "urn:x"}), [("json-ld-invalid", "")]),
        (lambda d: d.update(type=[5]), [("json-ld-invalid", "/type/0")]),
    ],
)  # fmt: skip
def test_faults_are_told_with_code_and_place(change: Change, expected: list[tuple[str, str]] | None) -> None:
    document = badge()
    change(document)

    found = faults(document)

    assert found == expected or (expected is None and found)
    if found:
        with pytest.raises(ContextError) as raised:
            canonicalize(document, PACKAGED)
        assert (raised.value.code, raised.value.pointer) == found[0]
        assert "expected" in raised.value.message
        assert "got" in raised.value.message
    else:
        assert (
            canonicalize(document, PACKAGED) == canonicalize(badge(), PACKAGED) or document["name"] != badge()["name"]
        )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.update(name=float("nan")), "json-number"),
        (lambda d: d.update(name="\ud800"), "json-lone-surrogate"),
        (lambda d: d.update(name=object()), "json-type"),
        (lambda d: d.update(name=[[[]]] * 50_000), "json-too-large"),
        (lambda d: d.update(name={"@type": "@json", "@value": 2**53}), "json-not-canonical"),
    ],
)
def test_what_is_no_json_is_malformed(change: Change, code: str) -> None:
    document = badge()
    change(document)

    for read in (canonicalize, dataset, context_faults):
        with pytest.raises(MalformedError) as raised:
            read(document, PACKAGED)
        assert raised.value.code == code


def test_depth_is_bounded_and_deep_documents_within_the_bound_pass() -> None:
    def nested(depth: int) -> dict[str, Any]:
        document: dict[str, Any] = {"name": "x"}
        for _ in range(depth):
            document = {"https://terms.example/t": [document]}
        return {"@context": V2, **document}

    assert canonicalize(nested(31), PACKAGED)
    with pytest.raises(MalformedError) as raised:
        canonicalize(nested(32), PACKAGED)
    assert raised.value.code == "json-too-deep"


def test_a_text_is_not_taken_for_an_address_to_fetch() -> None:
    with pytest.raises(ContextError) as raised:
        canonicalize("https://laurel.example/credentials/1", PACKAGED)  # type: ignore[arg-type]  # the fault under test

    assert raised.value.code == "json-ld-invalid"


# --- The forgery: another document with the same canonical text, where statements are written without looking ----------

HONEST: dict[str, Any] = {
    "@context": V2,
    "id": "urn:c:1",
    "type": "VerifiableCredential",
    "name": {"@value": "Facilitator", "@language": "en"},
    "evidence": {"id": "urn:e:1"},
}
FORGED: dict[str, Any] = {
    "@context": V2,
    "id": "urn:c:1",
    "type": "VerifiableCredential",
    "name": {
        "@value": "Facilitator",
        "@language": "en .\n<urn:c:1> <https://www.w3.org/2018/credentials#evidence> <urn:e:1>",
    },
}


def test_the_forgery_by_language_tag_deceives_pyld_and_is_refused_here() -> None:
    assert normalized_by_pyld(FORGED) == normalized_by_pyld(HONEST)  # if not, PyLD has learnt: read its changes

    assert canonicalize(HONEST, PACKAGED).decode() == normalized_by_pyld(HONEST)
    assert faults(FORGED) == [("language-malformed", "/name/@language")]
    with pytest.raises(ContextError):
        canonicalize(FORGED, PACKAGED)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"id": "urn:c:1><urn:p><urn:o>.<urn:s"}, "iri-malformed"),
        ({"id": "urn:c:1>\n<urn:p>"}, "iri-malformed"),
        ({"type": "urn:t>\n."}, "iri-malformed"),
        ({"urn:p><urn:o>.<urn:s": "x"}, "iri-malformed"),
        ({"name": {"@value": "x", "@type": "urn:t>.<urn:s"}}, "iri-malformed"),
    ],
)
def test_no_name_can_end_its_statement(members: dict[str, Any], code: str) -> None:
    with pytest.raises(ContextError) as raised:
        canonicalize({"@context": V2, "id": "urn:x", "name": "n", **members}, PACKAGED)

    assert raised.value.code == code


# --- Contexts in the document ------------------------------------------------------------------------------------------


def test_inline_contexts_are_accepted_where_the_registry_says_so() -> None:
    document = badge()
    document["@context"].append({"mood": "https://terms.example/mood"})
    document["mood"] = "bright"

    assert b"<https://terms.example/mood>" in canonicalize(document, INLINE)
    assert canonicalize(document, INLINE).decode() == normalized_by_pyld(document)
    document["weather"] = "fair"
    assert faults(document, INLINE) == [("undefined-term", "/weather")]


@pytest.mark.parametrize(
    ("context", "code", "where"),
    [
        ({"name": "urn:mine"}, "protected-term", "/@context/3/name"),
        ({"t": "urn:t", "u": {"@id": "urn:u", "@context": {"name": "urn:mine"}}}, None, ""),
        ({"@import": V2}, "context-invalid", "/@context/3/@import"),
        ({"@propagate": False}, "context-invalid", "/@context/3/@propagate"),
        ({"@unheardof": "urn:x"}, "context-invalid", "/@context/3/@unheardof"),
        ({"@unheardof\n": "urn:x"}, "context-invalid", "/@context/3/@unheardof\n"),
        ({"t": "@unheardof"}, "context-invalid", "/@context/3/t"),
        ({"t": {"@id": "@unheardof"}}, "context-invalid", "/@context/3/t/@id"),
        ({"t": {"@id": "urn:t", "@context": {"@import": V2}}}, "context-invalid", "/@context/3/t/@context/@import"),
        ({"t": {"@id": "urn:t", "@context": "https://x.example/v1"}}, "context-unknown", "/@context/3/t/@context"),
        ({"t": {"@id": "urn:t", "@context": [V2, {"name": "urn:mine"}]}}, None, ""),
        ({"t": {"@id": "urn:t", "@context": [V2, OB, {"t": 5}]}}, "context-invalid", "/@context/3/t/@context/2/t"),
        ({"t": 5}, "context-invalid", "/@context/3/t"),
        ({"@vocab": None}, "json-ld-invalid", ""),
        ({"@language": 5}, "context-invalid", "/@context/3/@language"),
        ({str(n): "urn:x" for n in range(2_001)}, "context-too-complex", ""),
    ],
    ids=lambda value: str(value)[:60],
)
def test_inline_contexts_are_held_to_the_rules(context: dict[str, Any], code: str | None, where: str) -> None:
    document = badge()
    document["@context"].append(context)

    assert faults(document, INLINE) == ([(code, where)] if code else [])
    if code is None:
        assert canonicalize(document, INLINE) == canonicalize(badge(), PACKAGED)


def test_what_one_document_brings_is_forgotten_for_the_next() -> None:
    contexts = PACKAGED.with_inline()
    mine = {
        "@context": [V2, {"mood": "urn:mine"}],
        "id": "urn:x",
        "type": "VerifiableCredential",
        "mood": "m",
        "relatedResource": {"mood": "m"},
    }
    yours = {
        "@context": [V2, {"mood": "urn:yours"}],
        "id": "urn:x",
        "type": "VerifiableCredential",
        "mood": "m",
        "relatedResource": {"mood": "m"},
    }
    before = canonicalize(yours, PACKAGED.with_inline())

    canonicalize(mine, contexts)

    assert canonicalize(yours, contexts) == before
    assert faults({**mine, "@context": V2}, contexts) == [
        ("undefined-term", "/mood"),
        ("undefined-term", "/relatedResource/mood"),
    ]


def test_pinned_contexts_are_held_to_the_rules() -> None:
    def pinned(**documents: Any) -> Contexts:
        bodies = {f"urn:context:{name}": json.dumps({"@context": c}).encode() for name, c in documents.items()}
        return PACKAGED.with_pinned({name: (body, hashlib.sha256(body).hexdigest()) for name, body in bodies.items()})

    def read(contexts: Contexts) -> bytes:
        return canonicalize({"@context": "urn:context:a", "id": "urn:x", "mood": "m", "name": "n"}, contexts)

    assert b"<urn:mood>" in read(pinned(a=["urn:context:b", V2], b={"mood": "urn:mood"}))
    for documents, code in (
        ({"a": ["urn:context:b", V2], "b": "urn:context:a"}, "context-invalid"),
        ({"a": "urn:context:a"}, "context-invalid"),
        ({"a": {"@import": V2}}, "context-invalid"),
        ({"a": [5]}, "context-invalid"),
        ({"a": "urn:context:unknown"}, "context-unknown"),
    ):
        with pytest.raises(ContextError) as raised:
            read(pinned(**documents))
        assert raised.value.code == code


def test_reading_a_term_as_member_does_not_change_how_it_is_read_as_type() -> None:
    """A scoped context may redefine protected terms for a member, never for a type; what is kept tells the two apart."""
    body = json.dumps({
        "@context": {
            "@protected": True,
            "id": "@id",
            "type": "@type",
            "mood": "urn:mood",
            "First": {"@id": "urn:First", "@context": {"weather": "urn:weather"}},
            "Second": {"@id": "urn:Second", "@context": {"mood": "urn:other-mood"}},
        }
    }).encode()  # fmt: skip
    contexts = PACKAGED.with_pinned({"urn:context": (body, hashlib.sha256(body).hexdigest())})
    as_member = {"@context": "urn:context", "type": "First", "Second": {"mood": "m"}}
    as_type = {"@context": "urn:context", "type": ["First", "Second"], "mood": "m"}

    assert b"<urn:other-mood>" in canonicalize(as_member, contexts)
    assert [code for code, _ in faults(as_type, contexts)] == ["protected-term"]
    assert b"<urn:other-mood>" in canonicalize(as_member, contexts)


@pytest.mark.parametrize("term", ["urn:x", "@graph"])
@pytest.mark.parametrize("value", [1, "x", "a @value", [1], ["@list"]])
def test_a_context_that_makes_a_keyword_of_the_member_itself_is_refused(term: str, value: Any) -> None:
    """PyLD then leaves the value as it is."""
    own = {"odd": {"@id": term, "@context": {"odd": "@value"}}}

    assert "json-ld-invalid" in [
        code for code, _ in faults({"@context": [V2, own], "id": "urn:y", "odd": value}, INLINE)
    ]


def test_an_array_as_type_is_refused() -> None:
    """PyLD makes one of what stands under `type` in a map by type."""
    own = {"by": {"@id": "urn:p", "@container": "@type"}}
    document = {"@context": [V2, own], "id": "urn:y", "by": {"type": ["urn:a", "urn:b"]}}

    assert faults(document, INLINE) == [("undefined-type", "")]


def test_other_editions_read_other_terms() -> None:
    """An entry has a statusSize since credentials/v2 of 2025; in that of July 2024 only the list has one."""
    (older,) = PACKAGED.older([V2])
    document = badge()
    document["credentialStatus"]["statusSize"] = 1

    assert canonicalize(badge(), older) == canonicalize(badge(), PACKAGED)
    assert faults(document) == []
    assert faults(document, older) == [("undefined-term", "/credentialStatus/statusSize")]


# --- Work --------------------------------------------------------------------------------------------------------------


def test_contexts_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    contexts = Contexts(context for entry in PACKAGED.entries for context in PACKAGED.editions(entry.address))
    proof = {"@context": badge()["@context"], "type": "DataIntegrityProof", "proofPurpose": "assertionMethod"}
    expected = canonicalize(badge(), contexts), canonicalize(proof, contexts)

    monkeypatch.setattr(expansion, "_MAX_STEPS", 0)

    assert (canonicalize(badge(), contexts), canonicalize(proof, contexts)) == expected


def test_what_is_kept_of_contexts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    contexts = PACKAGED.with_inline()
    monkeypatch.setattr(expansion, "_MAX_KEPT", 3)

    assert canonicalize(badge(), contexts) == canonicalize(badge(), PACKAGED)
    assert len(expansion._prepared[contexts].processed) <= 3


@pytest.mark.parametrize(
    "document",
    [
        {"@context": [V2] * 10_000, "id": "urn:x", "name": "n"},
        {"@context": [V2, OB] * 1_000, "id": "urn:x", "name": "n"},
        {"@context": [V2, OB], "id": "urn:x", "type": ["Achievement", "Profile"] * 1_000},
        {
            "@context": V1,
            "id": "urn:x",
            "urn:p": [{"@context": [V1, EXTENSIONS] * n, "id": "urn:y"} for n in range(130)],
        },
    ],
    ids=["one", "two in turn", "types", "nested"],
)
def test_contexts_stop_at_a_bound(document: dict[str, Any]) -> None:
    with pytest.raises(ContextError) as raised:
        canonicalize(document, PACKAGED)

    assert raised.value.code == "context-too-complex"


def test_inline_contexts_stop_at_a_bound_together() -> None:
    nodes = [{"@context": {f"t{n}": "urn:x" for n in range(20)}, "id": "urn:y"} for _ in range(101)]

    with pytest.raises(ContextError) as raised:
        canonicalize({"@context": V2, "id": "urn:x", "urn:p": nodes}, INLINE)

    assert raised.value.code == "context-too-complex"


def test_poison_graphs_stop_at_a_bound() -> None:
    nodes = [f"_:b{n}" for n in range(8)]
    clique = [
        {"id": node, "https://terms.example/t": [{"id": other} for other in nodes if other != node]} for node in nodes
    ]

    with pytest.raises(ContextError) as raised:
        canonicalize({"@context": V2, "@graph": clique}, PACKAGED)

    assert raised.value.code == "graph-too-complex"


def test_threads_read_contexts_together() -> None:
    contexts = Contexts(context for entry in PACKAGED.entries for context in PACKAGED.editions(entry.address))
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(canonicalize(badge(), contexts))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [canonicalize(badge(), PACKAGED)] * 8


# --- Whatever comes ------------------------------------------------------------------------------------------------------

words = st.sampled_from([
    "@context", "@id", "@type", "@value", "@language", "@direction", "@list", "@set", "@graph", "@reverse", "@included",
    "@nest", "@json", "@vocab", "@index", "@none", "@base", "@container", "@protected", "@version", "@import", "@prefix",
    "id", "type", "name", "proof", "evidence", "issuer", "credentialSubject", "achievement", "Achievement", "Profile",
    "VerifiableCredential", "verifiableCredential", "identifier", "_:b", "_:c", "urn:x", "https://x.example/", "x", "", "en",
    "ltr", "x:y", "jsonSchema", "JsonSchema", V1, V2, OB, OB_301,
])  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)


@given(members=st.dictionaries(words, anything, max_size=6), contexts=st.lists(words, max_size=3), own=anything)
def test_no_document_makes_it_raise_anything_else(members: dict[str, Any], contexts: list[str], own: Any) -> None:
    document = {"@context": [V2, *contexts, own], **members}
    for registry in (PACKAGED, INLINE):
        try:
            canonicalize(document, registry)
        except CredentialError as error:
            assert error.code  # noqa: PT017  # most random documents are refused, some pass


@given(st.data())
def test_no_change_of_a_badge_makes_it_raise_anything_else(data: st.DataObject) -> None:
    document = badge()
    path = data.draw(st.sampled_from(list(strings(document))))
    parent = at(document, path[:-1])
    parent[path[-1]] = data.draw(anything)
    if isinstance(parent, dict):
        parent[data.draw(words)] = data.draw(anything)
    for registry in (PACKAGED, INLINE):
        try:
            canonicalize(copy.deepcopy(document), registry)
        except CredentialError as error:
            assert error.code  # noqa: PT017  # as above
