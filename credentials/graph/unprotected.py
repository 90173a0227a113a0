"""Find what a data-integrity signature over RDF does not protect in a document.

A signature over canonical RDF covers what a document means as a graph. Several JSON documents mean the same graph, and
a reader of JSON sees different things in them: a member moved between two objects with the same id, a
`credentialStatus` under its full address, `true` as text, an entry twice. So only one way of writing a document is
accepted here. What is merely ambiguous (it may have been signed like this, or changed since) has a code of `AMBIGUOUS`:
it matters if the proof is over RDF, because then nobody can decide which it was.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from credentials.errors import shown
from credentials.findings import Finding
from credentials.reading import listed, texts
from credentials.strict_json import pointer

AMBIGUOUS: Final = frozenset(
    {
        "array-nested",
        "id-ambiguous",
        "levels-out-of-order",
        "number-as-text",
        "type-not-term",
        "value-expanded",
        "value-repeated",
    }
)
"""Codes of what a proof over RDF leaves open, and a proof over the text itself does not."""

MAX_FINDINGS: Final = 100
"""How many findings are listed; further ones are found once these are mended."""

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
"""How the addresses of the packaged contexts' terms begin: a member with such an address has a term as its name."""
PREFIXES: Final = frozenset({"cred", "obi", "sec", "xsd"})
"""Prefixes that packaged contexts define."""
CLASS_NAMES: Final = frozenset({"Achievement", "Address", "Criteria", "GeoCoordinates", "Image", "Profile"})
"""Classes whose address some context also gives to a property, which could be hidden under the class's name."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


NUMBERS: Final = frozenset(
    {"creditsAvailable", "creditsEarned", "exp", "iat", "latitude", "longitude", "nbf", "statusSize"}
)
TRUTHS: Final = frozenset({"hashed", "partial"})
TEXTS: Final = _names(
    """
    achievedLevel achievementType activityEndDate activityStartDate additionalName addressCountry addressCountryCode
    addressLocality addressRegion allowedValue audience awardedDate caption created cryptosuite dateOfBirth description
    digestMultibase digestSRI email encodedList endorsementComment expirationDate expires familyName familyNamePrefix
    fieldOfStudy genre givenName honorificPrefix honorificSuffix humanCode identifier identifierType identityHash
    identityType issuanceDate issued level licenseNumber name narrative official parentOrg patronymicName phone points
    postOfficeBoxNumber postalCode proofValue publicKeyMultibase requiredLevel requiredValue resultDescription resultType
    revoked role salt secretKeyMultibase sourceId specialization status streetAddress tag targetCode targetDescription
    targetFramework targetId targetName targetType targetUrl term url validFrom validUntil value valueMax valueMin version
    """
)
"""Members to whose values packaged contexts give a datatype, so that a number and its text become one literal."""
LISTS: Final = frozenset({"allowedValue"})
"""Members whose order and repetitions packaged contexts keep."""

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
"""Classes whose objects say only certain things of something else: no extension belongs in them."""
_MEMBERS_OF_CLR = {"ClrSubject": _names("achievement association id identifier type verifiableCredential")}
"""A learner's record is no class of the model; these members have a meaning of their own in it, but id and type."""
_IN_VALUE_OBJECTS = frozenset({"@value", "@language", "@direction", "@type"})
_LOCAL_TEXTS = frozenset({"name", "description"})
_NATIVE = ("string", "integer", "double", "boolean")  # of XML Schema: the datatypes of values without a type
_OF_LANGUAGE = frozenset({"@language", "@direction"})
_SECURED = frozenset({"VerifiableCredential", "VerifiablePresentation"})
_OPEN_BADGES = "https://purl.imsglobal.org/"
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")

Path = tuple[str | int, ...]


@dataclass
class _Node:
    """An object with an id.

    It has the members that its class declares (None: unknown), and says whether it may have others, and whether it is a
    learner's record (CLR).
    """

    path: Path
    members: Mapping[str, Any]
    declared: frozenset[str] | None
    extensible: bool
    is_record: bool


@dataclass
class _Walk:
    declared: Mapping[str, frozenset[str]]
    typed: bool
    findings: list[Finding] = field(default_factory=list)
    nodes: defaultdict[str, list[_Node]] = field(default_factory=lambda: defaultdict(list))

    def add(self, code: str, message: str, path: Path) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(code, message, pointer(*path)))


def find_unprotected(credential: Mapping[str, Any], declared: Mapping[str, frozenset[str]]) -> list[Finding]:
    """Return what a proof over RDF would not protect in the credential.

    Its own `proof` is examined too. The rules:

    1. No null, and no empty array, which RDF drops ("value-null", "array-empty").
    2. No JSON-LD keyword ("member-keyword") but those of a text with language, and `@context` where a credential,
       presentation or proof begins. No value written as an object that says no more than the value ("value-expanded").
    3. No member under the address of a term, or the name of a class ("member-not-term"); every context may map them.
       No type under its address ("type-not-term").
    4. No blank node's label as id or type ("id-blank").
    5. No entry of a set twice ("value-repeated"), and no set in a set ("array-nested").
    6. The levels of a rubric, a set in RDF, in the order of their numbers ("levels-out-of-order").
    7. No text for a number and no number for a text ("number-as-text"), where Open Badges give it a datatype.
    8. Objects with the same id differ only in members that can stand in one place only ("id-ambiguous"): a member that
       belongs to one and is unknown to the other, or means something else there, cannot have been moved or copied: so a
       learner may be the subject of a record and of the badges in it. No issuer by id alone if a profile
       with that id stands elsewhere: the profile may have stood in both places.

    Args:
        declared: the members that a class has, by its name in `type` or, if that says nothing, by the name of the
            member that holds its objects.
    Spec: VC Data Model 2.0, section 5.2 (a conforming document is compacted JSON-LD); VC Data Integrity 1.0,
        section 5 on what canonicalization leaves out.
    """
    typed = any(address.startswith(_OPEN_BADGES) for address in texts(credential.get("@context")))
    walk = _Walk(declared, typed)
    issuers: list[tuple[str, Path]] = []
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
        elif isinstance(value, str) and name == "issuer":
            issuers.append((value, path))
        elif typed:
            _look_at_scalar(walk, value, path, name)
    for issuer, path in issuers:
        if any(node.declared == declared.get("Profile") for node in walk.nodes.get(issuer, ())):  # (8)
            message = f"expected the profile of {shown(issuer)}, which stands elsewhere, got its id alone"
            walk.add("id-ambiguous", message, path)
    for identifier, nodes in walk.nodes.items():
        _compare(walk, identifier, nodes)
    return sorted(walk.findings, key=lambda found: found.pointer)


def _look_at_object(walk: _Walk, value: Mapping[str, Any], path: Path, name: str) -> None:
    for member in value:
        if member.startswith("@") and not _is_keyword_seen(member, value, path, name):
            message = f"expected a name from the contexts, got the JSON-LD keyword {shown(member)}"
            walk.add("member-keyword", message, (*path, member))  # (2)
        elif member in CLASS_NAMES or _is_address_of_term(member):
            message = f"expected the member by its term, got it as {shown(member)}"
            walk.add("member-not-term", message, (*path, member))  # (3)
    if "@value" in value and _says_no_more(value, name, typed=walk.typed):
        walk.add("value-expanded", "expected a value as it is, got it written out as an object", path)  # (2)
    types = value.get("type")
    for index, type_ in enumerate(listed(types)):
        where: Path = (*path, "type", index) if isinstance(types, list) else (*path, "type")
        if isinstance(type_, str) and type_.startswith("_:"):  # (4)
            walk.add("id-blank", f"expected a name as type, got the label {shown(type_)}", where)
        elif isinstance(type_, str) and _is_address_of_term(type_):
            walk.add("type-not-term", f"expected the type by its name, got it as {shown(type_)}", where)  # (3)
    identifier = value.get("id")
    if isinstance(identifier, str):
        if identifier.startswith("_:"):  # (4)
            walk.add("id-blank", f"expected an address as id, got the label {shown(identifier)}", (*path, "id"))
        known = {**walk.declared, **_MEMBERS_OF_CLR}
        kind = next((one for one in (*reversed(texts(types)), name) if one in known), None)
        declared = None if kind is None else known[kind]
        is_record = "ClrSubject" in texts(types)
        walk.nodes[identifier].append(_Node(path, value, declared, kind not in _POINTING, is_record))


def _is_keyword_seen(member: str, value: Mapping[str, Any], path: Path, name: str) -> bool:
    """Return whether a reader of JSON expects this keyword here."""
    if member == "@context":
        return not path or name == "proof" or not _SECURED.isdisjoint(texts(value.get("type")))
    return "@value" in value and member in _IN_VALUE_OBJECTS


def _says_no_more(value: Mapping[str, Any], name: str, *, typed: bool) -> bool:
    """Return whether the value without the object around it is the same literal."""
    type_ = value.get("@type")
    if type_ is None:
        return not value.keys() & _OF_LANGUAGE and name not in _LOCAL_TEXTS
    return (typed and name in TEXTS | NUMBERS | TRUTHS) or (isinstance(type_, str) and type_.endswith(_NATIVE))


def _is_address_of_term(name: str) -> bool:
    return name.startswith(VOCABULARIES) or name.partition(":")[0] in PREFIXES


def _look_at_list(walk: _Walk, value: list[Any], path: Path, name: str) -> None:
    if not value:  # (1)
        walk.add("array-empty", "expected no member where there is nothing to say, got an empty array", path)
    seen: set[object] = set()
    for index, item in enumerate(value):
        if isinstance(item, list):
            walk.add("array-nested", "expected entries, got an array within an array", (*path, index))  # (5)
        key = _key(item)
        if key in seen and name not in LISTS and name != "proof":
            walk.add("value-repeated", f"expected each entry once, got {shown(key)} again", (*path, index))  # (5)
        if key is not None:
            seen.add(key)
    if name == "rubricCriterionLevel" and not in_order(value):  # (6)
        message = "expected the levels from low to high by their level, or in order of their points, got another order"
        walk.add("levels-out-of-order", message, path)


def _key(item: object) -> object:
    """Return what identifies an entry of a set.

    It is None for an object without id, because two such objects are always different.
    """
    match item:
        case Mapping():
            return item["id"] if isinstance(item.get("id"), str) else repr(item) if "@value" in item else None
        case bool():
            return repr(item)
        case list():
            return None
        case _:
            return item


def _look_at_scalar(walk: _Walk, value: object, path: Path, name: str) -> None:  # (7)
    wanted: type | tuple[type, ...] | None = None
    expected = "text"
    if name in NUMBERS:
        wanted, expected = (int, float), "a number"
    elif name in TRUTHS:
        wanted, expected = bool, "true or false"
    elif name in TEXTS:
        wanted = str
    if wanted is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)):
        walk.add("number-as-text", f"expected {expected}, got {shown(value)}", path)


def in_order(levels: list[Any]) -> bool:
    """Return whether the levels are in the order of their numbers.

    Points may also fall, as in the specification.
    """
    for member, falling in (("level", False), ("points", True)):
        texts = [level.get(member) if isinstance(level, Mapping) else None for level in levels]
        numbers = [float(text) for text in texts if isinstance(text, str) and _NUMBER.fullmatch(text)]
        if len(numbers) == len(levels):
            return numbers == sorted(numbers) or (falling and numbers == sorted(numbers, reverse=True))
    return len(levels) < 2  # nothing else says which is the higher one


def _compare(walk: _Walk, identifier: str, nodes: list[_Node]) -> None:  # (8)
    firsts: dict[frozenset[str] | None, _Node] = {}  # of each class; the others of a class must be like it
    for node in sorted(nodes, key=lambda node: pointer(*node.path)):
        first = firsts.setdefault(node.declared, node)
        for other in [first] if first is not node else firsts.values():
            member = _movable(other, node) or _movable(node, other)
            if member is not None:
                message = f"expected objects with the id {shown(identifier)} to agree, got another {shown(member)}"
                walk.add("id-ambiguous", message, node.path)
                break


def _movable(one: _Node, other: _Node) -> str | None:
    """Return a member of `one` that could have been moved to `other`, or from there."""
    for member, value in one.members.items():
        if member in {"id", "@context"}:
            continue
        if one.is_record != other.is_record and member in _MEMBERS_OF_CLR["ClrSubject"]:
            continue
        if member in other.members and other.members[member] == value:
            if one.declared != other.declared and not _at_home(member, one, other):
                return member  # in one of the two it may be a copy
            continue
        if one.declared is None or other.declared is None:
            return member
        if member == "type" and one.declared != other.declared:
            continue  # each class demands its own
        extension = member not in one.declared and (other.extensible or not one.extensible)
        if member in other.declared or extension:
            return member
    return None


def _at_home(member: str, *nodes: _Node) -> bool:
    return member == "type" or all(node.declared is not None and member in node.declared for node in nodes)
