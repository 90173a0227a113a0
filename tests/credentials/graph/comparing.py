"""The quick way and the slow way with the same document: one difference is a security hole."""

from collections.abc import Mapping
from typing import Any

from credentials.errors import CredentialError
from credentials.graph.canonicalize import canonicalize_slowly
from credentials.graph.documents import PACKAGED, Context, Contexts
from credentials.graph.plain import is_plain
from credentials.graph.rdf import HashName
from credentials.graph.road import Road
from credentials.graph.unprotected import find_unprotected
from credentials.model.form import DECLARED

Outcome = bytes | tuple[str, str, str, str]


def outcome(road: Road | None, document: Any, contexts: Contexts, hash_name: HashName = "sha256") -> Outcome:
    """Return the bytes, or the error; without a road by the slow one."""
    try:
        if road is None:
            return canonicalize_slowly(document, contexts, hash_name)
        return road.canonicalize(document, contexts, hash_name)
    except CredentialError as error:
        return type(error).__name__, error.code, error.message, error.pointer


def new_road(*known: Context) -> Road:
    """Return a road that proves only what it uses for the first time, and also knows these contexts."""
    return Road(canonicalize_slowly, known=frozenset([*PACKAGED.all(), *known]), every=10**9)


class Comparison:
    """Compares the roads, and counts what the ordinary one answered.

    An answer is compared before it is proved and again once it is. What cannot be read because it is too much work
    depends on what was read before, and is not compared.
    """

    def __init__(self, road: Road) -> None:
        self.road = road
        self.documents = 0
        self.answered = 0

    def compare(self, document: Mapping[str, Any], contexts: Contexts, hash_name: HashName = "sha256") -> None:
        """Refuse a document that they read differently."""
        self.documents += 1
        slow = outcome(None, document, contexts, hash_name)
        if slow[1] == "context-too-complex":
            return
        walk = self.road.walked(document, contexts)
        answer = None if walk is None else walk.forest.canonical_nquads(hash_name)
        if answer is None:
            return  # it took the slow road
        self.answered += 1
        assert answer == slow, "the ordinary road gives other bytes"
        for _ in range(2):
            assert outcome(self.road, document, contexts, hash_name) == slow, "the road gives another result"
        assert self.road.is_open, "the road was closed"


def compare_looks(document: Mapping[str, Any]) -> bool:
    """Return whether the quick look takes a document for plain; refuse it if the full look then finds something."""
    plain = is_plain(document)
    for declared in (DECLARED, {}) if plain else ():
        assert find_unprotected(document, declared) == [], "the full look finds something in a plain document"
    return plain
