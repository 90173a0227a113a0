"""What the members of ordinary documents mean, in tables filled by PyLD.

In an ordinary document the expansion of a member depends on three things: the active context, the member's definition in
it, and the JSON type of the value. The first two are the same in every badge. So each is worked out once, by the same
code as on the slow road (`expansion`), and kept: a `Scope` for an active context, a `Table` for the types of an object in
it, a `Member` for each of its members. Whatever JSON-LD can say beyond that has no entry here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from credentials.graph.expansion import ActiveContext, Processor
from credentials.graph.rdf import Ground
from credentials.graph.statements import IRI

XSD_STRING: Final = "http://www.w3.org/2001/XMLSchema#string"
MAX_TYPES: Final = 8
"""The most types of an object, and the most contexts of a document."""
WEIGHT: Final = 20
"""How many members a scope or a table counts for; each may hold an active context with hundreds of terms."""

_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_OF_WHOLE_CONTEXTS = ("@base", "@language", "@direction")
_OF_VALUES = ("@nest", "@index", "@language", "@direction")
_PLAIN_CONTAINERS = frozenset({"@set", "@list"})
_ALIASES = {"id": "@id", "type": "@type"}

Terms = Mapping[str, Any]


class NotOrdinaryError(Exception):
    """The slow road has to decide."""


LITERAL: Final = 0
ADDRESS: Final = 1
WORD: Final = 2
"""What a text means as value of a member: itself, an address, or a term that stands for one."""


@dataclass(frozen=True, slots=True)
class Member:
    """What a member means in an object of certain types.

    Args:
        terms: those of the contexts, for an address and a word.
        is_own: it says what the object itself is (`id`, `type`), and none of the following.
        kind: what a text means.
        predicate: the text between subject and object.
        opening: if one text alone is a literal: what precedes it, if it needs no escapes; otherwise "".
        ending: what follows such a text.
        datatype: of literals.
        scope: how objects among the values are read.
        is_list: the values are in order.
    """

    terms: Terms
    is_own: bool = False
    kind: int = LITERAL
    predicate: str = ""
    opening: str = ""
    ending: str = ""
    datatype: str | None = None
    scope: "Scope | None" = None
    is_list: bool = False


class Table:
    """The members of objects of certain types.

    `members` are proved, those in `unproved` are not yet. `types` are the texts of their statements after the subject.
    """

    __slots__ = ("_active", "_before", "_scopes", "members", "types", "unproved")

    def __init__(self, scope: "Scope", types: Sequence[str], processor: Processor) -> None:
        """Prepare the table; raises NotOrdinaryError for types that an ordinary object does not have."""
        if len(types) > MAX_TYPES or len(set(types)) < len(types):
            raise NotOrdinaryError
        self.types: list[str] = []
        for type_ in types:
            definition = _definition(scope.active, type_)
            self.types.append(f" {_TYPE} {_address(definition['@id'])} .\n")
        self._scopes = scope.scopes
        self._before = scope.active
        self._active = _plain(processor.for_types(scope.active, types)) if types else scope.active
        self.members: dict[object, Member] = {}
        self.unproved: dict[object, Member] = {}

    def look_up(self, name: object, processor: Processor) -> Member:
        """Return what a member means that is not in `members`; raises NotOrdinaryError."""
        member = self.unproved.get(name)
        if member is None:
            member = self.unproved[name] = self._read(name, processor)
            self._scopes.size += 1
        return member

    def _read(self, name: object, processor: Processor) -> Member:
        if name.__class__ is not str:
            raise NotOrdinaryError
        active = self._active
        definition = _definition(active, name)
        if name in _ALIASES:
            # The types may change what `type` is; it has to be the same before and after.
            if any(_definition(each, name)["@id"] != _ALIASES[name] for each in (self._before, active)):
                raise NotOrdinaryError
            return Member(active["mappings"], is_own=True)
        predicate = f" {_address(definition['@id'])} "
        container = definition.get("@container", [])
        if definition.get("@context") is False or not _PLAIN_CONTAINERS.issuperset(container):
            raise NotOrdinaryError
        if any(definition.get(keyword) is not None for keyword in _OF_VALUES):
            raise NotOrdinaryError
        around, within = map(_plain, processor.for_member(active, name))
        if around["mappings"].get(name) != definition:  # its own scoped context defines it in another way
            raise NotOrdinaryError
        scope, is_list = self._scopes.of(within), "@list" in container
        datatype = definition.get("@type")
        if datatype in ("@id", "@vocab"):
            kind = ADDRESS if datatype == "@id" else WORD
            return Member(around["mappings"], kind=kind, predicate=predicate, scope=scope, is_list=is_list)
        suffix = "" if datatype in (None, XSD_STRING) else f"^^{_address(datatype)}"
        return Member(
            around["mappings"],
            predicate=predicate,
            opening="" if is_list else f'{predicate}"',
            ending=f'"{suffix} .\n',
            datatype=datatype,
            scope=scope,
            is_list=is_list,
        )


class Scope:
    """An active context, in which an object is read before its types say more.

    `tables` are proved, those in `unproved` are not yet. Their keys are the value of `type`: nothing, a text, or texts.
    """

    __slots__ = ("active", "scopes", "tables", "unproved")

    def __init__(self, active: ActiveContext, scopes: "Scopes") -> None:
        self.active = active
        self.scopes = scopes
        self.tables: dict[object, Table] = {}
        self.unproved: dict[object, Table] = {}

    def look_up(self, key: str | tuple[object, ...] | None, processor: Processor) -> Table:
        """Return the table for a value of `type` that is not in `tables`; raises NotOrdinaryError."""
        table = self.unproved.get(key)
        if table is None:
            types = [] if key is None else [key] if isinstance(key, str) else list(key)
            if key == () or not all(type_.__class__ is str for type_ in types):
                raise NotOrdinaryError
            table = self.unproved[key] = Table(self, types, processor)  # type: ignore[arg-type]
            self.scopes.size += WEIGHT
        return table


class Scopes:
    """All that is kept for one registry.

    `size` is how much that is, and `roots` are the scopes of whole documents, by the contexts that these name.
    """

    def __init__(self) -> None:
        self.size = 0
        self.roots: dict[tuple[str, ...], Scope] = {}
        self._scopes: dict[int, Scope] = {}  # by identity of the active context, which the scope keeps alive

    def new_root(self, addresses: tuple[str, ...], processor: Processor) -> Scope:
        """Return the scope of documents that name these contexts; raises NotOrdinaryError."""
        scope = self.roots[addresses] = self.of(_plain(processor.at_root(addresses)))
        self.size += WEIGHT
        return scope

    def of(self, active: ActiveContext) -> Scope:
        """Return the scope of an active context that is plain."""
        scope = self._scopes.get(id(active))
        if scope is None:
            scope = self._scopes[id(active)] = Scope(active, self)
            self.size += WEIGHT
        return scope


def _plain(active: ActiveContext) -> ActiveContext:
    """Return the context if it says nothing but what terms mean, with no names for keywords but `id` and `type`."""
    if any(keyword in active for keyword in _OF_WHOLE_CONTEXTS):
        raise NotOrdinaryError
    for term, definition in active["mappings"].items():
        meaning = definition and definition["@id"]
        if meaning and meaning.startswith("@") and _ALIASES.get(term) != meaning:
            raise NotOrdinaryError
    return active


def _definition(active: ActiveContext, term: str) -> Terms:
    definition: Terms | None = active["mappings"].get(term)
    if definition is None or definition["reverse"]:
        raise NotOrdinaryError
    return definition


def _address(address: object) -> Ground:
    """Return the term for an address that a context gives.

    Of two ways to tell what is absolute, PyLD's is stricter beyond ASCII.
    """
    if not isinstance(address, str) or not address.isascii() or not IRI.fullmatch(address):
        raise NotOrdinaryError
    return f"<{address}>"
