"""Statements whose blank nodes form a forest, and their canonical text.

A document's nesting gives each blank node at most one statement that has it as its object. If all can be told apart by
their own statements, RDFC-1.0 needs no more than its first degree.
"""

import hashlib

from credentials.graph.rdf import HashName


class Forest:
    """The statements of a document, as text where no blank node is in it.

    A blank node is its number: the place in `said`, `links` and `incoming`.

    Args:
        ground: whole statements of subjects with an address, whose objects are no blank nodes.
        said: for each blank node the text after the subject of such statements.
        links: for each blank node the predicate of each statement whose object is blank too.
        incoming: for each blank node the subject and predicate of the one statement that has it as its object.
    """

    __slots__ = ("ground", "incoming", "links", "said")

    def __init__(self) -> None:
        self.ground: list[str] = []
        self.said: list[list[str]] = []
        self.links: list[list[str]] = []
        self.incoming: list[tuple[str | int, str] | None] = []

    def new_blank(self) -> int:
        """Return a new blank node."""
        self.said.append([])
        self.links.append([])
        self.incoming.append(None)
        return len(self.said) - 1

    def canonical_nquads(self, hash_name: HashName) -> bytes | None:
        """Return the canonical text, or None if it takes the whole algorithm.

        1. Each blank node's statements, as seen from it ("a") to others ("z"), are hashed. Sorted they are: from a subject
           with an address, its own, from a blank subject.
        2. If each hash is there once, labels are issued in their order. Otherwise there is no answer.
        3. Statements are written with the labels, sorted, each once.

        The text also has no answer if it is none in UTF-8 (half a character).

        Spec: RDF Dataset Canonicalization 1.0, sections 4.4.3 (steps 3, 4 and 7) and 4.6.
        """
        new_hash = getattr(hashlib, hash_name)
        by_hash: dict[bytes, int] = {}
        try:
            for blank, (said, links, incoming) in enumerate(zip(self.said, self.links, self.incoming, strict=True)):
                own = sorted([*set(said), *(f"{link}_:z .\n" for link in links)])  # (1)
                text = "_:a" + "_:a".join(own) if own else ""
                if incoming is not None:
                    subject, predicate = incoming
                    is_blank = subject.__class__ is int
                    text = f"{text}_:z{predicate}_:a .\n" if is_blank else f"{subject}{predicate}_:a .\n{text}"
                by_hash[new_hash(text.encode()).digest()] = blank
            if len(by_hash) < len(self.said):  # (2)
                return None
            labels = {by_hash[hash_]: f"_:c14n{n}" for n, hash_ in enumerate(sorted(by_hash))}
            written = set(self.ground)  # (3)
            for blank, label in labels.items():
                written.update([label + text for text in self.said[blank]])
                if (into := self.incoming[blank]) is not None:
                    subject, predicate = into
                    written.add(f"{labels[subject] if isinstance(subject, int) else subject}{predicate}{label} .\n")
            return "".join(sorted(written)).encode()
        except UnicodeEncodeError:
            return None
