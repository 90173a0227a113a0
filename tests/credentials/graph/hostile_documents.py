"""Ordinary, odd and hostile documents, drawn from real ones: what two roads must read alike.

A source of random numbers decides everything. Hypothesis gives one that it can make simpler (`test_oracle`), and
`make fuzz` one that goes on for as long as one likes.
"""

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from credentials.graph.documents import PACKAGED, Context, Contexts

ROOT = Path(__file__).parents[3]
V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
CLR = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
OWN = "https://contexts.example/own"
XSD = "http://www.w3.org/2001/XMLSchema#"
FILES = (
    "tests/vectors/openbadges/validator-badges.json",
    "tests/vectors/openbadges/linked-data-proof.json",
    "tests/vectors/w3c-vc-di-eddsa/vectors.json",
    "tests/vectors/w3c-vc-di-ecdsa/vectors.json",
    "tests/vectors/bitstring-status-list/vectors.json",
    "tests/credentials/assets/full-badge.json",
)
PROOF = {
    "@context": [V2, OB],
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-rdfc-2022",
    "created": "2026-01-01T00:00:00Z",
    "verificationMethod": "did:web:x.example#key",
    "proofPurpose": "assertionMethod",
}
RECORD = {
    "@context": [V2, CLR, OB],
    "id": "urn:uuid:1",
    "type": ["VerifiableCredential", "ClrCredential"],
    "name": "Record",
    "issuer": {"id": "did:web:x.example", "type": ["Profile"], "name": "X"},
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": {
        "id": "did:example:1",
        "type": ["ClrSubject"],
        "achievement": [
            {"id": f"urn:uuid:{n}", "type": ["Achievement"], "name": "A", "criteria": {"narrative": f"{n}"}}
            for n in (2, 3)
        ],
        "association": [
            {"type": "Association", "associationType": "isParentOf", "sourceId": "urn:uuid:2", "targetId": "urn:uuid:3"}
        ],
    },
}


def _documents_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield each document in a file of vectors, with its proofs apart."""
    if isinstance(value, dict):
        if "@context" in value:
            yield {name: inner for name, inner in value.items() if name != "proof"}
            for proof in value["proof"] if isinstance(value.get("proof"), list) else [value.get("proof")]:
                if isinstance(proof, dict):
                    yield {"@context": value["@context"], **proof}
        for inner in value.values():
            yield from _documents_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _documents_in(inner)


PUBLISHED = [document for name in FILES for document in _documents_in(json.loads((ROOT / name).read_text()))]
BASES: list[dict[str, Any]] = [*PUBLISHED, PROOF, RECORD]


def _terms_of(context: Any) -> Iterator[str]:
    for each in context if isinstance(context, list) else [context]:
        for term, definition in (each or {}).items():
            if not term.startswith("@"):
                yield term
            if isinstance(definition, dict):
                yield from _terms_of(definition.get("@context"))


TERMS = sorted({term for context in PACKAGED.entries for term in _terms_of(context.document["@context"])})
ADDRESSES = [context.address for context in PACKAGED.entries]
KEYWORDS = [
    "@context", "@id", "@type", "@value", "@language", "@direction", "@list", "@set", "@graph", "@reverse", "@included",
    "@nest", "@json", "@vocab", "@index", "@none", "@base", "@container", "@protected", "@version", "@import", "@foo",
]  # fmt: skip
OWN_TERMS = [f"own{n}" for n in range(8)] + [f"Own{n}" for n in range(4)]
FREQUENT = [
    "id",
    "type",
    "name",
    "description",
    "evidence",
    "achievement",
    "issuer",
    "credentialSubject",
    "tag",
    "image",
]
PREFIXED = ["obi:x", "sec:proof", "cred:name", "xsd:string", "own0:x", "url:x", "email:x", "did:x:y", "Profile:x"]
IRIS = [
    "urn:x", "https://x.example/", "did:web:x.example", "mailto:a@x.example", "https:x", "http://x.example/é\u2028?x#y", "a:", "a+b.c-d:e",
    "urn:\u00a0", "urn:x\x7f", "URN:x", f"{XSD}string", "https://schema.org/name", "https://w3id.org/security#proof",
]  # fmt: skip
MALFORMED = [
    "", "x", "/x", "//x.example", "#x", "?x", "_:b", "_:b0", "_:c14n0", "urn:x y", "urn:<x>", "urn:x\n", "1:x", ":x", "urn:\\", "urn:{}",
    "é:x", "urn:x> <urn:p> <urn:o> .\n<urn:s", '"', "\\", 'a"b\\c\n\r\t\b\f\x00\x1f\x7f\x85\ufffe\uffff\u2028𝄞', "\ud800", "x\udc00",
    "é" * 3, "e\u0301", "\ufeff", "true", "1", "1.0", "null",
]  # fmt: skip
NUMBERS: list[Any] = [
    0, 1, -1, 7, 2**31, 2**53 - 1, 2**53, -(2**53) + 1, -(2**53), 10**21, 10**400, 0.0, -0.0, 1.0, 1.5, -2.5, 0.1, 1e-7, 1e21, 1e20,
    1e300, 5e-324, 2.0**53, 123456789.123456789, 0.1 + 0.2, float("nan"), float("inf"),
]  # fmt: skip
TEXTS = ["a", "b", "Facilitator", "2026-01-01T00:00:00Z", "en", "ltr", "uEi1"]


def random_text(random: Random) -> str:
    return random.choice(
        random.choice([TEXTS, TEXTS, IRIS, MALFORMED, TERMS, PREFIXED, FREQUENT, KEYWORDS, OWN_TERMS, ADDRESSES])
    )


def random_scalar(random: Random) -> Any:
    kind = random.randrange(8)
    return random_text(random) if kind < 4 else random.choice([random.choice(NUMBERS), True, False, None][kind - 4 :])


def random_name(random: Random) -> str:
    return random.choice(random.choice([FREQUENT, TERMS, TERMS, OWN_TERMS, KEYWORDS, PREFIXED, IRIS, MALFORMED]))


def random_value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(12 if depth < 3 else 6)
    if kind < 6:
        return random_scalar(random)
    if kind < 8:
        return [random_value(random, depth + 1) for _ in range(random.randrange(4))]
    if kind == 8:
        return random_odd_object(random)
    return {random_name(random): random_value(random, depth + 1) for _ in range(random.randrange(4))}


def random_odd_object(random: Random) -> Any:
    inner = random_value(random, 2)
    return random.choice([
        {"@value": inner},
        {"@value": "x", "@type": random_text(random)},
        {"@value": "x", "@language": random.choice(["en", "de-CH", "not a tag", "EN"]), "@direction": "rtl"},
        {"@list": inner if isinstance(inner, list) else [inner]},
        {"@set": [inner]},
        {"@graph": inner},
        {"@id": random_text(random)},
        {"id": random_text(random)},
        {"@id": "urn:x", "@type": random_text(random), "name": "x"},
        {"en": "x", "de": ["y", "z"]},
        {"@reverse": {random_name(random): {"id": "urn:y", "name": "y"}}},
        {"@included": [{"id": "urn:y", "name": "y"}]},
        {"@context": random.choice([{}, None, V2, {"name": "urn:other-name"}, {"own0": "urn:own"}]), "name": inner},
        [[inner]],
        [inner, inner],
        {},
        [],
    ])  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        if step != "@context":
            yield from _places(inner, (*path, step))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _objects(document: Any) -> list[dict[str, Any]]:
    return [document, *(each for path in _places(document) if isinstance(each := _at(document, path), dict))]


def add_member(document: Any, random: Random) -> None:
    random.choice(_objects(document))[random_name(random)] = random_value(random)


def add_copied_member(document: Any, random: Random) -> None:
    one, other = random.choice(_objects(document)), random.choice(_objects(document))
    for name in [name for name in other if name != "@context"][:3]:
        if random.randrange(2):
            one[name] = copy.deepcopy(other[name])


def replace(document: Any, random: Random) -> None:
    if places := list(_places(document)):
        path = random.choice(places)
        _at(document, path[:-1])[path[-1]] = random_value(random)


def change_text(document: Any, random: Random) -> None:
    """Most such documents are ordinary still."""
    if places := [
        path for path in _places(document) if isinstance(_at(document, path), str) and "@context" not in path
    ]:
        path = random.choice(places)
        text = _at(document, path)
        piece = random.choice([*MALFORMED, *IRIS, *TEXTS, "x", "é", " ", ":", "#"])
        at = random.randrange(len(text) + 1)
        _at(document, path[:-1])[path[-1]] = random.choice([text[:at] + piece + text[at:], text[:at], text + piece])


def remove(document: Any, random: Random) -> None:
    if places := list(_places(document)):
        path = random.choice(places)
        del _at(document, path[:-1])[path[-1]]


def rename(document: Any, random: Random) -> None:
    node = random.choice(_objects(document))
    if node:
        node[random_name(random)] = node.pop(random.choice(list(node)))


def copy_to_another_place(document: Any, random: Random) -> None:
    if places := list(_places(document)):
        source, target = random.choice(places), random.choice(places)
        _at(document, target[:-1])[target[-1]] = copy.deepcopy(_at(document, source))


def wrap(document: Any, random: Random) -> None:
    if places := [path for path in _places(document) if "@context" not in path]:
        path = random.choice(places)
        value = _at(document, path)
        several = value if isinstance(value, list) else [value]
        _at(document, path[:-1])[path[-1]] = random.choice([
            [value], [*several, *copy.deepcopy(several)], [*several, random_value(random)], {"@value": value}, {"@set": several},
            {"@list": several}, {"@id": value}, {"id": value}, several[0] if several else None, {"@graph": value}, several[::-1],
        ])  # fmt: skip


def change_types(document: Any, random: Random) -> None:
    node = random.choice(_objects(document))
    types = node.get("type", [])
    several = types if isinstance(types, list) else [types]
    node["type"] = random.choice([
        [*several, random.choice(TERMS)], [*several, *several], several[::-1], several[:1], random.choice(several or [None]),
        [*several, random_text(random)], [], None, random_scalar(random), [random.choice(TERMS), random.choice(OWN_TERMS)],
    ])  # fmt: skip


def change_id(document: Any, random: Random) -> None:
    known = [copy.deepcopy(node["id"]) for node in _objects(document) if "id" in node]
    random.choice(_objects(document))["id"] = random.choice(
        [
            random_text(random),
            *random.choices([*IRIS, *PREFIXED], k=2),
            random.choice(known or ["urn:x"]),
            random_scalar(random),
            "_:b",
        ]
    )


def change_contexts(document: Any, random: Random) -> None:
    contexts = document.get("@context")
    several = contexts if isinstance(contexts, list) else [contexts]
    document["@context"] = random.choice([
        [*several, OWN], [*several, random.choice(ADDRESSES)], several[:-1], several[::-1], several[0] if several else None,
        [*several, {"own0": "urn:own"}], [*several, None], [random.choice(ADDRESSES), OWN], OWN, [*several, *several],
        [*several, random_value(random)], tuple(several),
    ])  # fmt: skip


MUTATIONS: tuple[tuple[Callable[[Any, Random], None], int], ...] = (
    (add_member, 4), (add_copied_member, 4), (replace, 3), (change_text, 10), (remove, 3), (rename, 2), (copy_to_another_place, 4),
    (wrap, 3), (change_types, 3), (change_id, 3), (change_contexts, 3),
)  # fmt: skip
_CHANGES = [change for change, weight in MUTATIONS for _ in range(weight)]


def random_document(random: Random) -> dict[str, Any]:
    """Return a real document, changed in up to four ways."""
    document: dict[str, Any] = copy.deepcopy(random.choice(BASES))
    if not random.randrange(4):
        document["@context"] = [
            *(document["@context"] if isinstance(document["@context"], list) else [document["@context"]]),
            OWN,
        ]
    for _ in range(random.randrange(5)):
        random.choice(_CHANGES)(document, random)
    return document


# --- Contexts of strangers: the road may not read them, but its tables would have to be right for them too ---------------


ODD_DEFINITIONS: list[Any] = [
    "https://own.example/#", "own0:suffix", "@id", "@type", "@value", "@nest", None, {"@type": "@json"}, {"@type": "@none"}, {"@type": "own1"},
    {"@language": "de"}, {"@direction": "rtl"}, {"@nest": "@nest"}, {"@protected": True}, {"@prefix": True}, {"@container": "@language"},
    {"@container": "@index"}, {"@container": "@graph"}, {"@container": "@id"}, {"@container": "@type", "@type": "@id"},
    {"@container": ["@graph", "@set"]}, {"@context": None}, {"@id": "https://own.example/\u2028"}, {"@id": "_:b"}, {"@reverse": "urn:own:r"},
]  # fmt: skip
ODD_CONTEXTS: list[dict[str, Any]] = [
    {"@vocab": "https://own.example/vocab#"}, {"@vocab": None}, {"@base": "https://own.example/"}, {"@language": "en"}, {"@direction": "ltr"},
    {"@protected": True}, {"@type": {"@container": "@set"}}, {"id": "@type"}, {"type": "urn:own:t"}, {"id": "urn:own:i"}, {"own0": "@id"},
    {"own1": "@value"}, {"own2": "@type"}, {"https": "urn:own:https:"}, {"urn": {"@id": "https://own.example/", "@prefix": True}},
]  # fmt: skip


def _random_definition(random: Random, odd: Any, depth: int) -> Any:
    definition: dict[str, Any] = {"@id": f"urn:own:{random.randrange(6)}"}
    if random.randrange(2):
        definition["@type"] = random.choice(["@id", "@vocab", f"{XSD}string", f"{XSD}double", f"{XSD}boolean"])
    if random.randrange(4) == 0:
        definition["@container"] = random.choice(["@list", "@set"])
    if depth < 2 and random.randrange(4) == 0:
        definition["@context"] = _random_context(random, odd, depth + 1)
    if odd in ODD_DEFINITIONS and random.randrange(4) == 0:
        definition = definition | odd if isinstance(odd, dict) else odd
    return {"@reverse": "urn:own:r"} if isinstance(definition, dict) and "@reverse" in definition else definition


def _random_context(random: Random, odd: Any, depth: int = 0) -> dict[str, Any]:
    """Return a context with one odd thing here and there, so that much of it is ordinary."""
    context: dict[str, Any] = {"@version": 1.1}
    for name in OWN_TERMS if depth == 0 else random.sample([*OWN_TERMS, "name", "tag"], random.randrange(1, 5)):
        context[name] = _random_definition(random, odd, depth)
    if depth == 0 or random.randrange(2):
        context |= {"id": "@id", "type": "@type"}
    return context | odd if odd in ODD_CONTEXTS and random.randrange(2) else context


def random_contexts(random: Random) -> tuple[Contexts, Context]:
    """Return a registry with a stranger's context at `OWN`, and that context."""
    body = json.dumps({"@context": _random_context(random, random.choice([*ODD_DEFINITIONS, *ODD_CONTEXTS]))}).encode()
    contexts = PACKAGED.with_pinned({OWN: (body, hashlib.sha256(body).hexdigest())})
    return contexts, contexts.editions(OWN)[0]


def random_own_document(random: Random) -> dict[str, Any]:
    """Return a document in words of that context."""

    def node(depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if random.randrange(3) == 0:
            made["id"] = random.choice([*IRIS, "own0:x", "own1:x", "own2:x"])
        if random.randrange(3) == 0:
            made["type"] = random.sample(OWN_TERMS[-4:], random.randrange(1, 3))
        for name in random.sample(OWN_TERMS, random.randrange(1, 4)):
            made[name] = value(depth)
        return made

    def value(depth: int) -> Any:
        kind = random.randrange(12)
        if kind < 5 and depth < 4:
            return node(depth + 1) if kind < 3 else [node(depth + 1) for _ in range(kind - 2)]
        texts = [random.choice(IRIS), random.choice(OWN_TERMS), random.choice(OWN_TERMS) + ":x"]
        return random.choice([*texts, *texts, texts, "a", 1, True, 1.5])

    return {"@context": random.choice([*[OWN] * 18, [OWN], [V2, OWN]]), **node(0)}
