"""`laurel import`: take in a file of rows, as a mapping file says."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from service.cli.terminal import AsJson, NetworkSlug, answer, err, opened

SOME_REJECTED: Final = 1
NOTHING_IMPORTED: Final = 3


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, NDJSON or .xlsx.")],
    mapping: Annotated[
        Path, typer.Option("--mapping", "-m", exists=True, dir_okay=False, help="What a row means (TOML).")
    ],
    network: NetworkSlug,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each row, and change nothing.")
    ] = False,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; left out: the first one.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of CSV and NDJSON; left out: UTF-8, UTF-16 or Windows-1252, as recognised.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write what became of each row to this file (NDJSON).")] = None,
    columns: Annotated[
        bool, typer.Option("--columns", help="Show for each column the answers and their counts.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    r"""Import a file, row by row; the same file again changes nothing.

    A mapping file says what a row becomes. For attendance, in a file with the columns Date, Member and Minutes:

    \b
      source = "attendance"
      [[records]]
      kind = "contribution"
      id = "{Date}/{Member}"
      member = "{Member}"
      type = "attended"
      occurred_at = { column = "Date", format = "%d.%m.%Y %H:%M" }
      minutes = { column = "Minutes", type = "integer" }

    The whole format, with examples: service/intake/examples/README.md. A row is new (accepted), changes what is there
    (updated), is there as it is (duplicate), waits for its member (held), is kept from counting until somebody has
    looked at it (quarantined), or cannot be taken in (rejected); the others are then taken in all the same. Rows are
    numbered as an editor does: the header is row 1.

    Exit status: 0 every row was taken in, or was there; 1 some were rejected; 2 the command or a setting was not
    understood; 3 nothing was imported, because the file or the mapping cannot be used, or has no row.
    """
    from service.errors import ServiceError
    from service.intake import importing, mapping_files

    with opened() as runtime, report.open("w", encoding="utf-8") if report is not None else nullcontext() as lines:

        def note(line: dict[str, Any]) -> None:
            if lines is not None:
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")

        try:
            plan = mapping_files.read_mapping(mapping)
            table = importing.open_table(file, plan, sheet=sheet, encoding=encoding)
            with progress("Trying" if dry_run else "Importing") as advance:
                result = importing.run(runtime, network, table, plan, dry_run=dry_run, advance=advance, note=note)
        except ServiceError as error:
            if error.code in {"database-unavailable", "disk-unavailable"}:
                raise
            err.print(f"{error} ({error.code})", markup=False)
            raise typer.Exit(NOTHING_IMPORTED) from error
    answer(as_json, result.to_json(), lambda: result.text(columns=columns))
    if result.counts["rejected"]:
        raise typer.Exit(SOME_REJECTED)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that moves a progress bar on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
