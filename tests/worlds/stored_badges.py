"""Badges that a service issued once in a worker, kept with every document that a check of them loads.

What a badge and its documents say is checked without a row. Such a check asks through `documents=`, at a service that
has none (`without_rows`), so that its test needs no database.
"""

import json
import tempfile
from collections.abc import Callable, Hashable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

from fastapi.testclient import TestClient

from credentials import Fetched, UnavailableError
from service.checking import check, verification
from service.runtime.runtime import Runtime
from tests.worlds import databases
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, Clock, app_of, desk_of, settings_in, start

Given = ParamSpec("Given")


@dataclass(frozen=True)
class StoredBadge:
    """A badge as text, its award as the network was told of it, and the documents by address."""

    text: str
    award: Any
    documents: Mapping[str, Fetched]

    @property
    def credential(self) -> Any:
        """The badge, parsed anew each time."""
        return json.loads(self.text)

    @property
    def receipt(self) -> Any:
        """The receipt of its decision, parsed anew each time."""
        return json.loads(self.documents[self.award["receipt"]].body)

    @property
    def definition(self) -> bytes:
        """The definition by which it was decided, as it is published."""
        return self.documents[f"{self.receipt['achievement']}/definition.json"].body

    def load(self, url: str) -> Fetched:
        """Return the document at an address."""
        if url not in self.documents:
            raise UnavailableError("document-unknown", f"expected one of the documents that were kept, got {url}")
        return self.documents[url]


_kept: dict[Hashable, StoredBadge] = {}


def stored(build: Callable[Concatenate[Stage, Given], Any]) -> Callable[Given, StoredBadge]:
    """Decorate `build(stage, ...)`, which returns an award: it is called without a stage then, and returns the badge.

    A worker builds it once, in a service that is gone afterwards. A build depends only on its arguments, which are
    JSON.
    """

    @wraps(build)
    def kept(*arguments: Given.args, **named: Given.kwargs) -> StoredBadge:
        key = (build.__module__, build.__qualname__, json.dumps([arguments, named], sort_keys=True))
        if key not in _kept:
            _kept[key] = _issued(lambda stage: build(stage, *arguments, **named))
        return deepcopy(_kept[key])

    return kept


def _issued(build: Callable[[Stage], Any]) -> StoredBadge:
    with tempfile.TemporaryDirectory() as folder:
        databases.migrated_sqlite(Path(folder) / "laurel.db")
        with start(settings_in(Path(folder)), Clock()) as runtime:
            stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
            award = build(stage)
            text = stage.client.get(award["credential"]["url"] + ".json").text
            documents: dict[str, Fetched] = {}

            def load(url: str) -> Fetched:
                documents[url] = verification.load(runtime, url)
                return documents[url]

            check.check(desk_of(runtime), text, documents=load)
            return StoredBadge(text, award, documents)


def without_rows(folder: Path) -> Runtime:
    """Return a service with an empty database, not even migrated: who asks it for a row gets an error."""
    return Runtime.start(settings_in(folder, database_url="sqlite:///:memory:"), Clock())
