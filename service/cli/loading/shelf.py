"""The examples that there are: a folder each in `service/cli/examples`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from service.cli.loading import dates
from service.errors import InvalidError, NotFoundError
from service.faults import wrong_word

FOLDER = Path(__file__).parent.parent / "examples"
ABOUT, STEPS, NETWORK = "example.json", "steps.json", "network.json"


@dataclass(frozen=True)
class Example:
    """One example: a network, the steps in which it is loaded, and what comes of them.

    `given` is the folder of the public files, for an example that has any.
    """

    name: str
    given: Path | None = None

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """What it is: `title`, `after` whom, `shows`, `as_of`, `badges`, `sources`, and the `files` that it needs."""
        found: Mapping[str, Any] = json.loads(self._path(ABOUT).read_text(encoding="utf-8"))
        return found

    @property
    def as_of(self) -> date:
        """The day on which its dates are today's."""
        return date.fromisoformat(self.about["as_of"])

    @property
    def badges(self) -> Mapping[str, int]:
        """How many badges of each achievement are issued in it; empty if that depends on public files."""
        counts: Mapping[str, int] = self.about.get("badges", {})
        return counts

    @property
    def files(self) -> Sequence[str]:
        """The public files that it needs."""
        names: Sequence[str] = self.about.get("files", ())
        return names

    def steps(self) -> list[dict[str, Any]]:
        """Return the steps in which it is loaded, in order."""
        found: list[dict[str, Any]] = json.loads(self._path(STEPS).read_text(encoding="utf-8"))
        return found

    def weeks_until(self, now: datetime) -> int:
        """Return by how many whole weeks its dates are moved to be those of a network that works now."""
        return (now.date() - self.as_of).days // 7

    def read(self, name: str, weeks: int) -> Any:
        """Return what is in a JSON file, with the dates moved."""
        return dates.moved(json.loads(self._path(name).read_text(encoding="utf-8")), weeks)

    def lines(self, name: str, weeks: int) -> Iterator[Any]:
        """Yield what is in each line of an NDJSON file, with the dates moved."""
        for line in self._path(name).read_text(encoding="utf-8").splitlines():
            yield dates.moved(json.loads(line), weeks)

    def mapping(self, name: str) -> Path:
        """Return where the mapping of a public file is."""
        return self._path(name)

    def public(self, name: str) -> Path:
        """Return where a public file is."""
        assert self.given is not None
        return self.given / name

    def check_files(self) -> None:
        """Refuse to begin without the public files.

        Raises:
            InvalidError: there is no folder (code "example-needs-folder"), or a file is not in it ("example-file-missing").
        """
        if not self.files:
            return
        listed = ", ".join(self.files)
        if self.given is None:
            source = self.about["sources"][0]
            message = f"Expected --folder with the public files {listed} ({source['title']}, {source['url']})."
            raise InvalidError("example-needs-folder", message)
        if missing := [name for name in self.files if not self.public(name).is_file()]:
            message = f"Expected a folder with {listed}; {missing[0]} is not in {self.given}."
            raise InvalidError("example-file-missing", message)

    def _path(self, name: str) -> Path:
        return FOLDER / self.name / name


def names() -> list[str]:
    """Return the names of all examples."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{ABOUT}"))


def named(name: str, given: Path | None = None) -> Example:
    """Return the example of this name.

    Raises:
        NotFoundError: there is none (code "example-unknown").
    """
    known = names()
    if name not in known:
        raise NotFoundError("example-unknown", f"Expected one of {', '.join(known)}; got {wrong_word(name, known)}.")
    return Example(name, given)
