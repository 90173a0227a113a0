"""What the page of a batch shows: rows, then sums, people and tables."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from service.checking.batch import authority_links, count_words, counting
from service.checking.batch import lines as batch_lines
from service.checking.batch.batch import Batch
from service.checking.batch.counting import Entry, Person, Wanted
from service.checking.batch.facts import Facts, facts_of
from service.checking.batch.items import GivenItems
from service.checking.batch.lines import Line
from service.texts.languages import Language
from service.unpacking.file_kinds import credential_text


@dataclass
class BatchPage:
    """What the page shows: rows one by one, and after the last their sums.

    Args:
        numbers: the number shown with each item.
        wanted: which hours and credits are counted; None: none.
    """

    batch: Batch
    given: GivenItems
    language: Language
    numbers: list[int]
    wanted: Wanted | None = None
    lines: list[Line] = field(default_factory=list)
    facts: list[Facts] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many badges there are."""
        return len(self.batch)

    @property
    def whole(self) -> bool:
        """Whether every badge was answered."""
        return len(self.lines) == self.total

    def rows(self) -> Iterator[Line]:
        """Yield each answer in order, as soon as it is there, and keep it without its report."""
        for told in self.batch:
            if self.wanted is not None:
                self.facts.append(facts_of(told))
            line = batch_lines.in_words(told, self.language, self.numbers[told.index])
            if not line.again:  # the badge itself is only needed to try it again
                line = replace(line, item=replace(line.item, received=None))
            self.lines.append(line)
            yield line
        if self.wanted is not None:
            self.people = counting.count(self.facts, self.wanted)

    def csv(self, line: Line) -> str:
        """Return one badge as a line of a CSV."""
        more = authority_links.cells(self.given, line.item, self.language)
        return line.csv(self.language, self.given.delimiter, more)

    def json(self, line: Line) -> str:
        """Return one badge as a JSON object."""
        return json.dumps(line.to_json(), ensure_ascii=False)

    @property
    def csv_heading(self) -> str:
        """The first line of the CSV."""
        counted = count_words.COLUMNS if self.wanted is not None else ()
        more = (*authority_links.columns(self.given), *counted)
        return batch_lines.heading(self.given.heading, self.language, self.given.delimiter, more)

    @property
    def columns(self) -> str:
        """The employer's own columns, as JSON."""
        return json.dumps(list(self.given.heading), ensure_ascii=False)

    @property
    def csv_link(self) -> str:
        """Everything as a CSV, in a data: URL."""
        counted = self.counted
        rows = [
            line.csv(
                self.language,
                self.given.delimiter,
                (
                    *authority_links.cells(self.given, line.item, self.language),
                    *(counted[place].cells(self.language) if counted else ()),
                ),
            )
            for place, line in enumerate(self.lines)
        ]
        return _data_link("text/csv", self.csv_heading + "".join(rows))

    @property
    def json_link(self) -> str:
        """Everything as `{columns, items}`, in a data: URL; with `people` where hours and credits are counted."""
        items = ",".join(map(self.json, self.lines))
        people = f',"people":{json.dumps([each.to_json() for each in self.people], ensure_ascii=False)}'
        whole = f'{{"columns":{self.columns},"items":[{items}]{people if self.wanted is not None else ""}}}'
        return _data_link("application/json", whole)

    @property
    def counted(self) -> dict[int, "Counted"]:
        """What counts of each badge, by its place; nothing where nothing is counted."""
        return {
            entry.facts.index: Counted(person, entry, self.lines[entry.facts.index])
            for person in self.people
            for entry in person.entries
        }

    @property
    def tally(self) -> str:
        """How many people are accepted, short, and to be asked, in one sentence."""
        return count_words.totals(counting.totals(self.people), self.wanted or Wanted(), self.language)

    @property
    def persons(self) -> "list[tuple[Person, list[Counted]]]":
        """Each person with their badges."""
        counted = self.counted
        return [(each, [counted[entry.facts.index] for entry in each.entries]) for each in self.people]

    def why(self, reasons: tuple[str, ...]) -> str:
        """Return reasons in words, but for how much is missing, which stands beside them."""
        others = [each for each in reasons if each not in counting.MISSING]
        return count_words.sentences(others, self.language)

    def decision(self, person: Person) -> str:
        """Return what was decided of a person, in words."""
        return self.language.gettext(count_words.DECISIONS[person.decision])

    def standing(self, entry: Entry) -> str:
        """Return whether a badge counts, in words."""
        return self.language.gettext(count_words.STANDINGS[entry.standing])

    def authorities(self, entry: Entry) -> str:
        """Return whose the credits of a badge are, in words."""
        return count_words.authorities(entry, self.language)

    @property
    def sums(self) -> dict[str, int]:
        """How many badges there are of each kind: good, unsure, bad, unchecked."""
        kinds = [line.kind for line in self.lines]
        return {kind: kinds.count(kind) for kind in ("good", "unsure", "bad", "unchecked")}

    @property
    def candidates(self) -> list[tuple[str, list[Line], Person | None]]:
        """The badges of each candidate, and what of them counts, where that was asked.

        A candidate is known by what the table says of them. Without that, each badge is a candidate of its own.
        """
        grouped: dict[str, tuple[str, list[Line]]] = {}
        for line in self.lines:
            key = line.item.person_key or f"#{line.number}"
            grouped.setdefault(key, (line.item.person_name, []))[1].append(line)
        people: list[Person] | list[None] = self.people or [None] * len(grouped)
        return [(*each, person) for each, person in zip(grouped.values(), people, strict=True)]

    @property
    def again(self) -> list[str]:
        """What can be tried again, for the form that does so."""
        return [_packed(line) for line in self.lines if line.again]

    @property
    def table(self) -> str:
        """The employer's table, for the form that tries again."""
        return json.dumps({"heading": list(self.given.heading), "delimiter": self.given.delimiter}, ensure_ascii=False)


@dataclass(frozen=True)
class Counted:
    """One badge of a person, with its line in words."""

    person: Person
    entry: Entry
    line: Line

    def cells(self, language: Language) -> tuple[str, ...]:
        """Return its cells in the CSV."""
        return count_words.cells(self.person, self.entry, language)


def _packed(line: Line) -> str:
    item = line.item
    kept: dict[str, Any] = {
        "number": line.number,
        "name": item.name,
        "candidate": item.candidate,
        "person": item.person,
        "line": item.line,
        "file": item.file,
        "row": item.cells,
    }
    if item.recipient is not None:
        kept["recipient"] = item.recipient
    if item.holder is not None:
        kept["holder"] = [item.holder.name, item.holder.licence_number]
    if item.licence:
        kept["licence"] = item.licence
    if item.url is not None:
        kept["url"] = item.url
    else:
        kept["text"] = credential_text(item.received or b"")
    return json.dumps(kept, ensure_ascii=False)


def _data_link(media_type: str, text: str) -> str:
    return f"data:{media_type};charset=utf-8;base64,{base64.b64encode(text.encode('utf-8', 'replace')).decode()}"
