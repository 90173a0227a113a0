"""One walk through an ordinary document, from its values to its statements.

An ordinary document is made of objects, texts, numbers and truths, one within the other or in an array that is not
empty. Each member and type is a term of the contexts, each address absolute, and it has no prefix. The walk ends at
whatever else it meets. So each member either becomes a statement or ends the walk, and none is left out silently.

The bounds lie within those of `strict_json.check_json`. What that refuses ends the walk too.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from credentials.graph import rdf
from credentials.graph.documents import Contexts
from credentials.graph.expansion import Processor
from credentials.graph.forest import Forest
from credentials.graph.statements import IRI, MAX_INTEGER, number_literal
from credentials.graph.tables import (
    ADDRESS,
    LITERAL,
    WORD,
    XSD_STRING,
    Member,
    NotOrdinaryError,
    Scope,
    Scopes,
    Table,
    Terms,
)

MAX_VALUES: Final = 4_000
MAX_DEPTH: Final = 24
"""How many objects may be within one another; with an array around each that is twice as deep in JSON."""

_XSD_BOOLEAN = "http://www.w3.org/2001/XMLSchema#boolean"
_FIRST = " <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> "
_REST = " <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> "
_NIL = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>"
_needs_escape = rdf.ESCAPED.search
_is_iri = IRI.fullmatch


class Walk:
    """A walk, and what it found: the statements in `forest`."""

    __slots__ = ("_contexts", "_processor", "_unproved", "_values_left", "forest")

    def __init__(self, contexts: Contexts) -> None:
        self.forest = Forest()
        self._contexts = contexts
        self._processor: Processor | None = None
        self._values_left = MAX_VALUES
        self._unproved: list[tuple[dict[Any, Any], object, Table | Member]] = []

    @property
    def is_proved(self) -> bool:
        """Whether every entry that it used was proved before."""
        return not self._unproved

    def prove(self) -> None:
        """Note that the slow road has the same result."""
        for entries, key, entry in self._unproved:
            entries[key] = entry

    def begin(self, document: Mapping[str, Any], scopes: Scopes, addresses: tuple[str, ...]) -> None:
        """Walk along a document that names the contexts of these addresses.

        Raises:
            NotOrdinaryError: it is not ordinary.
            ContextError: its contexts take too many steps to read.
        """
        scope = scopes.roots.get(addresses) or scopes.new_root(addresses, self._reader())
        members = {name: value for name, value in document.items() if name != "@context"}
        self._node(members, scope, 0)

    def _reader(self) -> Processor:
        if self._processor is None:
            self._processor = Processor(self._contexts)
        return self._processor

    def _node(self, node: dict[str, Any], scope: Scope, depth: int) -> rdf.Term:
        """Add what an object states, and return the term for it.

        Spec: JSON-LD 1.1 Processing Algorithms, section 5.1.2, steps 7 to 13.
        """
        self._values_left -= len(node)
        if depth > MAX_DEPTH or not node or self._values_left < 0:
            raise NotOrdinaryError
        table = self._table(node.get("type"), scope)
        members = table.members
        subject: rdf.Term
        if "id" in node:
            subject = start = self._own_address(node, members.get("id") or self._first(table, "id"))
            said = self.forest.ground
        else:
            subject, start = self.forest.new_blank(), ""
            said = self.forest.said[subject]
        for text in table.types:
            said.append(start + text)
        for name, value in node.items():
            member = members.get(name) or self._first(table, name)
            if member.opening and value.__class__ is str and not _needs_escape(value):
                said.append(f"{start}{member.opening}{value}{member.ending}")
            elif member.is_own:
                if value is None:
                    raise NotOrdinaryError
            elif member.is_list:
                self._add_list(subject, said, start, member, value, depth)
            elif value.__class__ is list:
                for item in self._entries(value):
                    self._add(subject, said, start, member.predicate, self._object(item, member, depth))
            else:
                self._add(subject, said, start, member.predicate, self._object(value, member, depth))
        return subject

    def _table(self, types: Any, scope: Scope) -> Table:
        key = types
        if types.__class__ is list:
            key = tuple(types)
            self._values_left -= len(key)
        elif types is not None and types.__class__ is not str:
            raise NotOrdinaryError
        try:
            table = scope.tables.get(key)
        except TypeError as error:  # a type that is an array or an object
            raise NotOrdinaryError from error
        if table is None:
            table = scope.look_up(key, self._reader())
            self._unproved.append((scope.tables, key, table))
        return table

    def _first(self, table: Table, name: object) -> Member:
        member = table.look_up(name, self._reader())
        self._unproved.append((table.members, name, member))
        return member

    def _own_address(self, node: Mapping[str, Any], member: Member) -> rdf.Ground:
        address = node["id"]
        if address.__class__ is not str or len(node) == 1:  # an object of only an id keeps another active context
            raise NotOrdinaryError
        return _address(address, member.terms)

    def _entries(self, value: list[Any]) -> list[Any]:
        self._values_left -= len(value)
        if not value or self._values_left < 0:
            raise NotOrdinaryError
        return value

    def _add(self, subject: rdf.Term, said: list[str], start: str, predicate: str, value: rdf.Term) -> None:
        if isinstance(value, str):
            said.append(f"{start}{predicate}{value} .\n")
        else:
            self.forest.incoming[value] = (subject, predicate)
            if isinstance(subject, int):
                self.forest.links[subject].append(predicate)

    def _add_list(self, subject: rdf.Term, said: list[str], start: str, member: Member, value: Any, depth: int) -> None:
        """Add a list: a chain of blank nodes, each with an entry and the rest.

        Spec: JSON-LD 1.1 Processing Algorithms, section 8.3.
        """
        predicate = member.predicate
        for item in self._entries(value if value.__class__ is list else [value]):
            cell = self.forest.new_blank()
            self._add(subject, said, start, predicate, cell)
            subject, said, start, predicate = cell, self.forest.said[cell], "", _REST
            self._add(subject, said, start, _FIRST, self._object(item, member, depth))
        self._add(subject, said, start, _REST, _NIL)

    def _object(self, value: Any, member: Member, depth: int) -> rdf.Term:
        """Return the term for a value that is no array.

        Spec: JSON-LD 1.1 Processing Algorithms, sections 5.3.2 and 8.2.2.
        """
        class_, kind = value.__class__, member.kind
        if class_ is dict and member.scope is not None:
            return self._node(value, member.scope, depth + 1)
        if kind == ADDRESS and class_ is str:
            return _address(value, member.terms)
        if kind == WORD and class_ is str:
            return _word(value, member.terms)
        if kind != LITERAL:
            raise NotOrdinaryError
        if class_ is str:
            return rdf.literal(value, member.datatype or XSD_STRING)
        if class_ is bool:
            return rdf.literal("true" if value else "false", member.datatype or _XSD_BOOLEAN)
        if (class_ is int and abs(value) <= MAX_INTEGER) or (class_ is float and math.isfinite(value)):
            return number_literal(value, member.datatype)
        raise NotOrdinaryError


def _address(address: str, terms: Terms) -> rdf.Ground:
    if not _is_iri(address) or address[: address.index(":")] in terms:  # the second would be a prefix
        raise NotOrdinaryError
    return f"<{address}>"


def _word(word: str, terms: Terms) -> rdf.Ground:
    definition = terms.get(word)
    if definition is None or definition["@id"] is None or not _is_iri(definition["@id"]):
        raise NotOrdinaryError
    return f"<{definition['@id']}>"
