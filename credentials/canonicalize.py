"""From a JSON-LD document to the bytes that are signed, with everything refused that would not be in them.

The only user of PyLD, and only of its expansion. PyLD drops what no context defines, keeps relative addresses and
writes whatever text it is given; so the expanded document passes one gate, which is also what turns it into RDF terms
in memory (`rdf` makes their canonical text):

1. the document is JSON within bounds, and its contexts come from the closed registry;
2. every member is defined: PyLD's report of dropped properties is empty, and nothing is left that no statement holds;
3. every id, type, datatype and property is an absolute IRI that N-Quads can write (or, for a node, blank);
4. language tags are well formed, directions are "ltr" or "rtl", numbers are ones that every reader reads alike.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from pyld.jsonld import KEYWORDS, JsonLdError, JsonLdProcessor
from pyld.resolved_context import ResolvedContext

from credentials import rdf
from credentials.documents import Contexts
from credentials.errors import ContextError
from credentials.strict_json import canonical_json, check_json, pointer

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_RDF_TYPE = rdf.iri(_RDF + "type")
_RDF_FIRST = rdf.iri(_RDF + "first")
_RDF_REST = rdf.iri(_RDF + "rest")
_RDF_NIL = rdf.iri(_RDF + "nil")

_IRI = re.compile(r"""[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|^`\\]*""")  # absolute, and N-Quads IRIREF
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LANGUAGE = re.compile(  # RFC 5646, section 2.1, with its irregular tags; all of it also fits N-Quads LANGTAG
    r"""(?ix)
    (?: (?: [a-z]{2,3} (?:-[a-z]{3}){0,3} | [a-z]{4} | [a-z]{5,8} )
        (?:-[a-z]{4})? (?:-(?:[a-z]{2}|[0-9]{3}))? (?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*
        (?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)* (?:-x(?:-[a-z0-9]{1,8})+)?
      | x(?:-[a-z0-9]{1,8})+
      | en-GB-oed | i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu) | sgn-(?:BE-FR|BE-NL|CH-DE)
    )"""
)
_KEYWORD_LIKE = re.compile(r"@[A-Za-z]+\n?")  # what PyLD passes over with a warning
_MAX_INTEGER = 2**53 - 1
_MAX_CONTEXT_STEPS: Final = 20_000  # terms defined while reading one document
_MAX_INLINE_VALUES: Final = 2_000
_MAX_KEPT: Final = 1_000

_Faults: TypeAlias = list[ContextError]


def canonicalize(document: Mapping[str, Any], contexts: Contexts, *, hash_name: rdf.HashName = "sha256") -> bytes:
    """Return the canonical N-Quads of `document`, read with `contexts`.

    Raises:
        MalformedError: not JSON, or beyond bounds ("json-too-deep", "json-too-large" and so on).
        ContextError: the first of what `context_faults` finds, or blank nodes that cannot be told apart within
            bounds (code "graph-too-complex").
    Spec: JSON-LD 1.1 Processing Algorithms; RDF Dataset Canonicalization 1.0.
    """
    return rdf.canonical_nquads(dataset(document, contexts), hash_name=hash_name)


def dataset(document: Mapping[str, Any], contexts: Contexts) -> list[rdf.Quad]:
    """Return the statements of `document`, read with `contexts`.

    Raises:
        MalformedError, ContextError: as `canonicalize`.
    """
    check_json(document)
    quads, faults = _read(document, contexts)
    if faults:
        raise context_faults(document, contexts)[0]
    return quads


def context_faults(document: Mapping[str, Any], contexts: Contexts) -> tuple[ContextError, ...]:
    """Return everything in `document` that a signature over its statements would not cover, or not tell apart.

    Codes: "context-unknown", "context-inline", "context-invalid", "context-too-complex", "protected-term",
    "undefined-term", "undefined-type", "relative-iri", "iri-malformed", "language-malformed", "direction-malformed",
    "number-not-exact", "index-unsigned", "nothing-stated", "json-ld-invalid". Each has its pointer where it is known.
    Where the contexts cannot be read, that is the only fault told.

    Raises:
        MalformedError: as `canonicalize`.
    """
    check_json(document)
    return tuple(_read(_located(document, ()), contexts)[1])


def _read(document: Any, contexts: Contexts) -> tuple[list[rdf.Quad], _Faults]:
    faults: _Faults = []
    try:
        expanded = _expand(document, contexts, faults)
    except ContextError as error:
        return [], [error]
    conversion = _Conversion(faults)
    conversion.statements(expanded, "")
    return conversion.quads, faults


# --- Where a fault is ------------------------------------------------------------------------------------------------


class _Located(str):
    """A text that knows where in the document it stands; PyLD hands on the texts that it does not change."""

    __slots__ = ("pointer",)
    pointer: str

    def __deepcopy__(self, memo: object) -> "_Located":
        return self


def _located(value: Any, path: tuple[str | int, ...]) -> Any:
    if isinstance(value, str):
        text = _Located(value)
        text.pointer = pointer(*path)
        return text
    if isinstance(value, Mapping):
        return {_located(key, (*path, key)): _located(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_located(item, (*path, index)) for index, item in enumerate(value)]
    return value


def _pointer(value: object) -> str:
    """Return where `value`, or the first text in it, stands; "" where that is not known."""
    if isinstance(value, Mapping | list):
        return next((where for where in map(_pointer, value) if where), "")
    return getattr(value, "pointer", "")


# --- Expansion -------------------------------------------------------------------------------------------------------


def _expand(document: Any, contexts: Contexts, faults: _Faults) -> list[Any]:
    """Return the expanded form; what no context defines is added to `faults`."""

    def dropped(term: object) -> None:
        named = "a member" if term is None else f"the member {str(term)[:100]!r}"
        message = f"expected terms that the contexts define, got {named} that none defines"
        faults.append(ContextError("undefined-term", message, _pointer(term)))

    processor = _Processor(contexts, dropped)
    options = {
        "base": None,
        "keepFreeFloatingNodes": True,
        "documentLoader": None,
        "contextResolver": processor,
    }
    try:
        expanded: list[Any] = processor.expand(document, options)
    except JsonLdError as error:
        raise _explained(error) from error
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        message = f"expected JSON-LD, got something that cannot be read as it ({type(error).__name__})"
        raise ContextError("json-ld-invalid", message) from error
    return expanded


def _explained(error: JsonLdError) -> ContextError:
    """Say what PyLD's error means: ours if one of ours is behind it, else by the specification's code."""
    cause: BaseException | None = error
    codes = []
    while cause is not None:
        if isinstance(cause, ContextError):
            return cause
        codes.append(getattr(cause, "code", None))
        cause = cause.__cause__
    where = _pointer(error.details)
    if "protected term redefinition" in codes or "invalid context nullification" in codes:
        message = "expected contexts that leave protected terms as they are, got one that redefines or removes them"
        return ContextError("protected-term", message, where)
    return ContextError("json-ld-invalid", f"expected valid JSON-LD, got {error.code!r}", where)


class _Prepared:
    """What is read of one registry, once: PyLD's own copies of the contexts, and what it has made of them."""

    def __init__(self) -> None:
        self.documents: dict[str, list[Any]] = {}
        self.ids: set[int] = set()  # of everything that is a context within `documents`
        self.processed: dict[tuple[Any, ...], Any] = {}

    def contexts(self, address: str, registry: Contexts) -> list[Any]:
        """Return the contexts of the file at `address`, each an address or an object."""
        if address not in self.documents:
            content = copy.deepcopy(registry.get(address)["@context"])
            self.documents.setdefault(address, content if isinstance(content, list) else [content])
            for context in _contexts_within(self.documents[address]):
                _check_context(context)
                self.ids.add(id(context))
        return self.documents[address]


_prepared: WeakKeyDictionary[Contexts, _Prepared] = WeakKeyDictionary()


class _Processor(JsonLdProcessor):  # type: ignore[misc]  # PyLD has no types
    """PyLD's processor for one document, given contexts from the registry only, and a bound on its work.

    PyLD keeps what it made of a context under the identity of the context active before, but takes every type-scoped
    context for a new one. Here the whole step is kept: active context and context from the registry determine it.
    """

    def __init__(self, contexts: Contexts, dropped: Callable[[object], None]) -> None:
        super().__init__(dropped)
        self._contexts = contexts
        self._prepared = _prepared.setdefault(contexts, _Prepared())
        self._steps_left = _MAX_CONTEXT_STEPS
        self._inline_left = _MAX_INLINE_VALUES
        self._inline_ids: set[int] = set()

    def _process_context(self, active_ctx: Any, local_ctx: Any, options: Any, **how: Any) -> Any:
        processed = self._prepared.processed
        key = self._key(active_ctx, local_ctx, how)
        if key in processed:
            return processed[key]
        self._count(1 + len(active_ctx["mappings"]) // 32)
        result = super()._process_context(active_ctx, local_ctx, options, **how)
        if key is not None:
            if len(processed) >= _MAX_KEPT:
                processed.clear()
            processed[key] = result
        return result

    def _key(self, active_ctx: Any, local_ctx: Any, how: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return what determines the step, None if it is not to be kept (for good reason or for want of identity)."""
        if self._inline_ids or type(active_ctx) is dict:  # still being made: PyLD freezes what is finished
            return None
        if isinstance(local_ctx, str):
            what: object = (str(local_ctx),)
        elif isinstance(local_ctx, list) and all(isinstance(item, str) for item in local_ctx):
            what = tuple(map(str, local_ctx))
        elif id(local_ctx) in self._prepared.ids:
            what = id(local_ctx)
        else:
            return None
        return (active_ctx["_uuid"], what, how.get("override_protected", False), how.get("propagate", True))

    def resolve(self, _active_ctx: Any, context: Any, _base: Any, _cycles: Any = None) -> list[ResolvedContext]:
        """Return the context objects that `context` stands for; what PyLD calls a context resolver."""
        if isinstance(context, Mapping) and "@context" in context:
            context = context["@context"]
        items = context if isinstance(context, list) else [context]
        return [resolved for item in items for resolved in self._resolve(item, ())]

    def _resolve(self, context: Any, trail: tuple[str, ...]) -> Iterator[ResolvedContext]:
        if context is None or context is False:
            yield ResolvedContext(False)
        elif isinstance(context, str):
            if context in trail:
                raise ContextError("context-invalid", f"expected contexts without cycles, got {context} within itself")
            try:
                items = self._prepared.contexts(context, self._contexts)
            except ContextError as error:
                raise ContextError(error.code, error.message, _pointer(context)) from error
            for item in items:
                yield from self._resolve(item, (*trail, context))
        elif isinstance(context, dict):
            if id(context) not in self._prepared.ids and id(context) not in self._inline_ids:
                self._check_inline(context)
            self._count(len(context))
            yield ResolvedContext(context)
        else:
            message = f"expected a context to be an address or an object, got {type(context).__name__}"
            raise ContextError("context-invalid", message, _pointer(context))

    def _check_inline(self, context: dict[str, Any]) -> None:
        if not self._contexts.inline:
            message = "expected contexts by address, got one that is written in the document"
            raise ContextError("context-inline", message, _pointer(context))
        for inner in _contexts_within([context]):
            self._inline_left -= 1 + len(inner)
            if self._inline_left < 0:
                raise _too_complex()
            _check_context(inner)
            self._inline_ids.add(id(inner))

    def _count(self, steps: int) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise _too_complex()


def _too_complex() -> ContextError:
    message = "expected contexts that take few steps to read, got too many or too long ones"
    return ContextError("context-too-complex", message)


def _contexts_within(contexts: list[Any]) -> Iterator[Any]:
    """Yield the objects and arrays among `contexts`, and those scoped to their terms, and so on."""
    waiting = list(contexts)
    while waiting:
        context = waiting.pop()
        if isinstance(context, list):
            yield context
            waiting.extend(context)
        elif isinstance(context, dict):
            yield context
            waiting.extend(definition["@context"] for definition in context.values() if _is_scoping(definition))


def _is_scoping(definition: object) -> bool:
    return isinstance(definition, dict) and "@context" in definition


def _check_context(context: Any) -> None:
    """Refuse what PyLD reads in its own way: imports (it writes into what it imports), what looks like a keyword."""
    if isinstance(context, list):
        return
    for term, definition in context.items():
        texts = [term, definition, *(definition.values() if isinstance(definition, dict) else ())]
        for text in texts:
            if isinstance(text, str) and _KEYWORD_LIKE.fullmatch(text) and text not in KEYWORDS:
                message = f"expected keywords of JSON-LD 1.1, got {text.strip()!r} in a context"
                raise ContextError("context-invalid", message, _pointer(text))
        names = definition.get("@id") if isinstance(definition, dict) else definition
        if term == "@import" or names == "@graph":
            message = f"expected a context without @import and without other names for @graph, got {term!r}"
            raise ContextError("context-invalid", message, _pointer(term))


# --- The gate: from the expanded form to statements ------------------------------------------------------------------


class _Conversion:
    """The statements of an expanded document, and what is at fault in it."""

    def __init__(self, faults: _Faults) -> None:
        self.quads: list[rdf.Quad] = []
        self._faults = faults
        self._blanks: dict[str, rdf.Blank] = {}
        self._terms: dict[str, rdf.Ground] = {}
        self._blank_count = 0

    def statements(self, nodes: list[Any], graph: rdf.Term) -> None:
        """Add what `nodes` state in `graph`; one that states nothing would be in the document and not be signed."""
        for node in nodes:
            before = len(self.quads)
            if "@value" not in node and "@list" not in node:
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
                self.statements(values, subject)
            elif member == "@included":
                self.statements(values, graph)
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

    def _object(self, value: Mapping[str, Any], graph: rdf.Term) -> rdf.Term:
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
        if isinstance(number, int) and abs(number) > _MAX_INTEGER:
            message = f"expected integers up to 2^53 - 1, which every reader reads alike, got one of {len(str(number))} digits"
            self._fault("number-not-exact", message, None)
        if number % 1 == 0 and abs(number) < 1e21 and type_ != _XSD + "double":
            return rdf.literal(str(int(number)), type_ or _XSD + "integer")
        mantissa, exponent = f"{number:.15E}".split("E")
        mantissa = mantissa.rstrip("0") + ("0" if mantissa.rstrip("0").endswith(".") else "")
        return rdf.literal(f"{mantissa}E{int(exponent)}", type_ or _XSD + "double")

    def _directed(self, content: Any, language: str, direction: str) -> rdf.Ground:
        """Return the literal for text with a direction, as other implementations sign it (i18n-datatype)."""
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
        """Return the node that `name` stands for; `code` is the fault where it stands for none."""
        if isinstance(name, str) and name.startswith("_:"):
            if name not in self._blanks:
                self._blanks[name] = self._new_blank()
            return self._blanks[name]
        return self._iri(name, code)

    def _iri(self, address: Any, code: str = "relative-iri") -> rdf.Ground:
        if address not in self._terms:
            if not isinstance(address, str) or not _IRI.fullmatch(address):
                if isinstance(address, str) and _SCHEME.match(address):
                    code = "iri-malformed"
                message = f"expected an absolute IRI, got {str(address)[:200]!r}"
                self._fault(code, message, address)
            self._terms[address] = rdf.iri(address)
        return self._terms[address]

    def _is_signed(self, member: str, values: Any) -> bool:
        if member.startswith("@"):
            message = f"expected members that become statements, got {member}, which would not be signed"
            self._fault("keyword-unsigned", message, values)
        return not member.startswith("@")

    def _new_blank(self) -> rdf.Blank:
        self._blank_count += 1
        return self._blank_count

    def _fault(self, code: str, message: str, where: object) -> None:
        self._faults.append(ContextError(code, message, _pointer(where)))
