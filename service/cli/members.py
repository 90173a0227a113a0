"""`laurel member`: the members of a network."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.terminal import AsJson, NetworkSlug, answer, opened

if TYPE_CHECKING:
    from service.console.api_erasing import ErasureOut

member_app = typer.Typer(help="Members of a network.", no_args_is_help=True)


@member_app.callback()
def _group() -> None:
    """Members of a network."""


@member_app.command("erase")
def member_erase(
    ref: Annotated[str, typer.Argument(help="The network's own ref of the member.")],
    network: NetworkSlug,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase what the network holds of a person, for good, and say what stays and why."""
    from service.access.act import Act
    from service.console import erasing
    from service.console.api_erasing import ErasureOut
    from service.networks import networks

    with opened() as runtime:
        if dry_run:
            with runtime.database.read() as reading:
                found = networks.by_slug(reading, network)
                shown = ErasureOut.of(erasing.look(reading, found, ref, runtime.now()))
        else:
            with runtime.database.write() as session:
                act = Act(session, networks.by_slug(session, network), None, runtime.now())
                shown = ErasureOut.of(erasing.erase(act, runtime, ref))
            runtime.database.overwrite_log()
        answer(as_json, shown.model_dump(mode="json", exclude_none=True), lambda: _text(shown))


def _text(shown: "ErasureOut") -> str:
    state = f"Erased at {shown.erased_at:%Y-%m-%d %H:%M}" if shown.erased_at else "Would be erased"
    gone = [f"  {name.replace('_', ' ')}: {count}" for name, count in shown.erases if count]
    stays = [f"  {each.what}{'' if each.count is None else f' ({each.count})'}: {each.why}" for each in shown.stays]
    return "\n".join([f"{state}, of {shown.member}:", *(gone or ["  nothing"]), "What stays, and why:", *stays])
