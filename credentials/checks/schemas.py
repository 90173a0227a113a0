"""Check a credential against the JSON Schemas that it names.

A schema is a program that somebody else wrote, so it runs within bounds: its size, how far its references unfold, no
reference elsewhere, and small patterns that take linear time (no look-around, no back-references) over a limited amount
of text. What is beyond them is *undecided*: nobody here knows whether the credential fits.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jsonschema_rs

from credentials.checks.digests import compare
from credentials.checks.inquiry import Inquiry
from credentials.checks.provenance import check_provenance
from credentials.checks.received import read
from credentials.errors import CredentialError, MalformedError, UnavailableError, UnsupportedError, shown
from credentials.findings import Finding
from credentials.model.form import check_form, is_remark
from credentials.reading import is_a, listed
from credentials.report import finding_of, reason_of
from credentials.strict_json import parse_json, pointer

MAX_SCHEMAS: Final = 4
"""How many schemas of one credential are looked at."""
MAX_EVALUATIONS: Final = 16
"""How many schemas are evaluated for one report, together with those of endorsements and presented credentials."""
MAX_SCHEMA_BYTES: Final = 256 * 1024
MAX_STEPS: Final = 1_000_000
"""The most nodes of the schema, references unfolded, times values of the credential that are evaluated."""
MAX_PATTERN_STEPS: Final = 100_000
"""The most patterns, references unfolded, times characters of the credential that are matched."""
_MAX_UNFOLDED_DEPTH: Final = 128
_PATTERN_BYTES: Final = 8 * 1024  # of a compiled pattern; each character may cost as many steps as it has states

_KNOWN = re.compile(
    r"https://purl\.imsglobal\.org/spec/ob/v3p0/schema/json(-ld)?/"
    r"ob_v3p0_(any)?(achievement|endorsement)credential(_schema|-jsonschema1)\.json"
)
"""Schemas whose rules the model already contains."""
_REPEATING = frozenset({"unevaluatedItems", "unevaluatedProperties"})
_DIALECTS = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
)


def check_schemas(credential: Mapping[str, Any], inquiry: Inquiry) -> Iterator[tuple[str, Finding]]:
    """Yield what is wrong with the credential by its own schemas.

    Each finding comes with "failed", "undecided" or "remark".

    1. 1EdTechJsonSchemaValidator2019: the JSON Schema at the address, unless the model contains its rules.
    2. JsonSchema: the JSON Schema at the address, for the credential without its proof.
    3. JsonSchemaCredential: the JSON Schema in the credential at the address; that credential's own proof must hold.
    4. Any other type: not looked at, a remark.

    Spec: VC Data Model 2.0, section 4.11 (data schemas); Verifiable Credentials JSON Schema Specification, section 3;
        Open Badges 3.0, section on extending.
    """
    value = credential.get("credentialSchema", [])
    entries = listed(value)
    if len(entries) > MAX_SCHEMAS:
        message = f"expected at most {MAX_SCHEMAS} schemas, got {len(entries)}"
        yield "undecided", Finding("schemas-too-many", message, "/credentialSchema")
    for index, entry in enumerate(entries[:MAX_SCHEMAS]):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str):
            continue  # the check of the form reports this
        where = pointer("credentialSchema", *([index] if isinstance(value, list) else []))
        try:
            yield from (("failed", found) for found in _check(entry, credential, inquiry))
        except (UnavailableError, UnsupportedError) as error:
            outcome = "remark" if error.code == "schema-unknown" else "undecided"
            yield outcome, finding_of(error, where)
        except CredentialError as error:
            yield "failed", finding_of(error, where)


def _check(entry: Mapping[str, Any], credential: Mapping[str, Any], inquiry: Inquiry) -> Iterator[Finding]:
    address = entry["id"]
    unsecured = {name: value for name, value in credential.items() if name != "proof"}
    if is_a(entry, "1EdTechJsonSchemaValidator2019"):  # (1)
        if not _KNOWN.fullmatch(address):
            _count_one(inquiry)
            yield from _evaluate(_load(entry, inquiry), credential, address)
    elif is_a(entry, "JsonSchema"):  # (2)
        _count_one(inquiry)
        yield from _evaluate(_load(entry, inquiry), unsecured, address)
    elif is_a(entry, "JsonSchemaCredential"):  # (3)
        _count_one(inquiry)
        yield from _evaluate(_load_secured(entry, inquiry), unsecured, address)
    else:  # (4)
        message = f"expected a type of schema that is known here, got {shown(entry.get('type'))}"
        raise UnsupportedError("schema-unknown", message, "/type")


def _count_one(inquiry: Inquiry) -> None:
    if inquiry.schemas_evaluated >= MAX_EVALUATIONS:
        message = f"expected at most {MAX_EVALUATIONS} schemas for one report, got more"
        raise UnsupportedError("schemas-too-many", message)
    inquiry.schemas_evaluated += 1


def _fetch(entry: Mapping[str, Any], inquiry: Inquiry) -> bytes:
    body = inquiry.load(entry["id"]).body
    if entry.get("digestSRI") is not None or entry.get("digestMultibase") is not None:
        compare(entry, iter([body]))
    return body


def _load(entry: Mapping[str, Any], inquiry: Inquiry) -> Any:
    return _schema_in(_fetch(entry, inquiry))


def _schema_in(body: bytes) -> Any:
    try:
        return parse_json(body, max_bytes=MAX_SCHEMA_BYTES)
    except MalformedError as error:
        raise UnsupportedError("schema-malformed", f"schema: {error.message}", "/id") from error


def _load_secured(entry: Mapping[str, Any], inquiry: Inquiry) -> Any:
    """Return the schema in a credential whose form and proof hold."""
    found = read(_fetch(entry, inquiry))
    subject = found.credential.get("credentialSubject")
    subject = subject if isinstance(subject, Mapping) else {}
    schema = subject.get("jsonSchema")
    if not isinstance(schema, Mapping):
        message = f"expected one subject with a jsonSchema that is an object, got {shown(schema)}"
        raise MalformedError("schema-credential", message, "/id")
    # For the signature the schema is text, and may say anything that JSON can.
    around = {name: value for name, value in subject.items() if name != "jsonSchema"}
    read_so = {**found.credential, "credentialSubject": around}
    for fault in check_form(read_so):
        if is_remark(fault, read_so):
            continue
        raise MalformedError("schema-credential", f"schema, {fault.pointer}: {fault.message}", "/id")
    provenance = check_provenance(found, inquiry)
    for check in (provenance.proof, provenance.owner):
        if check.outcome == "failed":
            raise MalformedError("schema-credential", f"schema: {reason_of(check)}", "/id")
        if check.outcome != "passed":
            raise UnavailableError("schema-credential-undecided", f"schema: {reason_of(check)}", "/id")
    return schema


# --- Within bounds ---------------------------------------------------------------------------------------------------


def _evaluate(schema: Any, credential: Mapping[str, Any], address: str) -> Iterator[Finding]:
    """Yield the first place where the credential does not match the schema."""
    if not isinstance(schema, dict | bool):
        raise UnsupportedError("schema-malformed", f"expected a schema at {shown(address)}, got {shown(schema)}", "/id")
    dialect = schema.get("$schema", _DIALECTS[0]) if isinstance(schema, dict) else _DIALECTS[0]
    if str(dialect).removesuffix("#") not in _DIALECTS:
        message = f"expected JSON Schema 2020-12, 2019-09 or draft 7, got {shown(dialect)}"
        raise UnsupportedError("schema-malformed", message, "/id")
    size, (values, characters) = _Unfolding(schema).size(schema), _extent(credential)
    if size.nodes * values > MAX_STEPS or size.patterns * characters > MAX_PATTERN_STEPS:
        raise _too_complex()
    try:
        validator = jsonschema_rs.validator_for(
            schema,
            validate_formats=False,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=_PATTERN_BYTES),
        )
    except (ValueError, OverflowError) as error:
        message = f"expected a schema at {shown(address)} that is valid and whole, got one that is not"
        raise UnsupportedError("schema-malformed", message, "/id") from error
    for fault in validator.iter_errors(credential):
        asked = pointer(*fault.schema_path)
        message = f"expected what {shown(address)} asks for at {shown(asked)}, got something else"
        yield Finding("schema-mismatch", message, pointer(*fault.instance_path))
        return


@dataclass(frozen=True)
class _Size:
    """The size of a schema below a node, with references unfolded."""

    nodes: int = 1
    levels: int = 1
    patterns: int = 0


class _Unfolding:
    """Computes the size of a schema in which each reference stands for its target."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._known: dict[int, _Size] = {}
        self._open: set[int] = set()

    def size(self, node: Any, level: int = 0) -> _Size:
        """Return the size of what is under `node`; raise beyond bounds or in a circle."""
        if not isinstance(node, list | Mapping):
            return _Size()
        if id(node) in self._known:
            return self._known[id(node)]
        if id(node) in self._open or level > _MAX_UNFOLDED_DEPTH:
            raise _too_complex()
        self._open.add(id(node))
        within = [self.size(inner, level + 1) for inner in self._under(node, level)]
        levels = 1 + max((one.levels for one in within), default=0)
        nodes, patterns = 1 + sum(one.nodes for one in within), sum(one.patterns for one in within)
        if isinstance(node, Mapping):
            named = node.get("patternProperties")
            patterns += isinstance(node.get("pattern"), str) + (len(named) if isinstance(named, Mapping) else 0)
            if node.keys() & _REPEATING:  # these evaluate again what was already evaluated, level by level
                nodes, patterns = nodes * (4 + levels), patterns * (4 + levels)
        if nodes > MAX_STEPS or patterns > MAX_PATTERN_STEPS or levels > _MAX_UNFOLDED_DEPTH:
            raise _too_complex()
        self._open.remove(id(node))
        self._known[id(node)] = _Size(nodes, levels, patterns)
        return self._known[id(node)]

    def _under(self, node: Any, level: int) -> Iterator[Any]:
        if isinstance(node, list):
            yield from node
            return
        for keyword, value in node.items():
            if keyword in {"$dynamicRef", "$recursiveRef"} or (keyword == "$id" and level):
                if isinstance(value, str):
                    message = f"expected a schema without {keyword} within it, got one with it"
                    raise UnsupportedError("schema-malformed", message, "/id")
            elif keyword == "$ref" and isinstance(value, str):
                yield self._target(value)
            yield value

    def _target(self, reference: str) -> Any:
        """Return what a reference within the schema points to."""
        found = self._schema
        path, slash, steps = reference.partition("/")
        for step in steps.split("/") if slash else []:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list):
                found = found[int(name)] if name.isdecimal() and int(name) < len(found) else None
            else:
                found = found.get(name) if isinstance(found, Mapping) else None
        if path != "#" or found is None:
            message = f"expected a schema whose references stay within it, got {shown(reference)}"
            raise UnsupportedError("schema-malformed", message, "/id")
        return found


def _extent(value: Any) -> tuple[int, int]:
    """Return how many values a JSON value has, and how many characters.

    The characters are those of its texts and names.
    """
    if isinstance(value, str):
        return 1, len(value)
    inner: list[Any] = value if isinstance(value, list) else []
    names = 0
    if isinstance(value, Mapping):
        inner, names = list(value.values()), sum(map(len, value))
    extents = [_extent(item) for item in inner]
    return 1 + sum(values for values, _ in extents), names + sum(characters for _, characters in extents)


def _too_complex() -> UnsupportedError:
    message = "expected a schema that takes few steps to evaluate, got one that unfolds further, or without end"
    return UnsupportedError("schema-too-complex", message, "/id")
