"""What became of an imported file, row by row and in sum."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from service.intake.row_files import Row

LISTED_ANSWERS: Final = 25
MAX_ANSWERS: Final = 10_000
"""How many different answers of a column are counted by themselves."""
MAX_PROBLEMS: Final = 1000
"""How many problems are kept to be shown; all of them are counted, and noted."""
STATUSES: Final = {
    "accepted": "new",
    "updated": "changed something that was there",
    "duplicate": "was there as it is",
    "held": "waits for its member, or for their acceptance of the guidelines",
    "quarantined": "is kept from counting until somebody has looked at it",
    "rejected": "cannot be taken in",
}
"""What can become of a record, each with its meaning."""


@dataclass
class ImportResult:
    """What became of a file: counts, problems, and answers by column.

    Args:
        form: what the file was recognised as.
        total: its rows.
        dry_run: whether nothing was changed.
        note: is given what became of each record.
        evidence: whether evidence came in that was not there.
        left_out: of how many records which members are not stored, because the session is confidential.
    """

    form: str = ""
    total: int = 0
    dry_run: bool = False
    note: Callable[[dict[str, Any]], None] = lambda _line: None
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[str, Counter[str]] = field(default_factory=dict)
    blanks: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    evidence: bool = False
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, row: int, kind: str, status: str, **members: Any) -> None:
        """Note what became of one record of a row."""
        line = {"row": row, "kind": kind, "status": status, **members}
        self.counts[status] += 1
        self.left_out.update(members.get("left_out", ()))
        self.note(line)
        if status == "rejected" and len(self.problems) < MAX_PROBLEMS:
            self.problems.append(line)

    def count(self, row: Row) -> None:
        """Count the answers in a row."""
        for name, answer in row.cells.items():
            found = self.columns.setdefault(name, Counter())
            if not answer:
                self.blanks[name] += 1
            elif answer in found or len(found) < MAX_ANSWERS:
                found[answer] += 1
            else:
                self.others[name] += 1

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object.

        Shape: `{form, rows, dry_run, counts: {status: n}, columns: {name: {answers, blank, counts, others}}, problems:
        [lines], left_out?: {pointer: n}}`.
        """
        return ({"left_out": dict(self.left_out)} if self.left_out else {}) | {
            "form": self.form,
            "rows": self.total,
            "dry_run": self.dry_run,
            "counts": dict(self.counts),
            "columns": {
                name: {
                    "answers": found.total() + self.others[name],
                    "blank": self.blanks[name],
                    "counts": dict(found.most_common()),
                    "others": self.others[name],
                }
                for name, found in self.columns.items()
            },
            "problems": self.problems,
        }

    def text(self, *, columns: bool) -> str:
        """Return the report for people."""
        counted = ", ".join(f"{self.counts[status]:,} {status}" for status in STATUSES if self.counts[status])
        rows = f"{self.total:,} {'row' if self.total == 1 else 'rows'}"
        lines = [f"{'Dry run, nothing has changed' if self.dry_run else 'Imported'}: {self.form}, {rows}.", counted]
        lines += [f"  row {line['row']}, {line['kind']}: {line['problem']['detail']}" for line in self.problems]
        if self.counts["rejected"] > len(self.problems):
            lines.append(f"  and {self.counts['rejected'] - len(self.problems):,} more, which --report lists")
        if self.left_out:
            gone = ", ".join(f"{pointer} of {count:,}" for pointer, count in self.left_out.most_common())
            lines.append(f"Not stored, because the sessions are confidential: {gone}")
        for name, found in self.columns.items() if columns else ():
            lines.append(f"{name}: {found.total() + self.others[name]:,} answers, {self.blanks[name]:,} blank")
            lines.extend(f"  {count:6,}  {answer}" for answer, count in found.most_common(LISTED_ANSWERS))
            if len(found) > LISTED_ANSWERS:
                lines.append(f"          and {len(found) - LISTED_ANSWERS:,} other answers")
        return "\n".join(lines)
