"""RDF datasets in memory, and their canonical text.

All copies of a dataset have the same canonical text. The algorithm is RDFC-1.0; names and numbered steps are the
specification's. A ground term (IRI or literal) is kept as its canonical N-Quads text, made once by `iri` and `literal`.
A blank node is a number, so that no text from outside can ever be taken for a term or for a second statement.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias

from credentials.errors import ContextError

Ground: TypeAlias = str
Blank: TypeAlias = int
Term: TypeAlias = Ground | Blank
Quad: TypeAlias = tuple[Term, Ground, Term, Term]
"""Subject, predicate, object, graph; the default graph is ""."""

HashName: TypeAlias = Literal["sha256", "sha384"]

MAX_STEPS: Final = 200_000
"""How much Hash N-Degree Quads may look at for one dataset (quads, and candidates in each permutation)."""
_MAX_DEPTH: Final = 100

ESCAPED = re.compile('["\\\\\x00-\x1f\x7f\ufffe\uffff]')
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_XSD_STRING: Final = "http://www.w3.org/2001/XMLSchema#string"


def iri(address: str) -> Ground:
    """Return the term for `address`; the caller has checked that it matches IRIREF."""
    return f"<{address}>"


def literal(text: str, datatype: str = _XSD_STRING, language: str = "") -> Ground:
    """Return the term for `text`; a well-formed `language` tag replaces the datatype.

    Spec: RDF Dataset Canonicalization 1.0, section 5 (canonical form of N-Quads).
    """
    quoted = '"' + ESCAPED.sub(_escape, text) + '"'
    if language:
        return f"{quoted}@{language}"
    return quoted if datatype == _XSD_STRING else f"{quoted}^^<{datatype}>"


def _escape(character: re.Match[str]) -> str:
    return _ESCAPES.get(character[0]) or f"\\u{ord(character[0]):04X}"


def canonical_nquads(dataset: Collection[Quad], *, hash_name: HashName = "sha256", max_steps: int = MAX_STEPS) -> bytes:
    """Return the canonical N-Quads of `dataset`, a set: a repeated quad counts once.

    Raises:
        ContextError: too many ways to label its blank nodes would have to be compared (code "graph-too-complex").
    Spec: RDF Dataset Canonicalization 1.0 (RDFC-1.0).
    """
    quads = set(dataset)
    labels = canonical_labels(quads, hash_name=hash_name, max_steps=max_steps)
    return "".join(sorted(_nquad(quad, labels) for quad in quads)).encode()


def canonical_labels(
    dataset: Iterable[Quad], *, hash_name: HashName = "sha256", max_steps: int = MAX_STEPS
) -> dict[Blank, str]:
    """Return the canonical label ("c14n0" and so on) of each blank node.

    `dataset` has no quad twice.

    Raises:
        ContextError: as `canonical_nquads`.
    Spec: RDF Dataset Canonicalization 1.0, section 4.4.
    """
    return _Canonicalization(dataset, hash_name, max_steps).run()


def _nquad(quad: Quad, labels: Mapping[Blank, str]) -> str:
    subject, predicate, object_, graph = (f"_:{labels[term]}" if isinstance(term, int) else term for term in quad)
    return f"{subject} {predicate} {object_} {graph} .\n" if graph else f"{subject} {predicate} {object_} .\n"


class _Canonicalization:
    """The canonicalization state of one dataset (specification, section 4.2)."""

    def __init__(self, dataset: Iterable[Quad], hash_name: HashName, max_steps: int) -> None:
        self._new_hash = getattr(hashlib, hash_name)
        self._steps_left = max_steps
        self._labels: dict[Blank, str] = {}
        self._first_degree: dict[Blank, str] = {}
        self._quads: dict[Blank, list[Quad]] = {}
        for quad in dataset:  # (2)
            for blank in {term for term in quad if isinstance(term, int)}:
                self._quads.setdefault(blank, []).append(quad)

    def run(self) -> dict[Blank, str]:
        by_hash: dict[str, list[Blank]] = {}
        for blank in self._quads:  # (3)
            by_hash.setdefault(self._hash_first_degree(blank), []).append(blank)
        shared = []
        for hash_ in sorted(by_hash):  # (4)
            if len(by_hash[hash_]) == 1:
                self._issue(by_hash[hash_][0])
            else:
                shared.append(hash_)
        for hash_ in shared:  # (5)
            unlabelled = [blank for blank in by_hash[hash_] if blank not in self._labels]
            found = [self._hash_n_degree(blank, {blank: "b0"}, 0) for blank in unlabelled]
            for _, issued in sorted(found, key=lambda pair: pair[0]):
                for blank in issued:
                    self._issue(blank)
        return self._labels

    def _issue(self, blank: Blank) -> None:
        if blank not in self._labels:
            self._labels[blank] = f"c14n{len(self._labels)}"

    def _hash(self, text: str) -> str:
        digest: str = self._new_hash(text.encode()).hexdigest()
        return digest

    def _hash_first_degree(self, blank: Blank) -> str:
        """Hash the quads of `blank` as seen from it (specification, section 4.6)."""
        labels = {term: "z" for quad in self._quads[blank] for term in quad if isinstance(term, int)}
        labels[blank] = "a"
        hash_ = self._hash("".join(sorted(_nquad(quad, labels) for quad in self._quads[blank])))
        self._first_degree[blank] = hash_
        return hash_

    def _hash_related(self, related: Blank, quad: Quad, issued: Mapping[Blank, str], position: str) -> str:
        """Hash how a quad links `related` to this node (specification, section 4.7)."""
        label = self._labels.get(related) or issued.get(related)
        name = f"_:{label}" if label else self._first_degree[related]
        return self._hash(position + name if position == "g" else position + quad[1] + name)

    def _hash_n_degree(self, blank: Blank, issued: dict[Blank, str], depth: int) -> tuple[str, dict[Blank, str]]:
        """Hash `blank` by its whole neighbourhood (specification, section 4.8).

        `issued` holds the temporary labels in the order in which they were issued; it is not changed.
        """
        if depth == _MAX_DEPTH:
            raise self._too_complex()
        related_by_hash: dict[str, list[Blank]] = {}
        self._count(len(self._quads[blank]))
        for quad in self._quads[blank]:  # (3)
            for related, position in ((quad[0], "s"), (quad[2], "o"), (quad[3], "g")):
                if isinstance(related, int) and related != blank:
                    hash_ = self._hash_related(related, quad, issued, position)
                    related_by_hash.setdefault(hash_, []).append(related)
        data = []
        for hash_ in sorted(related_by_hash):  # (5)
            chosen_path = ""
            chosen_issued = issued
            for order in _orders(related_by_hash[hash_]):
                path, issued_here = self._path(order, issued, chosen_path, depth)
                if not chosen_path or path < chosen_path:
                    chosen_path, chosen_issued = path, issued_here
            data += [hash_, chosen_path]
            issued = chosen_issued
        return self._hash("".join(data)), issued

    def _path(
        self, order: tuple[Blank, ...], issued: dict[Blank, str], chosen_path: str, depth: int
    ) -> tuple[str, dict[Blank, str]]:
        """Return the path that `order` gives and the labels issued on it.

        It stops early when the path cannot be the least one.
        """
        self._count(len(order) + len(issued))
        issued = dict(issued)
        path = ""
        to_visit = []
        for related in order:  # (5.4.4)
            if related in self._labels:
                path += f"_:{self._labels[related]}"
            else:
                if related not in issued:
                    to_visit.append(related)
                    issued[related] = f"b{len(issued)}"
                path += f"_:{issued[related]}"
            if chosen_path and len(path) >= len(chosen_path) and path > chosen_path:
                return path, issued
        for related in to_visit:  # (5.4.5)
            label = issued[related]
            hash_, issued = self._hash_n_degree(related, issued, depth + 1)
            path += f"_:{label}<{hash_}>"
            if chosen_path and len(path) >= len(chosen_path) and path > chosen_path:
                return path, issued
        return path, issued

    def _count(self, steps: int) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise self._too_complex()

    def _too_complex(self) -> ContextError:
        message = "expected blank nodes that can be told apart, got a graph in which too many look the same"
        return ContextError("graph-too-complex", message)


def _orders(related: list[Blank]) -> Iterator[tuple[Blank, ...]]:
    """Yield every different order of `related`.

    A node stands in it as often as quads link it in the same way. The specification keeps a list here, and so do its
    authors' implementations; pyoxigraph keeps a set, and gives another form to some datasets with blank graph names.
    """
    order = sorted(related)
    last = len(order) - 1
    while True:
        yield tuple(order)
        pivot = last - 1
        while pivot >= 0 and order[pivot] >= order[pivot + 1]:
            pivot -= 1
        if pivot < 0:
            return
        other = last
        while order[other] <= order[pivot]:
            other -= 1
        order[pivot], order[other] = order[other], order[pivot]
        order[pivot + 1 :] = reversed(order[pivot + 1 :])
