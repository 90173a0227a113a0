"""`laurel example`: practice networks that can be loaded, and removed whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.terminal import AsJson, answer, err, opened, table

if TYPE_CHECKING:
    from service.cli.loading.loading import Loaded
    from service.cli.loading.removal import Removed

example_app = typer.Typer(help="Practice networks: load one to look around, and remove it whole.", no_args_is_help=True)

Slug = Annotated[str | None, typer.Option("--slug", help="Slug of its network; left out: example-NAME.")]


@example_app.command("list")
def example_list(as_json: AsJson = False) -> None:
    """List the examples that there are, and which of them are loaded."""
    from service.cli.loading import marks, shelf

    with opened() as runtime, runtime.database.read() as session:
        loaded = marks.every(session)
    rows = []
    for name in shelf.names():
        about = shelf.named(name).about
        networks = [{"slug": mark.slug, "state": mark.state} for mark in loaded if mark.example == name]
        rows.append({"name": name, **about, "networks": networks})
    columns = ("name", "what it is", "needs", "loaded as")
    cells = [
        [
            row["name"],
            row["shows"],
            "--folder" if row.get("files") else None,
            ", ".join(f"{each['slug']} ({each['state']})" for each in row["networks"]),
        ]
        for row in rows
    ]
    answer(as_json, rows, lambda: table(columns, cells))


@example_app.command("load")
def example_load(
    name: Annotated[str, typer.Argument(help="Which one, from `laurel example list`.")],
    folder: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Of the public files, for an example of some.")
    ] = None,
    slug: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Load a practice network, with members, evidence and badges that say TEST.

    It goes in as a network's own would, through the API, whether or not `laurel serve` runs. Its dates are moved by whole
    weeks, so that it works now. Interrupted, it goes on when it is run again; loaded already, it stays as it is.
    """
    from service.cli.imports import progress
    from service.cli.loading import loading, shelf

    with opened() as runtime, progress("Loading") as advance:
        example = shelf.named(name, folder)
        loaded = loading.load(runtime, example, slug, say=lambda line: err.print(line, markup=False), advance=advance)
        url = f"{runtime.settings.base_url}/networks/{loaded.slug}"
        value = {"slug": loaded.slug, "name": loaded.name, "url": url, "badges": dict(loaded.badges)}
        answer(as_json, value, lambda: _told(loaded, url))


@example_app.command("remove")
def example_remove(
    name: Annotated[str | None, typer.Argument(help="Which one; or its --slug.")] = None,
    slug: Annotated[str | None, typer.Option("--slug", help="Slug of its network.")] = None,
    as_json: AsJson = False,
) -> None:
    """Remove a practice network whole: rows, files and keys. No other network is ever removed.

    Its badges and status lists answer 404 then.
    """
    from service.cli.loading import removal

    if name is None and slug is None:
        raise typer.BadParameter("give the name of an example, or --slug")
    with opened() as runtime:
        removed = removal.remove(runtime, name, slug)
        value = {"slug": removed.slug, "rows": dict(removed.rows), "keys": removed.keys}
        answer(as_json, value, lambda: _gone(removed))


def _told(loaded: "Loaded", url: str) -> str:
    state = "was loaded already; nothing has changed" if loaded.before else "is loaded"
    badges = sum(loaded.badges.values())
    return f"{loaded.name} {state}: {url}\n{badges:,} badges, which say TEST. Out again: laurel example remove --slug {loaded.slug}"


def _gone(removed: "Removed") -> str:
    return f"{removed.slug} is removed: {sum(removed.rows.values()):,} rows and {removed.keys} private keys."
