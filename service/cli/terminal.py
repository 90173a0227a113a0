"""The service behind a command, and how a command answers at a terminal."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from service.runtime.runtime import Runtime

# A table is as wide as what is in it: an id that is cut off to fit a narrow terminal is worth nothing.
out = Console(soft_wrap=True, highlight=False, emoji=False, width=10_000)
err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
NetworkSlug = Annotated[str, typer.Option("--network", "-n", help="Slug of the network.")]


@contextmanager
def opened() -> Iterator["Runtime"]:
    """Yield the runtime of this command, on a migrated database."""
    from service.runtime import settings
    from service.runtime.runtime import Runtime
    from service.signing import base_url
    from service.storage import migrations

    runtime = Runtime.start(settings.load())
    try:
        if not migrations.is_current(runtime.database):
            if not runtime.settings.local:
                message = "The database is not at the newest revision: run `laurel migrate`."
                raise settings.SettingsError(message)
            migrations.upgrade(runtime.database)
        with runtime.database.read() as session:
            runtime = replace(runtime, settings=base_url.settled(session, runtime.settings))
            base_url.check_base_url(session, runtime.settings)
            runtime.hold_time(session)
        yield runtime
    finally:
        runtime.database.dispose()


def answer(as_json: bool, value: Any, text: Callable[[], Any]) -> None:
    """Print a value as JSON for a program, or what `text` returns for a person."""
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")
    else:
        said = text()
        out.print(said, markup=False) if isinstance(said, str) else out.print(said)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Return a table for the terminal; an empty cell for None."""
    made = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made
