"""The ordinary road: canonical bytes of ordinary documents, without expansion.

One walk along `tables` turns a document into statements (`walk`), and these are canonicalized (`forest`). The road
answers or is silent. It never refuses: whatever it does not know, and every fault, is for the slow road.

Nobody has to take its word: an answer that uses an entry of a table for the first time, and every thousandth other one,
is proved on the slow road. One difference turns it off until the process ends, and the log says so: two roads that differ
are two documents under one signature.
"""

import logging
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final
from weakref import WeakKeyDictionary

from credentials.errors import ContextError, CredentialError
from credentials.graph.documents import PACKAGED, Context, Contexts
from credentials.graph.rdf import HashName
from credentials.graph.tables import MAX_TYPES, NotOrdinaryError, Scopes
from credentials.graph.walk import Walk

MAX_KEPT: Final = 20_000
"""How much is kept for one registry before it begins again: members, and as many as `tables.WEIGHT` for each table."""

log = logging.getLogger(__name__)

Slow = Callable[[Mapping[str, Any], Contexts, HashName], bytes]


class Road:
    """The ordinary road of one process, beside the slow one.

    `is_open` until the two differ.
    """

    def __init__(self, slow: Slow, *, known: frozenset[Context] | None = None, every: int = 1_000) -> None:
        """Build the road.

        Args:
            slow: what decides about documents that are not ordinary, and proves answers.
            known: the contexts that get tables; those that are packaged, if none are given. A stranger's context is
                read on the slow road alone.
            every: how many answers one is proved of.
        """
        self.is_open = True
        self._slow = slow
        self._known = frozenset(PACKAGED.all()) if known is None else known
        self._every = every
        self._answers = count(1)
        self._scopes: WeakKeyDictionary[Contexts, Scopes] = WeakKeyDictionary()

    def canonicalize(self, document: Mapping[str, Any], contexts: Contexts, hash_name: HashName) -> bytes:
        """Return the canonical N-Quads of a document, on the ordinary road if it is an ordinary one.

        Raises:
            MalformedError, ContextError: what the slow road raises.
        """
        walk = self.walked(document, contexts)
        answer = None if walk is None else walk.forest.canonical_nquads(hash_name)
        if walk is None or answer is None:
            return self._slow(document, contexts, hash_name)
        if not walk.is_proved or next(self._answers) % self._every == 0:
            return self._prove(walk, answer, document, contexts, hash_name)
        return answer

    def walked(self, document: Mapping[str, Any], contexts: Contexts) -> Walk | None:
        """Return the walk along a document; None if it is not ordinary."""
        if not self.is_open or document.__class__ is not dict:
            return None
        named = document.get("@context")
        addresses = tuple(named) if named.__class__ is list else (named,)
        if not 0 < len(addresses) <= MAX_TYPES or not all(self._knows(address, contexts) for address in addresses):
            return None
        scopes = self._scopes.get(contexts)
        if scopes is None or scopes.size > MAX_KEPT:
            scopes = self._scopes[contexts] = Scopes()
        walk = Walk(contexts)
        try:
            walk.begin(document, scopes, addresses)
        except (NotOrdinaryError, ContextError, RecursionError):
            return None
        return walk

    def _knows(self, address: object, contexts: Contexts) -> bool:
        return address.__class__ is str and address in contexts and contexts.editions(address)[0] in self._known

    def _prove(
        self, walk: Walk, answer: bytes, document: Mapping[str, Any], contexts: Contexts, hash_name: HashName
    ) -> bytes:
        """Return what the slow road says; the walk's entries are proved if that is `answer`."""
        try:
            right = self._slow(document, contexts, hash_name)
        except CredentialError as error:
            if error.code != "context-too-complex":  # which says how much work it was, not what the document means
                self._close()
            raise
        if right == answer:
            walk.prove()
        else:
            self._close()
        return right

    def _close(self) -> None:
        self.is_open = False
        log.critical(
            "the ordinary road of canonicalization and the slow one differ: the ordinary one is closed until this "
            "process ends, and every document takes the slow one; please report this"
        )
