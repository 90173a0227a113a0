"""What a data-integrity signature does not protect, found in the document itself.

A signature over canonical RDF covers what a document means as a graph. Several JSON documents mean the same graph, and
a reader of JSON sees different things in them: a member moved between two objects of one id, a `credentialStatus`
under its full address, `true` as text, an entry twice. So a document is held here to the one way in which it may be
written. What is only ambiguous (it may have been signed like this, or changed since) has a code of `AMBIGUOUS`: it
matters where the proof is over RDF, and there nobody can decide it.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from credentials.errors import shown
from credentials.findings import Finding
from credentials.strict_json import pointer

AMBIGUOUS: Final = frozenset({"id-ambiguous", "value-repeated", "levels-out-of-order"})
"""Codes of what a proof over RDF leaves open, and one over the text itself does not."""

MAX_FINDINGS: Final = 100
"""How many findings are listed; what a document has beyond them is found when those are gone."""

VOCABULARIES: Final = (
    "https://www.w3.org/2018/credentials",
    "https://w3id.org/",
    "https://purl.imsglobal.org/",
    "https://schema.org/",
    "http://schema.org/",
    "http://purl.org/dc/terms/",
    "https://www.iana.org/assignments/",
    "http://www.w3.org/ns/",
    "https://www.w3.org/ns/",
)
"""Where the addresses of the packaged contexts' terms begin: a member with such an address has a term to be named by."""
PREFIXES: Final = frozenset({"cred", "obi", "sec", "xsd"})
"""Prefixes that packaged contexts define."""
CLASS_NAMES: Final = frozenset({"Achievement", "Address", "Criteria", "GeoCoordinates", "Image", "Profile"})
"""Classes whose address some context gives to a property too, which could so be hidden under the class's name."""

_POINTING = frozenset(
    {
        "EndorsementSubject",
        "criteria",
        "credentialSchema",
        "credentialStatus",
        "image",
        "refreshService",
        "relatedResource",
        "termsOfUse",
    }
)
"""Classes whose objects say of something else only this or that: no extension is at home in them."""
_IN_VALUE_OBJECTS = frozenset({"@value", "@language", "@direction", "@type"})
_SETS_OF_TEXTS = frozenset({"type", "tag", "endorsementJwt"})
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")

Path = tuple[str | int, ...]


@dataclass
class _Node:
    """An object with an id, the members that its class has (None: unknown), and whether it may have others."""

    path: Path
    members: Mapping[str, Any]
    declared: frozenset[str] | None
    extensible: bool


@dataclass
class _Walk:
    declared: Mapping[str, frozenset[str]]
    findings: list[Finding] = field(default_factory=list)
    nodes: defaultdict[str, list[_Node]] = field(default_factory=lambda: defaultdict(list))

    def add(self, code: str, message: str, path: Path) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(code, message, pointer(*path)))


def find_unprotected(credential: Mapping[str, Any], declared: Mapping[str, frozenset[str]]) -> list[Finding]:
    """Return what a proof over RDF would not protect in the credential, its own `proof` included.

    1. No null, which RDF drops ("value-null").
    2. No JSON-LD keyword but `@context`, and those of a text with language ("member-keyword").
    3. No member under the address of a term, or the name of a class ("member-not-term"); every context may map them.
    4. No blank node's label as id ("id-blank").
    5. No entry of a set twice ("value-repeated").
    6. The levels of a rubric, a set in RDF, in the order of their numbers ("levels-out-of-order").
    7. Objects with the same id differ only in members that have one place ("id-ambiguous"): a member at home in the
       one and unknown to the other cannot have been moved.

    Args:
        declared: the members that a class has, by its name in `type` or, where that says nothing, by the name of the
            member that holds its objects.
    Spec: VC Data Model 2.0, section 5.2 (a conforming document is compacted JSON-LD); VC Data Integrity 1.0,
        section 5 on what canonicalization leaves out.
    """
    walk = _Walk(declared)
    waiting: list[tuple[Any, Path, str]] = [(credential, (), "")]
    while waiting:
        value, path, name = waiting.pop()
        if value is None:  # (1)
            walk.add("value-null", "expected a value or no member, got null", path)
        elif isinstance(value, list):
            _look_at_list(walk, value, path, name)
            waiting.extend((item, (*path, index), name) for index, item in enumerate(value))
        elif isinstance(value, Mapping):
            _look_at_object(walk, value, path, name)
            waiting.extend((inner, (*path, member), member) for member, inner in value.items() if member != "@context")
    for identifier, nodes in walk.nodes.items():
        _compare(walk, identifier, nodes)
    return sorted(walk.findings, key=lambda found: found.pointer)


def _look_at_object(walk: _Walk, value: Mapping[str, Any], path: Path, name: str) -> None:
    for member in value:
        if member.startswith("@") and member != "@context" and not ("@value" in value and member in _IN_VALUE_OBJECTS):
            message = f"expected a name from the contexts, got the JSON-LD keyword {shown(member)}"
            walk.add("member-keyword", message, (*path, member))  # (2)
        elif member in CLASS_NAMES or member.startswith(VOCABULARIES) or member.partition(":")[0] in PREFIXES:
            message = f"expected the member by its term, got it as {shown(member)}"
            walk.add("member-not-term", message, (*path, member))  # (3)
    identifier = value.get("id")
    if isinstance(identifier, str):
        if identifier.startswith("_:"):  # (4)
            walk.add("id-blank", f"expected an address as id, got the label {shown(identifier)}", (*path, "id"))
        types = value.get("type")
        names = [*(types[::-1] if isinstance(types, list) else [types]), name]
        kind = next((one for one in names if isinstance(one, str) and one in walk.declared), None)
        declared = None if kind is None else walk.declared[kind]
        walk.nodes[identifier].append(_Node(path, value, declared, kind not in _POINTING))


def _look_at_list(walk: _Walk, value: list[Any], path: Path, name: str) -> None:
    if name in _SETS_OF_TEXTS:  # (5)
        keys = [item if isinstance(item, str) else None for item in value]
    else:
        keys = [item.get("id") if isinstance(item, Mapping) else None for item in value]
    seen: set[Any] = {None}
    for index, key in enumerate(keys):
        if isinstance(key, str):
            if key in seen:
                walk.add("value-repeated", f"expected each entry once, got {shown(key)} again", (*path, index))
            seen.add(key)
    if name == "rubricCriterionLevel" and not _in_order(value):  # (6)
        message = "expected the levels from low to high by their level, or in order of their points, got another order"
        walk.add("levels-out-of-order", message, path)


def _in_order(levels: list[Any]) -> bool:
    """Return whether the levels' numbers agree with their order; points may also fall, as in the specification."""
    for member, falling in (("level", False), ("points", True)):
        texts = [level.get(member) if isinstance(level, Mapping) else None for level in levels]
        numbers = [float(text) for text in texts if isinstance(text, str) and _NUMBER.fullmatch(text)]
        if len(numbers) == len(levels):
            return numbers == sorted(numbers) or (falling and numbers == sorted(numbers, reverse=True))
    return True


def _compare(walk: _Walk, identifier: str, nodes: list[_Node]) -> None:  # (7)
    firsts: dict[frozenset[str] | None, _Node] = {}  # of each class; the others of a class have to be like it
    for node in sorted(nodes, key=lambda node: pointer(*node.path)):
        first = firsts.setdefault(node.declared, node)
        for other in [first] if first is not node else firsts.values():
            member = _movable(other, node) or _movable(node, other)
            if member is not None:
                message = f"expected objects with the id {shown(identifier)} to agree, got another {shown(member)}"
                walk.add("id-ambiguous", message, node.path)
                break


def _movable(one: _Node, other: _Node) -> str | None:
    """Return a member of `one` that could as well have stood in `other`, where it does not stand like this."""
    for member, value in one.members.items():
        if member in {"id", "@context"} or other.members.get(member) == value:
            continue
        if one.declared is None or other.declared is None:
            return member
        if member == "type" and one.declared != other.declared:
            continue  # each class demands its own
        extension = member not in one.declared and (other.extensible or not one.extensible)
        if member in other.declared or extension:
            return member
    return None
