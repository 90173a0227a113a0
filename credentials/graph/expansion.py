"""PyLD's expansion of JSON-LD, with contexts from the closed registry only.

This is the only module that uses PyLD. Its work is bounded, and nothing is dropped silently: what PyLD would drop is a
fault.
"""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from pyld.jsonld import KEYWORDS, JsonLdError, JsonLdProcessor
from pyld.resolved_context import ResolvedContext

from credentials.errors import ContextError
from credentials.graph.documents import Contexts
from credentials.reading import listed
from credentials.strict_json import place

MAX_FAULTS: Final = 100
"""How many faults are listed; further ones are found once these are mended."""

_MAX_STEPS: Final = 5_000  # terms defined while the contexts of one document are read
_MAX_INLINE: Final = 2_000  # terms defined in the document itself
_MAX_KEPT: Final = 1_000
_KEYWORD_LIKE = re.compile(r"@[A-Za-z]+\n?")  # what PyLD ignores with a warning
_PROTECTION: Final = {"protected term redefinition", "invalid context nullification"}

ActiveContext: TypeAlias = Mapping[str, Any]
"""PyLD's: `mappings` has each term's definition."""


class TooManyFaultsError(Exception):
    """Enough faults are found; there is no need to read on."""


def _explained(error: JsonLdError, code: str, where: object = None) -> ContextError:
    """Return the error that explains PyLD's.

    That is the error of ours that caused it, or else one by the code of the specification.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ContextError):
            return cause
        cause = cause.__cause__
    if error.code in _PROTECTION:
        what = where if isinstance(where, str) else "one in the document, or scoped to a term"
        message = f"expected contexts that leave protected terms as they are, got a context ({what}) that changes one"
        return ContextError("protected-term", message, place(where))
    message = f"expected valid JSON-LD, got what its specification calls {error.code!r}"
    return ContextError(code, message, place(error.details) or place(where))


@contextmanager
def _faults_explained() -> Iterator[None]:
    """Turn whatever PyLD raises into errors of ours."""
    try:
        yield
    except JsonLdError as error:
        raise _explained(error, "json-ld-invalid") from error
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        message = f"expected JSON-LD, got something that cannot be read as it ({type(error).__name__})"
        raise ContextError("json-ld-invalid", message) from error


class _Prepared:
    """What is kept for one registry, so that each context is read once.

    These are PyLD's own copies of the contexts, and what PyLD made of them.
    """

    def __init__(self) -> None:
        self.contexts: dict[str, list[Any]] = {}
        self.ids: set[int] = set()  # of every context object within them
        self.processed: dict[tuple[Any, ...] | None, Any] = {}
        self._reading = Lock()

    def read(self, address: str, registry: Contexts) -> list[Any]:
        """Return the contexts in the file at `address`: addresses and objects."""
        with self._reading:
            if address not in self.contexts:
                content = copy.deepcopy(registry.get(address)["@context"])
                within = list(_contexts_within(content))
                for context in within:
                    _check_context(context)
                self.ids.update(map(id, within))
                self.contexts[address] = listed(content)
        return self.contexts[address]


_prepared: WeakKeyDictionary[Contexts, _Prepared] = WeakKeyDictionary()


class Processor(JsonLdProcessor):  # type: ignore[misc]  # PyLD has no types
    """PyLD's expansion of one document, with contexts from the registry only.

    The work is bounded, and nothing is dropped silently. The private methods of PyLD that are overridden here still do
    what they did. PyLD remembers what it made of a context under the identity of the context that was active before.
    But it takes each type-scoped context for a new one, and would define the terms of a class again at every node; so
    here the whole step is remembered.
    """

    def __init__(self, contexts: Contexts) -> None:
        super().__init__(self._drop_member)
        self.faults: list[ContextError] = []
        self._contexts = contexts
        self._prepared = _prepared.setdefault(contexts, _Prepared())
        self._steps_left = _MAX_STEPS
        self._inline_left = _MAX_INLINE
        self._inline_ids: set[int] = set()
        self._options = {
            "base": None,
            "contextResolver": self,
            "documentLoader": None,
            "isFrame": False,
            "processingMode": "json-ld-1.1",
        }

    def read(self, document: Any) -> list[Any]:
        """Return the document in expanded form; what PyLD would drop is in `faults`.

        Raises:
            ContextError: contexts that cannot be read, or no JSON-LD.
            TooManyFaultsError: `faults` has as many as are listed.
        Spec: JSON-LD 1.1 Processing Algorithms, section 5.1.
        """
        with _faults_explained():
            expanded: list[Any] = self.expand(document, self._options)
            return expanded

    # What the ordinary road asks for; each is a part of PyLD's expansion of a node object, and raises ContextError.

    def at_root(self, addresses: Iterable[str]) -> ActiveContext:
        """Return the active context of a document that names these contexts.

        Spec: JSON-LD 1.1 Processing Algorithms, section 5.1.2, step 9.
        """
        initial = self._get_initial_context(self._options)
        with _faults_explained():
            active: ActiveContext = self._process_context(initial, list(addresses), self._options)
            return active

    def for_types(self, active: ActiveContext, types: Sequence[str]) -> ActiveContext:
        """Return the active context for the members of an object of these types.

        Spec: JSON-LD 1.1 Processing Algorithms, section 5.1.2, steps 10 and 11.
        """
        with _faults_explained():
            typed: ActiveContext = self._prepare_nested_context(active, {"type": list(types)}, self._options)[0]
            return typed

    def for_member(self, active: ActiveContext, name: str) -> tuple[ActiveContext, ActiveContext]:
        """Return the active contexts for the values of a member, and for the objects among them.

        Spec: JSON-LD 1.1 Processing Algorithms, section 5.1.2, steps 7 and 8.
        """
        scoped = self.get_context_value(active, name, "@context")
        if scoped is None:
            return active, self._revert_to_previous_context(active)
        with _faults_explained():
            around = self._process_context(active, scoped, self._options, propagate=True, override_protected=True)
            reverted = self._revert_to_previous_context(around)
            return around, self._process_context(reverted, scoped, self._options, override_protected=True)

    def _drop_member(self, term: object) -> None:
        named = "a member" if term is None else f"the member {str(term)[:100]!r}"
        self._fault("undefined-term", f"expected terms that the contexts define, got {named} that none defines", term)

    def _fault(self, code: str, message: str, where: object) -> None:
        self.faults.append(ContextError(code, message, place(where)))
        if len(self.faults) == MAX_FAULTS:
            raise TooManyFaultsError

    def _expand(self, active_ctx: Any, active_property: Any, element: Any, options: Any, **how: Any) -> Any:
        expanded = super()._expand(active_ctx, active_property, element, options, **how)
        if expanded is None and element is not None:
            message = "expected values that become part of a statement, got one that JSON-LD drops"
            self._fault("nothing-stated", message, element)
        return expanded

    def _expand_iri(self, active_ctx: Any, value: Any, base: Any = None, vocab: Any = False, **how: Any) -> Any:
        if vocab and not how and isinstance(value, str) and value in active_ctx["mappings"]:
            return active_ctx["mappings"][value]["@id"]  # the most frequent case, which PyLD tries last
        return super()._expand_iri(active_ctx, value, base=base, vocab=vocab, **how)

    def _process_context(self, active_ctx: Any, local_ctx: Any, options: Any, **how: Any) -> Any:
        if isinstance(local_ctx, list):
            for context in local_ctx:
                active_ctx = self._process_context(active_ctx, context, options, **how)
            return active_ctx
        key = None
        if type(active_ctx) is not dict and (isinstance(local_ctx, str) or id(local_ctx) in self._prepared.ids):
            what = str(local_ctx) if isinstance(local_ctx, str) else id(local_ctx)
            key = (active_ctx["_uuid"], what, how.get("override_protected"), how.get("propagate"))
        processed = self._prepared.processed
        if (known := processed.get(key)) is not None:
            return known
        self._count(1 + len(active_ctx["mappings"]) // 32)
        try:
            result = super()._process_context(active_ctx, local_ctx, options, **how)
        except JsonLdError as error:
            raise _explained(error, "context-invalid", local_ctx) from error
        if key is not None and not self._inline_ids:
            if len(processed) >= _MAX_KEPT:
                processed.clear()
            processed[key] = result
        return result

    def resolve(self, _active_ctx: Any, context: Any, _base: Any) -> list[ResolvedContext]:
        """Return the context objects that `context` stands for.

        PyLD calls this method of its context resolver.
        """
        return [ResolvedContext(resolved) for resolved in self._resolve(context, ())]

    def _resolve(self, context: Any, trail: tuple[str, ...]) -> Iterator[Any]:
        if context is None or context is False:
            yield False
        elif isinstance(context, str):
            if context in trail:
                raise ContextError("context-invalid", f"expected contexts without cycles, got {context} within itself")
            try:
                items = self._prepared.read(context, self._contexts)
            except ContextError as error:
                raise ContextError(error.code, error.message, place(context)) from error
            for item in items:
                yield from self._resolve(item, (*trail, context))
        elif isinstance(context, dict):
            if id(context) not in self._prepared.ids and id(context) not in self._inline_ids:
                self._accept_inline(context)
            self._count(len(context))
            yield context
        else:
            message = f"expected a context to be an address or an object, got {type(context).__name__}"
            raise ContextError("context-invalid", message, place(context))

    def _accept_inline(self, context: dict[str, Any]) -> None:
        if not self._contexts.inline:
            message = "expected contexts by address, got one that is written in the document"
            raise ContextError("context-inline", message, place(context))
        for inner in _contexts_within(context):
            self._inline_left -= len(inner)
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


def _contexts_within(context: Any) -> Iterator[Any]:
    """Yield the context objects in `context`, and those scoped to their terms."""
    waiting = [context]
    while waiting:
        context = waiting.pop()
        if isinstance(context, list):
            waiting.extend(context)
        elif isinstance(context, dict):
            yield context
            definitions = (definition for definition in context.values() if isinstance(definition, dict))
            waiting.extend(definition["@context"] for definition in definitions if "@context" in definition)


def _check_context(context: dict[str, Any]) -> None:
    """Refuse what PyLD reads in its own way.

    That is an import (PyLD writes into what it imports), and a term that looks like a keyword.
    """
    for term, definition in context.items():
        details = definition.values() if isinstance(definition, dict) else ()
        for text in (term, definition, *details):
            if isinstance(text, str) and _KEYWORD_LIKE.fullmatch(text) and text not in KEYWORDS:
                message = f"expected keywords of JSON-LD 1.1, got {text.strip()!r} in a context"
                raise ContextError("context-invalid", message, place(text))
        if term in {"@import", "@propagate"}:
            message = f"expected a context that says itself what it defines, and where, got one with {term}"
            raise ContextError("context-invalid", message, place(term))
