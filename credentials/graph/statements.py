"""Turn an expanded JSON-LD document into RDF statements, and check every part.

This is the gate: nothing is left out, and nothing passes unchecked. PyLD's own conversion drops what it cannot write,
and writes any text that it is given. A line break in a language tag then becomes another statement, so that a document
could be given the signature of a different one. Here each name must be one that N-Quads can write, each number one that
every reader reads alike, and each member must be stated.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context
from typing import Any

from credentials.errors import ContextError, shown
from credentials.graph import rdf
from credentials.strict_json import canonical_json, place

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_RDF_TYPE = rdf.iri(_RDF + "type")
_RDF_FIRST = rdf.iri(_RDF + "first")
_RDF_REST = rdf.iri(_RDF + "rest")
_RDF_NIL = rdf.iri(_RDF + "nil")

IRI = re.compile(r"""[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|^`\\]*""")  # absolute, and N-Quads IRIREF
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LANGUAGE = re.compile(  # RFC 5646, section 2.1, with its irregular tags; all of it also fits N-Quads LANGTAG
    r"""(?aix)
    (?: (?: [a-z]{2,3} (?:-[a-z]{3}){0,3} | [a-z]{4} | [a-z]{5,8} )
        (?:-[a-z]{4})? (?:-(?:[a-z]{2}|[0-9]{3}))? (?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*
        (?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)* (?:-x(?:-[a-z0-9]{1,8})+)?
      | x(?:-[a-z0-9]{1,8})+
      | en-GB-oed | i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu) | sgn-(?:BE-FR|BE-NL|CH-DE)
    )"""
)
MAX_INTEGER = 2**53 - 1  # the greatest that every reader reads alike
_SIXTEEN_DIGITS = Context(prec=16, rounding=ROUND_HALF_UP)


def number_literal(number: float, type_: str | None) -> rdf.Ground:
    """Return the literal for a number, of the datatype `type_` or of its native one.

    Spec: JSON-LD 1.1 Processing Algorithms, section 8.2.2.
    """
    if number % 1 == 0 and abs(number) < 1e21 and type_ != _XSD + "double":
        return rdf.literal(str(int(number)), type_ or _XSD + "integer")
    # As ECMAScript and so everybody else writes it: half a last digit rounds away from zero, and -0 is 0.
    rounded = _SIXTEEN_DIGITS.create_decimal(number) if number else 0.0
    mantissa, exponent = f"{rounded:.15E}".split("E")
    mantissa = mantissa.rstrip("0") + ("0" if mantissa.rstrip("0").endswith(".") else "")
    return rdf.literal(f"{mantissa}E{int(exponent)}", type_ or _XSD + "double")


def statements(expanded: list[Any]) -> tuple[list[rdf.Quad], list[ContextError]]:
    """Return the statements of `expanded` and every fault in it.

    If there is a fault, the statements mean nothing.

    Raises:
        MalformedError: a JSON literal has no canonical form (code "json-not-canonical").
    Spec: JSON-LD 1.1 Processing Algorithms, section 8.1; directions as i18n-datatype, as other implementations sign.
    """
    conversion = _Conversion()
    conversion.add(expanded, "")
    return conversion.quads, conversion.faults


class _Conversion:
    def __init__(self) -> None:
        self.quads: list[rdf.Quad] = []
        self.faults: list[ContextError] = []
        self._blanks: dict[str, rdf.Blank] = {}
        self._terms: dict[str, rdf.Ground] = {}
        self._blank_count = 0

    def add(self, nodes: list[Any], graph: rdf.Term) -> None:
        """Add what `nodes` state in `graph`.

        A node that states nothing is a fault: it would be in the document and not be signed.
        """
        for node in nodes:
            before = len(self.quads)
            if self._is_object(node) and "@value" not in node and "@list" not in node:
                self._node(node, graph)
            if len(self.quads) == before:
                message = "expected something stated about each node, got one that no statement would hold"
                self._fault("nothing-stated", message, node)

    def _node(self, node: Mapping[str, Any], graph: rdf.Term) -> rdf.Term:
        subject = self._name(node["@id"], "relative-iri") if "@id" in node else self._new_blank()
        for member, values in node.items():
            if member == "@id":
                continue
            if member == "@type":
                for type_ in values:
                    self.quads.append((subject, _RDF_TYPE, self._name(type_, "undefined-type"), graph))
            elif member == "@graph":
                self.add(values, subject)
            elif member == "@included":
                self.add(values, graph)
            elif member == "@reverse":
                for reverse, items in values.items():
                    predicate = self._iri(reverse)
                    for item in items:
                        self.quads.append((self._node(item, graph), predicate, subject, graph))
            elif self._is_signed(member, values):
                predicate = self._iri(member)
                for value in values:
                    self.quads.append((subject, predicate, self._object(value, graph), graph))
        return subject

    def _object(self, value: Any, graph: rdf.Term) -> rdf.Term:
        if not self._is_object(value):
            return self._new_blank()
        if "@value" in value:
            return self._literal(value)
        if "@list" not in value:
            return self._node(value, graph)
        for member in value:
            if member != "@list":
                self._is_signed(member, value[member])
        rest: rdf.Term = _RDF_NIL
        for item in reversed(value["@list"]):
            cell = self._new_blank()
            self.quads.append((cell, _RDF_FIRST, self._object(item, graph), graph))
            self.quads.append((cell, _RDF_REST, rest, graph))
            rest = cell
        return rest

    def _literal(self, value: Mapping[str, Any]) -> rdf.Ground:
        content, type_ = value["@value"], value.get("@type")
        if "@index" in value:
            self._is_signed("@index", value["@index"])
        if type_ == "@json":
            return rdf.literal(canonical_json(content).decode(), _RDF + "JSON")
        if type_ is not None:
            self._iri(type_)
        if "@direction" in value:
            return self._directed(content, value.get("@language", ""), value["@direction"])
        if "@language" in value:
            return rdf.literal(content, language=self._language(value["@language"]))
        if isinstance(content, bool):
            return rdf.literal("true" if content else "false", type_ or _XSD + "boolean")
        if isinstance(content, str):
            return rdf.literal(content, type_ or _XSD + "string")
        return self._number(content, type_)

    def _number(self, number: float, type_: str | None) -> rdf.Ground:
        if isinstance(number, int) and abs(number) > MAX_INTEGER:
            message = f"expected integers up to 2^53 - 1, which every reader reads alike, got one of {len(str(number))} digits"
            self._fault("number-not-exact", message, number)
        return number_literal(number, type_)

    def _directed(self, content: Any, language: str, direction: str) -> rdf.Ground:
        """Return the literal for text with a direction.

        It is written as i18n-datatype, as other implementations sign it.
        """
        if direction not in {"ltr", "rtl"} or not isinstance(content, str):
            self._fault("direction-malformed", "expected text with direction ltr or rtl, got something else", direction)
            return rdf.literal("")
        language = self._language(language) if language else ""
        return rdf.literal(content, f"https://www.w3.org/ns/i18n#{language}_{direction}")

    def _language(self, tag: str) -> str:
        if not _LANGUAGE.fullmatch(tag):
            self._fault("language-malformed", f"expected a language tag of BCP 47, got {tag[:100]!r}", tag)
        return tag

    def _name(self, name: Any, code: str) -> rdf.Term:
        """Return the node that `name` stands for; `code` is the fault if there is none."""
        if isinstance(name, str) and name.startswith("_:"):
            if name not in self._blanks:
                self._blanks[name] = self._new_blank()
            return self._blanks[name]
        return self._iri(name, code)

    def _iri(self, address: Any, code: str = "relative-iri") -> rdf.Ground:
        name = str(address)  # what is no text has a fault, and its statement means nothing
        if name not in self._terms or not isinstance(address, str):
            if not isinstance(address, str) or not IRI.fullmatch(address):
                if isinstance(address, str) and _SCHEME.match(address):
                    code = "iri-malformed"
                self._fault(code, f"expected an absolute IRI, got {name[:200]!r}", address)
            self._terms[name] = rdf.iri(name)
        return self._terms[name]

    def _is_object(self, value: object) -> bool:
        """Return whether a value is expanded.

        It is not if a member's own context makes a keyword of its name.
        """
        if not isinstance(value, Mapping):
            self._fault(
                "json-ld-invalid", f"expected a value that JSON-LD expands, got {shown(value)} as it was", value
            )
        return isinstance(value, Mapping)

    def _is_signed(self, member: str, values: Any) -> bool:
        if member.startswith("@"):
            message = f"expected members that become statements, got {member}, which would not be signed"
            self._fault("keyword-unsigned", message, values)
        return not member.startswith("@")

    def _new_blank(self) -> rdf.Blank:
        self._blank_count += 1
        return self._blank_count

    def _fault(self, code: str, message: str, where: object) -> None:
        self.faults.append(ContextError(code, message, place(where)))
