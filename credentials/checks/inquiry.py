"""What one verification may use, and how much work it may do.

It has one instant, the known contexts, and documents from elsewhere. Everything that is read and canonicalized for one
report counts against one sum; so no number of proofs, lists or large documents makes it more. Who asks may also give it
a time: no further step begins when that is over.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from math import inf
from typing import Any, Final

from credentials.errors import CredentialError, UnavailableError
from credentials.graph.documents import Contexts, Fetched, Load
from credentials.graph.rdf import HashName
from credentials.proofs.data_integrity import canonical_form
from credentials.reading import texts

MAX_ADDRESSES: Final = 24
"""How many documents are loaded for one credential."""
MAX_WORK: Final = 10_000_000
"""The work for one verification: 1 for each character that is read, and `_WORK_OF_A_VALUE` for each value."""
CLOCK_SKEW: Final = timedelta(minutes=5)
"""By how much two clocks that are right may differ."""
CLOCK_ALLOWANCE: Final = timedelta(days=1)
"""By how much a wrong clock is usually wrong: a time zone taken for another makes 14 hours, a wrong date a day.

A date that lies further ahead than `CLOCK_SKEW` and not further than this leaves open whose clock is wrong, so that it
is *undecided*: a good badge must not look forged because the clock of the one who checks was put back.
"""
WHOSE_CLOCK: Final = "either the clock of who signed it is ahead, or the clock of who checks it is behind"
_WORK_ON_OLDER: Final = 4_000_000  # part of that, for trying older editions of contexts
_WORK_OF_A_VALUE: Final = 50
_WORK_OF_AN_ENTRY: Final = 200_000  # a status list may expand to megabytes


def unhurried() -> float:
    """Return how many seconds are left to a verification that may take as long as it takes."""
    return inf


@dataclass
class Inquiry:
    """One instant, known contexts, and the documents that a verification loads.

    Each document is loaded once, and their number is limited. If `discreet`, nobody is asked for what belongs to this
    one credential alone, as far as the verification can do without it. If `carried`, the documents come with the
    credential, so that an address says nothing about who wrote what is said to lie there.
    """

    now: datetime
    contexts: Contexts
    source: Load
    max_addresses: int = MAX_ADDRESSES
    discreet: bool = False
    carried: bool = False
    time_left: Callable[[], float] = unhurried
    schemas_evaluated: int = 0
    _answers: dict[str, Fetched | UnavailableError] = field(default_factory=dict)
    _canonical: dict[tuple[str, Contexts | None, HashName], bytes | CredentialError] = field(default_factory=dict)
    _work_left: int = MAX_WORK
    _work_on_older_left: int = _WORK_ON_OLDER

    def load(self, address: str) -> Fetched:
        """Return the document at `address`, the same each time.

        Raises:
            UnavailableError: it could not be loaded, or too many others were asked for (code "too-many-addresses"), or
                the time is over (code "too-much-time").
        """
        self._check_time()
        answer = self._answers.get(address)
        if answer is None:
            if len(self._answers) >= self.max_addresses:
                message = f"expected references to at most {self.max_addresses} documents, got more"
                raise UnavailableError("too-many-addresses", message)
            try:
                answer = self.source(address)
            except UnavailableError as error:
                answer = error
            self._answers[address] = answer
        if isinstance(answer, UnavailableError):
            raise answer
        return answer

    def spend(self, written: str) -> None:
        """Count the work of reading a document, by its JSON text.

        Raises:
            UnavailableError: more than is done for one verification (code "too-much-work"), or the time is over (code
                "too-much-time").
        """
        values = written.count(",") + written.count("[") + written.count("{")
        self._spend(len(written) + _WORK_OF_A_VALUE * values)

    def spend_on_entry(self) -> None:
        """Count the work of looking into a status list; raises as `spend`."""
        self._spend(_WORK_OF_AN_ENTRY)

    def older(self, document: Mapping[str, Any]) -> Iterator[Contexts]:
        """Yield registries with older editions of the document's contexts.

        It ends when the work left for them is spent.
        """
        for contexts in _older(document, self.contexts):
            before = self._work_left
            yield contexts
            self._work_on_older_left -= before - self._work_left
            if self._work_on_older_left < 0:
                return

    def _check_time(self) -> None:
        if self.time_left() <= 0:
            message = "expected a credential that is checked within the time for one request, got one that takes longer"
            raise UnavailableError("too-much-time", message)

    def _spend(self, work: int) -> None:
        self._check_time()
        self._work_left -= work
        if self._work_left < 0:
            message = "expected a credential that is checked in a few steps, got too many proofs or too large documents"
            raise UnavailableError("too-much-work", message)

    def canonical(self, document: Mapping[str, Any], contexts: Contexts | None, hash_name: HashName) -> bytes:
        """Return the `canonical_form` of a document, which is made only once.

        Raises:
            UnavailableError: as `spend`.
            ContextError, MalformedError: as `canonical_form`.
        """
        written = json.dumps(document, ensure_ascii=False)
        known = (written, contexts, hash_name)
        if known not in self._canonical:
            self.spend(written)
            try:
                self._canonical[known] = canonical_form(document, contexts, hash_name)
            except CredentialError as error:
                self._canonical[known] = error
        made = self._canonical[known]
        if isinstance(made, CredentialError):
            raise made
        return made


def _older(document: Mapping[str, Any], contexts: Contexts) -> Sequence[Contexts]:
    known = {entry.address for entry in contexts.entries}
    addresses = known.intersection(texts(document.get("@context")))
    return _older_editions(contexts, tuple(sorted(name for name in addresses if len(contexts.editions(name)) > 1)))


@lru_cache(maxsize=32)
def _older_editions(contexts: Contexts, addresses: tuple[str, ...]) -> Sequence[Contexts]:
    """Return the registries with older editions.

    They are remembered, because what is read with a registry is kept with it.
    """
    return tuple(contexts.older(addresses))
