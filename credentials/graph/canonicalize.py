"""Turn a JSON-LD document into the bytes that are signed.

Anything in the document that those bytes would not cover is refused. There are two roads. An ordinary document goes
along tables (`road`); whatever else, and every fault, goes the slow one:

1. the document is JSON within bounds (`strict_json.check_json`);
2. its contexts come from the closed registry, and are read within bounds;
3. expansion: what PyLD would drop silently is a fault (`expansion`);
4. the gate: the expanded form becomes statements in memory, each name and literal checked (`statements`);
5. the canonical form of the statements (`rdf`).
"""

from collections.abc import Mapping
from typing import Any

from credentials.errors import ContextError
from credentials.graph import rdf
from credentials.graph.documents import Contexts
from credentials.graph.expansion import MAX_FAULTS, Processor, TooManyFaultsError
from credentials.graph.road import Road
from credentials.graph.statements import statements
from credentials.strict_json import check_json, located


def canonicalize(document: Mapping[str, Any], contexts: Contexts, *, hash_name: rdf.HashName = "sha256") -> bytes:
    """Return the canonical N-Quads of `document`, read with `contexts`.

    Raises:
        MalformedError: not JSON, or beyond bounds ("json-too-deep", "json-too-large" and so on).
        ContextError: the first of what `context_faults` finds, or blank nodes that cannot be told apart within
            bounds (code "graph-too-complex").
    Spec: JSON-LD 1.1 Processing Algorithms; RDF Dataset Canonicalization 1.0.
    """
    return ROAD.canonicalize(document, contexts, hash_name)


def canonicalize_slowly(document: Mapping[str, Any], contexts: Contexts, hash_name: rdf.HashName) -> bytes:
    """Return what `canonicalize` returns, by the slow road, which alone tells faults.

    Raises:
        MalformedError, ContextError: as `canonicalize`.
    """
    return rdf.canonical_nquads(dataset(document, contexts), hash_name=hash_name)


ROAD = Road(canonicalize_slowly)
"""The one road of this process."""


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


def context_faults(document: Mapping[str, Any], contexts: Contexts) -> list[ContextError]:
    """Return what a signature over the statements of `document` would not cover.

    This includes what such a signature could not tell apart. At most 100 faults are returned, each with its pointer
    where that is known.

    Codes: "context-unknown", "context-inline", "context-invalid", "context-too-complex", "protected-term",
    "json-ld-invalid" (each of these is the only one returned), "undefined-term", "undefined-type", "nothing-stated",
    "keyword-unsigned", "relative-iri", "iri-malformed", "language-malformed", "direction-malformed",
    "number-not-exact".

    Raises:
        MalformedError: as `canonicalize`.
    """
    check_json(document)
    return _read(located(document), contexts)[1]


def _read(document: Any, contexts: Contexts) -> tuple[list[rdf.Quad], list[ContextError]]:
    processor = Processor(contexts)
    try:
        expanded = processor.read(document)
    except TooManyFaultsError:
        return [], processor.faults
    except ContextError as error:
        return [], [error]
    quads, faults = statements(expanded)
    return quads, [*processor.faults, *faults][:MAX_FAULTS]
